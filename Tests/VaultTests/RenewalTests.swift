import CaseLog
import Cryptography
import Foundation
import GRDB
import Support
import Testing
import VerifiableLog

@testable import Vault

@Suite struct RenewalTests {
  @Test func `a vault in order takes new keys where somebody may have the old ones`() async throws {
    let shared = try await SharedCase(before: [words("one")])
    try await shared.syncSurvivor()
    let before = try await shared.hers.read { db in try CaseRow.find(db, nil).logID }
    #expect(try await shared.hers.renew().cases.isEmpty)
    #expect(try await shared.hers.renew(evenIfSound: true).cases == ["default"])
    #expect(try await shared.hers.read { db in try CaseRow.find(db, nil).logID } != before)
    #expect(await shared.hers.standing == .sound)
    _ = try await shared.hers.add([words("two")], toCase: nil)
    try await shared.syncSurvivor()
    try await shared.syncAdvocate()
    #expect(try await shared.theirs.entries(ofCase: "theirs").count == 2)
    #expect(try await shared.hers.check().findings == [])
  }

  @Test func `new keys that were stopped between two cases leave a vault in good standing`()
    async throws
  {
    let made = try await VaultFixture(machine: "one").created()
    _ = try await made.vault.startCase(named: "other")
    _ = try await made.vault.add([words("one")], toCase: nil)
    let row = try await made.vault.read { db in try CaseRow.find(db, nil) }
    #expect(try await made.vault.renewOne(row))
    try await made.vault.close()
    let again = try made.fixture.open()
    #expect(await again.standing == .sound)
    #expect(try await again.renew(evenIfSound: true).cases.count == 2)
    _ = try await again.add([words("two")], toCase: nil)
    try await again.close()
  }

  @Test func `a copied vault takes new keys, and both go on as two devices`() async throws {
    let survivor = try await SurvivorWithKit([words("one")])
    let (_, theirs) = try await survivor.admitAdvocate()
    try await survivor.vault.meet(survivor.shared)
    try await theirs.meet(survivor.shared)
    try await survivor.vault.close()
    let other = try survivor.device.copied(to: "another")
    let original = try survivor.device.open()
    let copy = try other.open()
    #expect(await copy.standing == .copied)
    await #expect(throws: VaultError(.copied)) { try await copy.add([words("no")], toCase: nil) }
    let old = try await copy.ownLogID()
    #expect(try await copy.renew().cases == ["default"])
    #expect(await copy.standing == .sound)
    #expect(try await copy.ownLogID() != old)
    #expect(try await copy.renew().cases == [])

    _ = try await original.add([words("two")], toCase: nil)
    _ = try await copy.add([words("three")], toCase: nil)
    for _ in 0..<2 {
      for vault in [original, copy, theirs] { try await vault.meet(survivor.shared) }
    }
    for vault in [original, copy, theirs] {
      #expect(try await vault.texts() == ["one", "two", "three"])
      #expect(try await vault.check().findings.isEmpty)
    }
    #expect(try await Set([original.hash(), copy.hash(), theirs.hash()]).count == 1)
    // Opened again, it is as sound as any.
    try await copy.close()
    let again = try other.open()
    #expect(await again.standing == .sound)
  }

  @Test func `an old vault put back gets its missing tail from the mailbox`() async throws {
    let survivor = try await SurvivorWithKit([words("one")])
    try await survivor.vault.meet(survivor.own, own: true)
    try await survivor.vault.close()
    let backup = try survivor.device.copied(to: "first")
    let later = try survivor.device.open()
    _ = try await later.add([words("two")], toCase: nil)
    try await later.meet(survivor.own, own: true)
    try await later.close()
    // The old database is put back beside the anchor of the new one.
    for name in ["vault.db", "vault.db-wal"] {
      let path = survivor.device.path + "/" + name
      if FileManager.default.fileExists(atPath: path) {
        try FileManager.default.removeItem(atPath: path)
      }
      if FileManager.default.fileExists(atPath: backup.path + "/" + name) {
        try FileManager.default.copyItem(atPath: backup.path + "/" + name, toPath: path)
      }
    }
    let restored = try survivor.device.open()
    #expect(await restored.standing == .rolledBack)
    #expect(try await restored.renew().cases == ["default"])
    _ = try await restored.add([words("three")], toCase: nil)
    let outcome = try await restored.meet(survivor.own, own: true)
    #expect(outcome.problems == [])
    #expect(try await restored.texts() == ["one", "two", "three"])
    try await restored.close()
    let again = try survivor.device.open()
    #expect(await again.standing == .sound)
  }

