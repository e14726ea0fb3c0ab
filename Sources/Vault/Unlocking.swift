internal import Cryptography
internal import GRDB

/// Both copies of a vault's locks as they stand on the disk; nil for one that is missing or damaged.
struct KeysPair {
  let first: KeysFile?
  let second: KeysFile?

  /// - Throws: `.keysDamaged` when neither is whole, `.newerVersion`.
  init(of files: VaultFiles) throws(VaultError) {
    first = try Self.read(files.keys)
    second = try Self.read(files.secondKeys)
    guard first != nil || second != nil else { throw VaultError(.keysDamaged) }
  }

  private static func read(_ path: String) throws(VaultError) -> KeysFile? {
    do throws(VaultError) {
      return try KeysFile(decoding: try Folders.read(path, max: KeysFile.byteCount))
    } catch {
      switch error.code {
      case .keysDamaged, .fileMissing, .fileTooLarge, .notAFile, .inputOutput: return nil
      default: throw error
      }
    }
  }

  /// Both are whole and the same.
  var agrees: Bool { first != nil && first?.bytes == second?.bytes }

  /// In the order in which they are tried. A writer replaces the first copy before the second, so of two that
  /// differ the first is newer; only files that somebody put back are the other way round.
  fileprivate var inOrder: [KeysFile] {
    guard let first else { return [second].compactMap(\.self) }
    guard let second, second.bytes != first.bytes else { return [first] }
    return second.generation > first.generation ? [second, first] : [first, second]
  }
}

/// The locks of a vault after one of them opened, and what the two copies are to become.
struct OpenedLocks: ~Copyable {
  /// The names that are in force by the copy that opened.
  let files: VaultFiles
  let keysFile: KeysFile
  let master: SecretKey
  private let pair: KeysPair

  /// The second copy was needed.
  var usedSecond: Bool { keysFile.bytes != pair.first?.bytes }

  private init(
    _ keysFile: KeysFile, of pair: KeysPair, in files: VaultFiles, master: consuming SecretKey
  ) {
    self.files = files.of(generation: keysFile.generation)
    self.keysFile = keysFile
    self.master = master
    self.pair = pair
  }

  /// - Throws: what `unlock` throws of the copy that is in force, when none opens.
  static func open(
    _ files: VaultFiles, by unlock: (KeysFile) throws(VaultError) -> SecretKey
  ) throws(VaultError) -> OpenedLocks {
    let pair = try KeysPair(of: files)
    var refusal: VaultError?
    for candidate in pair.inOrder {
      do throws(VaultError) {
        return OpenedLocks(candidate, of: pair, in: files, master: try unlock(candidate))
      } catch {
        guard error.code == .wrongPassphrase || error.code == .kitMismatch else { throw error }
        refusal = refusal ?? error
      }
    }
    throw refusal ?? VaultError(.keysDamaged)
  }

  /// Ends what a crash left half done: brings the two copies in line, and removes a database that is not in
  /// force. Called when the database of the copy that opened was found to open too.
  ///
  /// - Parameter isSound: this folder is where the vault was; in one that was put together from a backup, a
  ///   database that nothing names stays where it is.
  func settle(isSound: Bool) throws(VaultError) {
    if let first = pair.first, let second = pair.second, first.bytes != second.bytes {
      let usesFirst = keysFile.bytes == first.bytes
      // An older first copy beside a newer second one: somebody put it there, and the newer is not touched.
      if usesFirst, second.generation > first.generation { return }
      try bringInLine(
        usesFirst ? files.secondKeys : files.keys, isVital: first.generation != second.generation)
    } else if pair.first == nil, files.other.hasDatabase {
      // Should the damaged copy be read again one day, it may name that database: until then it would be a
      // second truth.
      try bringInLine(files.keys, isVital: true)
    }
    guard isSound, try KeysPair(of: files).agrees else { return }
    for path in [files.keys, files.secondKeys] { Folders.remove(path + ".new") }
    if files.other.hasAnything { try files.other.removeDatabase() }
  }

  /// - Parameter isVital: as long as the two name different databases, nothing may be written to either.
  private func bringInLine(_ path: String, isVital: Bool) throws(VaultError) {
    do throws(VaultError) {
      try Folders.replace(path, with: keysFile.bytes, in: files.folder)
    } catch {
      if isVital { throw error }
    }
  }
}

extension VaultFiles {
  var hasAnything: Bool {
    [database, databaseLog, anchor].contains { Folders.exists($0) }
  }

  func writeKeys(_ keysFile: KeysFile) throws(VaultError) {
    try Folders.replace(keys, with: keysFile.bytes, in: folder)
    try Folders.replace(secondKeys, with: keysFile.bytes, in: folder)
  }
}

/// What a vault that was sealed under a new master key carries over from the one before, sealed in its database.
enum CarriedKeys {
  private static let setting = "duplicates-key"

  /// The keys with which this database works.
  static func read(_ database: SealedDatabase, _ derived: VaultKeys) throws -> VaultKeys {
    let sealed = try database.queue.read { db in
      try Row.fetchOne(db, sql: "SELECT value FROM setting WHERE name = ?", arguments: [setting])
        .map { $0.bytes("value") }
    }
    guard let sealed else { return derived }
    return VaultKeys(master: derived.master, duplicates: try derived.open(sealed))
  }

  static func write(_ db: Database, _ duplicates: borrowing SecretKey, under keys: VaultKeys) throws
  {
    try db.execute(
      sql: "INSERT OR REPLACE INTO setting(name, value) VALUES (?, ?)",
      arguments: [setting, keys.seal(duplicates).data])
  }
}
