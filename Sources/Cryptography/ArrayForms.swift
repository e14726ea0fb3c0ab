// The same calls for whole arrays, which is what most callers have. They copy nothing.

extension AEAD {
  /// Seals `plaintext`; the result is 16 bytes longer.
  public static func seal(
    _ plaintext: [UInt8], key: borrowing SecretKey, nonce: Nonce24, associatedData: [UInt8] = []
  ) -> [UInt8] {
    plaintext.withBytes { plaintext in
      associatedData.withBytes { data in
        seal(plaintext, key: key, nonce: nonce, associatedData: data)
      }
    }
  }

  /// Opens `sealed`.
  ///
  /// - Throws: `.authenticationFailed`.
  public static func open(
    _ sealed: [UInt8], key: borrowing SecretKey, nonce: Nonce24, associatedData: [UInt8] = []
  ) throws(CryptographyError) -> [UInt8] {
    try sealed.withBytes { (sealed) throws(CryptographyError) in
      try associatedData.withBytes { (data) throws(CryptographyError) in
        try open(sealed, key: key, nonce: nonce, associatedData: data)
      }
    }
  }

  /// Seals a key under another: 48 bytes.
  public static func seal(
    _ secret: borrowing SecretKey, key: borrowing SecretKey, nonce: Nonce24,
    associatedData: [UInt8]
  ) -> [UInt8] {
    associatedData.withBytes { seal(secret, key: key, nonce: nonce, associatedData: $0) }
  }

  /// Opens 48 bytes to a key, straight into locked memory.
  ///
  /// - Throws: `.invalidLength`, `.authenticationFailed`.
  public static func openKey(
    _ sealed: [UInt8], key: borrowing SecretKey, nonce: Nonce24, associatedData: [UInt8] = []
  ) throws(CryptographyError) -> SecretKey {
    try sealed.withBytes { (sealed) throws(CryptographyError) in
      try associatedData.withBytes { (data) throws(CryptographyError) in
        try openKey(sealed, key: key, nonce: nonce, associatedData: data)
      }
    }
  }
}

extension SealedBox {
  /// Seals `plaintext` to `recipient`.
  ///
  /// - Throws: `.invalidPublicKey`.
  public static func seal(
    _ plaintext: [UInt8], to recipient: BoxPublicKey
  ) throws(CryptographyError) -> [UInt8] {
    try plaintext.withBytes { (bytes) throws(CryptographyError) in
      try seal(bytes, to: recipient)
    }
  }

  /// Opens `sealed`.
  ///
  /// - Throws: `.authenticationFailed`.
  public static func open(
    _ sealed: [UInt8], with keys: borrowing BoxKeyPair
  ) throws(CryptographyError) -> [UInt8] {
    try sealed.withBytes { (bytes) throws(CryptographyError) in try open(bytes, with: keys) }
  }

  /// Opens 80 bytes to a key, straight into locked memory.
  ///
  /// - Throws: `.invalidLength`, `.authenticationFailed`.
  public static func openKey(
    _ sealed: [UInt8], with keys: borrowing BoxKeyPair
  ) throws(CryptographyError) -> SecretKey {
    try sealed.withBytes { (bytes) throws(CryptographyError) in try openKey(bytes, with: keys) }
  }
}
