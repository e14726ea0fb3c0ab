import CaseLog
import Cryptography
import Foundation
import GRDB
import Support
import Sync
import Synchronization
import Testing
import VerifiableLog

@testable import Vault

/// What whoever can write into a folder may leave there must cost its readers no more than its bytes, and must hide
/// nothing from them.
@Suite struct `Hostile files in a folder` {
  /// What can be put into any number of frames, since it is never kept: no wraps, wraps for nobody, and new keys of
  /// nobody's.
  enum Junk: CaseIterable {
    case noWrap, wrapForStranger, successionOfStranger

    func frame(in vault: OpenVault) async throws -> Frame {
      switch self {
      case .noWrap: return .wraps([[0x58, 98] + Randomness.bytes(98)])
      case .wrapForStranger:
        let wrap = Wrap(
          epoch: EpochID(.random()), recipient: LogID(.random()),
          box: Randomness.bytes(Wrap.byteCount))
        return .wraps([wrap.encoded])
      case .successionOfStranger:
        let stranger = SigningKey(seed: SecretKey.random())
        return .successions([try await vault.succession(by: stranger, role: .survivor)])
      }
    }
  }

  @Test(arguments: Junk.allCases)
  func `many frames of junk take no more evaluations than one`(junk: Junk) async throws {
    let shared = try await SharedCase.met()
    let log = try await shared.theirs.heldLogs(ofCase: "theirs").own
    var frames: [Frame] = []
    for _ in 0..<60 { frames.append(try await junk.frame(in: shared.hers)) }
    let name = try shared.mailbox.head(of: log)
    let head = try #require(try shared.mailbox.allFiles()[name])
    var evaluations: [Int] = []
    for count in [1, 60] {
      let crowd = try Self.crowded(head, with: frames.prefix(count))
      _ = try shared.mailbox.file(name, crowd)
      evaluations.append(try await shared.hers.evaluations { try $0.meet(shared.mailbox) })
    }
    #expect(evaluations[0] == evaluations[1])
  }

  /// A head with further frames at its end, and no summary.
  private static func crowded(
    _ head: [UInt8], with frames: ArraySlice<Frame>
  ) throws -> [UInt8] {
    var reader = FrameReader()
    reader.feed(head)
    var kept: [Frame] = []
    while let frame = try reader.next() {
      if case .summary = frame { continue }
      kept.append(frame)
    }
    return (kept.dropLast() + frames + [.end]).flatMap(\.bytes)
  }

  @Test func `a new device is known wherever in its head it says who admitted it`() async throws {
    let survivor = try await SurvivorWithKit([words("one")])
    try await survivor.vault.meet(survivor.own, own: true)
    let tablet = try await survivor.recover("tablet", from: survivor.own).1
    _ = try await tablet.add([words("two")], toCase: nil)
    try await tablet.meet(survivor.own, own: true)
    let name = try survivor.own.head(of: try await tablet.ownLogID())
    let head = try #require(try survivor.own.allFiles()[name])
    _ = try survivor.own.file(name, try Self.withStatementsLast(head))
    try await survivor.vault.meet(survivor.own, own: true)
    #expect(try await survivor.vault.texts() == ["one", "two"])
  }

  /// Without a summary.
  private static func withStatementsLast(_ head: [UInt8]) throws -> [UInt8] {
    var reader = FrameReader()
    reader.feed(head)
    var (others, statements): ([Frame], [Frame]) = ([], [])
    while let frame = try reader.next() {
      switch frame {
      case .summary: continue
      case .statements: statements.append(frame)
      default: others.append(frame)
      }
    }
    return (others.dropLast() + statements + [.end]).flatMap(\.bytes)
  }

  @Test func `many names of shares take no more evaluations than one`() async throws {
    let shared = try await SharedCase.met()
    let log = try await shared.theirs.heldLogs(ofCase: "theirs").own
    let folder = try shared.mailbox.head(of: log).dropLast("head".count)
    var evaluations: [Int] = []
    for count in [1, 60] {
      for _ in 0..<count {
        _ = try shared.mailbox.file(folder + "s-" + EntryID(.random()).base32, [])
      }
      evaluations.append(try await shared.hers.evaluations { try $0.meet(shared.mailbox) })
    }
    #expect(evaluations[0] == evaluations[1])
  }

