import GRDB
import GRDBSQLite

/// The main database file of a connection, or its WAL, called as SQLite calls it. Use it inside an
/// access only.
@safe struct OpenFile {
  private let connection: OpaquePointer
  private let file: UnsafeMutablePointer<sqlite3_file>

  enum Part {
    case database, log
  }

  init?(_ db: Database, _ part: Part = .database) {
    guard let connection = unsafe db.sqliteConnection else { return nil }
    var file: UnsafeMutablePointer<sqlite3_file>?
    let which = part == .database ? SQLITE_FCNTL_FILE_POINTER : SQLITE_FCNTL_JOURNAL_POINTER
    let code = unsafe sqlite3_file_control(connection, "main", which, &file)
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

/// A database file opened without SQLite, in memory that can be looked at when it is closed.
@safe final class FileMemory {
  private let memory: UnsafeMutableRawBufferPointer
  private var isOpen = false

  init?(_ path: String) {
    guard let vfs = unsafe sqlite3_vfs_find("cairn-sealed") else { return nil }
    let size = Int(unsafe vfs.pointee.szOsFile)
    unsafe memory = .allocate(byteCount: size, alignment: 16)
    unsafe memory.initializeMemory(as: UInt8.self, repeating: 0)
    let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_MAIN_DB
    // SQLite's names are followed by the parameters of the URI, of which there are none.
    let name = Array(path.utf8CString) + [0, 0, 0]
    let code = unsafe name.withUnsafeBufferPointer { name in
      unsafe vfs.pointee.xOpen(vfs, name.baseAddress, file, flags, nil)
    }
    isOpen = code == SQLITE_OK
    if !isOpen { return nil }
  }

  private var file: UnsafeMutablePointer<sqlite3_file>? {
    unsafe memory.baseAddress?.assumingMemoryBound(to: sqlite3_file.self)
  }

  func read(_ count: Int, at offset: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    _ = unsafe bytes.withUnsafeMutableBytes { buffer in
      unsafe file?.pointee.pMethods.pointee.xRead(
        file, buffer.baseAddress, CInt(count), sqlite3_int64(offset))
    }
    return bytes
  }

  /// Closes the file and answers with all of its memory.
  func close() -> [UInt8] {
    _ = unsafe file?.pointee.pMethods.pointee.xClose(file)
    isOpen = false
    return unsafe Array(memory)
  }

  deinit {
    if isOpen { _ = unsafe file?.pointee.pMethods.pointee.xClose(file) }
    unsafe memory.deallocate()
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
