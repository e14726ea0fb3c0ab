internal import Cryptography

/// The pages of a vault's database, each opened by itself, from its file and from the log beside it
/// (`Protocol/VaultFiles.md`): what one page cannot tell does not keep the next one from being read. Nothing is
/// written, and SQLite is not asked.
final class SalvagedPages {
  /// Where a copy of a page stands.
  enum Copy: Hashable {
    case file
    /// In the log, by number.
    case frame(UInt32)
  }

  struct Page {
    let bytes: [UInt8]
    let copy: Copy
    /// A newer copy is known to have been there and does not open.
    let isOld: Bool
  }

  static let pageByteCount = 4096
  private static let logHeaderByteCount: UInt64 = 72
  private static let frameHeaderByteCount = 64
  private static let frameByteCount: UInt64 = 4160
  /// SQLite never writes the page that holds the byte at 1 GiB.
  private static let lockPage = UInt32(0x4000_0000 / pageByteCount + 1)

  private let key: SecretKey
  private let vaultID: [UInt8]
  private let file: SharedFile?
  private let log: SharedFile?
  /// The largest number of a page or frame: what a file has room for beyond it is no database's.
  private static let largestNumber = UInt32.max - 1
  /// So many frames in a row of which nothing opens are none: whatever is there, SQLite did not write it. 256 MiB.
  private static let emptyFrameCount: UInt32 = 65_536
  /// Whole pages that the file has room for.
  let filePageCount: UInt32
  /// Frames that the log has room for.
  let logFrameCount: UInt32
  /// As `readLog` found them.
  private(set) var frames = LogFrames()

  /// An open file with more than one user.
  private final class SharedFile {
    let file: OpenFile
    init(_ file: consuming OpenFile) { self.file = file }
  }

  /// What the log's frame headers tell.
  struct LogFrames {
    /// Headers that do not open: how many, and the last of them.
    var damagedHeaders = 0
    var lastDamaged: UInt32 = 0
    /// There is a log, and it cannot be read at all.
    var isUnreadable = false
    /// Newest first: of what was committed, and of what an earlier use of the log left behind it.
    var committed: [UInt32: [UInt32]] = [:]
    var leftOver: [UInt32: [UInt32]] = [:]
  }

  /// - Throws: only for what cannot be read for another reason than damage.
  init(files: VaultFiles, key: borrowing SecretKey, vaultID: [UInt8]) throws(VaultError) {
    self.key = key.copy()
    self.vaultID = vaultID
    file = try Self.open(files.database)
    let size = try file?.file.status().size ?? 0
    filePageCount = min(
      Self.largestNumber, UInt32(clamping: size / UInt64(Self.pageByteCount)))
    var log: SharedFile?
    var isUnreadable = false
    do throws(VaultError) {
      log = try Self.open(files.databaseLog)
      isUnreadable = log == nil && Folders.isThere(files.databaseLog)
    } catch {
      // A link, or not to be read: what the file of the database has comes out all the same.
      isUnreadable = true
    }
    frames.isUnreadable = isUnreadable
    let logSize = try log?.file.status().size ?? 0
    logFrameCount =
      logSize > Self.logHeaderByteCount
      ? min(
        Self.largestNumber,
        UInt32(clamping: (logSize - Self.logHeaderByteCount - 1) / Self.frameByteCount + 1)) : 0
    self.log = log
  }

  /// How many bytes file and log have.
  var size: UInt64 {
    UInt64(filePageCount) * UInt64(Self.pageByteCount) + UInt64(logFrameCount) * Self.frameByteCount
  }

  /// Nil for a file that is missing or cannot be opened.
  private static func open(_ path: String) throws(VaultError) -> SharedFile? {
    do throws(VaultError) {
      let file = try OpenFile(reading: path, followingLinks: false)
      return try file.status().isRegular ? SharedFile(file) : nil
    } catch {
      guard [.fileMissing, .notAFile, .inputOutput].contains(error.code) else { throw error }
      return nil
    }
  }

  var hasFile: Bool { file != nil }

  /// How many pages there are of which there is or was a copy.
  var count: Int {
    Int(filePageCount) - (filePageCount >= Self.lockPage ? 1 : 0) + beyondFile.count
  }

  /// Pages that only the log has.
  private var beyondFile: [UInt32] {
    Set(frames.committed.keys).union(frames.leftOver.keys)
      .filter { $0 > filePageCount }.sorted()
  }

  /// Each page of which there is or was a copy, by its number.
  func forEachNumber(
    _ body: (UInt32) throws(VaultError) -> Void
  ) throws(VaultError) {
    for number in 1..<filePageCount + 1 where number != Self.lockPage { try body(number) }
    for number in beyondFile { try body(number) }
  }

