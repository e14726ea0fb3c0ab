internal import CaseLog
internal import Cryptography
internal import Foundation
internal import GRDB
public import VerifiableLog

/// In which way an entry is private.
public enum KeptPrivate: Hashable, Sendable {
  /// Nobody but the survivor's own devices can open it.
  case ownDevices
  /// Others can whom she chose for it.
  case fewer
  /// Another device entered it, and nothing tells that it was meant for all.
  case perhaps
}

extension OpenVault {
  /// Which of these entries were meant for fewer than all who read the case, or may have been: not what
  /// was only not shared with anybody yet. None on an advocate's copy.
  public func privateEntries(
    among entries: [EntryID]
  ) throws(VaultError) -> [EntryID: KeptPrivate] {
    try read { db in
      var result: [EntryID: KeptPrivate] = [:]
      for start in stride(from: 0, to: entries.count, by: 500) {
        let chunk = entries[start..<min(start + 500, entries.count)]
        result.merge(try KeptBack.privateEntries(db, among: chunk.map(\.bytes.data))) { $1 }
      }
      return result
    }
  }
}

/// Entries of the survivor's devices that were meant for fewer than all with whom the case was shared.
///
/// Of what it enters itself a device remembers it, whatever keys it takes later. Other devices, and this
/// one's older keys where their tail came from a mailbox, leave no word of it here: what they entered is kept
/// back if no advocate could ever open it, or if somebody who was a reader then cannot. What was meant for the
/// only reader of that time cannot be told there from what was for all.
struct KeptBack {
  private struct Reader {
    let leaves: Set<Int64>
    let since: UInt64
    let end: UInt64
  }
  private let db: Database
  private let row: CaseRow
  private let state: CaseState
  private let marked: Set<Int64>
  /// Of these, what was said to be for fewer, and is not so merely by what it is about.
  private let byWord: Set<Int64>
  /// What any advocate can open or could, those who are gone too.
  private var everOpened: Set<Int64> = []
  private var readers: [Reader] = []
  private let hasReaders: Bool

  /// - Parameter refs: the only entries that will be asked about; nil for any.
  init(
    _ db: Database, of row: CaseRow, in state: CaseState, among refs: [Int64]? = nil
  ) throws {
    self.db = db
    self.row = row
    self.state = state
    let slots = OpenSlots(db, of: row, in: state)
    let marks = try Row.fetchAll(
      db,
      cached: """
        SELECT k.leaf_ref, k.by_word FROM kept_back k JOIN leaf l ON l.id = k.leaf_ref
        JOIN log g ON g.id = l.log_ref WHERE g.case_ref = ?
        """, arguments: [row.ref])
    marked = Set(marks.map { $0["leaf_ref"] })
    byWord = Set(marks.filter { $0["by_word"] }.map { $0["leaf_ref"] })
    let advocates = state.members.filter { $0.role == .advocate }
    hasReaders = !advocates.isEmpty
    for first in Set(advocates.map(\.firstLogID)) {
      everOpened.formUnion(try slots.leaves(openTo: .advocate(first), among: refs))
    }
    for member in advocates {
      guard case .entry(let id) = member.origin,
        let since = try Self.clock(db, of: id)
      else { continue }
      let cut = try member.cut.map { try Self.firstCut(db, of: member, by: $0.authors, row) }
      readers.append(
        Reader(
          leaves: try slots.leaves(openTo: .advocate(member.logID), among: refs), since: since,
          end: min(member.until ?? .max, (cut ?? nil) ?? .max)))
    }
  }

  /// Whether an entry of a survivor's device was meant for fewer, or may have been.
  func contains(_ ref: Int64, in log: LogID, clock: UInt64) -> Bool {
    if marked.contains(ref) { return true }
    if log == row.logID { return false }
    return !everOpened.contains(ref)
      || readers.contains { reader in
        clock > reader.since && clock < reader.end && !reader.leaves.contains(ref)
      }
  }

  /// Whether what is about other entries was meant for fewer than these, or may have been.
  func contains(_ ref: Int64, in log: LogID, clock: UInt64, asAbout targets: [Int64]) -> Bool {
    if byWord.contains(ref) { return true }
    if log == row.logID { return false }
    return !everOpened.contains(ref)
      || readers.contains { reader in
        let isAble = targets.allSatisfy(reader.leaves.contains)
        if reader.leaves.contains(ref) { return !isAble }
        return isAble && clock > reader.since && clock < reader.end
      }
  }

  /// Whether this entry of the case is one of them; false for one that is not known here.
  func contains(_ entry: EntryID) throws -> Bool {
    guard
      let record = try Row.fetchOne(
        db,
        cached: """
          SELECT l.id, g.log_id, e.clock FROM leaf l JOIN log g ON g.id = l.log_ref
          JOIN entry e ON e.id = l.id WHERE g.case_ref = ? AND l.class <> 1 AND l.entry_id = ?
          """, arguments: [row.ref, entry.bytes.data])
    else { return false }
    return try contains(record)
  }

