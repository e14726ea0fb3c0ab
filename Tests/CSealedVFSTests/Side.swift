import CSealedVFS
import Foundation
import GRDBSQLite

/// What SQLite answers to a statement, so that two answers can be compared.
struct Answer: Equatable, CustomStringConvertible {
  var code: CInt = 0
  var message = ""
  /// Columns one after another, each as its type, its length and its bytes.
  var rows: [UInt8] = []

  var description: String {
    "\(code) \(message) \(rows.count) bytes \(String(decoding: rows.prefix(300), as: UTF8.self))"
  }
}

/// A connection that is spoken to in SQL alone.
@safe final class Connection {
  private let connection: OpaquePointer

  init(_ path: String, vfs: String) throws {
    var connection: OpaquePointer?
    let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
    let code = unsafe sqlite3_open_v2(path, &connection, flags, vfs)
    guard code == SQLITE_OK, let connection = unsafe connection else {
      unsafe sqlite3_close(connection)
      throw Failed(code: code)
    }
    unsafe self.connection = connection
  }

  struct Failed: Error {
    let code: CInt
  }

  deinit { unsafe sqlite3_close_v2(connection) }

  func run(_ sql: String) -> Answer {
    var statement: OpaquePointer?
    var code = unsafe sqlite3_prepare_v2(connection, sql, -1, &statement, nil)
    defer { unsafe sqlite3_finalize(statement) }
    var answer = Answer()
    if code == SQLITE_OK {
      code = unsafe sqlite3_step(statement)
      while code == SQLITE_ROW {
        let columns = unsafe sqlite3_column_count(statement)
        for column in 0..<columns {
          unsafe append(statement, column, to: &answer.rows)
        }
        code = unsafe sqlite3_step(statement)
      }
    }
    if code != SQLITE_DONE && code != SQLITE_OK {
      answer.code = unsafe sqlite3_extended_errcode(connection)
      answer.message = unsafe String(cString: sqlite3_errmsg(connection))
    }
    return answer
  }

  private func append(_ statement: OpaquePointer?, _ column: CInt, to rows: inout [UInt8]) {
    let type = unsafe sqlite3_column_type(statement, column)
    rows.append(UInt8(type))
    if type == SQLITE_BLOB {
      let count = unsafe sqlite3_column_bytes(statement, column)
      rows += Array("\(count):".utf8)
      guard let bytes = unsafe sqlite3_column_blob(statement, column) else { return }
      unsafe rows.append(contentsOf: UnsafeRawBufferPointer(start: bytes, count: Int(count)))
    } else if type != SQLITE_NULL, let text = unsafe sqlite3_column_text(statement, column) {
      let count = unsafe sqlite3_column_bytes(statement, column)
      rows += Array("\(count):".utf8)
      unsafe rows.append(contentsOf: UnsafeRawBufferPointer(start: text, count: Int(count)))
    }
  }

  func limitAttached(to count: CInt) {
    _ = unsafe sqlite3_limit(connection, SQLITE_LIMIT_ATTACHED, count)
  }

  func reserve() {
    var bytes: CInt = 40
    _ = unsafe sqlite3_file_control(connection, "main", SQLITE_FCNTL_RESERVE_BYTES, &bytes)
  }

  /// Every page as SQLite sees it; nil within a transaction that was aborted, or of an empty database.
  func image() -> [UInt8]? {
    var size: sqlite3_int64 = 0
    guard let bytes = unsafe sqlite3_serialize(connection, "main", &size, 0) else { return nil }
    defer { unsafe sqlite3_free(bytes) }
    return unsafe Array(UnsafeRawBufferPointer(start: bytes, count: Int(size)))
  }

  /// Copies all of it to `target`, as the vault's backup does. Returns SQLite's result code.
  func backUp(to target: Connection) -> CInt {
    guard
      let backup = unsafe sqlite3_backup_init(target.connection, "main", connection, "main")
    else { return unsafe sqlite3_errcode(target.connection) }
    unsafe sqlite3_backup_step(backup, -1)
    return unsafe sqlite3_backup_finish(backup)
  }
}

/// One of two databases that go through the same, in a folder of its own.
final class Side {
  let isSealed: Bool
  private let folder: URL
  /// The file is the number's, and so is its key unless a crash left the file to it.
  private var number = 0
  private var keyNumber = 0
  private var made = 0
  private(set) var connections: [Connection] = []

  init(isSealed: Bool) throws {
    self.isSealed = isSealed
    folder = FileManager.default.temporaryDirectory.appending(path: "cairn-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    precondition(cairn_sealed_register() == SQLITE_OK)
    try reopen()
  }

  deinit {
    connections = []
    unsafe cairn_sealed_forget_key(path(number))
    try? FileManager.default.removeItem(at: folder)
  }

  private func path(_ number: Int) -> String { folder.appending(path: "\(number).db").path }

  private func connect() throws -> Connection {
    if !isSealed { return try connectPlain() }
    let key = [UInt8](repeating: UInt8(keyNumber % 200 + 1), count: 32)
    let vaultID = [UInt8](repeating: 2, count: 16)
    let code = unsafe cairn_sealed_provide_key(path(number), key, vaultID)
    guard code == SQLITE_OK else { throw Connection.Failed(code: code) }
    return try Connection(path(number), vfs: "cairn-sealed")
  }

  /// What the sealed VFS does to its connections, done by hand: then both have the same pages.
  private func connectPlain() throws -> Connection {
    let isNew = !FileManager.default.fileExists(atPath: path(number))
    let connection = try Connection(path(number), vfs: "unix-excl")
    connection.limitAttached(to: 0)
    _ = connection.run("PRAGMA temp_store = MEMORY")
    if isNew {
      _ = connection.run("PRAGMA page_size = 4096")
      _ = connection.run("PRAGMA journal_mode = MEMORY")
    }
    connection.reserve()
    if isNew { _ = connection.run("PRAGMA journal_mode = WAL") }
    return connection
  }

  /// Closes all connections, the last of which puts the WAL away, and opens two.
  func reopen() throws {
    connections = []
    connections = [try connect(), try connect()]
    for connection in connections { _ = connection.run("PRAGMA synchronous = OFF") }
  }

  /// Goes on with what a process that ended here would have left on disk.
  func crash() throws {
    let old = path(number)
    made += 1
    number = made
    for suffix in ["", "-wal"] where FileManager.default.fileExists(atPath: old + suffix) {
      try FileManager.default.copyItem(atPath: old + suffix, toPath: path(number) + suffix)
    }
    try reopen()
    unsafe cairn_sealed_forget_key(old)
  }

  /// Goes on with a copy, under another key. Returns SQLite's result code.
  func moveToBackup() throws -> CInt {
    let source = connections[0]
    let (old, oldNumber, oldKey) = (path(number), number, keyNumber)
    made += 1
    (number, keyNumber) = (made, made)
    let code = source.backUp(to: try connect())
    if code != SQLITE_OK { (number, keyNumber) = (oldNumber, oldKey) }
    try reopen()
    if code == SQLITE_OK { unsafe cairn_sealed_forget_key(old) }
    return code
  }

  func vacuum() -> Answer {
    connections[0].limitAttached(to: 1)
    defer { connections[0].limitAttached(to: 0) }
    return connections[0].run("VACUUM")
  }
}
