internal import CSodium

/// The function X25519 (RFC 7748), for the age format. Messages of our own go through `SealedBox`.
public enum X25519 {
  /// The public key of `secret`: its product with the base point.
  public static func publicKey(of secret: borrowing SecretKey) -> Bytes32 {
    let scalar = unsafe secret.slot.pointer
    return unsafe Bytes32(writing: { output in
      let status = unsafe crypto_scalarmult_curve25519_base(output, scalar)
      precondition(status == 0, "multiplying the base point does not fail")
    })
  }

  /// The shared secret of `secret` and another's public key.
  ///
  /// - Throws: `.invalidPublicKey` when the result would be all zeros, that is, for a point of
  ///   small order (RFC 7748 section 6.1 leaves this check open; age requires it).
  public static func sharedSecret(
    of secret: borrowing SecretKey, with publicKey: Bytes32
  ) throws(CryptographyError) -> SecretKey {
    let scalar = unsafe secret.slot.pointer
    return try unsafe SecretKey(writingPointer: { (output) throws(CryptographyError) in
      let status = unsafe publicKey.withCPointer { point in
        unsafe crypto_scalarmult_curve25519(output, scalar, point)
      }
      guard status == 0 else { throw .invalidPublicKey }
    })
  }
}
