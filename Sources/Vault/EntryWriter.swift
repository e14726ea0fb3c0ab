internal import CaseLog
internal import Cryptography
internal import GRDB
internal import VerifiableLog

/// Writes content and notes into a case, sealed for those who are to read them.
final class EntryWriter {
  private let db: Database
  private let row: CaseRow
  private let control: CaseControl
  private let duplicatesKey: SecretKey
  /// Members beside the writer's own devices who can open what was written last.
  private(set) var readerCount = 0

  /// - Throws: `.notSyncedYet`, `.removed`, `.newerVersion`.
  init(
    _ db: Database, of row: CaseRow, keys: VaultKeys, surroundings: Surroundings
  ) throws {
    self.db = db
    self.row = row
    control = try CaseControl(db, of: row, keys: keys, surroundings: surroundings)
    try control.removeLapsed()
    duplicatesKey = keys.duplicates.copy()
  }

  func write(_ addition: SealedAddition) throws -> AddOutcome.Saved {
    var content = addition.entry.content
    content.attachments = addition.attachment.map { [$0] } ?? []
    let entry = try append(
      content, as: row.role == .survivor ? .evidence : .note, for: addition.entry.audience)
    if let box = addition.blob {
      try BlobTable.insert(db, box, entry: entry.leafRef)
    }
    return AddOutcome.Saved(
      id: entry.id, sameContentAs: try recordDigest(addition, entry: entry.leafRef))
  }

  /// Appends an entry of any kind: whether the role may write it is the caller's to know.
  ///
  /// - Throws: `.notAllowed`, `.unknownMember` for an audience that is not this writer's to choose.
  func append(
    _ content: EntryContent, as kind: EntryKind, for audience: EntryAudience = .allReaders
  ) throws -> LogAppender.Appended {
    let epochs = try ReaderChoice(control).epochs(for: audience, about: content.about)
    let entryKey = SecretKey.random()
    let entry = try control.appender.append(kind: kind, parts: content.parts, key: entryKey)
    for epoch in epochs {
      try control.appender.addSlot(for: entry, key: entryKey, epoch: epoch.key)
    }
    readerCount = epochs.count { $0.key.audience != .devices }
    if audience != .allReaders {
      try db.execute(
        sql: "INSERT INTO kept_back(entry_ref) VALUES (?)", arguments: [entry.leafRef])
    }
    return entry
  }

  func sign() throws { try control.sign() }

  /// Remembers the content under a hash that says nothing without the key, and tells who has it already.
  private func recordDigest(_ addition: SealedAddition, entry: Int64) throws -> [EntryID] {
    guard let digest = addition.digest else { return [] }
    let hash = (digest.sha256.bytes + row.caseID.bytes).withBytes {
      HMACSHA256.authenticate($0, key: duplicatesKey)
    }
    let earlier = try Row.fetchAll(
      db,
      sql: """
        SELECT l.entry_id FROM duplicate d JOIN leaf l ON l.id = d.entry_ref
        WHERE d.case_ref = ? AND d.hash = ? ORDER BY l.id LIMIT 16
        """, arguments: [row.ref, hash.bytes.data])
    try db.execute(
      sql: "INSERT INTO duplicate(case_ref, hash, entry_ref) VALUES (?, ?, ?)",
      arguments: [row.ref, hash.bytes.data, entry])
    return try earlier.map { try $0.identifier("entry_id") }
  }
}

/// The rows of sealed attachments.
enum BlobTable {
  /// An attachment that an entry from elsewhere names, of which the bytes may still come.
  static func expect(
    _ db: Database, _ root: BlobRoot, size: UInt64, number: UInt64, of entry: Int64
  ) throws {
    let plaintext = Padme.paddedLength(size + 8)
    let spans = SpanCipher.spanCount(plaintextByteCount: plaintext)
    let sealedSize = plaintext + spans * UInt64(AEAD.tagByteCount)
    try db.execute(
      sql: "INSERT OR IGNORE INTO blob(root, sealed_size, is_present) VALUES (?, ?, 0)",
      arguments: [root.bytes.data, Int64(sealedSize)])
    try db.execute(
      sql: """
        INSERT OR IGNORE INTO attachment(entry_ref, number, blob_ref)
        SELECT ?, ?, id FROM blob WHERE root = ? AND sealed_size = ?
        """,
      arguments: [entry, Int64(number), root.bytes.data, Int64(sealedSize)])
  }

  static func insert(_ db: Database, _ box: NewBlobBox, entry: Int64) throws {
    let blob = box.blob.root
    try db.execute(
      sql: """
        INSERT INTO blob(root, sealed_size, content, is_present) VALUES (?, ?, ?, 1)
        """,
      arguments: [blob.bytes.data, Int64(box.blob.sealedSize), box.blob.inline?.data])
    try db.execute(
      sql: "INSERT INTO attachment(entry_ref, number, blob_ref) VALUES (?, 0, ?)",
      arguments: [entry, db.lastInsertedRowID])
  }
}
