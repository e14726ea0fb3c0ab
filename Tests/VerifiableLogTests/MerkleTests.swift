import Cryptography
import Foundation
import Support
import Testing
import VerifiableLog

/// The definitions of RFC 6962 section 2.1, word for word, over all leaves at once: slow, obvious,
/// and independent of the code under test but for the two hashes.
enum Definition {
  static func root(_ leaves: ArraySlice<Bytes32>) -> Bytes32 {
    guard leaves.count > 1 else { return leaves.first ?? SHA256Hash.hash([]) }
    let middle = leaves.startIndex + split(leaves.count)
    return node(root(leaves[..<middle]), root(leaves[middle...]))
  }

  static func path(_ index: Int, _ leaves: ArraySlice<Bytes32>) -> [Bytes32] {
    guard leaves.count > 1 else { return [] }
    let k = split(leaves.count)
    let middle = leaves.startIndex + k
    return index < k
      ? path(index, leaves[..<middle]) + [root(leaves[middle...])]
      : path(index - k, leaves[middle...]) + [root(leaves[..<middle])]
  }

  static func subproof(_ m: Int, _ leaves: ArraySlice<Bytes32>, _ isWhole: Bool) -> [Bytes32] {
    if m == leaves.count { return isWhole ? [] : [root(leaves)] }
    let k = split(leaves.count)
    let middle = leaves.startIndex + k
    return m <= k
      ? subproof(m, leaves[..<middle], isWhole) + [root(leaves[middle...])]
      : subproof(m - k, leaves[middle...], false) + [root(leaves[..<middle])]
  }

  private static func split(_ count: Int) -> Int {
    var k = 1
    while k * 2 < count { k *= 2 }
    return k
  }

  private static func node(_ left: Bytes32, _ right: Bytes32) -> Bytes32 {
    SHA256Hash.hash([1] + left.bytes + right.bytes)
  }
}

func leafHashes(_ count: Int) -> [Bytes32] {
  (0..<count).map { MerkleTree.leafHash([UInt8($0 >> 8), UInt8($0 & 255)]) }
}

struct MerkleVectorTests {
  /// A hash as the vectors have it: some are not 32 bytes, which no proof of ours can even hold.
  private static func hash(_ base64: String) -> Bytes32? {
    Data(base64Encoded: base64).flatMap { Bytes32([UInt8]($0)) }
  }

  /// Some roots are mere words, where the verdict does not hang on them; hashed, they stay equal or
  /// not.
  private static func root(_ base64: String) -> Bytes32? {
    hash(base64) ?? Data(base64Encoded: base64).map { SHA256Hash.hash([UInt8]($0)) }
  }

  private static func hashes(_ proof: [String]?) -> [Bytes32]? {
    let hashes = (proof ?? []).map { hash($0) }
    return hashes.contains(nil) ? nil : hashes.compactMap { $0 }
  }

  struct Inclusion: Decodable {
    let name: String
    let leafIdx: UInt64
    let treeSize: UInt64
    let root: String
    let leafHash: String
    let proof: [String]?
    let wantErr: Bool
  }

  @Test(.enabled(if: SharedVectors.arePresent, .init(rawValue: SharedVectors.absence)))
  func `65 inclusion proofs, of which 4 hold`() throws {
    let cases = try SharedVectors.decode([Inclusion].self, from: "merkle/inclusion.json")
    for each in cases {
      var holds = false
      if let root = Self.root(each.root), let leaf = Self.hash(each.leafHash),
        let proof = Self.hashes(each.proof)
      {
        do throws(MerkleError) {
          try MerkleTree.verifyInclusion(
            of: leaf, index: each.leafIdx, size: each.treeSize, root: root, proof: proof)
          holds = true
        } catch {}
      }
      #expect(holds == !each.wantErr, "\(each.name)")
    }
    #expect(cases.count == 65)
    #expect(cases.count { !$0.wantErr } == 4)
  }

