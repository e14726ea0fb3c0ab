internal import Cryptography
internal import GRDB
internal import VerifiableLog

/// What a backup came to.
public struct BackupOutcome: Sendable {
  /// Whether a former backup was there and was brought up to date.
  public let isUpdate: Bool
  public var filesCopied = 0
  public var bytesCopied: UInt64 = 0
  /// Files that were there already.
  public var filesKept = 0
  /// Files of the former backup that the vault names no more: of erased entries.
  public var filesRemoved = 0
  /// Of the backup itself, opened again.
  public var check: CheckOutcome
}

/// When a backup was made, in seconds since 1970 by this device's clock, and where.
public struct LastBackup: Hashable, Sendable {
  public let time: UInt64
  public let path: String
}

extension OpenVault {
  /// Makes `path` a copy of the vault's files that opens by itself, or brings it up to date. The vault can be used
  /// meanwhile. Whatever happens, the former backup stays whole until the new one is, and was looked at.
  ///
  /// - Parameters:
  ///   - isDeep: reads every file in the backup, also those that were there already.
  ///   - onBytes: told how many bytes were copied or read since it was told last, from any thread; may throw to stop.
  /// - Throws: `.outputInVault`, `.notABackup`, `.backupOfAnother`, `.backupIsNewer`, `.backupRefused`, `.inUse`,
  ///   `.diskFull`, or what the system says.
  public func backUp(
    to path: String, isDeep: Bool = false,
    onBytes: @escaping @Sendable (Int) throws(VaultError) -> Void = { (_) throws(VaultError) in }
  ) async throws(VaultError) -> BackupOutcome {
    let keysFile = try currentLocks()
    let folder = try BackupFolder(
      at: path, of: files, keysFile: keysFile, key: keys.database)
    do throws(VaultError) {
      try requireNewer(than: folder)
      let outcome = try await backUp(to: folder, isDeep: isDeep, onBytes)
      try remember(path: folder.files.folder)
      return outcome
    } catch {
      folder.giveUp()
      throw error
    }
  }

  /// The last backup that was made from here; nil if there was none.
  public func lastBackup() throws(VaultError) -> LastBackup? {
    let value = try read { db in
      try Row.fetchOne(db, sql: "SELECT value FROM setting WHERE name = 'last-backup'")?
        .bytes("value")
    }
    guard let value, value.count > 8 else { return nil }
    return LastBackup(
      time: value.prefix(8).reduce(0) { $0 << 8 | UInt64($1) },
      path: String(decoding: value.dropFirst(8), as: UTF8.self))
  }

