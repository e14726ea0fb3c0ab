internal import CaseLog
internal import Cryptography
internal import Foundation
internal import GRDB
public import VerifiableLog

extension OpenVault {
  /// Which of these entries nobody but the survivor's own devices can open, as far as this copy can tell,
  /// where that says something: not of what is private only because a case was never shared. None on an
  /// advocate's copy.
  public func privateEntries(
    among entries: [EntryID]
  ) throws(VaultError) -> Set<EntryID> {
    try read { db in
      var result: Set<EntryID> = []
      for start in stride(from: 0, to: entries.count, by: 500) {
        let chunk = entries[start..<min(start + 500, entries.count)]
        for row in try KeptBack.privateEntries(db, among: chunk.map(\.bytes.data)) {
          result.insert(try row.identifier("entry_id"))
        }
      }
      return result
    }
  }
}

/// Entries of the survivor's devices that were meant for fewer than all with whom the case was shared.
///
/// Of what it enters itself a device remembers it, whatever keys it takes later. Other devices, and this
/// one's older keys where their tail came from a mailbox, leave no word of it here: what they entered is kept
/// back if no advocate could ever open it, or if somebody who was a reader then cannot. Where that errs, an
/// entry stays private until it is named.
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
  private let hasAdvocates: Bool
  private var readers: [Reader] = []

  init(_ db: Database, of row: CaseRow, in state: CaseState) throws {
    self.db = db
    self.row = row
    self.state = state
    let slots = OpenSlots(db, of: row, in: state)
    let marks = try Row.fetchAll(
      db,
      sql: """
        SELECT k.leaf_ref, k.by_word FROM kept_back k JOIN leaf l ON l.id = k.leaf_ref
        JOIN log g ON g.id = l.log_ref WHERE g.case_ref = ?
        """, arguments: [row.ref])
    marked = Set(marks.map { $0["leaf_ref"] })
    byWord = Set(marks.filter { $0["by_word"] }.map { $0["leaf_ref"] })
    let advocates = state.members.filter { $0.role == .advocate }
    hasAdvocates = !advocates.isEmpty
    for first in Set(advocates.map(\.firstLogID)) {
      everOpened.formUnion(try slots.leaves(openTo: .advocate(first)))
    }
    for member in advocates {
      guard case .entry(let id) = member.origin,
        let since = try Self.clock(db, of: id)
      else { continue }
      let cut = try member.cut.map { try Self.firstCut(db, of: member, by: $0.authors, row) }
      readers.append(
        Reader(
          leaves: try slots.leaves(openTo: .advocate(member.logID)), since: since,
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
        sql: """
          SELECT l.id, g.log_id, e.clock FROM leaf l JOIN log g ON g.id = l.log_ref
          JOIN entry e ON e.id = l.id WHERE g.case_ref = ? AND l.class <> 1 AND l.entry_id = ?
          """, arguments: [row.ref, entry.bytes.data])
    else { return false }
    let log: LogID = try record.identifier("log_id")
    guard state.member(log)?.role == .survivor else { return false }
    return contains(record["id"], in: log, clock: record.number("clock"))
  }

  /// As `OpenVault.privateEntries`, by what each row tells: the case need not be evaluated for it.
  fileprivate static func privateEntries(_ db: Database, among ids: [Data]) throws -> [Row] {
    let devices = Audience.devices.encoded.data
    let everyone = Audience.everyone.encoded.data
    let sql: SQL = """
      SELECT l.entry_id FROM leaf l JOIN log g ON g.id = l.log_ref
      JOIN vault_case c ON c.id = g.case_ref AND c.role = \(Role.survivor.rawValue)
      JOIN entry e ON e.id = l.id AND e.parts IS NOT NULL
      WHERE l.class <> 1 AND l.entry_id IN \(ids)
        AND NOT EXISTS (SELECT 1 FROM slot s JOIN epoch p ON p.epoch = s.epoch AND p.case_ref = c.id
          WHERE s.leaf_ref = l.id AND s.is_valid = 1 AND p.audience <> \(devices))
        AND (EXISTS (SELECT 1 FROM kept_back k WHERE k.leaf_ref = l.id)
          OR EXISTS (SELECT 1 FROM epoch p WHERE p.case_ref = c.id
            AND p.audience NOT IN (\(devices), \(everyone))))
      """
    return try SQLRequest<Row>(literal: sql).fetchAll(db)
  }

  /// Remembers that an entry of this device is meant for fewer.
  ///
  /// - Parameter byWord: whether its author said so.
  static func mark(_ db: Database, _ ref: Int64, byWord: Bool) throws {
    try db.execute(
      sql: "INSERT OR IGNORE INTO kept_back(leaf_ref, by_word) VALUES (?, ?)",
      arguments: [ref, byWord])
  }

  /// How many of these places in the log of a survivor's device hold content that was kept from everybody
  /// with whom the case is or was shared, or was meant for fewer.
  func privateCount(of sequences: [UInt64], in log: LogID) throws -> Int {
    guard state.member(log)?.role == .survivor else { return 0 }
    let wanted = Set(sequences)
    return try Row.fetchAll(
      db,
      sql: """
        SELECT l.id, l.sequence FROM leaf l JOIN log g ON g.id = l.log_ref
        WHERE g.case_ref = ? AND g.log_id = ? AND l.class <> 1
        """, arguments: [row.ref, log.bytes.data]
    ).count { record in
      let ref: Int64 = record["id"]
      return wanted.contains(record.number("sequence"))
        && isPrivate(ref)
    }
  }

  private func isPrivate(_ ref: Int64) -> Bool {
    marked.contains(ref) || hasAdvocates && !everOpened.contains(ref)
  }

  /// All of these entries that are in view, by the same rule as `privateCount`.
  func privateEntries() throws -> Set<EntryID> {
    let rows = try Row.fetchAll(
      db, sql: EntryTable.select + " WHERE g.case_ref = ? AND l.class <> 1 AND e.parts IS NOT NULL",
      arguments: [row.ref])
    var found: Set<EntryID> = []
    for record in rows where isPrivate(record["id"]) {
      guard state.member(try record.identifier("log_id"))?.role == .survivor else { continue }
      switch try EntryTable.standing(db, record, in: state) {
      case .open, .disputed: found.insert(try record.identifier("entry_id"))
      default: break
      }
    }
    return found
  }

  private static func clock(_ db: Database, of entry: EntryID) throws -> UInt64? {
    try Row.fetchOne(
      db, sql: "SELECT e.clock FROM entry e JOIN leaf l ON l.id = e.id WHERE l.entry_id = ?",
      arguments: [entry.bytes.data]
    ).map { $0.number("clock") }
  }

  private static func firstCut(
    _ db: Database, of member: CaseState.Member, by authors: [LogID], _ row: CaseRow
  ) throws -> UInt64? {
    let cuts = try Row.fetchAll(
      db,
      sql: """
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
