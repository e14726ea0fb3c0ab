import Cryptography
import Mailboxes
import Sync
import Testing
import VerifiableLog

/// A log with two histories, of which one device holds the one, and a folder has the other.
private struct Parted {
  var world = World(3)
  /// The forger's other state: it signed the history that the folder has.
  var clone: MemoryReplica
  let common: UInt64
  var forger: LogID { clone.ownLog }

  /// - Parameter longer: entries that the reader holds of her history beyond the parting.
  init(longer: Int) throws {
    let start = TemporaryFolder()
    world.append(9, to: 0)
    try world.exchangeAll(start.mailbox)
    clone = world.replicas[0]
    common = clone.stored[clone.ownLog]!.held.size
    world.append(longer, to: 0)
    let first = TemporaryFolder()
    try world.exchange(0, first.mailbox)
    try world.exchange(1, first.mailbox)
  }

  /// The other history goes on, and all of it so far is in the folder.
  mutating func writeOther(_ count: Int, to folder: TemporaryFolder) throws {
    clone.append(world.words(count))
    _ = try folder.mailbox.exchange(with: &clone)
  }

  func proof(of reader: Int) -> ForkProof? { world.replicas[reader].knownForks[forger] }
}

@Suite struct `Where two histories part` {
  @Test func `is found in ranges that nobody had a reason to read`() throws {
    for pieces in [[1], [2, 1], [1, 1, 1]] {
      var parted = try Parted(longer: 5)
      let folder = TemporaryFolder()
      // What is common, and each piece, stand in files of their own.
      _ = try folder.mailbox.exchange(with: &parted.clone)
      for count in pieces { try parted.writeOther(count, to: folder) }
      let report = try parted.world.exchange(1, folder.mailbox)
      let proof = try #require(parted.proof(of: 1), "\(pieces)")
      #expect(proof.parting != nil && proof.forkedAt == parted.common, "\(pieces)")
      #expect(report.findings.allSatisfy { $0.kind == .fork(log: parted.forger) })
      #expect(report.bytesRead <= folder.byteCount, "no file is read twice")
      // It is known now, also to whoever hears of it from her alone.
      let elsewhere = TemporaryFolder()
      for index in [1, 2, 1, 2] { try parted.world.exchange(index, elsewhere.mailbox) }
      #expect(parted.proof(of: 2)?.forkedAt == parted.common)
    }
  }

  @Test func `is known for good: nothing is looked for again`() throws {
    var parted = try Parted(longer: 5)
    let folder = TemporaryFolder()
    _ = try folder.mailbox.exchange(with: &parted.clone)
    try parted.writeOther(2, to: folder)
    try parted.world.exchange(1, folder.mailbox)
    try parted.world.exchange(1, folder.mailbox)
    let ranges = folder.files().filter { $0.contains("/r-") }.map { folder.read($0).count }
    let third = try parted.world.exchange(1, folder.mailbox)
    #expect(third.bytesRead <= folder.byteCount - UInt64(ranges.reduce(0, +)))
    #expect(third.findings.allSatisfy { $0.kind == .fork(log: parted.forger) })
  }

  @Test func `whoever holds one history leaves it for those who hold the other`() throws {
    var parted = try Parted(longer: 3)
    let folder = TemporaryFolder()
    try parted.writeOther(6, to: folder)
    try parted.world.exchange(1, folder.mailbox)
    let name = "r-\(parted.forger.base32)-"
    let own = folder.files().filter {
      $0.contains("-\(parted.world.replicas[1].ownLog.base32)/\(name)")
    }
    #expect(own.count == 1)
    // A device that took in the other history finds both there.
    var late = MemoryReplica(
      parted.world.replicas[2].device, caseID: World.caseID, founder: parted.clone.device)
    _ = try folder.mailbox.exchange(with: &late)
    _ = try folder.mailbox.exchange(with: &late)
    #expect(late.knownForks[parted.forger]?.forkedAt == parted.common)
  }

  @Test func `the least of several partings is what all end with`() throws {
    var parted = try Parted(longer: 4)
    var third = parted.clone
    let folders = [TemporaryFolder(), TemporaryFolder()]
    try parted.writeOther(5, to: folders[0])
    // A third history leaves the second one later than it left the first.
    third.append(parted.world.words(1))
    var fourth = third
    third.append(parted.world.words(3))
    fourth.append(parted.world.words(2))
    _ = try folders[1].mailbox.exchange(with: &third)
    try parted.world.exchange(2, folders[1].mailbox)
    let between = TemporaryFolder()
    _ = try between.mailbox.exchange(with: &fourth)
    try parted.world.exchange(2, between.mailbox)
    #expect(parted.proof(of: 2)?.forkedAt == parted.common + 1)
    try parted.world.exchange(1, folders[0].mailbox)
    let meeting = TemporaryFolder()
    for index in [1, 2, 1, 2] { try parted.world.exchange(index, meeting.mailbox) }
    for index in [1, 2] { #expect(parted.proof(of: index)?.forkedAt == parted.common) }
  }

  @Test func `a folder that lies about a log shows no fork and costs one reading`() throws {
    var world = World(3)
    let folder = TemporaryFolder()
    for _ in 0..<4 {
      world.append(3, to: 0)
      try world.exchange(0, folder.mailbox)
    }
    try world.exchangeAll(folder.mailbox)
    let log = world.replicas[0].ownLog
    let held = try #require(world.replicas[1].stored[log]?.held)
    let file = try #require(folder.files().first { $0.contains(log.base32) })
    let carrier = try #require(file.split(separator: "/").first)
    // Made up entries from any place on, under the newest head that the log's owner did sign.
    for first in [0, 2, 5, 11] as [UInt64] {
      let entries = (0..<3).map { _ in
        WireEntry(classByte: 2, commitment: .random(), content: .hash(.random()))
      }
      let frame = RangeFrame(
        logID: log, first: first, entries: entries, note: try #require(held.head).note,
        proof: [.random()])
      let hello = Hello(tag: MailboxTag(caseID: World.caseID), logID: log)
      let digits = { (number: UInt64) in
        String(repeating: "0", count: 10 - "\(number)".count) + "\(number)"
      }
      let frames: [Frame] = [.hello(hello), .range(frame), .end]
      try folder.write(
        frames.flatMap(\.bytes),
        to: "\(carrier)/r-\(log.base32)-\(digits(first))-\(digits(first + 40))")
    }
    let report = try world.exchange(1, folder.mailbox)
    #expect(report.findings.contains { if case .fault = $0.kind { true } else { false } })
    #expect(!report.findings.contains { if case .fork = $0.kind { true } else { false } })
    #expect(world.replicas[1].knownForks.isEmpty)
    #expect(report.bytesRead <= folder.byteCount, "no file is read twice")
  }
}

extension TemporaryFolder {
  /// Of all files, and the last bytes of each once more: of its own a writer looks whether they are whole.
  fileprivate var byteCount: UInt64 {
    UInt64(files().map { read($0).count + Frame.end.bytes.count }.reduce(0, +))
  }
}
