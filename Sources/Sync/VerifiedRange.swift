public import Cryptography
public import VerifiableLog

/// An entry that stands in its log: its leaf is under a checkpoint that the log's key signed.
public struct VerifiedEntry: Hashable, Sendable {
  /// The leaf.
  public let leaf: LeafData
  /// The ciphertext that the leaf names, if it came along.
  public let ciphertext: [UInt8]?
}

/// Entries of a log that verified as a whole. Only verification makes one.
///
/// Whoever stores it does so at once or not at all: entries from `newEntries` with the tree and the
/// checkpoint after them, and of entries that were held already what was lacking of ciphertext and slots.
public struct VerifiedRange: Sendable {
  /// The log.
  public let logID: LogID
  /// The size that the log had here before.
  public let sizeBefore: UInt64
  /// All entries of the range, in order; those below `sizeBefore` equal what is held.
  public let entries: [VerifiedEntry]
  /// Slots of these entries. Opaque: whether one counts shows when it is opened.
  public let slots: [Slot]
  /// The tree after the range; as before it if nothing is new.
  public let tree: CompactRange
  /// A checkpoint that covers the range; nil if nothing is new.
  public let checkpoint: VerifiedCheckpoint?
  /// Leads from the tree to the checkpoint; empty if the checkpoint is the tree's own head.
  public let proof: [Bytes32]

  /// The entries that were not held before.
  public var newEntries: ArraySlice<VerifiedEntry> {
    entries.drop { $0.leaf.sequence < sizeBefore }
  }

  /// The checkpoint, if it is that of the tree after the range: the newest head to keep.
  public var head: VerifiedCheckpoint? {
    checkpoint.flatMap { $0.size == tree.size ? $0 : nil }
  }
}

/// What a received range turned out to be.
public enum RangeVerdict: Sendable {
  /// It verifies; there may be nothing new in it.
  case verified(VerifiedRange)
  /// It begins beyond what is held, which is this many leaves.
  case gap(size: UInt64)
  /// It does not verify, or not with what is held, and nothing follows about the log's owner.
  case fault(RangeFault)
  /// It verifies, but as another history than the one held, of which the log's owner signed both.
  case fork(ForkProof)
}

/// What is wrong with a range or head. The fault of whoever served it, never of the log's owner: a
/// mailbox that lies must not be able to frame an honest device.
public enum RangeFault: Hashable, Sendable {
  /// The note is not a checkpoint of this log, or not validly signed.
  case badNote
  /// The checkpoint is smaller than the range's end.
  case beyondCheckpoint
  /// The leaves do not lead to the checkpoint, or the proof does not.
  case doesNotConnect
  /// A proven other history that no checkpoint held here contradicts.
  case branchNotProven
}
