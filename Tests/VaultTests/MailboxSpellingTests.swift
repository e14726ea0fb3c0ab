import Foundation
import Support
import Testing

@testable import Vault

@Suite struct MailboxSpellingTests {
  @Test func `a folder under another spelling is the same folder`() async throws {
    let circle = try await Circle()
    try await circle.admit(circle.anna, "Anna")
    _ = try await circle.hers.sync(caseNamed: nil, mailbox: circle.mailbox.path)
    let name = URL(filePath: circle.mailbox.path).lastPathComponent
    let link = circle.survivor.folder.path + "/link"
    try FileManager.default.createSymbolicLink(
      atPath: link, withDestinationPath: circle.mailbox.path)
    for spelling in [link, circle.mailbox.path + "/.", circle.mailbox.path + "/../" + name] {
      await #expect(throws: VaultError(.mailboxOfOthers)) {
        try await circle.hers.sync(caseNamed: nil, mailbox: spelling, audience: .ownDevices)
      }
    }
  }
}
