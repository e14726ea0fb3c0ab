internal import CaseLog
internal import Cryptography
internal import GRDB
internal import Sync
internal import VerifiableLog

/// Erased entries: when this copy learned of it, and whether it destroyed them yet.
enum ErasureTable {
  private static let countedUntil = "erasures-counted-until"

  /// Counts the time for which what waits to be destroyed has waited, of one gap a week at most: a clock that is wrong
  /// once, or is set by somebody, destroys nothing by itself. `seen` moves by what does not count. Where the clock went
  /// back, one of its times was wrong, and all begins anew; unless it was only put right. A gap of less than an hour
  /// counts with the next, so that exchanges one after another write nothing.
  static func count(_ db: Database, until now: UInt64) throws {
    guard try isAnyWaiting(db) else { return }
    let last = try Row.fetchOne(
      db, cached: "SELECT value FROM setting WHERE name = ?", arguments: [countedUntil]
    ).map { $0.number("value") }
    if let last, now >= last {
      guard now - last >= 3_600 else { return }
      try move(db, by: Int64(clamping: now - last - min(now - last, OpenVault.longestCounted)))
    } else if let last, last - now <= 86_400 {
      try move(db, by: -Int64(last - now))
    } else if last != nil {
      try db.execute(
        cached: "UPDATE erasure SET seen = ? WHERE is_destroyed = 0",
        arguments: [Int64(bitPattern: now)])
    }
    try noteCounted(db, until: now)
  }

  private static func isAnyWaiting(_ db: Database) throws -> Bool {
    try Row.fetchOne(db, cached: "SELECT 1 FROM erasure WHERE is_destroyed = 0 LIMIT 1") != nil
  }

  private static func noteCounted(_ db: Database, until now: UInt64) throws {
    try db.execute(
      cached: "INSERT OR REPLACE INTO setting(name, value) VALUES (?, ?)",
      arguments: [countedUntil, Int64(bitPattern: now)])
  }

  private static func move(_ db: Database, by seconds: Int64) throws {
    try db.execute(
      cached: "UPDATE erasure SET seen = max(0, seen + ?) WHERE is_destroyed = 0",
      arguments: [seconds])
  }

  /// The first time counts; a later one changes nothing.
  static func note(_ db: Database, _ entry: EntryID, in row: CaseRow, at time: UInt64) throws {
    let isFirst = try !isAnyWaiting(db)
    try db.execute(
      cached: """
        INSERT OR IGNORE INTO erasure(case_ref, entry, seen, is_destroyed) VALUES (?, ?, ?, 0)
        """, arguments: [row.ref, entry.bytes.data, Int64(bitPattern: time)])
    // While nothing waited, nothing was counted.
    if isFirst, db.changesCount > 0 { try noteCounted(db, until: time) }
  }

  /// An erasure that lost its effect.
  static func forget(_ db: Database, _ entry: EntryID, in row: CaseRow) throws {
    try db.execute(
      cached: "DELETE FROM erasure WHERE case_ref = ? AND entry = ?",
      arguments: [row.ref, entry.bytes.data])
  }

  static func isDestroyed(_ db: Database, _ entry: EntryID, in row: CaseRow) throws -> Bool {
    try Row.fetchOne(
      db, cached: "SELECT 1 FROM erasure WHERE case_ref = ? AND entry = ? AND is_destroyed = 1",
      arguments: [row.ref, entry.bytes.data]) != nil
  }

  static func destroyed(_ db: Database, in row: CaseRow) throws -> Set<EntryID> {
    let entries = try Row.fetchAll(
      db, cached: "SELECT entry FROM erasure WHERE case_ref = ? AND is_destroyed = 1",
      arguments: [row.ref])
    return Set(try entries.map { try $0.identifier("entry") })
  }

