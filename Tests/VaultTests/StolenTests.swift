import CaseLog
import Cryptography
import Foundation
import GRDB
import SealedBundle
import Support
import Testing
import VerifiableLog

@testable import Vault

@Suite struct StolenTests {
  /// A phone is gone: what the thief enters later, however it is dated, is set aside on every copy.
  @Test(arguments: [true, false])
  func `what a stolen device writes later is set aside on every copy`(
    arrivesBefore: Bool
  ) async throws {
    let survivor = try await SurvivorWithKit([words("one")])
    let (_, theirs) = try await survivor.admitAdvocate()
    let phone = survivor.vault
    try await phone.meet(survivor.shared)
    let (_, laptop) = try await survivor.recover("laptop")
    for _ in 0..<2 {
      for vault in [laptop, theirs, phone] { try await vault.meet(survivor.shared) }
    }
    let held = try await laptop.size(of: phone)
    #expect(
      try await laptop.previewDecision(stays: nil, cut: [(phone.name(), nil)], inCase: nil)
        .cut.map(\.size) == [held])
    survivor.device.clock.rewind(10_000)
    _ = try await phone.add([words("forged")], toCase: nil)
    if arrivesBefore {
      // The thief was quicker: the size has to be said.
      try await phone.meet(survivor.shared)
      try await laptop.meet(survivor.shared)
    }
    let kit = try survivor.kit()
    let epochs = try await laptop.epochCount()
    let decision = try await laptop.decide(
      stays: nil, cut: [(phone.name(), arrivesBefore ? held : nil)], inCase: nil, kit: kit)
    #expect(decision.cut.map(\.size) == [held])
    // New keys for everyone, for her devices and for the advocate, of which the phone gets none.
    #expect(try await laptop.epochCount() == epochs + 3)
    #expect(decision.cut.map(\.setAside) == [arrivesBefore ? 1 : 0])
    for _ in 0..<2 {
      for vault in [phone, laptop, theirs] { try await vault.meet(survivor.shared) }
    }
    for vault in [laptop, theirs] {
      #expect(try await vault.standings()["one"] == .open)
      let standing = try await vault.standings()["forged"]
      #expect(standing == (arrivesBefore ? .disputed : .setAside))
    }
    #expect(try await laptop.hash() == theirs.hash())
    #expect(try await phone.epochCount() == epochs)

    // It was found again, and nobody had it.
    _ = try await laptop.reinstate(phone.name(), inCase: nil, kit: kit)
    for _ in 0..<2 {
      for vault in [laptop, theirs] { try await vault.meet(survivor.shared) }
    }
    for vault in [laptop, theirs] { #expect(try await vault.standings()["forged"] == .open) }
    #expect(try await laptop.hash() == theirs.hash())
  }

  /// It is shown, and has no effect on what it is about, in a list as little as in a history.
  @Test func `what a stolen device took back or tagged while that is disputed has no effect`()
    async throws
  {
    let survivor = try await SurvivorWithKit([words("one")])
    let (_, theirs) = try await survivor.admitAdvocate()
    let phone = survivor.vault
    let one = try #require(try await phone.entries(ofCase: nil).first?.id)
    try await phone.meet(survivor.shared)
    let (_, laptop) = try await survivor.recover("laptop")
    for _ in 0..<2 {
      for vault in [laptop, theirs, phone] { try await vault.meet(survivor.shared) }
    }
    let held = try await laptop.size(of: phone)
    var content = EntryContent()
    content.about = [one]
    let retraction = try await phone.append(content, as: .retract, toCase: nil)
    content.tags = ["forged"]
    _ = try await phone.append(content, as: .amend, toCase: nil)
    for vault in [phone, laptop, theirs] { try await vault.meet(survivor.shared) }
    try await laptop.meet(survivor.shared)
    #expect(try await laptop.entry(one.base32).summary.isRetracted)
    _ = try await laptop.decide(
      stays: nil, cut: [(phone.name(), held)], inCase: nil, kit: try survivor.kit())
    #expect(try await laptop.entry(retraction.base32).summary.standing == .disputed)
    #expect(try await laptop.history(of: one.base32).entry.takenBackBy == nil)
    #expect(try await laptop.entry(one.base32).summary.isRetracted == false)
    let listed = try await laptop.entries(ofCase: nil).first { $0.id == one }
    #expect(listed?.isRetracted == false)
    var query = EntryQuery(.oneCase(nil))
    query.tags = ["forged"]
    #expect(try await laptop.entries(matching: query).entries.contains { $0.id == one } == false)
    // Who is shown the entry is shown that somebody disputed it, too.
    let card = try await survivor.fixture("second advocate").create().makeCard()
    let shared = try await laptop.share(
      caseNamed: nil, with: card.text, words: card.words, selection: .entries([one.base32]))
    #expect(shared.entryCount == 2 && shared.along.retractionCount == 1)
  }

