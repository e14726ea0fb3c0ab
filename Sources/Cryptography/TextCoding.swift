/// Why a text is not the encoding of any bytes.
public enum TextCodingError: Error, Hashable, Sendable {
  /// A character outside the alphabet, padding in the wrong place included.
  case invalidCharacter
  /// A number of characters that no number of bytes encodes to.
  case invalidLength
  /// Bits that encode nothing are not zero: a second spelling of the same bytes.
  case notCanonical
}

/// Hexadecimal, lowercase.
public enum Hex {
  /// Two digits for each byte.
  public static func encode(_ bytes: RawSpan) -> String {
    var digits: [UInt8] = []
    digits.reserveCapacity(bytes.byteCount * 2)
    for offset in 0..<bytes.byteCount {
      let byte = bytes.byte(at: offset)
      digits.append(alphabet.symbol(byte >> 4))
      digits.append(alphabet.symbol(byte & 15))
    }
    return String(ascii: digits)
  }

  /// Two digits for each byte.
  public static func encode(_ bytes: [UInt8]) -> String { encode(unsafe bytes.span.bytes) }

  /// The bytes of an even number of lowercase digits.
  ///
  /// - Throws: `.invalidLength`, `.invalidCharacter`.
  public static func decode(_ text: RawSpan) throws(TextCodingError) -> [UInt8] {
    guard text.byteCount.isMultiple(of: 2) else { throw .invalidLength }
    return try alphabet.decode(text)
  }

  /// The bytes of an even number of lowercase digits.
  ///
  /// - Throws: `.invalidLength`, `.invalidCharacter`.
  public static func decode(_ text: String) throws(TextCodingError) -> [UInt8] {
    try decode(unsafe [UInt8](text.utf8).span.bytes)
  }

  private static let alphabet = Alphabet("0123456789abcdef", bits: 4)
}

/// Base32 (RFC 4648 section 6) in lowercase and without padding: for names of files and origins.
public enum Base32 {
  /// Eight characters for each five bytes, fewer at the end.
  public static func encode(_ bytes: RawSpan) -> String {
    String(ascii: alphabet.encode(bytes))
  }

  /// Eight characters for each five bytes, fewer at the end.
  public static func encode(_ bytes: [UInt8]) -> String { encode(unsafe bytes.span.bytes) }

  /// The bytes of `text`: lowercase, no padding, zero in the bits left over.
  ///
  /// - Throws: `TextCodingError`.
  public static func decode(_ text: RawSpan) throws(TextCodingError) -> [UInt8] {
    switch text.byteCount % 8 {
    case 1, 3, 6: throw .invalidLength
    default: return try alphabet.decode(text)
    }
  }

  /// The bytes of `text`: lowercase, no padding, zero in the bits left over.
  ///
  /// - Throws: `TextCodingError`.
  public static func decode(_ text: String) throws(TextCodingError) -> [UInt8] {
    try decode(unsafe [UInt8](text.utf8).span.bytes)
  }

  private static let alphabet = Alphabet("abcdefghijklmnopqrstuvwxyz234567", bits: 5)
}

/// Base64 (RFC 4648 section 4), the standard alphabet.
public enum Base64 {
  /// Whether `=` fills the last group of four.
  public enum Padding: Sendable {
    /// Always, as in signed notes.
    case required
    /// Never, as in age headers.
    case absent
  }

  /// Four characters for each three bytes.
  public static func encode(_ bytes: RawSpan, padding: Padding = .required) -> String {
    String(ascii: encodeBytes(bytes, padding: padding))
  }

  /// Four characters for each three bytes.
  public static func encode(_ bytes: [UInt8], padding: Padding = .required) -> String {
    encode(unsafe bytes.span.bytes, padding: padding)
  }

  /// As `encode`, in ASCII.
  public static func encodeBytes(_ bytes: RawSpan, padding: Padding = .required) -> [UInt8] {
    var characters = alphabet.encode(bytes)
    if case .required = padding {
      while !characters.count.isMultiple(of: 4) { characters.append(UInt8(ascii: "=")) }
    }
    return characters
  }

