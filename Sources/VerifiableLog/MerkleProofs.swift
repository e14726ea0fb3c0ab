public import Cryptography

// Making proofs, as RFC 6962 section 2.1 defines them, from the hashes of complete subtrees
// wherever they are kept. `node` is asked for O(log size) of them and may throw.

extension MerkleTree {
  /// The hashes that lead from leaf `index` to the root of the tree of `size` leaves (section
  /// 2.1.1), lowest first.
  ///
  /// `index` must be below `size`; anything else is a bug and traps.
  public static func inclusionProof<E: Error>(
    index: UInt64, size: UInt64, node: (Subtree) throws(E) -> Bytes32
  ) throws(E) -> [Bytes32] {
    precondition(index < size, "a proof is of a leaf that the tree has")
    var proof: [Bytes32] = []
    var leaves = 0..<size
    // From the root down to the leaf, keeping the half that is not entered.
    while leaves.upperBound - leaves.lowerBound > 1 {
      let middle = split(leaves)
      if index < middle {
        proof.append(try root(of: middle..<leaves.upperBound, node: node))
        leaves = leaves.lowerBound..<middle
      } else {
        proof.append(try root(of: leaves.lowerBound..<middle, node: node))
        leaves = middle..<leaves.upperBound
      }
    }
    proof.reverse()
    return proof
  }

  /// The hashes that show the tree of `smaller` leaves to be the beginning of the tree of `larger`
  /// leaves (section 2.1.2). Where `smaller` is a power of two, the first hash would be the smaller
  /// root itself, which the verifier has, and is left out.
  ///
  /// `smaller` must be from 1 to `larger`; anything else is a bug and traps.
  public static func consistencyProof<E: Error>(
    from smaller: UInt64, to larger: UInt64, node: (Subtree) throws(E) -> Bytes32
  ) throws(E) -> [Bytes32] {
    // A tree needs nothing to be shown the beginning of itself.
    guard smaller != larger else { return [] }
    let proof = try prefixProof(of: smaller, in: larger, node: node)
    return isPowerOfTwo(smaller) ? Array(proof.dropFirst()) : proof
  }

  /// A consistency proof that leaves nothing out: from it alone follow both roots, so that it says
  /// what the smaller root *is* instead of whether a given one is right. Fork proofs need that.
  ///
  /// `smaller` must be at least 1 and below `larger`; anything else is a bug and traps.
  public static func prefixProof<E: Error>(
    of smaller: UInt64, in larger: UInt64, node: (Subtree) throws(E) -> Bytes32
  ) throws(E) -> [Bytes32] {
    try runs(to: smaller, in: larger).map { (run) throws(E) in try root(of: run, node: node) }
  }

  /// The same of a tree of which the leaves are at hand only up to `end`, which is not below
  /// `smaller`, and beyond it no more than `rest`: the consistency proof from there to all of it.
  ///
  /// `rest` must have been verified, or be what leads from `end` to `larger` in another way.
  public static func prefixProof<E: Error>(
    of smaller: UInt64, in larger: UInt64, leavesTo end: UInt64, rest: [Bytes32],
    node: (Subtree) throws(E) -> Bytes32
  ) throws(E) -> [Bytes32] {
    precondition(smaller <= end && end <= larger, "leaves up to a place within the tree")
    guard end < larger else { return try prefixProof(of: smaller, in: larger, node: node) }
    let runsOfRest = runs(to: end, in: larger).dropFirst(isPowerOfTwo(end) ? 1 : 0)
    precondition(runsOfRest.count == rest.count, "a proof that was verified")
    let beyond = zip(runsOfRest, rest).filter { $0.0.lowerBound >= end }
    return try runs(to: smaller, in: larger).map { (run) throws(E) in
      try root(of: run, leavesTo: end, beyond: beyond, node: node)
    }
  }

  /// The runs of leaves whose hashes a prefix proof consists of, in its order: down from the whole
  /// tree to the last subtree that is complete in both, and what is left aside on the way.
  private static func runs(to smaller: UInt64, in larger: UInt64) -> [Range<UInt64>] {
    precondition(smaller > 0 && smaller < larger, "a beginning of the tree")
    var runs: [Range<UInt64>] = []
    var leaves = 0..<larger
    while leaves.upperBound != smaller {
      let middle = split(leaves)
      if smaller <= middle {
        runs.append(middle..<leaves.upperBound)
        leaves = leaves.lowerBound..<middle
      } else {
        runs.append(leaves.lowerBound..<middle)
        leaves = middle..<leaves.upperBound
      }
    }
    runs.append(leaves)
    return runs.reversed()
  }

  /// The hash of a run some of whose leaves may lie beyond `end`, where only the hashes of whole
  /// runs are known.
  private static func root<E: Error>(
    of run: Range<UInt64>, leavesTo end: UInt64, beyond: [(Range<UInt64>, Bytes32)],
    node: (Subtree) throws(E) -> Bytes32
  ) throws(E) -> Bytes32 {
    if run.upperBound <= end { return try root(of: run, node: node) }
    if let known = beyond.first(where: { $0.0 == run }) { return known.1 }
    let middle = split(run)
    return nodeHash(
      try root(of: run.lowerBound..<middle, leavesTo: end, beyond: beyond, node: node),
      try root(of: middle..<run.upperBound, leavesTo: end, beyond: beyond, node: node))
  }

  /// The root of the tree over the first `size` leaves.
  public static func root<E: Error>(
    size: UInt64, node: (Subtree) throws(E) -> Bytes32
  ) throws(E) -> Bytes32 {
    size == 0 ? emptyRoot : try root(of: 0..<size, node: node)
  }

  /// The hash of a run of leaves that begins where a complete subtree of its size could. Recursion
  /// is as deep as the tree, at most 64.
  private static func root<E: Error>(
    of leaves: Range<UInt64>, node: (Subtree) throws(E) -> Bytes32
  ) throws(E) -> Bytes32 {
    let count = leaves.upperBound - leaves.lowerBound
    if isPowerOfTwo(count) {
      let level = count.trailingZeroBitCount
      return try node(Subtree(level: level, index: leaves.lowerBound >> UInt64(level)))
    }
    let middle = split(leaves)
    return nodeHash(
      try root(of: leaves.lowerBound..<middle, node: node),
      try root(of: middle..<leaves.upperBound, node: node))
  }

  /// Where RFC 6962 divides a run of at least two leaves: after the largest power of two that is
  /// smaller than their number.
  private static func split(_ leaves: Range<UInt64>) -> UInt64 {
    let count = leaves.upperBound - leaves.lowerBound
    return leaves.lowerBound + (1 << UInt64(63 - (count - 1).leadingZeroBitCount))
  }

  static func isPowerOfTwo(_ value: UInt64) -> Bool { value.nonzeroBitCount == 1 }
}
