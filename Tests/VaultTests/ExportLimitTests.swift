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

/// Nobody who writes in a case can write what keeps it from being handed over.
@Suite struct ExportLimitTests {
  @Test func `a log has no more entries than a bundle holds`() {
    #expect(SyncLimits.entriesOfLog == Limits.entriesOfLog)
    #expect(BundleLimits.leavesOfLog == Limits.entriesOfLog)
  }

  @Test func `a device writes no more entries than others take`() async throws {
    let device = try VaultFixture()
    let vault = try await device.create()
    try await vault.pretendEntries(Limits.entriesOfLog - 2)
    let first = try await vault.add([words("one")], toCase: nil)
    #expect(first.saved.count == 1)
    let further = try await vault.add([words("two"), words("three")], toCase: nil)
    #expect(further.saved.isEmpty)
    #expect(further.failure?.error == VaultError(.logFull))
    #expect(try await vault.add([words("two")], toCase: nil).saved.count == 1)
  }

  @Test func `what an advocate writes as a decision is in no bundle`() async throws {
    let shared = try await SharedCase(before: [words("one")])
    try await shared.syncSurvivor()
    try await shared.syncAdvocate()
    var content = EntryContent()
    content.words = "No decision of hers counts."
    _ = try await shared.theirs.append(content, as: .keep, toCase: "theirs")
    _ = try await shared.theirs.append(content, as: .note, toCase: "theirs")
    try await shared.syncAdvocate()
    try await shared.syncSurvivor()
    let bundle = try await shared.hers.bundle(in: shared.survivor.folder.path)
    let log = try #require(bundle.first { $0.classes.contains(.note) })
    #expect(log.classes == [.control, .note])
    #expect(log.disclosed == [1])
  }

  @Test func `what a stolen device wrote where the root cut it is in no bundle`() async throws {
    let survivor = try await SurvivorWithKit([words("one")])
    let phone = survivor.vault
    try await phone.meet(survivor.shared)
    let (_, laptop) = try await survivor.recover("laptop")
    for vault in [laptop, phone] { try await vault.meet(survivor.shared) }
    let held = try await laptop.size(of: phone)
    var content = EntryContent()
    content.words = "Long, and one of many."
    _ = try await phone.append(content, as: .keep, toCase: nil)
    for vault in [phone, laptop] { try await vault.meet(survivor.shared) }
    _ = try await laptop.decide(
      stays: nil, cut: [(phone.name(), held)], inCase: nil, kit: try survivor.kit())
    let bundle = try await laptop.bundle(in: survivor.device.folder.path)
    let name = try await phone.name()
    let log = try #require(bundle.first { $0.id.base32 == name })
    #expect(UInt64(log.classes.count) == held + 1)
    #expect(log.classes.last == .control)
    #expect(log.disclosed.last.map { $0 < held } == true)
  }

  @Test func `of an advocate's notes there are as many in a bundle as it holds`() throws {
    let text = Part(.words, [UInt8](repeating: 0, count: 1 << 20))
    let notes = (0..<257).map {
      DisclosedEntry(sequence: $0, parts: [.disclosed(text, salt: .zero)])
    }
    for isAdvocate in [true, false] {
      var entries = DisclosedEntries(ofAdvocate: isAdvocate)
      for note in notes { entries.add(note) }
      #expect(entries.leftOutCount == (isAdvocate ? 2 : 0))
      #expect(entries.entries.count + entries.leftOutCount == notes.count)
    }
    var entries = DisclosedEntries(ofAdvocate: true)
    for note in notes { entries.add(note) }
    #expect(ProofLog.encode(entries.entries).count <= BundleLimits.entriesByteCount)
  }
}

@Suite struct ReceiptChoiceTests {
  private let logs = (0..<3).map { ReceiptChoiceTests.log($0) }

  private static func log(_ number: Int) -> LogID {
    LogID(SHA256Hash.hash([UInt8(number)]))
  }

