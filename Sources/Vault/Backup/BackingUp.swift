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
  /// Whether the vault knows of it now (`lastBackup`): its own disk may be full, which costs the backup nothing.
  public var isNoted = false
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
  /// meanwhile. The former backup stays whole until the new one is, and was looked at in its closed file.
  ///
  /// - Parameters:
  ///   - isDeep: reads every file in the backup, also those that were there already.
  ///   - onBytes: told how many bytes were copied or read since it was told last, from any thread; may throw to stop.
  /// - Throws: `.outputInVault`, `.notABackup`, `.backupOfAnother`, `.backupIsNewer`, `.backupUnknown`,
  ///   `.backupDamaged`, `.backupRefused`, `.notKept`, `.inUse`, `.diskFull`, or what the system says.
  public func backUp(
    to path: String, isDeep: Bool = false,
    onBytes: @escaping @Sendable (Int) throws(VaultError) -> Void = { (_) throws(VaultError) in }
  ) async throws(VaultError) -> BackupOutcome {
    // Whatever lies in the vault's folder by now was not looked at, and may be anybody's.
    let folder = try BackupFolder(
      at: path, of: files, keysFile: locksInForce, key: keys.database)
    do throws(VaultError) {
      try requireNewer(than: folder)
      return try await backUp(to: folder, isDeep: isDeep, onBytes)
    } catch {
      folder.giveUp()
      throw error
    }
  }

  /// The last backup that was made from here; nil if there was none.
  public func lastBackup() throws(VaultError) -> LastBackup? {
    let value = try read { db in
      try Row.fetchOne(db, cached: "SELECT value FROM setting WHERE name = 'last-backup'")?
        .bytes("value")
    }
    guard let value, value.count > 8 else { return nil }
    return LastBackup(
      time: UInt64(bigEndianBytes: value.prefix(8)),
      path: String(decoding: value.dropFirst(8), as: UTF8.self))
  }

  /// Notes in the vault that it was made. Whatever comes of that, the backup is complete.
  ///
  /// - Returns: whether the vault took it.
  private func note(_ folder: BackupFolder) -> Bool {
    let now = surroundings.now()
    do {
      try database.queue.write { db in
        try db.execute(
          cached: "INSERT OR REPLACE INTO setting(name, value) VALUES ('last-backup', ?)",
          arguments: [(now.bigEndianBytes + Array(folder.files.folder.utf8)).data])
      }
      return true
    } catch {
      return false
    }
  }

  /// Notes in the vault that it knows what is in this one. Whatever comes of that, the backup is made.
  ///
  /// - Returns: whether the vault took it.
  private func noteMark(of folder: BackupFolder) -> Bool {
    do {
      let mark = try KnownBackups.mark(ofDatabase: folder.partial)
      try database.queue.write { db in try KnownBackups.note(db, mark) }
      return true
    } catch {
      return false
    }
  }

  /// An older state of the vault shall not take the place of a backup of a newer one.
  private func requireNewer(than folder: BackupFolder) throws(VaultError) {
    guard folder.isUpdate else { return }
    guard standing != .rolledBack else { throw VaultError(.backupIsNewer) }
    guard let former = try folder.formerContent(key: keys.database) else {
      // Nobody can look into it here: a vault that was restored from an older one may lack what is in it.
      let marks = try folder.earlierFiles.map { (files) throws(VaultError) in
        try KnownBackups.mark(ofDatabase: files.database)
      }
      guard try read({ db in try marks.allSatisfy { try KnownBackups.holds(db, $0) } }) else {
        throw VaultError(.backupUnknown)
      }
      return
    }
    // Longer, another history, or more of the same: either way it has what this vault lacks.
    guard try read({ db in try former.isHeld(by: db) }) else { throw VaultError(.backupIsNewer) }
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
      where state != .whole { lacking.append(file) }
    }
    var copied = try await copy(lacking, to: target, &outcome, onBytes)
    let stored = try copyDatabase(to: folder, onBytes)
    let earlier = Set(lacking.map(\.path))
    let late = try Self.lacking(stored).filter { !earlier.contains($0.path) }
    copied.formUnion(try await copy(late, to: target, &outcome, onBytes))
    let fresh = earlier.union(late.map(\.path))
    outcome.filesKept = stored.count { !fresh.contains($0.path) }
    try await check(folder, fresh: fresh, copied: copied, &outcome, onBytes)
    // Before it is in force: whatever ends this afterwards, the vault knows that backup, also under later keys.
    let isKnown = noteMark(of: folder)
    try folder.putInForce()
    outcome.filesRemoved = try folder.removeUnnamed(stored)
    try look(at: folder, &outcome)
    let hasTime = note(folder)
    outcome.isNoted = isKnown && hasTime
    return outcome
  }

  private static func lacking(_ files: [StoredFile]) throws(VaultError) -> [StoredFile] {
    var lacking: [StoredFile] = []
    for file in files where try file.presence() != .whole { lacking.append(file) }
    return lacking
  }

  /// - Returns: the paths of those that came whole.
  private func copy(
    _ files: [StoredFile], to target: BlobStore, _ outcome: inout BackupOutcome,
    _ onBytes: @escaping @Sendable (Int) throws(VaultError) -> Void
  ) async throws(VaultError) -> Set<String> {
    var copied: Set<String> = []
    let states = try await StoredCopies.copy(files, from: blobs, to: target, onBytes: onBytes)
    for (file, state) in zip(files, states) where state == .whole {
      outcome.filesCopied += 1
      outcome.bytesCopied += file.size
      copied.insert(file.path)
    }
    return copied
  }

  /// SQLite copies its pages within one transaction: the state of one moment, under the same key. Closing a
  /// database keeps silent about pages that it could not move from the log beside it, as on a disk that is full;
  /// so they are moved before, and the file is measured.
  ///
  /// - Returns: the sealed files that it names. It is closed, complete, and nothing is beside it.
  private func copyDatabase(
    to folder: BackupFolder, _ onBytes: @escaping @Sendable (Int) throws(VaultError) -> Void
  ) throws(VaultError) -> [StoredFile] {
    do {
      try SealedDatabase.create(at: folder.partial, key: keys.database, vaultID: vaultID)
      let copy = try SealedDatabase(
        opening: folder.partial, key: keys.database, vaultID: vaultID)
      do {
        try database.queue.backup(to: copy.queue, pagesPerStep: 1024) { progress in
          try onBytes(1024 * SealedPages.pageByteCount)
        }
        let stored = try copy.read { db in try StoredCopies.named(by: db, in: folder.blobs) }
        let pageCount = try copy.moveLogIntoFile()
        try copy.close()
        try folder.requireNoLog(beside: folder.partial)
        let file = try OpenFile(reading: folder.partial, followingLinks: false)
        guard try file.status().size == pageCount * UInt64(SealedPages.pageByteCount) else {
          throw VaultError(.inputOutput)
        }
        try file.synchronize()
        file.forgetPages()
        return stored
      } catch {
        copy.giveUp()
        throw error
      }
    } catch {
      throw .ofDatabase(error)
    }
  }

  /// Before anything of the former backup gives way: the new database whole, as it is when it is opened anew, and
  /// every file that was copied read back.
  private func check(
    _ folder: BackupFolder, fresh: Set<String>, copied: Set<String>,
    _ outcome: inout BackupOutcome,
    _ onBytes: @escaping @Sendable (Int) throws(VaultError) -> Void
  ) async throws(VaultError) {
    let stored = try checkRows(folder, &outcome, onBytes)
    let isSound = outcome.check.findings.allSatisfy { finding in
      switch finding {
      case .contentMissing, .contentDamaged: return true
      default: return !finding.isDamage
      }
    }
    guard isSound else { throw VaultError(.backupRefused) }
    // With `isDeep`, the others were read before.
    let read = stored.filter { fresh.contains($0.path) }
    var notKept: [StoredFile] = []
    for (file, state) in zip(read, try await StoredFiles.read(read, onBytes: onBytes)) {
      outcome.check.note(file, state)
      if state != .whole, copied.contains(file.path) { notKept.append(file) }
    }
    // They came whole, and are not whole here: that is this disk's doing. They shall not be taken for good ones.
    for file in notKept { Folders.remove(file.path) }
    guard notKept.isEmpty else { throw VaultError(.notKept) }
  }

  private func checkRows(
    _ folder: BackupFolder, _ outcome: inout BackupOutcome,
    _ onBytes: (Int) throws(VaultError) -> Void
  ) throws(VaultError) -> [StoredFile] {
    do {
      let closed = try SealedDatabase(
        opening: folder.partial, key: keys.database, vaultID: vaultID)
      do {
        let check = VaultCheck(
          files: folder.files, database: closed, keys: keys, now: surroundings.now(),
          looksAtLocks: false)
        let stored = try check.rows(&outcome.check, onBytes: onBytes)
        try closed.close()
        return stored
      } catch {
        closed.giveUp()
        throw error
      }
    } catch {
      throw .ofDatabase(error)
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
  /// Moves all that is in the log beside it into the file itself, or throws.
  ///
  /// - Returns: how many pages the file has then.
  func moveLogIntoFile() throws -> UInt64 {
    try queue.writeWithoutTransaction { db in
      let left = try db.checkpoint(.truncate)
      guard left.walFrameCount <= 0 else { throw VaultError(.inputOutput) }
      let count = try Int64.fetchOne(db, sql: "PRAGMA page_count") ?? 0
      guard count > 0 else { throw VaultError(.inputOutput) }
      return UInt64(count)
    }
  }

  /// Closed. What could not be moved from the log beside it is still there, and nothing tells so:
  /// `moveLogIntoFile` comes before where the file alone counts.
  func close() throws(VaultError) {
    do { try queue.close() } catch { throw .ofDatabase(error) }
    forgetKey()
  }
}
