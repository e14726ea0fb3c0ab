internal import CSodium

#if !hasFeature(Embedded)
  internal import Synchronization
#endif

/// Sixty-four bytes of locked memory, out of a slab that many secrets share.
///
/// `sodium_malloc` gives memory that is locked, left out of core dumps and fenced by guard pages,
/// but each call costs several system calls (about 32 µs) and two mappings, of which Linux allows
/// about 65,000: thousands of entry keys at once would be slow and then fail. So one call here
/// makes a slab of 255 slots, and taking or returning a slot is a push or a pop on a free list.
///
/// What is lost against one allocation a key: the guard pages stand around the slab, not around the
/// slot. Every access goes through a bounds-checked span, so an overrun traps before it reaches a
/// neighbour.
///
/// Slabs are never given back. A slot is zeroed when it is returned, so a slab without live keys
/// holds nothing but the links of its free list.
@safe
struct LockedSlot: @unchecked Sendable {
  // Sendable: the slot's owner is the only one that has this address, and hands it to one owner at
  // a time.
  private let address: UnsafeMutableRawPointer

  /// Enough for an Ed25519 secret (seed ‖ public key), and one cache line, so that two threads with
  /// two keys do not share one.
  static let byteCount = 64

  // libsodium puts a 16-byte canary before the memory and rounds up to pages: 255 slots and the
  // canary fill four pages of 4 KiB, 256 slots would need five.
  private static let slotsInSlab = 255

  private init(_ address: UnsafeMutableRawPointer) { unsafe self.address = address }

  /// A slot of zeros. Traps when the system has no memory left, as Swift's own allocations do.
  static func take() -> LockedSlot {
    freeSlots.withLock { free in
      if free.first == nil { addSlab(to: &free) }
      guard let slot = free.first else { preconditionFailure("no locked memory left") }
      free.first = slot.next
      slot.next = nil
      return slot
    }
  }

  /// Zeroes the slot and makes it available again. The caller must not use it any more.
  func giveBack() {
    unsafe sodium_memzero(address, LockedSlot.byteCount)
    LockedSlot.freeSlots.withLock { free in
      next = free.first
      free.first = self
    }
  }

  /// The first `count` bytes, read in place.
  @inline(__always)
  func withBytes<R: ~Copyable, E: Error>(
    _ count: Int, _ body: (RawSpan) throws(E) -> R
  ) throws(E) -> R {
    precondition(count >= 0 && count <= LockedSlot.byteCount, "more bytes than a slot has")
    return try unsafe body(UnsafeRawBufferPointer(start: address, count: count).bytes)
  }

  /// The slot's bytes, for libsodium to read or, while the slot is being filled, to write.
  @inline(__always)
  var pointer: UnsafeMutablePointer<UInt8> {
    unsafe address.assumingMemoryBound(to: UInt8.self)
  }

  // MARK: - The free list, threaded through the free slots themselves

  private struct FreeSlots: Sendable {
    var first: LockedSlot?
  }

  private var next: LockedSlot? {
    get {
      guard let next = unsafe address.load(as: UnsafeMutableRawPointer?.self) else { return nil }
      return unsafe LockedSlot(next)
    }
    nonmutating set {
      unsafe address.storeBytes(of: newValue?.address, as: UnsafeMutableRawPointer?.self)
    }
  }

  private static func addSlab(to free: inout FreeSlots) {
    Sodium.start()
    // "The returned address will not be aligned if the allocation size is not a multiple of the
    // required alignment": slots are, so every slot is aligned. Failure to lock is not an error to
    // libsodium; the memory is then still fenced, left out of dumps and zeroed.
    guard let slab = unsafe sodium_malloc(slotsInSlab * byteCount) else { return }
    unsafe sodium_memzero(slab, slotsInSlab * byteCount)
    for index in (0..<slotsInSlab).reversed() {
      let slot = unsafe LockedSlot(slab + index * byteCount)
      slot.next = free.first
      free.first = slot
    }
  }

  #if hasFeature(Embedded)
    private static let freeSlots = SingleThreaded(FreeSlots())

    /// Stands in for a lock where there is one thread only (WebAssembly in a page).
    private final class SingleThreaded: @unchecked Sendable {
      private var value: FreeSlots
      init(_ value: FreeSlots) { self.value = value }
      func withLock<R>(_ body: (inout FreeSlots) -> R) -> R { body(&value) }
    }
  #else
    private static let freeSlots = Mutex(FreeSlots())
  #endif
}
