internal import CSodium

/// An Ed25519 signature (RFC 8032): the encoded point R and the scalar S, 64 bytes. Having one says
/// nothing about its validity.
public struct Signature: Hashable, Sendable {
  // A tuple, so that the value's own memory is the byte string.
  private var halves: (point: Bytes32, scalar: Bytes32)

  /// The number of bytes, 64.
  public static let byteCount = 64

  /// The signature of exactly 64 bytes; nil for any other number.
  public init?(_ bytes: RawSpan) {
    guard bytes.byteCount == Signature.byteCount,
      let point = Bytes32(bytes.extracting(first: 32)),
      let scalar = Bytes32(bytes.extracting(last: 32))
    else { return nil }
    halves = (point, scalar)
  }

  /// The 64 bytes that `body` writes through a C pointer.
  @unsafe
  fileprivate init(writing body: (UnsafeMutablePointer<UInt8>) -> Void) {
    halves = (.zero, .zero)
    unsafe withUnsafeMutableBytes(of: &halves) { buffer in
      if let base = buffer.baseAddress {
        unsafe body(base.assumingMemoryBound(to: UInt8.self))
      }
    }
  }

  /// The signature of exactly 64 bytes; nil for any other number.
  public init?(_ bytes: [UInt8]) { self.init(unsafe bytes.span.bytes) }

  /// R, the encoded point.
  public var point: Bytes32 { halves.point }
  /// S, the scalar, little-endian.
  public var scalar: Bytes32 { halves.scalar }

  /// The bytes, R then S.
  public var bytes: [UInt8] { withBytes { $0.copied() } }

  /// Reads the bytes in place.
  @inline(__always)
  public func withBytes<R: ~Copyable, E: Error>(
    _ body: (RawSpan) throws(E) -> R
  ) throws(E) -> R {
    try unsafe withUnsafeBytes(of: halves) { (buffer) throws(E) -> R in
      try unsafe body(buffer.bytes)
    }
  }

  @inline(__always)
  fileprivate func withCPointer<R>(_ body: (UnsafePointer<UInt8>) -> R) -> R {
    withBytes { bytes in unsafe bytes.withCPointer { (pointer, _) in unsafe body(pointer) } }
  }

  public static func == (left: Signature, right: Signature) -> Bool { left.halves == right.halves }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(point)
    hasher.combine(scalar)
  }
}

/// A public key that signatures are checked against. That one exists means that it is the canonical
/// encoding of a point of prime order; no other key gets past `init`.
public struct VerifyingKey: Hashable, Comparable, Sendable {
  /// The encoded point.
  public let raw: Bytes32

  /// The key with these 32 bytes.
  ///
  /// - Throws: `.invalidLength`, or `.invalidPublicKey` unless they are the canonical encoding of a
  ///   point on the curve, in the subgroup of prime order, and not its identity.
  public init(_ bytes: RawSpan) throws(CryptographyError) {
    guard let raw = Bytes32(bytes) else { throw .invalidLength }
    try self.init(raw)
  }

  /// The key with these 32 bytes.
  ///
  /// - Throws: as above.
  public init(_ bytes: [UInt8]) throws(CryptographyError) {
    try self.init(unsafe bytes.span.bytes)
  }

  /// The key with this encoding.
  ///
  /// - Throws: `.invalidPublicKey`, as above.
  public init(_ raw: Bytes32) throws(CryptographyError) {
    guard raw.isCanonicalPointOfPrimeOrder else { throw .invalidPublicKey }
    self.raw = raw
  }

  /// The key that was checked when it came, and since then was only where nobody else writes: checking costs as
  /// much as verifying a signature.
  public init(checkedBefore raw: Bytes32) { self.raw = raw }

  /// The key that we computed ourselves, as a multiple of the base point.
  fileprivate init(trusted raw: Bytes32) { self.raw = raw }

  /// The bytes, as a new array.
  public var bytes: [UInt8] { raw.bytes }

  /// Whether `signature` is one of `message` by this key.
  ///
  /// Implementations of Ed25519 disagree on malformed input, and a log that is valid on one copy
  /// and not on another is a fork. So the predicate is pinned, stricter than RFC 8032:
  ///
  /// 1. A is canonical and of prime order (checked once, by `init`);
  /// 2. R is canonical and of prime order;
  /// 3. S < L, and the equation without cofactor holds: S·B = R + SHA-512(R ‖ A ‖ message)·A.
  ///
  /// Given 1 and 3, R is of prime order or the identity by arithmetic. Rule 2 is checked all the
  /// same, so that the verdict does not rest on how a version or build of libsodium treats R.
  public func isValid(_ signature: Signature, for message: RawSpan) -> Bool {
    let status = unsafe message.withCPointer { (message, count) in
      unsafe raw.withCPointer { key in
        unsafe signature.withCPointer { signature in
          unsafe crypto_sign_verify_detached(signature, message, UInt64(count), key)
        }
      }
    }
    return status == 0 && signature.point.isCanonicalPointOfPrimeOrder
  }

  /// Whether `signature` is one by this key of `message` in `domain`: see `SigningKey.sign(_:in:)`.
  public func isValid(_ signature: Signature, for message: [UInt8], in domain: Domain) -> Bool {
    (domain.prefix + message).withBytes { isValid(signature, for: $0) }
  }

  /// Lexicographic order of the bytes.
  public static func < (left: VerifyingKey, right: VerifyingKey) -> Bool { left.raw < right.raw }
}

/// A key that signs: an Ed25519 secret in locked memory, with one owner.
@safe
public struct SigningKey: ~Copyable, Sendable {
  // seed ‖ public key, 64 bytes: the form that libsodium signs with, which saves computing the
  // public key for each signature.
  private let slot: LockedSlot
  /// What others check signatures with.
  public let publicKey: VerifyingKey

  /// The key of a seed (RFC 8032 section 5.1.5). The seed is what a vault stores.
  public init(seed: borrowing SecretKey) {
    let slot = LockedSlot.take()
    self.slot = slot
    let seedPointer = unsafe seed.slot.pointer
    publicKey = VerifyingKey(
      trusted: unsafe Bytes32(writing: { output in
        _ = unsafe crypto_sign_seed_keypair(output, slot.pointer, seedPointer)
      }))
  }

  deinit { slot.giveBack() }

  /// The signature of `message`, the same each time (RFC 8032 is deterministic).
  public func sign(_ message: RawSpan) -> Signature {
    unsafe Signature(writing: { output in
      unsafe message.withCPointer { (message, count) in
        // Always 0: the function has no way to fail.
        _ = unsafe crypto_sign_detached(output, nil, message, UInt64(count), slot.pointer)
      }
    })
  }

  /// The signature over u8 length of the domain's name ‖ name ‖ `message`. One key may sign in
  /// several domains, and notes beside: no note begins with a byte as small as that length.
  public func sign(_ message: [UInt8], in domain: Domain) -> Signature {
    (domain.prefix + message).withBytes { sign($0) }
  }
}

extension Bytes32 {
  /// "Checks that p represents a point on the edwards25519 curve, in canonical form, on the main
  /// subgroup, and that the point doesn't have a small order."
  fileprivate var isCanonicalPointOfPrimeOrder: Bool {
    unsafe withCPointer { point in unsafe crypto_core_ed25519_is_valid_point(point) == 1 }
  }
}
