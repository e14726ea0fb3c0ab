import Cryptography
import Support
import Sync
import Testing
import VerifiableLog

/// A log's owner in these tests, and readers of her log.
private struct Owner {
  var replica: MemoryReplica
  var generator: SplitMix64

  init(seed: UInt64 = 1) {
    let device = TestDevice(seed: 1)
    replica = MemoryReplica(device, caseID: World.caseID, founder: device)
    generator = SplitMix64(state: seed)
  }

  var log: HeldLog { replica.stored[replica.ownLog]!.held }

  mutating func append(_ count: Int) {
    replica.append((0..<count).map { _ in [0] + generator.bytes(40) })
  }

  /// The frames of a run, each of at most so many entries.
  func frames(_ run: Range<UInt64>, each: Int = 4096) throws -> [RangeFrame] {
    var sender = try #require(RangeSender(run, of: log))
    var limited = replica
    limited.entriesAtOnce = each
    var frames: [RangeFrame] = []
    while let frame = try sender.next(limited) { frames.append(frame) }
    return frames
  }

  func frame(_ run: Range<UInt64>) throws -> RangeFrame { try #require(try frames(run).first) }

  /// A reader who holds nothing but knows the key.
  var reader: MemoryReplica {
    MemoryReplica(TestDevice(seed: 2), caseID: World.caseID, founder: replica.device)
  }
}

extension MemoryReplica {
  fileprivate mutating func take(_ frame: RangeFrame) throws -> RangeVerdict {
    var verifier = RangeVerifier(stored[frame.logID]!.held)
    let verdict = try verify(frame, &verifier)
    if case .verified(let range) = verdict { _ = try accept(range) }
    return verdict
  }

  fileprivate func verify(
    _ frame: RangeFrame, _ verifier: inout RangeVerifier
  ) throws(Failure) -> RangeVerdict {
    try verifier.verify(frame) { (run) throws(Failure) in try leaves(of: frame.logID, in: run) }
  }

  fileprivate func size(_ owner: Owner) -> UInt64 { stored[owner.log.id]!.held.size }
}

extension RangeVerdict {
  fileprivate var newEntries: Int? {
    if case .verified(let range) = self { range.newEntries.count } else { nil }
  }
  fileprivate var fault: RangeFault? { if case .fault(let fault) = self { fault } else { nil } }
  fileprivate var fork: ForkProof? { if case .fork(let proof) = self { proof } else { nil } }
  fileprivate var gap: UInt64? { if case .gap(let size) = self { size } else { nil } }
}

extension RangeFrame {
  fileprivate func with(
    first: UInt64? = nil, entries: [WireEntry]? = nil, note: [UInt8]? = nil, proof: [Bytes32]? = nil
  ) -> RangeFrame {
    RangeFrame(
      logID: logID, first: first ?? self.first, entries: entries ?? self.entries,
      note: note ?? self.note, proof: proof ?? self.proof)
  }
}

@Suite struct `A range is verified against what is held` {
  @Test func `attack 1: a replay is a no-op`() throws {
    var owner = Owner()
    owner.append(5)
    var reader = owner.reader
    let frame = try owner.frame(0..<5)
    #expect(try reader.take(frame).newEntries == 5)
    let before = reader.digest()
    #expect(try reader.take(frame).newEntries == 0)
    #expect(reader.digest() == before)
  }

  @Test func `ranges may overlap in any way`() throws {
    var owner = Owner()
    owner.append(20)
    for start in UInt64(0)..<20 {
      for end in (start + 1)...20 {
        var reader = owner.reader
        _ = try reader.take(try owner.frame(0..<9))
        let verdict = try reader.take(try owner.frame(start..<end))
        if start > 9 {
          #expect(verdict.gap == 9)
        } else {
          #expect(verdict.newEntries == max(0, Int(end) - 9))
        }
      }
    }
  }

