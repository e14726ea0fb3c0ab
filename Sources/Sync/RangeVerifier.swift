internal import Cryptography
public import VerifiableLog

/// Verifies received ranges of one log against what is held of it.
///
/// The leaves are appended to the held tree and the root is compared with the checkpoint, directly or by a
/// consistency proof. Leaves that are held already must be equal. Where they are not, and the range
/// verifies all the same, the log's owner signed two histories, and the range shows where they part.
public struct RangeVerifier: Sendable {
  /// The log as it is held, with every range that `verify` returned as verified.
  public private(set) var held: HeldLog
  private var subtrees = SubtreeHashes()

  /// A verifier for a log as it is held.
  public init(_ held: HeldLog) { self.held = held }

  /// A verifier as of somebody who has no more of the log than its first `size` entries. `leaves` gives those that are
  /// held here.
  public init<E: Error>(
    _ log: HeldLog, upTo size: UInt64, leaves: (Range<UInt64>) throws(E) -> [LeafData]
  ) throws(E) {
    held = log
    held.head = nil
    held.tree = try subtrees.compactRange(size: size) { (run) throws(E) in
      try leaves(run).map(\.hash)
    }
  }

  /// The log as it is held now, after a change from elsewhere.
  public mutating func update(_ held: HeldLog) {
    self.held = held
  }

  /// What `frame` is. `leaves` gives the held leaves of a run, in order, all below the held size.
  public mutating func verify<E: Error>(
    _ frame: RangeFrame, leaves: (Range<UInt64>) throws(E) -> [LeafData]
  ) throws(E) -> RangeVerdict {
    guard frame.logID == held.id else { return .fault(.badNote) }
    guard frame.first <= held.size else { return .gap(size: held.size) }
    guard let checkpoint = held.identity.checkpoint(in: frame.note) else {
      return .fault(.badNote)
    }
    guard frame.end <= checkpoint.size else { return .fault(.beyondCheckpoint) }
    let received = Received(frame, checkpoint)
    let overlap = frame.first..<max(frame.first, min(frame.end, held.size))
    let known = try leaves(overlap).map(\.hash)
    guard let parting = zip(known, received.hashes).enumerated().first(where: { $1.0 != $1.1 })
    else { return connect(received) }
    return try diverge(
      received, from: parting.element.0, at: frame.first + UInt64(parting.offset), leaves: leaves)
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

    /// The hashes of a run of the range.
    func hashes(in run: Range<UInt64>) -> ArraySlice<Bytes32> {
      hashes[Int(run.lowerBound - frame.first)..<Int(run.upperBound - frame.first)]
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
  /// The held leaf at `parting`, which has this hash, differs and is the first. Whether the log's owner or
  /// the mailbox is to blame shows when the received leaves are put in the place of the held ones: only the
  /// owner could have signed that tree.
  private mutating func diverge<E: Error>(
    _ received: Received, from leafHash: Bytes32, at parting: UInt64,
    leaves: (Range<UInt64>) throws(E) -> [LeafData]
  ) throws(E) -> RangeVerdict {
    let offset = Int(parting - received.frame.first)
    var tree = try subtrees.compactRange(size: received.frame.first) { (run) throws(E) in
      try leaves(run).map(\.hash)
    }
    for hash in received.hashes[..<offset] { tree.append(hash) }
    let common = tree
    for hash in received.hashes[offset...] { tree.append(hash) }
    guard received.leads(from: tree) else { return .fault(.doesNotConnect) }
    guard let own = signedHead, own.size > parting else { return .fault(.branchNotProven) }
    let path = try prefixProof(of: parting + 1, in: own.size, leaves: leaves)
    let otherPath = try self.path(of: received, from: parting, leaves: leaves)
    do throws(ForkProofError) {
      return .fork(
        try ForkProof(
          (own, Parting.Branch(leafHash: leafHash, path: path)),
          (
            received.checkpoint,
            Parting.Branch(leafHash: received.hashes[offset], path: otherPath)
          ), common: common))
    } catch {
      return .fault(.branchNotProven)
    }
  }

  /// The newest head that the log's key signed for the held tree.
  private var signedHead: VerifiedCheckpoint? {
    held.head.flatMap { held.identity.checkpoint(in: $0.note) }
  }

  /// What leads from `size` leaves of the held tree to more of them; nothing where these are all.
  private mutating func prefixProof<E: Error>(
    of size: UInt64, in larger: UInt64, leaves: (Range<UInt64>) throws(E) -> [LeafData]
  ) throws(E) -> [Bytes32] {
    guard size > 0, size < larger else { return [] }
    return try MerkleTree.prefixProof(of: size, in: larger) { (subtree) throws(E) in
      try subtrees.hash(of: subtree) { (run) throws(E) in try leaves(run).map(\.hash) }
    }
  }

  /// What leads from the first leaf that differs to the checkpoint of a received range. The leaves before
  /// are held; those after the range's end stand in its proof.
  private mutating func path<E: Error>(
    of received: Received, from parting: UInt64,
    leaves: (Range<UInt64>) throws(E) -> [LeafData]
  ) throws(E) -> [Bytes32] {
    let size = received.checkpoint.size
    guard parting + 1 < size else { return [] }
    let first = received.frame.first
    var ofReceived = SubtreeHashes()
    return try MerkleTree.prefixProof(
      of: parting + 1, in: size, leavesTo: received.frame.end, rest: received.frame.proof
    ) { (subtree) throws(E) in
      if subtree.leaves.upperBound <= parting {
        return try subtrees.hash(of: subtree) { (run) throws(E) in try leaves(run).map(\.hash) }
      }
      return try ofReceived.hash(of: subtree) { (run) throws(E) in
        let shared = run.clamped(to: 0..<first)
        let before = shared.isEmpty ? [] : try leaves(shared).map(\.hash)
        return before + received.hashes(in: run.clamped(to: first..<received.frame.end))
      }
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
    guard let own = signedHead, own.size >= head.size else { return .fault(.branchNotProven) }
    let path = try prefixProof(of: head.size, in: own.size, leaves: leaves)
    do throws(ForkProofError) {
      return .fork(try ForkProof(head, own, path: path))
    } catch {
      return .fault(.branchNotProven)
    }
  }

  /// Whether the held history and that of `head` are known to be the same at least as far as `proof` says:
  /// it is about this head, and all that it calls common is held.
  mutating func isParted<E: Error>(
    from head: VerifiedCheckpoint, by proof: ForkProof,
    leaves: (Range<UInt64>) throws(E) -> [LeafData]
  ) throws(E) -> Bool {
    guard let common = proof.parting?.common, common.size <= held.size,
      proof.smaller.checkpoint == head.checkpoint || proof.larger.checkpoint == head.checkpoint
    else { return false }
    let root = try subtrees.root(size: common.size) { (run) throws(E) in
      try leaves(run).map(\.hash)
    }
    return root == common.root
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
