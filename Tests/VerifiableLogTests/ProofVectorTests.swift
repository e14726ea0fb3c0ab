import Cryptography
import Support
import Testing

@testable import VerifiableLog

/// Vectors of `Protocol/Vectors` for proofs over trees, and for fork proofs (`Protocol/CaseLog.md`, "Log").
@Suite struct ProofVectorTests {
  @Test(arguments: try ProtocolVector.all("proof"))
  func proof(_ vector: ProtocolVector) throws {
    let (smaller, size) = (
      try vector.field("smaller", UInt64.self), try vector.field("size", UInt64.self)
    )
    let proof = try vector.list("proof").map { try #require(Bytes32($0)) }
    let root = try #require(Bytes32(try vector.bytes("root")))
    let smallerRoot = try #require(Bytes32(try vector.bytes("smaller_root")))
    var found = "ok"
    do throws(MerkleError) {
      if vector.name.hasPrefix("prefix") {
        let told = try MerkleTree.prefixRoot(of: smaller, in: size, root, proof: proof)
        #expect(told == smallerRoot)
      } else {
        try MerkleTree.verifyConsistency(from: smaller, smallerRoot, to: size, root, proof: proof)
      }
    } catch {
      found = "unproven"
    }
    #expect(found == vector.expected)
  }

  @Test(arguments: try ProtocolVector.all("fork"))
  func fork(_ vector: ProtocolVector) throws {
    let input = try vector.bytes("input")
    let log = LogIdentity(
      caseID: try #require(Bytes32(try vector.bytes("case"))),
      key: try VerifyingKey(try vector.bytes("key")))
    var found = "ok"
    do {
      let proof = try ForkProof(parsing: input, of: log)
      #expect(try proof.forkedAt == vector.field("size", UInt64.self))
      #expect((proof.parting != nil) == vector.name.contains("part"))
      #expect(proof.bytes == input)
    } catch is ForkProofError {
      found = "unproven"
    }
    #expect(found == vector.expected)
  }
}
