internal import ArgumentParser
internal import BundleCheck
internal import Cryptography
internal import SealedBundle

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// `cairn-verify`: checks a sealed bundle with nothing but the bundle and what its reader was told.
///
/// It writes nothing, opens no network and keeps nothing. Standard output has the verdict; what went wrong
/// before there was one is on standard error.
struct VerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cairn-verify",
    abstract: "Check a sealed bundle of evidence.",
    discussion: """
      Tells whether anything in the bundle was changed since it was made, and by whose word.

      What a bundle says of itself is worth little. Give what you know from elsewhere: the \
      fingerprint of the case as it stands in a statement, and the receipt key as the advocate's \
      organisation gives it to you.

      Exit codes: 0 intact, 21 all holds but there are remarks, 20 changed, 22 cannot check, \
      12 wrong passphrase, 64 the command was not understood.
      """)

  @Argument(help: "The bundle: as it was handed over, or decrypted already (a ZIP archive).")
  var bundle: String

  @Option(help: "A file with the bundle's passphrase.")
  var sealPassphraseFile: String?

  @Option(help: "An age identity file with your secret key.")
  var identity: String?

  @Option(help: "The fingerprint of the case, 52 letters and digits.")
  var fingerprint: String?

  @Option(help: "A receipt key that you had from elsewhere; may be given several times.")
  var witness: [String] = []

  @Flag(help: "Print one line of JSON, for scripts.")
  var json = false

  func validate() throws {
    if sealPassphraseFile != nil && identity != nil {
      throw ValidationError("Give a passphrase or an identity, not both.")
    }
  }

  func run() throws {
    let trust = try trust()
    let verdict: BundleVerdict
    do {
      verdict = try BundleCheck.verify(path: bundle, key: try key(), trust: trust)
    } catch let error as BundleOpenError {
      if json { print(VerdictJSON.line(error)) }
      complain(VerdictText.sentence(error))
      throw ExitCode(BundleExitCode(error).rawValue)
    }
    if json {
      print(VerdictJSON.line(verdict))
    } else {
      for line in VerdictText.lines(verdict, trust: trust) { print(line) }
    }
    throw ExitCode(BundleExitCode(verdict).rawValue)
  }

  private func trust() throws -> BundleTrust {
    do {
      return try BundleTrust(fingerprint: fingerprint, witnesses: witness)
    } catch {
      throw ValidationError(error.sentence)
    }
  }

  private func key() throws -> BundleKey {
    do throws(SecretFile.Problem) {
      if let sealPassphraseFile {
        return .passphrase(try SecretFile.readPassphrase(sealPassphraseFile, limit: 4096))
      }
      if let identity { return .identities(try SecretFile.read(identity, limit: 1 << 16)) }
    } catch {
      throw error == .outOfMemory ? BundleOpenError.outOfMemory : .unreadable
    }
    // Asks only where an answer helps.
    guard Terminal.isThere, try BundleCheck.isForPassphrase(bundle) else { return .none }
    guard let typed = try Terminal.askPassphrase("Passphrase of the bundle (nothing shows): ")
    else { throw ExitCode(Self.stopped) }
    return .passphrase(typed)
  }

  /// As a shell gives it for a program that Ctrl-C ended.
  private static let stopped: Int32 = 130

  private func complain(_ sentence: String) {
    let bytes = Array("cairn-verify: \(sentence)\n".utf8)
    _ = unsafe bytes.withUnsafeBytes { unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }
}
