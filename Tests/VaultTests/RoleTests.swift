import CaseLog
import Cryptography
import Foundation
import GRDB
import SealedBundle
import Support
import Testing
import VerifiableLog

@testable import Vault

/// Row 13: an advocate with a patched program, and row 3, 4: a mailbox that was written to by somebody else.
@Suite struct RoleTests {
  @Test(arguments: [EntryKind.evidence, .amend, .retract])
  func `what an advocate may not write is set aside on every copy, and never counted`(
    kind: EntryKind
  ) async throws {
    let shared = try await SharedCase(before: [words("one")])
    try await shared.syncSurvivor()
    try await shared.syncAdvocate()
    var content = EntryContent()
    content.words = "forged"
    let forged = try await shared.theirs.append(content, as: kind, toCase: "theirs")
    try await shared.syncAdvocate()
    let outcome = try await shared.syncSurvivor()
    #expect(outcome.violations == 1)
    let entry = try await shared.hers.entry(forged.base32)
    #expect(entry.summary.standing == .violation)
    let check = try await shared.hers.check()
    #expect(check.findings.contains { if case .violation = $0 { true } else { false } })

    let output = shared.survivor.folder.path + "/case.age"
    let exported = try await shared.hers.export(
      caseNamed: nil, entries: nil, to: output, seal: .passphrase(try locked("a passphrase")),
      program: "test")
    #expect(exported.verdict.outcome == .consistent)
    #expect(exported.entryCount == 1)
  }

  @Test func `a forged control entry gives an advocate nothing`() async throws {
    let shared = try await SharedCase(before: [words("one")])
    try await shared.syncSurvivor()
    try await shared.syncAdvocate()
    _ = try await shared.theirs.append(EntryContent(), as: .admit, toCase: "theirs")
    try await shared.syncAdvocate()
    let outcome = try await shared.syncSurvivor()
    #expect(outcome.violations == 1)
    #expect(outcome.members.count == 2)
  }

  @Test func `a byte changed in the mailbox changes nothing and blames nobody`() async throws {
    let shared = try await SharedCase(before: [words("one"), words("two")])
    try await shared.syncSurvivor()
    let files = try shared.mailbox.allFiles()
    for (name, bytes) in files.sorted(by: { $0.key < $1.key }) {
      for position in stride(from: 0, to: bytes.count, by: max(1, bytes.count / 24)) {
        var changed = bytes
        changed[position] ^= 0x20
        try Data(changed).write(to: URL(filePath: shared.mailbox.path + "/" + name))
        let outcome = try await shared.syncAdvocate()
        #expect(outcome.violations == 0)
        #expect(!outcome.problems.contains { if case .fork = $0 { true } else { false } })
      }
      try Data(bytes).write(to: URL(filePath: shared.mailbox.path + "/" + name))
    }
    try await shared.syncAdvocate()
    let theirs = try await shared.theirs.entries(ofCase: "theirs")
    #expect(theirs.map(\.content?.words) == ["one", "two"])
    let stateOfHers = try await shared.hers.stateHash(ofCase: nil)
    let stateOfTheirs = try await shared.theirs.stateHash(ofCase: "theirs")
    #expect(stateOfHers == stateOfTheirs)
  }
}

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

  /// Row 22: a disk image put back whole carries its anchor with it; the mailbox tells.
  @Test func `a copy that a mailbox showed to be old stays old`() async throws {
    let shared = try await SharedCase(before: [words("one")])
    try await shared.syncSurvivor()
    try await shared.hers.close()
    let image = shared.survivor.folder.path + "/image"
    try FileManager.default.copyItem(atPath: shared.survivor.path, toPath: image)
    let later = try shared.survivor.open()
    _ = try await later.add([words("two")], toCase: nil)
    _ = try await later.sync(caseNamed: nil, mailbox: nil)
    try await later.close()
    // The image, at its place and inode.
    for name in ["vault.db", "anchor"] {
      let bytes = try Data(contentsOf: URL(filePath: image + "/" + name))
      let handle = try FileHandle(
        forWritingTo: URL(filePath: shared.survivor.path + "/" + name))
      try handle.truncate(atOffset: 0)
      try handle.write(contentsOf: bytes)
      try handle.close()
    }
    let restored = try shared.survivor.open()
    #expect(await restored.standing == .sound)
    let outcome = try await restored.sync(caseNamed: nil, mailbox: shared.mailbox.path)
    #expect(outcome.problems.contains(.ownLogAhead))
    try await restored.close()
    let again = try shared.survivor.open()
    #expect(await again.standing == .rolledBack)
    await #expect(throws: VaultError(.rolledBack)) {
      try await again.add([words("no")], toCase: nil)
    }
    try await again.close()
  }
}
