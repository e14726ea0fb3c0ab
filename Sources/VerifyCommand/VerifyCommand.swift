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

  @Option(help: "A file with the passphrase in its first line.")
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
    do throws(BundleOpenError) {
      verdict = try BundleCheck.verify(path: bundle, key: try key(), trust: trust)
    } catch {
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

  private func key() throws(BundleOpenError) -> BundleKey {
    if let sealPassphraseFile {
      return .passphrase(try secret(sealPassphraseFile, firstLineOnly: true))
    }
    if let identity { return .identities(try secret(identity, firstLineOnly: false)) }
    if Terminal.isThere, try needsPassphrase() {
      return .passphrase(try Terminal.askPassphrase("Passphrase of the bundle: "))
    }
    return .none
  }

  /// Asks only where an answer helps: the bundle's first stanza is for a passphrase.
  private func needsPassphrase() throws(BundleOpenError) -> Bool {
    let head: [UInt8]
    do throws(SourceError) {
      let file = try FileSource(path: bundle)
      head = try file.read(at: 0, count: Int(min(file.byteCount, 64)))
    } catch { throw .unreadable }
    return head.starts(with: "age-encryption.org/v1\n-> scrypt ".utf8)
  }

  /// A small file with a secret, in guarded memory.
  private func secret(_ path: String, firstLineOnly: Bool) throws(BundleOpenError) -> LockedBytes {
    do {
      let file = try FileSource(path: path)
      guard file.byteCount <= 1 << 16 else { throw BundleOpenError.unreadable }
      var secret = try LockedBytes(capacity: Int(file.byteCount))
      for offset in 0..<file.byteCount {
        let byte = try file.read(at: offset, count: 1)[0]
        if firstLineOnly && (byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")) { break }
        try secret.append(byte)
      }
      return secret
    } catch {
      throw .unreadable
    }
  }

  private func complain(_ sentence: String) {
    let bytes = Array("cairn-verify: \(sentence)\n".utf8)
    _ = unsafe bytes.withUnsafeBytes { unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }
}
