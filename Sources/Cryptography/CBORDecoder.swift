/// Reads deterministic CBOR, item after item, from bytes that may be hostile. It never traps,
/// refuses what the encoder could not have written, and takes no memory for a length before the
/// bytes for it are there.
///
///     var decoder = CBORDecoder(bytes)
///     let count = try decoder.readArray(max: 100)
///     for _ in 0..<count { items.append(try decoder.readBytes32()) }
///     try decoder.finish()
///
/// The order of map keys is checked here, whoever reads them.
public struct CBORDecoder: Sendable {
  private let bytes: [UInt8]
  private let limits: CBORLimits
  /// The offset of the next item's first byte.
  public private(set) var offset = 0
  /// The arrays and maps that are open, innermost last.
  private var open: [Container] = []

  /// An array or map of which items are still to come.
  private struct Container {
    /// Items to come; a map's key and value count one each.
    var remaining: UInt64
    let isMap: Bool
    /// Where the last key of a map lies, encoded.
    var lastKey: Range<Int>?
    /// In a map, whether the next item is a key.
    var isAtKey: Bool { isMap && remaining.isMultiple(of: 2) }
  }

  /// A decoder at the start of `bytes`.
  public init(_ bytes: [UInt8], limits: CBORLimits = CBORLimits()) {
    self.bytes = bytes
    self.limits = limits
  }

  /// Whether all bytes have been read.
  public var isAtEnd: Bool { offset == bytes.count }

  /// Ends the reading.
  ///
  /// - Throws: `.trailingBytes`; `.truncated` when an array or map that was begun is not complete.
  public func finish() throws(CBORError) {
    guard open.isEmpty else { throw .truncated }
    guard isAtEnd else { throw .trailingBytes }
  }

  // MARK: - Reading one item

  /// The kind of the next item, without reading it.
  public func peek() throws(CBORError) -> CBORType {
    try Head(in: bytes, at: offset, limits).type
  }

  /// An unsigned integer up to `max`.
  public mutating func readUInt(max: UInt64 = .max) throws(CBORError) -> UInt64 {
    let head = try begin(.unsigned)
    guard head.argument <= max else { throw .outOfRange }
    endItem(at: head.end)
    return head.argument
  }

  /// An integer of either sign.
  public mutating func readInt() throws(CBORError) -> Int64 {
    let head = try begin()
    guard head.type == .unsigned || head.type == .negative else { throw .unexpectedType }
    guard head.argument <= UInt64(Int64.max) else { throw .outOfRange }
    endItem(at: head.end)
    let magnitude = Int64(head.argument)
    return head.type == .unsigned ? magnitude : ~magnitude
  }

  /// A byte string of at most `max` bytes.
  public mutating func readBytes(max: Int) throws(CBORError) -> [UInt8] {
    let content = try beginString(.bytes, max: max)
    endItem(at: content.upperBound)
    return [UInt8](bytes[content])
  }

  /// A byte string of exactly `count` bytes.
  public mutating func readBytes(count: Int) throws(CBORError) -> [UInt8] {
    let content = try beginString(.bytes, max: count)
    guard content.count == count else { throw .unexpectedLength }
    endItem(at: content.upperBound)
    return [UInt8](bytes[content])
  }

  /// A byte string of exactly 32 bytes.
  public mutating func readBytes32() throws(CBORError) -> Bytes32 {
    let content = try beginString(.bytes, max: Bytes32.byteCount)
    guard let value = Bytes32(unsafe bytes.span.bytes.extracting(content)) else {
      throw .unexpectedLength
    }
    endItem(at: content.upperBound)
    return value
  }

  /// An identifier of 32 bytes.
  public mutating func readIdentifier<ID: Identifier32>(
    _ type: ID.Type = ID.self
  ) throws(CBORError) -> ID {
    ID(try readBytes32())
  }

