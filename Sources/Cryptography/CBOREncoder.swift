/// Writes deterministic CBOR, item after item:
///
///     var encoder = CBOREncoder()
///     encoder.encodeMap { map in
///       map.field(1) { $0.encodeBytes(identifier.bytes) }
///       map.field(2) { $0.encodeUInt(7) }
///     }
///     return encoder.bytes
///
/// Nothing here fails: what cannot be encoded (unsorted keys) is a bug of the caller and traps.
public struct CBOREncoder: Sendable {
  /// Everything encoded so far.
  public private(set) var bytes: [UInt8] = []

  /// Nothing yet.
  public init() {}

  /// An unsigned integer.
  public mutating func encodeUInt(_ value: UInt64) {
    encodeHead(MajorType.unsigned, value)
  }

  /// An integer of either sign.
  public mutating func encodeInt(_ value: Int64) {
    if value >= 0 {
      encodeHead(MajorType.unsigned, UInt64(value))
    } else {
      // Major type 1 encodes n as -1 - n, which in two's complement is the complement of the bits.
      encodeHead(MajorType.negative, UInt64(bitPattern: ~value))
    }
  }

  /// A byte string.
  public mutating func encodeBytes(_ value: RawSpan) {
    encodeHead(MajorType.bytes, UInt64(value.byteCount))
    bytes.append(value)
  }

  /// A byte string.
  public mutating func encodeBytes(_ value: [UInt8]) { encodeBytes(unsafe value.span.bytes) }

  /// A byte string of 32 bytes.
  public mutating func encodeBytes32(_ value: Bytes32) { value.withBytes { encodeBytes($0) } }

  /// A byte string of 32 bytes.
  public mutating func encodeIdentifier(_ value: some Identifier32) { encodeBytes32(value.raw) }

  /// Text, as it is: no normalisation.
  public mutating func encodeText(_ value: String) {
    encodeHead(MajorType.text, UInt64(value.utf8.count))
    bytes.append(contentsOf: value.utf8)
  }

  /// True or false.
  public mutating func encodeBool(_ value: Bool) {
    encodeHead(MajorType.simple, value ? SimpleValue.true : SimpleValue.false)
  }

  /// Null.
  public mutating func encodeNull() { encodeHead(MajorType.simple, SimpleValue.null) }

  /// The start of an array; exactly `count` items must follow.
  public mutating func encodeArray(count: Int) { encodeHead(MajorType.array, UInt64(count)) }

  /// An array of `elements`, each encoded by `body` as one item.
  public mutating func encodeArray<S: Sequence>(
    _ elements: S, _ body: (inout CBOREncoder, S.Element) -> Void
  ) {
    var items = CBOREncoder()
    var count = 0
    for element in elements {
      body(&items, element)
      count += 1
    }
    encodeArray(count: count)
    bytes.append(contentsOf: items.bytes)
  }

  /// The start of a map; exactly `count` pairs must follow, keys ascending by their encoded bytes.
  /// Where the keys are numbers, the form with a closure checks that.
  public mutating func encodeMap(count: Int) { encodeHead(MajorType.map, UInt64(count)) }

  /// A map with numbers as keys, as most are here.
  public mutating func encodeMap(_ body: (inout CBORMapEncoder) -> Void) {
    var map = CBORMapEncoder()
    body(&map)
    encodeMap(count: map.count)
    bytes.append(contentsOf: map.pairs.bytes)
  }

  /// One item that is deterministic CBOR already.
  public mutating func encodeEncoded(_ item: [UInt8]) { bytes.append(contentsOf: item) }

  /// Major type and number in the fewest bytes (RFC 8949 section 4.2.1).
  private mutating func encodeHead(_ major: UInt8, _ value: UInt64) {
    let type = major << 5
    switch value {
    case 0..<24: bytes.append(type | UInt8(value))
    case 24..<(1 << 8): appendHead(type | 24, value, byteCount: 1)
    case (1 << 8)..<(1 << 16): appendHead(type | 25, value, byteCount: 2)
    case (1 << 16)..<(1 << 32): appendHead(type | 26, value, byteCount: 4)
    default: appendHead(type | 27, value, byteCount: 8)
    }
  }

  private mutating func appendHead(_ first: UInt8, _ value: UInt64, byteCount: UInt64) {
    bytes.append(first)
    for index in 1...byteCount {
      bytes.append(UInt8(truncatingIfNeeded: value >> (8 * (byteCount - index))))
    }
  }
}

/// The pairs of a map under construction.
public struct CBORMapEncoder: Sendable {
  fileprivate var pairs = CBOREncoder()
  fileprivate var count = 0
  private var lastKey: UInt64?

  /// Adds a pair; `value` must encode one item. Keys must ascend (for numbers, that is their order
  /// in the encoding too); a key that does not is a bug and traps.
  public mutating func field(_ key: UInt64, _ value: (inout CBOREncoder) -> Void) {
    if let lastKey { precondition(key > lastKey, "map keys ascend") }
    lastKey = key
    count += 1
    pairs.encodeUInt(key)
    value(&pairs)
  }
}
