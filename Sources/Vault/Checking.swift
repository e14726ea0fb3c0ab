internal import CaseLog
internal import Cryptography
internal import GRDB
internal import VerifiableLog

extension OpenVault {
  /// Checks the vault as far as `depth` says. What is damaged is told and stops nothing; attachments are read
  /// outside of the vault, which can be used meanwhile.
  ///
  /// - Parameter onBytes: told how many bytes were looked at since it was told last, from any thread; may throw to
  ///   stop. `checkSize` says how many there are.
  public func check(
    _ depth: CheckDepth = .deep,
    onBytes: @escaping @Sendable (Int) throws(VaultError) -> Void = { (_) throws(VaultError) in }
  ) async throws(VaultError) -> CheckOutcome {
    var outcome = CheckOutcome(depth)
    switch locks {
    case .whole, .oneLeft: break
    case .madeAgain, .differed: outcome.note(.locks(locks))
    }
    switch standing {
    case .sound: break
    case .copied: outcome.note(.copied)
    case .rolledBack: outcome.note(.rolledBack)
    }
    let check = VaultCheck(files: files, database: database, keys: keys, now: surroundings.now())
    let sealed = try check.rows(&outcome, onBytes: onBytes)
    if depth == .deep {
      for (file, state) in zip(sealed, try await StoredFiles.read(sealed, onBytes: onBytes)) {
        outcome.note(file, state)
      }
    }
    return outcome
  }

  /// About how many bytes a check looks at; nil where damage keeps them from being counted.
  public func checkSize(_ depth: CheckDepth) throws(VaultError) -> UInt64? {
    guard depth != .quick else { return 0 }
    do throws(VaultError) {
      return try read { db in
        let entries =
          try Int64.fetchOne(db, cached: "SELECT sum(length(ciphertext)) FROM leaf") ?? 0
        let files =
          depth == .deep
          ? try Int64.fetchOne(db, cached: "SELECT sum(sealed_size) FROM blob WHERE is_present = 1")
          : 0
        return UInt64(entries + (files ?? 0))
      }
    } catch {
      guard error.code == .databaseDamaged else { throw error }
      return nil
    }
  }

  /// Builds the index of words anew from the entries that are open here; nothing else is touched.
  ///
  /// - Throws: `.databaseDamaged` where the damage is deeper, and nothing was changed.
  public func rebuildSearch() throws(VaultError) {
    try database.write { db in try ViewTable.rebuildSearch(db) }
  }
}

extension CheckOutcome {
  mutating func note(_ file: StoredFile, _ state: StoredFile.State) {
    switch state {
    case .whole: break
    case .damaged: note(.contentDamaged(file.entry))
    case .missing: note(.contentMissing(file.entry))
    }
  }
}

/// What is looked at: the files of a vault, or of a copy of one.
struct VaultCheck {
  let files: VaultFiles
  let database: SealedDatabase
  let keys: VaultKeys
  let now: UInt64
  /// A copy that is not in force yet has none of its own.
  var looksAtLocks = true
  private var blobs: BlobStore { BlobStore(folder: files.blobs) }

  /// All but the bytes of sealed files; answers which of those are there, to be read.
  func rows(
    _ outcome: inout CheckOutcome, onBytes: (Int) throws(VaultError) -> Void
  ) throws(VaultError) -> [StoredFile] {
    if looksAtLocks, !files.keysFilesAgree { outcome.note(.keysFile) }
    if looksAtLocks, files.hasOtherDatabase { outcome.note(.otherDatabase) }
    try look(&outcome) { (db, outcome) in
      let pragma = outcome.depth == .quick ? "quick_check(1)" : "integrity_check(1)"
      let answer = try String.fetchOne(db, sql: "PRAGMA \(pragma)")
      if answer != "ok" { outcome.note(.database) }
    }
    if outcome.depth != .quick { try relations(&outcome) }
    var cases: [CaseRow] = []
    try look(&outcome) { (db, _) in cases = try CaseRow.all(db) }
    for row in cases {
      outcome.caseCount += 1
      try look(&outcome) { (db, outcome) in
        try CaseChecker(db, of: row, keys: keys, depth: outcome.depth).run(
          &outcome, onBytes: onBytes)
      }
      guard outcome.depth != .quick else { continue }
      try look(&outcome) { (db, outcome) in
        let status = try StatusReader(db, of: row, now: now).status()
        if !status.troubles.isEmpty { outcome.troubled.append(status) }
      }
    }
    var sealed: [StoredFile] = []
    try look(&outcome) { (db, outcome) in
      sealed = try attachments(db, &outcome, onBytes: onBytes)
    }
    return sealed
  }

