internal import CaseLog
internal import Cryptography
internal import GRDB
public import VerifiableLog

/// What a check of the whole vault found.
public struct CheckOutcome: Sendable {
  public enum Finding: Hashable, Sendable {
    /// One of the two copies of the locks is missing or damaged, or they differ.
    case keysFile
    /// SQLite's own check of the database failed.
    case database
    /// The folder is a copy, or was restored: nothing may be signed here.
    case copied
    /// The database is older than what was signed.
    case rolledBack
    /// Leaves of this log do not give the head that was signed.
    case log(LogID)
    /// The stored ciphertext of this entry is not the one in its leaf.
    case ciphertext(EntryID)
    /// What is shown of this entry is not what its ciphertext says.
    case view(EntryID)
    /// The bytes of this entry's attachment are missing though they were stored.
    case contentMissing(EntryID)
    /// The bytes of this entry's attachment are damaged.
    case contentDamaged(EntryID)
    /// Files that no entry names; harmless.
    case strayFiles(Int)
    /// An entry that its author may not write; kept aside.
    case violation(LogID, sequence: UInt64)
    /// A member signed two histories.
    case fork(LogID)
    /// A case was written to by a newer version.
    case newerVersion

    /// Whether this vault lost or mixed up something, in contrast to others' doings and to dust.
    public var isDamage: Bool {
      switch self {
      case .strayFiles, .violation, .fork, .newerVersion, .copied: return false
      default: return true
      }
    }
  }

  public var findings: [Finding] = []
  public var caseCount = 0
  public var entryCount = 0
  public var fileCount = 0
  public var fileBytes: UInt64 = 0
  /// Attachments that have not come yet.
  public var filesAwaited = 0
  /// Cases about which there is something to know besides what is in `findings`.
  public var troubled: [CaseStatus] = []
}

extension OpenVault {
  /// Checks everything: locks, database, that rows give the signed logs, that what is shown is what was sealed, and
  /// every byte of every attachment.
  ///
  /// - Parameter onBytes: told how many bytes of attachments were read since it was told last; may throw to stop.
  public func check(
    onBytes: (Int) throws(VaultError) -> Void = { (_) throws(VaultError) in }
  ) throws(VaultError) -> CheckOutcome {
    var outcome = CheckOutcome()
    switch standing {
    case .sound: break
    case .copied: outcome.findings.append(.copied)
    case .rolledBack: outcome.findings.append(.rolledBack)
    }
    if !files.keysFilesAgree { outcome.findings.append(.keysFile) }
    try read { db in
      let answer = try String.fetchOne(db, sql: "PRAGMA quick_check(1)")
      if answer != "ok" { outcome.findings.append(.database) }
      for row in try CaseRow.all(db) {
        outcome.caseCount += 1
        try CaseChecker(db, of: row, keys: keys).run(&outcome)
        let status = try StatusReader(db, of: row, now: surroundings.now()).status()
        if !status.troubles.isEmpty { outcome.troubled.append(status) }
      }
    }
    try checkBlobs(&outcome, onBytes: onBytes)
    return outcome
  }

  private func checkBlobs(
    _ outcome: inout CheckOutcome, onBytes: (Int) throws(VaultError) -> Void
  ) throws(VaultError) {
    let records = try read { db in
      try Row.fetchAll(
        db,
        sql: """
          SELECT b.root, b.sealed_size, b.content, b.is_present, min(l.entry_id) AS entry_id FROM blob b
          JOIN attachment a ON a.blob_ref = b.id JOIN leaf l ON l.id = a.entry_ref GROUP BY b.id
          """
      ).map { record in
        StoredBlob(
          root: try record.identifier("root"), sealedSize: record.number("sealed_size"),
          content: record.bytesIfAny("content"), isPresent: record["is_present"],
          entry: try record.identifier("entry_id"))
      }
    }
    var expected: Set<String> = []
    for blob in records {
      guard blob.isPresent else {
        outcome.filesAwaited += 1
        continue
      }
      outcome.fileCount += 1
      outcome.fileBytes += blob.sealedSize
      if blob.content == nil { expected.insert(blobs.path(of: blob.root)) }
      do throws(VaultError) {
        if try !blobs.isWhole(blob, onBytes: onBytes) {
          outcome.findings.append(.contentDamaged(blob.entry))
        }
      } catch {
        guard error.code == .fileMissing else { throw error }
        outcome.findings.append(.contentMissing(blob.entry))
      }
    }
    let stray = try blobs.storedPaths().count { !expected.contains($0) }
    if stray > 0 { outcome.findings.append(.strayFiles(stray)) }
  }
}

/// A sealed attachment as its row describes it.
struct StoredBlob {
  let root: BlobRoot
  let sealedSize: UInt64
  let content: [UInt8]?
  let isPresent: Bool
  let entry: EntryID
}

