public import Cryptography
internal import GRDB

extension OpenVault {
  /// Puts a backup (or a plain copy of a vault's folder) to a place that is free, and opens it there. Nothing is
  /// written to the backup. It is put together beside its place, read in full, and moved there whole.
  ///
  /// The vault is a copy then: it can be read, and takes new keys before it signs (`renew`).
  ///
  /// - Returns: the vault, and what reading all of it found. What is damaged in a file is told and restored as it is.
  /// - Throws: `.vaultExists`, `.placeIsDisk`, `.outputInVault`, and what opening a vault throws.
  public static func restore(
    _ backup: String, to place: String, passphrase: borrowing LockedBytes,
    surroundings: Surroundings,
    onBytes: @escaping @Sendable (Int) throws(VaultError) -> Void = { (_) throws(VaultError) in }
  ) async throws(VaultError) -> (vault: OpenVault, check: CheckOutcome) {
    let source = try passphrase.withBytes { (bytes) throws(VaultError) in
      try OpenedBackup(backup, for: place, provesHeader: true) { (file) throws(VaultError) in
        try file.unlock(passphrase: bytes)
      }
    }
    let (folder, check) = try await putTogether(source, at: place, surroundings, onBytes)
    let vault = try OpenVault(
      opening: folder, passphrase: passphrase, surroundings: surroundings)
    return (vault, check)
  }

  /// As the above, by the recovery kit.
  public static func restore(
    _ backup: String, to place: String, kit: borrowing RecoveryKit, surroundings: Surroundings,
    onBytes: @escaping @Sendable (Int) throws(VaultError) -> Void = { (_) throws(VaultError) in }
  ) async throws(VaultError) -> (vault: OpenVault, check: CheckOutcome) {
    let pair = try kit.keyPair()
    let source = try OpenedBackup(backup, for: place, provesHeader: false) {
      (file) throws(VaultError) in try file.unlock(kit: pair)
    }
    let (folder, check) = try await putTogether(source, at: place, surroundings, onBytes)
    return (try OpenVault(opening: folder, kit: kit, surroundings: surroundings), check)
  }

  /// - Returns: where the vault is now.
  private static func putTogether(
    _ source: borrowing OpenedBackup, at path: String, _ surroundings: Surroundings,
    _ onBytes: @escaping @Sendable (Int) throws(VaultError) -> Void
  ) async throws(VaultError) -> (folder: String, check: CheckOutcome) {
    let place = try BuildingPlace(for: path, generation: source.locks.files.generation)
    do throws(VaultError) {
      let check = try await rebuild(
        place.files, from: source.locks.files, keysFile: source.locks.keysFile,
        master: source.locks.master, now: surroundings.now(), onBytes)
      try place.move()
      return (place.target, check)
    } catch {
      place.giveUp()
      throw error
    }
  }

  private static func rebuild(
    _ files: VaultFiles, from source: VaultFiles, keysFile: KeysFile,
    master: borrowing SecretKey, now: UInt64,
    _ onBytes: @escaping @Sendable (Int) throws(VaultError) -> Void
  ) async throws(VaultError) -> CheckOutcome {
    // Both copies from the one that opens.
    try files.writeKeys(keysFile)
    for (from, to) in [
      (source.database, files.database), (source.databaseLog, files.databaseLog),
    ] where Folders.exists(from) { try copy(from, to: to, onBytes) }
    let blobs = BlobStore(folder: files.blobs)
    try blobs.makeFolders()
    let derived = VaultKeys(master: master)
    let database: SealedDatabase
    do {
      database = try SealedDatabase(
        opening: files.database, key: derived.database, vaultID: keysFile.vaultID)
    } catch {
      throw VaultError.ofDatabase(error)
    }
    do {
      let keys = try CarriedKeys.read(database, derived)
      let mark = try KnownBackups.mark(ofDatabase: source.database)
      try await database.queue.write { db in try KnownBackups.note(db, mark) }
      let stored = try database.read { db in try StoredCopies.named(by: db, in: blobs) }
      _ = try await StoredCopies.copy(
        stored, from: BlobStore(folder: source.blobs), to: blobs, onBytes: onBytes)
      var outcome = CheckOutcome(.deep)
      let check = VaultCheck(files: files, database: database, keys: keys, now: now)
      let there = try check.rows(&outcome, onBytes: onBytes)
      for (file, state) in zip(there, try await StoredFiles.read(there, onBytes: onBytes)) {
        outcome.note(file, state)
      }
      try database.close()
      try Folders.synchronize(files.folder)
      return outcome
    } catch {
      database.giveUp()
      throw VaultError.ofDatabase(error)
    }
  }

  private static func copy(
    _ path: String, to copy: String, _ onBytes: (Int) throws(VaultError) -> Void
  ) throws(VaultError) {
    let source = try OpenFile(reading: path, followingLinks: false)
    let target = try OpenFile(creating: copy)
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      let count: Int
      do throws(VaultError) {
        count = try source.read(into: &buffer, count: buffer.count)
      } catch {
        // A place that the backup's disk does not give.
        throw VaultError(.databaseDamaged, systemError: error.systemError)
      }
      try buffer.withBytes { (bytes) throws(VaultError) in
        try target.write(bytes.extracting(0..<count))
      }
      try onBytes(count)
      if count < buffer.count { break }
    }
    try target.synchronize()
  }
}

/// A backup that nobody else uses, and of which a lock opened. Nothing is written to it.
private struct OpenedBackup: ~Copyable {
  let locks: OpenedLocks
  private let lock: OpenFile

  init(
    _ path: String, for place: String, provesHeader: Bool,
    by unlock: (KeysFile) throws(VaultError) -> SecretKey
  ) throws(VaultError) {
    let named = VaultFiles(folder: path)
    let target = try BuildingPlace.free(place)
    try named.checkIsVault()
    guard !named.contains(target) else { throw VaultError(.outputInVault) }
    let lock = try named.takeLock()
    let locks = try Self.openLocks(of: named, provesHeader: provesHeader, by: unlock)
    guard locks.files.hasDatabase else { throw VaultError(.databaseMissing) }
    self.lock = lock
    self.locks = locks
  }

  /// A backup that was stopped after two changes of the master key has locks of two generations beside a database
  /// that both name: those that open it are the ones.
  private static func openLocks(
    of files: VaultFiles, provesHeader: Bool, by unlock: (KeysFile) throws(VaultError) -> SecretKey
  ) throws(VaultError) -> OpenedLocks {
    let pair = try KeysPair(of: files)
    guard let first = pair.first, let second = pair.second,
      first.generation != second.generation, first.generation % 2 == second.generation % 2
    else { return try OpenedLocks.open(files, provesHeader: provesHeader, by: unlock) }
    var isOfOther = false
    do throws(VaultError) {
      return try OpenedLocks.open(files, provesHeader: provesHeader) {
        (file) throws(VaultError) in
        let master = try unlock(file)
        let database = files.of(generation: file.generation).database
        guard Folders.exists(database) else { return master }
        let keys = VaultKeys(master: master)
        guard try SealedPages(key: keys.database, vaultID: file.vaultID).hasAny(in: database) else {
          isOfOther = true
          throw VaultError(.wrongPassphrase)
        }
        return master
      }
    } catch {
      throw isOfOther && error.code == .wrongPassphrase ? VaultError(.databaseOfAnother) : error
    }
  }
}
