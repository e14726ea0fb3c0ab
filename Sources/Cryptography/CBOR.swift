// The one canonical encoding: deterministic CBOR (RFC 8949 section 4.2.1), of which only unsigned
// and negative integers, byte strings, text, arrays, maps, booleans and null are used. There is
// exactly one encoding of a value, so equal values have equal hashes, and whatever decodes
// re-encodes to the same bytes.

/// The kinds of item that occur.
public enum CBORType: Hashable, Sendable {
  case unsigned
  case negative
  case bytes
  case text
  case array
  case map
  case bool
  case null
}

/// Why bytes are not the deterministic CBOR that was asked for: one case a kind of failure, nothing
/// of the content.
public enum CBORError: Error, Hashable, Sendable {
  /// The bytes end inside an item, or an array or map announces more items than bytes are left.
  case truncated
  /// Bytes follow the last item.
  case trailingBytes
  /// A length or number takes more bytes than it needs.
  case notShortest
  /// An indefinite length, or its "break".
  case indefiniteLength
  /// A floating-point number of any width.
  case floatingPoint
  /// A tag.
  case tag
  /// A simple value other than false, true and null.
  case simpleValue
  /// Additional information 28, 29 or 30, which RFC 8949 reserves.
  case reserved
  /// Another kind of item than was asked for.
  case unexpectedType
  /// More bytes or items than was allowed for, or fewer than required.
  case unexpectedLength
  /// A number outside the type or the range that was asked for.
  case outOfRange
  /// Text that is not UTF-8.
  case invalidText
  /// Arrays and maps nested deeper than allowed.
  case tooDeep
  /// A map key that is not greater than the one before, in the order of the encoded bytes.
  case unsortedKeys
  /// A map key that occurs twice in a row.
  case duplicateKey
  /// A map key that is itself an array or map, a boolean or null.
  case invalidKey
}

/// What bounds a decoder beside the lengths that each call allows.
public struct CBORLimits: Hashable, Sendable {
  /// How many arrays and maps may be open at once.
  public var maximumDepth: Int
  /// How many bytes the decoder agrees to look at.
  public var maximumByteCount: Int

  /// Depth 8 and 16 MiB unless told otherwise.
  public init(maximumDepth: Int = 8, maximumByteCount: Int = 16 << 20) {
    self.maximumDepth = maximumDepth
    self.maximumByteCount = maximumByteCount
  }
}

/// The three high bits of an item's first byte (RFC 8949 section 3.1).
enum MajorType {
  static let unsigned: UInt8 = 0
  static let negative: UInt8 = 1
  static let bytes: UInt8 = 2
  static let text: UInt8 = 3
  static let array: UInt8 = 4
  static let map: UInt8 = 5
  static let tag: UInt8 = 6
  static let simple: UInt8 = 7
}

/// The simple values in use, as additional information of major type 7.
enum SimpleValue {
  static let `false`: UInt64 = 20
  static let `true`: UInt64 = 21
  static let null: UInt64 = 22
}