  /// The bytes of `text`, which must be spelled exactly as `encode` spells them: no white space,
  /// padding as told, zero in the bits left over.
  ///
  /// - Throws: `TextCodingError`.
  public static func decode(
    _ text: RawSpan, padding: Padding = .required
  ) throws(TextCodingError) -> [UInt8] {
    var count = text.byteCount
    if case .required = padding {
      guard count.isMultiple(of: 4) else { throw .invalidLength }
      // At most two; a third falls to the alphabet, which has no `=`.
      for _ in 0..<2 where count > 0 && text.byte(at: count - 1) == UInt8(ascii: "=") { count -= 1 }
    }
    guard count % 4 != 1 else { throw .invalidLength }
    return try alphabet.decode(text.extracting(first: count))
  }

  /// The bytes of `text`, spelled exactly as `encode` spells them.
  ///
  /// - Throws: `TextCodingError`.
  public static func decode(
    _ text: [UInt8], padding: Padding = .required
  ) throws(TextCodingError) -> [UInt8] {
    try decode(unsafe text.span.bytes, padding: padding)
  }

  /// The bytes of `text`, spelled exactly as `encode` spells them.
  ///
  /// - Throws: `TextCodingError`.
  public static func decode(
    _ text: String, padding: Padding = .required
  ) throws(TextCodingError) -> [UInt8] {
    try decode([UInt8](text.utf8), padding: padding)
  }

  private static let alphabet = Alphabet(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", bits: 6)
}

/// The alphabet of a base that is a power of two, and the regrouping of bits that all three share.
private struct Alphabet: Sendable {
  private let symbols: [UInt8]
  private let bits: Int
  /// The value of each possible byte; `notASymbol` for one outside the alphabet.
  private let values: [UInt8]
  private static let notASymbol: UInt8 = 0xFF

  init(_ text: StaticString, bits: Int) {
    symbols = text.withUTF8Buffer { unsafe [UInt8]($0) }
    precondition(symbols.count == 1 << bits, "as many symbols as values")
    self.bits = bits
    var values = [UInt8](repeating: Alphabet.notASymbol, count: 256)
    for (value, symbol) in symbols.enumerated() { values[Int(symbol)] = UInt8(value) }
    self.values = values
  }

  func symbol(_ value: UInt8) -> UInt8 { symbols[Int(value)] }

  /// The bytes' bits, most significant first, in groups of `bits`; the last group filled with
  /// zeros.
  func encode(_ bytes: RawSpan) -> [UInt8] {
    var output: [UInt8] = []
    output.reserveCapacity((bytes.byteCount * 8 + bits - 1) / bits + 4)
    var pending: UInt32 = 0
    var pendingBits = 0
    for offset in 0..<bytes.byteCount {
      pending = pending << 8 | UInt32(bytes.byte(at: offset))
      pendingBits += 8
      while pendingBits >= bits {
        pendingBits -= bits
        output.append(symbols[Int(pending >> UInt32(pendingBits)) & (1 << bits - 1)])
      }
      // Only the bits not yet written stay, so the accumulator cannot overflow.
      pending &= 1 << UInt32(pendingBits) - 1
    }
    if pendingBits > 0 {
      output.append(symbols[Int(pending << UInt32(bits - pendingBits))])
    }
    return output
  }

  /// The inverse. The caller has checked that the number of symbols is possible.
  func decode(_ text: RawSpan) throws(TextCodingError) -> [UInt8] {
    var output: [UInt8] = []
    output.reserveCapacity(text.byteCount * bits / 8)
    var pending: UInt32 = 0
    var pendingBits = 0
    for offset in 0..<text.byteCount {
      let value = values[Int(text.byte(at: offset))]
      guard value != Alphabet.notASymbol else { throw .invalidCharacter }
      pending = pending << UInt32(bits) | UInt32(value)
      pendingBits += bits
      if pendingBits >= 8 {
        pendingBits -= 8
        output.append(UInt8(pending >> UInt32(pendingBits)))
        pending &= 1 << UInt32(pendingBits) - 1
      }
    }
    guard pending == 0 else { throw .notCanonical }
    return output
  }
}

extension String {
  /// A string of bytes that are ASCII by construction.
  init(ascii bytes: [UInt8]) { self.init(decoding: bytes, as: UTF8.self) }
}

extension Identifier32 {
  /// The identifier as it is shown and typed: 52 characters of base32.
  public var base32: String { raw.withBytes { Base32.encode($0) } }
}