  @Test func `a range is cut into frames that each verify`() throws {
    var owner = Owner()
    owner.append(70)
    for each in [1, 3, 16, 33] {
      var reader = owner.reader
      for frame in try owner.frames(0..<70, each: each) {
        #expect(try reader.take(frame).newEntries == frame.entries.count)
      }
      #expect(reader.stored[owner.log.id]?.held == owner.log)
    }
  }

  @Test func `attacks 3 and 5: an entry dropped, swapped, added or altered spoils the whole range`()
    throws
  {
    var owner = Owner()
    owner.append(6)
    let frame = try owner.frame(0..<6)
    let entries = frame.entries
    var swapped = entries
    swapped.swapAt(1, 2)
    let altered = WireEntry(
      classByte: 3, commitment: entries[4].commitment, content: entries[4].content)
    let variants = [
      Array(entries.dropLast()), Array(entries.dropFirst()), entries + [entries[0]], swapped,
      entries[..<4] + [altered] + entries[5...], Array(entries[..<2] + entries[3...]),
    ]
    for variant in variants {
      var reader = owner.reader
      #expect(try reader.take(frame.with(entries: Array(variant))).fault != nil)
      #expect(reader.size(owner) == 0)
    }
  }

  @Test func `attack 4: any one byte of a frame flipped leaves nothing, or what was said anyway`()
    throws
  {
    var owner = Owner()
    owner.append(3)
    let hello = Frames.hello.bytes
    let bytes = Frame.range(try owner.frame(0..<3)).bytes
    for index in bytes.indices {
      var flipped = bytes
      flipped[index] ^= 0x10
      var reader = owner.reader
      do {
        let frames = try Frames.read(hello + flipped + Frame.end.bytes)
        guard case .range(let frame) = frames[1], frame.logID == owner.log.id else { continue }
        let verdict = try reader.take(frame)
        // Slots and signature lines of others stand outside of what is signed.
        #expect(verdict.newEntries == nil || frame.entries.map(\.commitment).count == 3)
        if verdict.newEntries != nil {
          #expect(reader.stored[owner.log.id]?.leaves == owner.replica.stored[owner.log.id]?.leaves)
        }
      } catch is FrameError {
        continue
      }
    }
  }

  @Test func `attacks 8 and 9: entries of another log or case do not fit`() throws {
    var owner = Owner()
    owner.append(4)
    let frame = try owner.frame(0..<4)
    var reader = owner.reader
    reader.admit(
      TestDevice(seed: 3).signingKey.publicKey, TestDevice(seed: 3).receiptKey.publicKey)
    let other = TestDevice(seed: 3).identity(in: World.caseID).id
    let spliced = RangeFrame(logID: other, first: 0, entries: frame.entries, note: frame.note)
    #expect(try reader.take(spliced).fault == .badNote)
    // The same device in another case has another log, of which this note is none.
    var elsewhere = MemoryReplica(
      TestDevice(seed: 2), caseID: .zero, founder: owner.replica.device)
    let id = owner.replica.device.identity(in: .zero).id
    let replayed = RangeFrame(logID: id, first: 0, entries: frame.entries, note: frame.note)
    #expect(try elsewhere.take(replayed).fault == .badNote)
  }

  @Test func `attack 10: a gap is answered with the own size`() throws {
    var owner = Owner()
    owner.append(10)
    var reader = owner.reader
    _ = try reader.take(try owner.frame(0..<3))
    #expect(try reader.take(try owner.frame(5..<10)).gap == 3)
    #expect(reader.size(owner) == 3)
  }

