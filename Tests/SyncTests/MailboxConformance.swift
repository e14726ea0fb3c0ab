import Mailboxes
import Support
import Sync
import Testing
import VerifiableLog

/// What every mailbox must do, whatever it is made of: called by the tests of each with a way to make an
/// empty one.
struct MailboxConformance<M: Mailbox> {
  let makeEmpty: () throws -> M

  func runAll() throws {
    try twoCopiesBecomeOne()
    try aReplayChangesNothing()
    try admissionsAreFollowed()
    try nobodyIsBehindInTheEnd()
    try sharesBringWhatWasWithheld()
    try attachmentsArrive()
    try strangersAreIgnored()
    try aWithheldLogKeepsNobodyWaiting()
    try cancellingKeepsWhatWasTaken()
    try anOldCopyWritesNothing()
  }

  func twoCopiesBecomeOne() throws {
    let mailbox = try makeEmpty()
    var world = World(2)
    world.append(3, to: 0)
    let sent = try world.exchange(0, mailbox)
    #expect(sent.logs.map(\.entriesSent).reduce(0, +) == 4)
    world.append(2, to: 1)
    let second = try world.exchange(1, mailbox)
    #expect(second.findings == [])
    #expect(second.logs.map(\.entriesReceived).reduce(0, +) == 4)
    #expect(second.logs.map(\.entriesSent).reduce(0, +) == 2)
    #expect(try world.exchange(0, mailbox).findings == [])
    #expect(world.digests.count == 1)
  }

  /// Attack 1.
  func aReplayChangesNothing() throws {
    let mailbox = try makeEmpty()
    var world = World(3)
    for index in 0..<3 { world.append(2, to: index) }
    for _ in 0..<2 { try world.exchangeAll(mailbox) }
    let before = world.replicas.map { $0.digest() }
    for index in 0..<3 {
      let report = try world.exchange(index, mailbox)
      #expect(report.bytesWritten == 0)
      #expect(report.findings == [])
      #expect(report.logs.allSatisfy { $0.entriesReceived == 0 && $0.entriesSent == 0 })
    }
    #expect(world.replicas.map { $0.digest() } == before)
  }

  /// A member's own log counts as soon as the entry that admits her is there, in the same exchange.
  func admissionsAreFollowed() throws {
    let mailbox = try makeEmpty()
    var world = World(1)
    let second = TestDevice(seed: 40)
    let third = TestDevice(seed: 30)
    let founder = world.replicas[0].device
    world.replicas[0].admit(second)
    world.replicas.append(MemoryReplica(second, caseID: World.caseID, founder: founder))
    try world.exchange(0, mailbox)
    try world.exchange(1, mailbox)
    // The third is admitted by the second, whose log sorts wherever it does.
    world.replicas[1].admit(third)
    try world.exchange(1, mailbox)
    world.replicas.append(MemoryReplica(third, caseID: World.caseID, founder: founder))
    try world.exchange(2, mailbox)
    world.append(1, to: 2)
    try world.exchange(2, mailbox)
    let report = try world.exchange(0, mailbox)
    #expect(report.logs.count == 3)
    #expect(report.logs.map(\.sizeAfter).sorted() == [1, 1, 1])
  }

  func nobodyIsBehindInTheEnd() throws {
    let mailbox = try makeEmpty()
    var world = World(2)
    try world.exchangeAll(mailbox)
    world.append(5, to: 0)
    let (founder, advocate) = (world.replicas[0].ownLog, world.replicas[1].ownLog)
    let report = try world.exchange(0, mailbox)
    #expect(report.behind(advocate, on: founder) == 5)
    #expect(report.findings == [])
    try world.exchange(1, mailbox)
    #expect(try world.exchange(0, mailbox).behind(advocate, on: founder) == 0)
    let receipts = world.replicas[0].stored[founder]?.receipts[6]
    #expect(receipts?[advocate] != nil)
  }

