internal import Cryptography
internal import VerifiableLog

extension Frame {
  /// The frame of this type with this payload.
  init(_ type: FrameType, payload: [UInt8]) throws(FrameError) {
    do throws(CBORError) {
      var decoder = CBORDecoder(
        payload, limits: CBORLimits(maximumByteCount: type.maximumByteCount))
      let decoded = try Frame.decode(type, from: &decoder)
      try decoder.finish()
      self = decoded
    } catch {
      throw .malformed
    }
  }

  private static func decode(
    _ type: FrameType, from decoder: inout CBORDecoder
  ) throws(CBORError) -> Frame {
    switch type {
    case .hello: .hello(try Hello(from: &decoder))
    case .summary: .summary(try decoder.readBytes32())
    case .statements:
      .statements(
        try decoder.readItems(
          max: SyncLimits.statements, longest: SyncLimits.statementByteCount))
    case .successions:
      .successions(
        try decoder.readItems(
          max: SyncLimits.successions, longest: SyncLimits.statementByteCount))
    case .heads: .heads(try decoder.readEach(max: SyncLimits.heads, SignedHead.decode))
    case .range: .range(try RangeFrame(from: &decoder))
    case .bodies: .bodies(try decoder.readEach(max: SyncLimits.itemsOfFrame, Body.decode))
    case .slots: .slots(try decoder.readEach(max: SyncLimits.itemsOfFrame, Slot.decode))
    case .wraps:
      .wraps(
        try decoder.readItems(max: SyncLimits.itemsOfFrame, longest: SyncLimits.wrapByteCount))
    case .forks:
      .forks(try Frame.checkedForks(from: &decoder))
    case .blob: .blob(try BlobFrame(from: &decoder))
    case .span: .span(try SpanFrame(from: &decoder))
    case .end:
      try Frame.decodeEnd(from: &decoder)
    }
  }

  /// Fork proofs that have the form of one; what each proves is looked at with the log that it is about.
  private static func checkedForks(
    from decoder: inout CBORDecoder
  ) throws(CBORError) -> [[UInt8]] {
    let forks = try decoder.readItems(
      max: SyncLimits.members, shortest: 0, longest: SyncLimits.forkByteCount)
    guard forks.allSatisfy(ForkProof.isWellFormed) else { throw .outOfRange }
    return forks
  }

  private static func decodeEnd(from decoder: inout CBORDecoder) throws(CBORError) -> Frame {
    try decoder.readNull()
    return .end
  }
}

extension CBORDecoder {
  /// The next key of a record; the caller has read how many there are.
  fileprivate mutating func expectKey(_ key: UInt64) throws(CBORError) {
    guard try readUInt() == key else { throw .outOfRange }
  }

  fileprivate mutating func readEach<Element>(
    max: Int, _ body: (inout CBORDecoder) throws(CBORError) -> Element
  ) throws(CBORError) -> [Element] {
    let count = try readArray(max: max)
    var elements: [Element] = []
    elements.reserveCapacity(count)
    for _ in 0..<count { elements.append(try body(&self)) }
    return elements
  }

  /// Items that stay encoded.
  fileprivate mutating func readItems(
    max: Int, shortest: Int = SyncLimits.leastItemByteCount, longest: Int
  ) throws(CBORError) -> [[UInt8]] {
    try readEach(max: max) { (decoder) throws(CBORError) in
      let start = decoder.offset
      let item = try decoder.readEncoded()
      guard (shortest...longest).contains(decoder.offset - start) else { throw .unexpectedLength }
      return item
    }
  }
}

extension Hello {
  fileprivate init(from decoder: inout CBORDecoder) throws(CBORError) {
    try decoder.readMap(count: 3)
    try decoder.expectKey(0)
    guard try decoder.readUInt() == Hello.version else { throw .outOfRange }
    try decoder.expectKey(1)
    let tag = try decoder.readIdentifier(MailboxTag.self)
    try decoder.expectKey(2)
    self.init(tag: tag, logID: try decoder.readIdentifier())
  }

  /// Whether a payload that does not decode is a `hello` of a higher version.
  static func isNewer(_ payload: [UInt8]) -> Bool {
    var decoder = CBORDecoder(payload, limits: CBORLimits(maximumByteCount: 128))
    do throws(CBORError) {
      guard try decoder.readMap(max: 64) > 0, try decoder.readUInt() == 0 else { return false }
      return try decoder.readUInt() != Hello.version
    } catch {
      return false
    }
  }
}

extension SignedHead {
  fileprivate static func decode(
    _ decoder: inout CBORDecoder
  ) throws(CBORError) -> SignedHead {
    try decoder.readArray(count: 2)
    let key = try decoder.readBytes32()
    return SignedHead(signingKey: key, note: try decoder.readBytes(max: SyncLimits.noteByteCount))
  }
}

