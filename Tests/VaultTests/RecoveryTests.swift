import CaseLog
import Cryptography
import Foundation
import GRDB
import Support
import Testing
import VerifiableLog

@testable import Vault

@Suite struct RecoveryTests {
  @Test func `a smashed device: the advocate's copy brings everything back`() async throws {
    let survivor = try await SurvivorWithKit([words("one")])
    let picture = noise(300_000, seed: 3)
    let file = try survivor.device.folder.file("shot.png", picture)
    _ = try await survivor.vault.add(
      [NewEntry(source: .file(path: file), content: EntryContent())], toCase: nil)
    let (_, theirs) = try await survivor.admitAdvocate()
    try await survivor.vault.meet(survivor.shared)
    try await theirs.meet(survivor.shared)
    _ = try await theirs.add([words("a note")], toCase: "theirs")
    // The device is gone, and so is the folder: the advocate syncs into a new one.
    try await survivor.vault.close()
    let fresh = try TemporaryFolder()
    try await theirs.meet(fresh)

    let (_, back) = try await survivor.recover("new", from: fresh)
    let outcome = try await back.meet(fresh)
    #expect(outcome.problems == [])
    #expect(outcome.filesAwaited == 0)
    #expect(try await back.texts() == ["one", "a note"])
    let held = try await back.entries(ofCase: nil)
    #expect(held.count == 3)
    let id = try #require(held.first { !($0.content?.attachments.isEmpty ?? true) }?.id)
    let output = survivor.device.folder.path + "/out"
    _ = try await back.extract(id.base32, to: output)
    #expect([UInt8](try Data(contentsOf: URL(filePath: output + "/shot.png"))) == picture)

    // The new device is a survivor's: what it adds reaches the advocate, and so does an admission by it.
    _ = try await back.add([words("after")], toCase: nil)
    try await back.meet(fresh)
    try await theirs.meet(fresh)
    #expect(try await theirs.texts().contains("after"))
    try await back.meet(fresh)
    #expect(try await back.hash() == theirs.hash())
  }

  @Test func `where others meet, what is shared with nobody is a leaf; the own folder has it all`()
    async throws
  {
    let survivor = try await SurvivorWithKit([words("private")])
    let picture = noise(200_000, seed: 5)
    let file = try survivor.device.folder.file("shot.png", picture)
    _ = try await survivor.vault.add(
      [NewEntry(source: .file(path: file), content: EntryContent())], toCase: nil)
    try await survivor.vault.meet(survivor.shared)
    let before = try survivor.shared.allFiles()
    #expect(!before.keys.contains { $0.contains("/b-") })
    let (_, second) = try await survivor.recover("second")
    try await second.meet(survivor.shared)
    #expect(try await second.texts() == [])
    #expect(try await second.recoveryStanding(ofCase: nil).entriesLacking == 2)

    // The first device meets the second where nobody else is; what is known as leaves is filled in.
    try await survivor.vault.meet(survivor.shared)
    try await survivor.vault.meet(survivor.own, own: true)
    let outcome = try await second.meet(survivor.own, own: true)
    #expect(outcome.problems == [])
    #expect(outcome.filesReceived == 1)
    #expect(try await second.texts() == ["private"])
    #expect(try await second.recoveryStanding(ofCase: nil).entriesLacking == 0)

    // And the second carries none of it to where others meet.
    let elsewhere = try TemporaryFolder()
    try await second.meet(elsewhere)
    let ranges = try elsewhere.allFiles().values.map(\.count).reduce(0, +)
    #expect(ranges < 20_000)
    let (_, third) = try await survivor.recover("third", from: elsewhere)
    try await third.meet(elsewhere)
    #expect(try await third.texts() == [])
  }

  /// A stick that goes from one to the next: the first and the last never meet.
  @Test func `a stick carries everything from a device to a device to a device`() async throws {
    let survivor = try await SurvivorWithKit([words("one")])
    try await survivor.vault.meet(survivor.shared)
    let (_, second) = try await survivor.recover("second")
    try await second.meet(survivor.shared)
    try await survivor.vault.meet(survivor.shared)
    try await survivor.vault.meet(survivor.own, own: true)

    // The second has the leaves of the first, and none of its content, when the next stick is made.
    let next = try TemporaryFolder()
    try await second.meet(next, own: true)
    try await second.meet(survivor.own, own: true)
    _ = try await second.add([words("two")], toCase: nil)
    try await second.meet(next, own: true)
    let (_, third) = try await survivor.recover("third", from: next)
    try await third.meet(next, own: true)
    #expect(try await third.texts() == ["one", "two"])
    _ = try await third.add([words("three")], toCase: nil)
    try await third.meet(next, own: true)
    try await second.meet(next, own: true)
    try await second.meet(survivor.own, own: true)
    try await survivor.vault.meet(survivor.own, own: true)
    #expect(try await survivor.vault.texts() == ["one", "two", "three"])
    try await second.meet(survivor.own, own: true)
    try await second.meet(next, own: true)
    try await third.meet(next, own: true)
    #expect(try await Set([survivor.vault.hash(), second.hash(), third.hash()]).count == 1)
  }

