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

  /// Entries of the case that hold it; the first sixteen.
  func holders(of mark: Mark) throws -> [EntryID] {
    try Row.fetchAll(
      db.cachedStatement(
        sql: """
          SELECT l.entry_id FROM duplicate d JOIN leaf l ON l.id = d.entry_ref
          WHERE d.case_ref = ? AND d.hash = ? ORDER BY l.id LIMIT 16
          """), arguments: [row.ref, hash(mark).bytes.data]
    ).map { try $0.identifier("entry_id") }
  }

  /// Whether an own attachment of that many bytes may be there. Sizes are padded, so this may say yes too
  /// often, and never no when there is one with its bytes.
  func mayHold(fileOf size: UInt64) throws -> Bool {
    try Row.fetchOne(
      db, sql: "SELECT 1 FROM blob WHERE sealed_size = ? LIMIT 1",
      arguments: [Int64(BlobTable.sealedSize(of: size))]) != nil
  }

  func insert(_ mark: Mark, entry: Int64) throws {
    try db.run(
      "INSERT OR IGNORE INTO duplicate(case_ref, hash, entry_ref) VALUES (?, ?, ?)",
      [row.ref, hash(mark).bytes.data, entry])
  }
}
