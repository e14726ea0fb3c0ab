public import Cryptography
internal import VerifiableLog

/// Cuts a run of a log into range frames, each of which verifies alone.
public struct RangeSender: Sendable {
  /// About as many bytes go into a frame before the next begins.
  public static let byteBudget = 4 << 20

  private let log: HeldLog
  private let head: HeldHead
  private var rest: Range<UInt64>
  private var subtrees = SubtreeHashes()

  /// Sends `run` of a log under its newest head; nil where the head does not cover it.
  public init?(_ run: Range<UInt64>, of log: HeldLog) {
    guard let head = log.head, run.upperBound <= head.size else { return nil }
    self.log = log
    self.head = head
    rest = run.clamped(to: 0..<head.size)
  }

  /// The next frame, or nil after the last.
  public mutating func next<R: Replica>(_ replica: R) throws(R.Failure) -> RangeFrame? {
    guard !rest.isEmpty else { return nil }
    let entries = RangeSender.fitting(
      try replica.entries(of: log.id, in: rest, byteBudget: RangeSender.byteBudget))
    guard !entries.isEmpty else { return nil }
    let first = rest.lowerBound
    let end = first + UInt64(entries.count)
    rest = end..<max(end, rest.upperBound)
    return RangeFrame(
      logID: log.id, first: first, entries: Array(entries), note: head.note,
      proof: try proof(from: end, replica))
  }

  private mutating func proof<R: Replica>(
    from end: UInt64, _ replica: R
  ) throws(R.Failure) -> [Bytes32] {
    guard end < head.size else { return [] }
    return try MerkleTree.consistencyProof(from: end, to: head.size) {
      (subtree) throws(R.Failure) in
      try subtrees.hash(of: subtree) { (run) throws(R.Failure) in
        try replica.leaves(of: log.id, in: run).map(\.hash)
      }
    }
  }

  /// The leading entries that one frame may hold, with as many slots as a reader takes.
  private static func fitting(_ entries: [WireEntry]) -> ArraySlice<WireEntry> {
    let entries = entries.prefix(SyncLimits.entriesOfRange).map { entry in
      guard entry.slots.count > SyncLimits.slotsOfEntry else { return entry }
      return WireEntry(
        classByte: entry.classByte, commitment: entry.commitment, content: entry.content,
        slots: Array(entry.slots.prefix(SyncLimits.slotsOfEntry)))
    }
    var epochs: Set<EntryID> = []
    var bytes = 0
    var count = 0
    for entry in entries {
      epochs.formUnion(entry.slots.map(\.epoch))
      bytes += entry.byteCount
      let fits =
        epochs.count <= SyncLimits.epochsOfRange && bytes <= SyncLimits.payloadByteCount / 2
      guard fits || count == 0 else { break }
      count += 1
    }
    return entries.prefix(count)
  }
}

/// What a device says about itself and others, as it stands in its `head`.
public struct OwnHead: Sendable {
  /// The whole file.
  public let bytes: [UInt8]
  /// Where `hello` and the summary stand in it. In the head of another device that says the same, the summary stands
  /// in the same place and is the same.
  public let start: (hello: Range<Int>, summary: Range<Int>)
  /// What the frames come to.
  public let summary: Bytes32
  /// The logs that it proves to have forked.
  let forkedLogs: [LogID]

  /// What this device would write now.
  public init<R: Replica>(_ replica: R) throws(R.Failure) {
    let forks = try replica.forks()
    forkedLogs = forks.map(\.log.id)
    let frames = try HeadSender.frames(replica, forks: forks.map(\.bytes))
    summary = Frame.summary(of: frames)
    let hello = Hello(tag: MailboxTag(caseID: replica.caseID), logID: replica.ownLog)
    let first = Frame.hello(hello).bytes
    let second = Frame.summary(summary).bytes
    start = (0..<first.count, first.count..<first.count + second.count)
    bytes = first + second + frames.joined() + Frame.end.bytes
  }
}

