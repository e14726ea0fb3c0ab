import CaseLog
import Cryptography
import Foundation
import Support
import Testing
import VerifiableLog

@testable import Vault

/// A survivor, an advocate and the folder between them.
struct SharedCase {
  let survivor: VaultFixture
  let advocate: VaultFixture
  let mailbox: TemporaryFolder
  let hers: OpenVault
  let theirs: OpenVault

  /// - Parameter before: entries that the case holds before it is shared.
  init(before: [NewEntry] = []) async throws {
    survivor = try VaultFixture(machine: "one")
    advocate = try VaultFixture(machine: "two")
    mailbox = try TemporaryFolder()
    hers = try await survivor.create()
    theirs = try await advocate.create()
    _ = try await hers.add(before, toCase: nil)
    let card = try await theirs.makeCard()
    let shared = try await hers.share(caseNamed: nil, with: card.text, words: card.words)
    _ = try await theirs.join(shared.invitation, words: shared.caseWords, name: "theirs")
  }

  @discardableResult
  func syncSurvivor() async throws -> SyncOutcome {
    try await hers.sync(caseNamed: nil, mailbox: mailbox.path)
  }

  @discardableResult
  func syncAdvocate() async throws -> SyncOutcome {
    try await theirs.sync(caseNamed: "theirs", mailbox: mailbox.path)
  }
}

func words(_ text: String) -> NewEntry {
  var content = EntryContent()
  content.words = text
  return NewEntry(source: nil, content: content)
}

@Suite struct SharingTests {
  @Test func `two vaults that both changed converge after one exchange each way`() async throws {
    let shared = try await SharedCase(before: [words("one"), words("two")])
    let picture = noise(300_000, seed: 7)
    let file = try shared.survivor.folder.file("shot.png", picture)
    _ = try await shared.hers.add(
      [NewEntry(source: .file(path: file), content: EntryContent())], toCase: nil)
    let early = try await shared.theirs.add([words("too early")], toCase: "theirs")
    #expect(early.failure?.error == VaultError(.notSyncedYet))

    try await shared.syncSurvivor()
    try await shared.syncAdvocate()
    let note = try await shared.theirs.add([words("her note")], toCase: "theirs")
    #expect(note.failure == nil)
    _ = try await shared.hers.add([words("meanwhile")], toCase: nil)
    try await shared.syncSurvivor()
    let there = try await shared.syncAdvocate()
    let back = try await shared.syncSurvivor()
    #expect(there.problems == [])
    #expect(back.problems == [])

    let hers = try await shared.hers.entries(ofCase: nil)
    let theirs = try await shared.theirs.entries(ofCase: "theirs")
    #expect(Set(hers.map(\.id)) == Set(theirs.map(\.id)))
    #expect(hers.count == 5)
    #expect(hers.allSatisfy { $0.standing == .open } && theirs.allSatisfy { $0.standing == .open })
    #expect(theirs.filter { $0.author == .survivor }.count == 4)
    #expect(hers.first { $0.author == .advocate }?.content?.words == "her note")

    let id = try #require(theirs.first { !($0.content?.attachments.isEmpty ?? true) }?.id)
    let output = shared.advocate.folder.path + "/out"
    _ = try await shared.theirs.extract(id.base32, to: output)
    #expect([UInt8](try Data(contentsOf: URL(filePath: output + "/shot.png"))) == picture)

    let stateOfHers = try await shared.hers.stateHash(ofCase: nil)
    let stateOfTheirs = try await shared.theirs.stateHash(ofCase: "theirs")
    #expect(stateOfHers == stateOfTheirs)
  }

  @Test func `the advocate's receipt bounds when an entry came to exist`() async throws {
    let shared = try await SharedCase(before: [words("one")])
    try await shared.syncSurvivor()
    shared.advocate.clock.advance(100)
    try await shared.syncAdvocate()
    try await shared.syncSurvivor()
    let id = try #require(try await shared.hers.entries(ofCase: nil).first?.id)
    let detail = try await shared.hers.entry(id.base32)
    #expect(detail.seenBy.map(\.time) == [1_700_000_100])
    #expect(detail.seenBy.map(\.role) == [.advocate])

    shared.survivor.clock.advance(500)
    let later = try await shared.hers.add([words("later")], toCase: nil).saved[0].id
    try await shared.syncSurvivor()
    try await shared.syncAdvocate()
    let seenThere = try await shared.theirs.entry(later.base32)
    #expect(seenThere.notBefore?.time == nil || seenThere.notBefore?.time == 1_700_000_100)
    #expect(seenThere.notBefore != nil)
  }

