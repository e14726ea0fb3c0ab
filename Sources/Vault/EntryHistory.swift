public import CaseLog
internal import Cryptography
internal import GRDB
public import VerifiableLog

/// An entry with all that was said about it later, and who was shown it when.
public struct EntryHistory: Sendable {
  public struct Item: Sendable {
    public let detail: EntryDetail
    /// The retraction by which it is taken back; nil while it stands.
    public let takenBackBy: EntryID?
    public let shown: [Showing]

    public var summary: EntrySummary { detail.summary }
  }

  /// That an entry was opened to somebody. On the copy of a member this is what she can check: slots of
  /// others are known only to whoever made them, shares to everybody.
  public struct Showing: Hashable, Sendable {
    public let audience: Audience
    /// By the clock of the device that did it.
    public let time: UInt64?
    /// The control entry that opened it later; nil for one to whom it was open from the beginning.
    public let share: EntryID?
  }

  public let entry: Item
  /// What is about it, or about one of these, by (log id, sequence): none replaces another.
  public let later: [Item]
  /// How far it has come to have it taken down, place by place.
  public let takedowns: [EntryRelations.Takedown]
  /// Requests about it or about one of `later`; and itself, if it is one.
  public let requests: [EntryRelations.Request]
}

/// Entries that somebody named, all of one case.
public struct EntryReferences: Sendable {
  public let caseID: CaseID
  public let role: Role
  /// In the order in which they were named, each once.
  public let entries: [EntrySummary]
}

extension OpenVault {
  /// The entry with this id, or the only one whose id begins so, and all that is known about it.
  ///
  /// - Throws: `.unknownEntry`, `.ambiguousEntry`.
  public func history(of text: String) throws(VaultError) -> EntryHistory {
    try read { db in
      let (row, entry) = try EntryTable.find(db, text)
      let state = try CaseView.state(db, of: row)
      return try RelatedEntries(db: db, row: row, state: state).history(of: entry)
    }
  }

  /// The entries that these ids or beginnings of ids name.
  ///
  /// - Throws: `.unknownEntry`, `.ambiguousEntry`, `.differentCases`.
  public func references(_ texts: [String]) throws(VaultError) -> EntryReferences {
    try read { db in
      var found: (row: CaseRow, state: CaseState)?
      var entries: [EntrySummary] = []
      for text in texts {
        let (row, entry) = try EntryTable.find(db, text)
        guard found.map({ $0.row == row }) ?? true else { throw VaultError(.differentCases) }
        let state = try found?.state ?? CaseView.state(db, of: row)
        found = (row, state)
        let summary = try EntryTable.summary(db, entry, of: row, in: state)
        if !entries.contains(where: { $0.id == summary.id }) { entries.append(summary) }
      }
      guard let row = found?.row else { throw VaultError(.unknownEntry) }
      return EntryReferences(caseID: row.caseID, role: row.role, entries: entries)
    }
  }

  /// The state of every takedown of a case, place by place.
  public func takedowns(ofCase name: String?) throws(VaultError) -> [EntryRelations.Takedown] {
    try read { db in
      let row = try CaseRow.find(db, name)
      let state = try CaseView.state(db, of: row)
      return try RelatedEntries(db: db, row: row, state: state).takedownsAndRequests().takedowns
    }
  }
}

/// Entries about entries, out of the view.
struct RelatedEntries {
  let db: Database
  let row: CaseRow
  let state: CaseState

  func history(of entry: Row) throws -> EntryHistory {
    let rows = try [entry] + rows(about: try entry.identifier("entry_id"))
    let relations = EntryRelations(try rows.compactMap(relation))
    let items = try rows.map { try item($0, relations) }
    let id = items[0].summary.id
    return EntryHistory(
      entry: items[0],
      later: items.dropFirst().sorted {
        ($0.summary.logID, $0.summary.sequence) < ($1.summary.logID, $1.summary.sequence)
      },
      takedowns: relations.takedowns.filter { $0.about == id }, requests: relations.requests)
  }

  private func item(_ entry: Row, _ relations: EntryRelations) throws -> EntryHistory.Item {
    EntryHistory.Item(
      detail: try EntryTable.detail(db, entry, of: row, in: state),
      takenBackBy: relations.retraction(of: try entry.identifier("entry_id"))?.id,
      shown: try showings(of: entry))
  }

