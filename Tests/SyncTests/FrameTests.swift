import Cryptography
import Sync
import Testing
import VerifiableLog

@Suite struct `Frames` {
  static let hello = Frame.hello(
    Hello(tag: MailboxTag(caseID: World.caseID), logID: LogID(SHA256Hash.hash([3]))))

  /// One of each, with everything that it can hold.
  static let samples: [Frame] = {
    let (log, entry, hash) = (LogID(.zero), EntryID(SHA256Hash.hash([1])), SHA256Hash.hash([2]))
    let slot = WireSlot(epoch: entry, box: [UInt8](repeating: 7, count: 48))
    let other = WireSlot(epoch: EntryID(.zero), box: slot.box)
    let entries = [
      WireEntry(classByte: 1, commitment: hash, content: .hash(hash)),
      WireEntry(
        classByte: 255, commitment: .zero,
        content: .ciphertext([UInt8](repeating: 9, count: 272)), slots: [slot, other]),
    ]
    return [
      hello,
      .statements([item(1), [0x82, 0x41, 1] + item(2)]),
      .successions([item(3)]),
      .heads([SignedHead(signingKey: hash, note: [1, 2, 3])]),
      .range(RangeFrame(logID: log, first: 5, entries: entries, note: [1], proof: [hash])),
      .bodies([Body(logID: log, sequence: 3, ciphertext: [1, 2])]),
      .slots([Slot(logID: log, sequence: 1, epoch: entry, box: slot.box)]),
      .wraps([item(4)]),
      .forks([[0x83, 0x40, 0x40, 0x80]]),
      .blob(BlobFrame(root: BlobRoot(hash), byteCount: 65_553, spanHashes: [hash])),
      .span(SpanFrame(root: BlobRoot(hash), index: 1, sealed: [5])),
      .end,
    ].filter { if case .blob = $0 { false } else { true } }
      + [.blob(BlobFrame(root: BlobRoot(hash), byteCount: 65_552, spanHashes: [hash]))]
  }()

  static func read(_ bytes: [UInt8], piece: Int = .max) throws(FrameError) -> [Frame] {
    var reader = FrameReader()
    var frames: [Frame] = []
    var rest = bytes[...]
    while !rest.isEmpty {
      reader.feed(Array(rest.prefix(piece)))
      rest = rest.dropFirst(piece)
      while let frame = try reader.next() { frames.append(frame) }
    }
    try reader.finish()
    return frames
  }

  static func stream(_ frames: [Frame]) -> [UInt8] { frames.flatMap(\.bytes) }

  static let whole = [hello] + samples.filter { $0 != hello && $0 != .end } + [.end]

  @Test(arguments: [1, 2, 7, 1000, Int.max])
  func `come out as they went in, in pieces of any size`(piece: Int) throws {
    #expect(try Self.read(Self.stream(Self.whole), piece: piece) == Self.whole)
  }

