public import Cryptography
public import VerifiableLog

/// A member's log as a copy holds it: verified, up to a size.
public struct HeldLog: Hashable, Sendable {
  /// The log and the key that signs it.
  public let identity: LogIdentity
  /// The key by which the member gives receipts for the logs of others.
  public let receiptKey: VerifyingKey
  /// The verified tree; empty of a member of whom nothing arrived yet.
  public var tree: CompactRange
  /// The newest checkpoint that ends at or before the tree's size; nil before there is one.
  public var head: HeldHead?

  /// The log's name.
  public var id: LogID { identity.id }
  /// The number of leaves.
  public var size: UInt64 { tree.size }

  /// The log with these parts.
  public init(
    identity: LogIdentity, receiptKey: VerifyingKey, tree: CompactRange = CompactRange(),
    head: HeldHead? = nil
  ) {
    self.identity = identity
    self.receiptKey = receiptKey
    self.tree = tree
    self.head = head
  }
}

/// A checkpoint of a held log. It was verified when it was taken in.
public struct HeldHead: Hashable, Sendable {
  /// The number of leaves that it covers.
  public let size: UInt64
  /// The note with the log's signature.
  public let note: [UInt8]

  /// The checkpoint as it is stored.
  public init(size: UInt64, note: [UInt8]) {
    self.size = size
    self.note = note
  }
}

/// The hashes of a log's complete subtrees, computed from its leaves when they are asked for. Those of 1024
/// leaves and more are kept, so that many proofs about one log cost little more than the first.
struct SubtreeHashes: Sendable {
  /// Subtrees up to this height are computed from their leaves each time.
  private static let computedLevel = 10
  private var kept: [Subtree: Bytes32] = [:]

  /// The hash of `subtree`. `leafHashes` gives those of a run of leaves, in order.
  mutating func hash<E: Error>(
    of subtree: Subtree, leafHashes: (Range<UInt64>) throws(E) -> [Bytes32]
  ) throws(E) -> Bytes32 {
    if let hash = kept[subtree] { return hash }
    if subtree.level <= SubtreeHashes.computedLevel {
      var tree = CompactRange()
      for hash in try leafHashes(subtree.leaves) {
        tree.append(hash)
      }
      if subtree.level == SubtreeHashes.computedLevel { kept[subtree] = tree.root }
      return tree.root
    }
    let left = Subtree(level: subtree.level - 1, index: subtree.index * 2)
    let right = Subtree(level: subtree.level - 1, index: subtree.index * 2 + 1)
    let hash = MerkleTree.nodeHash(
      try self.hash(of: left, leafHashes: leafHashes),
      try self.hash(of: right, leafHashes: leafHashes))
    kept[subtree] = hash
    return hash
  }

  /// The root over the first `size` leaves.
  mutating func root<E: Error>(
    size: UInt64, leafHashes: (Range<UInt64>) throws(E) -> [Bytes32]
  ) throws(E) -> Bytes32 {
    try MerkleTree.root(size: size) { (subtree) throws(E) in
      try hash(of: subtree, leafHashes: leafHashes)
    }
  }

  /// What is needed to append to the first `size` leaves.
  mutating func compactRange<E: Error>(
    size: UInt64, leafHashes: (Range<UInt64>) throws(E) -> [Bytes32]
  ) throws(E) -> CompactRange {
    var hashes: [Bytes32] = []
    var start: UInt64 = 0
    for level in stride(from: 63, through: 0, by: -1) where size >> UInt64(level) & 1 == 1 {
      let subtree = Subtree(level: level, index: start >> UInt64(level))
      hashes.append(try hash(of: subtree, leafHashes: leafHashes))
      start += 1 << UInt64(level)
    }
    do throws(MerkleError) {
      return try CompactRange(size: size, hashes: hashes)
    } catch {
      preconditionFailure("one hash for each bit set")
    }
  }
}

extension Subtree {
  /// The leaves under it.
  var leaves: Range<UInt64> { index << UInt64(level)..<(index + 1) << UInt64(level) }
}
