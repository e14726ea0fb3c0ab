import CaseLog
import Cryptography
import Foundation
import GRDB
import SealedBundle
import Support
import Sync
import Testing
import VerifiableLog

@testable import Vault

/// What honest devices can open stays openable to those that lack the key, also where the epoch has lost its power.
@Suite struct HandedKeysTests {
  /// A tablet that its owner's phone removed wrongly, and a laptop that came later and says so with the kit.
  private struct Dispute {
    let survivor: SurvivorWithKit
    let phone: OpenVault
    let tablet: OpenVault
    let laptop: OpenVault

    init() async throws {
      survivor = try await SurvivorWithKit([words("one")])
      phone = survivor.vault
      try await phone.meet(survivor.shared)
      tablet = try await survivor.recover("tablet").1
      try await tablet.meet(survivor.shared)
      try await phone.meet(survivor.shared)
      _ = try await phone.remove(tablet.name(), fromCase: nil)
      _ = try await phone.add([words("two")], toCase: nil)
      try await phone.meet(survivor.own, own: true)
      laptop = try await survivor.recover("laptop", from: survivor.own).1
      try await laptop.meet(survivor.own, own: true)
    }

    func decide() async throws {
      _ = try await laptop.decide(
        stays: nil, cut: [(phone.name(), 0)], inCase: nil, kit: try survivor.kit())
    }

    func meet() async throws {
      for _ in 0..<3 {
        for vault in [laptop, tablet, phone] { try await vault.meet(survivor.own, own: true) }
      }
    }
  }

  /// A phone with an advocate beside it, and two tablets that came later.
  private struct Circle {
    let survivor: SurvivorWithKit
    let phone: OpenVault
    let theirs: OpenVault
    let first: OpenVault
    let second: OpenVault

    init() async throws {
      survivor = try await SurvivorWithKit([words("one")])
      phone = survivor.vault
      theirs = try await survivor.admitAdvocate().1
      for vault in [phone, theirs] { try await vault.meet(survivor.shared) }
      first = try await survivor.recover("first tablet").1
      second = try await survivor.recover("second tablet").1
      for vault in [first, second, phone] { try await vault.meet(survivor.shared) }
    }
  }