  @Test func `the root's word needs the kit and a survivor, and leaves nothing behind else`()
    async throws
  {
    let survivor = try await SurvivorWithKit([words("one")])
    let (_, theirs) = try await survivor.admitAdvocate()
    try await survivor.vault.meet(survivor.shared)
    try await theirs.meet(survivor.shared)
    try await survivor.vault.meet(survivor.shared)
    let kit = try survivor.kit()
    let wrong = try RecoveryKit.make()
    let (hers, before) = (try await theirs.name(), try await survivor.vault.hash())
    let entry = try #require(try await survivor.vault.entries(ofCase: nil).first?.id)
    await #expect(throws: VaultError(.kitMismatch)) {
      try await survivor.vault.decide(stays: nil, cut: [(hers, nil)], inCase: nil, kit: wrong)
    }
    await #expect(throws: VaultError(.kitMismatch)) {
      try await survivor.vault.keepByRoot(entry, inCase: nil, kit: wrong)
    }
    await #expect(throws: VaultError(.notAllowed)) {
      try await theirs.decide(stays: hers, cut: [(hers, nil)], inCase: "theirs", kit: kit)
    }
    await #expect(throws: VaultError(.notCut)) {
      try await survivor.vault.reinstate(hers, inCase: nil, kit: kit)
    }
    await #expect(throws: VaultError(.unknownMember)) {
      try await survivor.vault.decide(stays: nil, cut: [("abc", nil)], inCase: nil, kit: kit)
    }
    await #expect(throws: VaultError(.cutWithoutEffect)) {
      try await survivor.vault.decide(
        stays: nil, cut: [(survivor.vault.name(), nil)], inCase: nil, kit: kit)
    }
    #expect(try await survivor.vault.hash() == before)
    try await survivor.vault.keepByRoot(entry, inCase: nil, kit: kit)
    // A size that was lifted cannot be cut at again, and nothing is kept of the attempt.
    _ = try await survivor.vault.decide(stays: nil, cut: [(hers, 0)], inCase: nil, kit: kit)
    _ = try await survivor.vault.reinstate(hers, inCase: nil, kit: kit)
    await #expect(throws: VaultError(.cutWithoutEffect)) {
      try await survivor.vault.decide(stays: nil, cut: [(hers, 0)], inCase: nil, kit: kit)
    }
  }

  /// What a device writes that does not know of the other one is sealed to others only.
  @Test func `what a stolen device hides keeps nobody from handing the case over`() async throws {
    let survivor = try await SurvivorWithKit([words("one")])
    let phone = survivor.vault
    try await phone.meet(survivor.shared)
    let (_, laptop) = try await survivor.recover("laptop")
    try await laptop.meet(survivor.shared)
    let held = try await laptop.size(of: phone)
    _ = try await laptop.remove(phone.name(), fromCase: nil)
    let (_, friend) = try await survivor.admitAdvocate()
    // New keys for those whom the phone knows, which shows itself where it sees nobody.
    _ = try await phone.remove(friend.name(), fromCase: nil)
    let elsewhere = try TemporaryFolder()
    try await phone.meet(elsewhere)
    try await laptop.meet(elsewhere)
    #expect(try await laptop.size(of: phone) > held)
    let recipient = AgeIdentity(secretKey: SecretKey.random()).recipient
    func export() async throws -> ExportOutcome {
      try await laptop.export(
        caseNamed: nil, entries: nil, to: survivor.device.folder.path + "/case.age",
        seal: .recipients([try #require(recipient)]), program: "test")
    }
    // The phone may have removed the laptop in turn: only the root ends that.
    await #expect(throws: VaultError(.decisionsLocked)) { try await export() }
    let kit = try survivor.kit()
    _ = try await laptop.decide(stays: nil, cut: [(phone.name(), held)], inCase: nil, kit: kit)
    let verdict = try await export().verdict
    #expect(verdict.outcome == .consistent)
    let hash = try await laptop.hash()
    #expect(verdict.record?.state.stateHash == hash)
  }
}

extension TestClock {
  func rewind(_ by: UInt64) { advance(0 &- by) }
}

extension OpenVault {
  /// This device's id in the case that tests are about.
  func name() throws -> String {
    let name = try cases().first { $0.name == "theirs" }?.name
    return try read { db in try CaseRow.find(db, name).logID.base32 }
  }

  func size(of other: OpenVault) async throws -> UInt64 {
    let name = try await other.name()
    return try read { db in
      try Row.fetchAll(db, sql: "SELECT log_id, size FROM log").first {
        try $0.identifier("log_id") as LogID == LogID(Bytes32(try Base32.decode(name))!)
      }?.number("size") ?? 0
    }
  }

  func standings() throws -> [String: EntrySummary.Standing] {
    let name = try cases().first { $0.name == "theirs" }?.name
    var standings: [String: EntrySummary.Standing] = [:]
    for entry in try entries(ofCase: name) {
      if let words = entry.content?.words { standings[words] = entry.standing }
    }
    return standings
  }
}
