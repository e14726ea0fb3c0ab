import Foundation
import GRDB
import Testing

/// What the disk shows, and what happens to what others change there.
@Suite struct TamperTests {
  /// Some pages of each kind, checkpointed; then a commit that is only in the WAL.
  private func filled() throws -> (vault: TemporaryVault, files: Files) {
    let vault = try TemporaryVault()
    let queue = try vault.open()
    try queue.run(createItems)
    try queue.run(insertRows(60, of: 300) + ";" + insertRows(2, of: 9000))
    try queue.run("PRAGMA wal_checkpoint(TRUNCATE)")
    try queue.run(insertRows(3))
    let files = try vault.read()
    try queue.close()
    return (vault, files)
  }

  @Test func `planted words are found nowhere on disk`() throws {
    let planted = "the-words-nobody-may-read"
    let vault = try TemporaryVault()
    let queue = try vault.open()
    try queue.run(
      "CREATE TABLE \"\(planted)\"(words TEXT); CREATE VIRTUAL TABLE s USING fts5(words)")
    try queue.run("CREATE INDEX i ON \"\(planted)\"(words)")
    for round in 1...40 {
      let words = String(repeating: planted + " ", count: round * 10)
      try queue.run("INSERT INTO \"\(planted)\" VALUES ('\(words)')")
      try queue.run("INSERT INTO s VALUES ('\(words)')")
      if round == 20 { try queue.run("PRAGMA wal_checkpoint(TRUNCATE)") }
    }
    let files = try vault.read()
    let wal = try #require(files.wal)
    #expect(files.database.count > 20 * pageSize && wal.count > 20 * frameSize)
    for bytes in [Data(files.database), Data(wal)] {
      for traces in [planted, "SQLite format 3", "CREATE"] {
        #expect(bytes.range(of: Data(traces.utf8)) == nil)
      }
      // No run of zeros either: unused space is sealed like all else.
      #expect(bytes.range(of: Data(count: 16)) == nil)
    }
    // The two magic numbers of a WAL, and the page size as both headers give it.
    #expect(Data(wal.prefix(walHeaderSize)).range(of: Data([0x37, 0x7F, 0x06])) == nil)
  }

  @Test func `two writes of the same page share nothing`() throws {
    let (vault, files) = try filled()
    let before = Array(files.database.prefix(pageSize))
    let queue = try vault.open()
    try queue.writeWithoutTransaction { db in
      let file = try #require(OpenFile(db))
      let page = file.read(pageSize, at: 0)
      #expect(page.code == .SQLITE_OK)
      #expect(file.write(page.bytes, at: 0) == .SQLITE_OK)
    }
    let after = try vault.read().database.prefix(pageSize)
    #expect(zip(before, after).count { $0 == $1 } < 60)
  }

  @Test func `no nonce is used twice`() throws {
    let vault = try TemporaryVault()
    let queue = try vault.open()
    try queue.run(createItems)
    try queue.run(insertRows(6000))
    try queue.run("PRAGMA wal_checkpoint(PASSIVE)")
    let files = try vault.read()
    let wal = try #require(files.wal)
    var nonces = [wal[32..<56]]
    for page in stride(from: 0, to: files.database.count, by: pageSize) {
      nonces.append(files.database[(page + 4056)..<(page + 4080)])
    }
    for frame in stride(from: walHeaderSize, to: wal.count, by: frameSize) {
      nonces.append(wal[(frame + 24)..<(frame + 48)])
      nonces.append(wal[(frame + 64 + 4056)..<(frame + 64 + 4080)])
    }
    #expect(nonces.count > 300)
    #expect(Set(nonces.map { Array($0) }).count == nonces.count)
  }

  @Test func `every flipped byte of a page is found`() throws {
    let (vault, _) = try filled()
    let files = try vault.read()
    let queue = try vault.open()
    let raw = try FileHandle(forUpdating: URL(filePath: vault.path))
    defer { try? raw.close() }
    func put(_ byte: UInt8, at offset: Int) throws {
      try raw.seek(toOffset: UInt64(offset))
      try raw.write(contentsOf: Data([byte]))
    }
    try queue.writeWithoutTransaction { db in
      let file = try #require(OpenFile(db))
      let everywhere = 0..<(3 * pageSize)
      let sampled = stride(from: 3 * pageSize, to: files.database.count, by: 37)
      for offset in Array(everywhere) + Array(sampled) {
        try put(files.database[offset] ^ (1 << (offset % 8)), at: offset)
        let page = file.read(pageSize, at: offset / pageSize * pageSize)
        if page.code != .SQLITE_IOERR_DATA || page.bytes.contains(where: { $0 != 0 }) {
          Issue.record("byte \(offset) flipped unseen")
        }
        try put(files.database[offset], at: offset)
      }
      for start in stride(from: 0, to: files.database.count, by: pageSize) {
        #expect(file.read(pageSize, at: start).code == .SQLITE_OK)
      }
    }
  }

