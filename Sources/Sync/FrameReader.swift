internal import Cryptography

/// Takes a stream of frames apart as its bytes arrive. It holds one frame at a time, and takes no memory for
/// a length before the bytes for it are there.
///
///     var reader = FrameReader()
///     while let bytes = nextBytes() {
///       reader.feed(bytes)
///       while let frame = try reader.next() { use(frame) }
///     }
///     try reader.finish()
///
/// What `next` returned before an error counts: each frame is verified alone. Where a summary was given, `end`
/// comes out only if it is that of the frames before.
public struct FrameReader: Sendable {
  /// Type and length.
  public static let headByteCount = 5
  /// Bytes that did not make a frame yet, from `start`.
  private var buffer: [UInt8] = []
  private var start = 0
  private var state = State.beforeHello
  /// The summary that was given, and what has come of the frames that it sums up.
  private var summary: (given: Bytes32, frames: DomainHasher)?
  /// Items that have come, of the types of which there may be only so many.
  private var itemCounts: [FrameType: Int] = [:]

  private enum State: Sendable {
    case beforeHello
    case afterHello
    case open
    case ended
  }

  /// A reader at the start of a stream.
  public init() {}

  /// Whether `end` has been read.
  public var hasEnded: Bool { state == .ended }

  /// Adds the next bytes of the stream.
  public mutating func feed(_ bytes: [UInt8]) {
    if start == buffer.count {
      buffer = bytes
    } else {
      buffer.removeFirst(start)
      buffer += bytes
    }
    start = 0
  }

  /// The next frame, or nil until more bytes come. After an error the stream is of no more use.
  public mutating func next() throws(FrameError) -> Frame? {
    guard start < buffer.count else { return nil }
    guard state != .ended else { throw .trailingBytes }
    guard let type = FrameType(rawValue: buffer[start]) else { throw .unknownType }
    guard (type == .hello) == (state == .beforeHello) else { throw .misplacedHello }
    guard type != .summary || state == .afterHello else { throw .misplacedSummary }
    guard buffer.count - start >= FrameReader.headByteCount else { return nil }
    let length = Int(
      UInt32(bigEndianBytes: buffer[(start + 1)..<(start + FrameReader.headByteCount)]))
    guard length <= type.maximumByteCount else { throw .tooLong }
    let payload = start + FrameReader.headByteCount
    guard buffer.count - payload >= length else { return nil }
    let frame = try decode(type, Array(buffer[payload..<(payload + length)]))
    if let most = type.maximumItemCount {
      itemCounts[type, default: 0] += frame.itemCount
      guard itemCounts[type, default: 0] <= most else { throw .malformed }
    }
    if case .summary(let given) = frame {
      summary = (given, DomainHasher(.head))
    } else if type == .end {
      guard summary.map({ $0.frames.finalize() == $0.given }) ?? true else { throw .otherSummary }
    } else {
      summary?.frames.add(Array(buffer[start..<(payload + length)]))
    }
    start = payload + length
    state =
      switch type {
      case .hello: .afterHello
      case .end: .ended
      default: .open
      }
    return frame
  }

  /// Says whether the stream came to its end.
  ///
  /// - Throws: `.truncated`; `.trailingBytes`.
  public func finish() throws(FrameError) {
    guard hasEnded else { throw .truncated }
    guard start == buffer.count else { throw .trailingBytes }
  }

  private func decode(_ type: FrameType, _ payload: [UInt8]) throws(FrameError) -> Frame {
    do throws(FrameError) {
      return try Frame(type, payload: payload)
    } catch {
      guard type == .hello, Hello.isNewer(payload) else { throw error }
      throw .newerVersion
    }
  }
}
