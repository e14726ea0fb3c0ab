/// The first byte of a frame.
enum FrameType: UInt8 {
  case hello = 0x01
  case statements = 0x02
  case heads = 0x03
  case range = 0x04
  case bodies = 0x05
  case slots = 0x06
  case wraps = 0x07
  case forks = 0x08
  case blob = 0x09
  case span = 0x0a
  case successions = 0x0d
  case summary = 0x0e
  case end = 0x7f

  /// What a payload of this type can measure: a frame that claims more is refused before it is read.
  var maximumByteCount: Int {
    switch self {
    case .hello: 128
    case .summary: 34
    case .end: 1
    case .span: 70_000
    default: SyncLimits.payloadByteCount
    }
  }

  /// How many items of this type one stream may have, in however many frames; nil of what no reader keeps.
  var maximumItemCount: Int? {
    switch self {
    case .statements: SyncLimits.statements
    case .successions: SyncLimits.successions
    case .heads: SyncLimits.heads
    case .forks: SyncLimits.members
    case .wraps: SyncLimits.itemsOfFrame
    default: nil
    }
  }
}

/// Why a stream of frames goes no further. What came before it counts all the same.
public enum FrameError: Error, Hashable, Sendable {
  /// The bytes end inside a frame, or before `end`.
  case truncated
  /// A frame is longer than its type allows.
  case tooLong
  /// A type that this version does not know.
  case unknownType
  /// A payload that is not the encoding of its type, or that has more items than may still come.
  case malformed
  /// The stream does not begin with a `hello`, or has a second one.
  case misplacedHello
  /// A summary that does not stand second.
  case misplacedSummary
  /// The frames up to `end` are not those that were summed up.
  case otherSummary
  /// Bytes follow `end`.
  case trailingBytes
  /// A `hello` of another version.
  case newerVersion
}
