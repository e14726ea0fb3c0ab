import CaseLog
import Cryptography
import Foundation
import Support
import Testing
import VerifiableLog

@testable import Vault

/// What a disk loses of an attachment.
@Suite struct LostFileTests {
  private let picture = noise(300_000, seed: 5)

  private func exchanged() async throws -> (shared: SharedCase, file: String, entry: EntryID) {
    let shared = try await SharedCase()
    let file = try shared.survivor.folder.file("shot.png", picture)
    let added = try await shared.hers.add(
      [NewEntry(source: .file(path: file), content: EntryContent())], toCase: nil)
    try await shared.syncSurvivor()
    try await shared.syncAdvocate()
    return (shared, file, added.saved[0].id)
  }

  private func stored(_ shared: SharedCase) async throws -> String {
    try #require(try await shared.hers.blobs.storedPaths().first)
  }

  private func extracted(_ vault: OpenVault, _ entry: EntryID) async throws -> [UInt8] {
    let out = try TemporaryFolder()
    _ = try await vault.extract(entry.base32, to: out.path)
    return [UInt8](try Data(contentsOf: URL(filePath: out.path + "/shot.png")))
  }

  @Test func `all else is passed on, and another copy brings it back`() async throws {
    let (shared, _, entry) = try await exchanged()
    try FileManager.default.removeItem(atPath: try await stored(shared))
    await #expect(throws: VaultError(.contentLost)) { _ = try await extracted(shared.hers, entry) }
    _ = try await shared.hers.add([words("written since")], toCase: nil)
    // A folder that does not have it yet.
    let stick = try TemporaryFolder()
    let sent = try await shared.hers.sync(caseNamed: nil, mailbox: stick.path)
    #expect(sent.problems == [.lost])
    let theirs = try await shared.theirs.sync(caseNamed: "theirs", mailbox: stick.path)
    #expect(theirs.problems == [])
    #expect(
      try await shared.theirs.entries(ofCase: "theirs").contains {
        $0.content?.words == "written since"
      })
    let back = try await shared.hers.sync(caseNamed: nil, mailbox: stick.path)
    #expect(back.problems == [])
    #expect(try await extracted(shared.hers, entry) == picture)
    #expect(try await shared.hers.check().findings == [])
  }

  @Test func `what changed on the disk is not passed on as what was signed`() async throws {
    let (shared, _, _) = try await exchanged()
    let path = try await stored(shared)
    var bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
    bytes[100_000] ^= 1
    try overwrite(path, with: bytes)
    let stick = try TemporaryFolder()
    let sent = try await shared.hers.sync(caseNamed: nil, mailbox: stick.path)
    #expect(sent.problems == [.lost])
    let left = try FileManager.default.subpathsOfDirectory(atPath: stick.path)
    #expect(left.contains { $0.hasSuffix("/head") })
    #expect(!left.contains { $0.contains("/b-") || $0.contains("/.b-") })
  }

  @Test(arguments: [true, false])
  func `the original can be added again`(isCut: Bool) async throws {
    let (shared, file, _) = try await exchanged()
    let path = try await stored(shared)
    let again = [NewEntry(source: .file(path: file), content: EntryContent())]
    let options = AddOptions(skipsHeld: true)
    #expect(try await shared.hers.add(again, toCase: nil, options: options).held.count == 1)
    if isCut {
      try overwrite(path, with: Array(try Data(contentsOf: URL(filePath: path)).prefix(70_000)))
    } else {
      try FileManager.default.removeItem(atPath: path)
    }
    let outcome = try await shared.hers.add(again, toCase: nil, options: options)
    #expect(outcome.held.isEmpty)
    let entry = try #require(outcome.saved.first?.id)
    #expect(try await extracted(shared.hers, entry) == picture)
  }

  /// An erased attachment that had come only in part.
  @Test func `what had come of an erased file is gone with it`() async throws {
    let (shared, _, entry) = try await exchanged()
    let detail = try await shared.hers.entry(entry.base32)
    let blob = try #require(detail.summary.content?.attachments.first?.blob)
    let partial = await shared.hers.blobs.partialPath(of: blob.root, size: 400_000)
    #expect(FileManager.default.createFile(atPath: partial, contents: Data(picture)))
    _ = try await shared.hers.erase([entry.base32])
    #expect(!FileManager.default.fileExists(atPath: partial))
    #expect(try await shared.hers.blobs.storedPaths() == [])
  }
}
