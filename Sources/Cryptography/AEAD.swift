internal import CSodium

/// A nonce of XChaCha20: 24 bytes, long enough to be drawn at random without counting.
public struct Nonce24: Hashable, Sendable {
  private let words: (UInt64, UInt64, UInt64)

  /// The number of bytes, 24.
  public static let byteCount = 24

  /// All bytes 0: only for a key that seals one message ever.
  public static let zero = Nonce24(words: (0, 0, 0))

  private init(words: (UInt64, UInt64, UInt64)) { self.words = words }

  /// The nonce of exactly 24 bytes; nil for any other number.
  public init?(_ bytes: RawSpan) {
    guard bytes.byteCount == Nonce24.byteCount else { return nil }
    self.init(loading: bytes)
  }

  /// The first 24 of the bytes, of which there are enough.
  private init(loading bytes: RawSpan) {
    words = (
      unsafe bytes.unsafeLoadUnaligned(fromByteOffset: 0, as: UInt64.self),
      unsafe bytes.unsafeLoadUnaligned(fromByteOffset: 8, as: UInt64.self),
      unsafe bytes.unsafeLoadUnaligned(fromByteOffset: 16, as: UInt64.self)
    )
  }

  /// The nonce of exactly 24 bytes; nil for any other number.
  public init?(_ bytes: [UInt8]) { self.init(unsafe bytes.span.bytes) }

  /// The first 24 bytes of a hash, for a nonce that both sides derive.
  public init(truncating hash: Bytes32) {
    self = hash.withBytes { Nonce24(loading: $0) }
  }

  /// A nonce for one span of a STREAM: 15 zero bytes ‖ u64 big-endian index ‖ 0x01 or 0x00.
  init(streamIndex index: UInt64, isLast: Bool) {
    words = (
      0,
      // Byte 15 is the first of the index's eight.
      (index >> 56).bigEndian,
      (index << 8 | (isLast ? 1 : 0)).bigEndian
    )
  }

  /// A random nonce.
  public static func random() -> Nonce24 {
    Sodium.start()
    var words: (UInt64, UInt64, UInt64) = (0, 0, 0)
    unsafe withUnsafeMutableBytes(of: &words) { buffer in
      if let base = buffer.baseAddress { unsafe randombytes_buf(base, buffer.count) }
    }
    return Nonce24(words: words)
  }

  /// The bytes, as a new array.
  public var bytes: [UInt8] { withBytes { $0.copied() } }

  /// Reads the bytes in place.
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

  public static func == (left: Nonce24, right: Nonce24) -> Bool { left.words == right.words }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(words.0)
    hasher.combine(words.1)
    hasher.combine(words.2)
  }
}

/// XChaCha20-Poly1305-IETF (draft-irtf-cfrg-xchacha-03): authenticated encryption with a 32-byte
/// key, a 24-byte nonce and public associated data. A sealed message is ciphertext ‖ 16-byte tag.
///
/// It does not commit to its key: one ciphertext can be made that opens under two keys. Where that
/// matters, the format carries a commitment beside it.
public enum AEAD {
  /// The number of bytes by which a sealed message is longer than its plaintext.
  public static let tagByteCount = 16

  /// Seals `plaintext`; the result is `plaintext.byteCount + 16` bytes.
  public static func seal(
    _ plaintext: RawSpan, key: borrowing SecretKey, nonce: Nonce24,
    associatedData: RawSpan = RawSpan()
  ) -> [UInt8] {
    unsafe [UInt8](count: plaintext.byteCount + tagByteCount) { output in
      unsafe seal(plaintext, to: output, key: key, nonce: nonce, associatedData: associatedData)
    }
  }

  /// Opens `sealed` into a new array.
  ///
  /// - Throws: `.authenticationFailed`, also for fewer than 16 bytes.
  public static func open(
    _ sealed: RawSpan, key: borrowing SecretKey, nonce: Nonce24,
    associatedData: RawSpan = RawSpan()
  ) throws(CryptographyError) -> [UInt8] {
    guard sealed.byteCount >= tagByteCount else { throw .authenticationFailed }
    return try unsafe [UInt8](count: sealed.byteCount - tagByteCount) {
      (output) throws(CryptographyError) in
      try unsafe open(sealed, to: output, key: key, nonce: nonce, associatedData: associatedData)
    }
  }

