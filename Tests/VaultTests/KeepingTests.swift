import CaseLog
import Cryptography
import Foundation
import Support
import Testing

@testable import Vault

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
}
