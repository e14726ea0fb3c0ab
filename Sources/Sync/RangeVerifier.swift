internal import Cryptography
public import VerifiableLog

/// Verifies received ranges of one log against what is held of it.
///
/// The leaves are appended to the held tree and the root is compared with the checkpoint, directly or by a
/// consistency proof. Leaves that are held already must be equal. Where they are not, and the range
/// verifies all the same, the log's owner signed two histories; the verifier then follows the other one until
/// it reaches its checkpoint, and makes the fork proof.
public struct RangeVerifier: Sendable {
  /// The log as it is held, with every range that `verify` returned as verified.
  public private(set) var held: HeldLog
  private var branch: Branch?
  private var subtrees = SubtreeHashes()

  /// Leaf hashes of another history held in memory at most: 32 MiB.
  private static let maximumBranch = 1 << 20

  /// Another history than the one held, as far as it was received.
  fileprivate struct Branch {
    /// Where its hashes begin; the leaves before are those held.
    let start: UInt64
    var hashes: [Bytes32]
    var tree: CompactRange
  }

  /// A verifier for a log as it is held.
  public init(_ held: HeldLog) { self.held = held }

  /// The log as it is held now, after a change from elsewhere.
  public mutating func update(_ held: HeldLog) {
    self.held = held
    branch = nil
  }

  /// Ends the following of another history.
  mutating func forgetBranch() { branch = nil }

  /// What `frame` is. `leaves` gives the held leaves of a run, in order, all below the held size.
  public mutating func verify<E: Error>(
    _ frame: RangeFrame, leaves: (Range<UInt64>) throws(E) -> [LeafData]
  ) throws(E) -> RangeVerdict {
    let size = branch?.tree.size ?? held.size
    guard frame.logID == held.id else { return .fault(.badNote) }
    guard frame.first <= size else { return .gap(size: held.size) }
    guard let checkpoint = held.identity.checkpoint(in: frame.note) else {
      return .fault(.badNote)
    }
    guard frame.end <= checkpoint.size else { return .fault(.beyondCheckpoint) }
    let received = Received(frame, checkpoint)
    if branch != nil { return try follow(received, leaves: leaves) }
    let overlap = frame.first..<max(frame.first, min(frame.end, held.size))
    let known = try leaves(overlap).map(\.hash)
    guard known.elementsEqual(received.hashes.prefix(known.count)) else {
      return try diverge(received, at: frame.first, leaves: leaves)
    }
    return connect(received)
  }

  /// A frame with what was computed from it.
  private struct Received {
    let frame: RangeFrame
    let checkpoint: VerifiedCheckpoint
    let leaves: [LeafData]
    let hashes: [Bytes32]

    init(_ frame: RangeFrame, _ checkpoint: VerifiedCheckpoint) {
      self.frame = frame
      self.checkpoint = checkpoint
      leaves = frame.entries.enumerated().map { index, entry in
        entry.leaf(sequence: frame.first + UInt64(index))
      }
      hashes = leaves.map(\.hash)
    }

    /// The hashes from a place in the log on.
    func hashes(from sequence: UInt64) -> ArraySlice<Bytes32> {
      hashes.dropFirst(Int(min(sequence - frame.first, UInt64(hashes.count))))
    }

    /// Whether the tree after the frame is the checkpoint's, or its beginning.
    func leads(from tree: CompactRange) -> Bool {
      if tree.size == checkpoint.size {
        return tree.root == checkpoint.root && frame.proof.isEmpty
      }
      do throws(MerkleError) {
        try MerkleTree.verifyConsistency(
          from: tree.size, tree.root, to: checkpoint.size, checkpoint.root, proof: frame.proof)
        return true
      } catch {
        return false
      }
    }
  }