extension Body {
  fileprivate static func decode(_ decoder: inout CBORDecoder) throws(CBORError) -> Body {
    try decoder.readArray(count: 3)
    let log = try decoder.readIdentifier(LogID.self)
    let sequence = try decoder.readUInt()
    let ciphertext = try decoder.readBytes(max: SyncLimits.ciphertextByteCount)
    return Body(logID: log, sequence: sequence, ciphertext: ciphertext)
  }
}

extension Slot {
  fileprivate static func decode(_ decoder: inout CBORDecoder) throws(CBORError) -> Slot {
    try decoder.readArray(count: 4)
    let log = try decoder.readIdentifier(LogID.self)
    let sequence = try decoder.readUInt()
    let epoch = try decoder.readIdentifier(EntryID.self)
    return Slot(
      logID: log, sequence: sequence, epoch: epoch,
      box: try decoder.readBytes(count: Slot.byteCount))
  }
}

extension RangeFrame {
  fileprivate init(from decoder: inout CBORDecoder) throws(CBORError) {
    try decoder.readMap(count: 6)
    try decoder.expectKey(0)
    let log = try decoder.readIdentifier(LogID.self)
    try decoder.expectKey(1)
    let first = try decoder.readUInt(max: UInt64(UInt32.max))
    try decoder.expectKey(2)
    let epochs = try decoder.readEach(max: SyncLimits.epochsOfRange) { (d) throws(CBORError) in
      try d.readIdentifier(EntryID.self)
    }
    try decoder.expectKey(3)
    let entries = try decoder.readEach(max: SyncLimits.entriesOfRange) { (d) throws(CBORError) in
      try WireEntry(from: &d, epochs: epochs)
    }
    guard !entries.isEmpty else { throw .unexpectedLength }
    guard first + UInt64(entries.count) <= SyncLimits.entriesOfLog else { throw .outOfRange }
    // So that a range has one encoding only: each epoch once, in the order of their first use.
    guard entries.epochsInOrder.list == epochs else { throw .outOfRange }
    try decoder.expectKey(4)
    let note = try decoder.readBytes(max: SyncLimits.noteByteCount)
    try decoder.expectKey(5)
    let proof = try decoder.readEach(max: SyncLimits.proofHashes) { (d) throws(CBORError) in
      try d.readBytes32()
    }
    self.init(logID: log, first: first, entries: entries, note: note, proof: proof)
  }
}

extension WireEntry {
  fileprivate init(from decoder: inout CBORDecoder, epochs: [EntryID]) throws(CBORError) {
    try decoder.readArray(count: 4)
    let classByte = UInt8(truncatingIfNeeded: try decoder.readUInt(max: UInt64(UInt8.max)))
    let commitment = try decoder.readBytes32()
    let body = try decoder.readBytes(max: SyncLimits.ciphertextByteCount)
    let slots = try decoder.readEach(max: SyncLimits.slotsOfEntry) { (d) throws(CBORError) in
      try d.readArray(count: 2)
      let index = Int(try d.readUInt(max: UInt64(SyncLimits.epochsOfRange)))
      guard epochs.indices.contains(index) else { throw .outOfRange }
      return WireSlot(epoch: epochs[index], box: try d.readBytes(count: Slot.byteCount))
    }
    // A ciphertext is never as short as a hash, so the length tells which of them it is.
    let content = Bytes32(body).map(Content.hash) ?? .ciphertext(body)
    guard body.count >= Bytes32.byteCount else { throw .unexpectedLength }
    self.init(classByte: classByte, commitment: commitment, content: content, slots: slots)
  }
}

extension BlobFrame {
  fileprivate init(from decoder: inout CBORDecoder) throws(CBORError) {
    try decoder.readMap(count: 3)
    try decoder.expectKey(0)
    let root = try decoder.readIdentifier(BlobRoot.self)
    try decoder.expectKey(1)
    let byteCount = try decoder.readUInt(max: SyncLimits.blobByteCount)
    try decoder.expectKey(2)
    let joined = try decoder.readBytes(max: SyncLimits.payloadByteCount)
    guard let count = BlobTree.spanCount(sealedByteCount: byteCount),
      UInt64(joined.count) == count * UInt64(Bytes32.byteCount)
    else { throw .unexpectedLength }
    self.init(root: root, byteCount: byteCount, spanHashes: Bytes32.list(joined))
  }
}

extension SpanFrame {
  fileprivate init(from decoder: inout CBORDecoder) throws(CBORError) {
    try decoder.readMap(count: 3)
    try decoder.expectKey(0)
    let root = try decoder.readIdentifier(BlobRoot.self)
    try decoder.expectKey(1)
    let index = try decoder.readUInt(max: SyncLimits.blobByteCount)
    try decoder.expectKey(2)
    self.init(
      root: root, index: index, sealed: try decoder.readBytes(max: BlobTree.spanByteCount))
  }
}
