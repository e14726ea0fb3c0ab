internal import Cryptography

/// When a vault was opened last, and how often somebody tried in vain since. It lies beside the vault in the
/// clear, and is a courtesy: who can write there can change it, and whatever is wrong with it keeps nobody
/// out. Layout: `Protocol/VaultFiles.md`, attempts.
public struct OpeningAttempts: Hashable, Sendable {
  /// In a row, up to now.
  public private(set) var failures: UInt32 = 0
  /// Those that nobody was told of yet (`noteAttemptsTold`).
  public private(set) var untoldFailures: UInt32 = 0
  /// Seconds since 1970; nil if there was none.
  public private(set) var lastFailure: UInt64?
  public private(set) var lastOpening: UInt64?

  public init() {}

  /// What is remembered of the vault in a folder; nothing, where that cannot be read.
  public init(ofVaultAt path: String) { self.init(in: VaultFiles(folder: path)) }

  // MARK: - Waiting

  /// So many failures in a row cost nothing: they are how people type.
  private static let free: UInt32 = 3
  private static let longestWait: UInt64 = 30

  /// When the next attempt is due, in seconds since 1970; nil while there is nothing to wait for.
  public var waitUntil: UInt64? {
    guard let lastFailure, failures >= Self.free else { return nil }
    let doublings = min(failures - Self.free, 5)
    return lastFailure &+ min(Self.longestWait, 1 << UInt64(doublings))
  }

  /// Seconds that are left of the wait. A clock that was put back ends it: it must lock nobody out.
  public func wait(at now: UInt64) -> UInt64 {
    guard let lastFailure, let waitUntil, now >= lastFailure, now < waitUntil else { return 0 }
    return waitUntil - now
  }

  // MARK: - What happens to it

  func after(failure now: UInt64) -> OpeningAttempts {
    var next = self
    next.failures = failures == .max ? .max : failures + 1
    next.untoldFailures = untoldFailures == .max ? .max : untoldFailures + 1
    next.lastFailure = now
    return next
  }

  func after(success now: UInt64) -> OpeningAttempts {
    var next = self
    next.failures = 0
    next.lastOpening = now
    return next
  }

  func afterTelling() -> OpeningAttempts {
    var next = self
    next.untoldFailures = 0
    return next
  }

  // MARK: - The file

  private static let byteCount = 40
  private static let magic = Array("cairntry".utf8)

  init(in files: VaultFiles) {
    do throws(VaultError) {
      self.init(decoding: try Folders.read(files.attempts, max: Self.byteCount))
    } catch {
      self.init()
    }
  }

  /// What is not of this layout counts as none.
  init(decoding bytes: [UInt8]) {
    guard bytes.count == Self.byteCount, Array(bytes[..<8]) == Self.magic,
      UInt32(bigEndianBytes: bytes[8..<12]) == 1
    else { return }
    failures = UInt32(bigEndianBytes: bytes[12..<16])
    untoldFailures = UInt32(bigEndianBytes: bytes[16..<20])
    let failure = UInt64(bigEndianBytes: bytes[24..<32])
    let opening = UInt64(bigEndianBytes: bytes[32..<40])
    lastFailure = failure == 0 ? nil : failure
    lastOpening = opening == 0 ? nil : opening
  }

  var bytes: [UInt8] {
    var bytes = Self.magic
    for number in [1, failures, untoldFailures, 0] { bytes.appendBigEndian(number) }
    for time in [lastFailure, lastOpening] { bytes.appendBigEndian(time ?? 0) }
    return bytes
  }

  /// Without a wait for the medium, and without a word if it cannot be done: a vault opens all the same.
  func write(in files: VaultFiles) {
    do throws(VaultError) {
      try overwrite(files.attempts)
    } catch {
      return
    }
  }

  private func overwrite(_ path: String) throws(VaultError) {
    do {
      let file = try OpenFile(continuing: path)
      let status = try file.status()
      guard status.isRegular else { return }
      if status.size <= UInt64(Self.byteCount) { return try file.write(bytes, at: 0) }
    }
    try Folders.removeFile(path)
    try OpenFile(creating: path).write(bytes)
  }
}
