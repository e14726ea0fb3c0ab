public import Cryptography

/// What must be kept of a tree to append to it and know its root: the hashes of the complete
/// subtrees that make it up, largest first, one for each bit set in its size. At most 64 of them,
/// however long the log.
public struct CompactRange: Hashable, Sendable {
  /// The number of leaves.
  public private(set) var size: UInt64
  /// The hashes, from the left, as many as `size` has bits set: together with the size, what to
  /// store.
  public private(set) var hashes: [Bytes32]

  /// The tree without leaves.
  public init() {
    size = 0
    hashes = []
    // Room for all that there will ever be, so that appending does not allocate.
    hashes.reserveCapacity(64)
  }

  /// A tree as stored.
  ///
  /// - Throws: `.wrongHashCount`. Whether the hashes are right shows in `root` only.
  public init(size: UInt64, hashes: [Bytes32]) throws(MerkleError) {
    guard hashes.count == size.nonzeroBitCount else { throw .wrongHashCount }
    self.size = size
    self.hashes = hashes
    self.hashes.reserveCapacity(64)
  }

  /// Adds a leaf by its hash.
  public mutating func append(_ leafHash: Bytes32) {
    var hash = leafHash
    // Each low bit set in the size is a subtree as large as the one just completed.
    for _ in 0..<(~size).trailingZeroBitCount {
      hash = MerkleTree.nodeHash(hashes.removeLast(), hash)
    }
    hashes.append(hash)
    size += 1
  }

  /// The root of the tree.
  public var root: Bytes32 {
    guard var root = hashes.last else { return MerkleTree.emptyRoot }
    for hash in hashes.dropLast().reversed() { root = MerkleTree.nodeHash(hash, root) }
    return root
  }
}
