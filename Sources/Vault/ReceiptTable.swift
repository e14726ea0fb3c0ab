internal import CaseLog
internal import Cryptography
internal import GRDB
internal import Sync
internal import VerifiableLog

/// The rows of receipts.
enum ReceiptTable {
  /// Stores a receipt, unless it is there.
  ///
  /// - Parameters:
  ///   - log: the row of the log that it is over.
  ///   - isEmbedded: whether no entry of this device's is to carry it any more.
  static func insert(
    _ db: Database, _ receipt: MemberReceipt, of checkpoint: VerifiedCheckpoint, log: Int64,
    isEmbedded: Bool
  ) throws {
    try db.execute(
      cached: """
        INSERT OR IGNORE INTO receipt(log_ref, size, witness, time, note, is_embedded)
        VALUES (?, ?, ?, ?, ?, ?)
        """,
      arguments: [
        log, Int64(checkpoint.size), receipt.member.bytes.data,
        Int64(bitPattern: receipt.receipt.time),
        try Receipts.note(of: checkpoint, with: receipt.receipt).data, isEmbedded,
      ])
  }

  /// When a member last gave a receipt for this device's log, by its clock, and how many entries of that log none
  /// of its receipts covers.
  static func coverage(
    _ db: Database, ofOwnLogIn row: CaseRow, by member: LogID
  ) throws -> (last: UInt64?, uncovered: UInt64) {
    let log = try Row.fetchOne(
      db,
      cached: """
        SELECT g.size, max(r.size) AS covered, max(r.time) AS time
        FROM log g LEFT JOIN receipt r ON r.log_ref = g.id AND r.witness = ?
        WHERE g.case_ref = ? AND g.log_id = ? GROUP BY g.id
        """, arguments: [member.bytes.data, row.ref, row.logID.bytes.data])
    guard let log else { return (nil, 0) }
    let covered: Int64 = log["covered"] ?? 0
    let time: Int64? = log["time"]
    let size = log.number("size")
    return (time.map(UInt64.init(bitPattern:)), size - min(size, UInt64(covered)))
  }
}