  @Test func `a slot that anybody could have made up publishes nothing`() async throws {
    let survivor = try await SurvivorWithKit([words("private")])
    try await survivor.vault.forgeSlots()
    try await survivor.vault.meet(survivor.shared)
    let (_, second) = try await survivor.recover("second")
    try await second.meet(survivor.shared)
    #expect(try await second.ciphertextCount() == 0)
    // The same of another device's entry, which it holds and could pass on.
    try await survivor.vault.meet(survivor.own, own: true)
    try await second.meet(survivor.own, own: true)
    #expect(try await second.ciphertextCount() == 1)
    try await second.forgeSlots()
    let elsewhere = try TemporaryFolder()
    try await second.meet(elsewhere)
    let (_, third) = try await survivor.recover("third", from: elsewhere)
    try await third.meet(elsewhere)
    #expect(try await third.ciphertextCount() == 0)
  }

  @Test func `the own folder and the shared one are not mistaken for each other`() async throws {
    let survivor = try await SurvivorWithKit([words("one")])
    let (_, theirs) = try await survivor.admitAdvocate()
    try await survivor.vault.meet(survivor.shared)
    try await theirs.meet(survivor.shared)
    await #expect(throws: VaultError(.notAllowed)) {
      try await theirs.meet(survivor.own, own: true)
    }
    await #expect(throws: VaultError(.mailboxOfOthers)) {
      try await survivor.vault.meet(survivor.shared, own: true)
    }
    try await survivor.vault.meet(survivor.own, own: true)
    await #expect(throws: VaultError(.mailboxOfOwnDevices)) {
      try await survivor.vault.meet(survivor.own)
    }
    // A folder where an advocate has been is not for devices alone, whatever is remembered here.
    let strange = try TemporaryFolder()
    try await theirs.meet(strange)
    await #expect(throws: VaultError(.mailboxOfOthers)) {
      try await survivor.vault.meet(strange, own: true)
    }
    // Both are remembered, and one that is not there keeps nobody from the other.
    let both = try await survivor.vault.sync(caseNamed: nil, mailbox: nil)
    #expect(both.problems == [])
    try FileManager.default.removeItem(atPath: survivor.own.path)
    let one = try await survivor.vault.sync(caseNamed: nil, mailbox: nil)
    #expect(one.problems == [.unreachable(.ownDevices)])
  }

  @Test func `what is no case, or not this kit's, is told, and nothing is made`() async throws {
    let survivor = try await SurvivorWithKit([words("one")])
    let kit = try survivor.kit()
    #expect(throws: VaultError(.mailboxEmpty)) {
      try OpenVault.findCase(in: survivor.shared.path, kit: kit)
    }
    #expect(throws: VaultError(.mailboxUnreachable)) {
      try OpenVault.findCase(in: survivor.shared.path + "/none", kit: kit)
    }
    try await survivor.vault.meet(survivor.shared)
    #expect(throws: VaultError(.kitMismatch)) {
      try OpenVault.findCase(in: survivor.shared.path, kit: try RecoveryKit.make())
    }
    let name = try #require(try survivor.shared.allFiles().keys.first { $0.hasSuffix("/head") })
    let path = survivor.shared.path + "/" + name
    let whole = try Data(contentsOf: URL(filePath: path))
    for bad in [whole.prefix(90), Data(), Data(count: 5000), whole.dropFirst(1)] {
      try Data(bad).write(to: URL(filePath: path))
      #expect(throws: VaultError(.mailboxDamaged)) {
        try OpenVault.findCase(in: survivor.shared.path, kit: kit)
      }
    }
    try whole.write(to: URL(filePath: path))
    let found = try OpenVault.findCase(in: survivor.shared.path, kit: kit)
    await #expect(throws: VaultError(.caseHeldAlready)) {
      try await survivor.vault.recover(found, kit: kit, named: "again")
    }
    let other = try await survivor.fixture("other").create()
    await #expect(throws: VaultError(.caseExists)) {
      try await other.recover(found, kit: kit, named: "default")
    }
    try await other.recover(found, kit: kit, named: "hers")
    await #expect(throws: VaultError(.caseHeldAlready)) {
      try await other.recover(found, kit: kit, named: "hers too")
    }
    #expect(try await other.cases().map(\.name) == ["default", "hers"])
  }

  /// The keys come with the device's admission, so what comes later needs no kit.
  @Test func `an exchange that was stopped goes on without the kit`() async throws {
    let survivor = try await SurvivorWithKit([words("one")])
    try await survivor.vault.meet(survivor.own, own: true)
    let (_, back) = try await survivor.recover("new", from: survivor.own)
    let code = await back.syncStopping(after: 2, caseNamed: "default", mailbox: nil)
    #expect(code == .cancelled)
    try await back.meet(survivor.own, own: true)
    #expect(try await back.texts() == ["one"])
  }

  /// Anybody who can write into the folder can leave wraps there that open nothing.
  @Test func `wraps that open nothing keep the kit from nothing`() async throws {
    let survivor = try await SurvivorWithKit([words("one")])
    try await survivor.vault.meet(survivor.own, own: true)
    let epochs = try await survivor.vault.epochCount()
    try await survivor.vault.forgeKitWraps(Limits.epochs * 2 + 10)
    try await survivor.vault.meet(survivor.own, own: true)
    let found = try OpenVault.findCase(in: survivor.own.path, kit: try survivor.kit())
    #expect(Set(found.wraps.map(\.epoch)).count == epochs)
    let (_, back) = try await survivor.recover("new", from: survivor.own)
    try await back.meet(survivor.own, own: true)
    #expect(try await back.texts() == ["one"])
  }

  @Test func `of what the kit opens, no epoch and no folder crowds out another`() throws {
    let kit = try RecoveryKit.make().keyPair()
    func wrap(_ epoch: EpochID) throws -> [UInt8] {
      Wrap(
        epoch: epoch, recipient: nil, box: try SealedBox.seal(SecretKey.random(), to: kit.publicKey)
      ).encoded
    }
    let (first, second) = (
      EpochID(Bytes32(noise(32, seed: 1))!), EpochID(Bytes32(noise(32, seed: 2))!)
    )
    let many = try (0..<20).map { _ in try wrap(first) }
    let chosen = KitWraps.select([many + [try wrap(second)], [try wrap(second)]], with: kit)
    #expect(chosen.count { $0.epoch == first } == WrapLimits.ofEpochToKit)
    #expect(chosen[1].epoch == second)
    #expect(chosen.count { $0.epoch == second } == 2)
  }

  @Test func `a case of its own kit is wrapped to that kit in whatever vault`() async throws {
    let survivor = try await SurvivorWithKit([words("one")])
    try await survivor.vault.meet(survivor.own, own: true)
    // Another vault, of another kit, takes the case in and admits an advocate.
    let other = try await survivor.fixture("other").create()
    let kit = try survivor.kit()
    let found = try OpenVault.findCase(in: survivor.own.path, kit: kit)
    try await other.recover(found, kit: kit, named: "hers")
    _ = try await other.sync(caseNamed: "hers", mailbox: survivor.own.path, audience: .ownDevices)
    let theirs = try await survivor.fixture("advocate").create()
    let card = try await theirs.makeCard()
    _ = try await other.share(caseNamed: "hers", with: card.text, words: card.words)
    _ = try await other.add([words("two")], toCase: "hers")
    _ = try await other.sync(caseNamed: "hers", mailbox: nil)
    let (_, back) = try await survivor.recover("back", from: survivor.own)
    try await back.meet(survivor.own, own: true)
    #expect(try await back.texts() == ["one", "two"])
    #expect(try await back.epochCount() == 3)
  }
}

