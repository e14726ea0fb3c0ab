#if canImport(Crypto)
  internal import Crypto
#else
  internal import CSodium
#endif

/// SHA-256 (FIPS 180-4), streaming or in one call.
///
/// It comes from swift-crypto, which uses the processor's SHA instructions (about five times
/// libsodium's speed), and from libsodium where swift-crypto cannot go, that is, in the browser.
public struct SHA256Hash: Sendable {
  #if canImport(Crypto)
    private var state = SHA256()
  #else
    private var state = crypto_hash_sha256_state()
  #endif

  /// The hash of nothing yet.
  public init() {
    #if !canImport(Crypto)
      unsafe crypto_hash_sha256_init(&state)
    #endif
  }

  /// The hash of `bytes`.
  public static func hash(_ bytes: RawSpan) -> Bytes32 {
    var hash = SHA256Hash()
    hash.update(bytes)
    return hash.finalize()
  }

  /// The hash of `bytes`.
  public static func hash(_ bytes: [UInt8]) -> Bytes32 { hash(unsafe bytes.span.bytes) }

  /// Adds bytes, read in place.
  @inline(__always)
  public mutating func update(_ bytes: RawSpan) {
    #if canImport(Crypto)
      unsafe bytes.withUnsafeBytes { unsafe state.update(bufferPointer: $0) }
    #else
      unsafe bytes.withCPointer { (pointer, count) in
        // Always 0: the function has no way to fail.
        _ = unsafe crypto_hash_sha256_update(&state, pointer, UInt64(count))
      }
    #endif
  }

  /// Adds bytes.
  public mutating func update(_ bytes: [UInt8]) { update(unsafe bytes.span.bytes) }

  /// Adds 32 bytes.
  @inline(__always)
  public mutating func update(_ bytes: Bytes32) { bytes.withBytes { update($0) } }

  /// Adds one byte.
  @inline(__always)
  package mutating func update(byte: UInt8) {
    unsafe withUnsafeBytes(of: byte) { unsafe update($0.bytes) }
  }

  /// Adds eight bytes, most significant first.
  @inline(__always)
  package mutating func update(bigEndian value: UInt64) {
    unsafe withUnsafeBytes(of: value.bigEndian) { unsafe update($0.bytes) }
  }

  /// The hash of all bytes so far. More can be added afterwards.
  @inline(__always)
  public func finalize() -> Bytes32 {
    #if canImport(Crypto)
      // Bytes32 is the size of a SHA-256 digest.
      return unsafe state.finalize().withUnsafeBytes { unsafe Bytes32($0.bytes) }.unsafelyUnwrapped
    #else
      var copy = state
      return unsafe Bytes32(writing: { output in
        _ = unsafe crypto_hash_sha256_final(&copy, output)
      })
    #endif
  }
}
