import Cryptography
import Support
import Testing
import VerifiableLog

/// Fork proofs that show where two histories part.
struct PartingTests {
  private func checkpoint(_ tree: InMemoryTree) throws -> VerifiedCheckpoint {
    try LogFixture().checkpoint(tree)
  }

  private func log() throws -> LogIdentity { try LogFixture().log }

  private func leaves(_ count: Int, common: Int = 0) -> [Bytes32] {
    (0..<count).map { MerkleTree.leafHash([$0 < common ? 0 : 1, UInt8($0)]) }
  }

  private func side(
    _ leaves: [Bytes32], at size: Int
  ) throws -> (head: VerifiedCheckpoint, branch: Parting.Branch) {
    let tree = InMemoryTree(leaves)
    let next = UInt64(size) + 1
    let path = next < tree.size ? try tree.prefixProof(of: next, in: tree.size) : []
    return (try checkpoint(tree), Parting.Branch(leafHash: leaves[size], path: path))
  }

  private func common(_ leaves: some Sequence<Bytes32>) -> CompactRange {
    var tree = CompactRange()
    for hash in leaves { tree.append(hash) }
    return tree
  }

  @Test func `every parting of every pair of sizes to 9 is shown exactly`() throws {
    for common in 0..<9 {
      for first in (common + 1)...9 {
        for second in (common + 1)...9 {
          let (one, other) = (leaves(first, common: 9), leaves(second, common: common))
          let proof = try ForkProof(
            side(one, at: common), side(other, at: common),
            common: self.common(one[..<common]))
          #expect(proof.forkedAt == UInt64(common))
          let mirrored = try ForkProof(
            side(other, at: common), side(one, at: common),
            common: self.common(one[..<common]))
          #expect(mirrored.bytes == proof.bytes)
          let read = try ForkProof(parsing: proof.bytes, of: log())
          #expect(read.bytes == proof.bytes && read.parting == proof.parting)
          #expect(ForkProof.isWellFormed(proof.bytes))
          #expect(try ForkProof.origin(in: proof.bytes) == log().noteKey.name)
        }
      }
    }
  }

  @Test func `two histories part nowhere else than where they do`() throws {
    let (one, other) = (leaves(9, common: 9), leaves(7, common: 4))
    for claimed in 0..<7 where claimed != 4 {
      for base in [one, other] {
        #expect(throws: ForkProofError.self, "\(claimed)") {
          _ = try ForkProof(
            side(one, at: claimed), side(other, at: claimed), common: common(base[..<claimed]))
        }
      }
    }
  }

  @Test func `an honest log cannot be framed`() throws {
    let honest = leaves(9)
    for earlier in 1...9 {
      for claimed in 0..<earlier {
        let early = try side(Array(honest[..<earlier]), at: claimed)
        let late = try side(honest, at: claimed)
        let begun = common(honest[..<claimed])
        #expect(throws: ForkProofError.consistent) {
          _ = try ForkProof(early, late, common: begun)
        }
        let madeUp = Parting.Branch(leafHash: .random(), path: late.branch.path)
        #expect(throws: ForkProofError.invalidPath(.rootMismatch)) {
          _ = try ForkProof(early, (late.head, madeUp), common: begun)
        }
      }
    }
  }

  @Test func `what ends where the histories part is of neither`() throws {
    let (one, other) = (leaves(4, common: 4), leaves(7, common: 4))
    let branch = Parting.Branch(leafHash: .random(), path: [])
    let head = try checkpoint(InMemoryTree(one))
    let theirs = try side(other, at: 4)
    for path in [[], [Bytes32.zero]] {
      #expect(throws: ForkProofError.invalidPath(.sizesOutOfOrder)) {
        _ = try ForkProof(
          (head, Parting.Branch(leafHash: branch.leafHash, path: path)), theirs,
          common: common(one))
      }
    }
  }

  @Test func `any byte altered makes it no proof`() throws {
    let (one, other) = (leaves(6, common: 6), leaves(5, common: 3))
    let proof = try ForkProof(side(one, at: 3), side(other, at: 3), common: common(one[..<3]))
    for index in proof.bytes.indices {
      var altered = proof.bytes
      altered[index] ^= 1
      #expect(throws: ForkProofError.self, "byte \(index)") {
        _ = try ForkProof(parsing: altered, of: log())
      }
    }
    #expect(throws: ForkProofError.malformed) {
      _ = try ForkProof(parsing: proof.bytes + [0], of: log())
    }
  }

  @Test func `the least counts, and of equals the one that shows it`() throws {
    let (one, other) = (leaves(6, common: 6), leaves(6, common: 3))
    let exact = try ForkProof(side(one, at: 3), side(other, at: 3), common: common(one[..<3]))
    let sizes = try ForkProof(exact.smaller, exact.larger)
    let third = leaves(3, common: 2)
    let path = try InMemoryTree(one).prefixProof(of: 3, in: 6)
    let least = try ForkProof(
      checkpoint(InMemoryTree(third)), checkpoint(InMemoryTree(one)), path: path)
    #expect(sizes.forkedAt == 6 && exact.forkedAt == 3 && least.forkedAt == 3)
    #expect(exact.isBetter(than: sizes) && exact.isBetter(than: least))
    for proof in [exact, sizes, least] {
      #expect(!proof.isBetter(than: exact) && !proof.isBetter(than: proof))
    }
  }

  @Test func `the largest tree's proof fits its limit`() throws {
    // A parting before the last leaf but one of all that a size can name.
    let size = UInt64.max - 1
    let note = try LogFixture().checkpoint(size: .max, root: .random()).minimalBytes
    let lists = size.nonzeroBitCount + 2 * ForkProof.maximumPathLength
    #expect(note.count <= 300)
    #expect(2 * (note.count + 3) + (lists + 2) * 34 + 64 <= 8192)
  }

  @Test func `a path is made from some leaves and what leads on from there`() throws {
    let hashes = leaves(21)
    for larger in 2...21 {
      let tree = InMemoryTree(hashes[..<larger])
      for end in 1...larger {
        let rest = try tree.consistencyProof(from: UInt64(end), to: UInt64(larger))
        for smaller in 1...end where smaller < larger {
          let path = MerkleTree.prefixProof(
            of: UInt64(smaller), in: UInt64(larger), leavesTo: UInt64(end), rest: rest
          ) { subtree in
            let last = (subtree.index + 1) << UInt64(subtree.level)
            #expect(last <= UInt64(end), "only leaves that are there")
            return tree[subtree] ?? .zero
          }
          #expect(path == (try tree.prefixProof(of: UInt64(smaller), in: UInt64(larger))))
        }
      }
    }
  }
}