extension BlobStore {
  /// Whether the sealed bytes still give the root; needs no key.
  func isWhole(
    _ blob: StoredBlob, onBytes: (Int) throws(VaultError) -> Void
  ) throws(VaultError) -> Bool {
    var tree = BlobTree()
    let length = BlobTree.spanByteCount
    if let content = blob.content {
      for start in stride(from: 0, to: content.count, by: length) {
        Array(content[start..<min(start + length, content.count)]).withBytes { tree.append($0) }
      }
      return UInt64(content.count) == blob.sealedSize && tree.root == blob.root
    }
    let file = try OpenFile(reading: path(of: blob.root), followingLinks: false)
    guard try file.status().size == blob.sealedSize else { return false }
    var buffer = [UInt8](repeating: 0, count: 16 * length)
    while true {
      let count = try file.read(into: &buffer, count: buffer.count)
      buffer.withBytes { bytes in
        for start in stride(from: 0, to: count, by: length) {
          tree.append(bytes.extracting(start..<min(start + length, count)))
        }
      }
      try onBytes(count)
      if count < buffer.count { break }
    }
    return tree.root == blob.root
  }

  /// The files of attachments that are there, by path.
  func storedPaths() throws(VaultError) -> [String] {
    var paths: [String] = []
    for name in try Folders.names(in: folder) where name.utf8.count == 2 {
      for file in try Folders.names(in: folder + "/" + name) {
        paths.append(folder + "/" + name + "/" + file)
      }
    }
    return paths
  }
}

extension VaultFiles {
  /// Whether both copies of the locks are there, whole and the same.
  var keysFilesAgree: Bool {
    do throws(VaultError) {
      let first = try KeysFile(decoding: try Folders.read(keys, max: KeysFile.byteCount))
      let second = try KeysFile(decoding: try Folders.read(secondKeys, max: KeysFile.byteCount))
      return first.bytes == second.bytes
    } catch {
      return false
    }
  }
}

/// Compares the rows of one case with what its logs signed.
private struct CaseChecker {
  let db: Database
  let row: CaseRow
  let epochs: [LoadedEpoch]

  init(_ db: Database, of row: CaseRow, keys: VaultKeys) throws {
    self.db = db
    self.row = row
    epochs = try LoadedEpoch.all(db, of: row, keys: keys)
  }

  func run(_ outcome: inout CheckOutcome) throws {
    let state = try CaseView.state(db, of: row)
    if state.isStoppedByNewerVersion { outcome.findings.append(.newerVersion) }
    for violation in state.violations {
      outcome.findings.append(.violation(violation.logID, sequence: violation.sequence))
    }
    for log in try Row.fetchAll(
      db, sql: "SELECT * FROM log WHERE case_ref = ? ORDER BY log_id", arguments: [row.ref])
    {
      let logID: LogID = try log.identifier("log_id")
      if log.hasValue("forked_at") { outcome.findings.append(.fork(logID)) }
      if try !checkLog(log, logID, &outcome) { outcome.findings.append(.log(logID)) }
    }
  }

  /// Leaves to tree, tree to the stored root and to the signed head; each ciphertext to its leaf.
  private func checkLog(
    _ log: Row, _ logID: LogID, _ outcome: inout CheckOutcome
  ) throws -> Bool {
    let leaves = try Row.fetchCursor(
      db,
      sql: """
        SELECT l.*, e.parts, e.problem FROM leaf l LEFT JOIN entry e ON e.id = l.id
        WHERE l.log_ref = ? ORDER BY l.sequence
        """, arguments: [log["id"] as Int64])
    var tree = CompactRange()
    var rootAtHead: Bytes32?
    let headSize = log.number("note_size")
    while let record = try leaves.next() {
      let leaf = try LeafData(parsing: record.bytes("data"))
      guard leaf.sequence == tree.size,
        EntryID(log: logID, leaf: leaf) == (try record.identifier("entry_id"))
      else { return false }
      tree.append(leaf.hash)
      if tree.size == headSize { rootAtHead = tree.root }
      if leaf.entryClass != .control { outcome.entryCount += 1 }
      try checkEntry(record, leaf, logID, &outcome)
    }
    guard tree.size == log.number("size"), tree.root == (try log.bytes32("root")) else {
      return false
    }
    guard let note = log.bytesIfAny("note") else { return headSize == 0 }
    let key = try VerifyingKey(try log.bytes32("signing_key"))
    do {
      let head = try VerifiedCheckpoint(
        verifying: note, of: LogIdentity(caseID: row.caseID.raw, key: key))
      return head.size == headSize && head.root == rootAtHead
    } catch {
      return false
    }
  }

  private func checkEntry(
    _ record: Row, _ leaf: LeafData, _ logID: LogID, _ outcome: inout CheckOutcome
  ) throws {
    guard let ciphertext = record.bytesIfAny("ciphertext") else { return }
    let id: EntryID = try record.identifier("entry_id")
    guard SealedEntry.hash(ciphertext) == leaf.ciphertextHash else {
      outcome.findings.append(.ciphertext(id))
      return
    }
    let problem: String? = record["problem"]
    guard let shown = record.bytesIfAny("parts"), problem == nil else { return }
    do {
      let key = try EntryKeys.key(
        of: record["id"], leaf: leaf, logID: logID, epochs: epochs, db: db)
      let opened = try SealedEntry(leaf: leaf, ciphertext: ciphertext).open(
        at: EntryPlace(caseID: row.caseID, logID: logID, sequence: leaf.sequence), key: key)
      guard PartList.encode(opened.disclosedParts) == shown else {
        throw VaultError(.databaseDamaged)
      }
    } catch {
      outcome.findings.append(.view(id))
    }
  }
}
