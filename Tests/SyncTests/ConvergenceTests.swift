import Mailboxes
import Support
import Sync
import Synchronization
import Testing
import VerifiableLog

@testable import Mailboxes

/// Lets a numbered file operation fail: that one only, or it and all that follow, as if the process had died.
final class Faults: Sendable {
  private let count = Atomic<Int>(0)
  private let target: Int
  private let fault: FileFault
  private let isFatal: Bool

  init(at target: Int, _ fault: FileFault, isFatal: Bool) {
    self.target = target
    self.fault = fault
    self.isFatal = isFatal
  }

  /// How many operations there were.
  var operations: Int { count.load(ordering: .relaxed) }

  func mailbox(_ folder: TemporaryFolder) -> FolderMailbox {
    FolderMailbox(path: folder.path) { _ in
      let number = self.count.add(1, ordering: .relaxed).oldValue
      if number == self.target { return self.fault }
      return self.isFatal && number > self.target ? .fails : nil
    }
  }
}

@Suite struct `Copies converge` {
  /// One of everything: entries, a share, a blob.
  static func busyWorld(_ count: Int) -> World {
    var world = World(count)
    for index in 0..<count { world.append(2, to: index) }
    let words = world.words(2)
    world.replicas[0].append(words, isPrivate: true)
    world.replicas[0].share([UInt64(count) + 2])
    world.replicas[count - 1].knownSuccessions.insert(item(5))
    _ = world.replicas[0].attach(world.generator.bytes(70_000))
    return world
  }

  @Test(arguments: [FileFault.fails, .failsAfterwards], [true, false])
  func `after an interruption at any file operation`(fault: FileFault, isFatal: Bool) throws {
    var operation = 0
    while true {
      let folder = TemporaryFolder()
      var world = Self.busyWorld(2)
      let faults = Faults(at: operation, fault, isFatal: isFatal)
      for index in [0, 1, 0] {
        do {
          try world.exchange(index, faults.mailbox(folder))
        } catch is ExchangeError<MemoryReplica.Failure> {
          // Whoever comes next finds nothing that is damaged.
          var reader = world.replicas[1 - index]
          let report = try folder.mailbox.exchange(with: &reader)
          #expect(report.findings == [], "operation \(operation)")
          #expect(!report.isOwnLogAhead)
          world.replicas[1 - index] = reader
          break
        }
      }
      try world.exchangeAll(folder.mailbox)
      #expect(world.digests.count == 1, "operation \(operation)")
      let leftovers = folder.files().filter { $0.contains("/.") }
      #expect(leftovers == [], "operation \(operation)")
      if faults.operations <= operation { break }
      operation += 1
    }
    #expect(operation > 60)
  }

  @Test(arguments: 1...12)
  func `whatever the order, through two folders`(seed: UInt64) throws {
    let folders = [TemporaryFolder(), TemporaryFolder()]
    var random = SplitMix64(state: seed)
    let count = Int.random(in: 2...4, using: &random)
    var world = World(count, seed: seed)
    for _ in 0..<30 {
      let index = Int.random(in: 0..<count, using: &random)
      let folder = folders[Int.random(in: 0..<2, using: &random)]
      switch Int.random(in: 0..<10, using: &random) {
      case 0..<3: world.append(Int.random(in: 1...5, using: &random), to: index)
      case 3:
        let words = world.words(2)
        world.replicas[index].append(words, isPrivate: true)
      case 4:
        let own = world.replicas[index].privateEntries.sorted().prefix(3)
        if !own.isEmpty { world.replicas[index].share(Array(own)) }
      case 5:
        let sealed = world.generator.bytes(Int.random(in: 20...140_000, using: &random))
        _ = world.replicas[index].attach(sealed)
      case 6:
        let at = Int.random(in: 0..<80, using: &random)
        let faults = Faults(at: at, .failsAfterwards, isFatal: true)
        do { try world.exchange(index, faults.mailbox(folder)) } catch { continue }
      default:
        let report = try world.exchange(index, folder.mailbox)
        #expect(report.findings.allSatisfy { $0.isGap }, "seed \(seed) \(world.digests)")
      }
    }
    for _ in 0..<2 { for folder in folders { try world.exchangeAll(folder.mailbox) } }
    #expect(world.digests.count == 1, "seed \(seed) \(world.digests)")
  }

  @Test func `attack 7: a fork shown to one peer only is known to all after any later exchange`()
    throws
  {
    for (first, second) in [(2, 2), (1, 5), (5, 1)] {
      let folders = (0..<3).map { _ in TemporaryFolder() }
      var world = World(3)
      try world.exchangeAll(folders[0].mailbox)
      let common = try #require(world.replicas[0].stored[world.replicas[0].ownLog]).held.size
      var clone = world.replicas[0]
      world.append(first, to: 0)
      clone.append(world.words(second))
      try world.exchange(0, folders[1].mailbox)
      try world.exchange(1, folders[1].mailbox)
      _ = try folders[2].mailbox.exchange(with: &clone)
      try world.exchange(2, folders[2].mailbox)
      #expect(world.replicas[1].knownForks.isEmpty && world.replicas[2].knownForks.isEmpty)
      // The two whom the forger told different things meet, without her.
      let meeting = TemporaryFolder()
      try world.exchange(1, meeting.mailbox)
      try world.exchange(2, meeting.mailbox)
      let report = try world.exchange(1, meeting.mailbox)
      let forger = world.replicas[0].ownLog
      for index in [1, 2] {
        let proof = try #require(world.replicas[index].knownForks[forger])
        #expect(proof.parting != nil && proof.forkedAt == common)
      }
      #expect(report.findings.contains { $0.kind == .fork(log: forger) })
      // And the forger's first copy hears of it too.
      #expect(try world.exchange(0, meeting.mailbox).isOwnLogAhead)
    }
  }
}

extension Finding {
  var isGap: Bool { if case .gap = kind { true } else { false } }
}
