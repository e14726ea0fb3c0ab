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
  /// Of the locks that are there, as far as they can be read.
  private let generations: Set<UInt32>

  var blobs: BlobStore { BlobStore(folder: files.blobs) }
  /// The database before it takes its place.
  var partial: String { files.folder + "/\(Self.partialName)" }
  private static let partialName = "database.part"

  /// Makes the folder if it is not there, and takes it.
  ///
  /// - Throws: `.outputInVault`, `.notABackup` for a folder that holds something else, or a vault that is lived in,
  ///   `.backupOfAnother`, `.backupIsNewer` for locks of a later master key, `.inUse`.
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
    let found = try Self.former(files, names, vaultID: keysFile.vaultID, key: key)
    guard found.generations.allSatisfy({ $0 <= keysFile.generation }) else {
      throw VaultError(.backupIsNewer)
    }
    // Everything below is written to and removed by path: no link may lead to somebody's own folders.
    guard try BlobStore(folder: files.blobs).hasOwnFoldersOnly() else {
      throw VaultError(.notABackup)
    }
    try Folders.makePrivate(lock)
    isUpdate = found.hasDatabase
    generations = found.generations
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
    names.insert("attempts")
    return names.union([partialName, partialName + "-wal"])
  }()

  private static func former(
    _ files: VaultFiles, _ names: Set<String>, vaultID: [UInt8], key: borrowing SecretKey
  ) throws(VaultError) -> (hasDatabase: Bool, generations: Set<UInt32>) {
    let hasDatabase = !names.isDisjoint(with: VaultFiles.databaseNames)
    if names.contains("keys") || names.contains("keys.bak") {
      let others: [KeysFile]
      do throws(VaultError) {
        let pair = try KeysPair(of: files)
        others = [pair.first, pair.second].compactMap(\.self)
      } catch {
        guard error.code == .keysDamaged else { throw error }
        others = []
      }
      if !others.isEmpty {
        guard others.allSatisfy({ $0.vaultID == vaultID }) else {
          throw VaultError(.backupOfAnother)
        }
        return (hasDatabase, Set(others.map(\.generation)))
      }
    }
    // Locks that tell nothing: then the database must be ours.
    for database in [files, files.other] where database.hasDatabase {
      guard try SealedPages(key: key, vaultID: vaultID).hasAny(in: database.database) else {
        throw VaultError(.backupOfAnother)
      }
    }
    return (hasDatabase, [])
  }

  /// What the former backup has; nil where it was sealed under an earlier master key. A log beside its database is
  /// worked in on the way, so that it never meets another database.
  ///
  /// - Throws: `.backupDamaged` for one that does not open, `.backupOfAnother` for one of this generation that was
  ///   sealed under another key, `.newerVersion`.
  func formerContent(key: borrowing SecretKey) throws(VaultError) -> HeldContent? {
    guard isUpdate, files.hasDatabase else { return nil }
    // Of these names, but by no locks in force: what a backup that was stopped left.
    let sharesName = generations.contains { ($0 ^ keysFile.generation).isMultiple(of: 2) }
    guard generations.isEmpty || sharesName else { return nil }
    do {
      let database = try SealedDatabase(opening: files.database, key: key, vaultID: vaultID)
      defer { database.giveUp() }
      return try database.queue.snapshot { db in try HeldContent(db) }
    } catch {
      let error = VaultError.ofDatabase(error)
      switch error.code {
      case .databaseOfAnother:
        guard generations.contains(where: { $0 < keysFile.generation }) else {
          throw VaultError(.backupOfAnother)
        }
        return nil
      case .databaseDamaged: throw VaultError(.backupDamaged, systemError: error.systemError)
      default: throw error
      }
    }
  }

  /// The former backup, by the names that its locks say, where these are of an earlier master key.
  var earlierFiles: [VaultFiles] {
    generations.filter { $0 < keysFile.generation }.map { files.of(generation: $0) }
      .filter(\.hasDatabase)
  }

  /// Puts the new database and its locks in force. With the locks comes the generation, which names the database:
  /// after a change of the master key both databases are there until the locks are. Where both have one name, the
  /// new locks are put beside the former ones first: whichever database has the name, one of them opens it.
  ///
  /// - Parameter step: told before each step; may throw.
  func putInForce(
    _ step: () throws(VaultError) -> Void = { () throws(VaultError) in }
  ) throws(VaultError) {
    try step()
    try OpenFile(reading: partial).synchronize()
    try requireNoLog(beside: partial)
    try step()
    try Folders.removeFile(files.databaseLog)
    // Not every disk keeps changes of names in their order, and a log works itself into whatever database has the name.
    try Folders.synchronize(files.folder)
    if generations.contains(where: {
      $0 != keysFile.generation && ($0 ^ keysFile.generation).isMultiple(of: 2)
    }) {
      try step()
      try putLocksBesideFormer()
    }
    try step()
    try Folders.rename(partial, to: files.database)
    try Folders.synchronize(files.folder)
    try step()
    for path in [files.keys, files.secondKeys] where !Self.holds(path, keysFile.bytes) {
      try Folders.replace(path, with: keysFile.bytes, in: files.folder)
    }
    for path in [files.keys, files.secondKeys] { Folders.remove(path + ".new") }
    if files.other.hasAnything { try files.other.removeDatabase() }
  }

  /// The new locks take the first place, as in any change of locks that was stopped between its two copies; at least
  /// one whole copy of the former ones stays.
  private func putLocksBesideFormer() throws(VaultError) {
    let pair = try KeysPair(of: files)
    if pair.second == nil, let former = pair.first, former.bytes != keysFile.bytes {
      try Folders.replace(files.secondKeys, with: former.bytes, in: files.folder)
    }
    guard !Self.holds(files.keys, keysFile.bytes) else { return }
    try files.prepare(keysFile)
    try files.putInForce(files.keys)
  }

  /// A log that has something in it holds what its database lacks.
  func requireNoLog(beside path: String) throws(VaultError) {
    let log = path + "-wal"
    guard Folders.exists(log) else { return }
    guard try OpenFile(reading: log, followingLinks: false).status().size == 0 else {
      throw VaultError(.inputOutput)
    }
    try Folders.removeFile(log)
  }

  private static func holds(_ path: String, _ bytes: [UInt8]) -> Bool {
    do { return try Folders.read(path, max: KeysFile.byteCount) == bytes } catch { return false }
  }

  /// Removes files that the database in force does not name: of what was erased since.
  func removeUnnamed(_ stored: [StoredFile]) throws(VaultError) -> Int {
    try blobs.removeStored(except: Set(stored.map(\.path)))
  }

  /// Removes what is left of an attempt.
  func giveUp() {
    for path in [partial, partial + "-wal"] { Folders.remove(path) }
  }
}