  @Test func `a flipped byte in the WAL drops that commit and keeps those before`() throws {
    let vault = try TemporaryVault()
    let queue = try vault.open()
    try queue.run(createItems)
    try queue.run("PRAGMA wal_checkpoint(TRUNCATE)")
    var ends: [Int] = []
    for _ in 1...4 {
      try queue.run(insertRows(1))
      ends.append(try #require(try vault.read().wal).count)
    }
    let files = try vault.read()
    let wal = try #require(files.wal)
    for offset in stride(from: 0, to: wal.count, by: 61) {
      var damaged = files
      damaged.wal?[offset] ^= 0x10
      let survivors = offset < walHeaderSize ? 0 : ends.count { $0 <= offset }
      let queue = try TemporaryVault(damaged).open(synchronous: "OFF")
      let found = try queue.int("SELECT count(*) FROM item")
      #expect(found == survivors, "byte \(offset)")
    }
  }

  @Test func `swapped, moved and foreign pages are found`() throws {
    let (vault, files) = try filled()
    let (_, others) = try filled()
    let wal = try #require(files.wal)
    func page(_ number: Int, of bytes: [UInt8]) -> ArraySlice<UInt8> {
      bytes[((number - 1) * pageSize)..<(number * pageSize)]
    }
    let inWAL = wal[(walHeaderSize + 64)..<(walHeaderSize + frameSize)]
    try vault.write(files)
    let queue = try vault.open()
    try queue.writeWithoutTransaction { db in
      let file = try #require(OpenFile(db))
      func readsAsDamaged(_ number: Int, _ bytes: ArraySlice<UInt8>) throws -> Bool {
        let offset = (number - 1) * pageSize
        try vault.overwrite(vault.path, at: offset, with: bytes)
        let code = file.read(pageSize, at: offset).code
        try vault.overwrite(vault.path, at: offset, with: page(number, of: files.database))
        return code == .SQLITE_IOERR_DATA
      }
      #expect(try readsAsDamaged(2, page(3, of: files.database)))
      #expect(try readsAsDamaged(3, page(2, of: files.database)))
      #expect(try readsAsDamaged(1, inWAL))
      #expect(try readsAsDamaged(2, ArraySlice(repeating: 0, count: pageSize)))
      // The same key and page number, another vault's page: accepted, so a key is for one vault.
      #expect(try !readsAsDamaged(2, page(2, of: others.database)))
    }
    try queue.close()
  }

  @Test func `frames that change places are dropped`() throws {
    let vault = try TemporaryVault()
    let queue = try vault.open()
    try queue.run(createItems)
    try queue.run(insertRows(1))
    try queue.run(insertRows(1))
    var files = try vault.read()
    let wal = try #require(files.wal)
    let frames = (wal.count - walHeaderSize) / frameSize
    let last = walHeaderSize + (frames - 1) * frameSize
    let one = wal[last..<(last + frameSize)]
    let other = wal[(last - frameSize)..<last]
    files.wal?.replaceSubrange((last - frameSize)..<(last + frameSize), with: one + other)
    #expect(try TemporaryVault(files).open().int("SELECT count(*) FROM item") == 0)
  }

  @Test func `a truncated database is found, not read as zeros`() throws {
    let (_, files) = try filled()
    for missing in [1, 100, pageSize, 3 * pageSize + 7] {
      var cut = files
      cut.database.removeLast(missing)
      cut.wal = nil
      let code = resultCode { _ = try TemporaryVault(cut).open().run("SELECT * FROM item") }
      #expect(
        [.SQLITE_IOERR, .SQLITE_CORRUPT].contains(code.primaryResultCode), "\(missing) missing")
    }
  }

  @Test(arguments: [(key: UInt8(5), vaultID: UInt8(2)), (key: 1, vaultID: 6)])
  func `a wrong key or vault id opens nothing and spoils nothing`(
    wrong: (key: UInt8, vaultID: UInt8)
  ) throws {
    let (_, files) = try filled()
    let vault = try TemporaryVault(files)
    #expect(vault.provide(key: wrong.key, vaultID: wrong.vaultID) == .SQLITE_OK)
    #expect(resultCode { _ = try vault.open() } == .SQLITE_NOTADB)
    let after = try vault.read()
    #expect(after.database == files.database && after.wal == files.wal)

    #expect(vault.provide(key: 1) == .SQLITE_OK)
    #expect(try vault.open().int("SELECT count(*) FROM item") == 65)
  }

  @Test func `a WAL whose database is lost is not deleted`() throws {
    var (_, files) = try filled()
    files.database = []
    let vault = try TemporaryVault(files)
    #expect(resultCode { _ = try vault.open() } != .SQLITE_OK)
    #expect(try vault.read().wal == files.wal)
  }
}
