internal import Cryptography
internal import GRDB
internal import VerifiableLog

/// A folder that is a copy of a vault's files, or is to become one. Layout and order: `Protocol/VaultFiles.md`.
///
/// What stands in it opens at any time: the database of the former backup stays in force until the new one, whole
/// and looked at, takes its place.
final class BackupFolder {
  /// Under the names that the vault's locks say.
  let files: VaultFiles
  /// Whether a former backup is there.
  let isUpdate: Bool
  private let vaultID: [UInt8]
  private let keysFile: KeysFile
  private let lock: OpenFile

  var blobs: BlobStore { BlobStore(folder: files.blobs) }
  /// The database before it takes its place.
  var partial: String { files.folder + "/\(Self.partialName)" }
  private static let partialName = "database.part"

  /// Makes the folder if it is not there, and takes it.
  ///
  /// - Throws: `.outputInVault`, `.notABackup` for a folder that holds something else, or a vault that is lived in,
  ///   `.backupOfAnother`, `.inUse`.
  init(
    at path: String, of vault: VaultFiles, keysFile: KeysFile, key: borrowing SecretKey
  ) throws(VaultError) {
    let files = VaultFiles(folder: path, generation: keysFile.generation)
    guard !vault.contains(files.folder), !files.contains(vault.folder) else {
      throw VaultError(.outputInVault)
    }
    try Folders.makeAll(files.folder)
    let lock = try files.takeLock()
    let names = Set(try Folders.names(in: files.folder))
    guard names.isSubset(of: Self.knownNames) else { throw VaultError(.notABackup) }
    isUpdate = try Self.isUpdate(files, names, keysFile, key: key)
    self.files = files
    self.lock = lock
    self.keysFile = keysFile
    vaultID = keysFile.vaultID
    for path in [partial, partial + "-wal"] { try Folders.removeFile(path) }
    try blobs.sweep()
  }

  /// No anchor: a folder with one is a vault that somebody writes to.
  private static let knownNames: Set<String> = {
    var names = VaultFiles.databaseNames.union(VaultFiles.databaseNames.map { $0 + "-wal" })
    names.formUnion(["keys", "keys.bak", "keys.new", "keys.bak.new", "blobs"])
    // Where somebody tried to open the backup as it is.
    names.formUnion(["attempts", "attempts.new"])
    return names.union([partialName, partialName + "-wal"])
  }()

  private static func isUpdate(
    _ files: VaultFiles, _ names: Set<String>, _ keysFile: KeysFile, key: borrowing SecretKey
  ) throws(VaultError) -> Bool {
    let vaultID = keysFile.vaultID
    let hasDatabase = !names.isDisjoint(with: VaultFiles.databaseNames)
    if names.contains("keys") || names.contains("keys.bak") {
      let other: KeysFile?
      do throws(VaultError) {
        let pair = try KeysPair(of: files)
        other = pair.inOrder.first
      } catch {
        guard error.code == .keysDamaged else { throw error }
        other = nil
      }
      if let other {
        guard other.vaultID == vaultID else { throw VaultError(.backupOfAnother) }
        // Its database has the name that would be removed.
        guard other.generation <= keysFile.generation else { throw VaultError(.backupIsNewer) }
        return hasDatabase
      }
    }
    // Locks that tell nothing: then the database must be ours.
    for database in [files, files.other] where database.hasDatabase {
      guard try SealedPages(key: key, vaultID: vaultID).hasAny(in: database.database) else {
        throw VaultError(.backupOfAnother)
      }
    }
    return hasDatabase
  }

  /// The logs of the former backup, by id and size; none where it cannot be opened under this key. A log beside
  /// its database is worked in on the way, so that it never meets another database.
  func formerLogs(key: borrowing SecretKey) -> [LogID: UInt64] {
    guard isUpdate, files.hasDatabase else { return [:] }
    do {
      let database = try SealedDatabase(opening: files.database, key: key, vaultID: vaultID)
      defer { database.giveUp() }
      return try database.queue.read { db in try LogTable.sizes(db) }
    } catch {
      // Damaged, or of a master key of earlier: it says nothing of what is newer.
      return [:]
    }
  }

  /// Puts the new database and its locks in force. With the locks comes the generation, which names the database:
  /// after a change of the master key both databases are there until the locks are.
  func putInForce() throws(VaultError) {
    try OpenFile(reading: partial).synchronize()
    try Folders.removeFile(partial + "-wal")
    try Folders.removeFile(files.databaseLog)
    try Folders.rename(partial, to: files.database)
    try Folders.synchronize(files.folder)
    for path in [files.keys, files.secondKeys] where !Self.holds(path, keysFile.bytes) {
      try Folders.replace(path, with: keysFile.bytes, in: files.folder)
    }
    for path in [files.keys, files.secondKeys] { Folders.remove(path + ".new") }
    if files.other.hasAnything { try files.other.removeDatabase() }
  }

  private static func holds(_ path: String, _ bytes: [UInt8]) -> Bool {
    do { return try Folders.read(path, max: KeysFile.byteCount) == bytes } catch { return false }
  }

  /// Removes files that the database in force does not name: of what was erased since.
  func removeUnnamed(_ stored: [StoredFile]) throws(VaultError) -> Int {
    let named = Set(stored.map(\.path))
    var folders: Set<String> = []
    var count = 0
    for path in try blobs.storedPaths() where !named.contains(path) {
      try Folders.removeFile(path)
      folders.insert(Folders.parent(of: path))
      count += 1
    }
    for folder in folders.sorted() { try Folders.synchronize(folder) }
    return count
  }

  /// Removes what is left of an attempt.
  func giveUp() {
    for path in [partial, partial + "-wal"] { Folders.remove(path) }
  }
}

extension LogTable {
  static func sizes(_ db: Database) throws -> [LogID: UInt64] {
    var sizes: [LogID: UInt64] = [:]
    for row in try Row.fetchAll(
      db, sql: "SELECT log_id, max(size) AS size FROM log GROUP BY log_id")
    {
      sizes[try row.identifier("log_id")] = row.number("size")
    }
    return sizes
  }
}
