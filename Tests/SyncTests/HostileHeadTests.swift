import Foundation
import Mailboxes
import Support
import Sync
import Testing

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Heads that hold more frames than anybody writes.
@Suite struct `A head of many frames` {
  private let folder = TemporaryFolder()

  /// Puts frames into the head of a copy, before what else stands in it, and no summary.
  private func crowd(_ replica: MemoryReplica, with frames: [Frame]) throws {
    let name = try #require(folder.files().first { $0.hasSuffix("-\(replica.name)/head") })
    let whole = try Frames.read(folder.read(name))
    try folder.write(Frames.stream([whole[0]] + frames + whole.dropFirst(2)), to: name)
  }

  @Test func `is judged once of each kind, and can be given up between`() throws {
    var world = World(2)
    try world.exchangeAll(folder.mailbox)
    try crowd(world.replicas[1], with: (0..<50).map { .wraps([item($0)]) })
    let counter = Counter()
    var reader = world.replicas[0]
    reader.takings = counter
    var copy = reader
    let before = reader.knownWraps.count
    _ = try folder.mailbox.exchange(with: &reader)
    #expect(reader.knownWraps.count == before + 50)
    // Statements and wraps of her head and of the own one, and once more since something was new.
    #expect(counter.count <= 8)
    let start = counter.count
    do {
      _ = try folder.mailbox.exchange(
        with: &copy, progress: { _ in }, isCancelled: { counter.count > start })
      Issue.record("it was not given up")
    } catch ExchangeError<MemoryReplica.Failure>.mailbox(.cancelled) {}
    #expect(counter.count == start + 1)
    #expect(copy.knownWraps.count == before)
  }

  /// Readers take no more than 16 MiB of a head: whatever somebody had others carry, it must not be theirs that are cut.
  @Test func `is never longer than readers take, and what is long stays out of it`() throws {
    var world = World(1)
    let honest = item(7)
    world.replicas[0].knownSuccessions = Self.items(1024, [0x59, 0x0f, 0xfd], byteCount: 4096)
    world.replicas[0].knownSuccessions.insert(honest)
    world.replicas[0].knownWraps = Self.items(120_000, [0x58, 149], byteCount: 151)
    let head = try OwnHead(world.replicas[0]).bytes
    #expect((15 << 20)...(16 << 20) ~= head.count)
    let frames = try Frames.read(head)
    #expect(frames.last == .end)
    let successions = frames.flatMap { frame -> [[UInt8]] in
      if case .successions(let all) = frame { return all }
      return []
    }
    #expect(successions.contains(honest))
    #expect((500...512) ~= successions.count)
  }

  /// Byte strings of CBOR that begin so and differ in what comes then.
  private static func items(_ count: Int, _ head: [UInt8], byteCount: Int) -> Set<[UInt8]> {
    var items: Set<[UInt8]> = []
    for number in 0..<count {
      var item = head + [UInt8(number & 255), UInt8(number >> 8 & 255), UInt8(number >> 16)]
      item += [UInt8](repeating: 0, count: byteCount - item.count)
      items.insert(item)
    }
    return items
  }

  /// Eight times the frames: eight times the work, and not sixty times.
  @Test func `takes as long as it is to whoever looks for a case in a folder`() throws {
    var world = World(1)
    try world.exchangeAll(folder.mailbox)
    let name = try #require(folder.files().first { $0.hasSuffix("/head") })
    let whole = folder.read(name)
    var least = [UInt64.max, .max]
    // With the statement that is there already, as many as a head may hold.
    for (index, count) in [511, 4095].enumerated() {
      let frames = (0..<count).map { number in
        let bytes = [UInt8(number & 255), UInt8(number >> 8)]
        return Frame.statements([[0x58, 98] + bytes + [UInt8](repeating: 0, count: 96)])
      }
      try folder.write(whole, to: name)
      try crowd(world.replicas[0], with: frames)
      for _ in 0..<3 {
        let start = Self.time
        let found = try folder.mailbox.cases()
        least[index] = min(least[index], Self.time - start)
        #expect(found.first?.statements.count == count + 1)
      }
    }
    #expect(least[1] < least[0] * 24, "\(least)")
  }

  /// What this thread has had of a processor, in nanoseconds: others that are busy change nothing.
  private static var time: UInt64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}
