import Cryptography

/// CBOR as a tree that can be altered and put together again: for mutations that keep lengths right, and for
/// repairs after them. A byte string that holds an array or a map is taken apart too.
indirect enum CBORTree {
  case unsigned(UInt64)
  case negative([UInt8])
  case bytes([UInt8])
  case nested(CBORTree)
  case text(String)
  case array([CBORTree])
  case map([CBORTree])
  case bool(Bool)
  case null

  init?(_ bytes: [UInt8]) {
    guard
      let tree = accepted({ () throws(CBORError) in
        var decoder = CBORDecoder(bytes)
        let tree = try CBORTree(&decoder)
        try decoder.finish()
        return tree
      })
    else { return nil }
    self = tree
  }

  private init(_ decoder: inout CBORDecoder) throws(CBORError) {
    switch try decoder.peek() {
    case .unsigned: self = .unsigned(try decoder.readUInt())
    case .negative: self = .negative(try decoder.readEncoded())
    case .text: self = .text(try decoder.readText(max: .max))
    case .bool: self = .bool(try decoder.readBool())
    case .null:
      try decoder.readNull()
      self = .null
    case .bytes:
      let bytes = try decoder.readBytes(max: .max)
      switch CBORTree(bytes) {
      case .array(let items)?: self = .nested(.array(items))
      case .map(let items)?: self = .nested(.map(items))
      default: self = .bytes(bytes)
      }
    case .array:
      let count = try decoder.readArray(max: .max)
      self = .array(try CBORTree.items(count, &decoder))
    case .map:
      let count = try decoder.readMap(max: .max)
      self = .map(try CBORTree.items(2 * count, &decoder))
    }
  }

  private static func items(
    _ count: Int, _ decoder: inout CBORDecoder
  ) throws(CBORError) -> [CBORTree] {
    var items: [CBORTree] = []
    for _ in 0..<count { items.append(try CBORTree(&decoder)) }
    return items
  }

  /// In the order in which the tree has them: a map whose keys were altered may be out of order.
  var encoded: [UInt8] {
    var encoder = CBOREncoder()
    encode(to: &encoder)
    return encoder.bytes
  }

  private func encode(to encoder: inout CBOREncoder) {
    switch self {
    case .unsigned(let value): encoder.encodeUInt(value)
    case .negative(let encoded): encoder.encodeEncoded(encoded)
    case .bytes(let bytes): encoder.encodeBytes(bytes)
    case .nested(let tree): encoder.encodeBytes(tree.encoded)
    case .text(let text): encoder.encodeText(text)
    case .array(let items):
      encoder.encodeArray(count: items.count)
      for item in items { item.encode(to: &encoder) }
    case .map(let items):
      encoder.encodeMap(count: items.count / 2)
      for item in items.prefix(items.count / 2 * 2) { item.encode(to: &encoder) }
    case .bool(let value): encoder.encodeBool(value)
    case .null: encoder.encodeNull()
    }
  }

  /// The bytes of a byte string, whether it was taken apart or not.
  var content: [UInt8]? {
    switch self {
    case .bytes(let bytes): bytes
    case .nested(let tree): tree.encoded
    default: nil
    }
  }
}