  /// All overlapping leaves are equal: appends the rest.
  private mutating func connect(_ received: Received) -> RangeVerdict {
    let before = held.size
    guard received.frame.end > before else {
      // Equal leaves are proof enough of each entry; of the checkpoint nothing is claimed.
      return .verified(verified(received, before: before, tree: held.tree, isNew: false))
    }
    var tree = held.tree
    for hash in received.hashes(from: before) { tree.append(hash) }
    guard received.leads(from: tree) else { return .fault(.doesNotConnect) }
    let range = verified(received, before: before, tree: tree, isNew: true)
    held.tree = tree
    if let head = range.head { held.head = HeldHead(size: head.size, note: head.minimalBytes) }
    return .verified(range)
  }

  private func verified(
    _ received: Received, before: UInt64, tree: CompactRange, isNew: Bool
  ) -> VerifiedRange {
    var entries: [VerifiedEntry] = []
    var slots: [Slot] = []
    entries.reserveCapacity(received.leaves.count)
    for (entry, leaf) in zip(received.frame.entries, received.leaves) {
      var ciphertext: [UInt8]?
      if case .ciphertext(let bytes) = entry.content { ciphertext = bytes }
      entries.append(VerifiedEntry(leaf: leaf, ciphertext: ciphertext))
      for slot in entry.slots {
        slots.append(
          Slot(logID: held.id, sequence: leaf.sequence, epoch: slot.epoch, box: slot.box))
      }
    }
    return VerifiedRange(
      logID: held.id, sizeBefore: before, entries: entries, slots: slots, tree: tree,
      checkpoint: isNew ? received.checkpoint : nil, proof: isNew ? received.frame.proof : [])
  }
}

// MARK: - Another history

extension RangeVerifier {
  /// A held leaf differs. Whether the log's owner or the mailbox is to blame shows when the received
  /// leaves are put in the place of the held ones: only the owner could have signed that tree.
  private mutating func diverge<E: Error>(
    _ received: Received, at start: UInt64, leaves: (Range<UInt64>) throws(E) -> [LeafData]
  ) throws(E) -> RangeVerdict {
    var tree = try subtrees.compactRange(size: start) { (run) throws(E) in
      try leaves(run).map(\.hash)
    }
    for hash in received.hashes { tree.append(hash) }
    guard received.leads(from: tree) else { return .fault(.doesNotConnect) }
    branch = Branch(start: start, hashes: received.hashes, tree: tree)
    return try judge(received.checkpoint, leaves: leaves)
  }

  /// A further range of a history that differs already.
  private mutating func follow<E: Error>(
    _ received: Received, leaves: (Range<UInt64>) throws(E) -> [LeafData]
  ) throws(E) -> RangeVerdict {
    guard var branch, received.frame.first >= branch.start else {
      self.branch = nil
      return try verify(received.frame, leaves: leaves)
    }
    let offset = Int(received.frame.first - branch.start)
    let overlap = branch.hashes[offset...].prefix(received.hashes.count)
    let fresh = received.hashes(from: branch.tree.size)
    guard received.hashes.starts(with: overlap) else { return .fault(.doesNotConnect) }
    guard branch.hashes.count + fresh.count <= RangeVerifier.maximumBranch else {
      return .fault(.branchNotProven)
    }
    branch.hashes += fresh
    for hash in fresh { branch.tree.append(hash) }
    guard received.leads(from: branch.tree) else { return .fault(.doesNotConnect) }
    self.branch = branch
    return try judge(received.checkpoint, leaves: leaves)
  }

  /// Makes the proof once all leaves below the other checkpoint are known.
  private mutating func judge<E: Error>(
    _ other: VerifiedCheckpoint, leaves: (Range<UInt64>) throws(E) -> [LeafData]
  ) throws(E) -> RangeVerdict {
    guard let branch, let head = held.head, let own = held.identity.checkpoint(in: head.note) else {
      return .fault(.branchNotProven)
    }
    guard other.size == branch.tree.size || other.size <= own.size else { return .otherBranch }
    let proof: ForkProof?
    if other.size <= own.size {
      proof = try forkProof(smaller: other, larger: own, branch: nil, leaves: leaves)
    } else {
      proof = try forkProof(smaller: own, larger: other, branch: branch, leaves: leaves)
    }
    self.branch = nil
    return proof.map { .fork($0) } ?? .fault(.branchNotProven)
  }

