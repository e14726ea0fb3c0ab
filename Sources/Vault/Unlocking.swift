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

  /// In the order in which they are tried: the newer one before the other.
  var inOrder: [KeysFile] {
    guard let first else { return [second].compactMap(\.self) }
    guard let second, second.bytes != first.bytes else { return [first] }
    return second.isNewer(than: first) ? [second, first] : [first, second]
  }

  /// Whether the vault may be opened by this copy. The older of two may decide only where a writer was stopped
  /// between them, which what it had prepared for the second tells; else somebody put a file back, and the newer
  /// locks must not be lost.
  fileprivate func mayDecide(_ file: KeysFile, in files: VaultFiles) -> Bool {
    guard let first, let second else { return true }
    if file.bytes == first.bytes { return !second.isNewer(than: first) }
    return !first.isNewer(than: second) || files.prepared(files.secondKeys)?.bytes == first.bytes
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

  /// - Parameter surroundings: for counting that none opened; nil for a backup, to which nothing is written.
  /// - Throws: what `unlock` throws of the copy that is in force, when none opens; `.keysSuperseded` when only
  ///   the older of two does, and no stopped writer left them so.
  static func open(
    _ files: VaultFiles, counting surroundings: Surroundings? = nil,
    by unlock: (KeysFile) throws(VaultError) -> SecretKey
  ) throws(VaultError) -> OpenedLocks {
    let pair = try KeysPair(of: files)
    var refusal: VaultError?
    var isCounted = false
    for candidate in pair.inOrder {
      let master: SecretKey
      do throws(VaultError) {
        master = try unlock(candidate)
      } catch {
        switch error.code {
        case .wrongPassphrase, .kitMismatch: isCounted = true
        // It may ask for more memory than there is; the other one may not.
        case .inputOutput: break
        default: throw error
        }
        refusal = refusal ?? error
        continue
      }
      guard pair.mayDecide(candidate, in: files) else { throw VaultError(.keysSuperseded) }
      return OpenedLocks(candidate, of: pair, in: files, master: master)
    }
    if let surroundings, isCounted {
      OpeningAttempts(in: files).after(failure: surroundings.now()).write(in: files)
    }
    throw refusal ?? VaultError(.keysDamaged)
  }

  /// Ends what a crash left half done: brings the two copies in line, and removes a database that was made and never
  /// came in force. Called when the database of the copy that opened was found to open too.
  ///
  /// - Parameter isSound: this folder is where the vault was; in one that was put together from a backup, nothing
  ///   is removed.
  func settle(isSound: Bool) throws(VaultError) {
    if let first = pair.first, let second = pair.second, first.bytes != second.bytes {
      try bringInLine(
        keysFile.bytes == first.bytes ? files.secondKeys : files.keys,
        isVital: first.generation != second.generation)
    } else if pair.first == nil, files.other.hasDatabase {
      // Should the damaged copy be read again one day, it may name that database: until then it would be a
      // second truth.
      try bringInLine(files.keys, isVital: true)
    }
    guard isSound else { return }
    // What cannot be removed keeps nobody out.
    do throws(VaultError) { try files.removeUnfinished() } catch { return }
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