  @Test func `what was sealed to keys that lost their power opens for who was kept from them`()
    async throws
  {
    let dispute = try await Dispute()
    // Sealed to what the phone had begun without the tablet; it counts, whatever becomes of the phone.
    _ = try await dispute.laptop.add([words("three")], toCase: nil)
    let one = try #require(
      try await dispute.laptop.entries(ofCase: nil).first { $0.content?.words == "one" })
    _ = try await dispute.laptop.erase([one.id.base32])
    try await dispute.decide()
    _ = try await dispute.laptop.add([words("four")], toCase: nil)
    try await dispute.meet()
    for vault in [dispute.laptop, dispute.tablet] {
      #expect(try await vault.standings()["two"] == .disputed)
      #expect(try await vault.texts() == ["three", "four"])
    }
    #expect(try await dispute.laptop.hash() == dispute.tablet.hash())
    // Whose power was taken is handed nothing that is new.
    #expect(try await !dispute.phone.texts().contains("four"))
    let recipient = AgeIdentity(secretKey: SecretKey.random()).recipient
    let outcome = try await dispute.tablet.export(
      caseNamed: nil, entries: nil, to: dispute.survivor.device.folder.path + "/case.age",
      seal: .recipients([try #require(recipient)]), program: "test")
    #expect(outcome.verdict.outcome == .consistent)
  }

  @Test func `keys that lost their power are handed once, and all carry the same`() async throws {
    let dispute = try await Dispute()
    try await dispute.decide()
    try await dispute.meet()
    let carried = try await dispute.laptop.wraps()
    #expect(try await dispute.tablet.wraps() == carried)
    try await dispute.meet()
    #expect(try await dispute.laptop.wraps() == carried)
    // Nobody seals anything new to them.
    let void = try await dispute.tablet.voidEpochs()
    #expect(void.count >= 4)
    let before = try await dispute.tablet.slots(of: void)
    _ = try await dispute.tablet.add([words("five")], toCase: nil)
    #expect(try await dispute.tablet.slots(of: void) == before)
  }

  /// Whoever has a stolen device can begin as many as she likes, and all come behind what its owner began.
  @Test func `of a thief's keys few are handed, and those before them are`() async throws {
    let dispute = try await Dispute()
    try await dispute.phone.beginEpochs(WrapLimits.voidEpochsHandedOn + 8)
    try await dispute.phone.meet(dispute.survivor.own, own: true)
    try await dispute.laptop.meet(dispute.survivor.own, own: true)
    try await dispute.decide()
    try await dispute.laptop.meet(dispute.survivor.own, own: true)
    let hers = try await dispute.tablet.ownLogID()
    let handed = try await dispute.laptop.handed(to: hers, among: try dispute.laptop.voidEpochs())
    #expect(handed == WrapLimits.voidEpochsHandedOn)
    try await dispute.meet()
    #expect(try await dispute.tablet.standings()["two"] == .disputed)
  }

  /// A thief may say of an epoch that somebody has its key, and not give it.
  @Test func `who is named as holding a key and does not is handed it once its giver is removed`()
    async throws
  {
    let survivor = try await SurvivorWithKit([words("one")])
    let phone = survivor.vault
    try await phone.meet(survivor.own, own: true)
    let tablet = try await survivor.recover("tablet", from: survivor.own).1
    let laptop = try await survivor.recover("laptop", from: survivor.own).1
    for _ in 0..<2 {
      for vault in [phone, tablet, laptop] { try await vault.meet(survivor.own, own: true) }
    }
    let hers = try await tablet.ownLogID()
    try await phone.beginEpochs(1, withoutGivingTo: hers)
    for vault in [phone, laptop] { try await vault.meet(survivor.own, own: true) }
    _ = try await laptop.add([words("two")], toCase: nil)
    for vault in [laptop, tablet] { try await vault.meet(survivor.own, own: true) }
    #expect(try await !tablet.texts().contains("two"))
    _ = try await laptop.remove(phone.name(), fromCase: nil)
    for vault in [laptop, tablet] { try await vault.meet(survivor.own, own: true) }
    #expect(try await tablet.texts() == ["one", "two"])
    #expect(try await tablet.hash() == laptop.hash())
  }

  /// The keys that it was sealed to were begun by a device that has lost its power, and she was given them.
  @Test func `whoever can open an entry is told that it was taken back`() async throws {
    let circle = try await Circle()
    let (survivor, phone, theirs) = (circle.survivor, circle.phone, circle.theirs)
    let (first, second) = (circle.first, circle.second)
    _ = try await second.remove(first.name(), fromCase: nil)
    for vault in [second, phone] { try await vault.meet(survivor.shared) }
    _ = try await phone.add([words("two")], toCase: nil)
    for vault in [phone, theirs] { try await vault.meet(survivor.shared) }
    #expect(try await theirs.texts() == ["one", "two"])
    _ = try await phone.decide(
      stays: nil, cut: [(second.name(), 0)], inCase: nil, kit: try survivor.kit())
    for _ in 0..<2 {
      for vault in [phone, theirs] { try await vault.meet(survivor.shared) }
    }
    let two = try #require(
      try await phone.entries(ofCase: nil).first { $0.content?.words == "two" }?.id)
    let advocate = try await theirs.name()
    #expect(try await phone.readers(ofEntry: two.base32).map(\.logID.base32).contains(advocate))
    #expect(try await phone.readers(of: [two])[two]?.map(\.logID.base32).contains(advocate) == true)
    try await say("Not so.", about: [two], as: .retract, in: phone)
    for _ in 0..<2 {
      for vault in [phone, theirs] { try await vault.meet(survivor.shared) }
    }
    #expect(try await theirs.entry(two.base32).summary.isRetracted)
  }

  /// Nobody else has the key but the kit, once the phone is removed that could have handed it on.
  @Test func `an advocate hands a survivor's device the keys that she writes with`() async throws {
    let survivor = try await SurvivorWithKit([words("one")])
    let phone = survivor.vault
    try await phone.meet(survivor.shared)
    let tablet = try await survivor.recover("tablet").1
    // Of whom the phone does not know yet.
    let theirs = try await survivor.admitAdvocate().1
    for vault in [phone, theirs, tablet] { try await vault.meet(survivor.shared) }
    _ = try await tablet.remove(phone.name(), fromCase: nil)
    _ = try await theirs.add([words("two")], toCase: "theirs")
    for _ in 0..<2 {
      for vault in [theirs, tablet] { try await vault.meet(survivor.shared) }
    }
    #expect(try await tablet.texts() == ["one", "two"])
    #expect(try await tablet.hash() == theirs.hash())
    let carried = [try await theirs.wraps(), try await tablet.wraps()]
    for vault in [theirs, tablet] { try await vault.meet(survivor.shared) }
    #expect([try await theirs.wraps(), try await tablet.wraps()] == carried)
  }

  /// A phone that is lost hands on nothing any more, and what it wrote counts.
  @Test func `whoever speaks with the kit opens what only the kit does`() async throws {
    let (survivor, phone, tablet) = try await SurvivorWithKit.withUnknownTablet()
    for vault in [phone, tablet] { try await vault.meet(survivor.own, own: true) }
    #expect(try await tablet.texts() == ["one"])
    _ = try await tablet.decide(
      stays: nil, cut: [(phone.name(), nil)], inCase: nil, kit: try survivor.kit())
    #expect(try await tablet.texts() == ["one", "two"])
  }

  /// A vault comes back from a backup. What it wrote since admits an advocate, sealed to a key that only she has left: her
  /// wraps count before she does.
  @Test func `keys come also from a member whose admission they open`() async throws {
    let survivor = try await SurvivorWithKit([words("one")])
    let shared = survivor.shared
    let anna = try await survivor.admitAdvocate("anna").1
    for vault in [survivor.vault, anna] { try await vault.meet(shared) }
    try await survivor.vault.close()
    let backup = try survivor.device.copied(to: "backup")
    let later = try survivor.device.open()
    _ = try await later.remove(anna.name(), fromCase: nil)
    let berta = try await survivor.admitAdvocate("berta", by: later).1
    _ = try await later.add([words("two")], toCase: nil)
    for vault in [later, berta] { try await vault.meet(shared) }
    try await later.close()
    // Nothing that it wrote has the key.
    for name in try shared.allFiles().keys where name.hasSuffix("/head") {
      try FileManager.default.removeItem(atPath: shared.path + "/" + name)
    }
    try survivor.device.putBack(backup)
    let phone = try survivor.device.open()
    try await phone.meet(shared)
    #expect(try await phone.renew().cases == ["default"])
    try await phone.meet(shared)
    #expect(try await phone.lacksDecisions())
    // What else a stranger puts there is not kept.
    let before = try await phone.wraps()
    let own = try await phone.ownLogID()
    let junk = try await berta.heldEpochIDs().flatMap { epoch in
      [own, nil].map {
        Wrap(epoch: epoch, recipient: $0, box: Randomness.bytes(Wrap.byteCount)).encoded
      }
    }
    let stranger = LogID(try #require(Bytes32(Randomness.bytes(32))))
    try shared.leaveHead(of: stranger, beside: own, [.wraps(junk)])
    try await phone.meet(shared)
    #expect(try await phone.wraps() == before)
    for vault in [berta, phone] { try await vault.meet(shared) }
    #expect(try await phone.texts() == ["one", "two"])
    #expect(try await phone.lacksDecisions() == false)
    #expect(try await phone.hash() == berta.hash())
  }

  /// Newer keys without end, times epochs without end, must not hold up one exchange.
  @Test func `so many keys are handed on at once, and the next time the rest`() async throws {
    let survivor = try await SurvivorWithKit([words("one")])
    let phone = survivor.vault
    try await phone.meet(survivor.own, own: true)
    let tablet = try await survivor.recover("tablet", from: survivor.own).1
    try await phone.beginEpochs(5)
    for vault in [tablet, phone, tablet] { try await vault.meet(survivor.own, own: true) }
    #expect(try await tablet.renew(evenIfSound: true).cases == ["default"])
    try await tablet.meet(survivor.own, own: true)
    let newer = try await tablet.ownLogID()
    try await phone.takeSuccessions(from: survivor.own)
    var handed = 0
    while try await phone.handOnKeys(atMost: 2) {
      let now = try await phone.handed(to: newer)
      #expect((1...2) ~= now - handed)
      handed = now
    }
    #expect(handed >= 5)
  }

  /// Her older keys were given what her newer ones never got.
  @Test func `an advocate's new keys open what was shared before they were known`() async throws {
    let circle = try await Circle()
    let (survivor, phone, theirs) = (circle.survivor, circle.phone, circle.theirs)
    for (tablet, text) in [(circle.first, "two"), (circle.second, "three")] {
      _ = try await phone.remove(tablet.name(), fromCase: nil)
      _ = try await phone.add([words(text)], toCase: nil)
    }
    var kept = words("kept back")
    kept.audience = .ownDevices
    _ = try await phone.add([kept], toCase: nil)
    #expect(try await theirs.renew(evenIfSound: true).cases.contains("theirs"))
    for _ in 0..<2 {
      for vault in [theirs, phone] { try await vault.meet(survivor.shared) }
    }
    try await theirs.meet(survivor.shared)
    #expect(try await theirs.texts() == ["one", "two", "three"])
  }
}

extension TemporaryFolder {
  /// Puts a device's subfolder there with a head of these frames.
  fileprivate func leaveHead(of device: LogID, beside other: LogID, _ frames: [Frame]) throws {
    let (name, bytes) = try #require(
      try allFiles().first { $0.key.hasSuffix("-\(other.base32)/head") })
    var reader = FrameReader()
    reader.feed(bytes)
    guard case .hello(let hello) = try reader.next() else { throw CocoaError(.fileReadCorruptFile) }
    let folder = name.dropLast("\(other.base32)/head".count) + device.base32
    try FileManager.default.createDirectory(
      atPath: path + "/" + folder, withIntermediateDirectories: false)
    let all = [.hello(Hello(tag: hello.tag, logID: device))] + frames + [Frame.end]
    _ = try file(folder + "/head", all.flatMap(\.bytes))
  }
}

extension OpenVault {
  /// Begins so many epochs of the survivor's devices.
  fileprivate func beginEpochs(_ count: Int, withoutGivingTo member: LogID? = nil) throws {
    try commit { db in
      let row = try CaseRow.find(db, nil)
      let control = try CaseControl(db, of: row, keys: keys, surroundings: surroundings)
      let start = EpochStart(appender: control.appender, kit: try row.requireKit())
      let everyone = try control.current(.everyone)
      let begun = try (0..<count).map { _ in
        try start.begin(
          .devices, members: control.state.members(of: .devices).map(\.card),
          replaces: control.state.epochs.filter { $0.epoch.audience == .devices }.map(\.id),
          everyone: everyone, keys: keys
        ).key.id
      }
      try control.sign()
      guard let member else { return }
      for epoch in begun {
        try db.execute(
          sql: "DELETE FROM wrap WHERE epoch = ? AND recipient = ?",
          arguments: [epoch.bytes.data, member.bytes.data])
      }
    }
  }

