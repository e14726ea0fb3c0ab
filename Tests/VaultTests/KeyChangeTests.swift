import CaseLog
import Cryptography
import Foundation
import People
import Support
import Testing

@testable import Vault

/// Row 47: what a change of passphrase, and of keys, ends; and that no crash within it loses anything.
@Suite struct KeyChangeTests {
  private let old = VaultFixture.passphrase
  private let new = "another passphrase by far"

  /// Closed, with words and a file too large for the database.
  private func vault(kit: borrowing RecoveryKit) async throws -> VaultFixture {
    let fixture = try VaultFixture()
    let vault = try await fixture.create(kit: kit)
    let path = try fixture.folder.file("shot.png", noise(100_000, seed: 7))
    let file = NewEntry(source: .file(path: path), content: EntryContent())
    _ = try await vault.add([words("kept"), file], toCase: nil)
    try await vault.close()
    return fixture
  }

  private func names(_ fixture: VaultFixture) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: fixture.path).sorted()
  }

  private func data(_ fixture: VaultFixture, _ name: String) throws -> Data {
    try Data(contentsOf: URL(filePath: fixture.path + "/" + name))
  }

  /// Whole, with both entries, sound, and nothing beside it that does not belong there.
  private func expectWhole(
    _ fixture: VaultFixture, _ vault: OpenVault, sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    #expect(await vault.standing == .sound, sourceLocation: sourceLocation)
    #expect(
      try await vault.entries(ofCase: nil).count == 2, sourceLocation: sourceLocation)
    let check = try await vault.check()
    // That the locks were put right at this opening is no damage.
    #expect(check.findings.filter(\.isDamage) == [], sourceLocation: sourceLocation)
    #expect(check.fileCount == 1, sourceLocation: sourceLocation)
    try await vault.close()
    let names = Set(try names(fixture))
    let own: Set =
      names.contains("vault.db") ? ["anchor", "vault.db"] : ["anchor-2", "vault-2.db"]
    #expect(
      names == own.union(["attempts", "blobs", "keys", "keys.bak"]), sourceLocation: sourceLocation)
    #expect(
      try data(fixture, "keys") == data(fixture, "keys.bak"), sourceLocation: sourceLocation)
  }

  @Test func `after a change the old passphrase fails, and the new one and the kit open`()
    async throws
  {
    let kit = try RecoveryKit.make()
    let fixture = try await vault(kit: kit)
    let before = try data(fixture, "vault.db")
    let opened = try fixture.open()
    try await opened.changePassphrase(to: try locked(new))
    try await opened.close()
    #expect(try data(fixture, "vault.db") == before)
    #expect(try refusal { try fixture.open(old) } == .wrongPassphrase)
    try await expectWhole(fixture, try fixture.open(new))
    try await expectWhole(fixture, try fixture.open(kit: kit))
  }

  @Test func `a lost passphrase is replaced by way of the kit`() async throws {
    let kit = try RecoveryKit.make()
    let fixture = try await vault(kit: kit)
    try FileManager.default.removeItem(atPath: fixture.path + "/keys")
    let opened = try fixture.open(kit: kit)
    #expect(await opened.locks == .madeAgain)
    try await opened.changePassphrase(to: try locked(new))
    try await opened.close()
    #expect(try refusal { try fixture.open(old) } == .wrongPassphrase)
    let again = try fixture.open(new)
    #expect(await again.locks == .whole)
    try await expectWhole(fixture, again)
  }

  @Test func `new keys shut out the old passphrase with the old locks too`() async throws {
    let kit = try RecoveryKit.make()
    let fixture = try await vault(kit: kit)
    let oldKeys = try data(fixture, "keys")
    let oldDatabase = try data(fixture, "vault.db")
    let opened = try fixture.open()
    try await opened.sealAnew(passphrase: try locked(new))
    try await opened.close()
    #expect(try refusal { try fixture.open(old) } == .wrongPassphrase)
    try await expectWhole(fixture, try fixture.open(new))
    try await expectWhole(fixture, try fixture.open(kit: kit))
    let newKeys = try data(fixture, "keys")
    let newDatabase = try data(fixture, "vault-2.db")

    // The old locks in both places, in the first, and in the first beside a database of the old name.
    func put(_ bytes: Data, _ name: String) throws {
      try bytes.write(to: URL(filePath: fixture.path + "/" + name))
    }
    try put(oldKeys, "keys")
    #expect(try refusal { try fixture.open(old) } == .keysSuperseded)
    #expect(try data(fixture, "keys.bak") == newKeys)
    try put(oldKeys, "keys.bak")
    #expect(try refusal { try fixture.open(old) } == .keysOutdated)
    #expect(try refusal { try fixture.open(kit: kit) } == .keysOutdated)
    try put(newDatabase, "vault.db")
    #expect(try refusal { try fixture.open(old) } == .databaseOfAnother)
    // Where even the old database was put back, the newer one is not taken for rubbish.
    try put(oldDatabase, "vault.db")
    let older = try fixture.open(old)
    #expect(await older.standing == .copied)
    try await older.close()
    #expect(try data(fixture, "vault-2.db") == newDatabase)

    try put(newKeys, "keys.bak")
    // Nothing is written to the old one while newer locks are there.
    let before = try fixture.folder.allFiles()
    #expect(try refusal { try fixture.open(old) } == .keysSuperseded)
    #expect(try fixture.folder.allFiles() == before)
    let again = try fixture.open(new)
    #expect(await again.locks == .differed)
    #expect(try await again.check().findings == [.locks(.differed), .otherDatabase])
    try await again.close()
    #expect(try data(fixture, "keys") == newKeys)
    #expect(try data(fixture, "vault.db") == oldDatabase)

    // The other way round: old second locks and an old database do not win over the locks in force.
    try put(oldKeys, "keys.bak")
    #expect(try refusal { try fixture.open(old) } == .keysSuperseded)
    #expect(try data(fixture, "keys") == newKeys)
    let last = try fixture.open(new)
    #expect(await last.standing == .sound)
    try await last.close()
    #expect(try data(fixture, "keys.bak") == newKeys)
  }

  /// A backup of before new keys, copied over the vault, and made a vault of its own as the screen advises.
  @Test func `an older vault copied over a newer one never costs the newer one`() async throws {
    let kit = try RecoveryKit.make()
    let fixture = try await vault(kit: kit)
    let backup = try fixture.copied(to: "backup")
    let vault = try fixture.open()
    try await vault.sealAnew(passphrase: try locked(new))
    try await vault.close()
    let newer = try fixture.open(new)
    _ = try await newer.add([words("later")], toCase: nil)
    try await newer.close()
    let newKeys = try data(fixture, "keys")
    for name in ["keys", "keys.bak", "vault.db", "anchor"] {
      try data(backup, name).write(to: URL(filePath: fixture.path + "/" + name))
    }
    var older = try fixture.open(old)
    _ = try await older.renew()
    #expect(await older.standing == .sound)
    try await older.close()
    let newest = try data(fixture, "vault-2.db")
    for _ in 0..<2 {
      older = try fixture.open(old)
      #expect(await older.standing == .sound)
      try await older.close()
      #expect(try data(fixture, "vault-2.db") == newest)
    }
    // Nor does sealing the older one anew: what bears the name is put aside.
    older = try fixture.open(old)
    try await older.sealAnew(passphrase: try locked("a third one"))
    try await older.close()
    let aside = try #require(try names(fixture).first { $0.hasPrefix("aside-") })
    #expect(try data(fixture, aside + "/vault-2.db") == newest)
    #expect(try data(fixture, aside + "/anchor-2").count > 0)
    // Nobody is left to think that old locks open nothing of it.
    let looked = try fixture.open(kit: kit)
    #expect(try await looked.check(.quick).findings.contains(.otherDatabase))
    try await looked.close()
    // With its locks it is a vault again.
    let found = try VaultFixture()
    try FileManager.default.copyItem(
      atPath: fixture.path + "/" + aside, toPath: found.path)
    try FileManager.default.copyItem(
      atPath: fixture.path + "/blobs", toPath: found.path + "/blobs")
    try newKeys.write(to: URL(filePath: found.path + "/keys"))
    let saved = try found.open(new)
    #expect(try await saved.entries(ofCase: nil).count == 3)
    try await saved.close()
  }

  @Test func `sealing anew that fails before it began leaves all files as they are`() async throws {
    let fixture = try await vault(kit: try RecoveryKit.make())
    let other = try await vault(kit: try RecoveryKit.make())
    let vault = try fixture.open()
    try data(other, "vault.db").write(to: URL(filePath: fixture.path + "/vault-2.db"))
    // Locks that came meanwhile.
    let newer = resealed(try fixture.data("keys")) { $0[55] = 3 }
    try Data(newer).write(to: URL(filePath: fixture.path + "/keys.bak"))
    let before = try fixture.folder.allFiles()
    await #expect(throws: VaultError(.keysSuperseded)) {
      try await vault.sealAnew(passphrase: try locked(new))
    }
    #expect(try fixture.folder.allFiles() == before)
    try await vault.close()
  }

  @Test func `of two copies of one generation the one that was changed last wins`() async throws {
    let kit = try RecoveryKit.make()
    let fixture = try await vault(kit: kit)
    let oldKeys = try data(fixture, "keys")
    let vault = try fixture.open()
    try await vault.changePassphrase(to: try locked(new))
    try await vault.close()
    let newKeys = try data(fixture, "keys")
    for (older, newer) in [("keys", "keys.bak"), ("keys.bak", "keys")] {
      try oldKeys.write(to: URL(filePath: fixture.path + "/" + older))
      #expect(try refusal { try fixture.open(old) } == .keysSuperseded)
      #expect(try data(fixture, newer) == newKeys)
      // The kit does not tell which of them is the right one.
      let byKit = try fixture.open(kit: kit)
      #expect(await byKit.locks == .differed)
      try await byKit.close()
      #expect(try data(fixture, older) == oldKeys)
      try await expectWhole(fixture, try fixture.open(new))
      #expect(try data(fixture, older) == newKeys)
      #expect(try refusal { try fixture.open(old) } == .wrongPassphrase)
    }
  }

  @Test func `something in the way of what is swept keeps nobody out`() async throws {
    let fixture = try await vault(kit: try RecoveryKit.make())
    for name in ["anchor-2", "vault-2.db", "vault-2.db.new", "keys.new"] {
      try FileManager.default.createDirectory(
        atPath: fixture.path + "/" + name, withIntermediateDirectories: false)
    }
    for _ in 0..<2 {
      let vault = try fixture.open()
      #expect(await vault.standing == .sound)
      try await vault.close()
    }
  }

  @Test func `the kit takes no cost for new locks from a file that anybody can write`()
    async throws
  {
    let kit = try RecoveryKit.make()
    let fixture = try await vault(kit: kit)
    let cheap = resealed(try fixture.data("keys")) { $0[19] = 1 }
    for name in ["keys", "keys.bak"] {
      try Data(cheap).write(to: URL(filePath: fixture.path + "/" + name))
    }
    let vault = try fixture.open(kit: kit)
    #expect(await vault.cost == .light)
    try await vault.changePassphrase(to: try locked(new))
    try await vault.close()
    #expect(try KeysFile(decoding: [UInt8](try data(fixture, "keys"))).cost == .light)
    try await expectWhole(fixture, try fixture.open(new))
  }

  @Test func `what comes after new keys goes on as before`() async throws {
    let shared = try await SharedCase(before: [words("one")])
    let before = try await shared.hers.kitCheck()
    try await shared.hers.sealAnew(passphrase: try locked(new))
    try await shared.hers.close()
    let survivor = shared.survivor
    var vault = try survivor.open(new)
    #expect(try await vault.kitCheck() == before)
    // What is held already is still known.
    let again = try await vault.add(
      [words("one")], toCase: nil, options: AddOptions(skipsHeld: true))
    #expect(again.saved.isEmpty && again.held.count == 1)
    _ = try await vault.add([words("two")], toCase: nil)
    _ = try await vault.sync(caseNamed: nil, mailbox: shared.mailbox.path)
    try await shared.syncAdvocate()
    #expect(try await shared.theirs.entries(ofCase: "theirs").count == 2)
    // And once more, back to the first names.
    try await vault.sealAnew(passphrase: try locked(old))
    try await vault.close()
    #expect(try names(survivor).filter { $0.contains("-2") } == [])
    vault = try survivor.open(old)
    let more = try await vault.add(
      [words("one"), words("two"), words("three")], toCase: nil,
      options: AddOptions(skipsHeld: true))
    #expect(more.saved.count == 1 && more.held.count == 2)
    #expect(try await vault.check().findings == [])
    try await vault.close()
  }

  @Test(arguments: KeyChangeStep.allCases, [true, false])
  func `a stop after any step leaves one vault that opens, whole`(
    step: KeyChangeStep, oldFirst: Bool
  ) async throws {
    let fixture = try await vault(kit: try RecoveryKit.make())
    let stopped = try fixture.open()
    try await stopped.stop(after: step, of: .newKeys, to: new)
    try await stopped.close()
    let order = oldFirst ? [old, new] : [new, old]
    let opens = try order.first { passphrase in try refusal { try fixture.open(passphrase) } == nil
    }
    let right = try #require(opens)
    let wrong = right == old ? new : old
    #expect(try refusal { try fixture.open(wrong) } == .wrongPassphrase)
    try await expectWhole(fixture, try fixture.open(right))
    switch step {
    case .databaseCopied, .secretsSealed, .databaseVerified, .anchorWritten, .databaseNamed:
      #expect(right == old)
    case .keysReplaced: #expect(right == order[0])
    case .secondKeysReplaced, .oldRemoved: #expect(right == new)
    }
  }

  @Test(arguments: [true, false])
  func `a stop between the two copies of the locks leaves either passphrase`(
    oldFirst: Bool
  ) async throws {
    let fixture = try await vault(kit: try RecoveryKit.make())
    let stopped = try fixture.open()
    try await stopped.stop(after: .keysReplaced, of: .passphrase, to: new)
    try await stopped.close()
    #expect(try data(fixture, "keys") != data(fixture, "keys.bak"))
    let order = oldFirst ? [old, new] : [new, old]
    try await expectWhole(fixture, try fixture.open(order[0]))
    #expect(try refusal { try fixture.open(order[1]) } == .wrongPassphrase)
  }

  @Test func `a damaged first copy between two generations leaves one vault`() async throws {
    let fixture = try await vault(kit: try RecoveryKit.make())
    let stopped = try fixture.open()
    try await stopped.stop(after: .keysReplaced, of: .newKeys, to: new)
    try await stopped.close()
    let newKeys = try data(fixture, "keys")
    var damaged = newKeys
    damaged[100] ^= 1
    try damaged.write(to: URL(filePath: fixture.path + "/keys"))
    #expect(try refusal { try fixture.open(new) } == .wrongPassphrase)
    try await expectWhole(fixture, try fixture.open(old))
    // With the second copy gone instead, the first names a database that was never put in force.
    #expect(try refusal { try fixture.open(new) } == .wrongPassphrase)
  }

  @Test func `a copy that takes a new passphrase or new keys is still a copy`() async throws {
    for hasAnchor in [true, false] {
      let fixture = try await vault(kit: try RecoveryKit.make())
      let copy = try VaultFixture()
      try FileManager.default.copyItem(atPath: fixture.path, toPath: copy.path)
      if !hasAnchor { try FileManager.default.removeItem(atPath: copy.path + "/anchor") }
      var opened = try copy.open()
      #expect(await opened.standing == .copied)
      try await opened.sealAnew(passphrase: try locked(new))
      try await opened.close()
      opened = try copy.open(new)
      #expect(await opened.standing == .copied)
      await #expect(throws: VaultError(.copied)) {
        try await opened.add([words("no")], toCase: nil)
      }
      _ = try await opened.renew()
      #expect(await opened.standing == .sound)
      _ = try await opened.add([words("yes")], toCase: nil)
      try await opened.close()
      let settled = try copy.open(new)
      #expect(await settled.standing == .sound)
      try await settled.close()
    }
  }

  @Test func `a vault that was put back stays one after new keys`() async throws {
    let fixture = try await vault(kit: try RecoveryKit.make())
    let older = try data(fixture, "vault.db")
    let vault = try fixture.open()
    _ = try await vault.add([words("later")], toCase: nil)
    try await vault.close()
    try fixture.putBack(older)
    let again = try fixture.open()
    #expect(await again.standing == .rolledBack)
    try await again.sealAnew(passphrase: try locked(new))
    try await again.close()
    let renewed = try fixture.open(new)
    #expect(await renewed.standing == .rolledBack)
    try await renewed.close()
  }

  @Test func `whoever stops the copying keeps the vault as it was, and nothing beside it`()
    async throws
  {
    let fixture = try await vault(kit: try RecoveryKit.make())
    let before = try names(fixture)
    let vault = try fixture.open()
    await #expect(throws: VaultError(.cancelled)) {
      try await vault.sealAnew(passphrase: try locked(new)) { (_, _) throws(VaultError) in
        throw VaultError(.cancelled)
      }
    }
    try await vault.close()
    #expect(try names(fixture) == before)
    try await expectWhole(fixture, try fixture.open(old))
  }
}

extension OpenVault {
  enum Change { case passphrase, newKeys }

  /// Changes up to a step, as a crash after it leaves the files.
  func stop(after last: KeyChangeStep, of change: Change, to passphrase: String) throws {
    let stop: AfterStep = { (step) throws(VaultError) in
      if step == last { throw VaultError(.cancelled) }
    }
    #expect(throws: VaultError(.cancelled)) {
      switch change {
      case .passphrase:
        try changePassphrase(to: try locked(passphrase), afterStep: stop)
      case .newKeys:
        try sealAnew(
          passphrase: try locked(passphrase), onBytes: { (_, _) throws(VaultError) in },
          afterStep: stop)
      }
    }
  }
}