  @Test func `attack 43: bad or missing proofs are the mailbox's fault, never a fork`() throws {
    var owner = Owner()
    owner.append(30)
    let frame = try #require(try owner.frames(0..<30, each: 10).first)
    var other = Owner(seed: 9)
    other.append(30)
    let lies = [
      frame.with(proof: []), frame.with(proof: Array(frame.proof.dropLast())),
      frame.with(proof: frame.proof + [.zero]), frame.with(proof: frame.proof.reversed()),
      frame.with(note: []), frame.with(note: [UInt8](repeating: 10, count: 100)),
      frame.with(note: frame.note.dropLast(9) + [10]),
      // Entries that the owner never wrote, under a note that she did sign.
      frame.with(entries: try other.frame(0..<10).entries),
      frame.with(entries: try other.frame(0..<30).entries),
    ]
    for held in [0, 5, 10, 30] as [UInt64] {
      for (index, lie) in lies.enumerated() {
        var reader = owner.reader
        if held > 0 { _ = try reader.take(try owner.frame(0..<held)) }
        let verdict = try reader.take(lie)
        // What is held already needs no proof: equal leaves are proof enough.
        #expect(verdict.fork == nil, "lie \(index) at \(held)")
        #expect(verdict.newEntries ?? 0 == 0, "lie \(index) at \(held)")
        #expect(reader.size(owner) == held)
      }
    }
  }
}

@Suite struct `Two histories of one log` {
  /// Owners who agree up to a size and then do not: one key, two copies.
  private func branches(common: Int, first: Int, second: Int) -> (Owner, Owner) {
    var one = Owner()
    if common > 0 { one.append(common) }
    var other = one
    other.generator = SplitMix64(state: 77)
    one.append(first)
    other.append(second)
    return (one, other)
  }

  @Test func `attack 6: every pair of sizes gives a proof that others can check`() throws {
    for common in [0, 1, 3, 4, 7, 8] {
      for first in 1...6 {
        for second in 1...6 {
          let (one, other) = branches(common: common, first: first, second: second)
          var reader = one.reader
          _ = try reader.take(try one.frame(0..<one.log.size))
          let verdict = try reader.take(try other.frame(0..<other.log.size))
          let proof = try #require(verdict.fork, "\(common) \(first) \(second)")
          let again = try ForkProof(parsing: proof.bytes, of: one.log.identity)
          #expect(again.smaller.size == min(one.log.size, other.log.size))
          #expect(again.parting != nil && again.forkedAt == UInt64(common))
          #expect(reader.size(one) == one.log.size)
        }
      }
    }
  }

  @Test func `the other history may come in many frames`() throws {
    for (first, second) in [(3, 40), (40, 3), (17, 17), (20, 60)] {
      for each in [1, 7, 16] {
        let (one, other) = branches(common: 5, first: first, second: second)
        var reader = one.reader
        _ = try reader.take(try one.frame(0..<one.log.size))
        var verifier = RangeVerifier(try #require(reader.stored[one.log.id]?.held))
        var proof: ForkProof?
        for frame in try other.frames(0..<other.log.size, each: each) where proof == nil {
          let verdict = try reader.verify(frame, &verifier)
          #expect(verdict.fault == nil)
          proof = verdict.fork
        }
        #expect(proof?.forkedAt == 5, "\(first) \(second) \(each)")
      }
    }
  }

  @Test func `a head that is no larger proves the fork alone, a larger one nothing`() throws {
    for size in 1...12 {
      let (one, other) = branches(common: 4, first: 6, second: size)
      var reader = one.reader
      _ = try reader.take(try one.frame(0..<10))
      var verifier = RangeVerifier(try #require(reader.stored[one.log.id]?.held))
      let head = try VerifiedCheckpoint(
        verifying: try #require(other.log.head).note, of: one.log.identity)
      let verdict = try verifier.judge(head: head) { (run) throws(MemoryReplica.Failure) in
        try reader.leaves(of: one.log.id, in: run)
      }
      switch verdict {
      case .fork: #expect(other.log.size <= 10)
      case .ahead: #expect(other.log.size > 10)
      default: Issue.record("size \(size)")
      }
    }
  }

  @Test func `a continuation of the other history does not connect and is no proof`() throws {
    let (one, other) = branches(common: 4, first: 3, second: 9)
    var reader = one.reader
    _ = try reader.take(try one.frame(0..<7))
    #expect(try reader.take(try other.frame(7..<13)).fault == .doesNotConnect)
  }
}