  @Test func `what comes before a cut counts frame by frame`() {
    let bytes = Self.stream(Self.whole)
    var ends = [0]
    for frame in Self.whole { ends.append(ends.last! + frame.bytes.count) }
    for length in 0..<bytes.count {
      var reader = FrameReader()
      reader.feed(Array(bytes.prefix(length)))
      var count = 0
      #expect(throws: FrameError.truncated) {
        while try reader.next() != nil { count += 1 }
        try reader.finish()
      }
      #expect(count == ends.lastIndex { $0 <= length }!, "cut at \(length)")
    }
  }

  /// Attacks 4 and 25: whatever the byte, an error or another frame, and never a trap. What decodes is
  /// encoded to the same bytes again, so there are no two spellings of anything.
  @Test func `any one byte may be flipped`() {
    let bytes = Self.stream(Self.whole)
    for index in bytes.indices {
      for bit in 0..<8 {
        var flipped = bytes
        flipped[index] ^= 1 << UInt8(bit)
        do throws(FrameError) {
          let frames = try Self.read(flipped)
          #expect((Self.stream(frames) == flipped) as Bool, "byte \(index), bit \(bit)")
        } catch {
          continue
        }
      }
    }
  }

  /// Attack 27.
  @Test func `lengths are refused before anything is kept for them`() {
    let head = Self.hello.bytes
    let cases: [([UInt8], FrameError)] = [
      ([0x04, 0xff, 0xff, 0xff, 0xff], .tooLong), ([0x04, 1, 0, 0, 1], .tooLong),
      ([0x7f, 0, 0, 0, 2], .tooLong), ([0x55], .unknownType), ([0x0b], .unknownType),
      ([0x01], .misplacedHello), ([0x07, 0, 0, 0, 5, 0x9b, 0xff, 0xff, 0xff, 0xff], .malformed),
      ([0x07, 0, 0, 0, 1, 0xf6], .malformed), ([0x0d, 0, 0, 0, 1, 0xf6], .malformed),
      ([0x0d, 1, 0, 0, 1], .tooLong),
    ]
    for (bytes, error) in cases {
      #expect(throws: error, "\(bytes)") { try Self.read(head + bytes) }
    }
    #expect(throws: FrameError.misplacedHello) { try Self.read(Frame.end.bytes) }
    #expect(throws: FrameError.trailingBytes) { try Self.read(head + Frame.end.bytes + [0]) }
  }

  /// As for everything else with a version: any other one may hold what cannot be judged here.
  @Test func `another version is told from damage`() {
    var bytes = Self.hello.bytes
    // type, length, map, key 0, version
    for version in [0, 2] as [UInt8] {
      bytes[7] = version
      #expect(throws: FrameError.newerVersion) { try Self.read(bytes) }
    }
    bytes[7] = 0x20  // -1
    #expect(throws: FrameError.malformed) { try Self.read(bytes) }
  }

  @Test func `a body is a hash or longer than one, and a blob has as many hashes as spans`() {
    let sample = RangeFrame(
      logID: LogID(.zero), first: 0,
      entries: [
        WireEntry(
          classByte: 1, commitment: .zero, content: .ciphertext([UInt8](repeating: 0, count: 31)))
      ], note: [])
    #expect(throws: FrameError.malformed) {
      try Self.read(Self.stream([Self.hello, .range(sample), .end]))
    }
    let blob = BlobFrame(root: BlobRoot(.zero), byteCount: 65_553 + 16, spanHashes: [.zero])
    #expect(throws: FrameError.malformed) {
      try Self.read(Self.stream([Self.hello, .blob(blob), .end]))
    }
  }

  /// Attacks 21 and 27: more slots, entries or proof hashes than anybody needs.
  @Test(arguments: [65, 64]) func `the number of slots is bounded`(count: Int) throws {
    let slot = WireSlot(epoch: EntryID(.zero), box: [UInt8](repeating: 0, count: 48))
    let entry = WireEntry(
      classByte: 1, commitment: .zero, content: .hash(.zero),
      slots: [WireSlot](repeating: slot, count: count))
    let frame = RangeFrame(logID: LogID(.zero), first: 0, entries: [entry], note: [])
    let bytes = Self.stream([Self.hello, .range(frame), .end])
    if count <= SyncLimits.slotsOfEntry {
      #expect(try Self.read(bytes).count == 3)
    } else {
      #expect(throws: FrameError.malformed) { try Self.read(bytes) }
    }
  }

  /// A byte string of so many bytes with its head.
  private static func string(byteCount: Int) -> [UInt8] {
    if byteCount < 258 {
      return [0x58, UInt8(byteCount - 2)] + [UInt8](repeating: 7, count: byteCount - 2)
    }
    return [0x59, UInt8((byteCount - 3) >> 8), UInt8((byteCount - 3) & 255)]
      + [UInt8](repeating: 7, count: byteCount - 3)
  }

  @Test(arguments: [(4096, 100), (4097, 100), (1, 4096), (1, 4097), (1, 99)])
  func `successions are bounded in number and length`(count: Int, byteCount: Int) throws {
    let item = Self.string(byteCount: byteCount)
    let frame = Frame.successions([[UInt8]](repeating: item, count: count))
    let bytes = Self.stream([Self.hello, frame, .end])
    if count <= SyncLimits.successions, (100...SyncLimits.statementByteCount).contains(byteCount) {
      #expect(try Self.read(bytes)[1] == frame)
    } else {
      #expect(throws: FrameError.malformed) { try Self.read(bytes) }
    }
  }

  /// Each takes memory beside its bytes, for as long as it is held.
  @Test func `none is shorter than the shortest that can be in order`() throws {
    let frames: [([[UInt8]]) -> Frame] = [Frame.statements, Frame.successions, Frame.wraps]
    for frame in frames {
      let least = frame([Self.string(byteCount: 100), Self.string(byteCount: 256)])
      #expect(try Self.read(Self.stream([Self.hello, least, .end]))[1] == least)
      for short in [[0], [0x40], Self.string(byteCount: 99)] {
        let bytes = Self.stream([Self.hello, frame([Self.string(byteCount: 100), short]), .end])
        #expect(throws: FrameError.malformed) { try Self.read(bytes) }
      }
    }
  }

  /// Cut into however many frames: a reader holds all that a head has of a kind.
  @Test(arguments: ["statements", "successions", "heads", "forks", "wraps"])
  func `all frames of a kind hold together no more than one may`(kind: String) throws {
    let fork: [UInt8] = [0x83, 0x40, 0x40, 0x80]
    let head = SignedHead(signingKey: .zero, note: [])
    let frame: (Int) -> Frame = { count in
      let items = [[UInt8]](repeating: Self.string(byteCount: 100), count: count)
      return switch kind {
      case "statements": .statements(items)
      case "successions": .successions(items)
      case "heads": .heads([SignedHead](repeating: head, count: count))
      case "forks": .forks([[UInt8]](repeating: fork, count: count))
      default: .wraps(items)
      }
    }
    let most = ["forks": 1024, "wraps": 131_072][kind] ?? 4096
    let good = [Self.hello, frame(most / 2), .range(Self.range), frame(most / 2), frame(0), .end]
    #expect(try Self.read(Self.stream(good)) == good)
    var reader = FrameReader()
    reader.feed(Self.stream([Self.hello, frame(most / 2), frame(most / 2 + 1), .end]))
    #expect(try reader.next() == Self.hello)
    #expect(try reader.next() == frame(most / 2))
    #expect(throws: FrameError.malformed) { try reader.next() }
  }

  private static let range = RangeFrame(
    logID: LogID(.zero), first: 0,
    entries: [WireEntry(classByte: 1, commitment: .zero, content: .hash(.zero))], note: [])

  @Test func `the number of entries and of proof hashes is bounded`() {
    let entry = WireEntry(classByte: 1, commitment: .zero, content: .hash(.zero))
    let long = RangeFrame(
      logID: LogID(.zero), first: 0, entries: [WireEntry](repeating: entry, count: 4097), note: [])
    let proof = RangeFrame(
      logID: LogID(.zero), first: 0, entries: [entry], note: [],
      proof: [Bytes32](repeating: .zero, count: 65))
    for frame in [long, proof] {
      #expect(throws: FrameError.malformed) {
        try Self.read(Self.stream([Self.hello, .range(frame), .end]))
      }
    }
  }
}