  /// A disk image put back whole is noticed when the mailbox shows what it has forgotten.
  @Test func `a device whose own log is longer in the mailbox takes new keys and goes on`()
    async throws
  {
    let survivor = try await SurvivorWithKit([words("one")])
    let (_, theirs) = try await survivor.admitAdvocate()
    try await survivor.vault.meet(survivor.shared)
    try await survivor.vault.close()
    let image = try survivor.device.copied(to: "first")
    let later = try survivor.device.open()
    _ = try await later.add([words("two")], toCase: nil)
    try await later.meet(survivor.shared)
    try await theirs.meet(survivor.shared)
    try await later.close()
    try survivor.device.putBack(image)
    let restored = try survivor.device.open()
    #expect(await restored.standing == .sound)
    #expect(try await restored.meet(survivor.shared).problems.contains(.ownLogAhead))
    await #expect(throws: VaultError(.rolledBack)) {
      try await restored.add([words("no")], toCase: nil)
    }
    #expect(try await restored.renew().cases == ["default"])
    _ = try await restored.add([words("three")], toCase: nil)
    for _ in 0..<2 {
      #expect(try await restored.meet(survivor.shared).problems == [])
      try await theirs.meet(survivor.shared)
    }
    #expect(try await restored.texts() == ["one", "two", "three"])
    #expect(try await theirs.texts() == ["one", "two", "three"])
    #expect(try await restored.hash() == theirs.hash())
  }

  @Test func `an advocate's new keys belong to the audience of her first ones`() async throws {
    let survivor = try await SurvivorWithKit([words("one")])
    let (fixture, theirs) = try await survivor.admitAdvocate()
    try await survivor.vault.meet(survivor.shared)
    // Before her first sync: what was wrapped to her old keys must not be lost with them.
    _ = try await theirs.makeCard()
    try await theirs.close()
    let moved = try fixture.copied(to: "her new machine")
    let hers = try moved.open()
    let renewed = try await hers.renew()
    #expect(renewed.cases == ["default", "theirs"])
    #expect(renewed.cardsDropped == 1)
    try await hers.meet(survivor.shared)
    #expect(try await hers.texts() == ["one"])
    _ = try await hers.add([words("a note")], toCase: "theirs")
    try await hers.meet(survivor.shared)
    try await survivor.vault.meet(survivor.shared)
    #expect(try await survivor.vault.texts() == ["one", "a note"])
    _ = try await survivor.vault.add([words("two")], toCase: nil)
    try await survivor.vault.meet(survivor.shared)
    try await hers.meet(survivor.shared)
    #expect(try await hers.texts() == ["one", "a note", "two"])
    try await survivor.vault.meet(survivor.shared)
    #expect(try await hers.hash() == survivor.vault.hash())
  }

  /// Others took all places in one case; that must not keep the vault from its other cases.
  @Test func `a case that has no place for new keys keeps no other from them`() async throws {
    let made = try await VaultFixture(machine: "one").created()
    _ = try await made.vault.startCase(named: "other")
    let forged = try await made.vault.ordered(made.vault.leastSuccessions())
    _ = try await made.vault.accept(successions: forged.map(\.bytes))
    let old = try await made.vault.ownLogID()
    try await made.vault.close()
    let copy = try made.fixture.copied(to: "another")
    let vault = try copy.open()
    let outcome = try await vault.renew()
    #expect(outcome.casesNotRenewed == ["default"])
    #expect(outcome.cases == ["other"])
    #expect(await vault.standing == .sound)
    // Nothing is signed any more with keys that another copy has.
    #expect(try await vault.ownLogID() != old)
    let refused = try await vault.add([words("no")], toCase: nil)
    #expect(refused.failure?.error.code == .notSyncedYet)
    _ = try await vault.add([words("yes")], toCase: "other")
  }

  @Test(arguments: 0..<4)
  func `of many successions every copy keeps the same, whatever order they come in`(
    order: Int
  ) async throws {
    let vault = try await VaultFixture(machine: "one").created()
    let (all, chain) = try await vault.vault.forgedSuccessions(7)
    let stranger = SigningKey(seed: SecretKey.random())
    let foreign = try await vault.vault.succession(by: stranger, role: .survivor)
    var offered = all + chain
    switch order {
    case 1: offered.reverse()
    case 2: offered = Array(offered[5...] + offered[..<5])
    case 3: offered = offered.sorted { $0.lexicographicallyPrecedes($1) }
    default: break
    }
    offered.insert(contentsOf: [foreign, Array(offered[0].dropLast()), [0x80]], at: 1)
    for part in [Array(offered.prefix(4)), offered, offered] {
      _ = try await vault.vault.accept(successions: part)
    }
    let kept = try await vault.vault.heldSuccessions()
    let least = try await vault.vault.ordered(all).prefix(4)
    let hanging = try await vault.vault.ordered(chain).filter { link in
      try least.contains { try link.hangs(from: $0) }
    }
    #expect(Set(kept) == Set((least + hanging).map(\.bytes)))
    #expect(try await vault.vault.accept(successions: offered) == false)
  }
}

