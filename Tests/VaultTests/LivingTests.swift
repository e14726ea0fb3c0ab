import CaseLog
import Cryptography
import Foundation
import Support
import Testing
import VerifiableLog

@testable import Vault

private func about(
  _ ids: [EntryID], _ kind: EntryKind, _ change: (inout EntryContent) -> Void = { _ in }
) -> NewEntry {
  var content = EntryContent()
  content.about = ids
  change(&content)
  return NewEntry(kind: kind, content: content)
}

extension OpenVault {
  @discardableResult
  fileprivate func save(_ entry: NewEntry, in name: String? = nil) throws -> EntryID {
    let outcome = try add([entry], toCase: name)
    if let failure = outcome.failure { throw failure.error }
    return try #require(outcome.saved.first?.id)
  }
}

@Suite struct LivingTests {
  @Test func `an entry holds many files, the same one twice among them`() async throws {
    let fixture = try VaultFixture()
    let vault = try await fixture.create()
    let small = try fixture.folder.file("small.png", noise(500, seed: 1))
    let large = try fixture.folder.file("large.png", noise(200_000, seed: 2))
    let id = try await vault.save(
      NewEntry(
        sources: [small, large, small].map { .file(path: $0) }, content: EntryContent()))
    let detail = try await vault.entry(id.base32)
    #expect(detail.summary.content?.attachments.map(\.number) == [0, 1, 2])
    #expect(detail.presentAttachments == [0, 1, 2])
    let extracted = try await vault.extract(id.base32, to: fixture.folder.path + "/out")
    #expect(
      extracted.written.map { $0.path.split(separator: "/").last } == [
        "small.png", "large.png", "small-2.png",
      ])
    #expect(try await vault.check().findings == [])
  }

  @Test func `one file that cannot be read leaves nothing of the others`() async throws {
    let fixture = try VaultFixture()
    let vault = try await fixture.create()
    let large = try fixture.folder.file("large.png", noise(200_000, seed: 2))
    let outcome = try await vault.add(
      [
        NewEntry(
          sources: [.file(path: large), .file(path: fixture.folder.path + "/missing")],
          content: EntryContent())
      ], toCase: nil)
    #expect(outcome.failure?.error.code == .fileMissing)
    #expect(outcome.saved.isEmpty)
    #expect(try fixture.folder.allFiles().keys.filter { $0.hasPrefix("vault/blobs/") } == [])
  }

  @Test func `what is wrong is refused before anything is read`() async throws {
    let fixture = try VaultFixture()
    let vault = try await fixture.create()
    let id = try await vault.save(words("one"))
    _ = try await vault.startCase(named: "other")
    let missing = NewEntry.Source.file(path: "/missing")
    await #expect(throws: VaultError(.unknownEntry)) {
      try await vault.add([about([id], .amend)], toCase: "other")
    }
    await #expect(throws: VaultError(.unknownEntry)) {
      try await vault.add([about([EntryID(Bytes32.random())], .note)], toCase: nil)
    }
    await #expect(throws: VaultError(.notAllowed)) {
      try await vault.add([about([], .share)], toCase: nil)
    }
    await #expect(throws: VaultError(.notAllowed)) {
      try await vault.add([about([], EntryKind(code: 99))], toCase: nil)
    }
    await #expect(throws: VaultError(.entryTooLarge)) {
      try await vault.add(
        [NewEntry(sources: Array(repeating: missing, count: 90), content: EntryContent())],
        toCase: nil)
    }
    await #expect(throws: VaultError(.entryTooLarge)) {
      try await vault.add(
        [about([], .note) { $0.title = String(repeating: "x", count: 2000) }], toCase: nil)
    }
    #expect(try await vault.entries(ofCase: nil).count == 1)
    #expect(try await vault.entries(ofCase: "other").isEmpty)
  }

  @Test func `who was shown an entry, and when, is told from slots and shares`() async throws {
    let shared = try await SharedCase(before: [words("before")])
    let before = try #require(try await shared.hers.entries(ofCase: nil).first)
    shared.survivor.clock.advance(1000)
    let after = try await shared.hers.save(words("after"))
    let early = try await shared.hers.history(of: before.id.base32).entry.shown
    #expect(early.map(\.audience).contains(.devices))
    let later = try #require(early.first { $0.share != nil })
    #expect(later.time == 1_700_000_000)
    guard case .advocate(let log) = later.audience else {
      Issue.record("shared with \(later.audience)")
      return
    }
    let late = try await shared.hers.history(of: after.base32).entry.shown
    #expect(Set(late.map(\.audience)) == [.devices, .advocate(log)])
    #expect(late.allSatisfy { $0.share == nil && $0.time == 1_700_001_000 })
    // The advocate can check the share, and her own slot.
    try await shared.syncSurvivor()
    try await shared.syncAdvocate()
    let there = try await shared.theirs.history(of: before.id.base32).entry.shown
    #expect(there == [later])
    #expect(
      try await shared.theirs.history(of: after.base32).entry.shown.map(\.audience)
        == [.advocate(log)])
  }

  @Test func `requests and takedowns of a case are told, whoever wrote them`() async throws {
    let shared = try await SharedCase(before: [words("one")])
    try await shared.syncSurvivor()
    try await shared.syncAdvocate()
    let id = try #require(try await shared.hers.entries(ofCase: nil).first?.id)
    shared.advocate.clock.advance(100)
    let asked = try await shared.theirs.save(
      about([id], .request) {
        $0.words = "Could you?"
        $0.request = .asked
      }, in: "theirs")
    try await shared.theirs.save(
      about([id], .takedown) {
        $0.takedown = .init(step: .reported, recipient: "a", reference: "1")
      }, in: "theirs")
    try await shared.syncAdvocate()
    try await shared.syncSurvivor()
    let status = try #require(try await shared.hers.status(ofCase: nil, isLookedAt: false).first)
    #expect(status.requestsToAnswer.map(\.request.id) == [asked])
    #expect(try await shared.hers.takedowns(ofCase: nil).map(\.step) == [.reported])
    shared.survivor.clock.advance(200)
    try await shared.hers.save(
      about([id], .takedown) {
        $0.takedown = .init(step: .removed, recipient: "a", reference: nil)
      })
    try await shared.hers.save(about([asked], .request) { $0.request = .declined })
    let later = try #require(try await shared.hers.status(ofCase: nil, isLookedAt: false).first)
    #expect(later.requestsToAnswer.isEmpty)
    let takedown = try #require(try await shared.hers.takedowns(ofCase: nil).first)
    #expect(takedown.step == .removed && takedown.reference == "1" && takedown.about == id)
    try await shared.syncSurvivor()
    try await shared.syncAdvocate()
    #expect(
      try await shared.theirs.takedowns(ofCase: "theirs") == shared.hers.takedowns(ofCase: nil))
  }

  /// An advocate with a patched program signs what her role may not.
  @Test func `a forged amendment or retraction is no part of the history`() async throws {
    let shared = try await SharedCase(before: [words("one")])
    try await shared.syncSurvivor()
    try await shared.syncAdvocate()
    let id = try #require(try await shared.hers.entries(ofCase: nil).first?.id)
    for kind in [EntryKind.amend, .retract] {
      var content = EntryContent()
      content.about = [id]
      content.words = "forged"
      _ = try await shared.theirs.append(content, as: kind, toCase: "theirs")
    }
    try await shared.syncAdvocate()
    try await shared.syncSurvivor()
    let history = try await shared.hers.history(of: id.base32)
    #expect(history.later.isEmpty)
    #expect(history.entry.takenBackBy == nil)
    await #expect(throws: VaultError(.notAllowed)) {
      try await shared.theirs.add([about([id], .retract)], toCase: "theirs")
    }
  }

  @Test func `the same is told again, and not added twice where that is asked for`() async throws {
    let fixture = try VaultFixture()
    let vault = try await fixture.create()
    var skipping = AddOptions()
    skipping.skipsHeld = true
    let path = try fixture.folder.file("one.png", noise(900, seed: 4))
    let same = try fixture.folder.file("two.png", noise(900, seed: 4))
    let files = [path, same].map { path in
      var content = EntryContent()
      content.title = path
      return NewEntry(sources: [.found(path: Array(path.utf8))], content: content)
    }
    let first = try await vault.add(
      files + [words("one"), words("one")], toCase: nil, options: skipping)
    #expect(first.saved.map(\.index) == [0, 2])
    #expect(first.held.map(\.index) == [1, 3])
    #expect(first.held.map(\.hasSameTitle) == [false, true])
    let second = try await vault.add(files + [words("one")], toCase: nil, options: skipping)
    #expect(second.saved.isEmpty)
    #expect(second.held.map(\.hasSameTitle) == [true, false, true])
    let again = try await vault.add([files[0]], toCase: nil)
    #expect(again.saved.first?.sameContentAs == [first.saved[0].id])
  }
}
