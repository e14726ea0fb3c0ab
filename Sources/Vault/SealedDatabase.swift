internal import CSealedVFS
internal import Cryptography
internal import GRDB

#if canImport(Glibc)
  internal import Glibc
#endif

/// The vault's SQLite, every page of it sealed: GRDB over the VFS of `CSealedVFS`.
struct SealedDatabase {
  let queue: DatabaseQueue
  private let path: String

  /// Makes a new database at `path`, complete and closed again. Its first page goes without a log, so it gets
  /// its lasting name only afterwards.
  static func create(at path: String, key: borrowing SecretKey, vaultID: [UInt8]) throws {
    try provide(key, vaultID: vaultID, for: path)
    defer { unsafe cairn_sealed_forget_key(path) }
    let queue = try DatabaseQueue(path: uri(path), configuration: configuration())
    try Schema.migrator().migrate(queue)
    try queue.close()
  }

  /// Opens an existing database and brings its tables up to date.
  init(opening path: String, key: borrowing SecretKey, vaultID: [UInt8]) throws {
    try Self.provide(key, vaultID: vaultID, for: path)
    self.path = path
    do {
      queue = try DatabaseQueue(path: Self.uri(path), configuration: Self.configuration())
      try Schema.migrator().migrate(queue)
    } catch {
      unsafe cairn_sealed_forget_key(path)
      throw error
    }
  }

  /// Zeroes the VFS's copy of the key, once the database is closed.
  func forgetKey() { unsafe cairn_sealed_forget_key(path) }

  private static func provide(
    _ key: borrowing SecretKey, vaultID: [UInt8], for path: String
  ) throws {
    guard cairn_sealed_register() == 0 else { throw VaultError(.inputOutput) }
    let status = key.withBytes { bytes in
      unsafe bytes.withUnsafeBytes { key in
        unsafe cairn_sealed_provide_key(
          path, key.baseAddress!.assumingMemoryBound(to: UInt8.self), vaultID)
      }
    }
    guard status == 0 else { throw VaultError(.inputOutput) }
  }

  private static func configuration() -> Configuration {
    var configuration = Configuration()
    configuration.busyMode = .immediateError
    configuration.prepareDatabase { db in
      try db.execute(sql: "PRAGMA synchronous = FULL")
      try db.execute(sql: "PRAGMA secure_delete = ON")
      try db.execute(sql: "PRAGMA trusted_schema = OFF")
      // 32 MiB: the tables by which 100,000 entries are found. Each page that is not kept is opened again.
      try db.execute(sql: "PRAGMA cache_size = -32768")
    }
    return configuration
  }

  /// The path as SQLite's URI, which names the VFS; everything that is not plainly harmless is escaped.
  private static func uri(_ path: String) -> String {
    var text = "file:"
    for byte in path.utf8 {
      let isPlain =
        (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte)
        || (0x61...0x7a).contains(byte) || byte == 0x2f || byte == 0x2e || byte == 0x5f
      text += isPlain ? String(UnicodeScalar(byte)) : "%" + Hex.encode([byte])
    }
    return text + "?vfs=cairn-sealed"
  }
}
