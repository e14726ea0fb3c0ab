internal import CaseLog
internal import Cryptography
internal import GRDB
internal import VerifiableLog

/// The rows of logs: sizes, trees and checkpoints.
enum LogTable {
  /// A log of which nothing is known yet but its key.
  static func addLog(
    _ db: Database, case ref: Int64, logID: LogID, key: VerifyingKey
  ) throws {
    let empty = CompactRange()
    try db.execute(
      sql: """
        INSERT OR IGNORE INTO log(case_ref, log_id, signing_key, size, root, frontier)
        VALUES (?, ?, ?, 0, ?, ?)
        """,
      arguments: [
        ref, logID.bytes.data, key.bytes.data, empty.root.bytes.data, empty.encoded.data,
      ])
  }
}

extension CompactRange {
  init(row: Row) throws {
    let bytes = row.bytes("frontier")
    guard bytes.count % Bytes32.byteCount == 0 else { throw VaultError(.databaseDamaged) }
    var hashes: [Bytes32] = []
    for start in stride(from: 0, to: bytes.count, by: Bytes32.byteCount) {
      guard let hash = Bytes32(Array(bytes[start..<start + Bytes32.byteCount])) else {
        throw VaultError(.databaseDamaged)
      }
      hashes.append(hash)
    }
    do {
      self = try CompactRange(size: row.number("size"), hashes: hashes)
    } catch {
      throw VaultError(.databaseDamaged)
    }
  }

  /// The hashes, joined; the size stands beside them.
  var encoded: [UInt8] { hashes.flatMap(\.bytes) }
}

/// The case as its rows give it: the input of `CaseState`, read anew whenever it is needed.
enum CaseView {
  static func state(_ db: Database, of row: CaseRow) throws -> CaseState {
    CaseState(
      caseID: row.caseID, statements: try statements(db, of: row), logs: try logs(db, of: row))
  }

  static func statements(_ db: Database, of row: CaseRow) throws -> [RootStatement] {
    try Row.fetchAll(
      db, sql: "SELECT bytes FROM statement WHERE case_ref = ?", arguments: [row.ref]
    ).map { try RootStatement(decoding: $0.bytes("bytes"), caseID: row.caseID, root: row.root) }
  }

  private static func logs(_ db: Database, of row: CaseRow) throws -> [MemberLog] {
    try Row.fetchAll(
      db, sql: "SELECT * FROM log WHERE case_ref = ? ORDER BY log_id", arguments: [row.ref]
    ).map { log in
      let ref: Int64 = log["id"]
      let classes = try UInt8.fetchAll(
        db, sql: "SELECT class FROM leaf WHERE log_ref = ? ORDER BY sequence", arguments: [ref])
      let forkedAt: Int64? = log["forked_at"]
      return MemberLog(
        position: LogPosition(
          logID: try log.identifier("log_id"), size: log.number("size"),
          root: try log.bytes32("root")),
        classes: classes, control: try control(db, log: ref), forkedAt: forkedAt.map(UInt64.init))
    }
  }

  private static func control(_ db: Database, log: Int64) throws -> [MemberLog.ControlEntry] {
    try Row.fetchAll(
      db,
      sql: """
        SELECT l.sequence, l.entry_id, e.kind, e.problem, e.parts FROM leaf l JOIN entry e ON e.id = l.id
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
          : .failure(.malformed))
    }
  }

  private static func decode(kind: EntryKind, parts: [Part]) -> Result<Control, CaseLogError> {
    do throws(CaseLogError) {
      return .success(try Control(kind: kind, parts: parts))
    } catch {
      return .failure(error)
    }
  }
}
