internal import CaseLog
internal import Cryptography
internal import VerifiableLog

/// A log of a bundle whose checkpoint is signed and whose leaves give its root. What the leaves commit to
/// is not looked at here.
struct VerifiedLog: Sendable {
  let identity: LogIdentity
  /// The class byte of each leaf.
  private(set) var classes: [UInt8] = []
  /// The head of the log; nil if nothing of it is known but its admission.
  let checkpoint: Checkpoint?
  /// Signatures on the checkpoint, the log's own among them.
  let signatures: [NoteSignature]
  private(set) var tree = InMemoryTree()
  private let leaves: [UInt8]

  var id: LogID { identity.id }
  var size: UInt64 { tree.size }
  var position: LogPosition { LogPosition(logID: id, size: tree.size, root: tree.root) }

  /// Checks signature, size and root.
  init(_ log: CaseFile.Log, index: Int, _ proof: ProofLog) throws(BundleFinding) {
    identity = log.identity
    leaves = proof.leaves
    guard log.size > 0 else {
      checkpoint = nil
      signatures = []
      return
    }
    let path = BundleLayout.checkpoint(index)
    let verified: VerifiedCheckpoint
    do throws(CheckpointError) {
      verified = try VerifiedCheckpoint(verifying: proof.checkpoint, of: log.identity)
    } catch {
      throw BundleFinding(.checkpointInvalid, path: path, logID: log.identity.id)
    }
    guard verified.size == log.size else {
      throw BundleFinding(.checkpointInvalid, path: path, logID: log.identity.id)
    }
    checkpoint = verified.checkpoint
    signatures = try BundleNotes.parse(proof.checkpoint, path).signatures

    let differ = BundleFinding(
      .leavesDiffer, path: BundleLayout.leaves(index), logID: log.identity.id)
    guard UInt64(leaves.count) == log.size * UInt64(LeafData.byteCount) else { throw differ }
    classes.reserveCapacity(Int(log.size))
    for sequence in 0..<log.size {
      guard let leaf = leaf(sequence), leaf.sequence == sequence else { throw differ }
      classes.append(leaf.classByte)
      tree.append(leaf.hash)
    }
    guard tree.root == verified.root else { throw differ }
  }

  /// The leaf at this place; nil if there is none or its bytes are no leaf.
  func leaf(_ sequence: UInt64) -> LeafData? {
    guard sequence < UInt64(leaves.count / LeafData.byteCount) else { return nil }
    let start = Int(sequence) * LeafData.byteCount
    do { return try LeafData(parsing: Array(leaves[start..<(start + LeafData.byteCount)])) } catch {
      return nil
    }
  }

  /// Where leaves of a class stand.
  func sequences(of entryClass: EntryClass) -> [UInt64] {
    classes.indices.filter { classes[$0] == entryClass.rawValue }.map { UInt64($0) }
  }

  /// The roots over the first leaves, but for sizes that it has not.
  func roots(sizes: [UInt64]) -> [UInt64: Bytes32] {
    var found: [UInt64: Bytes32] = [:]
    for size in sizes {
      do { found[size] = try tree.root(size: size) } catch { continue }
    }
    return found
  }

  /// Whether a head of this log, of this size or smaller, is one through which the log grew.
  func contains(_ head: Checkpoint) -> Bool {
    guard head.origin == identity.noteKey.name, head.size <= size else { return false }
    do { return try tree.root(size: head.size) == head.root } catch { return false }
  }
}

/// Signed notes as a bundle has them.
enum BundleNotes {
  static func parse(_ bytes: [UInt8], _ path: BundlePath) throws(BundleFinding) -> SignedNote {
    do throws(NoteError) { return try SignedNote(parsing: bytes) } catch {
      throw BundleFinding(.proofMalformed, path: path)
    }
  }
}
