import CaseLog
import Cryptography
import Foundation
import GRDB
import Support
import Testing
import VerifiableLog

@testable import Vault

extension OpenVault {
  /// Two heads of this device's own log that contradict each other, as its keys can sign them.
  func forgedFork(size: UInt64, caseNamed name: String) throws -> ForkProof {
    try database.queue.read { db in
      let row = try CaseRow.find(db, name)
      let device = try DeviceKeys.load(db, case: row.ref, keys: keys)
      let heads = [Bytes32.zero, Bytes32.random()].map { root in
        VerifiedCheckpoint(signing: device.signing, of: row.logIdentity, size: size, root: root)
      }
      return try ForkProof(heads[0], heads[1])
    }
  }

  /// Takes a fork proof as an exchange does.
  func accept(_ fork: ForkProof) throws -> Bool {
    var replica = VaultReplica(
      row: try read { db in try CaseRow.find(db, nil) }, database: database, keys: keys,
      store: blobs, surroundings: surroundings)
    return try replica.accept(fork)
  }
}

@Suite struct HostileMemberTests {
  @Test(arguments: [1, 1 << 62, UInt64(1) << 63, .max])
  func `a fork of any size is recorded once, and stops nobody`(size: UInt64) async throws {
    let shared = try await SharedCase(before: [words("one")])
    try await shared.syncSurvivor()
    try await shared.syncAdvocate()
    let fork = try await shared.theirs.forgedFork(size: size, caseNamed: "theirs")
    #expect(try await shared.hers.accept(fork))
    #expect(try await !shared.hers.accept(fork))
    let check = try await shared.hers.check()
    #expect(check.findings.contains { if case .fork = $0 { true } else { false } })
    try await shared.syncSurvivor()
    #expect(try await shared.hers.add([words("two")], toCase: nil).saved.count == 1)
  }
}
