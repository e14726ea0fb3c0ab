import Cryptography
import Support
import Testing

struct SHA256Tests {
  // FIPS 180-4 examples.
  @Test(arguments: [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
  ])
  func `known answers`(message: String, digest: String) {
    #expect(SHA256Hash.hash([UInt8](message.utf8)).bytes == hex(digest))
  }

  @Test func `pieces give the hash of the whole, and a hash can go on`() {
    let message = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    for cut in [0, 1, 55, 56, 63, 64, 65, 999, 1000] {
      var hash = SHA256Hash()
      hash.update([UInt8](message[..<cut]))
      #expect(hash.finalize() == SHA256Hash.hash([UInt8](message[..<cut])))
      hash.update([UInt8](message[cut...]))
      #expect(hash.finalize() == SHA256Hash.hash(message))
    }
  }
}

struct DomainTests {
  // From Python's hashlib, by the formula in the documentation.
  @Test func `hashes as written`() {
    #expect(
      Domain.caseID.hash().bytes
        == hex("1c3ca08f03acf60a4667fed7ae18353183c18a06f326a849378abf79faab660d"))
    #expect(
      Domain.entryPart.hash([0x61], [], [0x62, 0x63]).bytes
        == hex("74c61c31e6382b76070851579602ef0e48e785a6fa39bf67d26ae57381bdaed5"))
  }

  @Test func `part by part is the same as all at once`() throws {
    let value = Bytes32.random()
    var hasher = DomainHasher(.slot)
    hasher.add([UInt8](1...3))
    hasher.add(value)
    hasher.add(0x0102_0304_0506_0708)
    #expect(
      hasher.finalize()
        == Domain.slot.hash([1, 2, 3], value.bytes, [1, 2, 3, 4, 5, 6, 7, 8]))
    #expect([1, 2].withBytes { Domain.slot.hash($0) } == Domain.slot.hash([1, 2]))
  }

  @Test func `moving a byte from one part to the next changes the hash`() {
    #expect(Domain.slot.hash([1, 2], [3]) != Domain.slot.hash([1], [2, 3]))
    #expect(Domain.slot.hash([1], []) != Domain.slot.hash([1]))
    #expect(Domain.slot.hash([1]) != Domain.slotNonce.hash([1]))
  }

  @Test func `the register has no name twice and no name of another form`() {
    let all: [Domain] = [
      .caseID, .logID, .entryID, .entryPart, .entry, .ciphertext, .slot, .slotNonce,
      .epochCommitment, .wrap, .card, .cardWords, .caseWords, .rootStatement, .blobSpan, .mailbox,
      .bundle, .keysFile, .anchor, .receiptName, .state, .invitation, .slotBatch, .kit,
    ]
    let names = Set(all.map { String(decoding: $0.bytes, as: UTF8.self) })
    #expect(names.count == all.count)
    let isInForm = names.allSatisfy { name in
      let use = name.dropFirst("cairn/v1/".count)
      return name.hasPrefix("cairn/v1/") && !use.isEmpty
        && use.allSatisfy { ("a"..."z").contains($0) || $0 == "-" }
    }
    #expect(isInForm)
  }
}

struct Bytes32Tests {
  @Test func `orders as its bytes do`() throws {
    let values = try (0..<200).map { index -> [UInt8] in
      var bytes = [UInt8](repeating: 0, count: 32)
      bytes[index % 32] = UInt8(index)
      bytes[31 - index % 7] ^= 0x80
      return try #require(Bytes32(bytes)).bytes
    }
    for left in values {
      for right in values {
        let one = try #require(Bytes32(left))
        let other = try #require(Bytes32(right))
        #expect((one < other) == left.lexicographicallyPrecedes(right))
        #expect((one == other) == (left == right))
      }
    }
  }

  @Test func `has 32 bytes or does not exist`() {
    for count in [0, 31, 33] { #expect(Bytes32([UInt8](repeating: 0, count: count)) == nil) }
    #expect(Bytes32([UInt8](0..<32))?.hex.hasPrefix("000102030405") == true)
    #expect(Bytes32.zero.bytes == [UInt8](repeating: 0, count: 32))
    #expect(Bytes32.random() != Bytes32.random())
  }
}

struct RandomnessTests {
  @Test func `uniform numbers stay below their bound and reach all of it`() {
    var seen = Set<UInt32>()
    for _ in 0..<2_000 { seen.insert(Randomness.uniform(below: 6)) }
    #expect(seen == Set(0..<6))
    #expect(Randomness.bytes(0).isEmpty)
    #expect(Randomness.bytes(33).count == 33)
    #expect(Nonce24.random() != Nonce24.random())
  }
}
