import CaseLog
import Cryptography
import Foundation
import GRDB
import Support
import Testing
import VerifiableLog

@testable import Vault

/// A survivor with two devices, two advocates, and the folder between them.
private struct Household {
  let circle: Circle
  let fixture: VaultFixture
  let phone: OpenVault
  let firstLog: LogID
  let phoneLog: LogID

  init() async throws {
    let kit = try RecoveryKit.make()
    let circle = try await Circle(kit: kit)
    let fixture = try VaultFixture(machine: "phone")
    let phone = try await fixture.create()
    phoneLog = try await phone.becomeDevice(of: circle.hers, kit: kit)
    (self.circle, self.fixture, self.phone) = (circle, fixture, phone)
    firstLog = try #require(
      try await circle.hers.members(ofCase: nil).members.first { $0.isOwn }?.logID)
    try await syncDevices()
  }

  func sync(_ vault: OpenVault) async throws {
    _ = try await vault.sync(
      caseNamed: vault === phone ? "hers" : vault === circle.hers ? nil : "theirs",
      mailbox: circle.mailbox.path)
  }

  func syncDevices(_ others: [OpenVault] = []) async throws {
    for _ in 0..<3 { for vault in [circle.hers, phone] + others { try await sync(vault) } }
  }

  /// What stands in the heads behind `hello`, of all devices but some.
  func heads(without log: LogID? = nil) throws -> Set<[UInt8]> {
    let heads = try circle.mailbox.allFiles().filter { name, _ in
      name.hasSuffix("/head") && log.map { !name.contains($0.base32) } ?? true
    }
    return Set(heads.values.map { Array($0.dropFirst(78)) })
  }

  func states(_ others: [OpenVault]) async throws -> Int {
    var states: Set<Bytes32> = [
      try await circle.hers.stateHash(ofCase: nil), try await phone.stateHash(ofCase: "hers"),
    ]
    for vault in others { states.insert(try await vault.stateHash(ofCase: "theirs")) }
    return states.count
  }
}

@Suite struct SeveralDevicesTests {
  @Test func `a further device is given the keys, and both may share and write`() async throws {
    let house = try await Household()
    let private1 = try await house.circle.add("private")
    try await house.circle.admit(house.circle.anna, "Anna")
    try await house.syncDevices([house.circle.anna])
    let seen = try await house.phone.entry(private1.base32)
    #expect(seen.summary.standing == .open)
    // A device that knows who can open what: slots of others are proven, not believed.
    #expect(
      try await house.phone.readers(ofEntry: private1.base32).map(\.role).sorted {
        $0.rawValue < $1.rawValue
      } == [.survivor, .advocate])
    _ = try await house.phone.add([words("from the phone")], toCase: "hers")
    try await house.syncDevices([house.circle.anna])
    #expect(try await house.circle.seen(by: house.circle.anna) == ["private", "from the phone"])
    #expect(try await house.states([house.circle.anna]) == 1)
  }

  /// By the summary of a head an exchange sees that nothing in it is new: so what all hold must be said in the same
  /// bytes, also the keys that each of several devices wrapped for somebody.
  @Test func `who holds the same says the same`() async throws {
    let house = try await Household()
    let circle = house.circle
    try await circle.add("one")
    try await circle.admit(circle.anna, "Anna")
    try await house.syncDevices([circle.anna])
    let bea = try await circle.admit(circle.bea, "Bea").member
    // What is still locked would be read again each time.
    try await house.syncDevices([circle.anna, circle.bea])
    _ = try await house.phone.add([words("two")], toCase: "hers")
    try await house.syncDevices([circle.anna, circle.bea])
    #expect(try house.heads().count == 1)
    for (vault, name) in [
      (circle.hers, nil), (house.phone, "hers"), (circle.anna, "theirs"), (circle.bea, "theirs"),
    ] {
      let outcome = try await vault.sync(caseNamed: name, mailbox: circle.mailbox.path)
      #expect(outcome.bytesWritten == 0 && outcome.problems == [])
      #expect(outcome.bytesRead < 3 * 39 + 117 + 100, "\(outcome.bytesRead)")
    }
    _ = try await circle.hers.remove(bea.base32, fromCase: nil)
    try await circle.add("three")
    try await house.syncDevices([circle.anna])
    #expect(try house.heads(without: bea).count == 1)
  }

  /// Both remove another advocate at the same time, and neither's new key may be used after they met.
  @Test(arguments: [true, false])
  func `removals on two devices converge, in either order`(phoneFirst: Bool) async throws {
    let house = try await Household()
    let circle = house.circle
    let anna = try await circle.admit(circle.anna, "Anna").member
    let bea = try await circle.admit(circle.bea, "Bea").member
    try await circle.add("early")
    try await house.syncDevices([circle.anna, circle.bea])
    _ = try await circle.hers.remove(anna.base32, fromCase: nil)
    _ = try await house.phone.remove(bea.base32, fromCase: "hers")
    let order = phoneFirst ? [house.phone, circle.hers] : [circle.hers, house.phone]
    for _ in 0..<3 { for vault in order { try await house.sync(vault) } }
    #expect(try await house.states([]) == 1)
    for vault in order {
      let members = try await vault.members(ofCase: vault === house.phone ? "hers" : nil).members
      for id in [anna, bea] {
        #expect(members.first { $0.logID == id }?.standing == .removed(0))
      }
    }
    try await circle.add("late")
    _ = try await house.phone.add([words("late too")], toCase: "hers")
    try await house.syncDevices([circle.anna, circle.bea])
    #expect(try await house.states([]) == 1)
    for vault in [circle.anna, circle.bea] {
      #expect(try await circle.seen(by: vault) == ["early"])
    }
  }

  @Test func `a device that was removed opens nothing new, and the advocate goes on`() async throws
  {
    let house = try await Household()
    let circle = house.circle
    try await circle.admit(circle.anna, "Anna")
    try await house.syncDevices([circle.anna])
    _ = try await circle.hers.remove(house.phoneLog.base32, fromCase: nil)
    let late = try await circle.add("late")
    let secret = try await circle.add("private", for: .ownDevices)
    try await house.syncDevices([circle.anna])
    for id in [late, secret] {
      #expect(try await house.phone.entry(id.base32).summary.standing == .locked)
    }
    let refused = try await house.phone.add([words("from the phone")], toCase: "hers")
    #expect(refused.failure?.error == VaultError(.removed, role: .survivor))
    await #expect(throws: VaultError(.removed, role: .survivor)) {
      try await house.phone.remove(house.firstLog.base32, fromCase: "hers")
    }
    _ = try await circle.anna.add([words("hers")], toCase: "theirs")
    try await house.syncDevices([circle.anna])
    #expect(try await circle.seen(by: circle.anna) == ["late", "hers"])
    let hers = try await circle.hers.entries(ofCase: nil)
    #expect(hers.allSatisfy { $0.standing == .open })
  }
}