  /// One entry by itself; nil for one that is not in view.
  func item(leaf: Int64) throws -> EntryHistory.Item? {
    guard
      let entry = try Row.fetchOne(
        db, cached: EntryTable.select + " WHERE l.id = ?", arguments: [leaf]),
      try relation(entry) != nil
    else { return nil }
    let rows = try [entry] + rows(about: try entry.identifier("entry_id"))
    return try item(entry, EntryRelations(try rows.compactMap(relation)))
  }

  /// What a case needs of itself to tell where takedowns and requests stand.
  func takedownsAndRequests() throws -> EntryRelations {
    let rows = try Row.fetchAll(
      db,
      cached: EntryTable.select + """
         WHERE i.kind IN (?, ?, ?) AND i.case_ref = ?
        """,
      arguments: [
        Int64(EntryKind.retract.code), Int64(EntryKind.takedown.code),
        Int64(EntryKind.request.code), row.ref,
      ])
    return EntryRelations(try rows.compactMap(relation))
  }

  /// All that is about an entry, and about that, and so on; each once.
  private func rows(about id: EntryID) throws -> [Row] {
    var known: Set<EntryID> = [id]
    var targets = [id]
    var found: [Row] = []
    while let target = targets.popLast() {
      let rows = try Row.fetchAll(
        db,
        cached: EntryTable.select
          + " JOIN about a ON a.entry_ref = l.id WHERE a.target = ? AND g.case_ref = ?",
        arguments: [target.bytes.data, row.ref])
      for row in rows {
        let id: EntryID = try row.identifier("entry_id")
        guard known.insert(id).inserted, try relation(row) != nil else { continue }
        found.append(row)
        targets.append(id)
      }
    }
    return found
  }

  /// Nil for what is not in view: locked, erased, set aside, or in breach of a rule.
  private func relation(_ entry: Row) throws -> EntryRelations.Entry? {
    let summary = try EntryTable.summary(db, entry, of: row, in: state)
    guard summary.standing == .open || summary.standing == .disputed, let kind = summary.kind,
      let clock = summary.enteredAt, let author = summary.author, let content = summary.content
    else { return nil }
    return EntryRelations.Entry(
      id: summary.id, logID: summary.logID, sequence: summary.sequence, kind: kind, clock: clock,
      author: author, content: content, isDisputed: summary.standing == .disputed)
  }

  // MARK: - Who was shown it

  private func showings(of entry: Row) throws -> [EntryHistory.Showing] {
    let logID: LogID = try entry.identifier("log_id")
    let sequence = entry.number("sequence")
    var result: [EntryHistory.Showing] = []
    var explained: Set<EpochID> = []
    for record in state.shares {
      let isNamed = record.share.entries.contains { range in
        range.logID == logID && range.first <= sequence && sequence - range.first < range.count
      }
      guard isNamed, let epoch = state.epochs.first(where: { $0.id == record.share.epoch }) else {
        continue
      }
      explained.insert(epoch.id)
      let clock = try Int64.fetchOne(
        db, cached: "SELECT e.clock FROM entry e JOIN leaf l ON l.id = e.id WHERE l.entry_id = ?",
        arguments: [record.id.bytes.data])
      result.append(
        .init(
          audience: epoch.epoch.audience, time: clock.map(UInt64.init(bitPattern:)),
          share: record.id))
    }
    let leaf: Int64 = entry["id"]
    let slots = try Row.fetchAll(
      db, cached: "SELECT epoch FROM slot WHERE leaf_ref = ? AND is_valid = 1 ORDER BY epoch",
      arguments: [leaf])
    let atFirst = try slots.compactMap { slot -> EntryHistory.Showing? in
      let id: EpochID = try slot.identifier("epoch")
      guard !explained.contains(id), let epoch = state.epochs.first(where: { $0.id == id }) else {
        return nil
      }
      return .init(
        audience: epoch.epoch.audience, time: entry.hasValue("clock") ? entry.number("clock") : nil,
        share: nil)
    }
    return atFirst + result
  }
}
