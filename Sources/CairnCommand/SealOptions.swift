import ArgumentParser
import BundleCheck
import CaseLog
import Cryptography
import Foundation
import SealedBundle
import Vault

/// How a bundle is opened: what `open` and `verify` have in common.
struct UnsealOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("A file with the bundle's passphrase.", valueName: "file"))
  var sealPassphraseFile: String?

  @Option(
    help: ArgumentHelp("An age identity file with your secret key.", valueName: "file"))
  var identity: String?

  @Option(
    help: ArgumentHelp(
      "The fingerprint of the case, as you know it from elsewhere, such as a statement.",
      valueName: "fingerprint"))
  var fingerprint: String?

  @Option(
    help: ArgumentHelp(
      "A receipt key that you know from elsewhere; may be given several times.", valueName: "key"))
  var witness: [String] = []

  func validate() throws {
    if sealPassphraseFile != nil, identity != nil {
      throw ValidationError("Give a passphrase or an identity, not both.")
    }
  }

  func trust() throws -> BundleTrust {
    do {
      return try BundleTrust(fingerprint: fingerprint, witnesses: witness)
    } catch {
      throw Failure.usage(
        "invalidTrust",
        Sentence(error.sentence, safe: Sentences.unchanged, next: "Copy it again, all of it."))
    }
  }

  /// Calls `body` with what opens the bundle, and asks for a passphrase only where one helps.
  func withKey<Result>(
    for bundle: String, terminal: Terminal?, _ body: (borrowing BundleKey) throws -> Result
  ) throws -> Result {
    if let sealPassphraseFile {
      return try body(.passphrase(try Passphrase.read(file: sealPassphraseFile)))
    }
    if let identity { return try body(.identities(try identities(identity))) }
    guard let terminal, try isForPassphrase(bundle) else { return try body(.none) }
    guard let typed = try terminal.askSecret("Passphrase of the bundle (nothing shows): ") else {
      throw VaultError(.cancelled)
    }
    return try body(.passphrase(typed))
  }

  /// What cannot be read is told by whoever reads all of it.
  private func isForPassphrase(_ bundle: String) throws -> Bool {
    do throws(BundleOpenError) { return try BundleCheck.isForPassphrase(bundle) } catch {
      return false
    }
  }

  private func identities(_ path: String) throws -> LockedBytes {
    guard let file = try SmallFile.readSecret(path, limit: 1 << 16) else {
      throw Failure(bundle: .noIdentity)
    }
    return file
  }
}

/// A bundle as a file, before it is looked into.
enum BundleFile {
  /// How many bytes the bundle has.
  ///
  /// - Throws: a failure where there is nothing that could be checked.
  static func size(of path: String) throws -> UInt64 {
    do {
      return try FileCheck(path: path).size
    } catch let failure as Failure where failure.code == VaultError.Code.fileEmpty.rawValue {
      throw Failure(
        code: failure.code, status: .cannotCheck,
        Sentence(
          "\(SafeText.quoted(path)) is empty: it has 0 bytes, so there is nothing to check.",
          safe: "This says nothing about whether the bundle is genuine.",
          next: "Perhaps a download or a copy was not finished: copy it again from where it came."))
    }
  }
}

extension Failure {
  /// A bundle that could not be opened with the key at hand; the sentence is `cairn-verify`'s own.
  init(bundle error: BundleOpenError) {
    let (code, next): (String, String)
    switch error {
    case .unreadable: (code, next) = ("fileUnreadable", "Check its name and place.")
    case .keyNeeded: (code, next) = ("keyNeeded", "")
    case .wrongPassphrase: (code, next) = ("wrongPassphrase", "")
    case .wrongIdentity:
      (code, next) = ("wrongIdentity", "Ask whoever made it for which key it is.")
    case .noIdentity: (code, next) = ("noIdentity", "")
    case .outOfMemory: (code, next) = ("outOfMemory", "Close other programs, and try again.")
    }
    let status = ExitStatus(rawValue: BundleExitCode(error).rawValue) ?? .cannotCheck
    self.init(
      code: code, status: status,
      Sentence(VerdictText.sentence(error), safe: "", next: next))
  }
}
