internal import CSodium

/// The public half of a `BoxKeyPair`: an X25519 point.
///
/// Any 32 bytes can stand here. Sealing refuses the few that are of small order.
public struct BoxPublicKey: Identifier32 {
  /// The encoded point.
  public let raw: Bytes32
  /// The key with this encoding.
  public init(_ raw: Bytes32) { self.raw = raw }
}

/// An X25519 key pair that others seal small secrets to.
public struct BoxKeyPair: ~Copyable, Sendable {
  fileprivate let secret: SecretKey
  /// What others need in order to seal.
  public let publicKey: BoxPublicKey

  /// The pair of `seed`: `crypto_box_seed_keypair`, in which the secret scalar is the first half of
  /// the seed's SHA-512. The seed is what a vault stores.
  public init(seed: borrowing SecretKey) {
    let secret = SecretKey(writing: { _ in })
    let seedPointer = unsafe seed.slot.pointer
    let secretPointer = unsafe secret.slot.pointer
    publicKey = BoxPublicKey(
      unsafe Bytes32(writing: { output in
        _ = unsafe crypto_box_seed_keypair(output, secretPointer, seedPointer)
      }))
    self.secret = secret
  }

  /// A pair of a seed that nobody keeps.
  public init() { self.init(seed: SecretKey.random()) }
}

/// A message that only the owner of a key pair can open, from nobody in particular: libsodium's
/// `crypto_box_seal`. An ephemeral X25519 key, then XSalsa20-Poly1305 under a nonce that is BLAKE2b
/// of both public keys. It hides its sender and proves nothing about them; it also does not commit
/// to its recipient.
public enum SealedBox {
  /// The number of bytes by which a sealed message is longer than its plaintext: ephemeral key and
  /// tag.
  public static let overheadByteCount = 48

  /// Seals `plaintext` to `recipient`.
  ///
  /// - Throws: `.invalidPublicKey` for a point of small order, under which everybody could open it.
  public static func seal(
    _ plaintext: RawSpan, to recipient: BoxPublicKey
  ) throws(CryptographyError) -> [UInt8] {
    Sodium.start()
    return try unsafe [UInt8](count: plaintext.byteCount + overheadByteCount) {
      (output) throws(CryptographyError) in
      let status = unsafe plaintext.withCPointer { (message, count) in
        unsafe recipient.raw.withCPointer { key in
          unsafe crypto_box_seal(output, message, UInt64(count), key)
        }
      }
      guard status == 0 else { throw .invalidPublicKey }
    }
  }

  /// Opens a message to a new array.
  ///
  /// - Throws: `.authenticationFailed`, also for fewer than 48 bytes.
  public static func open(
    _ sealed: RawSpan, with keys: borrowing BoxKeyPair
  ) throws(CryptographyError) -> [UInt8] {
    guard sealed.byteCount >= overheadByteCount else { throw .authenticationFailed }
    return try unsafe [UInt8](count: sealed.byteCount - overheadByteCount) {
      (output) throws(CryptographyError) in
      try unsafe open(sealed, with: keys, to: output)
    }
  }

  /// Seals a key: 80 bytes.
  ///
  /// - Throws: as `seal`.
  public static func seal(
    _ secret: borrowing SecretKey, to recipient: BoxPublicKey
  ) throws(CryptographyError) -> [UInt8] {
    try secret.withBytes { (bytes) throws(CryptographyError) in try seal(bytes, to: recipient) }
  }

  /// Opens 80 bytes to a key, straight into locked memory.
  ///
  /// - Throws: `.invalidLength` unless there are 80 bytes, `.authenticationFailed`.
  public static func openKey(
    _ sealed: RawSpan, with keys: borrowing BoxKeyPair
  ) throws(CryptographyError) -> SecretKey {
    guard sealed.byteCount == SecretKey.byteCount + overheadByteCount else { throw .invalidLength }
    return try unsafe SecretKey(writingPointer: { (output) throws(CryptographyError) in
      try unsafe open(sealed, with: keys, to: output)
    })
  }

  private static func open(
    _ sealed: RawSpan, with keys: borrowing BoxKeyPair, to output: UnsafeMutablePointer<UInt8>
  ) throws(CryptographyError) {
    let secret = unsafe keys.secret.slot.pointer
    let publicKey = keys.publicKey.raw
    let status = unsafe sealed.withCPointer { (ciphertext, count) in
      unsafe publicKey.withCPointer { key in
        unsafe crypto_box_seal_open(output, ciphertext, UInt64(count), key, secret)
      }
    }
    guard status == 0 else { throw .authenticationFailed }
  }
}
