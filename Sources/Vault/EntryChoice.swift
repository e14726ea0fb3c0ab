internal import CaseLog
internal import Cryptography
internal import GRDB
public import VerifiableLog

/// Which entries of a case are opened to somebody.
public enum EntrySelection: Hashable, Sendable {
  /// What the survivor's devices entered, beside what was meant for fewer, what is about something that is not
  /// opened too, and what another device entered of which nothing tells that it was not: that has to be named.
  case all
  case none
  /// These, by id or its beginning; also what other members wrote.
  case entries([String])
}

/// What was said later about entries that are shared, and whether it comes with them.
public struct SharedAlong: Hashable, Sendable {
  /// Retractions of them: these always come along.
  public let retractionCount: Int
  /// What the survivor's devices added, because that was wished; with retractions of it.
  public let additionCount: Int
  /// These would have come along if it had been wished.
  public let leftOut: [EntryID]
  /// Comes along only if it is named: what other advocates wrote, what was taken back, what was meant for
  /// fewer than the entries, and what is about something that is not shared too.
  public let keptBack: [EntryID]

  /// How many would have come along.
  public var additionsLeftOut: Int { leftOut.count }
  /// How many come along only if they are named.
  public var additionsKeptBack: Int { keptBack.count }
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
    /// Seconds since 1970 by its author's clock.
    let clock: UInt64
  }

  struct Chosen {
    /// By (log id, sequence); without those that are open to the audience already.
    var leaves: [Entry] = []
    var alreadyOpenCount = 0
    /// Left out of `all`: meant for fewer, or perhaps. Additions are told as these.
    var keptBack: [EntryID] = []
    /// Chosen by name, though they were meant for fewer, or perhaps.
    var privateOnes: [EntryID] = []
    /// Retractions that come along without being chosen.
    var retractionCount = 0
    /// What was added about the chosen entries: comes along, or would if it were wished.
    var additions: [Entry] = []
    var isWithAdditions = false
    /// Additions that come along only if they are named.
    var additionsKeptBack: [EntryID] = []

    var along: SharedAlong {
      SharedAlong(
        retractionCount: retractionCount,
        additionCount: isWithAdditions ? additions.count : 0,
        leftOut: isWithAdditions ? [] : additions.map(\.id), keptBack: additionsKeptBack)
    }
  }

  init(_ db: Database, of row: CaseRow, in state: CaseState) {
    self.db = db
    self.row = row
    self.state = state
    slots = OpenSlots(db, of: row, in: state)
  }

  /// - Parameter withAdditions: whether what the survivor's devices added about the entries comes along, too.
  /// - Throws: `.unknownEntry`, `.ambiguousEntry`, `.differentCases`, `.entryLocked`.
  func leaves(
    _ selection: EntrySelection, withAdditions: Bool, for audience: Audience
  ) throws -> Chosen {
    if selection == .none { return Chosen() }
    var named: [Entry] = []
    var keptBack: [Entry] = []
    let open = try slots.leaves(openTo: audience)
    let kept = try KeptBack(db, of: row, in: state)
    let additions = try EntryAdditions(db, of: row, in: state, choice: self, keptBack: kept)
    switch selection {
    case .none: break
    case .entries(let texts): named = try texts.map(entry)
    case .all:
      (named, keptBack) = try allOfSurvivor(by: kept)
      keptBack += additions.removeThoseAboutOthers(from: &named, open: open)
    }
    let refs = Set(named.map(\.ref))
    let later = try additions.find(about: refs, open: open)
    var chosen = Chosen()
    chosen.alreadyOpenCount = refs.count { open.contains($0) }
    chosen.isWithAdditions = withAdditions
    chosen.additions = later.additions
    chosen.additionsKeptBack = later.keptBack.map(\.id)
    var known = open
    chosen.leaves = named.filter { known.insert($0.ref).inserted }
    if case .entries = selection {
      chosen.privateOnes = privateOnes(of: chosen.leaves, by: kept)
    }
    let retractions = later.retractions.filter { known.insert($0.ref).inserted }
    chosen.retractionCount = retractions.count
    chosen.leaves += retractions + (withAdditions ? later.additions : [])
    chosen.leaves.sort { ($0.logID, $0.leaf.sequence) < ($1.logID, $1.leaf.sequence) }
    chosen.additions.sort { ($0.logID, $0.leaf.sequence) < ($1.logID, $1.leaf.sequence) }
    known.formUnion((later.additions + later.keptBack).map(\.ref))
    chosen.keptBack = keptBack.filter { !known.contains($0.ref) }.map(\.id)
    return chosen
  }

  /// Retractions of what an audience can open that it cannot open itself: one device took an entry back while
  /// another one shared it.
  func missingRetractions(for audience: Audience) throws -> Chosen {
    let open = try slots.leaves(openTo: audience)
    let standings = try EntryStandings(db, of: [CaseAuthors(db, of: row, in: state)])
    var chosen = Chosen()
    chosen.leaves = try standings.retractions(db, following: open.sorted())
      .filter { !open.contains($0) }.compactMap(entry)
    chosen.leaves.sort { ($0.logID, $0.leaf.sequence) < ($1.logID, $1.leaf.sequence) }
    chosen.retractionCount = chosen.leaves.count
    return chosen
  }

  /// An entry that somebody named: whoever wrote it, as long as it counts and can be opened here.
  private func entry(_ text: String) throws -> Entry {
    let (row, found) = try EntryTable.find(db, text)
    guard row.ref == self.row.ref else { throw VaultError(.differentCases) }
    guard let entry = try entry(found["id"] as Int64) else { throw VaultError(.entryLocked) }
    return entry
  }

  /// The entry of this leaf; nil if it does not count or cannot be opened here.
  func entry(_ ref: Int64) throws -> Entry? {
    try Row.fetchOne(db, cached: Self.select + " AND l.id = ?", arguments: [row.ref, ref])
      .flatMap(counted)
  }

  private func privateOnes(of entries: [Entry], by keptBack: KeptBack) -> [EntryID] {
    entries.filter { entry in
      state.member(entry.logID)?.role == .survivor
        && keptBack.contains(entry.ref, in: entry.logID, clock: entry.clock)
    }.map(\.id)
  }

  private func allOfSurvivor(
    by keptBack: KeptBack
  ) throws -> ([Entry], keptBack: [Entry]) {
    var entries: [Entry] = []
    var kept: [Entry] = []
    let records = try Row.fetchCursor(db, sql: Self.select, arguments: [row.ref])
    while let record = try records.next() {
      guard let entry = try counted(record), state.member(entry.logID)?.role == .survivor else {
        continue
      }
      if keptBack.contains(entry.ref, in: entry.logID, clock: entry.clock) {
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
      logID: try record.identifier("log_id"), leaf: try LeafData(parsing: record.bytes("data")),
      clock: record.number("clock"))
    switch try EntryTable.standing(db, record, in: state) {
    case .open, .disputed: return entry
    case .locked, .setAside, .erased, .violation: return nil
    }
  }
}
