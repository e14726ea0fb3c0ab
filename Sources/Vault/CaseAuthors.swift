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
    let state = try Self.isAlone(db, row) ? nil : CaseView.state(db, of: row)
    try self.init(db, of: row, in: state)
  }

  init(_ db: Database, of row: CaseRow, in state: CaseState?) throws {
    self.row = row
    self.state = state
    logs = try Row.fetchAll(
      db, cached: "SELECT id, log_id FROM log WHERE case_ref = ? ORDER BY log_id",
      arguments: [row.ref]
    ).map { (ref: $0["id"], logID: try $0.identifier("log_id")) }
    roles = Dictionary(
      uniqueKeysWithValues: logs.compactMap { log in
        guard let state else { return (log.ref, .survivor) }
        return state.member(log.logID).map { (log.ref, $0.role) }
      })
  }

  /// In SQL over `vault_case AS c`: whether it holds more than the log with which this device began it, or
  /// something in that one that changes what counts.
  private static let isNotAlone = """
    (c.role <> 1
      OR EXISTS (SELECT 1 FROM log WHERE case_ref = c.id AND (log_id <> c.log_id OR forked_at IS NOT NULL))
      OR EXISTS (SELECT 1 FROM succession WHERE case_ref = c.id)
      OR (SELECT count(*) FROM statement WHERE case_ref = c.id) > 1
      OR EXISTS (SELECT 1 FROM log g JOIN leaf l ON l.log_ref = g.id AND l.class = 1
        LEFT JOIN entry e ON e.id = l.id WHERE g.case_ref = c.id AND ifnull(e.kind, 0) NOT IN (1, 2, 3)))
    """

  static func isAlone(_ db: Database, _ row: CaseRow) throws -> Bool {
    try Row.fetchOne(
      db, cached: "SELECT 1 FROM vault_case c WHERE c.id = ? AND \(isNotAlone)",
      arguments: [row.ref]) == nil
  }

  /// Cases that have to be evaluated to know what counts in them.
  static func notAlone(_ db: Database) throws -> [Int64] {
    try Int64.fetchAll(
      db,
      sql: """
        SELECT c.id FROM vault_case c WHERE c.case_id IS NOT NULL AND \(isNotAlone) ORDER BY c.id
        """)
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
