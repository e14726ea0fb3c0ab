import CaseLog
import Cryptography
import Foundation
import SealedBundle
import Support
import Testing
import VerifiableLog

@testable import Vault

/// What was meant for fewer stays so, whoever comes later.
@Suite struct KeptBackTests {
  private func say(
    _ text: String, about target: EntryID, as kind: EntryKind, in vault: OpenVault
  ) async throws {
    var content = EntryContent()
    content.words = text
    content.about = [target]
    _ = try await vault.append(content, as: kind, toCase: nil)
  }

  @Test(arguments: [true, false])
  func `what is about a private entry is not shared with who comes later`(
    isSharedBefore: Bool
  ) async throws {
    let circle = try await Circle()
    if isSharedBefore { try await circle.admit(circle.anna, "Anna") }
    let secret = try await circle.add("private", for: .ownDevices)
    let open = try await circle.add("open")
    for (kind, name) in [(EntryKind.amend, "amend"), (.retract, "retract")] {
      try await say("\(name) private", about: secret, as: kind, in: circle.hers)
      try await say("\(name) open", about: open, as: kind, in: circle.hers)
    }
    let shared = try await circle.admit(circle.bea, "Bea")
    #expect(shared.keptBack.count == 3)
    try await circle.sync(isSharedBefore ? nil : [circle.bea])
    #expect(try await circle.seen(by: circle.bea) == ["open", "amend open", "retract open"])
  }

  @Test func `what is about an entry for one advocate is not shared with another`() async throws {
    let circle = try await Circle()
    let anna = try await circle.admit(circle.anna, "Anna").member
    try await circle.admit(circle.bea, "Bea", selection: .none)
    let onlyAnna = try await circle.add("for Anna", for: .members([anna]))
    try await say("more for Anna", about: onlyAnna, as: .amend, in: circle.hers)
    let all = try await circle.hers.share(.all, ofCase: nil, withMember: "Bea")
    #expect(all.entries == [])
    #expect(all.keptBack.count == 2)
    try await circle.sync()
    #expect(try await circle.seen(by: circle.bea) == [])
    #expect(try await circle.seen(by: circle.anna) == ["for Anna", "more for Anna"])
  }

  @Test func `marks stay when a device takes new keys`() async throws {
    let survivor = try await SurvivorWithKit()
    let (_, theirs) = try await survivor.admitAdvocate()
    _ = try await survivor.vault.add([words("open")], toCase: nil)
    try await survivor.vault.meet(survivor.shared)
    _ = try await theirs.meet(survivor.shared)
    var secret = words("private")
    secret.audience = .ownDevices
    _ = try await survivor.vault.add([secret], toCase: nil)
    try await survivor.vault.close()
    let other = try survivor.device.copied(to: "another")
    let copy = try other.open()
    _ = try await copy.renew()
    let card = try await survivor.fixture("second advocate").create().makeCard()
    let shared = try await copy.share(caseNamed: nil, with: card.text, words: card.words)
    #expect(shared.entryCount == 1)
    #expect(shared.keptBack.count == 1)
  }

