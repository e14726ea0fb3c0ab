internal import Cryptography

#if canImport(Glibc)
  internal import Glibc
#endif

/// The names of a vault's files, and what is done with them as a whole.
struct VaultFiles: Sendable {
  let folder: String
  var keys: String { folder + "/keys" }
  var secondKeys: String { folder + "/keys.bak" }
  var database: String { folder + "/vault.db" }
  var blobs: String { folder + "/blobs" }
  var anchor: String { folder + "/anchor" }

  init(folder: String) {
    self.folder = Self.absolute(folder)
  }

  /// The lock is on the folder itself, so that nothing is left behind.
  func takeLock() throws(VaultError) -> OpenFile {
    let lock = try OpenFile(folder: folder)
    guard try lock.lock() else { throw VaultError(.inUse) }
    return lock
  }

  /// SQLite writes beside a database even to read it. Asked before, since its own codes do not tell a place
  /// that is read-only from a file that was put in place of the right one.
  ///
  /// - Throws: `.notWritable`.
  func requireWritable() throws(VaultError) {
    for path in [folder, database, database + "-wal"] where Folders.exists(path) {
      guard unsafe access(path, W_OK) == 0 else {
        throw VaultError(.notWritable, systemError: errno)
      }
    }
  }

  /// Tells "nothing there", "something else" and "a vault".
  func checkIsVault() throws(VaultError) {
    guard Folders.exists(folder) else { throw VaultError(.noVault) }
    let names: [String]
    do {
      names = try Folders.names(in: folder)
    } catch {
      throw error.systemError == ENOTDIR || error.code == .fileMissing
        ? VaultError(.notAVault) : error
    }
    if names.isEmpty { throw VaultError(.noVault) }
    guard names.contains("keys") || names.contains("keys.bak") else {
      throw VaultError(names.contains("vault.db") ? .keysMissing : .notAVault)
    }
  }

  /// The locks, from the second copy if the first is missing or damaged.
  func readKeys() throws(VaultError) -> (KeysFile, usedSecond: Bool) {
    do {
      return (try KeysFile(decoding: try Folders.read(keys, max: KeysFile.byteCount)), false)
    } catch {
      guard error.code == .keysDamaged || error.code == .fileMissing || error.code == .fileTooLarge
      else { throw error }
      do {
        return (try KeysFile(decoding: try Folders.read(secondKeys, max: KeysFile.byteCount)), true)
      } catch {
        throw VaultError(.keysDamaged)
      }
    }
  }

  func writeKeys(_ keysFile: KeysFile) throws(VaultError) {
    try Folders.replace(keys, with: keysFile.bytes, in: folder)
    try Folders.replace(secondKeys, with: keysFile.bytes, in: folder)
  }

  /// By name: opening and closing the file beside SQLite would drop SQLite's locks on it (POSIX).
  func databaseInode() throws(VaultError) -> UInt64 { try Folders.inode(of: database) }

  /// One spelling for a folder, so that two of them can be compared: without links, `.` and `..`; as it was
  /// given where it is not there.
  static func resolved(_ path: String) -> String {
    let path = absolute(path)
    guard let found = unsafe realpath(path, nil) else { return path }
    defer { unsafe free(found) }
    return unsafe String(cString: found)
  }

  /// Whether a path is the vault's folder or leads into it, through links too and where it is not there yet.
  func contains(_ path: String) -> Bool {
    var path = Self.absolute(path)
    while path != "/", !Folders.exists(path) { path = Folders.parent(of: path) }
    let (own, other) = (Self.resolved(folder), Self.resolved(path))
    return other == own || other.hasPrefix(own + "/")
  }

  static func absolute(_ path: String) -> String {
    var path = path
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    if path.hasPrefix("/") { return path }
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    guard unsafe getcwd(&buffer, buffer.count) != nil else { return path }
    let here = String(
      decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return here + "/" + path
  }
}

/// The subkeys of a vault's master key; the master itself is not kept. They are zeroed with the last reference.
final class VaultKeys: Sendable {
  let database: SecretKey
  let anchor: SecretKey
  let duplicates: SecretKey
  /// Seals the keys of cases within the database, so that no array ever holds one.
  let cases: SecretKey

  init(master: borrowing SecretKey) {
    database = master.derive(.databasePages)
    anchor = master.derive(.anchor)
    duplicates = master.derive(.duplicates)
    cases = master.derive(.caseKeys)
  }

  func seal(_ secret: borrowing SecretKey) -> [UInt8] {
    let nonce = Nonce24.random()
    return nonce.bytes + AEAD.seal(secret, key: cases, nonce: nonce)
  }

  func open(_ sealed: [UInt8]) throws(VaultError) -> SecretKey {
    do {
      guard let nonce = Nonce24(Array(sealed.prefix(24))) else {
        throw CryptographyError.invalidLength
      }
      return try AEAD.openKey(Array(sealed.dropFirst(24)), key: cases, nonce: nonce)
    } catch {
      throw VaultError(.databaseDamaged)
    }
  }
}
