import CaseLog
import Cryptography
import Foundation
import GRDB
import Support
import Testing
import VerifiableLog

@testable import Vault

/// Wraps that somebody made up must keep out no good one, and must not grow without end.
@Suite struct WrapTests {
  @Test func `junk for this device keeps no epoch key from it`() async throws {
    let survivor = try await SurvivorWithKit([words("one")])
    let (_, theirs) = try await survivor.admitAdvocate()
    try await survivor.vault.meet(survivor.shared)
    try await theirs.meet(survivor.shared)
    let count = try await theirs.epochCount()
    let (good, epochs) = try await theirs.forgetEpochs()
    // Both what does not open, and what opens and holds another key, before the good ones.
    let junk = try await theirs.junk(epochs, each: 12)
    #expect(try await theirs.accept(wraps: junk + good))
    #expect(try await theirs.epochCount() == count)
    // Once all is told, it is no news any more.
    #expect(try await theirs.accept(wraps: junk + good) == false)
    #expect(try await theirs.texts() == ["one"])
  }

  /// Each of the survivor's devices wraps a key for whoever lacked it: all carry both, or no two copies said the same.
  @Test func `a further good wrap of a key that is here is carried, and junk is not`() async throws
  {
    let survivor = try await SurvivorWithKit([words("one")])
    let (_, theirs) = try await survivor.admitAdvocate()
    try await survivor.vault.meet(survivor.shared)
    try await theirs.meet(survivor.shared)
    let before = try await theirs.carriedWraps()
    let (epoch, further) = try await theirs.wrappedAgain()
    let junk = try await theirs.junk([epoch], each: 4)
    #expect(try await theirs.accept(wraps: junk + [further]))
    #expect(try await theirs.carriedWraps() == before + 1)
    #expect(try await theirs.accept(wraps: junk + [further]) == false)
    // Junk takes the places of one reading, and none for good.
    let more = try await theirs.wrappedAgain().wrap
    let crowd = try await theirs.junk([epoch], each: WrapLimits.ofRecipient)
    #expect(try await theirs.accept(wraps: crowd + [more]) == false)
    #expect(try await theirs.accept(wraps: [more]))
  }

  @Test func `made up epochs, strangers and crowds are not carried`() async throws {
    let survivor = try await SurvivorWithKit([words("one")])
    let (_, theirs) = try await survivor.admitAdvocate()
    let before = try await survivor.vault.carriedWraps()
    func wrap(_ epoch: EpochID, _ recipient: LogID?) -> [UInt8] {
      Wrap(epoch: epoch, recipient: recipient, box: Randomness.bytes(Wrap.byteCount)).encoded
    }
    func epoch() -> EpochID { EpochID(Bytes32(Randomness.bytes(32))!) }
    let known = try #require(try await survivor.vault.heldEpochs().first)
    let stranger = LogID(Bytes32(Randomness.bytes(32))!)
    let strange = (0..<5).map { _ in wrap(known, stranger) }
    #expect(try await survivor.vault.accept(wraps: strange) == false)
    let madeUp = (0..<400).map { _ in wrap(epoch(), nil) }
    #expect(try await survivor.vault.accept(wraps: madeUp))
    #expect(try await survivor.vault.carriedWraps() == before + WrapLimits.ofUnknownEpochs)
    #expect(try await survivor.vault.accept(wraps: madeUp) == false)
    // Her places for that epoch are full; of others' and of the kit there are as many as before.
    let hers = try await theirs.memberID()
    #expect(try await survivor.vault.accept(wraps: (0..<20).map { _ in wrap(known, hers) }))
    #expect(try await survivor.vault.accept(wraps: [wrap(known, hers)]) == false)
    #expect(try await survivor.vault.accept(wraps: [wrap(known, nil)]))
  }

