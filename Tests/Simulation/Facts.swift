import CaseLog
import VerifiableLog

/// Something that was signed: a log as it was after one act of whoever holds its key.
final class Head {
  let position: LogPosition
  let parent: Head?
  /// Who did it.
  let device: String
  let acts: [Act]
  private(set) var childCount = 0

  init(_ position: LogPosition, after parent: Head?, by device: String, acts: [Act]) {
    self.position = position
    self.parent = parent
    self.device = device
    self.acts = acts
    parent?.childCount += 1
  }

  /// Where what it added begins.
  var start: UInt64 { parent?.position.size ?? 0 }

  /// Itself and all before it in its history.
  var history: [Head] {
    var heads = [self]
    while let parent = heads.last?.parent { heads.append(parent) }
    return heads
  }

  func follows(_ other: Head) -> Bool {
    var head: Head? = self
    while let one = head {
      if one === other { return true }
      head = one.position.size > other.position.size ? one.parent : nil
    }
    return false
  }
}

/// What was done, as far as others are to notice.
enum Act {
  case entry(EntryID)
  /// An entry that its author's role may not write.
  case violation(EntryID)
  case admission(LogID)
  case cut(LogPosition)
  case erasure([EntryID])
  case keeping(EntryID)
  case sharing([EntryID], with: LogID)
}

/// An entry that a device said was saved.
struct Entry {
  let id: EntryID
  let log: LogID
  let head: Head
  let words: String
  let author: Role
  /// First logs of the advocates who can open it from the beginning.
  let readers: Set<LogID>
  let isViolation: Bool
}

/// What whoever holds the root said.
enum Statement {
  case decision(stays: LogID, cut: [(log: LogID, size: UInt64)])
  /// Whoever took somebody back lifted all cuts of hers that were known there.
  case lift(LogID)
  case keep(EntryID)
}

/// A statement of the root, and how far it got from the device where it was made.
struct Saying {
  enum Way { case kept, perhapsOut, out }
  let statement: Statement
  let device: String
  var way = Way.kept
}

/// All that happened, whoever knows of it: what copies have to agree with in the end.
struct Facts {
  /// The first device's.
  var founder: LogID?
  /// Logs of devices whose files a mailbox once showed garbled to somebody.
  var garbled: Set<LogID> = []
  private(set) var heads: [LogID: [Head]] = [:]
  private(set) var entries: [Entry] = []
  private(set) var sayings: [Saying] = []
  /// A statement that may have got out was lost with the only copy that was sure to have it: what it decided is
  /// not judged any more.
  private(set) var isUnsure = false
  /// Devices that the root admitted.
  var rootAdmitted: [LogID] = []
  /// New keys, by the log of the old ones; in order.
  private(set) var successions: [(old: LogID, new: LogID, device: String)] = []
  /// Of each log, who holds or held its key.
  private(set) var holders: [LogID: [String]] = [:]
  /// Names of logs that say whose they are.
  private(set) var names: [LogID: String] = [:]

  mutating func addLog(_ log: LogID, of device: Device) {
    guard names[log] == nil else { return }
    let count = names.values.count { $0.hasPrefix(device.name + "/") }
    names[log] = "\(device.name)/\(count + 1)"
    holders[log, default: []].append(device.name)
  }

  mutating func addHolder(_ device: Device, of log: LogID) {
    holders[log, default: []].append(device.name)
  }

  mutating func succeed(_ old: LogID, by new: LogID, on device: Device) {
    successions.append((old, new, device.name))
    addLog(new, of: device)
  }

  mutating func add(_ head: Head, _ saved: [Entry]) {
    heads[head.position.logID, default: []].append(head)
    entries += saved
  }

  var statements: [Statement] { sayings.map(\.statement) }

  mutating func say(_ statements: [Statement], on device: Device) {
    sayings += statements.map { Saying(statement: $0, device: device.name) }
  }

  func sayingCount(of device: Device) -> Int { sayings.count { $0.device == device.name } }

  /// A device met others.
  mutating func handOut(from device: Device, isSure: Bool) {
    for index in sayings.indices where sayings[index].device == device.name {
      if sayings[index].way != .out { sayings[index].way = isSure ? .out : .perhapsOut }
    }
  }

  /// A device is somebody else's now: what was said there may get out or not.
  mutating func lose(_ device: Device) {
    if sayings.contains(where: { $0.device == device.name && $0.way != .out }) { isUnsure = true }
  }

  /// A device was put back to where it had said so many: what it said since is lost unless it got out.
  mutating func forget(from device: Device, after count: Int) {
    let own = sayings.indices.filter { sayings[$0].device == device.name }
    for index in own.dropFirst(count).reversed() where sayings[index].way != .out {
      if sayings[index].way == .perhapsOut { isUnsure = true }
      sayings.remove(at: index)
    }
  }

  func name(_ log: LogID) -> String { names[log] ?? "unknown" }

  /// Heads of a log that are larger, the least first.
  func heads(beyond position: LogPosition) -> [Head] {
    (heads[position.logID] ?? []).filter { $0.position.size > position.size }
      .sorted { $0.position.size < $1.position.size }
  }

  func head(at position: LogPosition) -> Head? {
    heads[position.logID]?.first { $0.position == position }
  }

  func entry(_ id: EntryID) -> Entry? { entries.first { $0.id == id } }

  /// Logs of which two histories were signed.
  var forked: Set<LogID> {
    Set(
      heads.filter { _, heads in
        heads.contains { $0.childCount > 1 } || heads.count { $0.parent == nil } > 1
      }.keys)
  }

  /// Whoever was admitted, whether she ever came or not.
  var admitted: Set<LogID> {
    Set(
      heads.values.joined().flatMap(\.acts).compactMap {
        if case .admission(let member) = $0 { member } else { nil }
      })
  }

  /// A log, and those of older keys of its device.
  func lineage(of log: LogID) -> [LogID] {
    var line = [log]
    while let old = successions.first(where: { $0.new == line.last })?.old { line.append(old) }
    return line
  }

  func first(of log: LogID) -> LogID { lineage(of: log).last ?? log }
}