extension OpenVault {
  /// Makes this vault another device of the survivor's, as `Protocol/CaseLog.md`, "Further devices of the
  /// survivor", has it; what the case holds comes by sync. The case is called "hers" here.
  func becomeDevice(of other: OpenVault, kit: borrowing RecoveryKit) async throws -> LogID {
    let (root, founding) = try await other.founding()
    guard case .founding(_, let founder, let sealed) = founding.content else {
      throw VaultError(.databaseDamaged)
    }
    let seed = try SealedBox.openKey(sealed, with: try kit.keyPair())
    let caseID = CaseID(root: root)
    let device = NewDevice()
    let card = try device.card(role: .survivor)
    let admission = RootStatement.admit(card, root: SigningKey(seed: seed))
    try await other.accept(admission)
    return try commit { db in
      let logID = card.logID(in: caseID)
      try db.execute(
        sql: """
          INSERT INTO vault_case(case_id, name, is_default, root, role, card, log_id,
            signing_seed, receipt_seed, box_seed, kit) VALUES (?, 'hers', 0, ?, 1, ?, ?, ?, ?, ?, ?)
          """,
        arguments: [
          caseID.bytes.data, root.bytes.data, card.bytes.data, logID.bytes.data,
          keys.seal(device.signingSeed).data, keys.seal(device.receiptSeed).data,
          keys.seal(device.boxSeed).data, try kit.keyPair().publicKey.raw.bytes.data,
        ])
      let ref = db.lastInsertedRowID
      for bytes in [founding.bytes, admission] {
        try db.execute(
          sql: "INSERT INTO statement(case_ref, bytes) VALUES (?, ?)", arguments: [ref, bytes.data])
      }
      for card in [card, founder] {
        try LogTable.addLog(db, case: ref, logID: card.logID(in: caseID), key: card.signingKey)
      }
      return logID
    }
  }

  /// Takes a statement as an exchange does.
  fileprivate func accept(_ statement: [UInt8]) throws {
    var replica = VaultReplica(
      row: try read { db in try CaseRow.find(db, nil) }, database: database, keys: keys,
      store: blobs, surroundings: surroundings)
    _ = try replica.accept(statements: [statement])
  }

  fileprivate func founding() throws -> (VerifyingKey, RootStatement) {
    try read { db in
      let row = try CaseRow.find(db, nil)
      return (row.root, try CaseView.statements(db, of: row)[0])
    }
  }
}
