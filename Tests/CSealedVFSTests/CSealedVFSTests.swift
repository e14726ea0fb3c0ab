import CSealedVFS
import Foundation
import GRDB
import GRDBSQLite
import Testing

@Suite struct CSealedVFSTests {
  @Test func `a migrated database with full-text search is reopened by GRDB`() throws {
    let path = FileManager.default.temporaryDirectory
      .appending(path: "cairn-\(UUID().uuidString).db").path
    defer {
      for suffix in ["", "-wal"] { try? FileManager.default.removeItem(atPath: path + suffix) }
    }
    #expect(cairn_sealed_register() == SQLITE_OK)
    let key = [UInt8](repeating: 7, count: 32)
    let vault = [UInt8](repeating: 9, count: 16)
    #expect(unsafe cairn_sealed_provide_key(path, key, vault) == SQLITE_OK)
    defer { unsafe cairn_sealed_forget_key(path) }

    var migrator = DatabaseMigrator()
    migrator.registerMigration("first") { db in
      try db.execute(sql: "CREATE TABLE note(id INTEGER PRIMARY KEY, words TEXT)")
      try db.execute(sql: "CREATE VIRTUAL TABLE search USING fts5(words)")
    }
    for round in 1...3 {
      var configuration = Configuration()
      configuration.prepareDatabase { db in
        try db.execute(sql: "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
      }
      let queue = try DatabaseQueue(
        path: "file:\(path)?vfs=cairn-sealed", configuration: configuration)
      try migrator.migrate(queue)
      try queue.write { db in
        try db.execute(sql: "INSERT INTO note(words) VALUES ('a threat at noon')")
        try db.execute(sql: "INSERT INTO search(words) VALUES ('a threat at noon')")
      }
      let found = try queue.read { db in
        try Int.fetchOne(db, sql: "SELECT count(*) FROM search WHERE search MATCH 'threat'")
      }
      #expect(found == round)
      try queue.close()
    }
  }
}
