internal import CSodium

/// A secret of 32 bytes, in locked memory, with one owner. It is zeroed when its owner lets go.
///
/// There is no way to print, encode, hash or compare it by accident. Making and dropping one costs
/// tens of nanoseconds, so short-lived keys (one an entry) need no pool of their own.
@safe
public struct SecretKey: ~Copyable, Sendable {
  let slot: LockedSlot

  /// The number of bytes, 32.
  public static let byteCount = 32

  /// A new random key.
  public init() {
    slot = LockedSlot.take()
    unsafe randombytes_buf(slot.pointer, SecretKey.byteCount)
  }

  /// A new random key.
  public static func random() -> SecretKey { SecretKey() }

  /// The key with these 32 bytes. The caller's copy stays where it is and is the caller's to erase.
  ///
  /// - Throws: `.invalidLength` unless there are 32.
  public init(copying bytes: RawSpan) throws(CryptographyError) {
    guard bytes.byteCount == SecretKey.byteCount else { throw .invalidLength }
    let slot = LockedSlot.take()
    self.slot = slot
    unsafe bytes.withCPointer { (source, count) in
      unsafe slot.pointer.update(from: source, count: count)
    }
  }

  /// A key that `body` writes, straight into locked memory; what it leaves unwritten is 0.
  public init<E: Error>(
    writing body: (inout MutableRawSpan) throws(E) -> Void
  ) throws(E) {
    let slot = LockedSlot.take()
    self.slot = slot
    var span = unsafe UnsafeMutableRawBufferPointer(
      start: slot.pointer, count: SecretKey.byteCount
    ).mutableBytes
    // When `body` throws, `self` is complete and its deinit returns the slot.
    try body(&span)
  }

  /// A key that `body` writes through a C pointer to 32 bytes.
  @unsafe
  @inline(__always)
  init<E: Error>(
    writingPointer body: (UnsafeMutablePointer<UInt8>) throws(E) -> Void
  ) throws(E) {
    slot = LockedSlot.take()
    try unsafe body(slot.pointer)
  }

  deinit { slot.giveBack() }

  /// Reads the key in place. The span must not be copied anywhere that outlives the call.
  @inline(__always)
  public func withBytes<R: ~Copyable, E: Error>(
    _ body: (RawSpan) throws(E) -> R
  ) throws(E) -> R {
    try slot.withBytes(SecretKey.byteCount, body)
  }

  /// A second key with the same bytes, for a second owner.
  public func copy() -> SecretKey {
    unsafe SecretKey(writingPointer: {
      unsafe $0.update(from: slot.pointer, count: SecretKey.byteCount)
    })
  }

  /// The subkey with this use and number: `crypto_kdf`, which is BLAKE2b with this key as its key,
  /// the context as its personalisation and the number as its salt. Subkeys tell nothing of each
  /// other or of this key. A use that has one key only has number 1.
  public func derive(_ context: KeyContext, _ index: UInt64 = 1) -> SecretKey {
    unsafe SecretKey(writingPointer: { output in
      let status = unsafe context.withCPointer { name in
        unsafe crypto_kdf_derive_from_key(output, SecretKey.byteCount, index, name, slot.pointer)
      }
      precondition(status == 0, "32 bytes are within the bounds of crypto_kdf")
    })
  }

  /// Whether both keys have the same bytes, in constant time.
  public func isEqual(to other: borrowing SecretKey) -> Bool {
    unsafe sodium_memcmp(slot.pointer, other.slot.pointer, SecretKey.byteCount) == 0
  }
}
