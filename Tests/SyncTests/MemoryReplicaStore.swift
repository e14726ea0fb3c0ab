import Cryptography
import Sync
import VerifiableLog

// What an exchange asks of the replica in memory.

extension MemoryReplica {
  func logs() throws(Failure) -> [HeldLog] {
    stored.values.map(\.held).sorted { $0.id < $1.id }
  }

  func leaves(of log: LogID, in run: Range<UInt64>) throws(Failure) -> [LeafData] {
    Array(stored[log]!.leaves[Int(run.lowerBound)..<Int(run.upperBound)])
  }

  func entries(
    of log: LogID, in run: Range<UInt64>, byteBudget: Int
  ) throws(Failure) -> [WireEntry] {
    guard let log = stored[log] else { throw .broken }
    var entries: [WireEntry] = []
    var bytes = 0
    for sequence in run where bytes < byteBudget && entries.count < entriesAtOnce {
      let leaf = log.leaves[Int(sequence)]
      let isSent = log.held.id != ownLog || !privateEntries.contains(sequence)
      let ciphertext = isSent ? log.ciphertexts[sequence] : nil
      let slots = (log.slots[sequence] ?? []).sorted { $0.epoch < $1.epoch }
      bytes += (ciphertext?.count ?? 32) + 40
      entries.append(
        WireEntry(
          classByte: leaf.classByte, commitment: leaf.commitment,
          content: ciphertext.map { .ciphertext($0) } ?? .hash(leaf.ciphertextHash),
          slots: isSent ? slots.map { WireSlot(epoch: $0.epoch, box: $0.box) } : []))
    }
    return entries
  }

  func erasedItems() throws(Failure) -> [ErasedItem] { erased }

  func passableSize(of log: LogID) throws(Failure) -> UInt64 { stored[log]?.held.size ?? 0 }

  mutating func accept(_ range: VerifiedRange) throws(Failure) -> Bool {
    guard !isBroken, var log = stored[range.logID] else { throw .broken }
    guard range.sizeBefore == log.held.size else { throw .broken }
    let before = log
    log.leaves += range.newEntries.map(\.leaf)
    log.held.tree = range.tree
    if let head = range.head {
      log.held.head = HeldHead(size: head.size, note: head.minimalBytes)
      log.notes[head.size] = head.minimalBytes
    }
    var read: [(LeafData, [UInt8])] = []
    for entry in range.entries {
      guard let ciphertext = entry.ciphertext else { continue }
      if log.ciphertexts[entry.leaf.sequence] == nil { read.append((entry.leaf, ciphertext)) }
      log.ciphertexts[entry.leaf.sequence] = ciphertext
    }
    for slot in range.slots { log.slots[slot.sequence, default: []].insert(slot) }
    stored[range.logID] = log
    for (leaf, ciphertext) in read { interpret(leaf, ciphertext, of: range.logID) }
    return log != before
  }

  func lacking(of log: LogID) throws(Failure) -> [Range<UInt64>] {
    askings?.add()
    guard let held = stored[log] else { return [] }
    return held.leaves.map(\.sequence).filter { held.ciphertexts[$0] == nil }.map { $0..<$0 + 1 }
  }

  func awaitedDevices() throws(Failure) -> Set<LogID> { Set(stored.keys).subtracting(gone) }

  func heads() throws(Failure) -> [SignedHead] {
    stored.values.sorted { $0.held.id < $1.held.id }.compactMap { log in
      guard let head = log.held.head else { return nil }
      let note = try! SignedNote(parsing: head.note)
      let receipts = (log.receipts[head.size] ?? [:]).values.sorted { $0.member < $1.member }
      let lines = receipts.map { $0.receipt.cosignature.noteSignature(by: $0.receipt.cosigner) }
      return SignedHead(
        signingKey: log.held.identity.key.raw,
        note: SignedNote(text: note.text, signatures: note.signatures + lines).bytes)
    }
  }

  mutating func accept(_ head: VerifiedHead) throws(Failure) -> Bool {
    guard !isBroken, var log = stored[head.checkpoint.log.id] else { throw .broken }
    let before = log
    for receipt in head.receipts {
      log.receipts[head.checkpoint.size, default: [:]][receipt.member] = receipt
    }
    log.notes[head.checkpoint.size] = head.checkpoint.minimalBytes
    if head.checkpoint.size > log.held.head?.size ?? 0 {
      log.held.head = HeldHead(size: head.checkpoint.size, note: head.checkpoint.minimalBytes)
    }
    stored[head.checkpoint.log.id] = log
    return log != before
  }

  mutating func giveReceipts() throws(Failure) {
    guard !isBroken else { throw .broken }
    clock += 1
    for id in stored.keys.sorted() where id != ownLog {
      guard let log = stored[id], let head = log.held.head,
        log.receipts[head.size]?[ownLog] == nil
      else { continue }
      let checkpoint = try! VerifiedCheckpoint(verifying: head.note, of: log.held.identity)
        .checkpoint
      let cosignature = Cosignature.sign(checkpoint, time: clock, with: device.receiptKey)
      let receipt = try! VerifiedReceipt(
        verifying: cosignature, of: checkpoint, by: ownLog.cosigner(device.receiptKey.publicKey))
      let own = MemberReceipt(member: ownLog, receipt: receipt)
      stored[id]?.receipts[head.size, default: [:]][own.member] = own
    }
  }

  func forks() throws(Failure) -> [ForkProof] {
    knownForks.sorted { $0.key < $1.key }.map(\.value)
  }

  mutating func accept(_ fork: ForkProof) throws(Failure) -> Bool {
    guard !isBroken else { throw .broken }
    guard knownForks[fork.log.id].map(fork.isBetter) ?? true else { return false }
    knownForks[fork.log.id] = fork
    return true
  }