  /// More to tell than is kept must not hide what this device has to know of itself: that it is an old copy, which would
  /// sign a second history.
  @Test func `findings in any number do not hide that this copy is an old one`() async throws {
    let survivor = try await SurvivorWithKit([words("one")])
    try await survivor.vault.meet(survivor.shared)
    try await survivor.vault.close()
    let image = try survivor.device.copied(to: "first")
    let later = try survivor.device.open()
    _ = try await later.add([words("two")], toCase: nil)
    try await later.meet(survivor.shared)
    try await later.close()
    let own = try #require(try survivor.shared.allFiles().keys.first)
    // Each is told as a device's folder that cannot be read.
    for _ in 0..<1100 {
      _ = try survivor.shared.file(own.prefix(17) + LogID(.random()).base32, [])
    }
    try survivor.device.putBack(image)
    let restored = try survivor.device.open()
    let before = try survivor.shared.allFiles()
    #expect(try await restored.meet(survivor.shared).problems.contains(.ownLogAhead))
    #expect(try survivor.shared.allFiles() == before)
    await #expect(throws: VaultError(.rolledBack)) {
      try await restored.add([words("no")], toCase: nil)
    }
  }
}

@Suite struct `Junk wraps for this device` {
  /// A random key, sealed to this device under the name of an epoch.
  private func junk(_ epoch: EpochID, for log: LogID, _ card: Card) throws -> [UInt8] {
    let box = try SealedBox.seal(SecretKey.random(), to: card.boxKey)
    return Wrap(epoch: epoch, recipient: log, box: box).encoded
  }

  @Test func `is not kept under the name of an entry that is open and no epoch`() async throws {
    let shared = try await SharedCase.met()
    let (row, entries) = try await shared.hers.openControlEntries()
    let wraps = try entries.map { try junk(EpochID($0.raw), for: row.logID, row.card) }
    #expect(!wraps.isEmpty)
    let before = try await shared.hers.storedWraps()
    #expect(try await shared.hers.accept(wraps: wraps) == false)
    #expect(try await shared.hers.storedWraps() == before)
    // What was kept of it once goes.
    try await shared.hers.store(wraps)
    #expect(try await shared.hers.storedWraps() == before + wraps.count)
    try await shared.hers.absorb()
    #expect(try await shared.hers.storedWraps() == before)
  }

  @Test func `takes one evaluation, whatever is undecided`() async throws {
    let shared = try await SharedCase.met()
    let (row, epochs) = try await shared.hers.lockEpochs()
    #expect(!epochs.isEmpty)
    let wraps = try (0..<20).flatMap { _ in
      try epochs.map { try junk($0.id, for: row.logID, row.card) }
    }
    let one = try await shared.hers.evaluations { _ = try $0.accept(wraps: [wraps[0]]) }
    let all = try await shared.hers.evaluations { _ = try $0.accept(wraps: wraps) }
    #expect(all == one)
  }

  /// Whoever puts a crowd before a good one could as well have kept it to herself.
  @Test func `is opened only so often in one reading`() async throws {
    let shared = try await SharedCase.met()
    let (row, epochs) = try await shared.hers.lockEpochs()
    let (epoch, good) = try #require(epochs.first)
    let crowd = try (0..<100).map { _ in try junk(epoch, for: row.logID, row.card) }
    #expect(try await shared.hers.accept(wraps: crowd + [good]))
    #expect(try await shared.hers.storedWraps() == WrapLimits.ofRecipient)
    #expect(try await !shared.hers.holds(epoch))
    #expect(try await shared.hers.accept(wraps: Array(crowd.prefix(20)) + [good]))
    #expect(try await shared.hers.holds(epoch))
  }
}

// MARK: - What these tests do with a case

extension SharedCase {
  /// Both hold the same, and each has seen what the other wrote.
  fileprivate static func met() async throws -> SharedCase {
    let shared = try await SharedCase(before: [words("one")])
    for _ in 0..<2 {
      try await shared.syncSurvivor()
      try await shared.syncAdvocate()
    }
    return shared
  }
}

