import CaseLog
import Cryptography
import Foundation
import GRDB
import Support
import Sync
import Testing
import VerifiableLog

@testable import Vault

/// Whoever keeps a mailbox can keep a removal from some, and must not get them to hand the removed what came after it.
@Suite struct WithheldTests {
  @Test func `who was not shown a removal hands the removed no key that followed from it`()
    async throws
  {
    let survivor = try await SurvivorWithKit([words("one")])
    let phone = survivor.vault
    let theirs = try await survivor.admitAdvocate().1
    try await phone.meet(survivor.shared)
    let tablet = try await survivor.recover("tablet").1
    for _ in 0..<2 {
      for vault in [tablet, phone, theirs] { try await vault.meet(survivor.shared) }
    }
    let before = try await theirs.handed(to: tablet.ownLogID())
    _ = try await phone.remove(tablet.name(), fromCase: nil)
    _ = try await phone.add([words("late")], toCase: nil)
    try await phone.meet(survivor.shared)
    let cut = try #require(try await phone.sequences(of: .cut).first)
    try survivor.shared.withhold(cut, of: try await phone.ownLogID())
    for vault in [theirs, tablet] { try await vault.meet(survivor.shared) }
    #expect(try await theirs.texts() == ["one", "late"])
    #expect(try await tablet.texts() == ["one"])
    #expect(try await theirs.handed(to: tablet.ownLogID()) == before)
  }

  /// The log of the device that removed it never comes where the advocate reads.
  @Test func `nor who lacks the log in which the removal stands`() async throws {
    let survivor = try await SurvivorWithKit([words("one")])
    let phone = survivor.vault
    let theirs = try await survivor.admitAdvocate().1
    try await phone.meet(survivor.shared)
    let laptop = try await survivor.recover("laptop").1
    let stolen = try await survivor.recover("stolen").1
    let old = try await survivor.recover("old").1
    for _ in 0..<2 {
      for vault in [laptop, stolen, old, phone, theirs] {
        try await vault.meet(survivor.shared)
      }
    }
    _ = try await laptop.remove(stolen.name(), fromCase: nil)
    try await laptop.meet(survivor.own, own: true)
    try await phone.meet(survivor.own, own: true)
    _ = try await phone.remove(old.name(), fromCase: nil)
    _ = try await phone.add([words("late")], toCase: nil)
    try await phone.meet(survivor.shared)
    let laptopLog = try await laptop.ownLogID()
    for name in try survivor.shared.allFiles().keys where name.contains("/r-\(laptopLog.base32)") {
      try FileManager.default.removeItem(atPath: survivor.shared.path + "/" + name)
    }
    for vault in [theirs, stolen] { try await vault.meet(survivor.shared) }
    #expect(try await stolen.texts() == ["one"])
    // Once all is here, all goes on.
    for vault in [phone, theirs] { try await vault.meet(survivor.shared) }
    #expect(try await theirs.texts() == ["one", "late"])
    try await stolen.meet(survivor.shared)
    #expect(try await stolen.texts() == ["one"])
  }

  /// Nobody can judge a wrap for the kit without it, so that junk that came first has all the places.
  @Test func `junk for the kit keeps nothing from whoever has it in hand`() async throws {
    let (survivor, phone, tablet) = try await SurvivorWithKit.withUnknownTablet()
    let junk = try await phone.heldEpochIDs().flatMap { epoch in
      (0..<WrapLimits.ofRecipient).map { _ in
        Wrap(epoch: epoch, recipient: nil, box: Randomness.bytes(Wrap.byteCount)).encoded
      }
    }
    _ = try await tablet.take(wraps: junk)
    for vault in [phone, tablet] { try await vault.meet(survivor.own, own: true) }
    _ = try await tablet.decide(
      stays: nil, cut: [(phone.name(), nil)], inCase: nil, kit: try survivor.kit())
    #expect(try await tablet.texts() == ["one", "two"])
  }
}

// MARK: - What a mailbox can do

extension TemporaryFolder {
  /// Serves an entry's leaf alone, as if it were another's that is not shared.
  fileprivate func withhold(_ sequence: UInt64, of log: LogID) throws {
    for (name, bytes) in try allFiles() where name.contains("/r-\(log.base32)") {
      _ = try file(
        name,
        try frames(bytes).map { (frame) -> Frame in
          guard case .range(let range) = frame else { return frame }
          let entries = range.entries.enumerated().map { index, entry in
            guard range.first + UInt64(index) == sequence else { return entry }
            return WireEntry(
              classByte: entry.classByte, commitment: entry.commitment,
              content: .hash(entry.leaf(sequence: sequence).ciphertextHash))
          }
          return .range(
            RangeFrame(
              logID: range.logID, first: range.first, entries: entries, note: range.note,
              proof: range.proof))
        }.flatMap(\.bytes))
    }
  }

  private func frames(_ bytes: [UInt8]) throws -> [Frame] {
    var reader = FrameReader()
    reader.feed(bytes)
    var frames: [Frame] = []
    while let frame = try reader.next() { frames.append(frame) }
    return frames
  }
}

extension OpenVault {
  private func row(_ db: Database) throws -> CaseRow {
    let isAdvocate = try Row.fetchOne(db, sql: "SELECT 1 FROM vault_case WHERE name = 'theirs'")
    return try CaseRow.find(db, isAdvocate == nil ? nil : "theirs")
  }

  /// Where this device's entries of a kind stand in its log.
  fileprivate func sequences(of kind: EntryKind) throws -> [UInt64] {
    try read { db in
      try Row.fetchAll(
        db,
        sql: """
          SELECT l.sequence FROM leaf l JOIN entry e ON e.id = l.id JOIN log g ON g.id = l.log_ref
          WHERE g.log_id = ? AND e.kind = ? ORDER BY 1
          """, arguments: [try row(db).logID.bytes.data, Int64(kind.code)]
      ).map { $0.number("sequence") }
    }
  }

  fileprivate func handed(to member: LogID? = nil) throws -> Int {
    try read { db in
      try Row.fetchAll(db, sql: "SELECT log_id FROM wrapped").count {
        try member == nil || $0.identifier("log_id") == member
      }
    }
  }

  func heldEpochIDs() throws -> [EpochID] {
    try read { db in
      try Row.fetchAll(
        db, sql: "SELECT epoch FROM epoch WHERE case_ref = ?", arguments: [try row(db).ref]
      ).map { try $0.identifier("epoch") }
    }
  }

  fileprivate func take(wraps: [[UInt8]]) throws -> Bool {
    var replica = VaultReplica(
      row: try read { db in try row(db) }, database: database, keys: keys, store: blobs,
      surroundings: surroundings)
    return try replica.accept(wraps: wraps)
  }
}
