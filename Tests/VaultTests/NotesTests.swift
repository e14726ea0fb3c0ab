import CaseLog
import Cryptography
import Foundation
import GRDB
import Support
import Sync
import Testing
import VerifiableLog

@testable import Vault

/// Heads, receipts and forks, as a replica takes and gives them.
@Suite struct NotesTests {
  @Test func `a log with many receipts leaves room for the heads of the others`() async throws {
    let survivor = try await SurvivorWithKit([words("one")])
    let (_, theirs) = try await survivor.admitAdvocate()
    try await survivor.vault.meet(survivor.shared)
    try await theirs.meet(survivor.shared)
    _ = try await theirs.add([words("a note")], toCase: "theirs")
    try await theirs.meet(survivor.shared)
    try await survivor.vault.meet(survivor.shared)
    for first in [true, false] {
      try await survivor.vault.crowdReceipts(onFirst: first, SyncLimits.heads + 10)
      let heads = try await survivor.vault.notesReplica().heads()
      #expect(heads.count == SyncLimits.heads)
      #expect(Set(heads.prefix(2).map(\.signingKey)).count == 2)
    }
  }

  @Test(arguments: [[5, 3, 9], [9, 5, 3], [3, 9, 5]] as [[UInt64]])
  func `of many proofs of a fork the smallest counts, in whatever order they come`(
    order: [UInt64]
  ) async throws {
    let survivor = try await SurvivorWithKit([words("one")])
    try await survivor.vault.proveForks(at: order)
    #expect(try await survivor.vault.forkedSizes() == [3])
    #expect(try await survivor.vault.forkProofs() == [3])
  }

  @Test func `a proof that shows where histories part takes the place of one that does not`()
    async throws
  {
    let survivor = try await SurvivorWithKit([words("one")])
    try await survivor.vault.proveForks(at: [3])
    for (size, kept, isTaken) in [(5, 3, false), (3, 3, true), (3, 3, false), (1, 1, true)]
      as [(UInt64, UInt64, Bool)]
    {
      let before = try await survivor.vault.forkBytes()
      try await survivor.vault.proveParting(at: size)
      #expect(try await survivor.vault.forkedSizes() == [kept])
      let after = try await survivor.vault.forkBytes()
      #expect((after != before) == isTaken && after.count == 1)
    }
    // One without it that leaves less in common counts all the same.
    try await survivor.vault.proveForks(at: [9, 1])
    #expect(try await survivor.vault.notesReplica().forks().map { $0.parting != nil } == [true])
  }
}

extension OpenVault {
  func notesReplica() throws -> VaultReplica {
    VaultReplica(
      row: try read { db in try CaseRow.find(db, nil) }, database: database, keys: keys,
      store: blobs, surroundings: surroundings)
  }

  /// So many receipts on older heads of one log; none on those of the other.
  func crowdReceipts(onFirst: Bool, _ count: Int) throws {
    try database.queue.write { db in
      try db.execute(sql: "DELETE FROM receipt")
      try db.execute(
        sql: """
          WITH RECURSIVE n(size) AS (SELECT 1 UNION ALL SELECT size + 1 FROM n WHERE size < ?)
          INSERT INTO receipt(log_ref, size, witness, time, note, is_embedded)
          SELECT g.id, 1000000 + n.size, x'00', 1, g.note, 0 FROM n, log g
          WHERE g.note IS NOT NULL
            AND g.log_id = (SELECT \(onFirst ? "min" : "max")(log_id) FROM log WHERE note IS NOT NULL)
          """, arguments: [count])
    }
  }

  fileprivate func proveForks(at sizes: [UInt64]) throws {
    var replica = try notesReplica()
    let row = replica.row
    let proofs = try read { db in
      let device = try DeviceKeys.load(db, case: row.ref, keys: keys)
      return try sizes.map { size in
        let notes = (1...2).map { number in
          VerifiedCheckpoint(
            signing: device.signing, of: row.logIdentity, size: size,
            root: Bytes32(noise(32, seed: size * 2 + number))!)
        }
        return try ForkProof(notes[0], notes[1])
      }
    }
    for proof in proofs { _ = try replica.accept(proof) }
  }

  /// Two histories of this device's log that have so many leaves in common, none of which it wrote.
  fileprivate func proveParting(at size: UInt64) throws {
    var replica = try notesReplica()
    let row = replica.row
    let proof = try read { db in
      let device = try DeviceKeys.load(db, case: row.ref, keys: keys)
      var common = CompactRange()
      for _ in 0..<size { common.append(.random()) }
      let sides = (0..<2).map { _ in
        let leaf = Bytes32.random()
        var tree = common
        tree.append(leaf)
        let head = VerifiedCheckpoint(
          signing: device.signing, of: row.logIdentity, size: tree.size, root: tree.root)
        return (head, Parting.Branch(leafHash: leaf, path: []))
      }
      return try ForkProof(sides[0], sides[1], common: common)
    }
    _ = try replica.accept(proof)
  }

  fileprivate func forkBytes() throws -> [[UInt8]] { try notesReplica().forks().map(\.bytes) }

  fileprivate func forkedSizes() throws -> [UInt64] {
    try read { db in
      try Row.fetchAll(db, sql: "SELECT forked_at FROM log WHERE forked_at IS NOT NULL")
        .map { $0.number("forked_at") }
    }
  }

  fileprivate func forkProofs() throws -> [UInt64] {
    try notesReplica().forks().map(\.smaller.size)
  }
}
