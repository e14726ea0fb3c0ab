internal import Cryptography
internal import GRDB
internal import VerifiableLog

/// The rows of sealed attachments.
enum BlobTable {
  /// An attachment that an entry from elsewhere names, of which the bytes may still come.
  static func expect(
    _ db: Database, _ root: BlobRoot, size: UInt64, number: UInt64, of entry: Int64
  ) throws {
    let sealedSize = sealedSize(of: size)
    try db.execute(
      cached: "INSERT OR IGNORE INTO blob(root, sealed_size, is_present) VALUES (?, ?, 0)",
      arguments: [root.bytes.data, Int64(sealedSize)])
    try db.execute(
      cached: """
        INSERT OR IGNORE INTO attachment(entry_ref, number, blob_ref)
        SELECT ?, ?, id FROM blob WHERE root = ? AND sealed_size = ?
        """,
      arguments: [entry, Int64(number), root.bytes.data, Int64(sealedSize)])
  }

  /// Who wrote the entries that name a blob with this length.
  static func authors(
    _ db: Database, of root: BlobRoot, sealedSize: UInt64, in row: CaseRow
  ) throws -> [LogID] {
    try Row.fetchAll(
      db,
      cached: """
        SELECT DISTINCT g.log_id FROM blob b JOIN attachment a ON a.blob_ref = b.id
        JOIN leaf l ON l.id = a.entry_ref JOIN log g ON g.id = l.log_ref
        WHERE b.root = ? AND b.sealed_size = ? AND g.case_ref = ? ORDER BY g.log_id
        """, arguments: [root.bytes.data, Int64(sealedSize), row.ref]
    ).map { try $0.identifier("log_id") }
  }

  /// Of an original of `size` bytes.
  static func sealedSize(of size: UInt64) -> UInt64 {
    let plaintext = Padme.paddedLength(size + 8)
    let spans = SpanCipher.spanCount(plaintextByteCount: plaintext)
    return plaintext + spans * UInt64(AEAD.tagByteCount)
  }

  /// How many attachments the open entries of a case name of which the bytes are here, or have not come yet.
  static func count(_ db: Database, in row: CaseRow, arePresent: Bool) throws -> Int {
    try Int.fetchOne(
      db,
      cached: """
        SELECT count(DISTINCT b.id) FROM blob b JOIN attachment a ON a.blob_ref = b.id
        JOIN entry e ON e.id = a.entry_ref WHERE e.case_ref = ? AND b.is_present = ?
        """, arguments: [row.ref, arePresent]) ?? 0
  }

  static func insert(
    _ db: Database, _ box: NewBlobBox, entry: Int64, number: Int
  ) throws {
    let blob = box.blob.root
    try db.run(
      "INSERT INTO blob(root, sealed_size, content, is_present) VALUES (?, ?, ?, 1)",
      blob.raw, Int64(box.blob.sealedSize), box.blob.inline)
    try db.run(
      "INSERT INTO attachment(entry_ref, number, blob_ref) VALUES (?, ?, ?)",
      entry, number, db.lastInsertedRowID)
  }
}