  /// The proof, from the leaves of the larger tree: those held, or those of another branch.
  private mutating func forkProof<E: Error>(
    smaller: VerifiedCheckpoint, larger: VerifiedCheckpoint, branch: Branch?,
    leaves: (Range<UInt64>) throws(E) -> [LeafData]
  ) throws(E) -> ForkProof? {
    var path: [Bytes32] = []
    if smaller.size < larger.size, smaller.size > 0 {
      var ofBranch = SubtreeHashes()
      path = try MerkleTree.prefixProof(of: smaller.size, in: larger.size) {
        (subtree) throws(E) in
        guard let branch else {
          return try subtrees.hash(of: subtree) { (run) throws(E) in
            try leaves(run).map(\.hash)
          }
        }
        return try ofBranch.hash(of: subtree) { (run) throws(E) in
          try branch.leafHashes(run, leaves: leaves)
        }
      }
    }
    do throws(ForkProofError) {
      return try ForkProof(smaller, larger, path: path)
    } catch {
      return nil
    }
  }

  /// Compares a checkpoint that is validly signed with the held tree: nil where it is larger.
  ///
  /// A checkpoint at or below the held size whose root is not the tree's own proves a fork, since the held
  /// leaves are all that the proof needs.
  public mutating func judge<E: Error>(
    head: VerifiedCheckpoint, leaves: (Range<UInt64>) throws(E) -> [LeafData]
  ) throws(E) -> HeadVerdict {
    guard head.size <= held.size else { return .ahead }
    let root =
      if head.size == held.size { held.tree.root } else {
        try subtrees.root(size: head.size) { (run) throws(E) in try leaves(run).map(\.hash) }
      }
    if root == head.root {
      if head.size > held.head?.size ?? 0 {
        held.head = HeldHead(size: head.size, note: head.minimalBytes)
      }
      return .held
    }
    guard let own = held.head.flatMap({ held.identity.checkpoint(in: $0.note) }),
      own.size >= head.size,
      let proof = try forkProof(smaller: head, larger: own, branch: nil, leaves: leaves)
    else { return .fault(.branchNotProven) }
    return .fork(proof)
  }
}

/// What a validly signed checkpoint is to a copy.
public enum HeadVerdict: Sendable {
  /// It is a head of the held tree.
  case held
  /// It is beyond what is held: nothing can be said about it until its entries arrive.
  case ahead
  /// Its owner signed another history.
  case fork(ForkProof)
  /// It contradicts what is held, but there is no signed head here to prove it with.
  case fault(RangeFault)
}

extension RangeVerifier.Branch {
  /// Leaf hashes of the other history.
  fileprivate func leafHashes<E: Error>(
    _ run: Range<UInt64>, leaves: (Range<UInt64>) throws(E) -> [LeafData]
  ) throws(E) -> [Bytes32] {
    let shared = run.clamped(to: 0..<start)
    let own = run.clamped(to: start..<tree.size)
    let before = shared.isEmpty ? [] : try leaves(shared).map(\.hash)
    guard !own.isEmpty else { return before }
    return before + hashes[Int(own.lowerBound - start)..<Int(own.upperBound - start)]
  }
}

extension LogIdentity {
  /// The checkpoint in `note` if this log's key signed it.
  func checkpoint(in note: [UInt8]) -> VerifiedCheckpoint? {
    do throws(CheckpointError) {
      return try VerifiedCheckpoint(
        verifying: note, of: self,
        limits: NoteLimits(maximumByteCount: SyncLimits.noteByteCount, maximumTextLines: 3))
    } catch {
      return nil
    }
  }
}
