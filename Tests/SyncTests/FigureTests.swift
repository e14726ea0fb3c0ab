import Mailboxes
import Support
import Sync
import Testing

/// What the format costs. The figures are printed, and bounded so that they do not grow unnoticed.
@Suite struct `What an exchange costs` {
  @Test(arguments: [0, 1, 2]) func `bytes of an entry over its ciphertext`(slots: Int) throws {
    let folder = TemporaryFolder()
    var world = World(1)
    let words = (0..<1000).map { _ in [0] + world.generator.bytes(271) }
    world.replicas[0].append(words, slots: slots)
    try world.exchange(0, folder.mailbox)
    let file = try #require(folder.files().first { $0.contains("/r-") })
    let over = Double(folder.read(file).count) / 1000 - 272
    print("FIGURE bytes an entry over its ciphertext, \(slots) slots: \(over)")
    #expect(over < 45 + 53 * Double(slots))
  }

  @Test(arguments: [2, 4]) func `bytes of an idle exchange`(members: Int) throws {
    let folder = TemporaryFolder()
    var world = World(members)
    for index in 0..<members { world.append(1000, to: index) }
    for _ in 0..<2 { try world.exchangeAll(folder.mailbox) }
    let report = try world.exchange(0, folder.mailbox)
    print(
      "FIGURE idle exchange, \(members) members: read \(report.bytesRead), written \(report.bytesWritten)"
    )
    #expect(report.bytesWritten == 0)
    // Of each other head its summary; of the own one `hello` as well; the ends of own files.
    #expect(report.bytesRead < UInt64(100 + 50 * members))
  }

  @Test func `time for entries`() throws {
    let folder = TemporaryFolder()
    var world = World(2)
    let words = (0..<20_000).map { _ in [0] + world.generator.bytes(271) }
    world.replicas[0].append(words)
    let clock = ContinuousClock()
    let written = try clock.measure { try world.exchange(0, folder.mailbox) }
    let read = try clock.measure { try world.exchange(1, folder.mailbox) }
    print("FIGURE 20,000 entries (not optimised): written in \(written), read in \(read)")
    #expect(world.replicas[1].stored[world.replicas[0].ownLog]?.held.size == 20_001)
  }
}