  /// Seals without allocating. `output` must have exactly `plaintext.byteCount + 16` bytes.
  public static func seal(
    _ plaintext: RawSpan, into output: inout MutableRawSpan, key: borrowing SecretKey,
    nonce: Nonce24, associatedData: RawSpan = RawSpan()
  ) {
    precondition(
      output.byteCount == plaintext.byteCount + tagByteCount, "room for ciphertext and tag")
    unsafe output.withCPointer { (pointer, _) in
      unsafe seal(plaintext, to: pointer, key: key, nonce: nonce, associatedData: associatedData)
    }
  }

  /// Opens without allocating. `output` must have exactly `sealed.byteCount - 16` bytes, and holds
  /// zeros after a failure.
  ///
  /// - Throws: `.authenticationFailed`, also for fewer than 16 bytes.
  public static func open(
    _ sealed: RawSpan, into output: inout MutableRawSpan, key: borrowing SecretKey,
    nonce: Nonce24, associatedData: RawSpan = RawSpan()
  ) throws(CryptographyError) {
    guard sealed.byteCount >= tagByteCount else { throw .authenticationFailed }
    precondition(
      output.byteCount == sealed.byteCount - tagByteCount, "room for exactly the plaintext")
    try unsafe output.withCPointer { (pointer, _) throws(CryptographyError) in
      try unsafe open(sealed, to: pointer, key: key, nonce: nonce, associatedData: associatedData)
    }
  }

  /// Seals a key under another: 48 bytes.
  public static func seal(
    _ secret: borrowing SecretKey, key: borrowing SecretKey, nonce: Nonce24,
    associatedData: RawSpan = RawSpan()
  ) -> [UInt8] {
    secret.withBytes { seal($0, key: key, nonce: nonce, associatedData: associatedData) }
  }

  /// Opens 48 bytes to a key, straight into locked memory.
  ///
  /// - Throws: `.invalidLength` unless there are 48 bytes, `.authenticationFailed`.
  public static func openKey(
    _ sealed: RawSpan, key: borrowing SecretKey, nonce: Nonce24,
    associatedData: RawSpan = RawSpan()
  ) throws(CryptographyError) -> SecretKey {
    guard sealed.byteCount == SecretKey.byteCount + tagByteCount else { throw .invalidLength }
    return try unsafe SecretKey(writingPointer: { (output) throws(CryptographyError) in
      try unsafe open(sealed, to: output, key: key, nonce: nonce, associatedData: associatedData)
    })
  }

  // MARK: - libsodium

  @inline(__always)
  private static func seal(
    _ plaintext: RawSpan, to output: UnsafeMutablePointer<UInt8>, key: borrowing SecretKey,
    nonce: Nonce24, associatedData: RawSpan
  ) {
    let secret = unsafe key.slot.pointer
    let status = unsafe plaintext.withCPointer { (message, count) in
      unsafe associatedData.withCPointer { (data, dataCount) in
        unsafe nonce.withCPointer { nonce in
          unsafe crypto_aead_xchacha20poly1305_ietf_encrypt(
            output, nil, message, UInt64(count), data, UInt64(dataCount), nil, nonce, secret)
        }
      }
    }
    precondition(status == 0, "sealing has no failure but an impossible length")
  }

  @inline(__always)
  private static func open(
    _ sealed: RawSpan, to output: UnsafeMutablePointer<UInt8>, key: borrowing SecretKey,
    nonce: Nonce24, associatedData: RawSpan
  ) throws(CryptographyError) {
    let secret = unsafe key.slot.pointer
    let status = unsafe sealed.withCPointer { (ciphertext, count) in
      unsafe associatedData.withCPointer { (data, dataCount) in
        unsafe nonce.withCPointer { nonce in
          unsafe crypto_aead_xchacha20poly1305_ietf_decrypt(
            output, nil, nil, ciphertext, UInt64(count), data, UInt64(dataCount), nonce, secret)
        }
      }
    }
    guard status == 0 else { throw .authenticationFailed }
  }
}
