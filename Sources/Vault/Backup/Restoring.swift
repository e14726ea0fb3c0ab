public import Cryptography
internal import GRDB

extension OpenVault {
  /// Puts a backup (or a plain copy of a vault's folder) to a place that is free, and opens it there. Nothing is
  /// written to the backup. It is put together beside its place, read in full, and moved there whole.
  ///
  /// The vault is a copy then: it can be read, and takes new keys before it signs (`renew`).
  ///
  /// - Returns: the vault, and what reading all of it found. What is damaged in a file is told and restored as it is.
  /// - Throws: `.vaultExists`, `.outputInVault`, and what opening a vault throws.
  public static func restore(
    _ backup: String, to place: String, passphrase: borrowing LockedBytes,
    surroundings: Surroundings,
    onBytes: @escaping @Sendable (Int) throws(VaultError) -> Void = { (_) throws(VaultError) in }
  ) async throws(VaultError) -> (vault: OpenVault, check: CheckOutcome) {
    let named = VaultFiles(folder: backup)
    let target = VaultFiles(folder: place)
    if Folders.exists(target.folder) {
      guard try Folders.names(in: target.folder).isEmpty else { throw VaultError(.vaultExists) }
    }
    try named.checkIsVault()
    guard !named.contains(target.folder) else { throw VaultError(.outputInVault) }
    let lock = try named.takeLock()
    let locks = try passphrase.withBytes { (bytes) throws(VaultError) in
      try OpenedLocks.open(named) { (file) throws(VaultError) in
        try file.unlock(passphrase: bytes)
      }
    }
    let source = locks.files
    guard source.hasDatabase else {
      throw VaultError(source.other.hasDatabase ? .keysOutdated : .databaseMissing)
    }
    let parent = Folders.parent(of: target.folder)
    try Folders.makeAll(parent)
    let building = VaultFiles(
      folder: parent + "/." + Hex.encode(Randomness.bytes(8)), generation: source.generation)
    let check: CheckOutcome
    do throws(VaultError) {
      check = try await rebuild(
        building, from: source, keysFile: locks.keysFile, master: locks.master,
        now: surroundings.now(), onBytes)
      try Folders.rename(building.folder, to: target.folder)
      try Folders.synchronize(parent)
    } catch {
      Folders.removeTree(building.folder)
      throw error
    }
    withExtendedLifetime(lock) {}
    let vault = try OpenVault(
      opening: target.folder, passphrase: passphrase, surroundings: surroundings)
    return (vault, check)
  }

  private static func rebuild(
    _ files: VaultFiles, from source: VaultFiles, keysFile: KeysFile,
    master: borrowing SecretKey, now: UInt64,
    _ onBytes: @escaping @Sendable (Int) throws(VaultError) -> Void
  ) async throws(VaultError) -> CheckOutcome {
    try Folders.make(files.folder)
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
      let count = try source.read(into: &buffer, count: buffer.count)
      try buffer.withBytes { (bytes) throws(VaultError) in
        try target.write(bytes.extracting(0..<count))
      }
      try onBytes(count)
      if count < buffer.count { break }
    }
    try target.synchronize()
  }
}
