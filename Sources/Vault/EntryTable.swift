internal import CaseLog
internal import Cryptography
internal import GRDB
internal import VerifiableLog

/// Leaves of content and notes, joined with what could be opened of them.
enum EntryTable {
  static let select = """
    SELECT l.id, l.log_ref, l.sequence, l.class, l.entry_id, g.case_ref, g.log_id, e.kind, e.clock, e.problem,
      e.parts, e.not_before, e.not_before_witness, i.existed_by
    FROM leaf l JOIN log g ON g.id = l.log_ref LEFT JOIN entry e ON e.id = l.id
    LEFT JOIN listing i ON i.id = l.id
    """

  static func summary(
    _ db: Database, _ entry: Row, in authors: CaseAuthors, isRetracted: Bool
  ) throws -> EntrySummary {
    let logID: LogID = try entry.identifier("log_id")
    let parts = entry.bytesIfAny("parts")
    let problem: String? = entry["problem"]
    let standing = try standing(db, entry, in: authors)
    let isOpen = parts != nil && standing != .erased
    return EntrySummary(
      id: try entry.identifier("entry_id"), caseID: authors.row.caseID,
      caseName: authors.row.name, logID: logID, sequence: entry.number("sequence"),
      standing: standing, author: authors.role(entry["log_ref"]),
      isOwn: logID == authors.row.logID,
      kind: isOpen ? EntryKind(code: entry.number("kind")) : nil,
      enteredAt: isOpen && problem == nil ? entry.number("clock") : nil,
      notBefore: entry.hasValue("not_before") ? entry.number("not_before") : nil,
      existedBy: entry.hasValue("existed_by") ? entry.number("existed_by") : nil,
      isRetracted: isRetracted,
      content: problem == nil && isOpen
        ? try parts.map { try EntryContent(parts: try PartList.decode($0)) } : nil)
  }

  static func summary(
    _ db: Database, _ entry: Row, of row: CaseRow, in state: CaseState
  ) throws -> EntrySummary {
    let authors = try CaseAuthors(db, of: row, in: state)
    let retracted = try EntryStandings(db, of: [authors]).retracted(db, among: [entry["id"]])
    return try summary(db, entry, in: authors, isRetracted: !retracted.isEmpty)
  }

  /// What the case says of the entry comes before whether this copy can open it.
  static func standing(
    _ db: Database, _ entry: Row, in authors: CaseAuthors
  ) throws -> EntrySummary.Standing {
    if let state = authors.state { return try standing(db, entry, in: state) }
    let isKnown = EntryClass(rawValue: entry["class"]) != nil
    if !isKnown || entry.hasValue("problem") { return .violation }
    return entry.hasValue("parts") ? .open : .locked
  }

  static func standing(
    _ db: Database, _ entry: Row, in state: CaseState
  ) throws -> EntrySummary.Standing {
    let logID: LogID = try entry.identifier("log_id")
    let sequence = entry.number("sequence")
    let isBehindCut = state.member(logID)?.cut.map { sequence >= $0.contentSize } ?? false
    let standing = state.standing(
      of: try entry.identifier("entry_id"), in: logID, at: sequence,
      entryClass: EntryClass(rawValue: entry["class"]),
      witnesses: isBehindCut ? try witnesses(db, of: entry) : [])
    let problem: String? = entry["problem"]
    switch standing {
    case .violation: return .violation
    case .erased: return .erased
    case .setAside: return .setAside
    case _ where problem != nil: return .violation
    case _ where !entry.hasValue("parts"): return .locked
    case .disputed: return .disputed
    case .counted: return .open
    }
  }

  private static func witnesses(_ db: Database, of entry: Row) throws -> [LogID] {
    try Row.fetchAll(
      db, cached: "SELECT DISTINCT witness FROM receipt WHERE log_ref = ? AND size > ?",
      arguments: [entry["log_ref"] as Int64, entry["sequence"] as Int64]
    ).map { try $0.identifier("witness") }
  }

