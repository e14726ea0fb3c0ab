import Cryptography
import Foundation
import Passphrases
import Vault

#if canImport(Glibc)
  import Glibc
#endif

/// Where passphrases come from, and the form in which they are used.
enum Passphrase {
  static let longest = 1024

  /// The content of a file without one line end at its end, as it stands there.
  static func read(file path: String) throws -> LockedBytes {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw cannotRead(path) }
    defer { close(descriptor) }
    var secret = try LockedBytes(capacity: longest + 3)
    var byte: UInt8 = 0
    defer { byte = 0 }
    while true {
      let count = unsafe Glibc.read(descriptor, &byte, 1)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw cannotRead(path) }
      if count == 0 { break }
      guard secret.count < secret.capacity else { throw unsuitable(path) }
      try secret.append(byte)
    }
    if ends(secret, with: UInt8(ascii: "\n")) {
      secret.removeLast()
      if ends(secret, with: UInt8(ascii: "\r")) { secret.removeLast() }
    }
    guard secret.count > 0, secret.count <= longest else { throw unsuitable(path) }
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

  private static func ends(_ secret: borrowing LockedBytes, with byte: UInt8) -> Bool {
    secret.withBytes { bytes in
      bytes.byteCount > 0 && bytes.byte(at: bytes.byteCount - 1) == byte
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