  /// Text of at most `max` bytes of UTF-8.
  public mutating func readText(max: Int) throws(CBORError) -> String {
    let content = try beginString(.text, max: max)
    let text = try text(in: content)
    endItem(at: content.upperBound)
    return text
  }

  /// True or false.
  public mutating func readBool() throws(CBORError) -> Bool {
    let head = try begin(.bool)
    endItem(at: head.end)
    return head.argument == SimpleValue.true
  }

  /// Null.
  public mutating func readNull() throws(CBORError) {
    endItem(at: try begin(.null).end)
  }

  /// Reads a null if one is next, and says whether it did.
  public mutating func readIfNull() throws(CBORError) -> Bool {
    guard try peek() == .null else { return false }
    try readNull()
    return true
  }

  /// The start of an array of at most `max` items: their number. They must be read next.
  public mutating func readArray(max: Int) throws(CBORError) -> Int {
    try beginContainer(.array, max: max)
  }

  /// The start of an array of exactly `count` items.
  public mutating func readArray(count: Int) throws(CBORError) {
    guard try beginContainer(.array, max: count) == count else { throw .unexpectedLength }
  }

  /// The start of a map of at most `max` pairs: their number. Key, value, key, value must be read
  /// next.
  public mutating func readMap(max: Int) throws(CBORError) -> Int {
    try beginContainer(.map, max: max)
  }

  /// The start of a map of exactly `count` pairs.
  public mutating func readMap(count: Int) throws(CBORError) {
    guard try beginContainer(.map, max: count) == count else { throw .unexpectedLength }
  }

  /// Passes over one item with all that it holds, which must be deterministic CBOR all the same.
  public mutating func skip() throws(CBORError) {
    let depth = open.count
    // An array or map that holds nothing is complete at once; otherwise its items close it.
    repeat {
      let type = try peek()
      switch type {
      case .unsigned, .negative, .bool, .null: endItem(at: try begin().end)
      case .bytes: endItem(at: try beginString(.bytes, max: .max).upperBound)
      case .text: _ = try readText(max: .max)
      case .array, .map: _ = try beginContainer(type, max: .max)
      }
    } while open.count > depth
  }

  /// The encoded bytes of one item with all that it holds.
  public mutating func readEncoded() throws(CBORError) -> [UInt8] {
    let start = offset
    try skip()
    return [UInt8](bytes[start..<offset])
  }
}

// MARK: - Heads, lengths, containers

extension CBORDecoder {
  /// Checks that an item may stand here, and reads its head.
  private func begin(_ expected: CBORType? = nil) throws(CBORError) -> Head {
    let head = try Head(in: bytes, at: offset, limits)
    if let container = open.last, container.isAtKey, !head.canBeKey { throw .invalidKey }
    if let expected, head.type != expected { throw .unexpectedType }
    if head.canBeKey, let container = open.last, container.isAtKey {
      try checkOrder(of: head, after: container.lastKey)
    }
    return head
  }

  private func beginString(_ type: CBORType, max: Int) throws(CBORError) -> Range<Int> {
    let head = try begin(type)
    guard head.argument <= UInt64(bytes.count - head.end) else { throw .truncated }
    guard head.argument <= UInt64(Swift.max(max, 0)) else { throw .unexpectedLength }
    return head.end..<(head.end + Int(head.argument))
  }

  private mutating func beginContainer(_ type: CBORType, max: Int) throws(CBORError) -> Int {
    let head = try begin(type)
    // Every item takes a byte at least, so a count beyond the bytes left cannot come true; checking
    // it here bounds every loop and allocation that a caller makes from the count.
    let itemsEach: UInt64 = type == .map ? 2 : 1
    guard head.argument <= UInt64(bytes.count - head.end) / itemsEach else { throw .truncated }
    guard head.argument <= UInt64(Swift.max(max, 0)) else { throw .unexpectedLength }
    guard open.count < limits.maximumDepth else { throw .tooDeep }
    offset = head.end
    if head.argument == 0 {
      endItem(at: head.end)
    } else {
      open.append(
        Container(remaining: head.argument * itemsEach, isMap: type == .map, lastKey: nil))
    }
    return Int(head.argument)
  }