  func sharesBringWhatWasWithheld() throws {
    let mailbox = try makeEmpty()
    var world = World(2)
    let words = world.words(5)
    world.replicas[0].append(words, slots: 2, isPrivate: true)
    try world.exchangeAll(mailbox)
    let founder = world.replicas[0].ownLog
    #expect(world.replicas[1].stored[founder]?.leaves.count == 6)
    #expect(world.replicas[1].stored[founder]?.ciphertexts.keys.sorted() == [0])
    world.replicas[0].share([2, 4, 5])
    try world.exchangeAll(mailbox)
    #expect(world.replicas[1].stored[founder]?.ciphertexts.keys.sorted() == [0, 2, 4, 5, 6])
    #expect(world.replicas[1].stored[founder]?.slots[4]?.count == 2)
    #expect(world.digests.count == 1)
  }

  func attachmentsArrive() throws {
    let mailbox = try makeEmpty()
    var world = World(2)
    let sealed = [16, 65_552, 65_552 * 2 + 17, 65_552 * 40].map { world.generator.bytes($0) }
    for blob in sealed { _ = world.replicas[0].attach(blob) }
    #expect(try world.exchange(0, mailbox).blobsSent == 4)
    let report = try world.exchange(1, mailbox)
    #expect(report.blobsReceived == 4)
    #expect(report.findings == [])
    #expect(world.replicas[1].sealedBlobs == world.replicas[0].sealedBlobs)
    #expect(try world.exchange(1, mailbox).blobsReceived == 0)
  }

  /// A log that nobody admitted is not even looked at.
  func strangersAreIgnored() throws {
    let mailbox = try makeEmpty()
    var world = World(2)
    try world.exchangeAll(mailbox)
    var stranger = MemoryReplica(
      TestDevice(seed: 99), caseID: World.caseID, founder: TestDevice(seed: 99))
    stranger.append(world.words(3))
    _ = try mailbox.exchange(with: &stranger)
    #expect(try world.exchange(0, mailbox).findings == [])
    #expect(world.replicas[0].stored[stranger.ownLog] == nil)
  }

  /// Attack 30.
  func aWithheldLogKeepsNobodyWaiting() throws {
    let mailbox = try makeEmpty()
    var world = World(3)
    world.append(2, to: 1)
    world.append(2, to: 2)
    try world.exchange(0, mailbox)
    // Of the third nothing ever arrives.
    try world.exchange(1, mailbox)
    let report = try world.exchange(0, mailbox)
    #expect(report.findings == [])
    #expect(report.logs.first { $0.id == world.replicas[1].ownLog }?.sizeAfter == 2)
    #expect(report.logs.first { $0.id == world.replicas[2].ownLog }?.sizeAfter == 0)
  }

  func cancellingKeepsWhatWasTaken() throws {
    let mailbox = try makeEmpty()
    var world = World(3)
    for index in 0..<3 { world.append(4, to: index) }
    for index in 1..<3 {
      try world.exchange(0, mailbox)
      try world.exchange(index, mailbox)
    }
    var asked = 0
    for limit in 0..<200 {
      asked = 0
      do {
        _ = try mailbox.exchange(
          with: &world.replicas[0], progress: { _ in },
          isCancelled: {
            asked += 1
            return asked > limit
          })
        break
      } catch ExchangeError.mailbox(.cancelled) {
        continue
      }
    }
    #expect(asked > 3)
    try world.exchangeAll(mailbox)
    #expect(world.digests.count == 1)
  }

  /// Attack 44, the half that a mailbox can see.
  func anOldCopyWritesNothing() throws {
    let mailbox = try makeEmpty()
    var world = World(2)
    let backup = world.replicas[0]
    world.append(3, to: 0)
    try world.exchangeAll(mailbox)
    world.replicas[0] = backup
    let report = try world.exchange(0, mailbox)
    #expect(report.isOwnLogAhead)
    #expect(report.bytesWritten == 0)
    #expect(report.findings.contains { $0.kind == .ownLogAhead(size: 4) })
  }
}
