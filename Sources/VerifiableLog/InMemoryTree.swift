public import Cryptography

/// A tree with all its hashes in memory, 64 bytes a leaf, for proofs about small logs and for
/// tests.
public struct InMemoryTree: Hashable, Sendable {
  /// `levels[l][i]` is the hash of the complete subtree (l, i).
  private var levels: [[Bytes32]] = [[]]

  /// The tree without leaves.
  public init() {}

  /// The tree of these leaf hashes.
  public init(_ leafHashes: some Sequence<Bytes32>) {
    for hash in leafHashes { append(hash) }
  }

  /// The number of leaves.
  public var size: UInt64 { UInt64(levels[0].count) }

  /// The root of the tree.
  public var root: Bytes32 { MerkleTree.root(size: size, node: hash(of:)) }

  /// Adds a leaf by its hash.
  public mutating func append(_ leafHash: Bytes32) {
    levels[0].append(leafHash)
    var level = 0
    // A level with an even number of hashes has just completed a subtree of the level above.
    while levels[level].count.isMultiple(of: 2) {
      let pair = levels[level].suffix(2)
      let parent = MerkleTree.nodeHash(pair[pair.startIndex], pair[pair.startIndex + 1])
      level += 1
      if level == levels.count { levels.append([]) }
      levels[level].append(parent)
    }
  }

  /// The hash of a complete subtree; nil if the tree does not have it.
  public subscript(subtree: Subtree) -> Bytes32? {
    guard levels.indices.contains(subtree.level),
      subtree.index < UInt64(levels[subtree.level].count)
    else { return nil }
    return levels[subtree.level][Int(subtree.index)]
  }

  /// The root over the first `size` leaves.
  ///
  /// - Throws: `.sizesOutOfOrder` for more leaves than there are.
  public func root(size: UInt64) throws(MerkleError) -> Bytes32 {
    guard size <= self.size else { throw .sizesOutOfOrder }
    return MerkleTree.root(size: size, node: hash(of:))
  }

  /// The proof that leaf `index` stands in the tree of the first `size` leaves.
  ///
  /// - Throws: `.indexOutOfRange`, `.sizesOutOfOrder`.
  public func inclusionProof(index: UInt64, size: UInt64) throws(MerkleError) -> [Bytes32] {
    guard size <= self.size else { throw .sizesOutOfOrder }
    guard index < size else { throw .indexOutOfRange }
    return MerkleTree.inclusionProof(index: index, size: size, node: hash(of:))
  }

  /// The proof that the first `smaller` leaves are the beginning of the first `larger`.
  ///
  /// - Throws: `.sizesOutOfOrder`.
  public func consistencyProof(
    from smaller: UInt64, to larger: UInt64
  ) throws(MerkleError) -> [Bytes32] {
    guard smaller > 0, smaller <= larger, larger <= size else { throw .sizesOutOfOrder }
    return MerkleTree.consistencyProof(from: smaller, to: larger, node: hash(of:))
  }

  /// The proof of what the root over the first `smaller` of `larger` leaves is.
  ///
  /// - Throws: `.sizesOutOfOrder`.
  public func prefixProof(of smaller: UInt64, in larger: UInt64) throws(MerkleError) -> [Bytes32] {
    guard smaller > 0, smaller < larger, larger <= size else { throw .sizesOutOfOrder }
    return MerkleTree.prefixProof(of: smaller, in: larger, node: hash(of:))
  }

  /// For the callers above, which have checked the sizes: every subtree that they need is complete.
  private func hash(of subtree: Subtree) -> Bytes32 {
    levels[subtree.level][Int(subtree.index)]
  }
}
