import CaseLog
import Cryptography
import Foundation
import GRDB
import Support
import Testing
import VerifiableLog

@testable import Vault

@Suite struct StatusTests {
  @Test func `what is new is told once, and receipts grow old`() async throws {
    let shared = try await SharedCase(before: [words("one"), words("two")])
    try await shared.syncSurvivor()
    try await shared.syncAdvocate()
    let first = try await shared.theirs.status(ofCase: "theirs", isLookedAt: false)[0]
    #expect(first.newEntryCount == 2)
    #expect(first.role == .advocate)
    #expect(first.troubles == [])
    // Whoever did not look sees it again; whoever looked does not.
    _ = try await shared.theirs.status(ofCase: "theirs", isLookedAt: true)
    #expect(
      try await shared.theirs.status(ofCase: "theirs", isLookedAt: false)[0].newEntryCount == 0)

    _ = try await shared.theirs.add([words("a note")], toCase: "theirs")
    try await shared.syncAdvocate()
    try await shared.syncSurvivor()
    let hers = try await shared.hers.status(ofCase: nil, isLookedAt: false)
    #expect(hers[0].newEntryCount == 1)
    let advocate = try #require(hers[0].members.first { !$0.isOwn })
    #expect(advocate.newEntries == 1)
    #expect(advocate.entriesWithoutReceipt == 0)

    _ = try await shared.hers.add([words("later")], toCase: nil)
    shared.survivor.clock.advance(OpenVault.receiptAge + 1)
    let old = try await shared.hers.status(ofCase: nil, isLookedAt: false)[0]
    #expect(old.troubles.map(\.code) == [.receiptOld])
    #expect(old.troubles[0].count == 1)
    #expect(old.troubles[0].member == advocate.logID)
  }

  @Test func `what is shared later is new then, though its place was known long ago`()
    async throws
  {
    let circle = try await Circle()
    let anna = try await circle.admit(circle.anna, "Anna").member
    try await circle.admit(circle.bea, "Bea")
    let secret = try await circle.add("private", for: .ownDevices)
    try await circle.add("open")
    try await circle.sync()
    let note = try await circle.anna.add([words("Anna's")], toCase: "theirs").saved[0].id
    try await circle.sync()
    #expect(try await circle.bea.status(ofCase: "theirs", isLookedAt: true)[0].newEntryCount == 1)
    try await circle.sync()
    #expect(try await circle.bea.status(ofCase: "theirs", isLookedAt: true)[0].newEntryCount == 0)
    _ = try await circle.hers.share(
      .entries([secret.base32, note.base32]), ofCase: nil, withMember: "Bea")
    try await circle.sync()
    let status = try await circle.bea.status(ofCase: "theirs", isLookedAt: true)[0]
    #expect(status.newEntryCount == 2)
    #expect(status.members.first { $0.logID == anna }?.newEntries == 1)
    #expect(try await circle.bea.status(ofCase: "theirs", isLookedAt: true)[0].newEntryCount == 0)
    // The one who shared it has seen it, and what was opened to another is no news to Anna.
    for (vault, name, count) in [(circle.hers, "default", 1), (circle.anna, "theirs", 1)] {
      let count = try await vault.status(ofCase: name, isLookedAt: false)[0].newEntryCount == count
      #expect(count)
    }
    // What is gone is not new.
    _ = try await circle.hers.add([words("gone soon")], toCase: nil)
    try await circle.sync()
    let erased = try #require(
      try await circle.hers.entries(ofCase: nil).first { $0.content?.words == "gone soon" }?.id)
    _ = try await circle.hers.erase([erased.base32])
    try await circle.sync()
    for _ in 0..<2 {
      circle.second.clock.advance(OpenVault.longestCounted)
      try await circle.bea.settleErasures()
    }
    #expect(try await circle.bea.status(ofCase: "theirs", isLookedAt: true)[0].newEntryCount == 0)
  }

  @Test func `requests wait for the other side until they are answered`() async throws {
    let shared = try await SharedCase(before: [words("one")])
    try await shared.syncSurvivor()
    try await shared.syncAdvocate()
    let about = try #require(try await shared.theirs.entries(ofCase: "theirs").first?.id)
    var asked = EntryContent()
    asked.words = "Could you add the address?"
    asked.about = [about]
    let request = try await shared.theirs.append(asked, as: .request, toCase: "theirs")
    try await shared.syncAdvocate()
    try await shared.syncSurvivor()
    let hers = try await shared.hers.status(ofCase: nil, isLookedAt: false)[0]
    #expect(hers.requestsToAnswer.map(\.request.id) == [request])
    #expect(hers.requestsAsked.isEmpty)
    let theirs = try await shared.theirs.status(ofCase: "theirs", isLookedAt: false)[0]
    #expect(theirs.requestsAsked.map(\.request.id) == [request])

    var done = EntryContent()
    done.about = [request]
    done.request = .done
    _ = try await shared.hers.append(done, as: .request, toCase: nil)
    #expect(
      try await shared.hers.status(ofCase: nil, isLookedAt: false)[0].requestsToAnswer.isEmpty)
  }

  /// Row 30: a mailbox that keeps a log back cannot hide that somebody else has seen it.
  @Test func `a log that others have seen longer is told as behind`() async throws {
    let shared = try await SharedCase(before: [words("one")])
    try await shared.syncSurvivor()
    try await shared.syncAdvocate()
    // What an entry of another member would tell, if the mailbox had kept ours back.
    let own = try await shared.hers.cases()[0]
    try await shared.hers.database.queue.write { db in
      try db.execute(
        sql: "UPDATE log SET named_size = size + 3 WHERE signing_key <> x'00' AND size = 0")
    }
    let status = try await shared.hers.status(ofCase: own.name, isLookedAt: false)[0]
    #expect(status.troubles.map(\.code) == [.behind])
    #expect(status.troubles[0].count == 3)
    #expect(try await shared.hers.check().troubled.count == 1)
  }

  /// The only alarm of somebody who found the twelve words.
  @Test func `a device admitted with the kit is told until it was looked at`() async throws {
    let survivor = try await SurvivorWithKit([words("one")])
    let (_, theirs) = try await survivor.admitAdvocate()
    try await survivor.vault.meet(survivor.shared)
    _ = try await survivor.vault.status(ofCase: nil, isLookedAt: true)
    let (_, second) = try await survivor.recover("second")
    for vault in [second, theirs, survivor.vault] { try await vault.meet(survivor.shared) }
    let troubles = try await survivor.vault.status(ofCase: nil, isLookedAt: true)[0].troubles
    #expect(
      troubles.filter { $0.code == .newDevice }.map(\.member) == [try await second.ownLogID()])
    let again = try await survivor.vault.status(ofCase: nil, isLookedAt: true)[0].troubles
    #expect(!again.map(\.code).contains(.newDevice))
    // The device itself is not news to itself, nor is the first one, nor is any to an advocate.
    for (vault, name) in [(second, "default"), (theirs, "theirs")] {
      let told = try await vault.status(ofCase: name, isLookedAt: false)[0].troubles
      #expect(!told.map(\.code).contains(.newDevice))
    }
  }

  @Test func `what another device erased can be kept for a while`() async throws {
    let shared = try await SharedCase(before: [words("one"), words("two")])
    let id = try #require(try await shared.hers.entries(ofCase: nil).first?.id)
    _ = try await shared.hers.erase([id.base32])
    // The device that erased has nothing to decide.
    #expect(try await shared.hers.status(ofCase: nil, isLookedAt: false)[0].troubles == [])
  }
}
