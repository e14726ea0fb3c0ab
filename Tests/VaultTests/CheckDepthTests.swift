import CaseLog
import Cryptography
import Foundation
import GRDB
import Support
import Synchronization
import Testing
import VerifiableLog

@testable import Vault

@Suite struct `How far a check looks` {
  /// A large file and a small one, which stands in the database.
  private func filledVault() async throws -> (VaultFixture, OpenVault, [EntryID]) {
    let fixture = try VaultFixture()
    let vault = try await fixture.create()
    let large = try fixture.folder.file("large.mp4", noise(3_000_000, seed: 1))
    let small = try fixture.folder.file("small.png", noise(20_000, seed: 2))
    let saved = try await vault.add(
      [large, small].map { NewEntry(source: .file(path: $0), content: EntryContent()) },
      toCase: nil
    ).saved
    return (fixture, vault, saved.map(\.id))
  }

  private func storedFile(_ vault: OpenVault) async throws -> String {
    try #require(try await vault.blobs.storedPaths().first)
  }

  @Test(arguments: CheckDepth.allCases)
  func `a sound vault is sound at each depth`(depth: CheckDepth) async throws {
    let (fixture, vault, _) = try await filledVault()
    defer { withExtendedLifetime(fixture) {} }
    let outcome = try await vault.check(depth)
    #expect(outcome.findings == [])
    #expect(outcome.depth == depth)
    #expect(outcome.entryCount == 2)
    #expect(outcome.fileCount == 2)
  }