  /// As `OpenVault.privateEntries`.
  fileprivate static func privateEntries(
    _ db: Database, among ids: [Data]
  ) throws -> [EntryID: KeptPrivate] {
    let devices = Audience.devices.encoded.data
    // Without a mark nothing of this device's own log is private: then no case has to be evaluated.
    let sql: SQL = """
      SELECT l.id, l.entry_id, g.case_ref, g.log_id, e.clock, k.leaf_ref IS NOT NULL AS is_marked,
        EXISTS (SELECT 1 FROM slot s JOIN epoch p ON p.epoch = s.epoch AND p.case_ref = c.id
          WHERE s.leaf_ref = l.id AND s.is_valid = 1 AND p.audience <> \(devices)) AS is_opened
      FROM leaf l JOIN log g ON g.id = l.log_ref
      JOIN vault_case c ON c.id = g.case_ref AND c.role = \(Role.survivor.rawValue)
      JOIN entry e ON e.id = l.id AND e.parts IS NOT NULL
      LEFT JOIN kept_back k ON k.leaf_ref = l.id
      WHERE l.class <> 1 AND l.entry_id IN \(ids) AND (k.leaf_ref IS NOT NULL OR g.log_id <> c.log_id)
      """
    var result: [EntryID: KeptPrivate] = [:]
    var others: [Int64: [Row]] = [:]
    for record in try SQLRequest<Row>(literal: sql).fetchAll(db) {
      if record["is_marked"] {
        result[try record.identifier("entry_id")] = record["is_opened"] ? .fewer : .ownDevices
      } else {
        others[record["case_ref"], default: []].append(record)
      }
    }
    for (ref, records) in others {
      let row = try CaseRow.of(db, ref)
      let keptBack = try KeptBack(
        db, of: row, in: try CaseView.state(db, of: row), among: records.map { $0["id"] })
      for record in records where try keptBack.contains(record) {
        result[try record.identifier("entry_id")] = .perhaps
      }
    }
    return result
  }

  /// Remembers that an entry of this device is meant for fewer.
  ///
  /// - Parameter byWord: whether its author said so.
  static func mark(_ db: Database, _ ref: Int64, byWord: Bool) throws {
    try db.execute(
      cached: "INSERT OR IGNORE INTO kept_back(leaf_ref, by_word) VALUES (?, ?)",
      arguments: [ref, byWord])
  }

  /// How many of these places in a log hold one of these entries.
  func privateCount(of sequences: [UInt64], in log: LogID) throws -> Int {
    let wanted = Set(sequences)
    return try Row.fetchAll(
      db, cached: EntryTable.select + " WHERE g.case_ref = ? AND g.log_id = ? AND l.class <> 1",
      arguments: [row.ref, log.bytes.data]
    ).count { record in
      try wanted.contains(record.number("sequence")) && contains(record)
    }
  }

  /// All of these entries that are in view.
  func privateEntries() throws -> Set<EntryID> {
    let rows = try Row.fetchAll(
      db,
      cached: EntryTable.select + " WHERE g.case_ref = ? AND l.class <> 1 AND e.parts IS NOT NULL",
      arguments: [row.ref])
    var found: Set<EntryID> = []
    for record in rows where try contains(record) {
      switch try EntryTable.standing(db, record, in: state) {
      case .open, .disputed: found.insert(try record.identifier("entry_id"))
      default: break
      }
    }
    return found
  }

  /// Whether a row with these columns of an entry is one of them. Of a case that nobody else ever read, only if
  /// that is known: else all that another device of hers entered would be taken for private.
  private func contains(_ record: Row) throws -> Bool {
    let log: LogID = try record.identifier("log_id")
    guard state.member(log)?.role == .survivor, record.hasValue("clock"),
      hasReaders || marked.contains(record["id"])
    else { return false }
    return contains(record["id"], in: log, clock: record.number("clock"))
  }

  private static func clock(_ db: Database, of entry: EntryID) throws -> UInt64? {
    try Row.fetchOne(
      db, cached: "SELECT e.clock FROM entry e JOIN leaf l ON l.id = e.id WHERE l.entry_id = ?",
      arguments: [entry.bytes.data]
    ).map { $0.number("clock") }
  }

  private static func firstCut(
    _ db: Database, of member: CaseState.Member, by authors: [LogID], _ row: CaseRow
  ) throws -> UInt64? {
    let cuts = try Row.fetchAll(
      db,
      cached: """
        SELECT e.clock, e.parts, g.log_id FROM entry e JOIN leaf l ON l.id = e.id
        JOIN log g ON g.id = l.log_ref
        WHERE g.case_ref = ? AND l.class = 1 AND e.kind = ? AND e.problem IS NULL
        """, arguments: [row.ref, Int64(EntryKind.cut.code)])
    var first: UInt64?
    for cut in cuts where authors.contains(try cut.identifier("log_id")) {
      guard
        case .success(.cut(let what)) = CaseView.decode(
          kind: .cut, parts: try PartList.decode(cut.bytes("parts"))),
        what.position.logID == member.logID
      else { continue }
      first = min(first ?? .max, cut.number("clock"))
    }
    return first
  }
}
