internal import CaseLog
internal import Cryptography
internal import GRDB
internal import VerifiableLog

/// What a case holds already, by hashes that say nothing without their key.
final class DuplicateTable {
  /// What makes two things the same.
  struct Mark: Hashable {
    fileprivate let bytes: [UInt8]

    /// A file: its content, whatever its name.
    init(sha256: Bytes32) { bytes = sha256.bytes }

    /// An entry without a file: address, time and words. Nil if it has none of them.
    init?(claimOf content: EntryContent) {
      var claim = EntryContent()
      claim.url = content.url
      claim.seen = content.seen
      claim.words = content.words
      guard !claim.parts.isEmpty else { return nil }
      // One byte more than a hash, so that no file is taken for a claim.
      bytes = SHA256Hash.hash(PartList.encode(claim.parts)).bytes + [1]
    }

    /// All files of one length, so that others need not be read to know that they are new.
    init(size: UInt64) { bytes = [2] + (0..<8).map { UInt8(truncatingIfNeeded: size >> (8 * $0)) } }
  }

  let db: Database
  let row: CaseRow
  let key: SecretKey

  init(_ db: Database, of row: CaseRow, keys: VaultKeys) {
    self.db = db
    self.row = row
    key = keys.duplicates.copy()
  }

  private func hash(_ mark: Mark) -> Bytes32 {
    (mark.bytes + row.caseID.bytes).withBytes { HMACSHA256.authenticate($0, key: key) }
  }

  /// Adds an entry to those that hold it.
  ///
  /// - Returns: those that did before; the first sixteen.
  func insert(_ mark: Mark, entry: Int64) throws -> [EntryID] {
    let hash = hash(mark).bytes.data
    let holders = try Row.fetchAll(
      db.cachedStatement(
        sql: """
          SELECT l.entry_id FROM duplicate d JOIN leaf l ON l.id = d.entry_ref
          WHERE d.case_ref = ? AND d.hash = ? ORDER BY d.entry_ref LIMIT 16
          """), arguments: [row.ref, hash]
    ).map { try $0.identifier("entry_id") as EntryID }
    try db.run(
      "INSERT OR IGNORE INTO duplicate(case_ref, hash, entry_ref) VALUES (?, ?, ?)",
      [row.ref, hash, entry])
    return holders
  }

  /// Holders that still stand for it, so that it need not be added again; the first sixteen. Not those that
  /// were erased or set aside; and of a file that is to be kept, not those of which the bytes are not here.
  func standingHolders(
    of mark: Mark, withBytes: Bool, in authors: CaseAuthors
  ) throws -> [EntryID] {
    let records = try Row.fetchCursor(
      db,
      sql: EntryTable.select
        + " JOIN duplicate d ON d.entry_ref = l.id WHERE d.case_ref = ? AND d.hash = ? ORDER BY d.entry_ref",
      arguments: [row.ref, hash(mark).bytes.data])
    var found: [EntryID] = []
    while found.count < 16, let record = try records.next() {
      let standing = try EntryTable.standing(db, record, in: authors)
      guard standing == .open || standing == .disputed else { continue }
      if withBytes, try !holdsBytes(of: mark, record) { continue }
      found.append(try record.identifier("entry_id"))
    }
    return found
  }

  private func holdsBytes(of mark: Mark, _ entry: Row) throws -> Bool {
    let present = Set(
      try Int64.fetchAll(
        db,
        sql: """
          SELECT a.number FROM attachment a JOIN blob b ON b.id = a.blob_ref
          WHERE a.entry_ref = ? AND b.is_present = 1
          """, arguments: [entry["id"] as Int64]
      ).map { UInt64(bitPattern: $0) })
    return try EntryContent(parts: try PartList.decode(entry.bytes("parts"))).attachments
      .contains { $0.sha256.bytes == mark.bytes && present.contains($0.number) }
  }

  /// Whether a file of that many bytes was added to the case here.
  func mayHold(fileOf size: UInt64) throws -> Bool {
    try Row.fetchOne(
      db.cachedStatement(
        sql: "SELECT 1 FROM duplicate WHERE case_ref = ? AND hash = ? LIMIT 1"),
      arguments: [row.ref, hash(Mark(size: size)).bytes.data]) != nil
  }
}
