import Cryptography

@testable import VerifiableLog

extension FuzzTarget {
  static let logs = [
    FuzzTarget("note", checkNote),
    FuzzTarget("checkpoint", maximumByteCount: 1024, checkCheckpoint),
    FuzzTarget("merkle", maximumByteCount: 512, checkMerkle),
    FuzzTarget("fork", maximumByteCount: 512, checkFork),
  ]
}

// MARK: - Notes

private func checkNote(_ input: [UInt8]) throws(Broken) {
  guard let note = accepted({ try SignedNote(parsing: input) }) else { return }
  try hold(note.bytes == input, "a note is written as it was read")
  try hold((1...64).contains(note.signatures.count), "from one signature to the limit")
  try hold(note.text.count { $0 == newline } <= 64, "no more lines than the limit")
  try hold(
    accepted { try SignedNote(parsing: Array(input.dropLast())) } == nil, "a beginning is no note")
  for line in note.signatures {
    guard let cosignature = accepted({ try Cosignature(parsing: line.signature) }) else { continue }
    try hold(cosignature.bytes == line.signature, "a cosignature is written as it was read")
    try hold(cosignature.time <= Cosignature.maximumTime, "no later than the format allows")
  }
  guard let checkpoint = accepted({ try Checkpoint(parsing: note.text) }) else { return }
  try hold(checkpoint.text == note.text, "a checkpoint is written as it was read")
}

/// The text is the input's; the signature on it is good, or one bit of it is not.
private func checkCheckpoint(_ input: [UInt8]) throws(Broken) {
  var choices = Choices(input)
  let (isGood, bit, time) = (choices.bool(), choices.number(below: 512), choices.uint64() >> 1)
  let (device, witness) = (FuzzCase.shared.survivor, FuzzCase.shared.advocate)
  let (log, text) = (device.identity, choices.remaining)
  guard text.last == newline else { return }
  var signature = text.withBytes { device.signing.sign($0) }.bytes
  if !isGood { signature = signature.toggling(bit / 8, 1 << UInt8(bit % 8)) }
  let line = NoteSignature(
    keyName: log.noteKey.name, keyID: log.noteKey.id, signature: signature)
  let bytes = SignedNote(text: text, signatures: [line]).bytes
  let isText = accepted { try SignedNote(parsing: bytes) }?.text == text
  let claim = accepted { try Checkpoint(parsing: text) }
  let verified = accepted { try VerifiedCheckpoint(verifying: bytes, of: log) }
  let isOurs = isText && claim?.origin == log.id.origin
  try hold((verified != nil) == (isGood && isOurs), "signed by the log, and nothing else")
  guard let verified else { return }
  try hold(verified.minimalBytes == bytes, "the note with the log's signature only")
  let receipt = Cosignature.sign(verified.checkpoint, time: time, with: witness.receipt)
  let note = SignedNote(
    text: text, signatures: [line, receipt.noteSignature(by: witness.cosigner)])
  let parsed = accepted { try SignedNote(parsing: note.bytes) }
  try hold(parsed == note, "a receipt is a line of a note")
  let found = accepted {
    try VerifiedReceipt(
      verifying: receipt.noteSignature(by: witness.cosigner), of: verified.checkpoint,
      by: witness.cosigner)
  }
  try hold(found?.time == time, "a receipt says when it was given")
}

// MARK: - Trees

/// A tree of as many leaves, each of which is its number.
func tree(_ count: Int, seed: UInt8 = 0) -> InMemoryTree {
  InMemoryTree(leafHashes(count, seed: seed))
}

private func leafHashes(_ count: Int, seed: UInt8 = 0) -> [Bytes32] {
  (0..<count).map { MerkleTree.leafHash([seed, UInt8($0 >> 8), UInt8($0 & 255)]) }
}

/// A proof after what the input does to it.
private func edited(_ proof: [Bytes32], _ choices: inout Choices) -> [Bytes32] {
  var proof = proof
  for _ in 0..<(choices.byte() % 4) {
    let at = choices.number(below: proof.count + 1)
    switch choices.byte() % 5 {
    case 0 where at < proof.count: proof.remove(at: at)
    case 1: proof.insert(Bytes32(choices.bytes(32)) ?? .zero, at: at)
    case 2 where at < proof.count: proof.insert(proof[at], at: at)
    case 3 where at < proof.count: proof.swapAt(at, choices.number(below: proof.count))
    case 4 where at < proof.count:
      let bit = choices.byte()
      let bytes = proof[at].bytes.toggling(Int(bit / 8), 1 << (bit % 8))
      proof[at] = Bytes32(bytes) ?? .zero
    default: break
    }
  }
  return proof
}

private func checkMerkle(_ input: [UInt8]) throws(Broken) {
  var choices = Choices(input)
  let count = 1 + choices.number(below: 70)
  let tree = tree(count)
  let size = UInt64(count)
  let index = UInt64(choices.number(below: count))
  let smaller = 1 + UInt64(choices.number(below: count))
  let claimed = UInt64(choices.number(below: count + 2))
  let other = UInt64(choices.number(below: count + 2))
  let leaf = tree[Subtree(level: 0, index: min(other, size - 1))] ?? .zero
  guard let inclusion = accepted({ try tree.inclusionProof(index: index, size: size) }) else {
    throw Broken(promise: "each leaf has a proof")
  }
  let proof = edited(inclusion, &choices)
  if accepted({
    try MerkleTree.verifyInclusion(
      of: leaf, index: claimed, size: size, root: tree.root, proof: proof)
  }) != nil {
    try hold(tree[Subtree(level: 0, index: claimed)] == leaf, "only the leaf that stands there")
    let own = accepted { try tree.inclusionProof(index: claimed, size: size) }
    try hold(proof == own, "by its one proof")
  }
  guard smaller < size,
    let path = accepted({ try tree.prefixProof(of: smaller, in: size) })
  else { return }
  let bent = edited(path, &choices)
  let from = 1 + UInt64(choices.number(below: count))
  if let root = accepted({
    try MerkleTree.prefixRoot(of: from, in: size, tree.root, proof: bent)
  }) {
    try hold(root == accepted { try tree.root(size: from) }, "a prefix has the root that it has")
  }
}

