internal import Cryptography
internal import VerifiableLog

extension Frame {
  /// The frame as it travels: type, length, payload.
  public var bytes: [UInt8] {
    var encoder = CBOREncoder()
    let type = encodePayload(to: &encoder)
    let payload = encoder.bytes
    precondition(payload.count <= type.maximumByteCount, "a writer keeps frames within the limit")
    var frame: [UInt8] = [type.rawValue]
    frame.reserveCapacity(payload.count + FrameReader.headByteCount)
    frame.appendBigEndian(UInt32(payload.count))
    frame += payload
    return frame
  }

  private func encodePayload(to encoder: inout CBOREncoder) -> FrameType {
    switch self {
    case .hello(let hello):
      hello.encode(to: &encoder)
      return .hello
    case .summary(let hash):
      encoder.encodeBytes32(hash)
      return .summary
    case .statements(let items):
      encoder.encodeItems(items)
      return .statements
    case .successions(let items):
      encoder.encodeItems(items)
      return .successions
    case .heads(let heads):
      encoder.encodeArray(heads) { encoder, head in
        encoder.encodeArray(count: 2)
        encoder.encodeBytes32(head.signingKey)
        encoder.encodeBytes(head.note)
      }
      return .heads
    case .range(let range):
      range.encode(to: &encoder)
      return .range
    case .bodies(let bodies):
      encoder.encodeArray(bodies) { encoder, body in
        encoder.encodeArray(count: 3)
        encoder.encodeIdentifier(body.logID)
        encoder.encodeUInt(body.sequence)
        encoder.encodeBytes(body.ciphertext)
      }
      return .bodies
    case .slots(let slots):
      encoder.encodeArray(slots) { encoder, slot in
        encoder.encodeArray(count: 4)
        encoder.encodeIdentifier(slot.logID)
        encoder.encodeUInt(slot.sequence)
        encoder.encodeIdentifier(slot.epoch)
        encoder.encodeBytes(slot.box)
      }
      return .slots
    case .wraps(let items):
      encoder.encodeItems(items)
      return .wraps
    case .forks(let items):
      encoder.encodeItems(items)
      return .forks
    case .blob(let blob):
      blob.encode(to: &encoder)
      return .blob
    case .span(let span):
      span.encode(to: &encoder)
      return .span
    case .end:
      encoder.encodeNull()
      return .end
    }
  }
}

extension CBOREncoder {
  /// An array of items that are encoded already.
  fileprivate mutating func encodeItems(_ items: [[UInt8]]) {
    encodeArray(count: items.count)
    for item in items { encodeEncoded(item) }
  }
}

extension Hello {
  fileprivate func encode(to encoder: inout CBOREncoder) {
    encoder.encodeMap { map in
      map.field(0) { $0.encodeUInt(Hello.version) }
      map.field(1) { $0.encodeIdentifier(tag) }
      map.field(2) { $0.encodeIdentifier(logID) }
    }
  }
}

extension RangeFrame {
  fileprivate func encode(to encoder: inout CBOREncoder) {
    let epochs = entries.epochsInOrder
    encoder.encodeMap(count: 6)
    encoder.encodeUInt(0)
    encoder.encodeIdentifier(logID)
    encoder.encodeUInt(1)
    encoder.encodeUInt(first)
    encoder.encodeUInt(2)
    encoder.encodeArray(count: epochs.list.count)
    for epoch in epochs.list { encoder.encodeIdentifier(epoch) }
    encoder.encodeUInt(3)
    encoder.encodeArray(count: entries.count)
    for entry in entries {
      encoder.encodeArray(count: 4)
      encoder.encodeUInt(UInt64(entry.classByte))
      encoder.encodeBytes32(entry.commitment)
      switch entry.content {
      case .ciphertext(let bytes): encoder.encodeBytes(bytes)
      case .hash(let hash): encoder.encodeBytes32(hash)
      }
      encoder.encodeArray(count: entry.slots.count)
      for slot in entry.slots {
        encoder.encodeArray(count: 2)
        encoder.encodeUInt(UInt64(epochs.indices[slot.epoch] ?? 0))
        encoder.encodeBytes(slot.box)
      }
    }
    encoder.encodeUInt(4)
    encoder.encodeBytes(note)
    encoder.encodeUInt(5)
    encoder.encodeArray(count: proof.count)
    for hash in proof { encoder.encodeBytes32(hash) }
  }
}

extension [WireEntry] {
  /// The epochs that slots name, each once, in the order of their first use.
  var epochsInOrder: (list: [EntryID], indices: [EntryID: Int]) {
    var list: [EntryID] = []
    var indices: [EntryID: Int] = [:]
    for entry in self {
      for slot in entry.slots where indices[slot.epoch] == nil {
        indices[slot.epoch] = list.count
        list.append(slot.epoch)
      }
    }
    return (list, indices)
  }
}

extension BlobFrame {
  fileprivate func encode(to encoder: inout CBOREncoder) {
    encoder.encodeMap { map in
      map.field(0) { $0.encodeIdentifier(root) }
      map.field(1) { $0.encodeUInt(byteCount) }
      map.field(2) { $0.encodeBytes(spanHashes.flatMap(\.bytes)) }
    }
  }
}

extension SpanFrame {
  fileprivate func encode(to encoder: inout CBOREncoder) {
    encoder.encodeMap { map in
      map.field(0) { $0.encodeIdentifier(root) }
      map.field(1) { $0.encodeUInt(index) }
      map.field(2) { $0.encodeBytes(sealed) }
    }
  }
}
