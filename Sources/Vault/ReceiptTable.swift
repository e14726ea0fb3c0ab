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
    guard
      let log = try Row.fetchOne(
        db, cached: "SELECT id, size FROM log WHERE case_ref = ? AND log_id = ?",
        arguments: [row.ref, row.logID.bytes.data])
    else { return (nil, 0) }
    let receipt = try Row.fetchOne(
      db,
      cached:
        "SELECT max(size) AS size, max(time) AS time FROM receipt WHERE log_ref = ? AND witness = ?",
      arguments: [log["id"] as Int64, member.bytes.data])
    let covered: Int64 = receipt?["size"] ?? 0
    let time: Int64? = receipt?["time"]
    let size = log.number("size")
    return (time.map(UInt64.init(bitPattern:)), size - min(size, UInt64(covered)))
  }
}