  struct Consistency: Decodable {
    let name: String
    let size1: UInt64
    let size2: UInt64
    let root1: String
    let root2: String
    let proof: [String]?
    let wantErr: Bool
  }

  @Test(.enabled(if: SharedVectors.arePresent, .init(rawValue: SharedVectors.absence)))
  func `65 consistency proofs, of which 5 hold`() throws {
    let cases = try SharedVectors.decode([Consistency].self, from: "merkle/consistency.json")
    for each in cases {
      var holds = false
      if let root1 = Self.root(each.root1), let root2 = Self.root(each.root2),
        let proof = Self.hashes(each.proof)
      {
        do throws(MerkleError) {
          try MerkleTree.verifyConsistency(
            from: each.size1, root1, to: each.size2, root2, proof: proof)
          holds = true
        } catch {}
      }
      #expect(holds == !each.wantErr, "\(each.name)")
    }
    #expect(cases.count == 65)
    #expect(cases.count { !$0.wantErr } == 5)
  }
}

struct MerkleTreeTests {
  // The eight leaves and root that RFC 6962 implementations share as a test.
  @Test func `the tree of Certificate Transparency's test`() {
    let leaves =
      ["", "00", "10", "2021", "3031", "40414243", "5051525354555657"]
      .map { MerkleTree.leafHash(hex($0)) }
      + [MerkleTree.leafHash(hex("606162636465666768696a6b6c6d6e6f"))]
    let tree = InMemoryTree(leaves)
    #expect(tree.root.hex == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328")
    #expect(
      InMemoryTree().root.hex == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
  }

  @Test func `roots and proofs are those of the definition, at every size to 40`() throws {
    let leaves = leafHashes(40)
    let tree = InMemoryTree(leaves)
    var range = CompactRange()
    #expect(range.root == MerkleTree.emptyRoot)
    for size in 1...40 {
      range.append(leaves[size - 1])
      let root = Definition.root(leaves[..<size])
      #expect(try tree.root(size: UInt64(size)) == root)
      #expect(range.root == root)
      #expect(range.hashes.count == size.nonzeroBitCount)
      for index in 0..<size {
        let proof = try tree.inclusionProof(index: UInt64(index), size: UInt64(size))
        #expect(proof == Definition.path(index, leaves[..<size]))
        try MerkleTree.verifyInclusion(
          of: leaves[index], index: UInt64(index), size: UInt64(size), root: root, proof: proof)
      }
      for smaller in 1...size {
        let proof = try tree.consistencyProof(from: UInt64(smaller), to: UInt64(size))
        #expect(proof == Definition.subproof(smaller, leaves[..<size], true))
        try MerkleTree.verifyConsistency(
          from: UInt64(smaller), Definition.root(leaves[..<smaller]), to: UInt64(size), root,
          proof: proof)
      }
    }
  }

  @Test func `a prefix proof tells the smaller root`() throws {
    let leaves = leafHashes(20)
    let tree = InMemoryTree(leaves)
    for larger in 2...20 {
      for smaller in 1..<larger {
        let proof = try tree.prefixProof(of: UInt64(smaller), in: UInt64(larger))
        let found = try MerkleTree.prefixRoot(
          of: UInt64(smaller), in: UInt64(larger), Definition.root(leaves[..<larger]), proof: proof)
        #expect(found == Definition.root(leaves[..<smaller]))
      }
    }
  }

