import Foundation
import GRDB
import GRDBSQLite
import Testing

/// The ways in which a VFS like this one is known to go wrong. CrashTests and TamperTests hold more.
///
/// |  | pitfall | test |
/// |---|---|---|
/// | 1 | page 1 is read before recovery | `a torn page 1 does not brick the vault` |
/// | 2 | a torn frame is no I/O error | `a torn frame ends recovery, and damage read later is an error` |
/// | 3 | small reads of the WAL, and headers and pages rewritten | `headers of the WAL are read in part and written alone`, `pages rewritten within a transaction keep their checksums`, `damage met while checksums are rewritten is not committed` |
/// | 4 | attached databases reserve nothing | `a database cannot be attached`, `a page that uses the reserved bytes is refused` |
/// | 5 | reserved bytes are in the checksums | `reserved bytes are zero wherever SQLite sees them` |
/// | 6 | journals and temporary files | `no journal or temporary file is ever made`, `a database is in WAL mode from its first page, and stays in it`, `a journal that lies beside the database is not played back` |
/// | 7 | page writes split around a sync | `SQLite is told that it may overwrite, and nothing else` |
/// | 8 | memory mapping | `nothing is memory-mapped` |
/// | 9 | the lock page is never written | `the lock page may be a hole, and no other page` |
/// | 10 | chunks, hints and sizes | `files grow by what is written and shrink on unit boundaries` |
/// | 11 | overflow pages read in part | `a page may be read in part` |
/// | 12 | page size and key changed in place | `the page size stays 4096`, `a key is not changed in place`, `the backup API copies under another key` |
/// | 13 | a wrong key is not damage | `a wrong key, damage and no key are different errors` |
/// | 14 | keys and plaintext stay in memory | `a key lives until it is forgotten and the last file closes`, `a key is in locked memory`, `a closed file leaves no plaintext in its memory` |
/// | 15 | an old state put back | `an old state put back is not noticed here` |
/// | 16 | a page added and not yet written | `a page that a transaction has just added is new, one that was cut off is damage` |
@Suite struct PitfallTests {
  @Test func `a torn page 1 does not brick the vault`() throws {
    let vault = try TemporaryVault()
    let queue = try vault.open()
    try queue.run(createItems)
    try queue.run("PRAGMA wal_checkpoint(TRUNCATE)")
    try queue.run("CREATE TABLE more(x); INSERT INTO more VALUES (7)")
    let before = try vault.read()
    try queue.run("PRAGMA wal_checkpoint(PASSIVE)")
    let after = try vault.read().database
    for torn in stride(from: 512, to: pageSize, by: 512) {
      var files = before
      files.database.replaceSubrange(0..<torn, with: after[0..<torn])
      #expect(try TemporaryVault(files).open().int("SELECT x FROM more") == 7, "at \(torn)")
    }
  }

  @Test func `a torn frame ends recovery, and damage read later is an error`() throws {
    let vault = try TemporaryVault()
    let queue = try vault.open()
    try queue.run(createItems)
    try queue.run(insertRows(1))
    let wal = try #require(try vault.read().wal)

    var torn = try vault.read()
    torn.wal?.removeLast(100)
    #expect(try TemporaryVault(torn).open().int("SELECT count(*) FROM item") == 0)

    // A second connection shares the index and starts with an empty cache: it reads single pages.
    try vault.overwrite(vault.walPath, at: wal.count - 1, with: [wal[wal.count - 1] ^ 1])
    let code = resultCode { _ = try vault.open().int("SELECT count(*) FROM item") }
    #expect(code == .SQLITE_IOERR_DATA)
  }

  @Test func `headers of the WAL are read in part and written alone`() throws {
    let vault = try TemporaryVault()
    let queue = try vault.open()
    try queue.run(createItems)
    try queue.run(insertRows(1))
    let before = try vault.read().wal
    try queue.writeWithoutTransaction { db in
      let wal = try #require(OpenFile(db, .log))
      let header = wal.read(32, at: 0)
      let frame = wal.read(24 + pageSize, at: 32)
      #expect(header.code == .SQLITE_OK && frame.code == .SQLITE_OK)
      #expect(header.bytes[..<3] == [0x37, 0x7F, 0x06], "SQLite's own header, opened")
      #expect(wal.read(8, at: 24).bytes == Array(header.bytes[24...]))
      #expect(wal.read(8, at: 32 + 16).bytes == Array(frame.bytes[16..<24]))
      #expect(wal.read(pageSize, at: 32 + 24).bytes == Array(frame.bytes[24...]))
      #expect(wal.write(header.bytes, at: 0) == .SQLITE_OK)
      #expect(wal.write(Array(frame.bytes[..<24]), at: 32) == .SQLITE_OK)
      // A write that is neither a header nor a page would have to be sealed with what is around it.
      #expect(wal.write(Array(frame.bytes[..<8]), at: 32) == .SQLITE_IOERR_WRITE)
      #expect(wal.write(Array(frame.bytes[..<2000]), at: 32 + 24) == .SQLITE_IOERR_WRITE)
    }
    let after = try vault.read()
    #expect(after.wal?.count == before?.count && after.wal?.prefix(72) != before?.prefix(72))
    #expect(try TemporaryVault(after).open().int("SELECT count(*) FROM item") == 1)
  }