  @Test func `an invitation is for one card, and words must match`() async throws {
    let survivor = try VaultFixture(machine: "one")
    let advocate = try VaultFixture(machine: "two")
    let other = try VaultFixture(machine: "three")
    let hers = try await survivor.create()
    let theirs = try await advocate.create()
    let others = try await other.create()
    let card = try await theirs.makeCard()
    await #expect(throws: VaultError(.wrongWords)) {
      try await hers.share(caseNamed: nil, with: card.text, words: ["a", "b", "c", "d", "e", "f"])
    }
    let shared = try await hers.share(caseNamed: nil, with: card.text, words: card.words)
    await #expect(throws: VaultError(.alreadyMember)) {
      try await hers.share(caseNamed: nil, with: card.text, words: card.words)
    }
    await #expect(throws: VaultError(.invitationForSomebodyElse)) {
      try await others.checkInvitation(shared.invitation)
    }
    await #expect(throws: VaultError(.wrongWords)) {
      try await theirs.join(shared.invitation, words: card.words, name: nil)
    }
    _ = try await theirs.join(shared.invitation, words: shared.caseWords, name: nil)
    #expect(try await theirs.checkInvitation(shared.invitation) != nil)
    await #expect(throws: VaultError(.caseHeldAlready)) {
      try await theirs.join(shared.invitation, words: shared.caseWords, name: nil)
    }
    await #expect(throws: VaultError(.notAllowed)) {
      try await theirs.share(
        caseNamed: try await theirs.cases()[1].name, with: card.text, words: card.words)
    }
  }
}

@Suite struct InterruptionTests {
  @Test(arguments: [1, 3, 5, 7, 9, 11])
  func `an exchange that is stopped anywhere is gone on with by the next`(calls: Int) async throws {
    let shared = try await SharedCase(before: [words("one")])
    let picture = noise(3_000_000, seed: 11)
    let file = try shared.survivor.folder.file("film.mp4", picture)
    _ = try await shared.hers.add(
      [NewEntry(source: .file(path: file), content: EntryContent())], toCase: nil)
    try await shared.syncSurvivor()
    let code = await shared.theirs.syncStopping(
      after: calls, caseNamed: "theirs", mailbox: shared.mailbox.path)
    #expect(code == .cancelled)
    let outcome = try await shared.syncAdvocate()
    #expect(outcome.problems == [])
    #expect(outcome.filesAwaited == 0)
    let theirs = try await shared.theirs.entries(ofCase: "theirs")
    #expect(theirs.count == 2)
    let id = try #require(theirs.first { !($0.content?.attachments.isEmpty ?? true) }?.id)
    let output = shared.advocate.folder.path + "/out"
    _ = try await shared.theirs.extract(id.base32, to: output)
    #expect([UInt8](try Data(contentsOf: URL(filePath: output + "/film.mp4"))) == picture)
    let partial = try FileManager.default.contentsOfDirectory(
      atPath: shared.advocate.path + "/blobs/partial")
    #expect(partial == [])
    #expect(try await shared.theirs.check().findings == [])
  }

  /// What an exchange gathers is not waited for piece by piece, so a power cut may leave any of it, and zeros
  /// for the rest.
  @Test(arguments: [0, 70_000, 2_900_000])
  func `what a power cut left of a file is made good, and nobody is blamed`(torn: Int) async throws
  {
    let shared = try await SharedCase(before: [words("one")])
    let file = try shared.survivor.folder.file("film.mp4", noise(3_000_000, seed: 11))
    _ = try await shared.hers.add(
      [NewEntry(source: .file(path: file), content: EntryContent())], toCase: nil)
    try await shared.syncSurvivor()
    var files = try FileManager.default.subpathsOfDirectory(atPath: shared.mailbox.path)
    let name = try #require(files.first { $0.contains("/b-") })
    let carried = [UInt8](
      try Data(contentsOf: URL(filePath: shared.mailbox.path + "/" + name)))
    let byteCount = carried.prefix(8).reduce(0) { $0 << 8 | Int($1) }
    var partial = Array(carried.suffix(byteCount))
    partial.replaceSubrange(torn..<(torn + 512), with: [UInt8](repeating: 0, count: 512))
    let folder = shared.advocate.path + "/blobs/partial"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let root = try #require(name.split(separator: "/b-").last)
    try Data(partial).write(to: URL(filePath: folder + "/\(root)-\(byteCount)"))
    let outcome = try await shared.syncAdvocate()
    #expect(outcome.problems == [])
    #expect(outcome.filesAwaited == 0)
    files = try FileManager.default.contentsOfDirectory(atPath: folder)
    #expect(files == [])
    #expect(try await shared.theirs.check().findings == [])
  }

  @Test func `a folder of another case is left alone`() async throws {
    let one = try await SharedCase(before: [words("one")])
    let other = try await SharedCase(before: [words("two")])
    try await one.syncSurvivor()
    let before = try one.mailbox.allFiles()
    await #expect(throws: VaultError(.mailboxOfAnotherCase)) {
      try await other.hers.sync(caseNamed: nil, mailbox: one.mailbox.path)
    }
    #expect(try one.mailbox.allFiles() == before)
  }
}

extension OpenVault {
  /// Stops an exchange when it asks for the `count`th time; why it ended.
  func syncStopping(
    after count: Int, caseNamed name: String, mailbox: String?
  ) -> VaultError.Code? {
    var asked = 0
    do throws(VaultError) {
      _ = try sync(
        caseNamed: name, mailbox: mailbox,
        isCancelled: {
          asked += 1
          return asked >= count
        })
      return nil
    } catch {
      return error.code
    }
  }
}