  fileprivate func handOnKeys(atMost limit: Int) throws -> Bool {
    try database.queue.write { db in
      try WrapTable.handOnKeys(
        db, of: try CaseRow.find(db, nil), keys: keys, now: surroundings.now(), atMost: limit)
    }
  }

  fileprivate func lacksDecisions() throws -> Bool {
    try status(ofCase: nil, isLookedAt: false).flatMap(\.troubles).contains {
      $0.code == .lockedControl
    }
  }

  /// What makes newer keys members, and nothing else of an exchange.
  fileprivate func takeSuccessions(from folder: TemporaryFolder) throws {
    var replica = VaultReplica(
      row: try read { db in try CaseRow.find(db, nil) }, database: database, keys: keys,
      store: blobs, surroundings: surroundings)
    for (name, bytes) in try folder.allFiles() where name.hasSuffix("/head") {
      var reader = FrameReader()
      reader.feed(bytes)
      while let frame = try reader.next() {
        if case .successions(let all) = frame { _ = try replica.accept(successions: all) }
      }
    }
  }

  fileprivate func handed(to member: LogID) throws -> Int {
    try read { db in
      try Int.fetchOne(
        db, sql: "SELECT count(*) FROM wrapped WHERE log_id = ?", arguments: [member.bytes.data])
        ?? 0
    }
  }

  fileprivate func wraps() throws -> Set<[UInt8]> {
    try read { db in
      Set(try Row.fetchAll(db, sql: "SELECT bytes FROM wrap").map { $0.bytes("bytes") })
    }
  }

  /// Epochs of which the key is here and that do not count.
  fileprivate func voidEpochs() throws -> Set<EpochID> {
    try read { db in
      let row = try CaseRow.find(db, nil)
      let held: Set<EpochID> = Set(
        try Row.fetchAll(db, sql: "SELECT epoch FROM epoch").map { try $0.identifier("epoch") })
      return held.subtracting(try CaseView.state(db, of: row).epochs.map(\.id))
    }
  }

  fileprivate func slots(of epochs: Set<EpochID>) throws -> Int {
    try read { db in
      try Row.fetchAll(db, sql: "SELECT epoch FROM slot").count {
        epochs.contains(try $0.identifier("epoch"))
      }
    }
  }

  fileprivate func handed(to member: LogID, among epochs: Set<EpochID>) throws -> Int {
    try read { db in
      try Row.fetchAll(
        db, sql: "SELECT epoch FROM wrapped WHERE log_id = ?", arguments: [member.bytes.data]
      ).count { epochs.contains(try $0.identifier("epoch")) }
    }
  }
}
