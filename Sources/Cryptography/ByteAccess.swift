internal import CSodium

// How this library hands bytes to C and takes bytes back, in one place. Nothing outside this file
// and the thin wrappers around libsodium touches a pointer.

extension RawSpan {
  /// Calls `body` with a pointer that is never nil, and the number of bytes behind it. libsodium
  /// declares some parameters non-null even where the length may be 0, and an empty span may have
  /// no address.
  @inline(__always)
  func withCPointer<R: ~Copyable, E: Error>(
    _ body: (UnsafePointer<UInt8>, Int) throws(E) -> R
  ) throws(E) -> R {
    try unsafe withUnsafeBytes { (buffer) throws(E) -> R in
      if let base = buffer.baseAddress {
        return try unsafe body(base.assumingMemoryBound(to: UInt8.self), buffer.count)
      }
      var nothing: UInt8 = 0
      return try unsafe withUnsafePointer(to: &nothing) { (pointer) throws(E) -> R in
        try unsafe body(pointer, 0)
      }
    }
  }

  /// The byte at `offset`; traps outside the span.
  @inline(__always)
  package func byte(at offset: Int) -> UInt8 {
    precondition(offset >= 0 && offset < byteCount, "offset outside the span")
    return unsafe unsafeLoad(fromByteOffset: offset, as: UInt8.self)
  }

  /// The big-endian integer of the eight bytes at `offset`; traps outside the span.
  @inline(__always)
  package func bigEndianUInt64(at offset: Int) -> UInt64 {
    precondition(
      offset >= 0 && byteCount >= 8 && offset <= byteCount - 8, "offset outside the span")
    return UInt64(bigEndian: unsafe unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self))
  }

  /// The `count` bytes from `offset`; traps outside the span.
  @inline(__always)
  package func bytes(at offset: Int, count: Int) -> [UInt8] {
    extracting(offset..<(offset + count)).copied()
  }

  /// A copy of all bytes.
  public func copied() -> [UInt8] {
    unsafe withUnsafeBytes { unsafe [UInt8]($0) }
  }
}

extension MutableRawSpan {
  /// As `RawSpan.withCPointer`, for writing.
  @inline(__always)
  mutating func withCPointer<R: ~Copyable, E: Error>(
    _ body: (UnsafeMutablePointer<UInt8>, Int) throws(E) -> R
  ) throws(E) -> R {
    try unsafe withUnsafeMutableBytes { (buffer) throws(E) -> R in
      if let base = buffer.baseAddress {
        return try unsafe body(base.assumingMemoryBound(to: UInt8.self), buffer.count)
      }
      var nothing: UInt8 = 0
      return try unsafe withUnsafeMutablePointer(to: &nothing) { (pointer) throws(E) -> R in
        try unsafe body(pointer, 0)
      }
    }
  }
}

extension [UInt8] {
  /// Reads the bytes in place. (`span.bytes` is the same, but the standard library marks it
  /// unsafe.)
  @inline(__always)
  public func withBytes<R: ~Copyable, E: Error>(
    _ body: (RawSpan) throws(E) -> R
  ) throws(E) -> R {
    try unsafe body(span.bytes)
  }

  /// An array of exactly `count` bytes, all of which `body` writes.
  @unsafe
  @inline(__always)
  init<E: Error>(
    count: Int, writing body: (UnsafeMutablePointer<UInt8>) throws(E) -> Void
  ) throws(E) {
    // One byte more than asked keeps the pointer valid when `count` is 0.
    try self.init(capacity: count + 1) { (output: inout OutputSpan<UInt8>) throws(E) in
      try unsafe output.withUnsafeMutableBufferPointer { (buffer, initialized) throws(E) in
        if let base = buffer.baseAddress { try unsafe body(base) }
        initialized = count
      }
    }
  }

  /// Appends the bytes of `value`, most significant first.
  @inline(__always)
  package mutating func appendBigEndian(_ value: some FixedWidthInteger & UnsignedInteger) {
    unsafe Swift.withUnsafeBytes(of: value.bigEndian) { unsafe append(contentsOf: $0) }
  }

  /// Appends all bytes of `span`.
  @inline(__always)
  package mutating func append(_ span: RawSpan) {
    unsafe span.withUnsafeBytes { unsafe append(contentsOf: $0) }
  }
}

extension FixedWidthInteger where Self: UnsignedInteger {
  /// The number that these bytes are, most significant first; of more than it has, the last count.
  @inline(__always)
  package init(bigEndianBytes bytes: some Sequence<UInt8>) {
    self = bytes.reduce(0) { $0 << 8 | Self($1) }
  }

  /// All of its bytes, most significant first.
  @inline(__always)
  package var bigEndianBytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.appendBigEndian(self)
    return bytes
  }
}

extension Array where Element: BitwiseCopyable {
  /// Overwrites all elements with zeros, in a way that no optimiser leaves out. For the few places
  /// where a secret has to pass through an array; copies of the array are not reached.
  package mutating func erase() { erase(first: count) }

  /// As `erase`, for the first `used` elements of an array of which no more were written.
  package mutating func erase(first used: Int) {
    precondition(used <= count, "no more than there are")
    unsafe withUnsafeMutableBytes { bytes in
      if let base = bytes.baseAddress {
        unsafe sodium_memzero(base, used * MemoryLayout<Element>.stride)
      }
    }
  }
}

/// Whether two byte strings are equal, in time that depends on their lengths only.
public func constantTimeEquals(_ left: RawSpan, _ right: RawSpan) -> Bool {
  guard left.byteCount == right.byteCount else { return false }
  return unsafe left.withCPointer { (left, count) in
    unsafe right.withCPointer { (right, _) in unsafe sodium_memcmp(left, right, count) == 0 }
  }
}