  @Test func `pages rewritten within a transaction keep their checksums`() throws {
    let vault = try TemporaryVault()
    // So small a cache makes SQLite write pages to the WAL before the commit, then again in place.
    let queue = try vault.open("PRAGMA cache_size = 5")
    try queue.run(createItems)
    try queue.writeWithoutTransaction { db in
      try db.inTransaction {
        try db.execute(sql: insertRows(300))
        for _ in 1...5 { try db.execute(sql: "UPDATE item SET bytes = randomblob(100)") }
        return .commit
      }
    }
    let frames = (try #require(try vault.read().wal).count - walHeaderSize) / frameSize
    #expect(frames < 60, "rewritten, not appended")
    let reopened = try TemporaryVault(vault.read()).open()
    #expect(try reopened.int("SELECT count(*) FROM item") == 300)
    #expect(try reopened.string("PRAGMA integrity_check") == "ok")
  }

  @Test func `damage met while checksums are rewritten is not committed`() throws {
    let vault = try TemporaryVault()
    let queue = try vault.open("PRAGMA cache_size = 5")
    try queue.run(createItems)
    try queue.run(insertRows(300))
    let start = try #require(try vault.read().wal).count
    let code = resultCode {
      try queue.writeWithoutTransaction { db in
        try db.inTransaction {
          try db.execute(sql: "UPDATE item SET bytes = randomblob(100)")
          try db.execute(sql: "UPDATE item SET bytes = randomblob(100)")
          let end = try #require(try vault.read().wal).count
          for frame in stride(from: start, to: end, by: frameSize) {
            try vault.overwrite(vault.walPath, at: frame + 200, with: [1, 2, 3, 4, 5])
          }
          return .commit
        }
      }
    }
    #expect(code == .SQLITE_IOERR_DATA)
  }

  @Test func `a database cannot be attached`() throws {
    let vault = try TemporaryVault()
    let other = try TemporaryVault(key: 3)
    try other.open().run(createItems)
    let attach = "ATTACH 'file:\(other.path)?vfs=cairn-sealed' AS other"
    let queue = try vault.open()
    #expect(resultCode { try queue.run(attach) } == .SQLITE_ERROR)
    #expect(resultCode { try queue.run("ATTACH ':memory:' AS other") } == .SQLITE_ERROR)
    // Not with the limit raised, and not to a connection that is none of ours.
    let raised = resultCode {
      try queue.writeWithoutTransaction { db in
        try db.allowingOneAttachedDatabase { try db.execute(sql: attach) }
      }
    }
    #expect(raised == .SQLITE_CANTOPEN)
    #expect(resultCode { try DatabaseQueue().run(attach) } == .SQLITE_CANTOPEN)
  }

  @Test func `a page that uses the reserved bytes is refused`() throws {
    let vault = try TemporaryVault()
    let queue = try vault.open()
    try queue.run(createItems)
    let plain = try DatabaseQueue()
    try plain.run("PRAGMA page_size = 4096")
    try plain.run(createItems)
    try plain.run(insertRows(100))
    #expect(resultCode { try plain.backup(to: queue) }.primaryResultCode == .SQLITE_IOERR)

    try queue.writeWithoutTransaction { db in
      let file = try #require(OpenFile(db))
      var page = file.read(pageSize, at: 0).bytes
      page[pageSize - 1] = 1
      #expect(file.write(page, at: 0) == .SQLITE_IOERR_WRITE)
      page[pageSize - 1] = 0
      page[20] = 0
      #expect(file.write(page, at: 0) == .SQLITE_IOERR_WRITE)
    }
    try queue.close()
    #expect(try vault.open().int("SELECT count(*) FROM item") == 0)
  }

  @Test func `reserved bytes are zero wherever SQLite sees them`() throws {
    let vault = try TemporaryVault()
    let queue = try vault.open()
    try queue.run(createItems)
    try queue.run(insertRows(100))
    let recovered = try TemporaryVault(vault.read()).open()
    #expect(try recovered.int("SELECT count(*) FROM item") == 100)
    try queue.run("PRAGMA wal_checkpoint(TRUNCATE)")
    let size = try vault.read().database.count
    try queue.writeWithoutTransaction { db in
      let file = try #require(OpenFile(db))
      for offset in stride(from: 0, to: size, by: pageSize) {
        #expect(file.read(pageSize, at: offset).bytes.suffix(40).allSatisfy { $0 == 0 })
      }
    }
  }

  @Test func `no journal or temporary file is ever made`() throws {
    let vault = try TemporaryVault()
    let queue = try vault.open("PRAGMA cache_size = 10")
    try queue.run(createItems)
    try queue.run("CREATE VIRTUAL TABLE search USING fts5(words)")
    try queue.writeWithoutTransaction { db in
      try db.inTransaction {
        // A large statement journal, a sort, an index build and a temporary table.
        try db.execute(sql: insertRows(3000))
        try db.execute(sql: "INSERT OR ABORT INTO item SELECT id + 10000, bytes FROM item")
        try db.execute(sql: "CREATE INDEX by_bytes ON item(bytes)")
        try db.execute(sql: "CREATE TEMP TABLE copy AS SELECT * FROM item ORDER BY bytes DESC")
        try db.execute(sql: "INSERT INTO search SELECT hex(bytes) FROM item")
        #expect(try vault.fileNames == ["vault.db", "vault.db-wal"])
        return .commit
      }
    }
    #expect(resultCode { try queue.run("PRAGMA temp_store = FILE") } == .SQLITE_ERROR)
    #expect(resultCode { try queue.run("VACUUM INTO '\(vault.path)-copy'") } == .SQLITE_ERROR)
    #expect(try vault.fileNames == ["vault.db", "vault.db-wal"])
  }

  @Test(arguments: ["DELETE", "TRUNCATE", "PERSIST", "MEMORY", "OFF"])
  func `a database is in WAL mode from its first page, and stays in it`(mode: String) throws {
    let vault = try TemporaryVault()
    let queue = try DatabaseQueue(path: "file:\(vault.path)?vfs=cairn-sealed")
    #expect(try queue.string("PRAGMA journal_mode") == "wal")
    #expect(try queue.string("PRAGMA journal_mode = \(mode)") == "wal")
    try queue.run(createItems)
    try queue.writeWithoutTransaction { db in
      let file = try #require(OpenFile(db))
      var page = file.read(pageSize, at: 0).bytes
      page[18] = 1
      #expect(file.write(page, at: 0) == .SQLITE_IOERR_WRITE)
    }
    #expect(try vault.fileNames == ["vault.db", "vault.db-wal"])
  }

  @Test func `a journal that lies beside the database is not played back`() throws {
    let vault = try TemporaryVault()
    try vault.open().run(createItems)
    try Data(repeating: 0xD9, count: 5000).write(to: URL(filePath: vault.path + "-journal"))
    #expect(try vault.open().int("SELECT count(*) FROM item") == 0)
  }

  @Test(arguments: ["", "&psow=0"])
  func `SQLite is told that it may overwrite, and nothing else`(parameters: String) throws {
    let vault = try TemporaryVault()
    let queue = try vault.open(parameters: parameters)
    try queue.run(createItems)
    try queue.run(insertRows(10))
    let told = queue.writeWithoutTransaction { OpenFile($0)?.deviceCharacteristics }
    #expect(told == SQLITE_IOCAP_POWERSAFE_OVERWRITE)
    // No padding frames: exactly one frame a changed page.
    #expect(try #require(try vault.read().wal).count == walHeaderSize + 3 * frameSize)
  }

  @Test func `nothing is memory-mapped`() throws {
    let queue = try TemporaryVault().open()
    #expect(try queue.int("PRAGMA mmap_size = 1000000") == 0)
    #expect(queue.writeWithoutTransaction { OpenFile($0)?.version } == 2)
  }

  @Test func `the lock page may be a hole, and no other page`() throws {
    let vault = try TemporaryVault()
    let queue = try vault.open()
    try queue.run(createItems)
    try queue.run("PRAGMA wal_checkpoint(TRUNCATE)")
    try queue.writeWithoutTransaction { db in
      let file = try #require(OpenFile(db))
      let lockPage = file.read(pageSize, at: 1 << 30)
      #expect(lockPage.code == .SQLITE_OK && lockPage.bytes.allSatisfy { $0 == 0 })
      try vault.overwrite(
        vault.path, at: 5 * pageSize, with: [UInt8](repeating: 0, count: pageSize))
      #expect(file.read(pageSize, at: 3 * pageSize).code == .SQLITE_IOERR_DATA)
      #expect(file.read(pageSize, at: 5 * pageSize).code == .SQLITE_IOERR_DATA)
    }
  }

  // Found by DifferentialTests: a new table's root in an auto-vacuum database takes the place of a page
  // that the same transaction has added, and SQLite reads that place first.
  @Test func `a page that a transaction has just added is new, one that was cut off is damage`()
    throws
  {
    let vault = try TemporaryVault()
    let queue = try vault.open()
    try queue.run("PRAGMA auto_vacuum = INCREMENTAL")
    try queue.writeWithoutTransaction { db in
      try db.allowingOneAttachedDatabase { try db.execute(sql: "VACUUM") }
    }
    try queue.run(createItems)
    for round in 1...3 {
      try queue.run("BEGIN; \(insertRows(1, of: 9000)); CREATE TABLE t\(round)(x); COMMIT")
      if round == 2 { try queue.run("PRAGMA wal_checkpoint(TRUNCATE)") }
    }
    #expect(try queue.string("PRAGMA integrity_check") == "ok")
    try queue.run("PRAGMA wal_checkpoint(TRUNCATE)")

    let pages = try #require(try queue.int("PRAGMA page_count"))
    let last = (pages - 1) * pageSize
    for size in [last, last + 100] {
      try FileHandle(forUpdating: URL(filePath: vault.path)).truncate(atOffset: UInt64(size))
      try queue.writeWithoutTransaction { db in
        let file = try #require(OpenFile(db))
        #expect(file.read(pageSize, at: last).code == .SQLITE_IOERR_DATA)
        #expect(file.read(pageSize, at: last + pageSize).code == .SQLITE_OK)
      }
    }
  }

  @Test func `files grow by what is written and shrink on unit boundaries`() throws {
    let vault = try TemporaryVault()
    let queue = try vault.open("PRAGMA journal_size_limit = 50000")
    let control = queue.writeWithoutTransaction { db in
      OpenFile(db)?.control(SQLITE_FCNTL_CHUNK_SIZE, 1 << 20)
    }
    #expect(control == .SQLITE_NOTFOUND)
    try queue.run(createItems)
    try queue.run(insertRows(500))
    try queue.run("PRAGMA wal_checkpoint(RESTART)")
    #expect(try vault.read().database.count < 100 * pageSize)
    let long = try #require(try vault.read().wal).count
    try queue.run(insertRows(1))
    let short = try #require(try vault.read().wal).count
    #expect(short < long && (short - walHeaderSize).isMultiple(of: frameSize))
    try queue.run(insertRows(1))
    #expect(try TemporaryVault(vault.read()).open().int("SELECT count(*) FROM item") == 502)
  }

  @Test func `a page may be read in part`() throws {
    let vault = try TemporaryVault()
    let queue = try vault.open()
    try queue.run(createItems)
    try queue.run(insertRows(1, of: 9000))
    try queue.run("PRAGMA wal_checkpoint(TRUNCATE)")
    try queue.writeWithoutTransaction { db in
      let file = try #require(OpenFile(db))
      let whole = file.read(pageSize, at: 2 * pageSize).bytes
      let part = file.read(1000, at: 2 * pageSize + 4)
      #expect(part.code == .SQLITE_OK && part.bytes == Array(whole[4..<1004]))
      #expect(file.read(1000, at: 3 * pageSize - 10).code == .SQLITE_IOERR_READ)
      try vault.overwrite(vault.path, at: 2 * pageSize, with: [0])
      #expect(file.read(1000, at: 2 * pageSize + 4).code == .SQLITE_IOERR_DATA)
    }
  }

  @Test func `the page size stays 4096`() throws {
    let queue = try TemporaryVault().open("PRAGMA page_size = 4096")
    #expect(resultCode { try queue.run("PRAGMA page_size = 8192") } == .SQLITE_ERROR)
    #expect(try queue.int("PRAGMA page_size") == 4096)
  }

  @Test func `a wrong key, damage and no key are different errors`() throws {
    let vault = try TemporaryVault()
    try vault.open().run(createItems)
    let files = try vault.read()
    var damaged = files
    damaged.database[10] ^= 1
    #expect(resultCode { _ = try TemporaryVault(damaged).open() } == .SQLITE_IOERR_DATA)
    #expect(resultCode { _ = try TemporaryVault(files, key: 3).open() } == .SQLITE_NOTADB)
    vault.forgetKey()
    #expect(resultCode { _ = try vault.open() }.primaryResultCode == .SQLITE_CANTOPEN)
  }

  @Test func `a key lives until it is forgotten and the last file closes`() throws {
    let vault = try TemporaryVault()
    let queue = try vault.open()
    try queue.run(createItems)
    #expect(vault.provide(key: 1) == .SQLITE_OK)
    #expect(vault.provide(key: 9) == .SQLITE_BUSY)
    vault.forgetKey()
    #expect(vault.provide(key: 9) == .SQLITE_BUSY)
    #expect(resultCode { _ = try vault.open() }.primaryResultCode == .SQLITE_CANTOPEN)
    try queue.run(insertRows(5))
    #expect(try queue.int("SELECT count(*) FROM item") == 5)
    try queue.close()
    #expect(vault.provide(key: 9) == .SQLITE_OK)
    #expect(resultCode { _ = try vault.open() } == .SQLITE_NOTADB)
    #expect(vault.provide(key: 1) == .SQLITE_OK)
    #expect(try vault.open().int("SELECT count(*) FROM item") == 5)
  }

  @Test func `a key is not changed in place`() throws {
    let vault = try TemporaryVault()
    let queue = try vault.open()
    try queue.run(createItems)
    #expect(vault.provide(key: 9) == .SQLITE_BUSY)
    #expect(vault.provide(key: 1, vaultID: 9) == .SQLITE_BUSY)
    for pragma in ["key = 'x'", "rekey = 'x'", "hexrekey = '00'"] {
      #expect(try queue.string("PRAGMA \(pragma)") == nil)
    }
    try queue.run(insertRows(3))
    try queue.close()
    #expect(try vault.open().int("SELECT count(*) FROM item") == 3)
  }

  @Test func `a key is in locked memory`() async throws {
    await #expect(processExitsWith: .success) {
      func lockedKilobytes() throws -> Int {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmLck:") }
        return line?.split(separator: " ").compactMap { Int($0) }.first ?? -1
      }
      let before = try lockedKilobytes()
      let vault = try TemporaryVault()
      let with = try lockedKilobytes()
      vault.forgetKey()
      let after = try lockedKilobytes()
      precondition(with > before && after == before, "\(before), \(with), \(after)")
    }
  }

