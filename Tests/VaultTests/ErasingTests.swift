import CaseLog
import Cryptography
import Foundation
import GRDB
import Support
import Testing
import VerifiableLog

@testable import Vault

@Suite struct ErasingTests {
  private static let grace = OpenVault.erasureGrace
  private static let week = OpenVault.longestCounted
  /// Seconds by which the clock moves, one after another; then all of it back.
  static let wrongClocks: [[Int64]] = [
    [34_560_000], [-1_600_000_000, 1_600_000_000], [1_296_000, -1_296_000, 1_296_000],
  ]

  @Test func `an erased entry is gone here at once, with its file and its amendments`() async throws
  {
    let fixture = try VaultFixture()
    let vault = try await fixture.create()
    let file = try fixture.folder.file("shot.png", noise(200_000, seed: 3))
    let saved = try await vault.add(
      [NewEntry(source: .file(path: file), content: EntryContent()), words("stays")], toCase: nil)
    let entry = saved.saved[0].id
    var amendment = EntryContent()
    amendment.about = [entry]
    amendment.words = "more about it"
    _ = try await vault.append(amendment, as: .amend, toCase: nil)
    #expect(try await vault.blobs.storedPaths().count == 1)
    let preview = try await vault.previewErasure([entry.base32])
    let outcome = try await vault.erase([entry.base32])
    #expect(outcome == preview)
    #expect(outcome.entries.count == 2)
    #expect(outcome.fileCount == 1)
    #expect(try await vault.blobs.storedPaths() == [])
    let listed = try await vault.entries(ofCase: nil)
    #expect(listed.filter { $0.standing == .erased }.count == 2)
    #expect(listed.filter { $0.standing == .open }.map { $0.content?.words } == ["stays"])
    await #expect(throws: VaultError.self) { try await vault.extract(entry.base32, to: "/x") }
    let check = try await vault.check()
    #expect(check.findings == [])
    await #expect(throws: VaultError(.erasedHere)) { try await vault.keep(entry.base32) }
    // Neither a ciphertext nor a slot of it is left.
    let left = try await vault.read { db in
      try Int.fetchOne(
        db,
        sql: """
          SELECT count(*) FROM leaf l LEFT JOIN slot s ON s.leaf_ref = l.id
          WHERE l.entry_id = ? AND (l.ciphertext IS NOT NULL OR s.epoch IS NOT NULL)
          """, arguments: [entry.bytes.data])
    }
    #expect(left == 0)
  }

  /// A small attachment stands in the database: there is no file to remove, nor a folder.
  @Test func `a small file is erased like a large one`() async throws {
    let fixture = try VaultFixture()
    let vault = try await fixture.create()
    let file = try fixture.folder.file("small.txt", Array("a few".utf8))
    let id = try await vault.add(
      [NewEntry(source: .file(path: file), content: EntryContent())], toCase: nil
    ).saved[0].id
    #expect(try await vault.erase([id.base32]).fileCount == 1)
    try await vault.close()
    let again = try fixture.open()
    try await again.settleErasures()
    #expect(try await again.entries(ofCase: nil).map(\.standing) == [.erased])
  }

