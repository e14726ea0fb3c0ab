import CaseLog
import Cryptography
import Foundation
import Support
import Testing

@testable import Vault

#if canImport(Glibc)
  import Glibc
#endif

@Suite struct KeepingTests {
  @Test(arguments: [1, 65_528, 65_536, 65_537, 200_000, 5_000_000])
  func `what is added comes out the same after the vault was closed`(size: Int) async throws {
    let fixture = try VaultFixture()
    let original = noise(size, seed: UInt64(size))
    let file = try fixture.folder.file("shot.png", original)
    var content = EntryContent()
    content.url = "https://example.org/post/1"
    content.seen = ClaimedTime(typed: "2024-05-31T14:30+02:00")
    content.words = "He wrote this the day after."
    let vault = try await fixture.create()
    let outcome = try await vault.add(
      [NewEntry(source: .file(path: file), content: content)], toCase: nil)
    #expect(outcome.failure == nil)
    let id = try #require(outcome.saved.first?.id)
    try await vault.close()

    let again = try fixture.open()
    let listed = try await again.entries(ofCase: nil)
    #expect(listed.map(\.id) == [id])
    #expect(listed[0].content?.url == content.url)
    #expect(listed[0].content?.seen == content.seen)
    #expect(listed[0].content?.words == content.words)
    let output = fixture.folder.path + "/out"
    let extraction = try await again.extract(id.base32, to: output)
    #expect(extraction.written.map(\.path) == [output + "/shot.png"])
    #expect([UInt8](try Data(contentsOf: URL(filePath: output + "/shot.png"))) == original)
    try await again.close()
  }
}

/// What happens when a step of a durable write fails.
@Suite struct DurabilityTests {
  @Test func `an entry whose confirmation failed is whole, and not called saved`() async throws {
    let fixture = try VaultFixture()
    let original = noise(300_000, seed: 9)
    let file = try fixture.folder.file("shot.png", original)
    let vault = try await fixture.create()
    // A folder where the new anchor would be written first.
    let obstacle = fixture.path + "/anchor.new"
    try FileManager.default.createDirectory(atPath: obstacle, withIntermediateDirectories: false)
    let outcome = try await vault.add(
      [NewEntry(source: .file(path: file), content: EntryContent())], toCase: nil)
    #expect(outcome.saved.isEmpty)
    #expect(outcome.failure?.error.code == .storedUnconfirmed)
    #expect(outcome.unconfirmed == [0])
    try await vault.close()
    try FileManager.default.removeItem(atPath: obstacle)

    let again = try fixture.open()
    #expect(await again.standing == .sound)
    let id = try #require(try await again.entries(ofCase: nil).first?.id)
    let output = fixture.folder.path + "/out"
    _ = try await again.extract(id.base32, to: output)
    #expect([UInt8](try Data(contentsOf: URL(filePath: output + "/shot.png"))) == original)
    #expect(try await again.check().findings == [])
  }

  /// A full disk, for instance: all can be read, and nobody is told of what could be put back unnoticed.
  @Test func `a vault opens where its anchor cannot be moved, and meets nobody until it could`()
    async throws
  {
    let fixture = try VaultFixture()
    let mailbox = try TemporaryFolder()
    let vault = try await fixture.create()
    let obstacle = fixture.path + "/anchor.new"
    try FileManager.default.createDirectory(atPath: obstacle, withIntermediateDirectories: false)
    let failed = try await vault.add([words("kept")], toCase: nil)
    #expect(failed.failure?.error.code == .storedUnconfirmed)
    try await vault.close()

    let again = try fixture.open()
    #expect(await again.standing == .sound)
    #expect(try await again.entries(ofCase: nil).map { $0.content?.words } == ["kept"])
    await #expect(throws: VaultError.self) {
      try await again.sync(caseNamed: nil, mailbox: mailbox.path)
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: mailbox.path) == [])
    try FileManager.default.removeItem(atPath: obstacle)
    #expect(try await again.sync(caseNamed: nil, mailbox: mailbox.path).problems == [])
    try await again.close()
    let then = try fixture.open()
    #expect(await then.standing == .sound)
    try await then.close()
  }

  /// It is written anew with each entry that is saved, so that a bad sector may well meet it.
  @Test(arguments: [0, 300])
  func `without an anchor that can be read a vault is a copy, in which all can be read`(
    junkByteCount: Int
  ) async throws {
    let fixture = try VaultFixture()
    let vault = try await fixture.create()
    _ = try await vault.add([words("kept")], toCase: nil)
    try await vault.close()
    let junk = Data(repeating: 7, count: junkByteCount)
    try junk.write(to: URL(filePath: fixture.path + "/anchor"))
    let again = try fixture.open()
    #expect(await again.standing == .copied)
    #expect(try await again.entries(ofCase: nil).map { $0.content?.words } == ["kept"])
    // A new master key does not make a sound vault of it.
    try await again.sealAnew(passphrase: try locked(VaultFixture.passphrase))
    try await again.close()
    let resealed = try fixture.open()
    #expect(await resealed.standing == .copied)
    #expect(try await resealed.renew().cases == ["default"])
    _ = try await resealed.add([words("after")], toCase: nil)
    try await resealed.close()
    let then = try fixture.open()
    #expect(await then.standing == .sound)
    #expect(try await then.check().findings == [])
  }

  @Test func `a copy of a database's file is another one, and a folder that moves keeps its own`()
    throws
  {
    let folder = try TemporaryFolder()
    let places = ["first", "copied", "moved"].map { VaultFiles(folder: folder.path + "/" + $0) }
    let files = FileManager.default
    try files.createDirectory(atPath: places[0].folder, withIntermediateDirectories: false)
    try Data([1]).write(to: URL(filePath: places[0].database))
    try files.copyItem(atPath: places[0].folder, toPath: places[1].folder)
    let first = try places[0].databaseIdentity()
    #expect(try places[1].databaseIdentity() != first)
    try files.moveItem(atPath: places[0].folder, toPath: places[2].folder)
    #expect(try places[2].databaseIdentity() == first)
  }

  #if os(Linux)
    @Test func `a file system that cannot sync a folder is no failing disk`() throws {
      try Folders.synchronize("/proc")
    }

    @Test func `of entries whose commit failed nobody says that they are lost`() async throws {
      let fixture = try VaultFixture()
      let vault = try await fixture.create()
      _ = try await vault.add([words("one")], toCase: nil)
      let log = VaultFiles.resolved(fixture.path) + "/vault.db-wal"
      #expect(putInPlace(of: log, unsafe open(log, O_RDONLY | O_CLOEXEC)))
      let outcome = try await vault.add([words("two"), words("three")], toCase: nil)
      #expect(outcome.saved.isEmpty)
      #expect(outcome.failure?.error.code == .inputOutput)
      #expect(outcome.unconfirmed == [0, 1])
    }
  #endif
}

#if os(Linux)
  /// Whatever this process has open at a path is another file from here on.
  func putInPlace(of path: String, _ other: Int32) -> Bool {
    var isDone = false
    for file in Int32(3)..<512 where file != other {
      var name = [CChar](repeating: 0, count: 4096)
      let count = unsafe readlink("/proc/self/fd/\(file)", &name, name.count)
      guard count > 0 else { continue }
      let target = String(
        decoding: name.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
      if target == path { isDone = dup2(other, file) == file }
    }
    close(other)
    return isDone
  }
#endif