  private func remember(path: String) throws(VaultError) {
    let now = surroundings.now()
    let time = stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: now >> $0) }
    do {
      try database.queue.write { db in
        try db.execute(
          sql: "INSERT OR REPLACE INTO setting(name, value) VALUES ('last-backup', ?)",
          arguments: [(time + Array(path.utf8)).data])
      }
    } catch {
      throw .ofDatabase(error)
    }
  }

  /// The locks that are in force, by which this vault was opened.
  private func currentLocks() throws(VaultError) -> KeysFile {
    let pair = try KeysPair(of: files)
    for file in pair.inOrder
    where file.generation == files.generation && file.vaultID == vaultID { return file }
    throw VaultError(.keysDamaged)
  }

  /// An older state of the vault shall not take the place of a backup of a newer one.
  private func requireNewer(than folder: BackupFolder) throws(VaultError) {
    guard folder.isUpdate else { return }
    guard standing != .rolledBack else { throw VaultError(.backupIsNewer) }
    let own = try read { db in try LogTable.sizes(db) }
    for (log, size) in folder.formerLogs(key: keys.database) where (own[log] ?? 0) < size {
      throw VaultError(.backupIsNewer)
    }
  }

  private func backUp(
    to folder: BackupFolder, isDeep: Bool,
    _ onBytes: @escaping @Sendable (Int) throws(VaultError) -> Void
  ) async throws(VaultError) -> BackupOutcome {
    let target = folder.blobs
    var outcome = BackupOutcome(
      isUpdate: folder.isUpdate, check: CheckOutcome(isDeep ? .deep : .full))
    // Most of the bytes first, while the vault can be used; then the database, and what came meanwhile.
    let before = try read { db in try StoredCopies.named(by: db, in: target) }
    var lacking = try Self.lacking(before)
    if isDeep {
      let absent = Set(lacking.map(\.path))
      let there = before.filter { !absent.contains($0.path) }
      for (file, state) in zip(there, try await StoredFiles.read(there, onBytes: onBytes))
      where state != .whole {
        // So that a good one takes its place.
        if try await StoredFiles.read([original(of: file)], onBytes: onBytes) == [.whole] {
          try Folders.removeFile(file.path)
        }
        lacking.append(file)
      }
    }
    try await copy(lacking, to: target, &outcome, onBytes)
    let copy = try copyDatabase(to: folder, onBytes)
    do throws(VaultError) {
      let stored = try copy.read { db in try StoredCopies.named(by: db, in: target) }
      let earlier = Set(lacking.map(\.path))
      let late = try Self.lacking(stored).filter { !earlier.contains($0.path) }
      try await self.copy(late, to: target, &outcome, onBytes)
      outcome.filesKept = stored.count - outcome.filesCopied
      try await check(copy, in: folder, fresh: lacking + late, &outcome, onBytes)
      try copy.close()
      try folder.putInForce()
      outcome.filesRemoved = try folder.removeUnnamed(stored)
    } catch {
      copy.giveUp()
      throw error
    }
    try look(at: folder, &outcome)
    return outcome
  }

  private func original(of file: StoredFile) -> StoredFile {
    StoredFile(
      root: file.root, size: file.size, path: blobs.path(of: file.root), entry: file.entry)
  }

  private static func lacking(_ files: [StoredFile]) throws(VaultError) -> [StoredFile] {
    var lacking: [StoredFile] = []
    for file in files where try file.presence() != .whole { lacking.append(file) }
    return lacking
  }

  private func copy(
    _ files: [StoredFile], to target: BlobStore, _ outcome: inout BackupOutcome,
    _ onBytes: @escaping @Sendable (Int) throws(VaultError) -> Void
  ) async throws(VaultError) {
    let states = try await StoredCopies.copy(files, from: blobs, to: target, onBytes: onBytes)
    for (file, state) in zip(files, states) where state == .whole {
      outcome.filesCopied += 1
      outcome.bytesCopied += file.size
    }
  }

  /// SQLite copies its pages within one transaction: the state of one moment, under the same key.
  private func copyDatabase(
    to folder: BackupFolder, _ onBytes: @escaping @Sendable (Int) throws(VaultError) -> Void
  ) throws(VaultError) -> SealedDatabase {
    do {
      try SealedDatabase.create(at: folder.partial, key: keys.database, vaultID: vaultID)
      let copy = try SealedDatabase(
        opening: folder.partial, key: keys.database, vaultID: vaultID)
      do {
        try database.queue.backup(to: copy.queue, pagesPerStep: 1024) { progress in
          try onBytes(1024 * SealedPages.pageByteCount)
        }
      } catch {
        copy.giveUp()
        throw error
      }
      return copy
    } catch {
      throw .ofDatabase(error)
    }
  }

  /// Before anything of the former backup gives way: the new database whole, and every file that was copied
  /// read back.
  private func check(
    _ copy: SealedDatabase, in folder: BackupFolder, fresh: [StoredFile],
    _ outcome: inout BackupOutcome,
    _ onBytes: @escaping @Sendable (Int) throws(VaultError) -> Void
  ) async throws(VaultError) {
    let check = VaultCheck(
      files: folder.files, database: copy, keys: keys, now: surroundings.now(), looksAtLocks: false)
    let stored = try check.rows(&outcome.check, onBytes: onBytes)
    let isSound = outcome.check.findings.allSatisfy { finding in
      switch finding {
      case .contentMissing, .contentDamaged: return true
      default: return !finding.isDamage
      }
    }
    guard isSound else { throw VaultError(.backupRefused) }
    // With `isDeep`, the others were read before.
    let paths = Set(fresh.map(\.path))
    let read = stored.filter { paths.contains($0.path) }
    for (file, state) in zip(read, try await StoredFiles.read(read, onBytes: onBytes)) {
      outcome.check.note(file, state)
    }
  }

  /// Opens the backup as it stands now, by its lasting names.
  private func look(
    at folder: BackupFolder, _ outcome: inout BackupOutcome
  ) throws(VaultError) {
    let files = folder.files
    guard files.keysFilesAgree else { throw VaultError(.inputOutput) }
    do {
      let database = try SealedDatabase(
        opening: files.database, key: keys.database, vaultID: vaultID)
      defer { database.giveUp() }
      var quick = CheckOutcome(.quick)
      _ = try VaultCheck(
        files: files, database: database, keys: keys, now: surroundings.now()
      ).rows(&quick) { (_) throws(VaultError) in }
      let known = outcome.check.findings
      guard quick.findings.allSatisfy({ !$0.isDamage || known.contains($0) }) else {
        throw VaultError(.databaseDamaged)
      }
      outcome.check.strayed(quick)
    } catch {
      throw .ofDatabase(error)
    }
  }
}

extension CheckOutcome {
  /// Files that gave way since the check are no findings any more.
  fileprivate mutating func strayed(_ later: CheckOutcome) {
    findings.removeAll { finding in
      if case .strayFiles = finding { return !later.findings.contains(finding) }
      return false
    }
  }
}

extension SealedDatabase {
  func read<Result>(_ body: (Database) throws -> Result) throws(VaultError) -> Result {
    do { return try queue.read { db in try body(db) } } catch { throw .ofDatabase(error) }
  }

  /// Closed, with nothing left in the log beside it.
  func close() throws(VaultError) {
    do { try queue.close() } catch { throw .ofDatabase(error) }
    forgetKey()
  }
}
