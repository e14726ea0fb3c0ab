internal import CSodium

/// A secret of variable length, such as a passphrase, in guarded memory of its own, with one owner.
///
/// Each one costs a `sodium_malloc` (tens of microseconds and two of the process's mappings): right
/// for the few texts that people type, wrong for keys, for which there is `SecretKey`.
@safe
public struct LockedBytes: ~Copyable, @unchecked Sendable {
  // Sendable: the address is private to the one owner, and nothing changes it but `mutating` calls.
  private let base: UnsafeMutablePointer<UInt8>
  /// The number of bytes it can hold.
  public let capacity: Int
  /// The number of bytes it holds.
  public private(set) var count: Int

  /// No bytes yet, with room for `capacity`.
  ///
  /// - Throws: `.outOfMemory`.
  public init(capacity: Int) throws(CryptographyError) {
    precondition(capacity >= 0, "a capacity is not negative")
    Sodium.start()
    guard let memory = unsafe sodium_malloc(Swift.max(capacity, 1)) else { throw .outOfMemory }
    unsafe base = memory.assumingMemoryBound(to: UInt8.self)
    unsafe base.initialize(repeating: 0, count: capacity)
    self.capacity = capacity
    count = 0
  }

  /// These bytes. The caller's copy stays where it is and is the caller's to erase.
  ///
  /// - Throws: `.outOfMemory`.
  public init(copying bytes: RawSpan) throws(CryptographyError) {
    try self.init(capacity: bytes.byteCount)
    count = bytes.byteCount
    let target = unsafe base
    unsafe bytes.withCPointer { (source, count) in unsafe target.update(from: source, count: count)
    }
  }

  /// `count` bytes that `body` writes, straight into guarded memory; what it leaves unwritten is 0.
  ///
  /// - Throws: `.outOfMemory`, or what `body` throws.
  public init(
    count: Int, writing body: (inout MutableRawSpan) throws(CryptographyError) -> Void
  ) throws(CryptographyError) {
    var filled = try LockedBytes(capacity: count)
    filled.count = count
    var span = unsafe UnsafeMutableRawBufferPointer(start: filled.base, count: count).mutableBytes
    try body(&span)
    self = filled
  }

  deinit {
    // "sodium_free … the memory region is filled with zeros before the deallocation", and the
    // canary is checked.
    unsafe sodium_free(base)
  }

  /// Adds one byte.
  ///
  /// - Throws: `.invalidLength` when `capacity` bytes are there already.
  public mutating func append(_ byte: UInt8) throws(CryptographyError) {
    guard count < capacity else { throw .invalidLength }
    unsafe base[count] = byte
    count += 1
  }

  /// Erases the last byte, if there is one: the backspace of a passphrase prompt.
  public mutating func removeLast() {
    guard count > 0 else { return }
    count -= 1
    unsafe base[count] = 0
  }

  /// Reads the bytes in place. The span must not be copied anywhere that outlives the call.
  public func withBytes<R: ~Copyable, E: Error>(
    _ body: (RawSpan) throws(E) -> R
  ) throws(E) -> R {
    try unsafe body(UnsafeRawBufferPointer(start: base, count: count).bytes)
  }

  /// Whether both hold the same bytes, in time that depends on their lengths only.
  public func isEqual(to other: borrowing LockedBytes) -> Bool {
    guard count == other.count else { return false }
    return unsafe sodium_memcmp(base, other.base, count) == 0
  }
}
