import CaseLog
import Cryptography
import Foundation
import Support
import Testing
import VerifiableLog

@testable import Vault

/// Whoever's time is over is removed before anything is written, whatever it is.
@Suite struct LapsedTests {
  /// What a survivor does, beside adding an entry.
  enum Act: CaseIterable {
    case add, share, admit, remove, removeLapsed, erase, decide, adopt
  }

  @Test(arguments: Act.allCases)
  func `a member whose time is over learns nothing of what is done then`(act: Act) async throws {
    let kit = try RecoveryKit.make()
    let circle = try await Circle(kit: kit)
    let one = try await circle.add("one", for: .ownDevices)
    let end = circle.survivor.clock.now + 1000
    let anna = try await circle.admit(circle.anna, "Anna", until: end).member
    try await circle.admit(circle.bea, "Bea")
    try await circle.sync()
    let late = try await circle.bea.add([words("Bea's")], toCase: "theirs").saved[0].id
    if act == .adopt { _ = try await circle.hers.remove("Bea", fromCase: nil) }
    try await circle.sync()
    circle.survivor.clock.advance(1001)
    let before = try await circle.hers.controlCount(.cut)

    switch act {
    case .add: try await circle.add("two")
    case .share:
      _ = try await circle.hers.share(.entries([one.base32]), ofCase: nil, withMember: "Bea")
    case .admit:
      let card = try await circle.bea.makeCard()
      _ = try await circle.hers.share(caseNamed: nil, with: card.text, words: card.words)
    case .remove: _ = try await circle.hers.remove("Bea", fromCase: nil)
    case .removeLapsed: _ = try await circle.hers.remove("Anna", fromCase: nil)
    case .erase: _ = try await circle.hers.erase([one.base32])
    case .decide:
      _ = try await circle.hers.decide(
        stays: nil, cut: [(member: "Bea", size: nil)], inCase: nil, kit: kit)
    case .adopt:
      let adopted = try await circle.hers.adopt(late.base32)
      let again = try await circle.hers.adopt(late.base32)
      #expect(adopted.isNew && !again.isNew && adopted.id == again.id)
      let troubles = try await circle.hers.status(ofCase: nil, isLookedAt: false)
        .flatMap(\.troubles).map(\.code)
      #expect(!troubles.contains(.setAside) && !troubles.contains(.disputed))
    }
    let standing = try await circle.hers.members(ofCase: nil).members
      .first { $0.logID == anna }?.standing
    #expect(standing == .removed(0))
    #expect(
      try await circle.hers.controlCount(.cut) == before + (act == .remove ? 2 : 1))
    try await circle.sync()
    #expect(try await circle.hers.check().findings == [])
    if act == .erase { #expect(try await circle.agrees(circle.bea)) }
  }

  @Test func `what another device erased is kept without a member whose time is over`()
    async throws
  {
    let survivor = try await SurvivorWithKit([words("one")])
    let advocate = try await survivor.fixture("advocate").create()
    let card = try await advocate.makeCard()
    let end = survivor.device.clock.now + 1000
    let shared = try await survivor.vault.share(
      caseNamed: nil, with: card.text, words: card.words, until: end)
    try await survivor.vault.meet(survivor.own, own: true)
    let (laptop, second) = try await survivor.recover("laptop", from: survivor.own)
    for _ in 0..<2 {
      for vault in [second, survivor.vault] { try await vault.meet(survivor.own, own: true) }
    }
    let id = try #require(try await survivor.vault.entries(ofCase: nil).first?.id)
    _ = try await survivor.vault.erase([id.base32])
    for vault in [survivor.vault, second] { try await vault.meet(survivor.own, own: true) }
    laptop.clock.advance(1001)
    _ = try await second.keep(id.base32)
    let standing = try await second.members(ofCase: nil).members
      .first { $0.logID == shared.member }?.standing
    #expect(standing == .removed(0))
  }

  /// A removal that the root took back has no effect at that size again.
  @Test func `a member who was reinstated and whose time is over stops nobody from writing`()
    async throws
  {
    let kit = try RecoveryKit.make()
    let circle = try await Circle(kit: kit)
    let end = circle.survivor.clock.now + 1000
    try await circle.admit(circle.anna, "Anna", until: end)
    _ = try await circle.hers.decide(
      stays: nil, cut: [(member: "Anna", size: nil)], inCase: nil, kit: kit)
    _ = try await circle.hers.reinstate("Anna", inCase: nil, kit: kit)
    circle.survivor.clock.advance(1001)
    try await circle.add("late")
    try await circle.sync([circle.anna])
    #expect(try await circle.seen(by: circle.anna) == [])
  }
}
