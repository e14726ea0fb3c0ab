import Cryptography
import Support
import Testing

private struct NoFields: Decodable {}

struct HMACTests {
  struct Group: Decodable { let tagSize: Int }

  struct Case: Decodable {
    let tcId: Int
    let key: String
    let msg: String
    let tag: String
    let result: String
  }

  @Test(.enabled(if: SharedVectors.arePresent, .init(rawValue: SharedVectors.absence)))
  func `Wycheproof: HMAC-SHA-256, 66 valid and 108 invalid`() throws {
    let cases = try SharedVectors.wycheproof("hmac_sha256_test.json", Group.self, Case.self)
    for each in cases {
      let tag = hex(each.test.msg).withBytes { message in
        hex(each.test.key).withBytes { HMACSHA256.authenticate(message, key: $0) }
      }
      // Some groups have tags cut to 16 bytes, which we never use: compared by their beginning.
      let begins = tag.bytes.starts(with: hex(each.test.tag))
      #expect(begins == (each.test.result == "valid"), "tcId \(each.test.tcId)")
      guard each.group.tagSize == 256 else { continue }
      let verdict = hex(each.test.msg).withBytes { message in
        hex(each.test.key).withBytes { key in
          hex(each.test.tag).withBytes { HMACSHA256.isValid($0, for: message, key: key) }
        }
      }
      #expect(verdict == (each.test.result == "valid"), "tcId \(each.test.tcId)")
    }
    #expect(cases.count { $0.test.result == "valid" } == 66)
    #expect(cases.count == 174)
  }

  @Test func `a tag of another length is not valid`() {
    let key = SecretKey()
    let tag = HMACSHA256.authenticate(RawSpan(), key: key)
    #expect(tag.withBytes { HMACSHA256.isValid($0, for: RawSpan(), key: key) })
    #expect(
      ![UInt8](tag.bytes.dropLast()).withBytes {
        HMACSHA256.isValid($0, for: RawSpan(), key: key)
      })
  }
}

struct HKDFTests {
  struct Case: Decodable {
    let tcId: Int
    let ikm: String
    let salt: String
    let info: String
    let size: Int
    let okm: String
    let result: String
  }

  @Test(.enabled(if: SharedVectors.arePresent, .init(rawValue: SharedVectors.absence)))
  func `Wycheproof: HKDF-SHA-256, 83 valid and 3 too long`() throws {
    let cases = try SharedVectors.wycheproof("hkdf_sha256_test.json", NoFields.self, Case.self)
    for each in cases.map(\.test) {
      let output = hex(each.ikm).withBytes { input in
        hex(each.salt).withBytes { salt in
          hex(each.info).withBytes { info in
            try? HKDFSHA256.derive(input: input, salt: salt, info: info, count: each.size)
          }
        }
      }
      #expect(output == (each.result == "valid" ? hex(each.okm) : nil), "tcId \(each.tcId)")
      guard each.size >= 32, each.result == "valid" else { continue }
      hex(each.ikm).withBytes { input in
        hex(each.salt).withBytes { salt in
          hex(each.info).withBytes { info in
            let key = HKDFSHA256.deriveKey(input: input, salt: salt, info: info)
            let begins = key.withBytes { hex(each.okm).starts(with: $0.copied()) }
            #expect(begins, "tcId \(each.tcId)")
          }
        }
      }
    }
    #expect(cases.count { $0.test.result == "valid" } == 83)
    #expect(cases.count == 86)
  }
}

struct X25519Tests {
  struct Case: Decodable {
    let tcId: Int
    let flags: [String]
    let `public`: String
    let `private`: String
    let shared: String
    let result: String
  }

  @Test(.enabled(if: SharedVectors.arePresent, .init(rawValue: SharedVectors.absence)))
  func `Wycheproof: X25519, all that is valid, and no shared secret of zeros`() throws {
    let cases = try SharedVectors.wycheproof("x25519_test.json", NoFields.self, Case.self)
    for each in cases.map(\.test) {
      let secret = try hex(each.private).withBytes { try SecretKey(copying: $0) }
      let point = try #require(Bytes32(hex(each.public)))
      let shared: [UInt8]?
      do {
        shared = try X25519.sharedSecret(of: secret, with: point).withBytes { $0.copied() }
      } catch {
        shared = nil
      }
      if each.flags.contains("ZeroSharedSecret") {
        #expect(shared == nil, "tcId \(each.tcId)")
      } else {
        #expect(shared == hex(each.shared), "tcId \(each.tcId)")
      }
    }
    #expect(cases.count { $0.test.result == "valid" } == 264)
    #expect(cases.count == 518)
  }

  // From another implementation (pyca/cryptography).
  @Test func `the public key of a secret`() throws {
    let secret = try [UInt8](0..<32).withBytes { try SecretKey(copying: $0) }
    #expect(
      X25519.publicKey(of: secret).bytes
        == hex("8f40c5adb68f25624ae5b214ea767a6ec94d829d3d7b5e1ad1ba6f3e2138285f"))
  }
}