/// Two heads that one log signed: of one history, or of two.
private func checkFork(_ input: [UInt8]) throws(Broken) {
  var choices = Choices(input)
  let device = FuzzCase.shared.survivor
  let isTwo = choices.bool()
  let larger = tree(1 + choices.number(below: 40))
  let other = isTwo ? tree(Int(larger.size), seed: 1) : larger
  let size = 1 + UInt64(choices.number(below: Int(larger.size)))
  guard let root = accepted({ try other.root(size: size) }) else { return }
  var path: [Bytes32] = []
  if size < larger.size {
    path = accepted { try larger.prefixProof(of: size, in: larger.size) } ?? []
  }
  path = edited(path, &choices)
  let heads = [
    VerifiedCheckpoint(signing: device.signing, of: device.identity, size: size, root: root),
    VerifiedCheckpoint(
      signing: device.signing, of: device.identity, size: larger.size, root: larger.root),
  ]
  if let proof = accepted({ try ForkProof(heads[0], heads[1], path: path) }) {
    try hold(isTwo, "nobody who signed one history is shown to have forked")
    let again = accepted { try ForkProof(parsing: proof.bytes, of: device.identity) }
    try hold(again?.bytes == proof.bytes, "a proof is read as it was written")
  }
  let tail = choices.remaining
  guard !tail.isEmpty else { return }
  let claim = CBORTree.array([
    .bytes(heads[0].minimalBytes), .bytes(heads[1].minimalBytes), hashes(path),
  ]).encoded
  if let proof = try parsed(claim, bent: tail, of: device.identity) {
    try hold(isTwo, "nobody who signed one history is shown to have forked")
    try hold(proof.parting == nil, "a proof of this form tells of two sizes")
  }
  try checkParting(tail, isTwo: isTwo, larger.size)
}

/// The heads of two trees with so many leaves in common, or of one, and what shows where they part.
private func checkParting(_ tail: [UInt8], isTwo: Bool, _ size: UInt64) throws(Broken) {
  let device = FuzzCase.shared.survivor
  let parting = UInt64(tail[0]) % size
  let leaves = leafHashes(Int(size))
  let others = isTwo ? leafHashes(Int(size), seed: 1) : leaves
  let count = Int(parting) + 1 + Int(tail.last ?? 0) % (leaves.count - Int(parting))
  let one = InMemoryTree(leaves)
  let other = InMemoryTree(leaves[..<Int(parting)] + others[Int(parting)..<count])
  var common = CompactRange()
  for hash in leaves[..<Int(parting)] { common.append(hash) }
  let trees = [one, other].sorted { ($0.size, $0.root) < ($1.size, $1.root) }
  let branches = trees.map { tree -> CBORTree in
    let leaf = tree[Subtree(level: 0, index: parting)] ?? .zero
    let path =
      parting + 1 == tree.size
      ? [] : accepted { try tree.prefixProof(of: parting + 1, in: tree.size) } ?? []
    return .array([.bytes(leaf.bytes), hashes(path)])
  }
  let heads = trees.map { tree -> CBORTree in
    let head = VerifiedCheckpoint(
      signing: device.signing, of: device.identity, size: tree.size, root: tree.root)
    return .bytes(head.minimalBytes)
  }
  let claim = CBORTree.array(
    heads + [.unsigned(parting), hashes(common.hashes)] + branches
  ).encoded
  let whole = accepted { try ForkProof(parsing: claim, of: device.identity) }
  try hold((whole != nil) == isTwo, "where two histories part is a proof, and of one it is none")
  try hold(whole?.bytes == (isTwo ? claim : nil), "there is one encoding of a proof")
  if let proof = try parsed(claim, bent: tail, of: device.identity) {
    try hold(isTwo, "nobody who signed one history is shown to have forked")
    try hold(proof.forkedAt == parting, "they part where they part")
  }
}

/// What is read of a proof that was changed in places; there is one encoding of each.
private func parsed(
  _ claim: [UInt8], bent tail: [UInt8], of log: LogIdentity
) throws(Broken) -> ForkProof? {
  var bytes = claim
  for (place, mask) in zip(tail, tail.dropFirst()) {
    bytes[Int(place) * bytes.count / 256] ^= mask
  }
  try hold(
    accepted { try ForkProof(parsing: bytes, of: log) } == nil || ForkProof.isWellFormed(bytes),
    "what proves has the form of a proof")
  guard let proof = accepted({ try ForkProof(parsing: bytes, of: log) }) else { return nil }
  try hold(proof.bytes == bytes, "there is one encoding of a proof")
  return proof
}

private func hashes(_ list: [Bytes32]) -> CBORTree { .array(list.map { .bytes($0.bytes) }) }
