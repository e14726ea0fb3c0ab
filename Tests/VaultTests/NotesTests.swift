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