extension Succession {
  fileprivate func hangs(from other: Succession) throws -> Bool { oldKey == other.card.signingKey }
}

/// A vault together with what keeps its folder.
struct CreatedVault: Sendable {
  let fixture: VaultFixture
  let vault: OpenVault
}

extension VaultFixture {
  func created() async throws -> CreatedVault {
    CreatedVault(fixture: self, vault: try await create())
  }

  /// Writes another copy's database and anchor over this one's, at their place and inode.
  func putBack(_ image: VaultFixture) throws {
    for name in ["vault.db", "anchor"] {
      try overwrite(path + "/" + name, with: try image.data(name))
    }
  }
}

extension OpenVault {
  func ownLogID() throws -> LogID { try read { db in try CaseRow.find(db, nil).logID } }

  func succession(by key: borrowing SigningKey, role: Role) throws -> [UInt8] {
    let caseID = try read { db in try CaseRow.find(db, nil).caseID }
    let device = NewDevice()
    return Succession.sign(
      try device.card(role: role), in: caseID, with: key,
      and: SigningKey(seed: device.signingSeed))
  }

  /// So many for this device's own log, and one more for each of the keys that these certify.
  func forgedSuccessions(_ count: Int) throws -> (first: [[UInt8]], second: [[UInt8]]) {
    try read { db in
      let row = try CaseRow.find(db, nil)
      let own = try DeviceKeys.load(db, case: row.ref, keys: keys)
      var first: [[UInt8]] = []
      var second: [[UInt8]] = []
      for _ in 0..<count {
        let device = NewDevice()
        first.append(
          Succession.sign(
            try device.card(role: .survivor), in: row.caseID, with: own.signing,
            and: SigningKey(seed: device.signingSeed)))
        let next = NewDevice()
        second.append(
          Succession.sign(
            try next.card(role: .survivor), in: row.caseID,
            with: SigningKey(seed: device.signingSeed), and: SigningKey(seed: next.signingSeed)))
      }
      return (first, second)
    }
  }

  /// Four so small in order that hardly any other comes before them.
  func leastSuccessions() throws -> [[UInt8]] {
    try Array(ordered(forgedSuccessions(400).first).prefix(4).map(\.bytes))
  }

  func ordered(_ successions: [[UInt8]]) throws -> [Succession] {
    let caseID = try read { db in try CaseRow.find(db, nil).caseID }
    return try successions.map { try Succession(decoding: $0, caseID: caseID) }
      .sorted { $0.order < $1.order }
  }

  func accept(successions: [[UInt8]]) throws -> Bool {
    var replica = try ownReplica()
    return try replica.accept(successions: successions)
  }

  func heldSuccessions() throws -> [[UInt8]] { try ownReplica().successions() }

  private func ownReplica() throws -> VaultReplica {
    VaultReplica(
      row: try read { db in try CaseRow.find(db, nil) }, database: database, keys: keys,
      store: blobs, surroundings: surroundings)
  }
}