  @Test func `a closed file leaves no plaintext in its memory`() throws {
    let vault = try TemporaryVault()
    let queue = try vault.open()
    try queue.run("CREATE TABLE plainly_readable(x)")
    try queue.close()
    let memory = try #require(FileMemory(vault.path))
    // Part of a page passes through the file's own memory.
    let part = memory.read(100, at: 0)
    #expect(part.starts(with: Array("SQLite format 3".utf8)))
    let bytes = memory.close()
    #expect(bytes.count > 4160 && bytes.contains { $0 != 0 })
    #expect(Data(bytes).range(of: Data("SQLite format".utf8)) == nil)
    #expect(Data(bytes).range(of: Data("plainly_readable".utf8)) == nil)
    #expect(Data(bytes).range(of: Data(count: 4160)) != nil, "the sealed bytes are gone as well")
    #expect(Data(bytes).range(of: Data(repeating: 1, count: 32)) == nil, "no copy of the key")
  }

  @Test func `a WAL first opened after its key was forgotten still opens`() throws {
    let vault = try TemporaryVault()
    try vault.open().run(createItems)
    let connection = try #require(RawConnection("file:\(vault.path)?vfs=cairn-sealed"))
    vault.forgetKey()
    #expect(connection.run(insertRows(1)) == .SQLITE_OK)
  }

  @Test func `an old state put back is not noticed here`() throws {
    let vault = try TemporaryVault()
    let queue = try vault.open()
    try queue.run(createItems)
    try queue.run("PRAGMA wal_checkpoint(TRUNCATE)")
    let old = try vault.read()
    try queue.run(insertRows(5))
    try queue.close()
    try vault.write(old)
    #expect(try vault.open().int("SELECT count(*) FROM item") == 0)
  }
}