  /// Whoever has a stolen device begins epochs and takes newer keys as she likes: others' keys have room beside hers.
  @Test func `of too many wraps each recipient's and each author's first ones are sent`()
    async throws
  {
    let survivor = try await SurvivorWithKit([words("one")])
    let (_, theirs) = try await survivor.admitAdvocate()
    for vault in [survivor.vault, theirs] { try await vault.meet(survivor.shared) }
    let before = try await theirs.sentWraps(atMost: 1000)
    // All for one member, of epochs that nobody here knows the author of.
    let hers = try await theirs.memberID()
    let crowd = try (0..<200).map { _ in
      Wrap(
        epoch: EpochID(try #require(Bytes32(Randomness.bytes(32)))),
        recipient: hers, box: Randomness.bytes(Wrap.byteCount))
    }
    try await theirs.store(crowd)
    #expect(try await theirs.sentWraps(atMost: 1000).count == before.count + 200)
    let sent = try await theirs.sentWraps(atMost: before.count + 50)
    #expect(sent.count == before.count + 50)
    #expect(Set(before).isSubset(of: sent))
    #expect(sent == sent.sorted { $0.lexicographicallyPrecedes($1) })
  }
}

extension OpenVault {
  fileprivate func sentWraps(atMost count: Int) throws -> [[UInt8]] {
    try read { db in
      try WrapTable.forHead(db, of: try CaseRow.find(db, "theirs"), atMost: count)
    }
  }

  fileprivate func store(_ wraps: [Wrap]) throws {
    try database.queue.write { db in
      let row = try CaseRow.find(db, "theirs")
      for wrap in wraps { try WrapTable.store(db, wrap, case: row.ref) }
    }
  }

  fileprivate func wraps(_ body: (inout VaultReplica) throws -> Bool) throws -> Bool {
    let name = try cases().first { $0.name == "theirs" }?.name
    var replica = VaultReplica(
      row: try read { db in try CaseRow.find(db, name) }, database: database, keys: keys,
      store: blobs, surroundings: surroundings)
    return try body(&replica)
  }

  fileprivate func accept(wraps: [[UInt8]]) throws -> Bool {
    try self.wraps { try $0.accept(wraps: wraps) }
  }

  fileprivate func carriedWraps() throws -> Int {
    try read { db in try Int.fetchOne(db, sql: "SELECT count(*) FROM wrap") ?? -1 }
  }

  fileprivate func heldEpochs() throws -> [EpochID] {
    try read { db in
      try Row.fetchAll(db, sql: "SELECT epoch FROM epoch").map { try $0.identifier("epoch") }
    }
  }

  fileprivate func memberID() throws -> LogID {
    try read { db in try CaseRow.find(db, "theirs").logID }
  }

  /// As before its keys came: the wraps for this device, and the epochs of which it had the key.
  fileprivate func forgetEpochs() throws -> ([[UInt8]], [EpochID]) {
    try database.queue.write { db in
      let row = try CaseRow.find(db, "theirs")
      let epochs: [EpochID] = try Row.fetchAll(
        db, sql: "SELECT epoch FROM epoch WHERE case_ref = ?", arguments: [row.ref]
      ).map { try $0.identifier("epoch") }
      let good = try Row.fetchAll(
        db, sql: "SELECT bytes FROM wrap WHERE case_ref = ? AND recipient = ?",
        arguments: [row.ref, row.logID.bytes.data]
      ).map { $0.bytes("bytes") }
      try db.execute(sql: "DELETE FROM epoch WHERE case_ref = ?", arguments: [row.ref])
      try db.execute(
        sql: "DELETE FROM wrap WHERE case_ref = ? AND recipient = ?",
        arguments: [row.ref, row.logID.bytes.data])
      return (good, epochs)
    }
  }

  /// A key that this device has, as another device would wrap it for this one.
  fileprivate func wrappedAgain() throws -> (epoch: EpochID, wrap: [UInt8]) {
    try read { db in
      let row = try CaseRow.find(db, "theirs")
      let epoch = try #require(try LoadedEpoch.all(db, of: row, keys: keys).first)
      let wrap = try epoch.key.wrap(for: row.logID, boxKey: row.card.boxKey)
      return (epoch.key.id, wrap.encoded)
    }
  }

  fileprivate func junk(_ epochs: [EpochID], each: Int) throws -> [[UInt8]] {
    let row = try read { db in try CaseRow.find(db, "theirs") }
    return try epochs.flatMap { epoch in
      try (0..<each).map { number in
        let box =
          number % 2 == 0
          ? Randomness.bytes(Wrap.byteCount)
          : try SealedBox.seal(SecretKey.random(), to: row.card.boxKey)
        return Wrap(epoch: epoch, recipient: row.logID, box: box).encoded
      }
    }
  }
}
