internal import CSealedVFS
internal import Cryptography
internal import GRDB

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
  ///
  /// - Throws: `.databaseOfAnother` when no page of it was sealed under this key, `.newerVersion` for tables that a
  ///   later program brought up to date, before anything is written.
  init(opening path: String, key: borrowing SecretKey, vaultID: [UInt8]) throws {
    // SQLite takes an empty file for a new database, and would begin one.
    guard try OpenFile(reading: path).status().size >= UInt64(SealedPages.pageByteCount) else {
      throw VaultError(.databaseDamaged)
    }
    try Self.provide(key, vaultID: vaultID, for: path)
    self.path = path
    do {
      queue = try DatabaseQueue(path: Self.uri(path), configuration: Self.configuration())
      let migrator = Schema.migrator()
      // To migrate passes over what it does not know.
      guard try !queue.snapshot(migrator.hasBeenSuperseded) else {
        throw VaultError(.newerVersion)
      }
      try migrator.migrate(queue)
    } catch {
      unsafe cairn_sealed_forget_key(path)
      if VaultError.ofDatabase(error).code == .databaseDamaged,
        try !SealedPages(key: key, vaultID: vaultID).hasAny(in: path)
      {
        throw VaultError(.databaseOfAnother)
      }
      throw error
    }
  }

  /// An empty one at a place where none is, for what is copied into it.
  init(emptyAt path: String, key: borrowing SecretKey, vaultID: [UInt8]) throws {
    try Self.provide(key, vaultID: vaultID, for: path)
    self.path = path
    do {
      queue = try DatabaseQueue(path: Self.uri(path), configuration: Self.configuration())
    } catch {
      unsafe cairn_sealed_forget_key(path)
      throw error
    }
  }

  func read<Result>(_ body: (Database) throws -> Result) throws(VaultError) -> Result {
    do { return try queue.snapshot(body) } catch { throw .ofDatabase(error) }
  }

  /// One transaction, which moves no anchor: what signs goes through `OpenVault.commit`.
  func write<Result>(_ body: (Database) throws -> Result) throws(VaultError) -> Result {
    do { return try queue.write { db in try body(db) } } catch { throw .ofDatabase(error) }
  }

  /// Closes it after something else failed, which is what is told.
  func giveUp() {
    do { try queue.close() } catch { return }
    forgetKey()
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
      // 16 MiB of commits before they go to the main file, where they lie apart.
      try db.execute(sql: "PRAGMA wal_autocheckpoint = 4096")
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

extension DatabaseQueue {
  /// What `body` finds in one unchanging state of the database. Should it write, nothing of that stays.
  ///
  /// GRDB's `read` sets `PRAGMA query_only` before and after, and SQLite compiles each statement that it keeps
  /// anew whenever that pragma was set: a third of the time of a small exchange. Its BEGIN and COMMIT are
  /// compiled each time.
  func snapshot<Value>(_ body: (Database) throws -> Value) throws -> Value {
    try writeWithoutTransaction { db in
      let changesBefore = db.totalChangesCount
      try db.execute(cached: "BEGIN DEFERRED TRANSACTION")
      do {
        let value = try body(db)
        guard db.totalChangesCount == changesBefore else {
          throw DatabaseError(resultCode: .SQLITE_READONLY)
        }
        // SQLite ends one itself in which it found what it could not read; what came after that was another state.
        guard db.isInsideTransaction else { throw DatabaseError(resultCode: .SQLITE_ABORT) }
        try db.execute(cached: "COMMIT TRANSACTION")
        return value
      } catch {
        try db.rollback()
        throw error
      }
    }
  }
}

/// Pages of a database's file that is closed, looked at without SQLite. Format: `Protocol/VaultFiles.md`.
struct SealedPages: ~Copyable {
  static let pageByteCount = 4096
  private static let contentByteCount = 4056
  private static let nonceByteCount = 24
  /// Enough to find one even where the beginning of the file is lost.
  private static let sampleCount: UInt64 = 512

  private let key: SecretKey
  private let vaultID: [UInt8]

  init(key: borrowing SecretKey, vaultID: [UInt8]) {
    self.key = key.copy()
    self.vaultID = vaultID
  }

  /// Whether one of the pages, of many a sample, was sealed under this key.
  func hasAny(in path: String) throws(VaultError) -> Bool {
    let file = try OpenFile(reading: path, followingLinks: false)
    let count = try file.status().size / UInt64(Self.pageByteCount)
    for index in stride(from: 0, to: count, by: max(1, Int(count / Self.sampleCount))) {
      let page = try file.read(
        at: index * UInt64(Self.pageByteCount), count: Self.pageByteCount)
      if page.count == Self.pageByteCount,
        opens(page, number: UInt32(truncatingIfNeeded: index + 1))
      {
        return true
      }
    }
    return false
  }

  private func opens(_ page: [UInt8], number: UInt32) -> Bool {
    let nonceEnd = Self.contentByteCount + Self.nonceByteCount
    guard let nonce = Nonce24(Array(page[Self.contentByteCount..<nonceEnd])) else { return false }
    do {
      _ = try AEAD.open(
        Array(page[..<Self.contentByteCount] + page[nonceEnd...]), key: key, nonce: nonce,
        associatedData: vaultID + [1] + number.bigEndianBytes)
      return true
    } catch {
      return false
    }
  }
}
