import Cryptography
import Support
import Testing
import VerifiableLog

struct ForkProofTests {
  /// Two histories that agree on the first `common` leaves and on none after.
  private func histories(common: Int, _ one: Int, _ other: Int) -> (InMemoryTree, InMemoryTree) {
    let leaves = leafHashes(64)
    let elsewhere = (0..<64).map { MerkleTree.leafHash([0xFF, UInt8($0)]) }
    return (
      InMemoryTree(leaves[..<one]),
      InMemoryTree(leaves[..<common] + elsewhere[common..<other])
    )
  }

  private func expect(
    _ error: ForkProofError, _ one: VerifiedCheckpoint, _ other: VerifiedCheckpoint,
    _ path: [Bytes32], _ location: SourceLocation = #_sourceLocation
  ) {
    #expect(throws: error, sourceLocation: location) {
      _ = try ForkProof(one, other, path: path)
    }
  }

  @Test func `two roots at one size are a fork, in either order`() throws {
    let fixture = try LogFixture()
    let (one, other) = histories(common: 3, 5, 5)
    let proof = try ForkProof(fixture.checkpoint(one), fixture.checkpoint(other))
    let mirrored = try ForkProof(fixture.checkpoint(other), fixture.checkpoint(one))
    #expect(proof.log == fixture.log)
    #expect(proof.bytes == mirrored.bytes)
    #expect(try ForkProof(parsing: proof.bytes, of: fixture.log).bytes == proof.bytes)
  }

  @Test func `another history below a larger size is a fork, at every pair of sizes to 17`() throws
  {
    let fixture = try LogFixture()
    for larger in 2...17 {
      for smaller in 1..<larger {
        let (long, short) = histories(common: smaller - 1, larger, smaller)
        let path = try long.prefixProof(of: short.size, in: long.size)
        let proof = try ForkProof(
          fixture.checkpoint(short), fixture.checkpoint(long), path: path)
        #expect(proof.smaller.size == UInt64(smaller))
        #expect(try ForkProof(parsing: proof.bytes, of: fixture.log).path == path)
      }
    }
  }

  @Test func `an honest log cannot be framed`() throws {
    let fixture = try LogFixture()
    let (long, _) = histories(common: 0, 13, 1)
    let late = fixture.checkpoint(long)
    for size in UInt64(1)..<13 {
      let early = fixture.checkpoint(size: size, root: try long.root(size: size))
      let honest = try long.prefixProof(of: size, in: 13)
      expect(.consistent, early, late, honest)
      // A bad path, a missing one, one for other sizes: nothing follows from them.
      var garbled = honest
      garbled[garbled.count - 1] = .zero
      expect(.invalidPath(.rootMismatch), early, late, garbled)
      expect(.invalidPath(.wrongProofLength), early, late, [])
      expect(.invalidPath(.wrongProofLength), early, late, honest + [.zero])
      if size > 1 {
        let wrong = try long.prefixProof(of: size - 1, in: 13)
        #expect(throws: ForkProofError.self) { _ = try ForkProof(early, late, path: wrong) }
      }
    }
    expect(.consistent, late, late, [])
    expect(.invalidPath(.wrongProofLength), late, late, [.zero])
    let empty = fixture.checkpoint(size: 0, root: MerkleTree.emptyRoot)
    expect(.invalidPath(.sizesOutOfOrder), empty, late, [.zero])
  }

  @Test func `an honest log cannot be framed with hashes of one's choice`() throws {
    // Where the smaller size is a power of two, the first hash is the smaller root itself: were it
    // taken from the accuser instead of from the path that leads to the larger root, anything would
    // pass.
    let fixture = try LogFixture()
    let (long, _) = histories(common: 0, 9, 1)
    let early = fixture.checkpoint(size: 8, root: try long.root(size: 8))
    var path = try long.prefixProof(of: 8, in: 9)
    path[0] = .random()
    expect(.invalidPath(.rootMismatch), early, fixture.checkpoint(long), path)
  }

  @Test func `checkpoints of two logs prove nothing`() throws {
    let (one, other) = histories(common: 3, 5, 5)
    expect(
      .differentLogs, try LogFixture().checkpoint(one), try LogFixture(offset: 1).checkpoint(other),
      [])
  }

  @Test func `any byte altered makes it no proof`() throws {
    let fixture = try LogFixture()
    let (long, short) = histories(common: 2, 6, 3)
    let proof = try ForkProof(
      fixture.checkpoint(short), fixture.checkpoint(long),
      path: try long.prefixProof(of: 3, in: 6))
    for index in proof.bytes.indices {
      var altered = proof.bytes
      altered[index] ^= 1
      #expect(throws: ForkProofError.self, "byte \(index)") {
        _ = try ForkProof(parsing: altered, of: fixture.log)
      }
    }
    #expect(throws: ForkProofError.malformed) {
      _ = try ForkProof(parsing: proof.bytes + [0], of: fixture.log)
    }
  }

  @Test func `has one encoding: in order, and with no signatures of others`() throws {
    let fixture = try LogFixture()
    let (one, other) = histories(common: 3, 5, 5)
    let proof = try ForkProof(fixture.checkpoint(one), fixture.checkpoint(other))
    func encode(_ first: [UInt8], _ second: [UInt8]) -> [UInt8] {
      var encoder = CBOREncoder()
      encoder.encodeArray(count: 3)
      encoder.encodeBytes(first)
      encoder.encodeBytes(second)
      encoder.encodeArray(count: 0)
      return encoder.bytes
    }
    let (smaller, larger) = (proof.smaller.bytes, proof.larger.bytes)
    #expect(encode(smaller, larger) == proof.bytes)
    let witnessed = larger + [UInt8]("— witness AAAAAAA=\n".utf8)
    for bytes in [encode(larger, smaller), encode(smaller, witnessed)] {
      #expect(throws: ForkProofError.malformed) {
        _ = try ForkProof(parsing: bytes, of: fixture.log)
      }
    }
  }
}