extension Frame {
  /// What frames come to that stand between a summary and `end`, each as it travels.
  public static func summary(of frames: [[UInt8]]) -> Bytes32 {
    var hash = DomainHasher(.head)
    for frame in frames { hash.add(frame) }
    return hash.finalize()
  }
}

/// What there is room for in a `head`, so that whatever a member did nobody's is longer than readers take. Sync.md, "A
/// folder as a mailbox".
enum HeadRoom {
  /// Bytes of the statements, of the successions and of the fork proofs: each four times what a large case has.
  static let notes = 2 << 20
  /// Bytes of the heads with their receipts.
  static let heads = 4 << 20
  /// Bytes of a wrap for a member. One for the kit has fewer.
  static let wrap = 151
  /// Bytes of everything else: `hello`, the summary, `end`, and what frames begin with.
  static let rest = 4096
}

/// Cuts into frames what there is to say and to share.
public enum HeadSender {
  /// Everything between the summary and `end`, each frame as it travels. Two copies that hold the same say it in the
  /// same bytes: what the replica gives is in an order that follows from it.
  static func frames<R: Replica>(
    _ replica: R, forks: [[UInt8]]
  ) throws(R.Failure) -> [[UInt8]] {
    let statements = shortest(try replica.statements(), HeadRoom.notes, \.count)
    let successions = shortest(try replica.successions(), HeadRoom.notes, \.count)
    let heads = shortest(try replica.heads(), HeadRoom.heads) { $0.note.count + 40 }
    let forks = shortest(forks, HeadRoom.notes, \.count)
    var frames: [Frame] = []
    frames += parts(statements, max: SyncLimits.statements, \.count).map(Frame.statements)
    frames += parts(successions, max: SyncLimits.successions, \.count).map(Frame.successions)
    frames += parts(heads, max: SyncLimits.heads) { $0.note.count + 40 }.map(Frame.heads)
    frames += parts(forks, max: SyncLimits.members, \.count).map(Frame.forks)
    var written = frames.map(\.bytes)
    let rest = SyncLimits.headFileByteCount - HeadRoom.rest - written.reduce(0) { $0 + $1.count }
    // Last, since they are the most: a reader that stops early has all the rest.
    let wraps = try replica.wraps(atMost: min(rest / HeadRoom.wrap, SyncLimits.itemsOfFrame))
    written += parts(wraps, max: SyncLimits.itemsOfFrame, \.count).map { Frame.wraps($0).bytes }
    return written
  }

  /// What fits into so many bytes, in the order it came in. The longest are left out first: no honest device makes them
  /// long.
  private static func shortest<Item>(
    _ items: [Item], _ room: Int, _ byteCount: (Item) -> Int
  ) -> [Item] {
    let sizes = items.map(byteCount)
    guard sizes.reduce(0, +) > room else { return items }
    var rest = room
    var isLeftOut = [Bool](repeating: false, count: items.count)
    for index in items.indices.sorted(by: { (sizes[$0], $0) < (sizes[$1], $1) }) {
      rest -= sizes[index]
      isLeftOut[index] = rest < 0
    }
    return zip(items, isLeftOut).filter { !$0.1 }.map(\.0)
  }

  /// The slots and ciphertexts of a part of a share, as frames.
  public static func frames(_ content: ShareContent) -> [Frame] {
    let slots = parts(content.slots, max: SyncLimits.itemsOfFrame) { _ in Slot.byteCount + 88 }
    let bodies = parts(content.bodies, max: SyncLimits.itemsOfFrame) { $0.ciphertext.count + 50 }
    return slots.map(Frame.slots) + bodies.map(Frame.bodies)
  }

  /// Cuts items into parts that each fit into a frame.
  private static func parts<Item>(
    _ items: [Item], max: Int, _ byteCount: (Item) -> Int
  ) -> [[Item]] {
    var parts: [[Item]] = []
    var part: [Item] = []
    var bytes = 0
    for item in items {
      let size = byteCount(item)
      if part.count == max || bytes + size > SyncLimits.payloadByteCount - 1024 {
        parts.append(part)
        part = []
        bytes = 0
      }
      part.append(item)
      bytes += size
    }
    return part.isEmpty ? parts : parts + [part]
  }
}
