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

  /// Gives what stands for a mark in the table, and says nothing without the key.
  struct Hashing: Sendable {
    fileprivate let caseID: CaseID
    fileprivate let keys: VaultKeys

    func hash(_ mark: Mark) -> Bytes32 {
      (mark.bytes + caseID.bytes).withBytes {
        HMACSHA256.authenticate($0, key: keys.duplicates)
      }
    }
  }

  let db: Database
  let row: CaseRow
  let hashing: Hashing

  init(_ db: Database, of row: CaseRow, keys: VaultKeys) {
    self.db = db
    self.row = row
    hashing = Hashing(caseID: row.caseID, keys: keys)
  }

  /// Something that is about to be held by an entry.
  struct Holding: Equatable {
    let hash: Bytes32
    let entry: Int64
  }

  /// In the order of the hashes: so each page of the table is come to once.
  func insert(_ new: [Holding]) throws {
    let rows = new.sorted { ($0.hash, $0.entry) < ($1.hash, $1.entry) }
    // An entry can hold the same twice.
    let distinct = rows.indices.filter { $0 == 0 || rows[$0] != rows[$0 - 1] }.map { rows[$0] }
    try db.insert(distinct, into: "duplicate(case_ref, hash, entry_ref)") { holding in
      (row.ref, holding.hash, holding.entry)
    }
  }

  /// Adds entries to those that hold something.
  ///
  /// - Returns: those that held the same before each, the first sixteen.
  func insertAll(_ new: [Holding]) throws -> [[EntryID]] {
    var known = try held(among: new.map(\.hash))
    let isDoubled = new.map { !known.insert($0.hash).inserted }
    try insert(new)
    return try new.indices.map { index in
      isDoubled[index] ? try holders(of: new[index].hash, before: new[index].entry) : []
    }
  }

  private func holders(of hash: Bytes32, before entry: Int64) throws -> [EntryID] {
    try Row.fetchAll(
      db,
      cached: """
        SELECT l.entry_id FROM duplicate d JOIN leaf l ON l.id = d.entry_ref
        WHERE d.case_ref = ? AND d.hash = ? AND d.entry_ref < ? ORDER BY d.entry_ref LIMIT 16
        """, arguments: [row.ref, hash.bytes.data, entry]
    ).map { try $0.identifier("entry_id") as EntryID }
  }

  /// Those of many that something holds already; few statements, since mostly there are none.
  private func held(among hashes: [Bytes32]) throws -> Set<Bytes32> {
    let width = min(256, hashes.count)
    var found: Set<Bytes32> = []
    for start in stride(from: 0, to: hashes.count, by: max(width, 1)) {
      // The last ones are asked for together with some of those before, so that one statement serves all.
      let asked = hashes[min(start, hashes.count - width)...].prefix(width)
      let rows = try Row.fetchAll(
        db,
        cached: """
          WITH asked(hash) AS (VALUES \(String(repeating: "(?),", count: width).dropLast()))
          SELECT hash FROM asked
          WHERE EXISTS (SELECT 1 FROM duplicate d WHERE d.case_ref = ? AND d.hash = asked.hash)
          """,
        arguments: StatementArguments(asked.map(\.bytes.data)) + [row.ref])
      for row in rows { found.insert(try row.bytes32("hash")) }
    }
    return found
  }

  /// Holders that still stand for it, so that it need not be added again; the first sixteen. Not those that
  /// were erased or set aside; and of a file that is to be kept in `store`, not those of which the bytes are not there,
  /// or not any more: whoever adds it again may remove the original then.
  func standingHolders(
    of mark: Mark, withBytesIn store: BlobStore?, in authors: CaseAuthors
  ) throws -> [EntryID] {
    let records = try Row.fetchCursor(
      db,
      sql: EntryTable.select
        + " JOIN duplicate d ON d.entry_ref = l.id WHERE d.case_ref = ? AND d.hash = ? ORDER BY d.entry_ref",
      arguments: [row.ref, hashing.hash(mark).bytes.data])
    var found: [EntryID] = []
    while found.count < 16, let record = try records.next() {
      let standing = try EntryTable.standing(db, record, in: authors)
      guard standing == .open || standing == .disputed else { continue }
      if let store, try !holdsBytes(of: mark, record, in: store) { continue }
      found.append(try record.identifier("entry_id"))
    }
    return found
  }

  private func holdsBytes(of mark: Mark, _ entry: Row, in store: BlobStore) throws -> Bool {
    let present = try Row.fetchAll(
      db,
      cached: """
        SELECT a.number, b.root, b.sealed_size, b.content IS NOT NULL AS is_inline
        FROM attachment a JOIN blob b ON b.id = a.blob_ref WHERE a.entry_ref = ? AND b.is_present = 1
        """, arguments: [entry["id"] as Int64]
    ).filter { blob in
      if blob["is_inline"] { return true }
      let path = store.path(of: try blob.identifier("root"))
      return try StoredFile.State(at: path, size: blob.number("sealed_size")) == .whole
    }
    let numbers = Set(present.map { $0.number("number") })
    return try EntryContent(parts: try PartList.decode(entry.bytes("parts"))).attachments
      .contains { $0.sha256.bytes == mark.bytes && numbers.contains($0.number) }
  }

  /// Whether a file of that many bytes was added to the case here.
  func mayHold(fileOf size: UInt64) throws -> Bool {
    try Row.fetchOne(
      db, cached: "SELECT 1 FROM duplicate WHERE case_ref = ? AND hash = ? LIMIT 1",
      arguments: [row.ref, hashing.hash(Mark(size: size)).bytes.data]) != nil
  }
}
