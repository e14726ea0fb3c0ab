internal import CSodium

/// Thirty-two public bytes, held inline: a hash, a public key, an identifier. Never a secret, for
/// which there is `SecretKey`.
public struct Bytes32: Hashable, Comparable, Sendable {
  // Four words in memory order, so that the value's own memory is the byte string and hashing it
  // needs no copy.
  private var words: (UInt64, UInt64, UInt64, UInt64)

  /// The number of bytes, 32.
  public static let byteCount = 32

  /// All bytes 0x00.
  public static let zero = Bytes32(words: (0, 0, 0, 0))

  private init(words: (UInt64, UInt64, UInt64, UInt64)) { self.words = words }

  /// The value of exactly 32 bytes; nil for any other number.
  public init?(_ bytes: RawSpan) {
    guard bytes.byteCount == Bytes32.byteCount else { return nil }
    words = (
      unsafe bytes.unsafeLoadUnaligned(fromByteOffset: 0, as: UInt64.self),
      unsafe bytes.unsafeLoadUnaligned(fromByteOffset: 8, as: UInt64.self),
      unsafe bytes.unsafeLoadUnaligned(fromByteOffset: 16, as: UInt64.self),
      unsafe bytes.unsafeLoadUnaligned(fromByteOffset: 24, as: UInt64.self)
    )
  }

  /// The value of exactly 32 bytes; nil for any other number.
  public init?(_ bytes: [UInt8]) {
    self.init(unsafe bytes.span.bytes)
  }

  /// The 32 bytes that `body` writes through a C pointer.
  @unsafe
  @inline(__always)
  init<E: Error>(writing body: (UnsafeMutablePointer<UInt8>) throws(E) -> Void) throws(E) {
    var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    try unsafe withUnsafeMutableBytes(of: &words) { (buffer) throws(E) in
      if let base = buffer.baseAddress {
        try unsafe body(base.assumingMemoryBound(to: UInt8.self))
      }
    }
    self.words = words
  }

  /// 32 random bytes, for identifiers and salts.
  public static func random() -> Bytes32 {
    Sodium.start()
    return unsafe Bytes32(writing: { output in unsafe randombytes_buf(output, byteCount) })
  }

  /// The bytes, as a new array.
  public var bytes: [UInt8] { withBytes { $0.copied() } }

  /// Sixty-four lowercase hexadecimal digits.
  public var hex: String { withBytes { Hex.encode($0) } }

  /// Reads the bytes in place, without a copy.
  @inline(__always)
  public func withBytes<R: ~Copyable, E: Error>(
    _ body: (RawSpan) throws(E) -> R
  ) throws(E) -> R {
    try unsafe withUnsafeBytes(of: words) { (buffer) throws(E) -> R in
      try unsafe body(buffer.bytes)
    }
  }

  /// As `withBytes`, for libsodium.
  @inline(__always)
  func withCPointer<R>(_ body: (UnsafePointer<UInt8>) -> R) -> R {
    withBytes { bytes in unsafe bytes.withCPointer { (pointer, _) in unsafe body(pointer) } }
  }

  public static func == (left: Bytes32, right: Bytes32) -> Bool {
    left.words == right.words
  }

  /// Lexicographic order of the bytes.
  public static func < (left: Bytes32, right: Bytes32) -> Bool {
    left.mostSignificantFirst < right.mostSignificantFirst
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(words.0)
    hasher.combine(words.1)
    hasher.combine(words.2)
    hasher.combine(words.3)
  }

  private var mostSignificantFirst: (UInt64, UInt64, UInt64, UInt64) {
    (
      UInt64(bigEndian: words.0), UInt64(bigEndian: words.1),
      UInt64(bigEndian: words.2), UInt64(bigEndian: words.3)
    )
  }
}

extension Bytes32 {
  /// The hashes in a byte string that holds nothing else; what is left over is dropped.
  package static func list(_ joined: [UInt8]) -> [Bytes32] {
    joined.withBytes { bytes in
      (0..<(joined.count / byteCount)).compactMap { index in
        Bytes32(bytes.extracting((index * byteCount)..<((index + 1) * byteCount)))
      }
    }
  }
}

/// An identifier of 32 bytes. One struct for each kind of thing, so that a log's name cannot be
/// passed where an entry's is meant:
///
///     public struct EntryID: Identifier32 {
///       public let raw: Bytes32
///       public init(_ raw: Bytes32) { self.raw = raw }
///     }
public protocol Identifier32: Hashable, Comparable, Sendable {
  /// The identifier's bytes.
  var raw: Bytes32 { get }
  /// The identifier with these bytes; every value is a possible identifier.
  init(_ raw: Bytes32)
}

extension Identifier32 {
  /// The identifier of exactly 32 bytes; nil for any other number.
  public init?(_ bytes: RawSpan) {
    guard let raw = Bytes32(bytes) else { return nil }
    self.init(raw)
  }

  /// The identifier of exactly 32 bytes; nil for any other number.
  public init?(_ bytes: [UInt8]) {
    self.init(unsafe bytes.span.bytes)
  }

  /// The bytes, as a new array.
  public var bytes: [UInt8] { raw.bytes }

  /// Sixty-four lowercase hexadecimal digits.
  public var hex: String { raw.hex }

  /// Lexicographic order of the bytes.
  public static func < (left: Self, right: Self) -> Bool { left.raw < right.raw }
}
