internal import CaseLog
internal import Cryptography
internal import GRDB
internal import VerifiableLog

/// The case as its rows give it: the input of `CaseState`, read anew whenever it is needed.
enum CaseView {
  static func state(_ db: Database, of row: CaseRow) throws -> CaseState {
    try CaseState(
      caseID: row.caseID, statements: try statements(db, of: row),
      successions: try successions(db, of: row), logs: try logs(db, of: row),
      contentLeaves: { log in try contentSequences(db, of: row, log) },
      roots: { (log, sizes) in try roots(db, of: row, log, sizes: sizes) })
  }

  static func statements(_ db: Database, of row: CaseRow) throws -> [RootStatement] {
    try Row.fetchAll(
      db, cached: "SELECT bytes FROM statement WHERE case_ref = ?",
      arguments: [row.ref]
    ).map {
      try RootStatement(verifiedBefore: $0.bytes("bytes"), caseID: row.caseID, root: row.root)
    }
  }

  static func successions(_ db: Database, of row: CaseRow) throws -> [Succession] {
    try Row.fetchAll(
      db, cached: "SELECT bytes FROM succession WHERE case_ref = ?",
      arguments: [row.ref]
    ).map { try Succession(verifiedBefore: $0.bytes("bytes"), caseID: row.caseID) }
  }

  private static func logs(_ db: Database, of row: CaseRow) throws -> [MemberLog] {
    try Row.fetchAll(
      db, cached: "SELECT * FROM log WHERE case_ref = ? ORDER BY log_id",
      arguments: [row.ref]
    ).map { log in
      let ref: Int64 = log["id"]
      let forkedAt: Int64? = log["forked_at"]
      let unusual = try Row.fetchAll(
        db,
        cached: """
          SELECT sequence, class FROM leaf WHERE log_ref = ?1 AND class < 2
          UNION ALL SELECT sequence, class FROM leaf WHERE log_ref = ?1 AND class > 3 ORDER BY 1
          """, arguments: [ref])
      return MemberLog(
        position: LogPosition(
          logID: try log.identifier("log_id"), size: log.number("size"),
          root: try log.bytes32("root")),
        controlLeaves: unusual.filter { $0["class"] == 1 }.map { $0.number("sequence") },
        strayLeaves: unusual.filter { $0["class"] != 1 }.map { $0.number("sequence") },
        control: try control(db, log: ref), forkedAt: forkedAt.map(UInt64.init))
    }
  }

  private static func contentSequences(
    _ db: Database, of row: CaseRow, _ log: LogID
  ) throws -> [UInt64] {
    try Row.fetchAll(
      db,
      cached: """
        SELECT l.sequence FROM leaf l JOIN log g ON g.id = l.log_ref
        WHERE g.case_ref = ? AND g.log_id = ? AND l.class = ? ORDER BY l.sequence
        """, arguments: [row.ref, log.bytes.data, Int64(EntryClass.content.rawValue)]
    ).map { $0.number("sequence") }
  }

  /// The roots at these sizes, which ascend, but for those that the log has not; all leaves are read once. Only
  /// asked for where a cut names fewer leaves than there are, or histories part.
  static func roots(
    _ db: Database, of row: CaseRow, _ log: LogID, sizes: [UInt64]
  ) throws -> [UInt64: Bytes32] {
    var found: [UInt64: Bytes32] = [:]
    var tree = CompactRange()
    var rest = sizes[...]
    if rest.first == 0 { found[0] = tree.root }
    let leaves = try Row.fetchCursor(
      db,
      sql: """
        SELECT l.data FROM leaf l JOIN log g ON g.id = l.log_ref
        WHERE g.case_ref = ? AND g.log_id = ? AND l.sequence < ? ORDER BY l.sequence
        """, arguments: [row.ref, log.bytes.data, Int64(sizes.last ?? 0)])
    while let leaf = try leaves.next() {
      tree.append(try LeafData(parsing: leaf.bytes("data")).hash)
      rest = rest.drop { $0 < tree.size }
      if rest.first == tree.size { found[tree.size] = tree.root }
    }
    return found
  }

  private static func control(_ db: Database, log: Int64) throws -> [MemberLog.ControlEntry] {
    try Row.fetchAll(
      db,
      cached: """
        SELECT l.sequence, l.entry_id, e.kind, e.problem, e.parts, e.frontier
        FROM leaf l JOIN entry e ON e.id = l.id
        WHERE l.log_ref = ? AND l.class = 1 ORDER BY l.sequence
        """, arguments: [log]
    ).map { entry in
      let problem: String? = entry["problem"]
      return MemberLog.ControlEntry(
        sequence: entry.number("sequence"), id: try entry.identifier("entry_id"),
        control: problem == nil
          ? Self.decode(
            kind: EntryKind(code: entry.number("kind")),
            parts: try PartList.decode(entry.bytes("parts")))
          : .failure(.malformed),
        acknowledged: try entry.bytesIfAny("frontier").map { try Frontier.decode($0) } ?? [])
    }
  }

  /// What the parts of a control entry say.
  static func decode(kind: EntryKind, parts: [Part]) -> Result<Control, CaseLogError> {
    do throws(CaseLogError) {
      return .success(try Control(kind: kind, parts: parts))
    } catch {
      return .failure(error)
    }
  }
}
