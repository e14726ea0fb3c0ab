internal import Cryptography
internal import Sync
internal import VerifiableLog

/// The name of a device's subfolder: `<tag>-<log id>`.
struct DeviceFolderName: Hashable {
  /// The first characters of the mailbox tag.
  let tag: String
  let logID: LogID

  static let tagLength = 16

  init(_ tag: MailboxTag, _ logID: LogID) {
    self.tag = String(Base32.encode(tag.bytes).prefix(DeviceFolderName.tagLength))
    self.logID = logID
  }

  /// The name in `text`; nil for everything else, which is ignored.
  init?(_ text: String) {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 2, parts[0].utf8.count == DeviceFolderName.tagLength,
      parts[0].utf8.allSatisfy(\.isBase32), let log = Bytes32(base32: parts[1])
    else { return nil }
    tag = String(parts[0])
    logID = LogID(log)
  }

  var text: String { tag + "-" + Base32.encode(logID.bytes) }
}

/// The name of a file in a device's subfolder.
enum FileName: Hashable {
  case head
  /// Entries first ≤ s < end of a log.
  case range(LogID, Range<UInt64>)
  case share(EntryID)
  case blob(BlobRoot)

  private static let digits = 10

  /// The name in `text`; nil for everything else, which is ignored. There is one spelling of each name.
  init?(_ text: String) {
    if text == "head" {
      self = .head
      return
    }
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count >= 2, let id = Bytes32(base32: parts[1]) else { return nil }
    switch (parts[0], parts.count) {
    case ("r", 4):
      guard let first = FileName.number(parts[2]), let end = FileName.number(parts[3]), first < end
      else { return nil }
      self = .range(LogID(id), first..<end)
    case ("s", 2): self = .share(EntryID(id))
    case ("b", 2): self = .blob(BlobRoot(id))
    default: return nil
    }
  }

  var text: String {
    switch self {
    case .head: "head"
    case .range(let log, let run):
      "r-\(Base32.encode(log.bytes))-\(FileName.text(run.lowerBound))-\(FileName.text(run.upperBound))"
    case .share(let id): "s-" + Base32.encode(id.bytes)
    case .blob(let root): "b-" + Base32.encode(root.bytes)
    }
  }

  /// The name while the file is being written: no reader looks at it.
  var temporaryText: String { "." + text }

  /// What the file is, for a finding.
  var item: MailboxItem {
    switch self {
    case .head: .head
    case .range(let log, _): .range(log)
    case .share(let id): .share(id)
    case .blob(let root): .blob(root)
    }
  }

  private static func number(_ text: Substring) -> UInt64? {
    guard text.utf8.count == digits, text.utf8.allSatisfy({ (48...57).contains($0) }) else {
      return nil
    }
    return UInt64(text)
  }

  private static func text(_ number: UInt64) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
  }
}

extension FileName: Comparable {
  /// Logs together, entries in order, of the same beginning the longest first.
  static func < (left: FileName, right: FileName) -> Bool {
    switch (left, right) {
    case (.range(let log, let run), .range(let other, let otherRun)):
      (log, run.lowerBound, otherRun.upperBound) < (other, otherRun.lowerBound, run.upperBound)
    default: left.text < right.text
    }
  }
}

extension UInt8 {
  fileprivate var isBase32: Bool { (97...122).contains(self) || (50...55).contains(self) }
}

extension Bytes32 {
  /// The 32 bytes that 52 characters of base32 stand for; nil for any other text.
  fileprivate init?(base32 text: Substring) {
    guard text.utf8.count == 52 else { return nil }
    do throws(TextCodingError) { self.init(try Base32.decode(String(text))) } catch { return nil }
  }
}
