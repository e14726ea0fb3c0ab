internal import CaseLog
internal import Cryptography
internal import GRDB
internal import VerifiableLog

/// Who writes in a case, and in which role.
struct CaseAuthors {
  let row: CaseRow
  /// By row of the log; without members whose admission has not arrived.
  let roles: [Int64: Role]
  let logs: [(ref: Int64, logID: LogID)]

  /// What the roles follow from; nil where the case did not have to be evaluated.
  let state: CaseState?

  /// A case that holds nothing but this survivor's own log has one author: it need not be evaluated.
  init(_ db: Database, of row: CaseRow) throws {
    try self.init(
      db, of: row, in: try Self.isAlone(db, row) ? nil : try CaseView.state(db, of: row))
  }

  /// - Parameter state: nil for a case in which the survivor is alone.
  init(_ db: Database, of row: CaseRow, in state: CaseState?) throws {
    self.row = row
    self.state = state
    logs = try Row.fetchAll(
      db, sql: "SELECT id, log_id FROM log WHERE case_ref = ? ORDER BY log_id", arguments: [row.ref]
    ).map { (ref: $0["id"], logID: try $0.identifier("log_id")) }
    roles = Dictionary(
      uniqueKeysWithValues: logs.compactMap { log in
        let role = state == nil ? .survivor : state?.member(log.logID)?.role
        return role.map { (log.ref, $0) }
      })
  }

  /// Whether the case holds no other log than the one with which this device began it, and nothing in that
  /// one that would change what counts.
  static func isAlone(_ db: Database, _ row: CaseRow) throws -> Bool {
    guard row.role == .survivor else { return false }
    return try Row.fetchOne(
      db,
      sql: """
        SELECT 1 FROM log WHERE case_ref = ?1 AND (log_id <> ?2 OR forked_at IS NOT NULL)
        UNION ALL SELECT 1 FROM succession WHERE case_ref = ?1
        UNION ALL SELECT 1 FROM log g JOIN leaf l ON l.log_ref = g.id AND l.class = 1
          LEFT JOIN entry e ON e.id = l.id
          WHERE g.case_ref = ?1 AND ifnull(e.kind, 0) NOT IN (1, 2, 3)
        UNION ALL SELECT 1 FROM (SELECT count(*) AS n FROM statement WHERE case_ref = ?1) WHERE n > 1
        LIMIT 1
        """, arguments: [row.ref, row.logID.bytes.data]) == nil
  }

  func role(_ logRef: Int64) -> Role? { roles[logRef] }

  /// Logs whose role includes notes only: content in them breaks a rule. In the order of log ids.
  var notesOnly: [Int64] { logs.map(\.ref).filter { roles[$0]?.mayWrite(.content) == false } }

  func refs(of author: EntryQuery.Author) -> [Int64] {
    switch author {
    case .own: return logs.filter { $0.logID == row.logID }.map(\.ref)
    case .member(let prefix):
      return logs.filter { $0.logID.base32.hasPrefix(prefix.lowercased()) }.map(\.ref)
    case .role(let role): return logs.map(\.ref).filter { roles[$0] == role }
    }
  }
}