extension TemporaryFolder {
  fileprivate func head(of log: LogID) throws -> String {
    try #require(try allFiles().keys.first { $0.hasSuffix("-\(log.base32)/head") })
  }
}

extension OpenVault {
  /// How often a case is evaluated meanwhile, as one sees by what each evaluation reads first.
  fileprivate func evaluations(
    _ body: @Sendable (isolated OpenVault) throws -> Void
  ) throws -> Int {
    let count = Count()
    database.queue.inDatabase { db in
      db.trace { event in
        if case .statement(let statement) = event,
          statement.sql == "SELECT bytes FROM statement WHERE case_ref = ?"
        {
          count.value.withLock { $0 += 1 }
        }
      }
    }
    defer { database.queue.inDatabase { $0.trace() } }
    try body(self)
    return count.value.withLock(\.self)
  }

  private final class Count: Sendable {
    let value = Mutex(0)
  }

  fileprivate func accept(wraps: [[UInt8]]) throws -> Bool {
    var replica = VaultReplica(
      row: try read { db in try CaseRow.find(db, nil) }, database: database, keys: keys,
      store: blobs, surroundings: surroundings)
    return try replica.accept(wraps: wraps)
  }

  /// How many wraps for this device are kept.
  fileprivate func storedWraps() throws -> Int {
    try read { db in
      let row = try CaseRow.find(db, nil)
      return try Int.fetchOne(
        db, sql: "SELECT count(*) FROM wrap WHERE recipient = ?",
        arguments: [row.logID.bytes.data]) ?? -1
    }
  }

  fileprivate func holds(_ epoch: EpochID) throws -> Bool {
    try read { db in
      try Int.fetchOne(
        db, sql: "SELECT count(*) FROM epoch WHERE epoch = ?", arguments: [epoch.bytes.data]) == 1
    }
  }

  fileprivate func store(_ wraps: [[UInt8]]) throws {
    try database.queue.write { db in
      let row = try CaseRow.find(db, nil)
      for bytes in wraps { try WrapTable.store(db, Wrap(decoding: bytes), case: row.ref) }
    }
  }

  fileprivate func absorb() throws {
    try database.queue.write { db in
      try Absorber.run(db, of: CaseRow.find(db, nil), keys: keys)
    }
  }

  /// Control entries of this device that are open here and begin no epoch.
  fileprivate func openControlEntries() throws -> (CaseRow, [EntryID]) {
    try read { db in
      let row = try CaseRow.find(db, nil)
      return (row, try Self.control(db, of: row, "e.kind <> ?"))
    }
  }

  /// As before the entries that begin an epoch could be opened.
  ///
  /// - Returns: each, with a good wrap for this device.
  fileprivate func lockEpochs() throws -> (CaseRow, [(id: EpochID, good: [UInt8])]) {
    try database.queue.write { db in
      let row = try CaseRow.find(db, nil)
      let epochs = try LoadedEpoch.all(db, of: row, keys: keys)
        .filter { $0.key.audience == .everyone }
      let wraps = try epochs.map {
        ($0.key.id, try $0.key.wrap(for: row.logID, boxKey: row.card.boxKey).encoded)
      }
      for entry in try Self.control(db, of: row, "e.kind = ?") {
        try db.execute(
          sql: "DELETE FROM entry WHERE id = (SELECT id FROM leaf WHERE entry_id = ?)",
          arguments: [entry.bytes.data])
      }
      try db.execute(sql: "DELETE FROM epoch WHERE case_ref = ?", arguments: [row.ref])
      try db.execute(
        sql: "DELETE FROM wrap WHERE recipient = ?", arguments: [row.logID.bytes.data])
      return (row, wraps)
    }
  }

  private static func control(
    _ db: Database, of row: CaseRow, _ condition: String
  ) throws -> [EntryID] {
    try GRDB.Row.fetchAll(
      db,
      sql: """
        SELECT l.entry_id FROM leaf l JOIN log g ON g.id = l.log_ref JOIN entry e ON e.id = l.id
        WHERE g.case_ref = ? AND g.log_id = ? AND l.class = 1 AND \(condition)
        """, arguments: [row.ref, row.logID.bytes.data, Int64(EntryKind.epoch.code)]
    ).map { try $0.identifier("entry_id") }
  }
}
