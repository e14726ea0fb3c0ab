import Foundation
import GRDB
import Testing

/// What SQLite and GRDB do over the sealed VFS.
@Suite struct DatabaseTests {
  @Test func `a migrated database with full-text search is reopened by GRDB`() throws {
    let vault = try TemporaryVault()
    var migrator = DatabaseMigrator()
    migrator.registerMigration("first") { db in
      try db.execute(sql: "CREATE TABLE note(id INTEGER PRIMARY KEY, words TEXT)")
      try db.execute(sql: "CREATE VIRTUAL TABLE search USING fts5(words)")
    }
    for round in 1...3 {
      let queue = try vault.open()
      try migrator.migrate(queue)
      try queue.run("INSERT INTO note(words) VALUES ('a threat at noon')")
      try queue.run("INSERT INTO search(words) VALUES ('a threat at noon')")
      #expect(try queue.int("SELECT count(*) FROM note") == round)
      #expect(try queue.int("SELECT count(*) FROM search('threat')") == round)
      #expect(try queue.string("PRAGMA integrity_check") == "ok")
      try queue.run("INSERT INTO search(search) VALUES ('integrity-check')")
      try queue.close()
      #expect(try vault.fileNames == ["vault.db"])
    }
  }

  @Test func `what was committed is there after a checkpoint and without one`() throws {
    let vault = try TemporaryVault()
    let queue = try vault.open()
    try queue.run(createItems)
    try queue.run(insertRows(500))
    let unchecked = try TemporaryVault(vault.read())
    try queue.run("PRAGMA wal_checkpoint(TRUNCATE)")
    let checked = try TemporaryVault(vault.read())
    #expect(try unchecked.open().int("SELECT count(*) FROM item") == 500)
    #expect(try checked.open().int("SELECT count(*) FROM item") == 500)
  }