  @Test func `what another device entered for nobody else has to be named`() async throws {
    let survivor = try await SurvivorWithKit([words("early")])
    var secret = words("private")
    secret.audience = .ownDevices
    _ = try await survivor.vault.add([secret], toCase: nil)
    try await survivor.vault.meet(survivor.own, own: true)
    let (_, laptop) = try await survivor.recover("laptop", from: survivor.own)
    try await laptop.meet(survivor.own, own: true)
    try await survivor.vault.meet(survivor.own, own: true)
    try await laptop.meet(survivor.own, own: true)
    _ = try await laptop.add([words("of the laptop")], toCase: nil)
    let advocate = try await survivor.fixture("advocate").create()
    let card = try await advocate.makeCard()
    let shared = try await laptop.share(caseNamed: nil, with: card.text, words: card.words)
    #expect(shared.entryCount == 1)
    #expect(shared.keptBack.count == 2)
    let early = try #require(
      try await laptop.entries(ofCase: nil).first { $0.content?.words == "early" })
    let named = try await laptop.share(
      .entries([early.id.base32]), ofCase: nil, withMember: shared.member.base32)
    #expect(named.entries == [early.id])
  }

  @Test func `a bundle tells how much in it was kept private`() async throws {
    let circle = try await Circle()
    try await circle.add("before anybody")
    try await circle.admit(circle.anna, "Anna")
    let secret = try await circle.add("private", for: .ownDevices)
    let open = try await circle.add("open")
    let identity = AgeIdentity(secretKey: SecretKey.random())
    let known = identity.recipient
    let recipient = try #require(known)
    for (chosen, isAll, count, leftOut) in [
      (nil, true, 1, 0), (nil, false, 0, 1), ([secret.base32], false, 1, 0),
      ([open.base32], false, 0, 0),
    ] as [([String]?, Bool, Int, Int)] {
      let outcome = try await circle.hers.export(
        caseNamed: nil, entries: chosen,
        to: circle.survivor.folder.path + "/" + (chosen?[0] ?? "all-\(isAll)"),
        seal: .recipients([recipient]), program: "test", includesPrivate: isAll)
      #expect(outcome.keptPrivateCount == count)
      #expect(outcome.privateLeftOutCount == leftOut)
    }
  }

  @Test func `what was only not shared yet is not private, and is in the bundle`() async throws {
    let circle = try await Circle()
    var open: [EntryID] = []
    for number in 1...4 { open.append(try await circle.add("open \(number)")) }
    let secret = try await circle.add("private", for: .ownDevices)
    let shared = try await circle.admit(
      circle.anna, "Anna", selection: .entries([open[0].base32]))
    let onlyAnna = try await circle.add("for Anna", for: .members([shared.member]))
    let recipient = AgeIdentity(secretKey: SecretKey.random()).recipient
    let outcome = try await circle.hers.export(
      caseNamed: nil, entries: nil, to: circle.survivor.folder.path + "/bundle",
      seal: .recipients([try #require(recipient)]), program: "test")
    #expect(outcome.privateLeftOutCount == 2 && outcome.keptPrivateCount == 0)
    #expect(outcome.entryCount == 4)
    #expect(try await circle.hers.privateEntryCount(ofCase: nil) == 2)
    let marked = try await circle.hers.privateEntries(among: open + [secret, onlyAnna])
    #expect(marked == [secret: .ownDevices, onlyAnna: .fewer])
    let named = try await circle.hers.previewShare(
      .entries([open[1].base32, secret.base32]), ofCase: nil, with: .member("Anna"))
    #expect(named.privateOnes == [secret])
  }

  @Test func `of another device's entries all places tell the same`() async throws {
    let survivor = try await SurvivorWithKit([words("early")])
    let early = try #require(try await survivor.vault.entries(ofCase: nil).first).id
    try await survivor.vault.meet(survivor.own, own: true)
    let (_, laptop) = try await survivor.recover("laptop", from: survivor.own)
    try await laptop.meet(survivor.own, own: true)
    let own = try await laptop.add([words("of the laptop")], toCase: nil).saved[0].id
    // While nobody else has read the case, nothing in it was kept from anybody.
    #expect(try await laptop.privateEntryCount(ofCase: nil) == 0)
    #expect(try await laptop.privateEntries(among: [early, own]) == [:])
    let advocate = try await survivor.fixture("advocate").create()
    let card = try await advocate.makeCard()
    let shared = try await laptop.share(caseNamed: nil, with: card.text, words: card.words)
    #expect(shared.keptBack == [early])
    #expect(try await laptop.privateEntryCount(ofCase: nil) == 1)
    #expect(try await laptop.privateEntries(among: [early, own]) == [early: .perhaps])
    let named = try await laptop.share(
      .entries([early.base32]), ofCase: nil, withMember: shared.member.base32)
    #expect(named.privateOnes == [early])
    #expect(try await laptop.privateEntryCount(ofCase: nil) == 0)
  }
}
