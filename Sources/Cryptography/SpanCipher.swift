/// A blob sealed as a STREAM of spans, so that any span can be sealed, fetched and opened alone and
/// yet none can be swapped, dropped, repeated or added, and the end cannot be cut off (Hoang,
/// Reyhanitabar, Rogaway, Vizár 2015; the shape is age's).
///
/// The plaintext is cut into spans of 64 KiB, the last one shorter where it has to be. Span *i* is
/// sealed with XChaCha20-Poly1305 under
///
///     15 zero bytes ‖ i as u64 big-endian ‖ 0x01 for the last span, else 0x00
///
/// and no associated data. The nonces are fixed, so a key must seal one blob only, ever.
///
/// An empty blob is one empty last span. In any other the last span is not empty, so that a blob
/// has exactly one sealed form for each key.
public struct SpanCipher: ~Copyable, Sendable {
  /// Bytes of plaintext in every span but the last: 64 KiB.
  public static let plaintextByteCount = 65_536
  /// Bytes of every sealed span but the last.
  public static let sealedByteCount = plaintextByteCount + AEAD.tagByteCount

  private let key: SecretKey

  /// A cipher for the one blob that `key` belongs to.
  public init(key: consuming SecretKey) { self.key = key }

  /// The number of spans of a blob: at least one.
  public static func spanCount(plaintextByteCount count: UInt64) -> UInt64 {
    count == 0 ? 1 : (count - 1) / UInt64(plaintextByteCount) + 1
  }

  /// Seals one span without allocating. `output` must have `plaintext.byteCount + 16` bytes. A span
  /// of a length that its place does not allow is the caller's bug and traps.
  public func seal(
    _ plaintext: RawSpan, index: UInt64, isLast: Bool, into output: inout MutableRawSpan
  ) {
    precondition(
      SpanCipher.allows(plaintextByteCount: plaintext.byteCount, index: index, isLast: isLast),
      "every span but the last is full")
    AEAD.seal(
      plaintext, into: &output, key: key, nonce: Nonce24(streamIndex: index, isLast: isLast))
  }

  /// Seals one span to a new array.
  public func seal(_ plaintext: RawSpan, index: UInt64, isLast: Bool) -> [UInt8] {
    precondition(
      SpanCipher.allows(plaintextByteCount: plaintext.byteCount, index: index, isLast: isLast),
      "every span but the last is full")
    return AEAD.seal(plaintext, key: key, nonce: Nonce24(streamIndex: index, isLast: isLast))
  }

  /// Opens one span without allocating. `output` must have `sealed.byteCount - 16` bytes, and holds
  /// zeros after a failure.
  ///
  /// - Throws: `.invalidLength` for a length that this place does not allow,
  ///   `.authenticationFailed`.
  public func open(
    _ sealed: RawSpan, index: UInt64, isLast: Bool, into output: inout MutableRawSpan
  ) throws(CryptographyError) {
    try SpanCipher.check(sealed, index: index, isLast: isLast)
    try AEAD.open(
      sealed, into: &output, key: key, nonce: Nonce24(streamIndex: index, isLast: isLast))
  }

  /// Opens one span to a new array.
  ///
  /// - Throws: `.invalidLength` for a length that this place does not allow,
  ///   `.authenticationFailed`.
  public func open(
    _ sealed: RawSpan, index: UInt64, isLast: Bool
  ) throws(CryptographyError) -> [UInt8] {
    try SpanCipher.check(sealed, index: index, isLast: isLast)
    return try AEAD.open(sealed, key: key, nonce: Nonce24(streamIndex: index, isLast: isLast))
  }

  private static func allows(plaintextByteCount count: Int, index: UInt64, isLast: Bool) -> Bool {
    guard isLast else { return count == plaintextByteCount }
    return count <= plaintextByteCount && (count > 0 || index == 0)
  }

  private static func check(
    _ sealed: RawSpan, index: UInt64, isLast: Bool
  ) throws(CryptographyError) {
    let count = sealed.byteCount - AEAD.tagByteCount
    guard count >= 0, allows(plaintextByteCount: count, index: index, isLast: isLast) else {
      throw .invalidLength
    }
  }
}
