internal import Cryptography
internal import GRDB

/// What two generations of one vault need to lie beside each other: `Protocol/VaultFiles.md`, "Generations". A
/// database under a lasting name is removed only where it is known to be given up.
extension VaultFiles {
  /// New locks that are not in force yet, beside those that they are to replace; nil if there are none.
  func prepared(_ path: String) -> KeysFile? {
    do throws(VaultError) {
      return try KeysFile(decoding: try Folders.read(path + ".new", max: KeysFile.byteCount))
    } catch {
      return nil
    }
  }

  /// Both before any of the two, so that whoever finds them knows how far the change had come.
  func prepare(_ keysFile: KeysFile) throws(VaultError) {
    let paths = [secondKeys + ".new", keys + ".new"]
    do throws(VaultError) {
      for path in paths {
        Folders.remove(path)
        let file = try OpenFile(creating: path)
        try file.write(keysFile.bytes)
        try file.synchronize()
      }
      try Folders.synchronize(folder)
    } catch {
      for path in paths { Folders.remove(path) }
      throw error
    }
  }

  func putInForce(_ path: String) throws(VaultError) {
    try Folders.rename(path + ".new", to: path)
    try Folders.synchronize(folder)
  }

  /// Gives what was built its lasting names, which nothing else has.
  func takeNames() throws(VaultError) {
    Folders.remove(building.databaseLog)
    try Folders.rename(building.database, to: database)
    if Folders.exists(building.anchor) { try Folders.rename(building.anchor, to: anchor) }
    try Folders.synchronize(folder)
  }

  /// Removes what a change left that was never in force: what was being built; and a database of the next
  /// generation, where locks for it are prepared and both copies of the locks name this generation.
  func removeUnfinished() throws(VaultError) {
    let pair = try KeysPair(of: self)
    if pair.agrees, let locks = pair.first, locks.generation == generation {
      let isGivenUp = [keys, secondKeys].contains { path in
        guard let next = prepared(path) else { return false }
        return next.vaultID == locks.vaultID && next.generation == generation &+ 1
      }
      if isGivenUp { try other.removeDatabase() }
      // Last: they are what tells.
      for path in [keys, secondKeys] { Folders.remove(path + ".new") }
    }
    if other.building.hasAnything { try other.building.removeDatabase() }
  }

  private static let asidePrefix = "aside-"

  /// Whether a database lies here that is not in force: it opens by the locks and the passphrase of its day.
  var hasOtherDatabase: Bool {
    let names: [String]
    do throws(VaultError) { names = try Folders.names(in: folder) } catch { return false }
    return names.contains { $0.hasPrefix(Self.asidePrefix) }
      || Self.databaseNames.intersection(names).count > 1
  }

  /// Makes room for a database of these names. What bears them was not made by a change that is known: nobody
  /// can tell what it holds, and it is kept.
  func moveAside() throws(VaultError) {
    guard hasAnything else { return }
    let aside = folder + "/" + Self.asidePrefix + Hex.encode(Randomness.bytes(8))
    try Folders.make(aside)
    for path in [databaseLog, database, anchor] where Folders.exists(path) {
      try Folders.rename(path, to: aside + path.dropFirst(folder.count))
    }
    try Folders.synchronize(aside)
    try Folders.synchronize(folder)
  }

  /// Removes the database from which this one was sealed anew, where a crash left it; another one of its name
  /// stays. What cannot be removed now is tried again at the next opening.
  func removeFormer(of database: SealedDatabase, machine: [UInt8]) {
    do {
      guard try KeysPair(of: self).agrees,
        let place = try database.queue.snapshot({ try FormerDatabase.place($0) })
      else { return }
      if other.hasDatabase {
        let found = Anchor.place(machine: machine, file: try other.databaseIdentity())
        if found.bytes == place { try other.removeDatabase() }
      } else if other.hasAnything {
        try other.removeDatabase()
      }
      try database.queue.write { try FormerDatabase.forget($0) }
    } catch {
      return
    }
  }

  /// After the former database was removed; the next opening does it otherwise.
  func forgetFormer(key: borrowing SecretKey, vaultID: [UInt8]) {
    do {
      let database = try SealedDatabase(opening: self.database, key: key, vaultID: vaultID)
      defer { database.giveUp() }
      try database.queue.write { try FormerDatabase.forget($0) }
    } catch {
      return
    }
  }
}

extension OpenVault {
  /// Whether a database lies in the folder that is not in force: it opens by the locks and the passphrase of its day.
  public nonisolated var hasOtherDatabase: Bool { files.hasOtherDatabase }
}

/// In a database that was sealed anew, until the one before it is gone: where that one is.
enum FormerDatabase {
  private static let setting = "former-database"

  static func mark(_ db: Database, at place: Bytes32) throws {
    try db.execute(
      cached: "INSERT OR REPLACE INTO setting(name, value) VALUES (?, ?)",
      arguments: [setting, place.bytes.data])
  }

  static func place(_ db: Database) throws -> [UInt8]? {
    try Row.fetchOne(db, cached: "SELECT value FROM setting WHERE name = ?", arguments: [setting])
      .map { $0.bytes("value") }
  }

  static func forget(_ db: Database) throws {
    try db.execute(cached: "DELETE FROM setting WHERE name = ?", arguments: [setting])
  }
}