  /// Notes that an item has been read, and with it every array or map of which it was the last.
  private mutating func endItem(at end: Int) {
    if let last = open.indices.last, open[last].isAtKey { open[last].lastKey = offset..<end }
    offset = end
    while let last = open.indices.last {
      open[last].remaining -= 1
      guard open[last].remaining == 0 else { return }
      open.removeLast()
    }
  }

  /// Deterministic maps have their keys in ascending order of the encoded bytes.
  private func checkOrder(of head: Head, after lastKey: Range<Int>?) throws(CBORError) {
    guard let lastKey else { return }
    var end = head.end
    if head.type == .bytes || head.type == .text {
      guard head.argument <= UInt64(bytes.count - head.end) else { throw .truncated }
      end += Int(head.argument)
    }
    let key = bytes[offset..<end]
    let last = bytes[lastKey]
    guard !key.elementsEqual(last) else { throw .duplicateKey }
    guard last.lexicographicallyPrecedes(key) else { throw .unsortedKeys }
  }

  private func text(in range: Range<Int>) throws(CBORError) -> String {
    guard let text = String(validating: bytes[range], as: UTF8.self) else { throw .invalidText }
    return text
  }
}

/// The first bytes of an item: its kind, and a number that is its value, length, or count.
private struct Head {
  let type: CBORType
  let argument: UInt64
  /// The offset of the first byte after the head.
  let end: Int

  var canBeKey: Bool {
    switch type {
    case .unsigned, .negative, .bytes, .text: true
    case .array, .map, .bool, .null: false
    }
  }

  init(in bytes: [UInt8], at offset: Int, _ limits: CBORLimits) throws(CBORError) {
    guard bytes.count <= limits.maximumByteCount else { throw .unexpectedLength }
    guard offset < bytes.count else { throw .truncated }
    let major = bytes[offset] >> 5
    let information = bytes[offset] & 0x1F
    try Head.checkKind(major, information)
    (argument, end) = try Head.argument(information, in: bytes, at: offset + 1)
    type = try Head.type(major, argument)
  }

  /// Refuses what never occurs here, before its length is looked at.
  private static func checkKind(_ major: UInt8, _ information: UInt8) throws(CBORError) {
    switch (major, information) {
    case (_, 28...30): throw .reserved
    case (MajorType.tag, _): throw .tag
    case (_, 31): throw .indefiniteLength
    case (MajorType.simple, 25...27): throw .floatingPoint
    default: break
    }
  }

  private static func argument(
    _ information: UInt8, in bytes: [UInt8], at offset: Int
  ) throws(CBORError) -> (UInt64, end: Int) {
    guard information >= 24 else { return (UInt64(information), offset) }
    let width = 1 << Int(information - 24)
    guard width <= bytes.count - offset else { throw .truncated }
    let value = UInt64(bigEndianBytes: bytes[offset..<(offset + width)])
    // The least value that needs this width: 24, then one more than the width before can hold.
    let least: UInt64 = width == 1 ? 24 : 1 << UInt64(width * 4)
    guard value >= least else { throw .notShortest }
    return (value, offset + width)
  }

  private static func type(_ major: UInt8, _ argument: UInt64) throws(CBORError) -> CBORType {
    switch major {
    case MajorType.unsigned: return .unsigned
    case MajorType.negative: return .negative
    case MajorType.bytes: return .bytes
    case MajorType.text: return .text
    case MajorType.array: return .array
    case MajorType.map: return .map
    default: break
    }
    switch argument {
    case SimpleValue.false, SimpleValue.true: return .bool
    case SimpleValue.null: return .null
    default: throw .simpleValue
    }
  }
}
