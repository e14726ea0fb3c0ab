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

  /// Whether a writer was stopped between the two, which what it had prepared for the second tells.
  fileprivate func isHalfChanged(in files: VaultFiles) -> Bool {
    first.map { files.prepared(files.secondKeys)?.bytes == $0.bytes } ?? false
  }

  /// Whether the vault may be opened by this copy. The older of two may decide only where a writer was stopped
  /// between them; else somebody put a file back, and the newer locks must not be lost.
  fileprivate func mayDecide(_ file: KeysFile, in files: VaultFiles) -> Bool {
    guard let first, let second else { return true }
    if file.bytes == first.bytes { return !second.isNewer(than: first) }
    return !first.isNewer(than: second) || isHalfChanged(in: files)
  }
}

/// What an opening found of the two copies of a vault's locks.
public enum LocksCondition: Hashable, Sendable {
  /// Both whole and the same; or as a change leaves them that was stopped between the two.
  case whole
  /// One was missing or damaged, and was made again from the other.
  case madeAgain
  /// One is missing or damaged, and could not be made again.
  case oneLeft
  /// They were of different times, and no change that was stopped left them so.
  case differed
}

/// The locks of a vault after one of them opened, and what the two copies are to become.
struct OpenedLocks: ~Copyable {
  /// The names that are in force by the copy that opened.
  let files: VaultFiles
  let keysFile: KeysFile
  let master: SecretKey
  private let pair: KeysPair
  private let provesHeader: Bool

  private init(
    _ keysFile: KeysFile, of pair: KeysPair, in files: VaultFiles, master: consuming SecretKey,
    provesHeader: Bool
  ) {
    self.files = files.of(generation: keysFile.generation)
    self.keysFile = keysFile
    self.master = master
    self.pair = pair
    self.provesHeader = provesHeader
  }

  /// - Parameters:
  ///   - surroundings: for counting that none opened; nil for a backup, to which nothing is written.
  ///   - provesHeader: a passphrase opens only a copy whose numbers are those it was written with; a kit opens any.
  /// - Throws: what `unlock` throws of the copy that is in force, when none opens; `.keysSuperseded` when only
  ///   the older of two does, or only its database is there, and no stopped writer left them so.
  static func open(
    _ files: VaultFiles, counting surroundings: Surroundings? = nil, provesHeader: Bool,
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
      let named = files.of(generation: candidate.generation)
      if !named.hasDatabase, named.other.hasDatabase {
        // Perhaps the other copy is the one of the database that is there.
        refusal = refusal ?? VaultError(.keysOutdated)
        continue
      }
      return OpenedLocks(
        candidate, of: pair, in: files, master: master, provesHeader: provesHeader)
    }
    if let surroundings, isCounted {
      OpeningAttempts(in: files).after(failure: surroundings.now()).write(in: files)
    }
    throw refusal ?? VaultError(.keysDamaged)
  }

  /// Ends what a crash left half done: brings the two copies in line, and removes a database that was made and never
  /// came in force. A copy that is missing or damaged is made again. Called when the database of the copy that opened
  /// was found to open too.
  ///
  /// - Parameter isSound: this folder is where the vault was; in one that was put together from a backup, nothing
  ///   is removed.
  func settle(isSound: Bool) throws(VaultError) -> LocksCondition {
    let condition = try bringInLine()
    // What cannot be removed keeps nobody out.
    if isSound { do throws(VaultError) { try files.removeUnfinished() } catch {} }
    return condition
  }

  private func bringInLine() throws(VaultError) -> LocksCondition {
    guard let first = pair.first, let second = pair.second else {
      let path = pair.first == nil ? files.keys : files.secondKeys
      // Should a damaged first copy be read again one day, it may name the other database: until then it would be a
      // second truth.
      let isVital = pair.first == nil && files.other.hasDatabase
      return try replace(path, isVital: isVital) ? .madeAgain : .oneLeft
    }
    guard first.bytes != second.bytes else { return .whole }
    let isHalfChanged = pair.isHalfChanged(in: files)
    // As long as the two name different databases, nothing may be written to either.
    let isVital =
      files.of(generation: first.generation).database
      != files.of(generation: second.generation).database
    // Where all that makes this copy the newer one is a number that anybody could have written, the other one may be
    // the one that the passphrase opens: it stays until the passphrase decides, or a new one is set.
    if provesHeader || isHalfChanged || isVital {
      _ = try replace(
        keysFile.bytes == first.bytes ? files.secondKeys : files.keys, isVital: isVital)
    }
    return isHalfChanged ? .whole : .differed
  }

  /// - Returns: whether this copy is what the opened one is, now.
  private func replace(_ path: String, isVital: Bool) throws(VaultError) -> Bool {
    do throws(VaultError) {
      try Folders.replace(path, with: keysFile.bytes, in: files.folder)
      return true
    } catch {
      if isVital { throw error }
      return false
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
    let sealed = try database.queue.snapshot { db in
      try Row.fetchOne(db, cached: "SELECT value FROM setting WHERE name = ?", arguments: [setting])
        .map { $0.bytes("value") }
    }
    guard let sealed else { return derived }
    return VaultKeys(master: derived.master, duplicates: try derived.open(sealed))
  }

  static func write(_ db: Database, _ duplicates: borrowing SecretKey, under keys: VaultKeys) throws
  {
    try db.execute(
      cached: "INSERT OR REPLACE INTO setting(name, value) VALUES (?, ?)",
      arguments: [setting, keys.seal(duplicates).data])
  }
}