  static func all(
    _ db: Database, in row: CaseRow
  ) throws -> [(entry: EntryID, seen: UInt64, isDestroyed: Bool)] {
    try Row.fetchAll(
      db, cached: "SELECT entry, seen, is_destroyed FROM erasure WHERE case_ref = ?",
      arguments: [row.ref]
    ).map { (try $0.identifier("entry"), $0.number("seen"), $0["is_destroyed"]) }
  }

  /// Drops all of an entry but its leaf: slots, ciphertext, what is shown and found of it, and attachments
  /// that no other entry names.
  static func destroy(_ db: Database, _ entry: EntryID, in row: CaseRow) throws {
    try db.execute(
      cached: "UPDATE erasure SET is_destroyed = 1 WHERE case_ref = ? AND entry = ?",
      arguments: [row.ref, entry.bytes.data])
    guard
      let leaf = try Int64.fetchOne(
        db,
        cached: """
          SELECT l.id FROM leaf l JOIN log g ON g.id = l.log_ref
          WHERE l.entry_id = ? AND g.case_ref = ? AND l.class <> 1
          """, arguments: [entry.bytes.data, row.ref])
    else { return }
    let blobs = try Int64.fetchAll(
      db, cached: "SELECT blob_ref FROM attachment WHERE entry_ref = ?", arguments: [leaf])
    try ViewTable.remove(db, leaf: leaf)
    try db.execute(cached: "DELETE FROM slot WHERE leaf_ref = ?", arguments: [leaf])
    try db.execute(cached: "UPDATE leaf SET ciphertext = NULL WHERE id = ?", arguments: [leaf])
    for blob in blobs { try drop(db, blob: blob, in: row) }
    try db.execute(
      cached: """
        INSERT INTO erased_item(case_ref, mailbox, log_id, sequence)
        SELECT ?1, m.value, g.log_id, l.sequence FROM leaf l JOIN log g ON g.id = l.log_ref
        JOIN (SELECT 0 AS value UNION SELECT 1) m WHERE l.id = ?2
        """, arguments: [row.ref, leaf])
  }

  private static func drop(_ db: Database, blob: Int64, in row: CaseRow) throws {
    let isNamed = try Row.fetchOne(
      db, cached: "SELECT 1 FROM attachment WHERE blob_ref = ?", arguments: [blob])
    guard isNamed == nil else { return }
    // Another entry may name the same bytes with another length; the file is then still wanted.
    try db.execute(
      cached: """
        INSERT OR IGNORE INTO doomed_blob(root) SELECT b.root FROM blob b WHERE b.id = ?1
        AND NOT EXISTS (SELECT 1 FROM blob o WHERE o.root = b.root AND o.id <> ?1)
        """, arguments: [blob])
    try db.execute(
      cached: """
        INSERT INTO erased_item(case_ref, mailbox, blob)
        SELECT ?1, m.value, b.root FROM blob b
        JOIN (SELECT 0 AS value UNION SELECT 1) m WHERE b.id = ?2
        """, arguments: [row.ref, blob])
    try db.execute(cached: "DELETE FROM blob WHERE id = ?", arguments: [blob])
  }

  /// What a mailbox may still hold of it by this device's own writing.
  static func items(
    _ db: Database, in row: CaseRow, mailbox: MailboxAudience
  ) throws -> [ErasedItem] {
    try Row.fetchAll(
      db, cached: "SELECT * FROM erased_item WHERE case_ref = ? AND mailbox = ?",
      arguments: [row.ref, mailbox.number]
    ).map { item in
      if item.hasValue("blob") { return .blob(try item.identifier("blob")) }
      return .entry(try item.identifier("log_id"), sequence: item.number("sequence"))
    }
  }

  /// That the files of a mailbox were written anew.
  static func forgetItems(
    _ db: Database, in row: CaseRow, mailbox: MailboxAudience
  ) throws {
    try db.execute(
      cached: "DELETE FROM erased_item WHERE case_ref = ? AND mailbox = ?",
      arguments: [row.ref, mailbox.number])
  }
}
