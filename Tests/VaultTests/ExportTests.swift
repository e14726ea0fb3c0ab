import CaseLog
import Cryptography
import Foundation
import SealedBundle
import Support
import Testing

@testable import Vault

@Suite struct ExportTests {
  @Test func `a bundle is written whole, verifies, and is no file otherwise`() async throws {
    let shared = try await SharedCase(before: [words("one")])
    let file = try shared.survivor.folder.file("shot.png", noise(200_000, seed: 3))
    _ = try await shared.hers.add(
      [NewEntry(source: .file(path: file), content: EntryContent())], toCase: nil)
    try await shared.syncSurvivor()
    try await shared.syncAdvocate()
    try await shared.syncSurvivor()
    let output = shared.survivor.folder.path + "/case.age"
    let identity = AgeIdentity(secretKey: SecretKey.random())
    let known = identity.recipient
    let recipient = try #require(known)
    let outcome = try await shared.hers.export(
      caseNamed: nil, entries: nil, to: output, seal: .recipients([recipient]), program: "test")
    #expect(outcome.entryCount == 2)
    #expect(outcome.fileCount == 1)
    #expect(outcome.verdict.outcome == .consistent)
    await #expect(throws: VaultError(.outputExists)) {
      try await shared.hers.export(
        caseNamed: nil, entries: nil, to: output, seal: .recipients([recipient]), program: "test")
    }
    await #expect(throws: VaultError(.unknownEntry)) {
      try await shared.hers.export(
        caseNamed: nil, entries: ["aaaaaaaaaa"], to: output + "2", seal: .recipients([recipient]),
        program: "test")
    }
    #expect(!FileManager.default.fileExists(atPath: output + "2"))
    let hers = try FileManager.default.contentsOfDirectory(atPath: shared.survivor.folder.path)
    #expect(hers.filter { $0.hasPrefix(".") } == [])
  }

  @Test func `an export that is stopped says so, wherever it was, and leaves nothing`() async throws
  {
    let fixture = try VaultFixture()
    let vault = try await fixture.create()
    let file = try fixture.folder.file("large.mp4", noise(2 << 20, seed: 5))
    _ = try await vault.add(
      [NewEntry(source: .file(path: file), content: EntryContent())], toCase: nil)
    let known = AgeIdentity(secretKey: SecretKey.random()).recipient
    let recipient = try #require(known)
    let before = try FileManager.default.contentsOfDirectory(atPath: fixture.folder.path)
    let output = fixture.folder.path + "/case.age"
    func export(stoppingAfter limit: Int) async throws -> Int {
      var seen = 0
      _ = try await vault.export(
        caseNamed: nil, entries: nil, to: output, seal: .recipients([recipient]), program: "test"
      ) { (bytes) throws(VaultError) in
        seen += bytes
        if seen > limit { throw VaultError(.cancelled) }
      }
      return seen
    }
    // Within the file, and while the bundle is read back.
    for limit in [0, 1 << 20, 3 << 20] {
      await #expect(throws: VaultError(.cancelled)) { try await export(stoppingAfter: limit) }
      #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.folder.path) == before)
    }
    // Each byte goes by once as a file, and at least once as the bundle.
    #expect(try await export(stoppingAfter: .max) > 4 << 20)
  }

  @Test func `what was taken back is not handed over without its retraction`() async throws {
    let fixture = try VaultFixture()
    let vault = try await fixture.create()
    let saved = try await vault.add([words("one"), words("two")], toCase: nil).saved
    var content = EntryContent()
    content.about = [saved[0].id]
    _ = try await vault.append(content, as: .retract, toCase: nil)
    let key = AgeIdentity(secretKey: SecretKey.random())
    let known = key.recipient
    let recipient = try #require(known)
    let outcome = try await vault.export(
      caseNamed: nil, entries: [saved[0].id.base32], to: fixture.folder.path + "/one.age",
      seal: .recipients([recipient]), program: "test")
    #expect(outcome.entryCount == 2)
    let other = try await vault.export(
      caseNamed: nil, entries: [saved[1].id.base32], to: fixture.folder.path + "/two.age",
      seal: .recipients([recipient]), program: "test")
    #expect(other.entryCount == 1)
  }

  @Test func `whoever cannot open every decision is told so, and nothing is written`() async throws
  {
    let circle = try await Circle()
    try await circle.add("early")
    try await circle.admit(circle.anna, "Anna")
    let output = circle.first.folder.path + "/case.age"
    func export() async throws -> ExportOutcome {
      let recipient = AgeIdentity(secretKey: SecretKey.random()).recipient
      return try await circle.anna.export(
        caseNamed: "theirs", entries: nil, to: output, seal: .recipients([try #require(recipient)]),
        program: "test")
    }
    await #expect(throws: VaultError(.notSyncedYet)) { try await export() }
    try await circle.sync([circle.anna])
    #expect(try await export().entryCount == 1)
    try FileManager.default.removeItem(atPath: output)
    _ = try await circle.hers.remove("Anna", fromCase: nil)
    try await circle.admit(circle.bea, "Bea")
    try await circle.sync()
    await #expect(throws: VaultError(.decisionsLocked)) { try await export() }
    let left = try FileManager.default.contentsOfDirectory(atPath: circle.first.folder.path)
    #expect(left.filter { $0 == "case.age" || $0.hasPrefix(".") } == [])
  }

  @Test func `a sound vault checks clean, and a damaged attachment is named`() async throws {
    let fixture = try VaultFixture()
    let file = try fixture.folder.file("shot.png", noise(200_000, seed: 3))
    let vault = try await fixture.create()
    let added = try await vault.add(
      [NewEntry(source: .file(path: file), content: EntryContent()), words("two")], toCase: nil)
    let clean = try await vault.check()
    #expect(clean.findings == [])
    #expect(clean.entryCount == 2)
    #expect(clean.fileCount == 1)

    let stored = try #require(
      try fixture.folder.allFiles().keys.first { $0.hasPrefix("vault/blobs/") })
    let path = fixture.folder.path + "/" + stored
    var bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
    bytes[100_000] ^= 1
    try Data(bytes).write(to: URL(filePath: path))
    let id = try #require(added.saved.first?.id)
    let damaged = try await vault.check()
    #expect(damaged.findings == [.contentDamaged(id)])
    await #expect(throws: VaultError(.contentDamaged)) {
      try await vault.extract(id.base32, to: fixture.folder.path + "/out")
    }
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: fixture.folder.path + "/out") == [])
  }
}