  /// The newest copy of a page that opens.
  func page(_ number: UInt32) -> Page? {
    var copies = (frames.committed[number] ?? []).map { Copy.frame($0) }
    if number <= filePageCount { copies.append(.file) }
    copies += (frames.leftOver[number] ?? []).map { .frame($0) }
    for (index, copy) in copies.enumerated() {
      if let bytes = bytes(of: copy, number) {
        return Page(bytes: bytes, copy: copy, isOld: index > 0)
      }
    }
    return nil
  }

  /// The newest copy of a page, or none: an older one may be of other rows by now.
  func newest(_ number: UInt32) -> [UInt8]? {
    guard let page = page(number), !page.isOld else { return nil }
    return page.bytes
  }

  func bytes(of copy: Copy, _ number: UInt32) -> [UInt8]? {
    switch copy {
    case .file:
      guard let file else { return nil }
      return Self.unit(
        in: file.file, at: UInt64(number - 1) * UInt64(Self.pageByteCount), kind: 1, number: number,
        byteCount: SQLitePage.usableByteCount, key: key, vaultID: vaultID)
    case .frame(let frame):
      guard let log else { return nil }
      return Self.unit(
        in: log.file, at: Self.position(of: frame) + UInt64(Self.frameHeaderByteCount), kind: 4,
        number: frame, byteCount: SQLitePage.usableByteCount, key: key, vaultID: vaultID)
    }
  }

  // MARK: - Units

  private static func position(of frame: UInt32) -> UInt64 {
    logHeaderByteCount + UInt64(frame - 1) * frameByteCount
  }

  /// One sealed unit; nil if it does not open, for whatever reason.
  private static func unit(
    in file: borrowing OpenFile, at position: UInt64, kind: UInt8, number: UInt32, byteCount: Int,
    key: borrowing SecretKey, vaultID: [UInt8]
  ) -> [UInt8]? {
    do {
      let sealed = try file.read(at: position, count: byteCount + 40)
      guard sealed.count == byteCount + 40,
        let nonce = Nonce24(Array(sealed[byteCount...].prefix(24)))
      else { return nil }
      return try AEAD.open(
        Array(sealed[..<byteCount] + sealed[(byteCount + 24)...]), key: key, nonce: nonce,
        associatedData: vaultID + [kind] + number.bigEndianBytes)
    } catch {
      // Not to be read, or not authentic: for salvage that is the same.
      return nil
    }
  }

  // MARK: - The log

  private struct FrameHeader {
    let number: UInt32
    let page: UInt32
    /// Other than 0 in the last frame of a commit.
    let commitSize: UInt32
    let salts: ArraySlice<UInt8>
  }

  /// Looks through the log, before any page is asked for. Frames of one use of it carry its salts; behind them lie
  /// those of earlier uses, which the file of the database has had for long. Behind the last commit lies what was not
  /// saved.
  func readLog(_ onBytes: (Int) throws(VaultError) -> Void) throws(VaultError) {
    guard let log else { return }
    let headers = try frameHeaders(of: log.file, onBytes)
    let header = Self.unit(
      in: log.file, at: 0, kind: 2, number: 0, byteCount: 32, key: key, vaultID: vaultID)
    let salts = header.map { $0[16..<24] } ?? headers.first?.salts ?? []
    let current = headers.filter { $0.salts == salts }
    let lastCommit = current.last { $0.commitSize > 0 }?.number ?? 0
    // One that does not open may have been a commit.
    let end = max(lastCommit, frames.lastDamaged)
    for frame in headers.reversed() where frame.page > 0 {
      if frame.salts != salts {
        frames.leftOver[frame.page, default: []].append(frame.number)
      } else if frame.number <= end {
        frames.committed[frame.page, default: []].append(frame.number)
      }
    }
  }

  private func frameHeaders(
    of log: borrowing OpenFile, _ onBytes: (Int) throws(VaultError) -> Void
  ) throws(VaultError) -> [FrameHeader] {
    var headers: [FrameHeader] = []
    for number in 1..<logFrameCount + 1 {
      try onBytes(Int(Self.frameByteCount))
      guard
        let bytes = Self.unit(
          in: log, at: Self.position(of: number), kind: 3, number: number, byteCount: 24, key: key,
          vaultID: vaultID)
      else {
        frames.damagedHeaders += 1
        frames.lastDamaged = number
        if number - (headers.last?.number ?? 0) >= Self.emptyFrameCount {
          frames.damagedHeaders += Int(logFrameCount - number)
          break
        }
        continue
      }
      headers.append(
        FrameHeader(
          number: number, page: SQLitePage.uint32(bytes, 0),
          commitSize: SQLitePage.uint32(bytes, 4),
          salts: bytes[8..<16]))
    }
    return headers
  }
}
