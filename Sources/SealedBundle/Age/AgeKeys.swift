public import Cryptography

/// Whom an age file can be made for: an X25519 public key, written `age1…`.
public struct AgeRecipient: Hashable, Sendable {
  /// The public key.
  public let key: Bytes32

  /// The recipient with this public key.
  public init(key: Bytes32) { self.key = key }

  /// The recipient that `text` spells, in lower case and without white space.
  public init?(_ text: [UInt8]) {
    var bytes = [UInt8](repeating: 0, count: Bytes32.byteCount)
    var elements = bytes.mutableSpan
    var span = unsafe elements.mutableBytes
    guard unsafe Bech32.decode(text.span.bytes, prefix: "age", into: &span),
      let key = Bytes32(bytes)
    else { return nil }
    self.key = key
  }

  /// The recipient as `age1…`.
  public var text: String {
    String(decoding: Bech32.encode(key.bytes, prefix: "age"), as: UTF8.self)
  }
}

/// What opens an age file: a passphrase, or the secret half of a recipient's key.
public struct AgeIdentity: ~Copyable {
  enum Kind: ~Copyable {
    case x25519(SecretKey)
    case passphrase(LockedBytes)
    /// The key of one file, which its writer has until it is done.
    case fileKey(AgeFileKey)
  }
  let kind: Kind

  /// The identity of an X25519 secret key.
  public init(secretKey: consuming SecretKey) { kind = .x25519(secretKey) }

  /// The identity of a passphrase.
  ///
  /// - Parameter passphrase: its bytes as they were typed; age has no normal form.
  public init(passphrase: consuming LockedBytes) { kind = .passphrase(passphrase) }

  /// The identity that `text` spells: `AGE-SECRET-KEY-1…`, in upper case and without white space.
  public init?(_ text: RawSpan) {
    var isValid = false
    let key = SecretKey(writing: { (span: inout MutableRawSpan) in
      isValid = Bech32.decode(text, prefix: "AGE-SECRET-KEY-", into: &span)
    })
    guard isValid else { return nil }
    kind = .x25519(key)
  }

  /// The recipient whose files this identity opens; nil for a passphrase.
  public var recipient: AgeRecipient? {
    switch kind {
    case .x25519(let key): AgeRecipient(key: X25519.publicKey(of: key))
    case .passphrase: nil
    case .fileKey: nil
    }
  }

  init(fileKey: consuming AgeFileKey) { kind = .fileKey(fileKey) }
}

/// The 16 bytes that every stanza of an age file wraps.
struct AgeFileKey: ~Copyable {
  static let byteCount = 16

  /// Locked memory comes in 32 bytes; the second half is not used.
  private let storage: SecretKey

  init(random: Void) { storage = SecretKey() }

  init<E: Error>(writing body: (inout MutableRawSpan) throws(E) -> Void) throws(E) {
    storage = try SecretKey(writing: { (span) throws(E) in
      var half = span._mutatingExtracting(first: AgeFileKey.byteCount)
      try body(&half)
    })
  }

  private init(storage: consuming SecretKey) { self.storage = storage }

  func copy() -> AgeFileKey { AgeFileKey(storage: storage.copy()) }

  func withBytes<R: ~Copyable, E: Error>(_ body: (RawSpan) throws(E) -> R) throws(E) -> R {
    try storage.withBytes { (span) throws(E) in
      try body(span.extracting(first: AgeFileKey.byteCount))
    }
  }

  /// The key that the header is authenticated with, or the payload encrypted.
  func derive(salt: [UInt8], info: StaticString) -> SecretKey {
    withBytes {
      unsafe HKDFSHA256.deriveKey(
        input: $0, salt: salt.span.bytes, info: info.ascii.span.bytes)
    }
  }
}

extension StaticString {
  /// The characters of a constant of a format.
  var ascii: [UInt8] { withUTF8Buffer { unsafe [UInt8]($0) } }
}
