internal import CaseLog
internal import Cryptography
internal import GRDB
internal import VerifiableLog

/// Slots and ciphertexts that arrive.
enum SlotTable {
  /// Adds slots of leaves that are held; bounded for each leaf, so that junk costs nothing more.
  static func insert(_ db: Database, _ slots: [Slot], in row: CaseRow) throws -> Bool {
    var isChanged = false
    for slot in slots {
      guard
        let leafRef = try Int64.fetchOne(
          db,
          cached: """
            SELECT l.id FROM leaf l JOIN log g ON g.id = l.log_ref
            WHERE g.case_ref = ? AND g.log_id = ? AND l.sequence = ? AND NOT EXISTS
              (SELECT 1 FROM erasure x WHERE x.entry = l.entry_id AND x.is_destroyed = 1)
            """, arguments: [row.ref, slot.logID.bytes.data, Int64(slot.sequence)]),
        try hasRoom(db, leafRef)
      else { continue }
      try db.execute(
        cached: "INSERT OR IGNORE INTO slot(leaf_ref, epoch, box, is_valid) VALUES (?, ?, ?, 0)",
        arguments: [leafRef, slot.epoch.bytes.data, slot.box.data])
      if db.changesCount > 0 { isChanged = true }
    }
    return isChanged
  }

  /// Makes room for another slot of a leaf: of too many, those go that have not opened anything. A good
  /// one among them comes again with the next exchange; one that counted is never dropped.
  private static func hasRoom(_ db: Database, _ leafRef: Int64) throws -> Bool {
    let sql = "SELECT count(*) FROM slot WHERE leaf_ref = ?"
    if try Int.fetchOne(db, cached: sql, arguments: [leafRef]) ?? 0 < Limits.slotsOfEntry {
      return true
    }
    try db.execute(
      cached: "DELETE FROM slot WHERE leaf_ref = ? AND is_valid = 0", arguments: [leafRef])
    return try Int.fetchOne(db, cached: sql, arguments: [leafRef]) ?? 0 < Limits.slotsOfEntry
  }

  /// Fills in a ciphertext that was lacking, unless it is lacking because it was erased. That it is the one which
  /// the leaf names was verified.
  static func fill(
    _ db: Database, _ logRef: Int64, _ sequence: UInt64, _ ciphertext: [UInt8]
  ) throws -> Bool {
    try db.execute(
      cached: """
        UPDATE leaf SET ciphertext = ? WHERE log_ref = ? AND sequence = ? AND ciphertext IS NULL
          AND NOT EXISTS
            (SELECT 1 FROM erasure x WHERE x.entry = leaf.entry_id AND x.is_destroyed = 1)
        """,
      arguments: [ciphertext.data, logRef, Int64(sequence)])
    return db.changesCount > 0
  }
}