  @Test(arguments: [
    (CheckDepth.quick, false), (.full, false), (.deep, true),
  ])
  func `a flipped bit in a file is found by reading all bytes`(
    depth: CheckDepth, isFound: Bool
  ) async throws {
    let (fixture, vault, ids) = try await filledVault()
    defer { withExtendedLifetime(fixture) {} }
    let path = try await storedFile(vault)
    var bytes = try Data(contentsOf: URL(filePath: path))
    bytes[2_500_000] ^= 1
    try bytes.write(to: URL(filePath: path))
    #expect(
      try await vault.check(depth).findings == (isFound ? [.contentDamaged(ids[0])] : []))
  }

  @Test(arguments: CheckDepth.allCases)
  func `a file that is shorter or gone is found at each depth`(depth: CheckDepth) async throws {
    let (fixture, vault, ids) = try await filledVault()
    defer { withExtendedLifetime(fixture) {} }
    let path = try await storedFile(vault)
    let handle = try FileHandle(forWritingTo: URL(filePath: path))
    try handle.truncate(atOffset: 1_000_000)
    try handle.close()
    #expect(try await vault.check(depth).findings == [.contentDamaged(ids[0])])
    try FileManager.default.removeItem(atPath: path)
    #expect(try await vault.check(depth).findings == [.contentMissing(ids[0])])
  }

  @Test(arguments: [(CheckDepth.quick, false), (.full, true), (.deep, true)])
  func `a row that is not what was signed is found by reading the rows`(
    depth: CheckDepth, isFound: Bool
  ) async throws {
    let (fixture, vault, ids) = try await filledVault()
    defer { withExtendedLifetime(fixture) {} }
    try await vault.database.queue.write { db in
      try db.execute(
        sql: "UPDATE leaf SET ciphertext = zeroblob(length(ciphertext)) WHERE entry_id = ?",
        arguments: [ids[0].bytes.data])
    }
    #expect(try await vault.check(depth).findings == (isFound ? [.ciphertext(ids[0])] : []))
  }

  @Test(arguments: CheckDepth.allCases)
  func `a head that nobody signed is found at each depth`(depth: CheckDepth) async throws {
    let (fixture, vault, _) = try await filledVault()
    defer { withExtendedLifetime(fixture) {} }
    let found = try await vault.read { db in
      try Row.fetchOne(db, sql: "SELECT log_id FROM log").map {
        try $0.identifier("log_id") as LogID
      }
    }
    let log = try #require(found)
    try await vault.database.queue.write { db in
      try db.execute(
        sql: "UPDATE log SET note = substr(note, 1, length(note) - 20) || zeroblob(20)")
    }
    #expect(try await vault.check(depth).findings == [.log(log)])
  }

  /// Beyond the first finding everything else is still looked at.
  @Test func `a damaged database does not end the check`() async throws {
    let (fixture, vault, ids) = try await filledVault()
    let path = try await storedFile(vault)
    let pages = try await vault.read { db in
      try Int.fetchAll(
        db, sql: "SELECT rootpage FROM sqlite_master WHERE name IN ('leaf_by_class', 'slot')")
    }
    try await vault.close()
    try FileManager.default.removeItem(atPath: path)
    let database = try FileHandle(forUpdating: URL(filePath: fixture.path + "/vault.db"))
    for page in pages {
      try database.seek(toOffset: UInt64(page - 1) * 4096)
      try database.write(contentsOf: Data(repeating: 0, count: 4096))
    }
    try database.close()
    let again = try fixture.open()
    let findings = try await again.check().findings
    #expect(findings.contains(.database))
    #expect(findings.contains(.contentMissing(ids[0])))
  }

  /// Nothing that a check reads ends it: not even what it asks for how much there is to read.
  @Test func `whichever page is damaged, the check goes on to its end`() async throws {
    let (fixture, filled, ids) = try await filledVault()
    let stored = try await storedFile(filled)
    try await filled.close()
    try FileManager.default.removeItem(atPath: stored)
    let vault = try fixture.open()
    let database = try OpenFile(continuing: fixture.path + "/vault.db")
    let count = try database.status().size / 4096
    #expect(count > 50)
    var uncounted = 0
    for page in 0..<count {
      let whole = try database.read(at: page * 4096, count: 4096)
      try database.write([UInt8](repeating: 0, count: 4096), at: page * 4096)
      // Nothing of it is remembered.
      try await vault.database.queue.writeWithoutTransaction { db in
        try db.execute(sql: "PRAGMA shrink_memory")
      }
      if try await vault.checkSize(.deep) == nil { uncounted += 1 }
      let findings = try await vault.check(.deep).findings
      #expect(findings != [.contentMissing(ids[0])], "page \(page + 1) is damaged")
      try database.write(whole, at: page * 4096)
    }
    #expect(uncounted > 0)
  }

  /// The tree over a file is put together from those over its pieces of 64 MiB.
  @Test(arguments: [1, 2, 3])
  func `a file of several pieces is whole however many threads read it`(tasks: Int) async throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/pieces"
    let size = 2 * 1024 * 65_552 + 3 * 65_552 + 100
    let handle = try OpenFile(creating: path)
    var tree = BlobTree()
    var left = size
    var number: UInt64 = 0
    while left > 0 {
      let span =
        noise(min(64, left), seed: number)
        + [UInt8](
          repeating: 7, count: max(0, min(65_552, left) - 64))
      try handle.write(span)
      tree.append(span)
      left -= span.count
      number += 1
    }
    let entry = EntryID(tree.root.raw)
    let file = StoredFile(root: tree.root, size: UInt64(size), path: path, entry: entry)
    let read = Mutex(0)
    let states = try await StoredFiles.read([file, file], tasks: tasks) {
      (bytes) throws(VaultError) in read.withLock { $0 += bytes }
    }
    #expect(states == [.whole, .whole])
    #expect(read.withLock { $0 } == 2 * size)
    try handle.write([1], at: UInt64(size) - 1)
    #expect(
      try await StoredFiles.read([file], tasks: tasks) { (_) throws(VaultError) in } == [.damaged])
  }

  @Test func `it stops when somebody asks`() async throws {
    let (fixture, vault, _) = try await filledVault()
    defer { withExtendedLifetime(fixture) {} }
    await #expect(throws: VaultError(.cancelled)) {
      try await vault.check(.deep) { (bytes) throws(VaultError) in
        if bytes > 100_000 { throw VaultError(.cancelled) }
      }
    }
    #expect(try await vault.check().findings == [])
  }
}
