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
