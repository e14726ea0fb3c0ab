import Cryptography
import Support
import Testing

/// The verdict of the whole path a signature takes: bytes to key, bytes to signature, check.
private func accepts(key: [UInt8], signature: [UInt8], message: [UInt8]) -> Bool {
  guard let key = try? VerifyingKey(key), let signature = Signature(signature) else { return false }
  return message.withBytes { key.isValid(signature, for: $0) }
}

struct Ed25519Tests {
  struct Group: Decodable {
    struct Key: Decodable { let pk: String }
    let publicKey: Key
  }

  struct Case: Decodable {
    let tcId: Int
    let msg: String
    let sig: String
    let result: String
  }

  @Test(.enabled(if: SharedVectors.arePresent, .init(rawValue: SharedVectors.absence)))
  func `Wycheproof: accepts the 88 valid signatures and refuses the 63 invalid`() throws {
    let cases = try SharedVectors.wycheproof("ed25519_test.json", Group.self, Case.self)
    for each in cases {
      let verdict = accepts(
        key: hex(each.group.publicKey.pk), signature: hex(each.test.sig),
        message: hex(each.test.msg))
      #expect(verdict == (each.test.result == "valid"), "tcId \(each.test.tcId)")
    }
    #expect(cases.count { $0.test.result == "valid" } == 88)
    #expect(cases.count == 151)
  }

  struct EdgeCase: Decodable {
    let number: Int
    let key: String
    let sig: String
    let msg: String
    let flags: [String]?
  }

  @Test(.enabled(if: SharedVectors.arePresent, .init(rawValue: SharedVectors.absence)))
  func `CCTV: accepts exactly the one edge case that has no edge`() throws {
    let cases = try SharedVectors.decode([EdgeCase].self, from: "ed25519/cctv.json")
    #expect(cases.count == 914)
    let accepted = cases.filter {
      accepts(key: hex($0.key), signature: hex($0.sig), message: [UInt8]($0.msg.utf8))
    }
    #expect(accepted.count == 1)
    #expect(accepted.allSatisfy { ($0.flags ?? []).isEmpty })
  }

  struct SpecCheckCase: Decodable {
    let message: String
    let publicKey: String
    let signature: String

    enum CodingKeys: String, CodingKey {
      case message, signature
      case publicKey = "pub_key"
    }
  }

  @Test(.enabled(if: SharedVectors.arePresent, .init(rawValue: SharedVectors.absence)))
  func `Speccheck: accepts none of the twelve`() throws {
    let cases = try SharedVectors.decode([SpecCheckCase].self, from: "ed25519/speccheck.json")
    #expect(cases.count == 12)
    for (number, each) in cases.enumerated() {
      let verdict = accepts(
        key: hex(each.publicKey), signature: hex(each.signature), message: hex(each.message))
      #expect(!verdict, "case \(number)")
    }
  }

  // RFC 8032 section 7.1, TEST 2.
  @Test func `signs as RFC 8032 says`() throws {
    let seed = try hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
      .withBytes { try SecretKey(copying: $0) }
    let key = SigningKey(seed: seed)
    #expect(
      key.publicKey.bytes
        == hex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"))
    let signature = hex("72").withBytes { key.sign($0) }
    #expect(
      signature.bytes
        == hex(
          "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            + "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"))
    #expect(hex("72").withBytes { key.publicKey.isValid(signature, for: $0) })
    #expect(!hex("73").withBytes { key.publicKey.isValid(signature, for: $0) })
  }

  @Test func `refuses a signature in which any one bit is flipped`() {
    let key = SigningKey(seed: SecretKey())
    let message: [UInt8] = [1, 2, 3]
    let signature = message.withBytes { key.sign($0) }.bytes
    #expect(accepts(key: key.publicKey.bytes, signature: signature, message: message))
    for bit in 0..<512 {
      var flipped = signature
      flipped[bit / 8] ^= 1 << UInt8(bit % 8)
      #expect(
        !accepts(key: key.publicKey.bytes, signature: flipped, message: message), "bit \(bit)")
    }
  }

  @Test(arguments: [
    // The identity, and points of order 2, 4 and 8.
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    // The same points with y not reduced, or with the sign of zero.
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0100000000000000000000000000000000000000000000000000000000000080",
    // Not on the curve.
    "0200000000000000000000000000000000000000000000000000000000000000",
    // A sum of the base point and the point of order 2: on the curve, of mixed order.
    "9599999999999999999999999999999999999999999999999999999999999999",
  ])
  func `refuses keys that are not canonical points of prime order`(key: String) {
    #expect(throws: CryptographyError.invalidPublicKey) { try VerifyingKey(hex(key)) }
  }

  @Test func `refuses keys and signatures of another length`() {
    for count in [0, 31, 33] {
      #expect(throws: CryptographyError.invalidLength) {
        try VerifyingKey([UInt8](repeating: 1, count: count))
      }
    }
    for count in [0, 63, 65] { #expect(Signature([UInt8](repeating: 0, count: count)) == nil) }
  }
}
