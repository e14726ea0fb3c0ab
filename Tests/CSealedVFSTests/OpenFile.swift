import GRDB
import GRDBSQLite

/// The main database file of a connection, called as SQLite calls it. Use it inside an access only.
@safe struct OpenFile {
  private let connection: OpaquePointer
  private let file: UnsafeMutablePointer<sqlite3_file>

  init?(_ db: Database) {
    guard let connection = unsafe db.sqliteConnection else { return nil }
    var file: UnsafeMutablePointer<sqlite3_file>?
    let code = unsafe sqlite3_file_control(connection, "main", SQLITE_FCNTL_FILE_POINTER, &file)
    guard code == SQLITE_OK, let file = unsafe file else { return nil }
    unsafe self.connection = connection
    unsafe self.file = file
  }

  var version: CInt { unsafe file.pointee.pMethods.pointee.iVersion }

  var deviceCharacteristics: CInt {
    unsafe file.pointee.pMethods.pointee.xDeviceCharacteristics(file)
  }

  func read(_ count: Int, at offset: Int) -> (code: ResultCode, bytes: [UInt8]) {
    var bytes = [UInt8](repeating: 0xEE, count: count)
    let code = unsafe bytes.withUnsafeMutableBytes { buffer in
      unsafe file.pointee.pMethods.pointee.xRead(
        file, buffer.baseAddress, CInt(count), sqlite3_int64(offset))
    }
    return (ResultCode(rawValue: code), bytes)
  }

  func write(_ bytes: [UInt8], at offset: Int) -> ResultCode {
    let code = unsafe bytes.withUnsafeBytes { buffer in
      unsafe file.pointee.pMethods.pointee.xWrite(
        file, buffer.baseAddress, CInt(buffer.count), sqlite3_int64(offset))
    }
    return ResultCode(rawValue: code)
  }

  func control(_ operation: CInt, _ value: CInt) -> ResultCode {
    var value = value
    return ResultCode(
      rawValue: unsafe sqlite3_file_control(connection, "main", operation, &value))
  }
}

/// A connection that has read nothing yet, which GRDB's always have.
@safe final class RawConnection {
  private let connection: OpaquePointer

  init?(_ uri: String) {
    var connection: OpaquePointer?
    let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_URI
    let code = unsafe sqlite3_open_v2(uri, &connection, flags, nil)
    guard code == SQLITE_OK, let connection = unsafe connection else { return nil }
    unsafe self.connection = connection
  }

  deinit { unsafe sqlite3_close(connection) }

  func run(_ sql: String) -> ResultCode {
    ResultCode(rawValue: unsafe sqlite3_exec(connection, sql, nil, nil, nil))
  }
}

extension Database {
  /// SQLite's limit on attached databases, set for as long as `body` runs.
  func allowingOneAttachedDatabase<T>(_ body: () throws -> T) rethrows -> T {
    unsafe sqlite3_limit(sqliteConnection, SQLITE_LIMIT_ATTACHED, 1)
    defer { unsafe sqlite3_limit(sqliteConnection, SQLITE_LIMIT_ATTACHED, 0) }
    return try body()
  }
}
