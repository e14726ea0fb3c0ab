public import Cryptography

/// Why two checkpoints prove no fork.
public enum ForkProofError: Error, Hashable, Sendable {
  /// They are of different logs.
  case differentLogs
  /// They agree: the same size and root, or the smaller is the beginning of the larger.
  case consistent
  /// The path does not verify, so nothing follows about the smaller root. The fault of whoever
  /// supplied it, never of the log.
  case invalidPath(MerkleError)
  /// Not the encoding of a fork proof.
  case malformed
}

/// Proof that a log's owner signed two histories: two checkpoints that cannot both be of one
/// append-only log. Anybody can check it, and only the holder of the log's key can cause it.
///
/// It has one of two forms. With a `Parting` it shows where the histories part: the leaves that
/// they share, and the first that differs. Without one, both checkpoints have the same size and
/// different roots, and the path is empty; or the sizes differ, and the path is a prefix proof that
/// leads to the larger root and yields another root at the smaller size. Being unable to show that
/// two checkpoints are consistent is no proof: a mailbox that withholds or garbles a path must not
/// be able to frame an honest device.
public struct ForkProof: Sendable {
  /// The checkpoint of the smaller size; of equal sizes, the one with the smaller root.
  public let smaller: VerifiedCheckpoint
  /// The other.
  public let larger: VerifiedCheckpoint
  /// What leads from one to the other, or nothing.
  public let path: [Bytes32]
  /// Where the histories part; nil where only the checkpoints were at hand.
  public let parting: Parting?

  /// The log that forked.
  public var log: LogIdentity { larger.log }

  /// From this leaf on nobody can say which history is the log's: where the histories part, or,
  /// where the proof does not tell, the smaller of the two sizes.
  public var forkedAt: UInt64 { parting?.common.size ?? smaller.size }

  /// Checks the proof. The order of the checkpoints does not matter.
  ///
  /// - Throws: `ForkProofError`.
  public init(
    _ one: VerifiedCheckpoint, _ other: VerifiedCheckpoint, path: [Bytes32] = []
  ) throws(ForkProofError) {
    guard one.log == other.log else { throw .differentLogs }
    let isInOrder = ForkProof.isInOrder(one, other)
    smaller = isInOrder ? one : other
    larger = isInOrder ? other : one
    self.path = path
    parting = nil
    if smaller.size == larger.size {
      guard path.isEmpty else { throw .invalidPath(.wrongProofLength) }
      guard smaller.root != larger.root else { throw .consistent }
    } else {
      let root: Bytes32
      do throws(MerkleError) {
        root = try MerkleTree.prefixRoot(
          of: smaller.size, in: larger.size, larger.root, proof: path)
      } catch {
        throw .invalidPath(error)
      }
      guard root != smaller.root else { throw .consistent }
    }
  }

  /// Checks a proof that shows where the histories part. Each checkpoint comes with its own branch;
  /// the order of the two does not matter.
  ///
  /// - Throws: `ForkProofError`.
  public init(
    _ one: (head: VerifiedCheckpoint, branch: Parting.Branch),
    _ other: (head: VerifiedCheckpoint, branch: Parting.Branch), common: CompactRange
  ) throws(ForkProofError) {
    guard one.head.log == other.head.log else { throw .differentLogs }
    guard one.branch.leafHash != other.branch.leafHash else { throw .consistent }
    try one.branch.verify(from: common, to: one.head)
    try other.branch.verify(from: common, to: other.head)
    let isInOrder = ForkProof.isInOrder(one.head, other.head)
    let (first, second) = isInOrder ? (one, other) : (other, one)
    smaller = first.head
    larger = second.head
    path = []
    parting = Parting(common: common, smaller: first.branch, larger: second.branch)
  }

  private static func isInOrder(_ one: VerifiedCheckpoint, _ other: VerifiedCheckpoint) -> Bool {
    (one.size, one.root) < (other.size, other.root)
  }

  /// Whether it says more than another proof about the same log. Of all that are offered a copy
  /// keeps one that none is better than, so that copies that were offered the same agree.
  public func isBetter(than other: ForkProof) -> Bool {
    if forkedAt != other.forkedAt { return forkedAt < other.forkedAt }
    return parting != nil && other.parting == nil
  }
}

/// Where two histories of a log part: so many leaves are the same, and the next one is not.
public struct Parting: Hashable, Sendable {
  /// The leaves that both histories begin with.
  public let common: CompactRange
  /// How the history of the smaller checkpoint goes on.
  public let smaller: Branch
  /// How that of the larger does.
  public let larger: Branch

  /// One of two histories, from where they part on.
  public struct Branch: Hashable, Sendable {
    /// The hash of the first leaf that is not common.
    public let leafHash: Bytes32
    /// The prefix proof from the tree that ends with this leaf to the checkpoint; empty where it is
    /// the checkpoint's own.
    public let path: [Bytes32]

    /// A branch that begins with this leaf.
    public init(leafHash: Bytes32, path: [Bytes32]) {
      self.leafHash = leafHash
      self.path = path
    }

    fileprivate func verify(
      from common: CompactRange, to head: VerifiedCheckpoint
    ) throws(ForkProofError) {
      guard common.size < head.size else { throw .invalidPath(.sizesOutOfOrder) }
      var tree = common
      tree.append(leafHash)
      var root = head.root
      if tree.size == head.size {
        guard path.isEmpty else { throw .invalidPath(.wrongProofLength) }
      } else {
        do throws(MerkleError) {
          root = try MerkleTree.prefixRoot(of: tree.size, in: head.size, head.root, proof: path)
        } catch {
          throw .invalidPath(error)
        }
      }
      guard root == tree.root else { throw .invalidPath(.rootMismatch) }
    }
  }
}
