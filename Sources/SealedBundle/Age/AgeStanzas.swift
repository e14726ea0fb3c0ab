internal import Cryptography

/// How a file key is wrapped and unwrapped: X25519 for a recipient, scrypt for a passphrase.
extension AgeStanza {
  /// log2 of the work that we put into a passphrase: 256 MiB and about a second.
  static let writtenWorkFactor = 18
  /// The most that a file may ask for: 4 GiB.
  static let greatestWorkFactor = 22

  private static let saltByteCount = 16
  private static let wrappedByteCount = AgeFileKey.byteCount + ChaChaPoly.tagByteCount
  private static let zeroNonce = [UInt8](repeating: 0, count: ChaChaPoly.nonceByteCount)

  // MARK: Unwrapping

  /// The file key of the first stanza that is for `identity`. Stanzas of other kinds are somebody else's.
  static func unwrap(_ stanzas: [AgeStanza], with identity: borrowing AgeIdentity)
    throws(AgeError) -> AgeFileKey
  {
    switch identity.kind {
    case .x25519(let secret):
      let recipient = X25519.publicKey(of: secret)
      for stanza in stanzas where stanza.isOfType("X25519") {
        let wrapKey = try stanza.wrapKey(secret, recipient)
        do { return try stanza.open(wrapKey) } catch { continue }
      }
    case .passphrase(let passphrase):
      for stanza in stanzas where stanza.isOfType("scrypt") {
        let wrapKey = try stanza.wrapKey(passphrase)
        do { return try stanza.open(wrapKey) } catch { continue }
      }
    case .fileKey(let key): return key.copy()
    }
    throw .noMatch
  }

  private func wrapKey(_ secret: borrowing SecretKey, _ recipient: Bytes32) throws(AgeError)
    -> SecretKey
  {
    guard arguments.count == 2, body.count == AgeStanza.wrappedByteCount,
      let share = Bytes32(try decodeField(arguments[1][...], count: Bytes32.byteCount))
    else { throw .header }
    do {
      let shared = try X25519.sharedSecret(of: secret, with: share)
      return AgeStanza.wrapKey(shared, share: share, recipient: recipient)
    } catch {
      throw .header  // a share of small order
    }
  }

  private func wrapKey(_ passphrase: borrowing LockedBytes) throws(AgeError) -> SecretKey {
    guard arguments.count == 3, body.count == AgeStanza.wrappedByteCount,
      let workFactor = AgeStanza.workFactor(arguments[2])
    else { throw .header }
    let salt = try decodeField(arguments[1][...], count: AgeStanza.saltByteCount)
    do {
      return try passphrase.withBytes { (bytes) throws(CryptographyError) in
        try AgeStanza.wrapKey(bytes, salt: salt, workFactor: workFactor)
      }
    } catch {
      throw .outOfMemory
    }
  }

  /// A decimal number without sign or leading zero, within what we are prepared to compute.
  private static func workFactor(_ text: [UInt8]) -> Int? {
    guard (1...2).contains(text.count), text[0] != UInt8(ascii: "0") else { return nil }
    var value = 0
    for byte in text {
      guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
      value = value * 10 + Int(byte - UInt8(ascii: "0"))
    }
    return value <= greatestWorkFactor ? value : nil
  }

  private func open(_ wrapKey: borrowing SecretKey) throws(CryptographyError) -> AgeFileKey {
    // The length was checked before: a longer body could be made to open under several keys.
    try AgeFileKey(writing: { (span) throws(CryptographyError) in
      try unsafe ChaChaPoly.open(
        body.span.bytes, into: &span, key: wrapKey, nonce: AgeStanza.zeroNonce.span.bytes)
    })
  }

  // MARK: Wrapping

  /// The stanza for a recipient; nil if the recipient's key is no usable one.
  static func wrapping(_ key: borrowing AgeFileKey, for recipient: AgeRecipient) -> AgeStanza? {
    let ephemeral = SecretKey()
    let share = X25519.publicKey(of: ephemeral)
    do {
      let shared = try X25519.sharedSecret(of: ephemeral, with: recipient.key)
      let wrapKey = wrapKey(shared, share: share, recipient: recipient.key)
      let shareText = share.withBytes { Base64.encodeBytes($0, padding: .absent) }
      return AgeStanza(arguments: [Array("X25519".utf8), shareText], body: seal(key, wrapKey))
    } catch {
      return nil
    }
  }

  /// The stanza for a passphrase.
  static func wrapping(
    _ key: borrowing AgeFileKey, for passphrase: RawSpan, workFactor: Int
  ) throws(CryptographyError) -> AgeStanza {
    let salt = Randomness.bytes(saltByteCount)
    let wrapKey = try wrapKey(passphrase, salt: salt, workFactor: workFactor)
    return unsafe AgeStanza(
      arguments: [
        Array("scrypt".utf8), Base64.encodeBytes(salt.span.bytes, padding: .absent),
        Array(String(workFactor).utf8),
      ], body: seal(key, wrapKey))
  }

  private static func seal(_ key: borrowing AgeFileKey, _ wrapKey: borrowing SecretKey) -> [UInt8] {
    key.withBytes { unsafe ChaChaPoly.seal($0, key: wrapKey, nonce: zeroNonce.span.bytes) }
  }

  // MARK: Keys

  private static func wrapKey(_ shared: borrowing SecretKey, share: Bytes32, recipient: Bytes32)
    -> SecretKey
  {
    let salt = share.bytes + recipient.bytes
    let info: StaticString = "age-encryption.org/v1/X25519"
    return shared.withBytes {
      unsafe HKDFSHA256.deriveKey(input: $0, salt: salt.span.bytes, info: info.ascii.span.bytes)
    }
  }

  private static func wrapKey(_ passphrase: RawSpan, salt: [UInt8], workFactor: Int)
    throws(CryptographyError) -> SecretKey
  {
    let salt = Array("age-encryption.org/v1/scrypt".utf8) + salt
    return try unsafe Scrypt.derive(
      passphrase: passphrase, salt: salt.span.bytes, logN: workFactor,
      maximumMemory: 1 << UInt64(greatestWorkFactor + 10))
  }
}
