import BundleCheck
import Cryptography
import Foundation
import Passphrases
import Vault

/// Where passphrases come from, and the form in which they are used.
enum Passphrase {
  static let longest = 1024

  /// The content of a file without one line end at its end, as it stands there.
  static func read(file path: String) throws -> LockedBytes {
    let secret: LockedBytes
    do throws(SecretFile.Problem) {
      secret = try SecretFile.readPassphrase(path, limit: longest)
    } catch {
      switch error {
      case .unreadable: throw cannotRead(path)
      case .tooLong: throw unsuitable(path)
      case .outOfMemory: throw CryptographyError.outOfMemory
      }
    }
    guard secret.count > 0 else { throw unsuitable(path) }
    return secret
  }

  /// A new passphrase from a file, and a remark if it could be guessed.
  static func chosen(file path: String, cost: KeyCost) throws -> LockedBytes {
    let passphrase = try normalized(try read(file: path))
    if let sentence = try PassphraseStrength(of: passphrase).sentence(at: cost) {
      Output.remark("Note: about the passphrase in the file. " + sentence)
    }
    return passphrase
  }

  /// The same passphrase however a keyboard composes its accents: NFC.
  ///
  /// Only a text outside ASCII needs Foundation for it; its copy there cannot be erased and lives
  /// until this returns. Bytes that are not UTF-8 stay as they are.
  static func normalized(_ typed: consuming LockedBytes) throws(CryptographyError) -> LockedBytes {
    let composed = typed.withBytes { bytes -> [UInt8]? in
      guard (0..<bytes.byteCount).contains(where: { bytes.byte(at: $0) >= 0x80 }) else {
        return nil
      }
      return String(validating: bytes.copied(), as: UTF8.self).map {
        Array($0.precomposedStringWithCanonicalMapping.utf8)
      }
    }
    guard let composed else { return typed }
    return try composed.withBytes { (bytes) throws(CryptographyError) in
      try LockedBytes(copying: bytes)
    }
  }

  private static func cannotRead(_ path: String) -> Failure {
    Failure.usage(
      "passphraseFile",
      Sentence(
        "The passphrase file \(SafeText.quoted(path)) cannot be read.", safe: Sentences.unchanged,
        next: "Check its name after --passphrase-file or in CAIRN_PASSPHRASE_FILE."))
  }

  private static func unsuitable(_ path: String) -> Failure {
    Failure.usage(
      "passphraseFile",
      Sentence(
        "The passphrase file \(SafeText.quoted(path)) is empty or too long for a passphrase.",
        safe: Sentences.unchanged, next: "Check that it is the right file."))
  }
}