  @Test func `a proof altered in any hash, cut, lengthened or moved does not hold`() throws {
    let leaves = leafHashes(13)
    let tree = InMemoryTree(leaves)
    let root = tree.root
    for index in UInt64(0)..<13 {
      let proof = try tree.inclusionProof(index: index, size: 13)
      func expect(
        _ error: MerkleError, _ proof: [Bytes32], index: UInt64, size: UInt64 = 13,
        leaf: Bytes32
      ) {
        #expect(throws: error) {
          try MerkleTree.verifyInclusion(
            of: leaf, index: index, size: size, root: root, proof: proof)
        }
      }
      let leaf = leaves[Int(index)]
      for place in proof.indices {
        var altered = proof
        altered[place] = leaf
        expect(.rootMismatch, altered, index: index, leaf: leaf)
      }
      expect(.wrongProofLength, proof + [root], index: index, leaf: leaf)
      expect(.wrongProofLength, proof.dropLast(), index: index, leaf: leaf)
      expect(.rootMismatch, proof, index: index, leaf: root)
      expect(.indexOutOfRange, proof, index: 13, leaf: leaf)
      expect(.indexOutOfRange, [], index: 0, size: 0, leaf: leaf)
    }
  }

  @Test func `sizes at the end of the number range neither trap nor hold`() {
    let hash = MerkleTree.emptyRoot
    for count in [0, 1, 63, 64, 65, 1000] {
      let proof = [Bytes32](repeating: hash, count: count)
      for index in [0, 1, UInt64.max - 1] {
        #expect(throws: MerkleError.self) {
          try MerkleTree.verifyInclusion(
            of: hash, index: index, size: .max, root: hash, proof: proof)
        }
      }
      for smaller in [1, 1 << 63, UInt64.max - 1] {
        #expect(throws: MerkleError.self) {
          try MerkleTree.verifyConsistency(from: smaller, hash, to: .max, hash, proof: proof)
        }
      }
    }
  }

  @Test func `sizes that do not ascend, or an empty beginning, are no consistency`() {
    let root = MerkleTree.emptyRoot
    for (smaller, larger) in [(UInt64(0), UInt64(0)), (0, 5), (5, 4)] {
      #expect(throws: MerkleError.sizesOutOfOrder) {
        try MerkleTree.verifyConsistency(from: smaller, root, to: larger, root, proof: [])
      }
    }
    #expect(throws: MerkleError.sizesOutOfOrder) {
      try MerkleTree.prefixRoot(of: 5, in: 5, root, proof: [root])
    }
  }

  @Test func `a proof is not made of a tree that is not there`() {
    let tree = InMemoryTree(leafHashes(5))
    #expect(throws: MerkleError.indexOutOfRange) { try tree.inclusionProof(index: 3, size: 3) }
    #expect(throws: MerkleError.sizesOutOfOrder) { try tree.inclusionProof(index: 0, size: 6) }
    #expect(throws: MerkleError.sizesOutOfOrder) { try tree.consistencyProof(from: 0, to: 5) }
    #expect(throws: MerkleError.sizesOutOfOrder) { try tree.consistencyProof(from: 4, to: 3) }
    #expect(throws: MerkleError.sizesOutOfOrder) { try tree.prefixProof(of: 3, in: 3) }
    #expect(throws: MerkleError.sizesOutOfOrder) { try tree.root(size: 6) }
    #expect(tree[Subtree(level: 2, index: 0)] == Definition.root(leafHashes(4)[...]))
    #expect(tree[Subtree(level: 2, index: 1)] == nil)
    #expect(tree[Subtree(level: 9, index: 0)] == nil)
  }
}

struct CompactRangeTests {
  @Test func `comes back from storage and goes on`() throws {
    let leaves = leafHashes(50)
    for size in 0...49 {
      var range = CompactRange()
      for leaf in leaves[..<size] { range.append(leaf) }
      var restored = try CompactRange(size: range.size, hashes: range.hashes)
      #expect(restored == range)
      restored.append(leaves[size])
      #expect(restored.root == Definition.root(leaves[...size]))
    }
  }

  @Test(arguments: [(UInt64(0), 1), (1, 0), (5, 1), (5, 3), (.max, 63)])
  func `another number of hashes than the size has bits is refused`(size: UInt64, count: Int) {
    #expect(throws: MerkleError.wrongHashCount) {
      try CompactRange(size: size, hashes: leafHashes(count))
    }
  }
}