  private func receipts(_ times: [UInt64]) -> [ReceiptChoice.Receipt] {
    times.enumerated().map {
      ReceiptChoice.Receipt(row: Int64($0.offset), size: UInt64($0.offset) + 1, time: $0.element)
    }
  }

  @Test func `what bounds no time of an entry is left out`() {
    var choice = ReceiptChoice()
    // The fourth is earlier than those before it, and covers more.
    choice.offer(
      receipts([10, 20, 30, 15, 40, 50]), by: logs[1], of: logs[1], over: logs[0], size: 9,
      bounding: [0, 1, 3])
    #expect(choice.files()[logs[0]]?.map(\.size) == [1, 4])
  }

  @Test func `a receipt over the newest head stands in its note`() {
    var choice = ReceiptChoice()
    for witness in 0..<Receipts.mostOnNote + 2 {
      let id = Self.log(witness)
      choice.offer(receipts([5]), by: id, of: id, over: logs[0], size: 1, bounding: [0])
    }
    #expect(choice.files()[logs[0]]?.count == 2)
  }

  /// She has two keys, an entry for each receipt, and later receipts for later entries.
  @Test func `receipts of one device take no place from those of others`() throws {
    let many = UInt64(BundleLimits.receipts) + 1
    var choice = ReceiptChoice()
    choice.offer(
      receipts(Array(0..<many)), by: logs[1], of: logs[0], over: logs[0], size: many + 1,
      bounding: Array(0..<many))
    choice.offer(
      receipts(Array(0..<1000)), by: logs[2], of: logs[2], over: logs[1], size: 1001,
      bounding: Array(0..<1000))
    let files = choice.files()
    #expect(files[logs[1]]?.count == 1000)
    let hers = try #require(files[logs[0]])
    #expect(hers.count == BundleLimits.receipts - 1000)
    // All that she witnessed is still covered, and as evenly as can be.
    #expect(hers.last?.size == many)
    #expect(zip(hers, hers.dropFirst()).allSatisfy { $1.size - $0.size <= 2 && $0.size < $1.size })
  }
}

/// A log as a bundle has it.
private struct BundledLog {
  let id: LogID
  let classes: [EntryClass?]
  /// Sequences.
  let disclosed: [UInt64]
}

extension OpenVault {
  /// Exports the whole case, and reads the logs in the bundle.
  fileprivate func bundle(in folder: String) throws -> [BundledLog] {
    let path = folder + "/case.age"
    let identity = AgeIdentity(secretKey: SecretKey.random())
    let known = identity.recipient
    let outcome = try export(
      caseNamed: nil, entries: nil, to: path, seal: .recipients([try #require(known)]),
      program: "test")
    #expect(outcome.verdict.outcome == .consistent)
    let sealed = [UInt8](try Data(contentsOf: URL(filePath: path)))
    var reader = try BundleReader(try AgeSource(MemorySource(sealed), identity: identity))
    let file = try CaseFile(
      decoding: try reader.content(BundleLayout.caseFile, limit: CaseFile.longestByteCount))
    var logs: [BundledLog] = []
    for (index, log) in file.logs.enumerated() where log.size > 0 {
      let leaves = try reader.content(BundleLayout.leaves(index), limit: 1 << 20)
      let entries = BundleLayout.entries(index)
      let disclosed = try ProofLog.decodeEntries(
        try reader.content(entries, limit: 1 << 20), entries)
      logs.append(
        BundledLog(
          id: log.identity.id,
          classes: (0..<Int(log.size)).map {
            EntryClass(rawValue: leaves[$0 * LeafData.byteCount + 9])
          },
          disclosed: disclosed.map(\.sequence)))
    }
    return logs
  }

  /// Lets this device's log be so long, without the entries.
  fileprivate func pretendEntries(_ size: UInt64) throws {
    let hashes = [UInt8](repeating: 0, count: size.nonzeroBitCount * Bytes32.byteCount)
    try database.queue.write { db in
      try db.execute(
        sql: "UPDATE log SET size = ?, frontier = ?", arguments: [Int64(size), Data(hashes)])
    }
  }
}
