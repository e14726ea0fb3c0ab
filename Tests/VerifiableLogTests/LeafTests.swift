import Cryptography
import Support
import Testing
import VerifiableLog

struct LeafDataTests {
  private static let leaf = LeafData(
    sequence: 0x0102_0304_0506_0708, entryClass: .content,
    commitment: Bytes32([UInt8](repeating: 0xAA, count: 32)) ?? .zero,
    ciphertextHash: Bytes32([UInt8](repeating: 0xBB, count: 32)) ?? .zero)
  private static let encoded = hex(
    "01" + "0102030405060708" + "02" + String(repeating: "aa", count: 32)
      + String(repeating: "bb", count: 32))

  @Test func `has its fixed layout`() throws {
    #expect(Self.leaf.bytes == Self.encoded)
    #expect(try LeafData(parsing: Self.encoded) == Self.leaf)
    #expect(Self.leaf.entryClass == .content)
    #expect(
      Self.leaf.hash.hex == "383dc84ca2bcc626737379140a6e92efc7e6e4504e282266ef6d3f642ebac9c7")
  }

  // From Python's hashlib.
  @Test func `names an entry by log and leaf`() throws {
    let log = try LogFixture().log.id
    #expect(
      EntryID(log: log, leaf: Self.leaf).hex
        == "bc201a1ca94f945afcf0b2920a7fe8a6f6fa76837335b5fa2eacddd52b66ae15")
  }

  @Test(arguments: [UInt8(0), 4, 255])
  func `keeps a class that this version does not know`(classByte: UInt8) throws {
    var bytes = Self.encoded
    bytes[9] = classByte
    let leaf = try LeafData(parsing: bytes)
    #expect(leaf.classByte == classByte)
    #expect(leaf.entryClass == nil)
    #expect(leaf.bytes == bytes)
  }

  @Test func `has 74 bytes and its tag, or is none`() {
    for count in [0, 73, 75] {
      #expect(throws: LeafDataError.wrongLength) {
        try LeafData(parsing: [UInt8](repeating: 1, count: count))
      }
    }
    for tag in [UInt8(0), 2] {
      #expect(throws: LeafDataError.unknownTag) {
        try LeafData(parsing: [tag] + Self.encoded.dropFirst())
      }
    }
  }
}

struct BlobTreeTests {
  // From Python's hashlib: a full span of 0x01, a last one of 0x02.
  private let full = [UInt8](repeating: 1, count: BlobTree.spanByteCount)
  private let last = [UInt8](repeating: 2, count: 17)

  @Test func `names a blob by its sealed spans`() {
    var one = BlobTree()
    last.withBytes { one.append($0) }
    #expect(one.root.hex == "d4d339bb8d4f9a8d1d43cb87304a13b951011e6cd95c20755a40b6310b6184cb")
    var two = BlobTree()
    full.withBytes { two.append($0) }
    last.withBytes { two.append($0) }
    #expect(two.root.hex == "81d640bf52cebb1532133414ae37175174a510719f7278f4aa309663f28eee5e")
    #expect(two.spanCount == 2)
  }

  @Test func `a span is checked by itself, in its place only`() throws {
    let leaves = [full, last].map { $0.withBytes { BlobTree.leafHash($0) } }
    let root = BlobRoot(MerkleTree.nodeHash(leaves[0], leaves[1]))
    try last.withBytes { (span) throws(MerkleError) in
      try BlobTree.verify(span, index: 1, count: 2, root: root, proof: [leaves[0]])
    }
    #expect(throws: MerkleError.rootMismatch) {
      try last.withBytes { (span) throws(MerkleError) in
        try BlobTree.verify(span, index: 0, count: 2, root: root, proof: [leaves[0]])
      }
    }
    #expect(throws: MerkleError.rootMismatch) {
      try full.withBytes { (span) throws(MerkleError) in
        try BlobTree.verify(span, index: 1, count: 2, root: root, proof: [leaves[0]])
      }
    }
  }

  @Test func `a span is no leaf of a log`() {
    #expect(last.withBytes { BlobTree.leafHash($0) } != MerkleTree.leafHash(last))
  }

  @Test(
    arguments: [
      (0, nil), (15, nil), (16, 1), (17, 1), (65_552, 1), (65_553, nil), (65_568, nil), (65_569, 2),
      (131_104, 2),
    ] as [(UInt64, UInt64?)])
  func `tells the number of spans from the length`(byteCount: UInt64, spanCount: UInt64?) {
    #expect(BlobTree.spanCount(sealedByteCount: byteCount) == spanCount)
  }
}
