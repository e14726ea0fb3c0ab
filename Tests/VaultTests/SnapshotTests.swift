import GRDB
import GRDBSQLite
import Testing

@testable import Vault

@Suite struct `Looking at the database` {
  @Test func `keeps nothing that was written meanwhile`() async throws {
    let vault = try await VaultFixture().create()
    let queue = await vault.database.queue
    let error = #expect(throws: DatabaseError.self) {
      try queue.snapshot { db in try db.execute(sql: "DELETE FROM setting") }
    }
    #expect(error?.resultCode == .SQLITE_READONLY)
    let left = try queue.snapshot { try Int.fetchOne($0, sql: "SELECT count(*) FROM setting") }
    #expect(left ?? 0 > 0)
  }

  @Test func `leaves no transaction behind when it fails`() async throws {
    let vault = try await VaultFixture().create()
    let queue = await vault.database.queue
    #expect(throws: DatabaseError.self) {
      try queue.snapshot { db in try Row.fetchAll(db, sql: "SELECT nothing") }
    }
    #expect(!queue.inDatabase { $0.isInsideTransaction })
  }

  /// Each setting of a pragma like `query_only` has SQLite compile all statements anew.
  @Test func `compiles no statement a second time`() async throws {
    let vault = try await VaultFixture().create()
    let queue = await vault.database.queue
    let sql = "SELECT count(*) FROM leaf"
    for _ in 0..<3 { _ = try queue.snapshot { try Int.fetchOne($0, cached: sql) } }
    let count = try queue.inDatabase { db in
      unsafe sqlite3_stmt_status(
        try db.cachedStatement(sql: sql).sqliteStatement, SQLITE_STMTSTATUS_REPREPARE, 0)
    }
    #expect(count == 0)
  }
}