  @Test func `a file that another entry has too is kept for it`() async throws {
    let fixture = try VaultFixture()
    let vault = try await fixture.create()
    let file = try fixture.folder.file("shot.png", noise(100_000, seed: 4))
    let first = try await vault.add(
      [NewEntry(source: .file(path: file), content: EntryContent())], toCase: nil
    ).saved[0].id
    // As an adopted entry does, the second names the same sealed file.
    let content = try #require(try await vault.entry(first.base32).summary.content)
    let second = try await vault.append(content, as: .evidence, toCase: nil)
    try await vault.commit { db in
      let leaf = try #require(
        try Int64.fetchOne(
          db, sql: "SELECT id FROM leaf WHERE entry_id = ?", arguments: [second.bytes.data]))
      let blob = try #require(content.attachments.first?.blob)
      try BlobTable.expect(
        db, blob.root, size: content.attachments[0].size, number: 0, of: leaf)
    }
    #expect(try await vault.previewErasure([first.base32, second.base32]).fileCount == 1)
    let outcome = try await vault.erase([first.base32])
    #expect(outcome.fileCount == 0)
    #expect(outcome.filesKept == 1)
    _ = try await vault.extract(second.base32, to: fixture.folder.path + "/out")
    #expect(try await vault.check().findings == [])
  }

  @Test func `other copies hide it with the next sync, and destroy it after two weeks`()
    async throws
  {
    let shared = try await SharedCase(before: [words("one"), words("two")])
    try await shared.syncSurvivor()
    try await shared.syncAdvocate()
    let id = try #require(
      try await shared.hers.entries(ofCase: nil).first { $0.content?.words == "one" }?.id)
    #expect(try await shared.hers.erase([id.base32]).readers == 1)
    try await shared.syncSurvivor()
    try await shared.syncAdvocate()
    let hidden = try #require(
      try await shared.theirs.entries(ofCase: "theirs").first { $0.id == id })
    #expect(hidden.standing == .erased)
    #expect(hidden.content == nil)
    #expect(try await hasCiphertext(shared.theirs, id))

    for (passed, isThere) in [(Self.week, true), (Self.grace - Self.week - 1, true), (1, false)] {
      shared.advocate.clock.advance(passed)
      try await shared.theirs.settleErasures()
      #expect(try await hasCiphertext(shared.theirs, id) == isThere)
    }

    // It is in the folder still, and nobody takes it in again.
    try await shared.syncAdvocate()
    try await shared.syncSurvivor()
    #expect(try await !hasCiphertext(shared.theirs, id))
    #expect(try await !hasCiphertext(shared.hers, id))
    #expect(
      try await shared.hers.stateHash(ofCase: nil)
        == shared.theirs.stateHash(ofCase: "theirs"))
  }

  /// Whoever sets the clock of a device that is not hers, or a battery that ran out, must not destroy what another
  /// survivor's device would still say “keep” to.
  @Test(arguments: wrongClocks)
  func `a clock that is wrong for once destroys nothing`(moves: [Int64]) async throws {
    let shared = try await SharedCase(before: [words("one")])
    try await shared.syncSurvivor()
    try await shared.syncAdvocate()
    let id = try #require(try await shared.hers.entries(ofCase: nil).first?.id)
    _ = try await shared.hers.erase([id.base32])
    try await shared.syncSurvivor()
    try await shared.syncAdvocate()
    let clock = shared.advocate.clock
    for move in moves {
      clock.advance(UInt64(bitPattern: move))
      try await shared.theirs.settleErasures()
      #expect(try await hasCiphertext(shared.theirs, id))
    }
    clock.advance(UInt64(bitPattern: -moves.reduce(0, +)))
    try await shared.theirs.settleErasures()
    // What really passes counts all the same.
    for isThere in [true, false] {
      #expect(try await hasCiphertext(shared.theirs, id) == isThere)
      clock.advance(Self.week)
      try await shared.theirs.settleErasures()
      clock.advance(Self.week)
      try await shared.theirs.settleErasures()
    }
  }

  /// Each transaction that changes something waits for the disk.
  @Test func `an exchange with nothing new changes nothing in the database`() async throws {
    let shared = try await SharedCase(before: [words("one"), words("two")])
    func expectNoChange() async throws {
      let before = try await shared.theirs.read { $0.totalChangesCount }
      shared.advocate.clock.advance(60)
      #expect(try await shared.syncAdvocate().problems == [])
      #expect(try await shared.theirs.read { $0.totalChangesCount } == before)
    }
    func settle() async throws {
      for _ in 0..<3 {
        try await shared.syncSurvivor()
        try await shared.syncAdvocate()
      }
    }
    try await settle()
    try await expectNoChange()
    // Nor while an erased entry waits to be destroyed.
    let id = try #require(try await shared.hers.entries(ofCase: nil).first?.id)
    _ = try await shared.hers.erase([id.base32])
    try await settle()
    #expect(try await hasCiphertext(shared.theirs, id))
    try await expectNoChange()
  }

  @Test func `what this device put into the mailbox is written anew without it`() async throws {
    let shared = try await SharedCase(before: [words("before sharing")])
    let file = try shared.survivor.folder.file("shot.png", noise(200_000, seed: 9))
    let id = try await shared.hers.add(
      [NewEntry(source: .file(path: file), content: EntryContent())], toCase: nil
    ).saved[0].id
    _ = try await shared.hers.add([words("after it")], toCase: nil)
    try await shared.syncSurvivor()
    let before = try mailboxFiles(shared)
    #expect(before.contains { $0.key.contains("/b-") })
    let old = try #require(
      try await shared.hers.entries(ofCase: nil).first { $0.content?.words == "before sharing" })
    let erasedHash = try await ciphertext(shared.hers, id)
    let oldHash = try await ciphertext(shared.hers, old.id)
    #expect(before.values.contains { $0.range(of: erasedHash) != nil })
    #expect(before.values.contains { $0.range(of: oldHash) != nil })

    _ = try await shared.hers.erase([id.base32, old.id.base32])
    try await shared.syncSurvivor()
    let after = try mailboxFiles(shared)
    #expect(!after.contains { $0.key.contains("/b-") })
    #expect(!after.values.contains { $0.range(of: erasedHash) != nil })
    #expect(!after.values.contains { $0.range(of: oldHash) != nil })
    // Whoever comes now gets the rest, and the same state.
    let there = try await shared.syncAdvocate()
    #expect(there.problems == [])
    let theirs = try await shared.theirs.entries(ofCase: "theirs")
    #expect(theirs.filter { $0.standing == .open }.map { $0.content?.words } == ["after it"])
    #expect(
      try await shared.hers.stateHash(ofCase: nil)
        == shared.theirs.stateHash(ofCase: "theirs"))
    // Once is enough: nothing is asked for any more.
    let left = try await shared.hers.read { db in
      try Int.fetchOne(db, sql: "SELECT count(*) FROM erased_item WHERE mailbox = 0")
    }
    #expect(left == 0)
  }

  private func mailboxFiles(_ shared: SharedCase) throws -> [String: Data] {
    var files: [String: Data] = [:]
    for name in try FileManager.default.subpathsOfDirectory(atPath: shared.mailbox.path) {
      let url = URL(filePath: shared.mailbox.path + "/" + name)
      guard try url.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true else {
        continue
      }
      files[name] = try Data(contentsOf: url)
    }
    return files
  }

  /// A piece of it that stands nowhere by chance.
  private func ciphertext(_ vault: OpenVault, _ id: EntryID) async throws -> Data {
    try await vault.read { db in
      let bytes = try #require(
        try Data.fetchOne(
          db, sql: "SELECT ciphertext FROM leaf WHERE entry_id = ?", arguments: [id.bytes.data]))
      return bytes.dropFirst(32).prefix(32)
    }
  }

  @Test func `an advocate erases nothing, and what was erased is in no bundle`() async throws {
    let shared = try await SharedCase(before: [words("one"), words("two")])
    try await shared.syncSurvivor()
    try await shared.syncAdvocate()
    let id = try #require(try await shared.theirs.entries(ofCase: "theirs").first?.id)
    await #expect(throws: VaultError(.notAllowed)) { try await shared.theirs.erase([id.base32]) }
    await #expect(throws: VaultError(.notErased)) { try await shared.hers.keep(id.base32) }
    await #expect(throws: VaultError(.unknownEntry)) { try await shared.hers.erase(["zzzzzz"]) }
    _ = try await shared.hers.erase([id.base32])
    try await shared.syncSurvivor()
    try await shared.syncAdvocate()
    let bundle = shared.advocate.folder.path + "/case.age"
    let outcome = try await shared.theirs.export(
      caseNamed: "theirs", entries: nil, to: bundle,
      seal: .passphrase(try locked("a passphrase")), program: "test")
    #expect(outcome.entryCount == 1)
    await #expect(throws: VaultError(.entryErased)) {
      try await shared.theirs.export(
        caseNamed: "theirs", entries: [id.base32], to: bundle + "2",
        seal: .passphrase(try locked("a passphrase")), program: "test")
    }
  }

  private func hasCiphertext(_ vault: OpenVault, _ id: EntryID) async throws -> Bool {
    try await vault.read { db in
      try Row.fetchOne(
        db, sql: "SELECT 1 FROM leaf WHERE entry_id = ? AND ciphertext IS NOT NULL",
        arguments: [id.bytes.data]) != nil
    }
  }
}
