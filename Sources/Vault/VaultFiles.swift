internal import Cryptography

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// The names of a vault's files, and what is done with them as a whole.
struct VaultFiles: Sendable {
  let folder: String
  /// How often the vault was sealed under a new master key, as its keys file says: database and anchor of one
  /// generation have other names than those of the next, so that both can be there at once.
  let generation: UInt32
  /// Names of their own for a database and an anchor that are being made, so that they are in nobody's way.
  let isBuilding: Bool
  var keys: String { folder + "/keys" }
  var secondKeys: String { folder + "/keys.bak" }
  var database: String { folder + "/vault\(suffix).db\(ending)" }
  var databaseLog: String { database + "-wal" }
  var blobs: String { folder + "/blobs" }
  var anchor: String { folder + "/anchor\(suffix)\(ending)" }
  var attempts: String { folder + "/attempts" }
  private var suffix: String { generation.isMultiple(of: 2) ? "" : "-2" }
  private var ending: String { isBuilding ? ".new" : "" }

  static let databaseNames: Set = ["vault.db", "vault-2.db"]

  /// What may be in a vault's folder while it is made.
  static let allNames: Set<String> = {
    let replaced = ["keys", "keys.bak", "anchor", "anchor-2"]
    return Set(replaced + replaced.map { $0 + ".new" } + ["attempts", "blobs"])
      .union(databaseNames).union(databaseNames.map { $0 + "-wal" })
  }()

  init(folder: String, generation: UInt32 = 0, isBuilding: Bool = false) {
    self.folder = Self.absolute(folder)
    self.generation = generation
    self.isBuilding = isBuilding
  }

  func of(generation: UInt32) -> VaultFiles {
    VaultFiles(folder: folder, generation: generation)
  }

  /// The names that are not in force: those of the next generation, and of the last.
  var other: VaultFiles { of(generation: generation &+ 1) }

  var building: VaultFiles {
    VaultFiles(folder: folder, generation: generation, isBuilding: true)
  }

  /// Removes database and anchor of these names.
  func removeDatabase() throws(VaultError) {
    // The log first: without its database it is nothing, and beside a later one it would be wrong.
    for path in [databaseLog, database, anchor, anchor + ".new"] {
      try Folders.removeFile(path)
    }
    try Folders.synchronize(folder)
  }

  var hasDatabase: Bool { Folders.exists(database) }

  /// The lock is on the folder itself, so that nothing is left behind.
  func takeLock() throws(VaultError) -> OpenFile {
    var lock = try OpenFile(folder: folder)
    guard try lock.lock() else { throw VaultError(.inUse) }
    return lock
  }

  /// SQLite writes beside a database even to read it. Asked before, since its own codes do not tell a place
  /// that is read-only from a file that was put in place of the right one.
  ///
  /// - Throws: `.notWritable`.
  func requireWritable() throws(VaultError) {
    for path in [folder, database, databaseLog] where Folders.exists(path) {
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
      throw VaultError(Self.databaseNames.isDisjoint(with: names) ? .notAVault : .keysMissing)
    }
  }

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
    var other = Self.absolute(path)
    var missing: [Substring] = []
    while other != "/", !Folders.exists(other) {
      missing.append(other[other.index(after: other.lastIndex(of: "/") ?? other.startIndex)...])
      other = Folders.parent(of: other)
    }
    other = Self.resolved(other)
    // Out of a folder that is yet to be made “..” leads back, and from there anywhere.
    for name in missing.reversed() where !["", "."].contains(name) {
      let next = (other == "/" ? "" : other) + "/" + name
      other = name == ".." ? Folders.parent(of: other) : Self.resolved(next)
    }
    let own = Self.resolved(folder)
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
