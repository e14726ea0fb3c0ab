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
      cached: """
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
    do {
      self = try CompactRange(size: row.number("size"), hashes: Bytes32.list(bytes))
    } catch {
      throw VaultError(.databaseDamaged)
    }
  }

  /// The hashes, joined; the size stands beside them.
  var encoded: [UInt8] { hashes.flatMap(\.bytes) }
}
