public import Cryptography

/// The hashes of an RFC 6962 tree. Leaves and inner nodes start with different bytes, so that
/// neither can be taken for the other.
public enum MerkleTree {
  /// The root of the tree without leaves: SHA-256 of nothing.
  public static let emptyRoot = SHA256Hash.hash([])

  /// SHA-256(0x00 ‖ data): the hash of a leaf.
  public static func leafHash(_ data: RawSpan) -> Bytes32 {
    var hash = SHA256Hash()
    hash.update(byte: 0x00)
    hash.update(data)
    return hash.finalize()
  }

  /// SHA-256(0x00 ‖ data): the hash of a leaf.
  public static func leafHash(_ data: [UInt8]) -> Bytes32 { data.withBytes { leafHash($0) } }

  /// SHA-256(0x01 ‖ left ‖ right): the hash of an inner node.
  public static func nodeHash(_ left: Bytes32, _ right: Bytes32) -> Bytes32 {
    var hash = SHA256Hash()
    hash.update(byte: 0x01)
    hash.update(left)
    hash.update(right)
    return hash.finalize()
  }
}

/// Why a proof about a tree was not made, or does not hold.
public enum MerkleError: Error, Hashable, Sendable {
  /// The leaf's index is not below the tree's size.
  case indexOutOfRange
  /// The sizes do not ascend, or the smaller tree has no leaves: nothing to prove.
  case sizesOutOfOrder
  /// Not the number of hashes that these sizes need.
  case wrongProofLength
  /// The proof does not lead to the root.
  case rootMismatch
  /// As many hashes as the size has bits set are needed, no more and no less.
  case wrongHashCount
}

/// A complete subtree: the 2^`level` leaves from `index` · 2^`level`. Level 0 is the leaves. Once
/// its last leaf is there its hash never changes, so it can be stored.
public struct Subtree: Hashable, Sendable {
  /// The height above the leaves, 0 to 63.
  public let level: Int
  /// Which of the subtrees of this height, from the left.
  public let index: UInt64

  /// The complete subtree at this place.
  public init(level: Int, index: UInt64) {
    self.level = level
    self.index = index
  }
}