  func statements() throws(Failure) -> [[UInt8]] {
    knownStatements.sorted { $0.lexicographicallyPrecedes($1) }
  }

  mutating func accept(statements: [[UInt8]]) throws(Failure) -> StatementOutcome {
    guard !isBroken else { throw .broken }
    takings?.add()
    let before = knownStatements.count
    // What stands for a signature: all bytes are the same.
    let good = statements.filter { Set($0.dropFirst(2)).count == 1 }
    knownStatements.formUnion(good)
    return StatementOutcome(
      changed: knownStatements.count > before, hasForged: good.count < statements.count)
  }

  func successions() throws(Failure) -> [[UInt8]] {
    knownSuccessions.sorted { $0.lexicographicallyPrecedes($1) }
  }

  mutating func accept(successions: [[UInt8]]) throws(Failure) -> Bool {
    guard !isBroken else { throw .broken }
    takings?.add()
    let before = knownSuccessions.count
    knownSuccessions.formUnion(successions)
    return knownSuccessions.count > before
  }

  func wraps(atMost count: Int) throws(Failure) -> [[UInt8]] {
    Array(knownWraps.sorted { $0.lexicographicallyPrecedes($1) }.prefix(count))
  }

  /// Wraps are nobody's here.
  mutating func accept(wrapsOfStranger wraps: [[UInt8]]) throws(Failure) -> Bool { false }

  mutating func accept(wraps: [[UInt8]]) throws(Failure) -> Bool {
    guard !isBroken else { throw .broken }
    takings?.add()
    let before = knownWraps.count
    knownWraps.formUnion(wraps)
    return knownWraps.count > before
  }

  // MARK: Shares

  private func lacks(_ share: (log: LogID, sequences: [UInt64])) -> Bool {
    guard let log = stored[share.log] else { return true }
    return share.sequences.contains { log.ciphertexts[$0] == nil || log.slots[$0] == nil }
  }

  func shares() throws(Failure) -> [HeldShare] {
    knownShares.sorted { $0.key < $1.key }.filter { !lacks($0.value) }
      .map { HeldShare(id: $0.key, logID: $0.value.log) }
  }

  func wantedShares() throws(Failure) -> [EntryID] {
    knownShares.filter { lacks($0.value) }.keys.sorted()
  }

  func content(
    of share: EntryID, from index: Int, byteBudget: Int
  ) throws(Failure) -> ShareContent {
    guard let share = knownShares[share], let log = stored[share.log] else { throw .broken }
    let sequences = share.sequences.dropFirst(index).prefix(2)
    let next = index + sequences.count
    return ShareContent(
      slots: sequences.flatMap { log.slots[$0]!.sorted { $0.epoch < $1.epoch } },
      bodies: sequences.map {
        Body(logID: share.log, sequence: $0, ciphertext: log.ciphertexts[$0]!)
      },
      nextIndex: next < share.sequences.count ? next : nil)
  }

  mutating func accept(slots: [Slot]) throws(Failure) -> Bool {
    guard !isBroken else { throw .broken }
    var changed = false
    for slot in slots where (stored[slot.logID]?.slots[slot.sequence]?.count ?? 0) < 64 {
      if stored[slot.logID]!.slots[slot.sequence, default: []].insert(slot).inserted {
        changed = true
      }
    }
    return changed
  }

  mutating func accept(bodies: [Body]) throws(Failure) -> Bool {
    guard !isBroken else { throw .broken }
    var changed = false
    for body in bodies where stored[body.logID]?.ciphertexts[body.sequence] == nil {
      stored[body.logID]!.ciphertexts[body.sequence] = body.ciphertext
      interpret(stored[body.logID]!.leaves[Int(body.sequence)], body.ciphertext, of: body.logID)
      changed = true
    }
    return changed
  }

  // MARK: Blobs

  func blobs() throws(Failure) -> [HeldBlob] {
    sealedBlobs.sorted { $0.key < $1.key }.map {
      HeldBlob(root: $0.key, byteCount: UInt64($0.value.count), isOwn: ownBlobs.contains($0.key))
    }
  }

  func wantedBlobs() throws(Failure) -> [WantedBlob] {
    attachments.filter { sealedBlobs[$0.key] == nil }.sorted { $0.key < $1.key }
      .map { WantedBlob(root: $0.key, byteCount: $0.value) }
  }

  func spans(_ run: Range<UInt64>, of blob: BlobRoot) throws(Failure) -> [UInt8]? {
    guard let sealed = sealedBlobs[blob], let layout = BlobLayout(byteCount: UInt64(sealed.count))
    else { throw .broken }
    let bytes = layout.bytes(of: run)
    return Array(sealed[Int(bytes.lowerBound)..<Int(bytes.upperBound)])
  }

  func heldSpans(of blob: WantedBlob) throws(Failure) -> UInt64 {
    let count = partialBlobs[blob.root]?.count ?? 0
    return UInt64((count + BlobTree.spanByteCount - 1) / BlobTree.spanByteCount)
  }

  mutating func append(_ spans: VerifiedSpans) throws(Failure) -> Bool {
    guard !isBroken, try heldSpans(of: spans.blob) == spans.first else { throw .broken }
    guard spans.blob.byteCount <= room else { return false }
    partialBlobs[spans.blob.root, default: []] += spans.bytes
    return true
  }

  mutating func finish(_ blob: WantedBlob) throws(Failure) -> Bool {
    guard !isBroken else { throw .broken }
    guard let sealed = partialBlobs.removeValue(forKey: blob.root) else { return false }
    guard UInt64(sealed.count) == blob.byteCount, Self.root(of: sealed) == blob.root else {
      return false
    }
    sealedBlobs[blob.root] = sealed
    return true
  }
}
