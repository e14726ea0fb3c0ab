public import Cryptography
internal import GRDB

extension OpenVault {
  /// Makes a new vault, with a first case, and opens it. It is built beside its place and moved there whole,
  /// so that nothing of an attempt that failed stays behind.
  ///
  /// The kit is tried before the vault gets its place: it opens what was built, and the first case is found.
  ///
  /// - Throws: `.vaultExists` when there is anything at the place already, `.placeIsDisk`.
  public static func create(
    at path: String, passphrase: borrowing LockedBytes, kit: borrowing RecoveryKit, cost: KeyCost,
    surroundings: Surroundings
  ) throws(VaultError) -> OpenVault {
    try make(at: path, passphrase: passphrase, kit: kit, cost: cost, surroundings: surroundings) {
      (db, keys, kit) in
      _ = try CaseStart.run(
        db, name: "default", isDefault: true, keys: keys, kit: kit.publicKey,
        surroundings: surroundings)
    }
  }

  /// - Parameter firstCase: puts a case into the new database, by the kit's key pair.
  static func make(
    at path: String, passphrase: borrowing LockedBytes, kit: borrowing RecoveryKit, cost: KeyCost,
    surroundings: Surroundings,
    firstCase: (Database, VaultKeys, borrowing BoxKeyPair) throws -> Void
  ) throws(VaultError) -> OpenVault {
    let place = try BuildingPlace(for: path)
    do throws(VaultError) {
      try build(
        place.files, passphrase: passphrase, kit: kit, cost: cost, surroundings: surroundings,
        firstCase: firstCase)
      try tryKit(kit, on: place.files, surroundings: surroundings)
      try place.move()
    } catch {
      place.giveUp()
      throw error
    }
    return try OpenVault(
      opening: place.target, passphrase: passphrase, surroundings: surroundings)
  }

  /// - Throws: `.kitMismatch` when the kit opens nothing, or a vault without a case.
  private static func tryKit(
    _ kit: borrowing RecoveryKit, on files: VaultFiles, surroundings: Surroundings
  ) throws(VaultError) {
    let tried = try OpenVault(opening: files.folder, kit: kit, surroundings: surroundings)
    do {
      let count = try tried.database.queue.snapshot { db in
        try Int.fetchOne(db, cached: "SELECT count(*) FROM vault_case")
      }
      try tried.database.queue.close()
      guard count ?? 0 > 0 else { throw VaultError(.kitMismatch) }
    } catch {
      throw .ofDatabase(error)
    }
    tried.database.forgetKey()
  }

  private static func build(
    _ files: VaultFiles, passphrase: borrowing LockedBytes, kit: borrowing RecoveryKit,
    cost: KeyCost, surroundings: Surroundings,
    firstCase: (Database, VaultKeys, borrowing BoxKeyPair) throws -> Void
  ) throws(VaultError) {
    let vaultID = Randomness.bytes(16)
    let master = SecretKey.random()
    let kitPair = try kit.keyPair()
    let keysFile = try passphrase.withBytes { (bytes) throws(VaultError) in
      try KeysFile(
        master: master, passphrase: bytes, kit: kitPair.publicKey, cost: cost, vaultID: vaultID)
    }
    try files.writeKeys(keysFile)
    let readBack = try KeysPair(of: files)
    guard readBack.agrees, try readBack.first?.unlock(kit: kitPair).isEqual(to: master) == true
    else { throw VaultError(.kitMismatch) }
    let keys = VaultKeys(master: master)
    do {
      try SealedDatabase.create(at: files.database, key: keys.database, vaultID: vaultID)
      try BlobStore(folder: files.blobs).makeFolders()
      let database = try SealedDatabase(
        opening: files.database, key: keys.database, vaultID: vaultID)
      defer { database.forgetKey() }
      try database.queue.write { db in
        try db.execute(
          cached: "INSERT INTO setting(name, value) VALUES ('kit', ?)",
          arguments: [kitPair.publicKey.raw.bytes.data])
        try KeptCost.write(db, cost)
        try firstCase(db, keys, kitPair)
      }
      try writeAnchor(
        files: files, database: database, key: keys.anchor, vaultID: vaultID,
        machine: surroundings.machine)
      try database.queue.close()
    } catch {
      throw VaultError.ofDatabase(error)
    }
    try Folders.synchronize(files.folder)
  }
}
