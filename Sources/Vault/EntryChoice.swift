internal import CaseLog
internal import Cryptography
internal import GRDB
internal import VerifiableLog

/// Which entries of a case are opened to somebody.
public enum EntrySelection: Hashable, Sendable {
  /// What the survivor's devices entered, beside what was meant for fewer, and what another device entered
  /// of which nothing tells that it was not: that has to be named.
  case all
  case none
  /// These, by id or its beginning; also what other members wrote.
  case entries([String])
}

/// Finds the entries that a selection names and that can be opened to an audience.
struct EntryChoice {
  private let db: Database
  private let row: CaseRow
  private let state: CaseState
  private let slots: OpenSlots

  struct Entry {
    let ref: Int64
    let id: EntryID
    let logID: LogID
    let leaf: LeafData
  }

  struct Chosen {
    /// By (log id, sequence); without those that are open to the audience already.
    var leaves: [Entry] = []
    var alreadyOpenCount = 0
    /// Left out of `all`: meant for fewer, or perhaps.
    var keptBackCount = 0
  }

  init(_ db: Database, of row: CaseRow, in state: CaseState) {
    self.db = db
    self.row = row
    self.state = state
    slots = OpenSlots(db, of: row, in: state)
  }

  /// - Throws: `.unknownEntry`, `.ambiguousEntry`, `.differentCases`, `.entryLocked`.
  func leaves(_ selection: EntrySelection, for audience: Audience) throws -> Chosen {
    var chosen = Chosen()
    var keptBack: [Entry] = []
    switch selection {
    case .none: return chosen
    case .entries(let texts): chosen.leaves = try texts.map(entry)
    case .all: (chosen.leaves, keptBack) = try allOfSurvivor()
    }
    let open = try slots.leaves(openTo: audience)
    chosen.alreadyOpenCount = Set(chosen.leaves.map(\.ref)).count { open.contains($0) }
    chosen.keptBackCount = keptBack.count { !open.contains($0.ref) }
    var known = open
    chosen.leaves = chosen.leaves.filter { known.insert($0.ref).inserted }
    chosen.leaves.sort { ($0.logID, $0.leaf.sequence) < ($1.logID, $1.leaf.sequence) }
    return chosen
  }

  /// An entry that somebody named: whoever wrote it, as long as it counts and can be opened here.
  private func entry(_ text: String) throws -> Entry {
    let (row, found) = try EntryTable.find(db, text)
    guard row.ref == self.row.ref else { throw VaultError(.differentCases) }
    guard
      let record = try Row.fetchOne(
        db, sql: Self.select + " AND l.id = ?", arguments: [row.ref, found["id"] as Int64]),
      let entry = try counted(record)
    else { throw VaultError(.entryLocked) }
    return entry
  }

  private func allOfSurvivor() throws -> ([Entry], keptBack: [Entry]) {
    let keptBack = try KeptBack(db, of: row, in: state)
    var entries: [Entry] = []
    var kept: [Entry] = []
    let records = try Row.fetchCursor(db, sql: Self.select, arguments: [row.ref])
    while let record = try records.next() {
      guard let entry = try counted(record), state.member(entry.logID)?.role == .survivor else {
        continue
      }
      if keptBack.contains(entry.ref, in: entry.logID, clock: record.number("clock")) {
        kept.append(entry)
      } else {
        entries.append(entry)
      }
    }
    return (entries, kept)
  }

  private static let select = """
    SELECT l.id, l.entry_id, l.sequence, l.class, l.data, l.log_ref, g.log_id, e.clock, e.problem,
      e.parts
    FROM leaf l JOIN log g ON g.id = l.log_ref JOIN entry e ON e.id = l.id
    WHERE g.case_ref = ? AND l.class <> 1 AND e.problem IS NULL
    """

  /// Nil for what was set aside, erased, or breaks a rule.
  private func counted(_ record: Row) throws -> Entry? {
    let entry = Entry(
      ref: record["id"], id: try record.identifier("entry_id"),
      logID: try record.identifier("log_id"), leaf: try LeafData(parsing: record.bytes("data")))
    switch try EntryTable.standing(db, record, in: state) {
    case .open, .disputed: return entry
    case .locked, .setAside, .erased, .violation: return nil
    }
  }
}