  /// That no row names one that is not there, and that the index of words is that of the texts which it is to
  /// index. Its own check is a statement that writes, and takes nothing but the right to.
  private func relations(_ outcome: inout CheckOutcome) throws(VaultError) {
    try look(&outcome) { (db, outcome) in
      if try Row.fetchOne(db, sql: "PRAGMA foreign_key_check") != nil { outcome.note(.database) }
      // What it was given, without asking the index, which may be in no state to answer.
      let isAstray =
        try Row.fetchOne(
          db,
          cached: """
            SELECT 1 FROM search_content s LEFT JOIN leaf l ON l.id = s.id
            WHERE l.id IS NULL OR l.class = 1 LIMIT 1
            """) != nil
      if isAstray { outcome.note(.search) }
    }
    do {
      try database.queue.writeWithoutTransaction { db in
        try db.inTransaction {
          try db.execute(cached: "INSERT INTO search(search) VALUES ('integrity-check')")
          return .rollback
        }
      }
    } catch let error as DatabaseError where error.resultCode == .SQLITE_ERROR {
      // It does not know its own format any more.
      outcome.note(.search)
    } catch {
      let error = VaultError.ofDatabase(error)
      guard error.code == .databaseDamaged else { throw error }
      outcome.note(.search)
    }
  }

  /// Damage that keeps one thing from being looked at is told, and the next one is looked at.
  private func look(
    _ outcome: inout CheckOutcome, _ body: (Database, inout CheckOutcome) throws -> Void
  ) throws(VaultError) {
    do {
      try database.queue.snapshot { db in try body(db, &outcome) }
    } catch {
      let error = VaultError.ofDatabase(error)
      guard error.code == .databaseDamaged else { throw error }
      outcome.note(.database)
    }
  }

  /// Small attachments, which stand in the database, and whether the files of large ones are there.
  private func attachments(
    _ db: Database, _ outcome: inout CheckOutcome, onBytes: (Int) throws(VaultError) -> Void
  ) throws -> [StoredFile] {
    var sealed: [StoredFile] = []
    var stored: Set<String> = []
    let content = outcome.depth == .deep ? "b.content" : "NULL"
    let records = try Row.fetchCursor(
      db,
      sql: """
        SELECT b.root, b.sealed_size, b.is_present, length(b.content) AS inline_size,
          \(content) AS content,
          (SELECT l.entry_id FROM attachment a JOIN leaf l ON l.id = a.entry_ref
            WHERE a.blob_ref = b.id ORDER BY l.id LIMIT 1) AS entry_id
        FROM blob b
        """)
    while let record = try records.next() {
      // A row that no entry names any more is dust.
      guard record.hasValue("entry_id") else { continue }
      let file = StoredFile(
        root: try record.identifier("root"), size: record.number("sealed_size"),
        path: blobs.path(of: try record.identifier("root")),
        entry: try record.identifier("entry_id"))
      guard record["is_present"] as Bool else {
        outcome.filesAwaited += 1
        // It came and is not shown: the end of an exchange was lost, or an older row was put back.
        if try file.presence() == .whole {
          stored.insert(file.path)
          outcome.note(.contentUnlisted(file.entry))
        }
        continue
      }
      outcome.fileCount += 1
      outcome.fileBytes += file.size
      if let size: Int64 = record["inline_size"] {
        let bytes = record.bytesIfAny("content")
        try onBytes(bytes?.count ?? 0)
        if UInt64(size) != file.size || bytes.map({ StoredFiles.root(of: $0) != file.root }) == true
        {
          outcome.note(.contentDamaged(file.entry))
        }
        continue
      }
      stored.insert(file.path)
      let state = try file.presence()
      outcome.note(file, state)
      if state == .whole { sealed.append(file) }
    }
    let stray = try blobs.storedPaths().count { !stored.contains($0) }
    if stray > 0 { outcome.note(.strayFiles(stray)) }
    return sealed
  }
}

extension VaultFiles {
  /// Whether both copies of the locks are there, whole and the same.
  var keysFilesAgree: Bool {
    do throws(VaultError) { return try KeysPair(of: self).agrees } catch { return false }
  }
}
