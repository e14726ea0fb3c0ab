internal import Cryptography
internal import GRDB
internal import GRDBSQLite

/// A value that SQLite takes as it is.
protocol Bindable {
  /// - Parameter index: of the `?`, from 1.
  /// - Returns: SQLite's code.
  @unsafe func bind(to statement: OpaquePointer, at index: Int32) -> Int32
}

extension Database {
  /// Executes one statement, compiled once for each connection, with a value for each `?` of it.
  ///
  /// The values go to SQLite one by one. GRDB would first make an array of boxes of them, and another of its own
  /// values: for a row of an entry, that takes longer than to insert it.
  func run<each Value: Bindable>(_ sql: String, _ value: repeat each Value) throws {
    var statement = try BoundStatement(self, sql)
    for value in repeat each value { statement.bind(value) }
    try statement.run()
  }

  /// Inserts a row for each element, many in one statement: SQLite opens a table and its indexes once for all of
  /// them, and finds the end of each where the row before has left it.
  ///
  /// - Parameters:
  ///   - target: what follows INTO: a table and the columns.
  ///   - values: those of the columns.
  /// - Throws: also where a row contradicts another. Rows before it are inserted then: what called this gives up
  ///   its transaction. (A statement that takes back its own rows would have to keep a copy of each page.)
  func insert<Element, each Value: Bindable>(
    _ elements: [Element], into target: String, _ values: (Element) -> (repeat each Value)
  ) throws {
    var columns = 0
    for _ in repeat (each Value).self { columns += 1 }
    let row = "(" + String(repeating: "?,", count: columns).dropLast() + ")"
    var rest = elements[...]
    while !rest.isEmpty {
      let count = rest.count < Self.rowsAtOnce ? 1 : Self.rowsAtOnce
      // Not `joined`, which goes character by character: it took a tenth of what storing entries takes.
      let rows = String(repeating: row + ",", count: count).dropLast()
      var statement = try BoundStatement(self, "INSERT OR FAIL INTO \(target) VALUES \(rows)")
      for element in rest.prefix(count) {
        for value in repeat each values(element) { statement.bind(value) }
      }
      try statement.run()
      rest = rest.dropFirst(count)
    }
  }

  /// Rows of one statement.
  static var rowsAtOnce: Int { 32 }
}

/// A compiled statement that is given its values. GRDB keeps it for as long as the connection is open.
@safe private struct BoundStatement {
  private let statement: OpaquePointer
  private var index: Int32 = 0
  private var status = SQLITE_OK

  init(_ db: Database, _ sql: String) throws {
    unsafe statement = try db.cachedStatement(sql: sql).sqliteStatement
  }

  mutating func bind(_ value: some Bindable) {
    guard status == SQLITE_OK else { return }
    index += 1
    status = unsafe value.bind(to: statement, at: index)
  }

  /// To be called once.
  consuming func run() throws {
    if status == SQLITE_OK {
      precondition(
        unsafe index == sqlite3_bind_parameter_count(statement), "a value for each parameter")
      // None of these statements gives rows.
      status = unsafe sqlite3_step(statement)
    }
    // The values are copies of evidence, and shall not lie there longer than they are needed.
    unsafe sqlite3_reset(statement)
    unsafe sqlite3_clear_bindings(statement)
    guard status == SQLITE_DONE else {
      throw DatabaseError(resultCode: ResultCode(rawValue: status))
    }
  }
}

// MARK: - What there is

extension Int64: Bindable {
  @unsafe func bind(to statement: OpaquePointer, at index: Int32) -> Int32 {
    unsafe sqlite3_bind_int64(statement, index, self)
  }
}

extension Int: Bindable {
  @unsafe func bind(to statement: OpaquePointer, at index: Int32) -> Int32 {
    unsafe sqlite3_bind_int64(statement, index, Int64(self))
  }
}

extension Bool: Bindable {
  @unsafe func bind(to statement: OpaquePointer, at index: Int32) -> Int32 {
    unsafe sqlite3_bind_int64(statement, index, self ? 1 : 0)
  }
}

extension String: Bindable {
  @unsafe func bind(to statement: OpaquePointer, at index: Int32) -> Int32 {
    // An empty one may have no address, which would be NULL.
    guard !isEmpty else { return unsafe sqlite3_bind_text(statement, index, "", 0, copied) }
    var text = self
    return text.withUTF8 { text in
      unsafe text.withMemoryRebound(to: CChar.self) { text in
        unsafe sqlite3_bind_text(statement, index, text.baseAddress, Int32(text.count), copied)
      }
    }
  }
}

extension [UInt8]: Bindable {
  @unsafe func bind(to statement: OpaquePointer, at index: Int32) -> Int32 {
    guard !isEmpty else { return unsafe sqlite3_bind_zeroblob(statement, index, 0) }
    return unsafe withUnsafeBytes { bytes in
      unsafe sqlite3_bind_blob(statement, index, bytes.baseAddress, Int32(bytes.count), copied)
    }
  }
}

extension Bytes32: Bindable {
  @unsafe func bind(to statement: OpaquePointer, at index: Int32) -> Int32 {
    withBytes { bytes in
      unsafe bytes.withUnsafeBytes { bytes in
        unsafe sqlite3_bind_blob(statement, index, bytes.baseAddress, Int32(bytes.count), copied)
      }
    }
  }
}

extension Optional: Bindable where Wrapped: Bindable {
  @unsafe func bind(to statement: OpaquePointer, at index: Int32) -> Int32 {
    guard let self else { return unsafe sqlite3_bind_null(statement, index) }
    return unsafe self.bind(to: statement, at: index)
  }
}

/// SQLite copies a value that is given with this (`SQLITE_TRANSIENT`).
private let copied = unsafe unsafeBitCast(-1, to: sqlite3_destructor_type.self)
