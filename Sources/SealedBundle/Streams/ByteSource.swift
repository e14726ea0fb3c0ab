/// Bytes that are somewhere, readable at any place: a file, a member of an archive, the plaintext of an
/// encrypted file. Layers of a bundle are sources over sources, so nothing is ever held whole.
public protocol ByteSource: ~Copyable {
  /// How many bytes there are. It does not change while the source is in use.
  var byteCount: UInt64 { get }

  /// Exactly the `count` bytes from `offset`.
  ///
  /// `mutating`, so that a layer may keep the piece that it worked on last.
  mutating func read(at offset: UInt64, count: Int) throws(SourceError) -> [UInt8]
}

/// Why a source gave no bytes.
public enum SourceError: Error, Hashable, Sendable {
  /// The medium failed, or the file became shorter while it was read.
  case unreadable
  /// The range is not within the source.
  case outOfBounds
  /// The layer below gave bytes that do not authenticate: they were altered or cut off.
  case notAuthentic
}

/// A source in memory.
public struct MemorySource: ByteSource {
  /// All bytes of the source.
  public let bytes: [UInt8]

  /// A source that gives these bytes.
  public init(_ bytes: [UInt8]) { self.bytes = bytes }

  public var byteCount: UInt64 { UInt64(bytes.count) }

  public func read(at offset: UInt64, count: Int) throws(SourceError) -> [UInt8] {
    guard isWithin(byteCount, offset, count) else { throw .outOfBounds }
    return [UInt8](bytes[Int(offset)..<(Int(offset) + count)])
  }
}

/// Whether `count` bytes from `offset` lie within a source of `size` bytes. No sum can overflow.
package func isWithin(_ size: UInt64, _ offset: UInt64, _ count: Int) -> Bool {
  count >= 0 && offset <= size && UInt64(count) <= size - offset
}

/// How much of a source is in memory at a time when it is read through.
package let streamChunkByteCount = 1 << 16

extension ByteSource where Self: ~Copyable {
  /// Reads `range` from its start to its end, in pieces of at most 64 KiB.
  ///
  /// - Parameters:
  ///   - wrap: makes the caller's error from this source's.
  ///   - body: takes one piece.
  package mutating func forEachChunk<Failure: Error>(
    in range: Range<UInt64>, wrap: (SourceError) -> Failure,
    _ body: ([UInt8]) throws(Failure) -> Void
  ) throws(Failure) {
    var offset = range.lowerBound
    while offset < range.upperBound {
      let count = Int(min(UInt64(streamChunkByteCount), range.upperBound - offset))
      let chunk: [UInt8]
      do { chunk = try read(at: offset, count: count) } catch { throw wrap(error) }
      // A source of somebody else's making could break its promise; nothing after it may be misplaced.
      guard chunk.count == count else { throw wrap(.unreadable) }
      try body(chunk)
      offset += UInt64(count)
    }
  }
}
