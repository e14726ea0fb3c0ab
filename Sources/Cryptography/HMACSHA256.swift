internal import CSodium

/// HMAC-SHA-256 (RFC 2104), with a key of any length.
public enum HMACSHA256 {
  /// The tag of `message` under `key`.
  public static func authenticate(_ message: RawSpan, key: RawSpan) -> Bytes32 {
    var hmac = HMACState(key: key)
    hmac.update(message)
    return unsafe Bytes32(writing: { unsafe hmac.finalize(to: $0) })
  }

  /// The tag of `message` under `key`.
  public static func authenticate(_ message: RawSpan, key: borrowing SecretKey) -> Bytes32 {
    key.withBytes { authenticate(message, key: $0) }
  }

  /// Whether `tag` is the tag of `message` under `key`, compared in constant time.
  public static func isValid(_ tag: RawSpan, for message: RawSpan, key: RawSpan) -> Bool {
    authenticate(message, key: key).withBytes { constantTimeEquals($0, tag) }
  }

  /// Whether `tag` is the tag of `message` under `key`, compared in constant time.
  public static func isValid(
    _ tag: RawSpan, for message: RawSpan, key: borrowing SecretKey
  ) -> Bool {
    key.withBytes { isValid(tag, for: message, key: $0) }
  }
}

/// One HMAC under way. Its state is worth as much as its key, and is erased at the end; a copy that
/// the compiler left on the stack in passing is not reached.
struct HMACState: ~Copyable {
  private var state = crypto_auth_hmacsha256_state()

  init(key: RawSpan) {
    unsafe key.withCPointer { (pointer, count) in
      _ = unsafe crypto_auth_hmacsha256_init(&state, pointer, count)
    }
  }

  mutating func update(_ bytes: RawSpan) {
    unsafe bytes.withCPointer { (pointer, count) in
      _ = unsafe crypto_auth_hmacsha256_update(&state, pointer, UInt64(count))
    }
  }

  /// Writes the 32 bytes of the tag.
  mutating func finalize(to output: UnsafeMutablePointer<UInt8>) {
    _ = unsafe crypto_auth_hmacsha256_final(&state, output)
    unsafe sodium_memzero(&state, MemoryLayout<crypto_auth_hmacsha256_state>.size)
  }
}
