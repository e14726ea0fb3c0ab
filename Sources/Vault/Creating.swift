public import Cryptography
internal import GRDB

/// The recovery kit of a new vault: twelve words that open it when the passphrase is lost.
public struct RecoveryKit: ~Copyable, Sendable {
  private let seed: LockedBytes

  /// A new one. The vault keeps only its public half.
  public static func make() throws(VaultError) -> RecoveryKit {
    do {
      let random = SecretKey.random()
      return try RecoveryKit(
        seed: random.withBytes { (bytes) throws(CryptographyError) in
          try LockedBytes(copying: bytes.extracting(0..<KitWords.seedByteCount))
        })
    } catch {
      throw VaultError(.inputOutput)
    }
  }

  private init(seed: consuming LockedBytes) { self.seed = seed }

  /// From the words as typed.
  ///
  /// - Throws: what is wrong with the words.
  public init(words: RawSpan) throws(KitWordsError) {
    seed = try KitWords.decode(words)
  }

  /// The twelve words, for paper.
  public var words: [String] { seed.withBytes { KitWords.encode($0) } }

  /// Eight characters that are the same for the same twelve words, by which two papers can be compared, or a
  /// paper with a vault, without reading the words out. They help nobody to find the words.
  public func check() throws(VaultError) -> String { Self.check(of: try keyPair().publicKey) }

  static func check(of key: BoxPublicKey) -> String {
    var hash = DomainHasher(.kit)
    hash.add(Array("check".utf8))
    hash.add(key.raw.bytes)
    let text = Base32.encode(Array(hash.finalize().bytes.prefix(5)))
    return text.prefix(4) + "-" + text.dropFirst(4)
  }

  func keyPair() throws(VaultError) -> BoxKeyPair {
    var hash = DomainHasher(.kit)
    hash.add(Array("box".utf8))
    seed.withBytes { hash.add($0) }
    do {
      let digest = hash.finalize()
      return BoxKeyPair(
        seed: try digest.withBytes { (bytes) throws(CryptographyError) in
          try SecretKey(copying: bytes)
        })
    } catch {
      throw VaultError(.inputOutput)
    }
  }
}

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
  ) async throws(VaultError) -> OpenVault {
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