  static func find(_ db: Database, _ text: String) throws -> (CaseRow, Row) {
    let wanted = text.lowercased()
    guard wanted.utf8.count >= 4, let (low, high) = Self.range(ofPrefix: wanted) else {
      throw VaultError(.unknownEntry)
    }
    let found = try Row.fetchAll(
      db, cached: select + " WHERE l.entry_id >= ? AND l.entry_id <= ? AND l.class <> 1 LIMIT 3",
      arguments: [low.data, high.data])
    guard found.count <= 1 else { throw VaultError(.ambiguousEntry) }
    guard let entry = found.first else { throw VaultError(.unknownEntry) }
    let ref: Int64 = entry["case_ref"]
    return (try CaseRow.of(db, ref), entry)
  }

  /// The entry of this id in this case, as one that another can be about.
  ///
  /// - Throws: `.unknownEntry`.
  static func target(
    _ db: Database, _ id: EntryID, of row: CaseRow, in state: CaseState
  ) throws -> EntrySummary {
    guard let entry = try self.row(db, id, of: row) else { throw VaultError(.unknownEntry) }
    return try summary(db, entry, of: row, in: state)
  }

  static func row(_ db: Database, _ id: EntryID, of row: CaseRow) throws -> Row? {
    try Row.fetchOne(
      db, cached: select + " WHERE l.entry_id = ? AND g.case_ref = ? AND l.class <> 1",
      arguments: [id.bytes.data, row.ref])
  }

  /// What an entry says, if it can be opened.
  static func content(_ db: Database, _ id: EntryID, of row: CaseRow) throws -> EntryContent? {
    guard let entry = try self.row(db, id, of: row), let parts = entry.bytesIfAny("parts"),
      !entry.hasValue("problem")
    else { return nil }
    return try EntryContent(parts: try PartList.decode(parts))
  }

  static func detail(
    _ db: Database, _ entry: Row, of row: CaseRow, in state: CaseState
  ) throws -> EntryDetail {
    let leafRef: Int64 = entry["id"]
    let present = try Int64.fetchAll(
      db,
      cached: """
        SELECT a.number FROM attachment a JOIN blob b ON b.id = a.blob_ref
        WHERE a.entry_ref = ? AND b.is_present = 1 ORDER BY a.number
        """, arguments: [leafRef])
    return EntryDetail(
      summary: try summary(db, entry, of: row, in: state),
      notBefore: try notBefore(db, entry, in: state), seenBy: try seenBy(db, entry, in: state),
      presentAttachments: present.map { UInt64(bitPattern: $0) })
  }

  /// The least and the greatest identifier whose base32 begins with `prefix`.
  private static func range(ofPrefix prefix: String) -> ([UInt8], [UInt8])? {
    let alphabet = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)
    var low = [UInt8](repeating: 0, count: 33)
    var high = [UInt8](repeating: 0xff, count: 33)
    guard prefix.utf8.count <= 52 else { return nil }
    for (index, character) in prefix.utf8.enumerated() {
      guard let value = alphabet.firstIndex(of: character) else { return nil }
      for bit in 0..<5 {
        let place = index * 5 + bit
        let mask = UInt8(0x80 >> (place % 8))
        if value & (0x10 >> bit) != 0 {
          low[place / 8] |= mask
        } else {
          high[place / 8] &= ~mask
        }
      }
    }
    return (Array(low.prefix(32)), Array(high.prefix(32)))
  }

  static func notBefore(_ db: Database, _ entry: Row, in state: CaseState) throws -> Attestation? {
    guard let time: Int64 = entry["not_before"] else { return nil }
    let witness: LogID = try entry.identifier("not_before_witness")
    return Attestation(
      witness: witness, role: state.member(witness)?.role, time: UInt64(bitPattern: time))
  }

  static func seenBy(_ db: Database, _ entry: Row, in state: CaseState) throws -> [Attestation] {
    let logRef: Int64 = entry["log_ref"]
    let sequence: Int64 = entry["sequence"]
    return try Row.fetchAll(
      db,
      cached: """
        SELECT witness, min(time) AS time FROM receipt WHERE log_ref = ? AND size > ?
        GROUP BY witness ORDER BY time
        """, arguments: [logRef, sequence]
    ).map { receipt in
      let witness: LogID = try receipt.identifier("witness")
      return Attestation(
        witness: witness, role: state.member(witness)?.role, time: receipt.number("time"))
    }
  }
}
