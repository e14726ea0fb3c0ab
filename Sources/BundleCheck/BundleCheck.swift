public import Cryptography
public import SealedBundle

/// What opens a bundle that is encrypted.
public enum BundleKey: ~Copyable {
  /// Nothing: only a bundle that is decrypted already can be checked.
  case none
  /// The passphrase that it was sealed with.
  case passphrase(LockedBytes)
  /// The content of an age identity file: keys, one a line, among comments.
  case identities(LockedBytes)
}

/// Why a bundle could not even be opened with the key at hand.
public enum BundleOpenError: Error, Hashable, Sendable {
  /// There is no such file, or it cannot be read.
  case unreadable
  /// It is encrypted, and no key was given.
  case keyNeeded
  /// It is encrypted to keys, and a passphrase was given.
  case wrongPassphrase
  /// None of the keys in the identity file opens it.
  case wrongIdentity
  /// There is no key in the identity file.
  case noIdentity
  /// There is not enough memory for what its passphrase asks for.
  case outOfMemory
}

/// Checks a bundle in a file: encrypted, armored, or decrypted already.
public enum BundleCheck {
  /// Told how many bytes were read since it was told last; answers whether to go on.
  public typealias Watch = (Int) -> Bool

  /// Opens and verifies.
  public static func verify(
    path: String, key: borrowing BundleKey, trust: BundleTrust, watch: Watch? = nil
  ) throws(BundleOpenError) -> BundleVerdict {
    try perform(Verifying(trust: trust), path: path, key: key, watch: watch)
  }

  /// Does something with a bundle once it is decrypted.
  static func perform<Task: BundleTask>(
    _ task: Task, path: String, key: borrowing BundleKey, watch: Watch?
  ) throws(BundleOpenError) -> Task.Outcome {
    switch kind(of: try head(path)) {
    case .archive:
      return task.run(try open(path, watch))
    case .other:
      return task.stopped(BundleVerdict(BundleFinding(.notABundle)))
    case .encrypted:
      return try decrypt(key, task) { () throws(BundleOpenError) in try open(path, watch) }
    case .armored:
      do throws(AgeError) { _ = try ArmorSource(try openSource(path)) } catch {
        return task.stopped(try verdict(on: error, key))
      }
      return try decrypt(key, task) { () throws(BundleOpenError) in
        let file = try open(path, watch)
        do { return try ArmorSource(file) } catch { throw .unreadable }
      }
    }
  }

  /// Whether a bundle is sealed with a passphrase, armored or not, so that it helps to ask for one.
  public static func isForPassphrase(_ path: String) throws(BundleOpenError) -> Bool {
    // Whole groups of three bytes, so that armor has just these letters for them.
    let beginning = Array("age-encryption.org/v1\n-> scryp".utf8)
    let head = try head(path)
    if head.starts(with: beginning) { return true }
    let lines = head.split(maxSplits: 1) { $0 == UInt8(ascii: "\n") }
    return kind(of: head) == .armored && lines.count == 2
      && lines[1].starts(with: Base64.encode(beginning).utf8)
  }

  private enum Kind { case archive, encrypted, armored, other }

  private static func head(_ path: String) throws(BundleOpenError) -> [UInt8] {
    let file = try open(path)
    do { return try file.read(at: 0, count: Int(min(file.byteCount, 128))) } catch {
      throw .unreadable
    }
  }

  private static func kind(of head: [UInt8]) -> Kind {
    if head.starts(with: "age-encryption.org/".utf8) { return .encrypted }
    if head.starts(with: "-----BEGIN".utf8) { return .armored }
    return head.starts(with: "PK".utf8) ? .archive : .other
  }

  private static func open(
    _ path: String, _ watch: Watch? = nil
  ) throws(BundleOpenError) -> FileSource {
    do { return try FileSource(path: path, watch: watch) } catch { throw .unreadable }
  }

  private static func openSource(_ path: String) throws(AgeError) -> FileSource {
    do { return try FileSource(path: path) } catch { throw .source(error) }
  }

  /// Tries what the key holds, each on a fresh source.
  private static func decrypt<Task: BundleTask, Source: ByteSource & ~Copyable>(
    _ key: borrowing BundleKey, _ task: Task,
    _ source: () throws(BundleOpenError) -> Source
  ) throws(BundleOpenError) -> Task.Outcome {
    switch key {
    case .none: throw .keyNeeded
    case .passphrase(let passphrase):
      let copy: LockedBytes
      do {
        copy = try passphrase.withBytes { (bytes) throws(CryptographyError) in
          try LockedBytes(copying: bytes)
        }
      } catch { throw .outOfMemory }
      let identity = AgeIdentity(passphrase: copy)
      do throws(AgeError) {
        return task.run(try AgeSource(try fresh(source), identity: identity))
      } catch {
        return task.stopped(try verdict(on: error, key))
      }
    case .identities(let file):
      var sawKey = false
      for line in lines(of: file) {
        let identity = file.withBytes { AgeIdentity($0.extracting(line)) }
        guard let identity else { continue }
        sawKey = true
        do throws(AgeError) {
          return task.run(try AgeSource(try fresh(source), identity: identity))
        } catch {
          if error != .noMatch { return task.stopped(try verdict(on: error, key)) }
        }
      }
      throw sawKey ? .wrongIdentity : .noIdentity
    }
  }

  private static func fresh<Source: ByteSource & ~Copyable>(
    _ source: () throws(BundleOpenError) -> Source
  ) throws(AgeError) -> Source {
    do { return try source() } catch { throw .source(.unreadable) }
  }

  private static func verdict(on error: AgeError, _ key: borrowing BundleKey)
    throws(BundleOpenError) -> BundleVerdict
  {
    switch error {
    case .source: throw .unreadable
    case .outOfMemory: throw .outOfMemory
    case .noMatch:
      switch key {
      case .passphrase: throw .wrongPassphrase
      default: throw .wrongIdentity
      }
    case .header: return BundleVerdict(BundleFinding(.notABundle))
    case .armor, .mac, .payload: return BundleVerdict(BundleFinding(.encryptionDamaged))
    }
  }

  /// The lines of an identity file that could be keys, as ranges: the text itself is not copied.
  private static func lines(of file: borrowing LockedBytes) -> [Range<Int>] {
    file.withBytes { bytes in
      var lines: [Range<Int>] = []
      var start = 0
      for index in 0...bytes.byteCount {
        let isEnd = index == bytes.byteCount || bytes.byte(at: index) == UInt8(ascii: "\n")
        guard isEnd else { continue }
        var end = index
        if end > start && bytes.byte(at: end - 1) == UInt8(ascii: "\r") { end -= 1 }
        if end > start && bytes.byte(at: start) != UInt8(ascii: "#") { lines.append(start..<end) }
        start = index + 1
      }
      return lines
    }
  }
}

/// What is done with a bundle once it is decrypted: a closure cannot take a source of any kind.
protocol BundleTask {
  associatedtype Outcome
  func run<Source: ByteSource & ~Copyable>(_ source: consuming Source) -> Outcome
  /// When there was nothing to run on.
  func stopped(_ verdict: BundleVerdict) -> Outcome
}

private struct Verifying: BundleTask {
  let trust: BundleTrust

  func run<Source: ByteSource & ~Copyable>(_ source: consuming Source) -> BundleVerdict {
    BundleVerifier.verify(source, trust: trust)
  }

  func stopped(_ verdict: BundleVerdict) -> BundleVerdict { verdict }
}
