public import Cryptography

// Checking proofs, with the algorithms of RFC 9162 sections 2.1.3.2 and 2.1.4.2 (the same trees as
// RFC 6962, which has none). Every input may be hostile; the work is bounded by the 64 levels of a
// tree.

extension MerkleTree {
  /// Checks that the leaf with `leafHash` stands at `index` in the tree of `size` leaves with
  /// `root`.
  ///
  /// - Throws: `.indexOutOfRange`, `.wrongProofLength`, `.rootMismatch`.
  public static func verifyInclusion(
    of leafHash: Bytes32, index: UInt64, size: UInt64, root: Bytes32, proof: [Bytes32]
  ) throws(MerkleError) {
    guard index < size else { throw .indexOutOfRange }
    var node = index
    var last = size - 1
    var hash = leafHash
    for sibling in proof {
      guard last != 0 else { throw .wrongProofLength }
      if isRightChildOrAlone(node, last) {
        hash = nodeHash(sibling, hash)
        climbWhileAlone(&node, &last)
      } else {
        hash = nodeHash(hash, sibling)
      }
      node >>= 1
      last >>= 1
    }
    guard last == 0 else { throw .wrongProofLength }
    guard hash == root else { throw .rootMismatch }
  }

  /// Checks that the tree of `smaller` leaves with `smallerRoot` is the beginning of the tree of
  /// `larger` leaves with `largerRoot`.
  ///
  /// - Throws: `.sizesOutOfOrder`, also for a smaller tree without leaves, of which every tree is a
  ///   continuation; `.wrongProofLength`; `.rootMismatch`.
  public static func verifyConsistency(
    from smaller: UInt64, _ smallerRoot: Bytes32, to larger: UInt64, _ largerRoot: Bytes32,
    proof: [Bytes32]
  ) throws(MerkleError) {
    guard smaller > 0, smaller <= larger else { throw .sizesOutOfOrder }
    // The hash that a consistency proof leaves out; for equal sizes it is all that a prefix proof
    // has.
    let isImplied = isPowerOfTwo(smaller)
    if smaller == larger {
      guard proof.isEmpty else { throw .wrongProofLength }
      guard smallerRoot == largerRoot else { throw .rootMismatch }
      return
    }
    let found = try prefixRoot(
      of: smaller, in: larger, largerRoot, proof: isImplied ? [smallerRoot] + proof : proof)
    guard found == smallerRoot else { throw .rootMismatch }
  }

  /// The root over the first `smaller` leaves of the tree of `larger` leaves with `largerRoot`, as
  /// a prefix proof tells it. Whoever finds a proof of another root has found a collision of
  /// SHA-256.
  ///
  /// - Throws: `.sizesOutOfOrder` (equal sizes too), `.wrongProofLength`, `.rootMismatch`.
  public static func prefixRoot(
    of smaller: UInt64, in larger: UInt64, _ largerRoot: Bytes32, proof: [Bytes32]
  ) throws(MerkleError) -> Bytes32 {
    guard smaller > 0, smaller < larger else { throw .sizesOutOfOrder }
    guard let first = proof.first else { throw .wrongProofLength }
    var node = smaller - 1
    var last = larger - 1
    // Up to the largest subtree that ends with the smaller tree: the first hash of the proof.
    while node & 1 == 1 {
      node >>= 1
      last >>= 1
    }
    var smallerHash = first
    var largerHash = first
    for sibling in proof.dropFirst() {
      guard last != 0 else { throw .wrongProofLength }
      if isRightChildOrAlone(node, last) {
        smallerHash = nodeHash(sibling, smallerHash)
        largerHash = nodeHash(sibling, largerHash)
        climbWhileAlone(&node, &last)
      } else {
        largerHash = nodeHash(largerHash, sibling)
      }
      node >>= 1
      last >>= 1
    }
    guard last == 0 else { throw .wrongProofLength }
    guard largerHash == largerRoot else { throw .rootMismatch }
    return smallerHash
  }

  /// Whether the sibling stands on the left: the node is a right child, or the last of its level,
  /// where a left child without a sibling stands for its parent, and so on up to one that has a
  /// sibling.
  private static func isRightChildOrAlone(_ node: UInt64, _ last: UInt64) -> Bool {
    node & 1 == 1 || node == last
  }

  /// Climbs from a last node that is alone on its level to the level at which it is a right child.
  private static func climbWhileAlone(_ node: inout UInt64, _ last: inout UInt64) {
    while node & 1 == 0 && node != 0 {
      node >>= 1
      last >>= 1
    }
  }
}