  @Test func `a pool reads and writes at once within the process`() async throws {
    let vault = try TemporaryVault()
    let pool = try DatabasePool(
      path: "file:\(vault.path)?vfs=cairn-sealed", configuration: vault.sealed())
    try pool.run(createItems)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 1...20 {
        group.addTask { try await pool.write { db in try db.execute(sql: insertRows(20)) } }
        group.addTask {
          let count = try await pool.read { db in
            try Int.fetchOne(db, sql: "SELECT count(*) FROM item") ?? -1
          }
          #expect(count.isMultiple(of: 20))
        }
      }
      try await group.waitForAll()
    }
    #expect(try pool.int("SELECT count(*) FROM item") == 400)
    #expect(try vault.fileNames == ["vault.db", "vault.db-wal"])
  }

  @Test func `a second process gets BUSY`() async throws {
    let vault = try TemporaryVault()
    let queue = try vault.open()
    try queue.run(createItems)
    await #expect(processExitsWith: .success) { [folder = vault.folder.path as String] in
      let other = TemporaryVault(inheriting: folder)
      let code = resultCode { _ = try other.open().int("SELECT count(*) FROM item") }
      precondition(code.primaryResultCode == .SQLITE_BUSY)
    }
    #expect(try queue.int("SELECT count(*) FROM item") == 0)
  }

  @Test func `auto-vacuum gives pages back`() throws {
    let vault = try TemporaryVault()
    let queue = try vault.open()
    try queue.run("PRAGMA auto_vacuum = INCREMENTAL")
    try queue.writeWithoutTransaction { db in
      try db.allowingOneAttachedDatabase { try db.execute(sql: "VACUUM") }
    }
    try queue.run(createItems)
    try queue.run(insertRows(50, of: 20_000))
    try queue.run("PRAGMA wal_checkpoint(TRUNCATE)")
    let before = try vault.read().database.count
    try queue.run("DELETE FROM item")
    _ = try queue.writeWithoutTransaction { try Row.fetchAll($0, sql: "PRAGMA incremental_vacuum") }
    try queue.run("PRAGMA wal_checkpoint(TRUNCATE)")
    #expect(try vault.read().database.count < before / 10)
    #expect(try queue.string("PRAGMA integrity_check") == "ok")
  }

  @Test func `VACUUM is refused, and right for a caller who allows the attaching`() throws {
    let vault = try TemporaryVault()
    let queue = try vault.open()
    try queue.run(createItems)
    try queue.run(insertRows(300, of: 5000))
    try queue.run("DELETE FROM item WHERE id % 3 > 0")
    #expect(resultCode { try queue.run("VACUUM") } == .SQLITE_ERROR)
    try queue.writeWithoutTransaction { db in
      try db.allowingOneAttachedDatabase { try db.execute(sql: "VACUUM") }
    }
    #expect(try vault.fileNames == ["vault.db", "vault.db-wal"])
    try queue.close()
    let reopened = try vault.open()
    #expect(try reopened.int("SELECT count(*) FROM item WHERE length(bytes) = 5000") == 100)
    #expect(try reopened.int("PRAGMA freelist_count") == 0)
    #expect(try reopened.string("PRAGMA integrity_check") == "ok")
  }

  @Test func `the backup API copies under another key`() throws {
    let old = try TemporaryVault(key: 1)
    let new = try TemporaryVault(key: 3)
    let source = try old.open()
    try source.run(createItems)
    try source.run(insertRows(2000))
    try source.run("DELETE FROM item WHERE id > 1000")
    // Pages that are taken and freed at once are read too.
    try source.run("PRAGMA secure_delete = OFF")
    try source.run(
      "BEGIN; CREATE TABLE scrap AS SELECT * FROM item; DROP TABLE scrap; \(insertRows(9)); COMMIT")
    let target = try new.open()
    try source.backup(to: target)
    try target.close()
    let reopened = try new.open()
    #expect(try reopened.int("SELECT count(*) FROM item") == 1009)
    #expect(try reopened.string("PRAGMA integrity_check") == "ok")
    #expect(try reopened.string("PRAGMA journal_mode") == "wal")
  }

  @Test func `a path may be relative to a symbolic link`() throws {
    let vault = try TemporaryVault()
    let link = vault.folder.appending(path: "link")
    try FileManager.default.createSymbolicLink(at: link, withDestinationURL: vault.folder)
    let queue = try DatabaseQueue(
      path: "file:\(link.path)/../\(vault.folder.lastPathComponent)/vault.db?vfs=cairn-sealed",
      configuration: vault.sealed())
    try queue.run(createItems)
  }

  @Test(arguments: ["", "PRAGMA wal_checkpoint(PASSIVE)"])
  func `a read-only connection reads, makes no -shm file and changes nothing`(
    before: String
  ) throws {
    let original = try TemporaryVault()
    let writer = try original.open()
    try writer.run(createItems)
    try writer.run(insertRows(50))
    try writer.run(before)
    let files = try original.read()
    let vault = try TemporaryVault(files)
    var configuration = vault.sealed()
    configuration.readonly = true
    let queue = try DatabaseQueue(
      path: "file:\(vault.path)?vfs=cairn-sealed", configuration: configuration)
    let count = try queue.read { db in try Int.fetchOne(db, sql: "SELECT count(*) FROM item") }
    #expect(count == 50)
    #expect(resultCode { try queue.run(insertRows(1)) } == .SQLITE_READONLY)
    #expect(resultCode { try queue.run("PRAGMA wal_checkpoint(TRUNCATE)") } != .SQLITE_OK)
    #expect(try vault.fileNames == ["vault.db", "vault.db-wal"])
    try queue.close()
    let after = try vault.read()
    #expect(after.database == files.database && after.wal == files.wal)
  }

  @Test func `a read-only connection that closes last leaves the WAL`() throws {
    let vault = try TemporaryVault()
    let writer = try vault.open()
    try writer.run(createItems)
    var configuration = vault.sealed()
    configuration.readonly = true
    let reader = try DatabaseQueue(
      path: "file:\(vault.path)?vfs=cairn-sealed", configuration: configuration)
    try writer.run("PRAGMA wal_checkpoint(PASSIVE)")
    try writer.close()
    try reader.close()
    #expect(try vault.fileNames == ["vault.db", "vault.db-wal"])
  }
}
