internal import CaseLog
internal import Cryptography
internal import GRDB
internal import VerifiableLog

/// Writes content and notes into a case, sealed for those who are to read them.
final class EntryWriter {
  private let db: Database
  private let row: CaseRow
  private let control: CaseControl
  private let duplicates: DuplicateTable
  /// Members beside the writer's own devices who can open what was written last.
  private(set) var readerCount = 0

  /// - Throws: `.notSyncedYet`, `.removed`, `.newerVersion`.
  init(
    _ db: Database, of row: CaseRow, keys: VaultKeys, surroundings: Surroundings
  ) throws {
    self.db = db
    self.row = row
    control = try CaseControl(db, of: row, keys: keys, surroundings: surroundings)
    duplicates = DuplicateTable(db, of: row, keys: keys)
  }

  func write(_ addition: SealedAddition) throws -> AddOutcome.Saved {
    var content = addition.entry.content
    content.attachments = addition.files.enumerated().map { $1.attachment(number: $0) }
    let entry = try append(
      content, as: addition.entry.kind ?? row.role.ownKind, for: addition.entry.audience)
    for (number, file) in addition.files.enumerated() {
      guard let box = file.blob else { continue }
      try BlobTable.insert(db, box, entry: entry.leafRef, number: number)
    }
    var holders: [EntryID] = []
    for mark in addition.marks {
      for holder in try duplicates.insert(mark, entry: entry.leafRef)
      where holder != entry.id && !holders.contains(holder) { holders.append(holder) }
    }
    for mark in addition.sizeMarks { _ = try duplicates.insert(mark, entry: entry.leafRef) }
    return AddOutcome.Saved(
      id: entry.id, sameContentAs: holders, index: addition.index,
      isMinor: content.showsMinor)
  }

  /// Appends an entry of any kind: whether the role may write it is the caller's to know.
  ///
  /// - Throws: `.notAllowed`, `.unknownMember` for an audience that is not this writer's to choose.
  func append(
    _ content: EntryContent, as kind: EntryKind, for audience: EntryAudience = .allReaders
  ) throws -> LogAppender.Appended {
    let epochs = try ReaderChoice(control).epochs(
      for: audience, as: kind, about: content.about)
    let entryKey = SecretKey.random()
    let entry = try control.appender.append(kind: kind, parts: content.parts, key: entryKey)
    for epoch in epochs {
      try control.appender.addSlot(for: entry, key: entryKey, epoch: epoch.key)
    }
    readerCount = epochs.count { $0.key.audience != .devices }
    if try isKeptBack(audience, epochs: epochs, about: content.about) {
      try KeptBack.mark(db, entry.leafRef, byWord: audience != .allReaders)
    }
    return entry
  }

  /// Whether an entry is meant for fewer than all: by what was said, because somebody who reads the case
  /// now is left out, or because it is about what is meant for fewer. Who comes later is not to have it
  /// unless it is named.
  private func isKeptBack(
    _ audience: EntryAudience, epochs: [LoadedEpoch], about targets: [EntryID]
  ) throws -> Bool {
    guard row.role == .survivor else { return false }
    if audience != .allReaders { return true }
    guard !targets.isEmpty else { return false }
    let chosen = epochs.map { $0.key.audience }
    guard control.advocates.allSatisfy(chosen.contains) else { return true }
    let keptBack = try KeptBack(db, of: row, in: control.state)
    return try targets.contains { try keptBack.contains($0) }
  }

  func sign() throws { try control.sign() }
}

extension Role {
  /// What this role adds when it says nothing else.
  var ownKind: EntryKind { self == .survivor ? .evidence : .note }
}

/// The rows of sealed attachments.
enum BlobTable {
  /// An attachment that an entry from elsewhere names, of which the bytes may still come.
  static func expect(
    _ db: Database, _ root: BlobRoot, size: UInt64, number: UInt64, of entry: Int64
  ) throws {
    let sealedSize = sealedSize(of: size)
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

  /// Of an original of `size` bytes.
  static func sealedSize(of size: UInt64) -> UInt64 {
    let plaintext = Padme.paddedLength(size + 8)
    let spans = SpanCipher.spanCount(plaintextByteCount: plaintext)
    return plaintext + spans * UInt64(AEAD.tagByteCount)
  }

  static func insert(
    _ db: Database, _ box: NewBlobBox, entry: Int64, number: Int
  ) throws {
    let blob = box.blob.root
    try db.run(
      "INSERT INTO blob(root, sealed_size, content, is_present) VALUES (?, ?, ?, 1)",
      [blob.bytes.data, Int64(box.blob.sealedSize), box.blob.inline?.data])
    try db.run(
      "INSERT INTO attachment(entry_ref, number, blob_ref) VALUES (?, ?, ?)",
      [entry, number, db.lastInsertedRowID])
  }
}
