import Cryptography
import Foundation
import VerifiableLog

extension Question {
  func checkedNote() throws -> Answer {
    let key = try NoteKey(verifierKey: try given(witnesses?.first))
    let note = try bytes(note)
    do {
      let parsed = try SignedNote(parsing: note)
      let checkpoint = try Checkpoint(parsing: parsed.text)
      switch key.algorithm {
      case .ed25519:
        guard checkpoint.origin == key.name else { throw CheckpointError.wrongOrigin }
        try parsed.verify(by: key)
      case .cosignatureV1:
        let lines = parsed.signatures.filter { $0.keyName == key.name && $0.keyID == key.id }
        guard !lines.isEmpty else { throw NoteError.notSigned }
        for line in lines {
          _ = try VerifiedReceipt(verifying: line, of: checkpoint, by: key)
        }
      }
      return Answer(found: "ok")
    } catch is NoteError {
      return Answer(found: "note")
    } catch is CheckpointError {
      return Answer(found: "checkpoint")
    } catch is CosignatureError {
      return Answer(found: "receipt")
    }
  }

  func signed() throws -> Answer {
    let caseID = try bytes32(caseID)
    let own = try key(0)
    let other = try key(1)
    let log = LogIdentity(caseID: caseID, key: own.publicKey)
    let head = VerifiedCheckpoint(
      signing: own, of: log, size: try given(size), root: try bytes32(root))
    let witness = LogID(caseID: caseID, key: other.publicKey).cosigner(other.publicKey)
    let receipt = Cosignature.sign(head.checkpoint, time: try given(time), with: other)
      .noteSignature(by: witness)
    return Answer(
      note: Hex.encode(head.bytes + receipt.line),
      keys: [log.noteKey.verifierKey, witness.verifierKey])
  }

  func proven() throws -> Answer {
    let tree = InMemoryTree(try hashes(hashes))
    let (size, smaller) = (try given(size), try given(smaller))
    return Answer(
      root: try tree.root(size: size).hex,
      inclusion: try tree.inclusionProof(index: try given(index), size: size).map(\.hex),
      consistency: try tree.consistencyProof(from: smaller, to: size).map(\.hex),
      prefix: smaller < size ? try tree.prefixProof(of: smaller, in: size).map(\.hex) : nil)
  }

  func checkedInclusion() throws -> Answer {
    let leaf = try bytes32(hashes?.first)
    let (root, proof) = (try bytes32(root), try hashes(proof))
    do throws(MerkleError) {
      try MerkleTree.verifyInclusion(
        of: leaf, index: index ?? 0, size: size ?? 0, root: root, proof: proof)
      return Answer(found: "ok")
    } catch {
      return Answer(found: "\(error)")
    }
  }

  func checkedConsistency() throws -> Answer {
    let smallerRoot = try bytes32(hashes?.first)
    let (root, proof) = (try bytes32(root), try hashes(proof))
    do throws(MerkleError) {
      try MerkleTree.verifyConsistency(
        from: smaller ?? 0, smallerRoot, to: size ?? 0, root, proof: proof)
      return Answer(found: "ok")
    } catch {
      return Answer(found: "\(error)")
    }
  }

  private func key(_ number: Int) throws -> SigningKey {
    let seeds = try given(seeds)
    let seed = try bytes(seeds[number]).withBytes { (bytes) throws(CryptographyError) in
      try SecretKey(copying: bytes)
    }
    return SigningKey(seed: seed)
  }

  private func bytes(_ digits: String?) throws -> [UInt8] { try Hex.decode(try given(digits)) }

  private func bytes32(_ digits: String?) throws -> Bytes32 {
    try given(Bytes32(try bytes(digits)))
  }

  private func hashes(_ digits: [String]?) throws -> [Bytes32] {
    try given(digits).map { try bytes32($0) }
  }
}
