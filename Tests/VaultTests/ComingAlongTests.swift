import CaseLog
import Cryptography
import Foundation
import Support
import Testing
import VerifiableLog

@testable import Vault

/// What comes with an entry that is shared later, and what does not.
@Suite struct ComingAlongTests {
  @discardableResult
  private func say(
    _ text: String, about targets: [EntryID], as kind: EntryKind = .amend,
    for audience: EntryAudience = .allReaders, in vault: OpenVault, caseNamed name: String? = nil
  ) async throws -> EntryID {
    var content = EntryContent()
    content.words = text
    content.about = targets
    var entry = NewEntry(kind: kind, content: content)
    entry.audience = audience
    let outcome = try await vault.add([entry], toCase: name)
    if let failure = outcome.failure { throw failure.error }
    return try #require(outcome.saved.first?.id)
  }

  /// Whether a member's copy shows the entry as taken back.
  private func isTakenBack(_ id: EntryID, in vault: OpenVault) async throws -> Bool {
    let history = try await vault.history(of: id.base32)
    let listed = try await vault.entry(id.base32).summary.isRetracted
    #expect(listed == (history.entry.takenBackBy != nil))
    return listed
  }

  @Test func `a retraction reaches whoever could open the entry before`() async throws {
    let circle = try await Circle()
    let anna = try await circle.admit(circle.anna, "Anna").member
    try await circle.admit(circle.bea, "Bea")
    let open = try await circle.add("open")
    let secret = try await circle.add("private", for: .ownDevices)
    let onlyAnna = try await circle.add("for Anna", for: .members([anna]))
    // One of them is nobody's, one is not Bea's, and for whom it was asked does not matter.
    try await say(
      "taken back", about: [open, secret, onlyAnna], as: .retract, for: .ownDevices,
      in: circle.hers)
    try await circle.sync()
    #expect(try await isTakenBack(open, in: circle.anna))
    #expect(try await isTakenBack(onlyAnna, in: circle.anna))
    #expect(try await isTakenBack(open, in: circle.bea))
    #expect(
      try await circle.anna.entries(ofCase: "theirs").count { $0.standing == .locked } == 1)
  }

  @Test func `a private retraction stays private while nobody can open the entry`() async throws {
    let circle = try await Circle()
    try await circle.admit(circle.anna, "Anna")
    let secret = try await circle.add("private", for: .ownDevices)
    let retraction = try await say(
      "taken back", about: [secret], as: .retract, in: circle.hers)
    #expect(try await circle.hers.readers(ofEntry: retraction.base32) == [])
  }
}
