internal import CSodium

/// ChaCha20-Poly1305 (RFC 8439) with its 12-byte nonce, as the age format uses it: for keys that
/// seal one message, or a counted stream. Everything of our own uses `AEAD`.
public enum ChaChaPoly {
  /// The number of bytes of a nonce.
  public static let nonceByteCount = 12
  /// The number of bytes by which a sealed message is longer than its plaintext.
  public static let tagByteCount = 16

  /// Seals `plaintext` to ciphertext ‖ tag. `nonce` must have 12 bytes.
  public static func seal(
    _ plaintext: RawSpan, key: borrowing SecretKey, nonce: RawSpan,
    associatedData: RawSpan = RawSpan()
  ) -> [UInt8] {
    unsafe [UInt8](count: plaintext.byteCount + tagByteCount) { output in
      unsafe seal(plaintext, to: output, key: key, nonce: nonce, associatedData: associatedData)
    }
  }

  /// Seals without allocating. `output` must have `plaintext.byteCount + 16` bytes, `nonce` 12.
  public static func seal(
    _ plaintext: RawSpan, into output: inout MutableRawSpan, key: borrowing SecretKey,
    nonce: RawSpan, associatedData: RawSpan = RawSpan()
  ) {
    precondition(
      output.byteCount == plaintext.byteCount + tagByteCount, "room for ciphertext and tag")
    unsafe output.withCPointer { (pointer, _) in
      unsafe seal(plaintext, to: pointer, key: key, nonce: nonce, associatedData: associatedData)
    }
  }

  /// Opens ciphertext ‖ tag to a new array.
  ///
  /// - Throws: `.invalidLength` unless the nonce has 12 bytes, `.authenticationFailed`.
  public static func open(
    _ sealed: RawSpan, key: borrowing SecretKey, nonce: RawSpan,
    associatedData: RawSpan = RawSpan()
  ) throws(CryptographyError) -> [UInt8] {
    guard sealed.byteCount >= tagByteCount else { throw .authenticationFailed }
    return try unsafe [UInt8](count: sealed.byteCount - tagByteCount) {
      (output) throws(CryptographyError) in
      try unsafe open(sealed, to: output, key: key, nonce: nonce, associatedData: associatedData)
    }
  }

  /// Opens without allocating, for example into locked memory. `output` must have `sealed.byteCount
  /// - 16` bytes, and holds zeros after a failure.
  ///
  /// - Throws: `.invalidLength` unless the nonce has 12 bytes, `.authenticationFailed`.
  public static func open(
    _ sealed: RawSpan, into output: inout MutableRawSpan, key: borrowing SecretKey,
    nonce: RawSpan, associatedData: RawSpan = RawSpan()
  ) throws(CryptographyError) {
    guard sealed.byteCount >= tagByteCount else { throw .authenticationFailed }
    precondition(
      output.byteCount == sealed.byteCount - tagByteCount, "room for exactly the plaintext")
    try unsafe output.withCPointer { (pointer, _) throws(CryptographyError) in
      try unsafe open(sealed, to: pointer, key: key, nonce: nonce, associatedData: associatedData)
    }
  }

  // MARK: - libsodium

  private static func seal(
    _ plaintext: RawSpan, to output: UnsafeMutablePointer<UInt8>, key: borrowing SecretKey,
    nonce: RawSpan, associatedData: RawSpan
  ) {
    precondition(nonce.byteCount == nonceByteCount, "a nonce has 12 bytes")
    let secret = unsafe key.slot.pointer
    let status = unsafe plaintext.withCPointer { (message, count) in
      unsafe associatedData.withCPointer { (data, dataCount) in
        unsafe nonce.withCPointer { (nonce, _) in
          unsafe crypto_aead_chacha20poly1305_ietf_encrypt(
            output, nil, message, UInt64(count), data, UInt64(dataCount), nil, nonce, secret)
        }
      }
    }
    precondition(status == 0, "sealing has no failure but an impossible length")
  }

  private static func open(
    _ sealed: RawSpan, to output: UnsafeMutablePointer<UInt8>, key: borrowing SecretKey,
    nonce: RawSpan, associatedData: RawSpan
  ) throws(CryptographyError) {
    guard nonce.byteCount == nonceByteCount else { throw .invalidLength }
    let secret = unsafe key.slot.pointer
    let status = unsafe sealed.withCPointer { (ciphertext, count) in
      unsafe associatedData.withCPointer { (data, dataCount) in
        unsafe nonce.withCPointer { (nonce, _) in
          unsafe crypto_aead_chacha20poly1305_ietf_decrypt(
            output, nil, nil, ciphertext, UInt64(count), data, UInt64(dataCount), nonce, secret)
        }
      }
    }
    guard status == 0 else { throw .authenticationFailed }
  }
}
