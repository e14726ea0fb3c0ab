internal import CaseLog
internal import Cryptography
internal import GRDB
internal import VerifiableLog

/// Who can open which entries, by the slots that were found good here. A member's copy can tell only of
/// audiences that it belongs to.
struct OpenSlots {
  private let db: Database
  private let row: CaseRow
  private let state: CaseState

  init(_ db: Database, of row: CaseRow, in state: CaseState) {
    self.db = db
    self.row = row
    self.state = state
  }

  func epochs(of audience: Audience) -> [EpochID] {
    state.epochs.filter { $0.epoch.audience == audience }.map(\.id)
  }

  /// The audiences of these epochs, each once.
  func audiences(of epochs: [EpochID]) -> [Audience] {
    var found: [Audience] = []
    for id in epochs {
      guard let record = state.epochs.first(where: { $0.id == id }) else { continue }
      if !found.contains(record.epoch.audience) { found.append(record.epoch.audience) }
    }
    return found
  }

  /// The audiences that were given the keys of epochs which this device holds: also of those that have no power any
  /// more, since what they open stays open. It tells who can open something and not who was meant to: a thief
  /// begins epochs too.
  static func everGiven(_ db: Database, in row: CaseRow) throws -> [EpochID: Audience] {
    let epochs = try Row.fetchAll(
      db, cached: "SELECT epoch, audience FROM epoch WHERE case_ref = ?", arguments: [row.ref])
    return try Dictionary(
      epochs.map { (try $0.identifier("epoch"), try Audience(decoding: $0.bytes("audience"))) }
    ) { first, _ in first }
  }

  /// The epochs whose keys open entries, with the case of each.
  static func epochs(
    _ db: Database, of entries: [EntryID]
  ) throws -> [EntryID: (caseRef: Int64, epochs: [EpochID])] {
    var found: [EntryID: (caseRef: Int64, epochs: [EpochID])] = [:]
    for start in stride(from: 0, to: entries.count, by: 500) {
      let chunk = entries[start..<min(start + 500, entries.count)]
      let marks = chunk.map { _ in "?" }.joined(separator: ",")
      let slots = try Row.fetchAll(
        db,
        sql: """
          SELECT l.entry_id, g.case_ref, s.epoch FROM leaf l JOIN log g ON g.id = l.log_ref
          JOIN slot s ON s.leaf_ref = l.id AND s.is_valid = 1
          WHERE l.entry_id IN (\(marks)) ORDER BY s.leaf_ref, s.epoch
          """, arguments: StatementArguments(chunk.map { $0.bytes.data }))
      for slot in slots {
        let id: EntryID = try slot.identifier("entry_id")
        found[id, default: (slot["case_ref"], [])].epochs.append(try slot.identifier("epoch"))
      }
    }
    return found
  }

  /// Whether an audience can open an entry; true for one that is not known here, which tells nothing.
  func isOpen(_ entry: EntryID, to audience: Audience) throws -> Bool {
    let isKnown = try EntryTable.row(db, entry, of: row) != nil
    guard isKnown else { return true }
    let epochs = try Self.epochs(db, of: [entry])[entry]?.epochs ?? []
    return audiences(of: epochs).contains(audience)
  }

  /// The rows of all leaves of content and notes that an audience can open.
  ///
  /// - Parameter refs: of these only; nil for all.
  func leaves(openTo audience: Audience, among refs: [Int64]? = nil) throws -> Set<Int64> {
    var found: Set<Int64> = []
    for epoch in epochs(of: audience) {
      var sql: SQL = """
        SELECT l.id FROM leaf l JOIN log g ON g.id = l.log_ref
        WHERE g.case_ref = \(row.ref) AND l.class <> 1 AND EXISTS
          (SELECT 1 FROM slot s WHERE s.leaf_ref = l.id AND s.epoch = \(epoch.bytes.data)
            AND s.is_valid = 1)
        """
      if let refs { sql += " AND l.id IN \(refs)" }
      found.formUnion(try SQLRequest<Int64>(literal: sql).fetchAll(db))
    }
    return found
  }
}
