/// An entry's key, sealed for one audience, opaque here. It stands beside the leaf and outside the
/// tree: anybody may carry one, and a bad one only means that the entry stays locked.
public struct Slot: Hashable, Sendable {
  public static let byteCount = 48
  public let logID: LogID
  public let sequence: UInt64
  /// The entry that began the epoch under whose key the slot was sealed.
  public let epoch: EntryID
  /// 48 bytes.
  public let box: [UInt8]

  public init(logID: LogID, sequence: UInt64, epoch: EntryID, box: [UInt8]) {
    self.logID = logID
    self.sequence = sequence
    self.epoch = epoch
    self.box = box
  }
}