extension OpenVault {
  /// Puts slots on every entry, for the epoch of everyone: one that opens nothing, and one with another key.
  func forgeSlots() throws {
    try database.queue.write { db in
      let row = try CaseRow.find(db, nil)
      let epochs = try LoadedEpoch.all(db, of: row, keys: keys)
      guard let everyone = epochs.first(where: { $0.key.audience == .everyone }) else { return }
      let leaves = try Row.fetchAll(
        db,
        sql: """
          SELECT l.id, l.data, g.log_id FROM leaf l JOIN log g ON g.id = l.log_ref WHERE l.class <> 1
          """)
      for record in leaves {
        let leaf = try LeafData(parsing: record.bytes("data"))
        let forged = everyone.key.slot(
          for: SecretKey.random(), leaf: leaf, logID: try record.identifier("log_id"))
        for box in [forged.box, Randomness.bytes(48)] {
          try db.execute(
            sql: "INSERT INTO slot(leaf_ref, epoch, box, is_valid) VALUES (?, ?, ?, 0)",
            arguments: [record["id"] as Int64, everyone.key.id.bytes.data, box.data])
        }
      }
    }
  }

  /// Wraps for the kit that nothing opens, of epochs that there are not; the least ids of all come first.
  func forgeKitWraps(_ count: Int) throws {
    try database.queue.write { db in
      let row = try CaseRow.find(db, nil)
      for _ in 0..<count {
        let epoch = EpochID(Bytes32([0, 0] + Randomness.bytes(30))!)
        let wrap = Wrap(epoch: epoch, recipient: nil, box: Randomness.bytes(Wrap.byteCount))
        try db.execute(
          sql: "INSERT INTO wrap(case_ref, epoch, bytes) VALUES (?, ?, ?)",
          arguments: [row.ref, epoch.bytes.data, wrap.encoded.data])
      }
    }
  }

  func ciphertextCount() throws -> Int {
    try read { db in
      try Int.fetchOne(
        db, sql: "SELECT count(*) FROM leaf WHERE class <> 1 AND ciphertext IS NOT NULL") ?? -1
    }
  }

  func epochCount() throws -> Int {
    try read { db in try Int.fetchOne(db, sql: "SELECT count(*) FROM epoch") ?? -1 }
  }
}
