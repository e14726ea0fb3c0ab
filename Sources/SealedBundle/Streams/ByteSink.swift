internal import Cryptography

/// Where bytes go, from the first to the last: a file, memory, the layer below.
///
/// A sink that threw has taken an unknown part of what it was given. Whoever owns the output throws it
/// away; no layer repairs.
public protocol ByteSink: ~Copyable {
  /// Takes all of `bytes`.
  mutating func write(_ bytes: RawSpan) throws(SinkError)
}

/// Why a sink took no bytes.
public enum SinkError: Error, Hashable, Sendable {
  /// The medium failed.
  case unwritable
  /// There is no room.
  case full
}

extension ByteSink where Self: ~Copyable {
  /// Takes all of `bytes`.
  public mutating func write(_ bytes: [UInt8]) throws(SinkError) {
    try unsafe write(bytes.span.bytes)
  }
}

/// A sink in memory.
public struct MemorySink: ByteSink {
  /// What was written so far.
  public private(set) var bytes: [UInt8] = []

  /// An empty sink.
  public init() {}

  public mutating func write(_ span: RawSpan) throws(SinkError) {
    bytes.append(span)
  }
}
