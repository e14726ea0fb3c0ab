import Cryptography
import Support
import Testing

private struct NoFields: Decodable {}

private struct AEADCase: Decodable {
  let tcId: Int
  let key: String
  let iv: String
  let aad: String
  let msg: String
  let ct: String
  let tag: String
  let result: String
}

struct AEADTests {
  @Test(.enabled(if: SharedVectors.arePresent, .init(rawValue: SharedVectors.absence)))
  func `Wycheproof: XChaCha20-Poly1305, 246 valid and 69 invalid`() throws {
    let cases = try SharedVectors.wycheproof(
      "xchacha20_poly1305_test.json", NoFields.self, AEADCase.self)
    for each in cases.map(\.test) {
      let key = try hex(each.key).withBytes { try SecretKey(copying: $0) }
      // A nonce of another length cannot even be made.
      guard let nonce = Nonce24(hex(each.iv)) else {
        #expect(each.result == "invalid", "tcId \(each.tcId)")
        continue
      }
      let sealed = hex(each.ct + each.tag)
      let opened = sealed.withBytes { sealed in
        hex(each.aad).withBytes { data in
          try? AEAD.open(sealed, key: key, nonce: nonce, associatedData: data)
        }
      }
      #expect(opened == (each.result == "valid" ? hex(each.msg) : nil), "tcId \(each.tcId)")
      guard each.result == "valid" else { continue }
      let resealed = hex(each.msg).withBytes { message in
        hex(each.aad).withBytes { data in
          AEAD.seal(message, key: key, nonce: nonce, associatedData: data)
        }
      }
      #expect(resealed == sealed, "tcId \(each.tcId)")
    }
    #expect(cases.count { $0.test.result == "valid" } == 246)
    #expect(cases.count == 315)
  }

  @Test(.enabled(if: SharedVectors.arePresent, .init(rawValue: SharedVectors.absence)))
  func `Wycheproof: ChaCha20-Poly1305, 256 valid and 69 invalid`() throws {
    let cases = try SharedVectors.wycheproof(
      "chacha20_poly1305_test.json", NoFields.self, AEADCase.self)
    for each in cases.map(\.test) {
      let key = try hex(each.key).withBytes { try SecretKey(copying: $0) }
      let sealed = hex(each.ct + each.tag)
      let opened = sealed.withBytes { sealed in
        hex(each.iv).withBytes { nonce in
          hex(each.aad).withBytes { data in
            try? ChaChaPoly.open(sealed, key: key, nonce: nonce, associatedData: data)
          }
        }
      }
      #expect(opened == (each.result == "valid" ? hex(each.msg) : nil), "tcId \(each.tcId)")
      guard each.result == "valid" else { continue }
      let resealed = hex(each.msg).withBytes { message in
        hex(each.iv).withBytes { nonce in
          hex(each.aad).withBytes { data in
            ChaChaPoly.seal(message, key: key, nonce: nonce, associatedData: data)
          }
        }
      }
      #expect(resealed == sealed, "tcId \(each.tcId)")
    }
    #expect(cases.count { $0.test.result == "valid" } == 256)
    #expect(cases.count == 325)
  }

  @Test func `a key passes under another key and back`() throws {
    let outer = SecretKey()
    let inner = SecretKey()
    let nonce = Nonce24.random()
    let sealed = AEAD.seal(inner, key: outer, nonce: nonce)
    #expect(sealed.count == 48)
    let opened = try sealed.withBytes { try AEAD.openKey($0, key: outer, nonce: nonce) }
    let isSame = opened.isEqual(to: inner)
    #expect(isSame)
    #expect(throws: CryptographyError.authenticationFailed) {
      _ = try sealed.withBytes { try AEAD.openKey($0, key: inner, nonce: nonce) }.copy()
    }
    #expect(throws: CryptographyError.invalidLength) {
      _ = try [UInt8](sealed.dropLast()).withBytes {
        try AEAD.openKey($0, key: outer, nonce: nonce)
      }.copy()
    }
  }

  @Test func `a failed opening leaves nothing of the plaintext`() {
    let key = SecretKey()
    var sealed = [UInt8](repeating: 7, count: 100).withBytes {
      AEAD.seal($0, key: key, nonce: .zero)
    }
    sealed[0] ^= 1
    var output = [UInt8](repeating: 0xEE, count: 100)
    #expect(throws: CryptographyError.authenticationFailed) {
      var elements = output.mutableSpan
      var span = unsafe elements.mutableBytes
      try sealed.withBytes { (sealed) throws(CryptographyError) in
        try AEAD.open(sealed, into: &span, key: key, nonce: .zero)
      }
    }
    #expect(output == [UInt8](repeating: 0, count: 100))
  }

  @Test func `fewer bytes than a tag do not open`() {
    for count in 0..<16 {
      #expect(throws: CryptographyError.authenticationFailed) {
        try [UInt8](repeating: 0, count: count).withBytes {
          try AEAD.open($0, key: SecretKey(), nonce: .zero)
        }
      }
    }
  }
}

struct SpanCipherTests {
  private let full = [UInt8](repeating: 5, count: SpanCipher.plaintextByteCount)

  @Test func `each span is sealed under its written nonce`() throws {
    let key = SecretKey()
    let cipher = SpanCipher(key: key.copy())
    let index: UInt64 = 0x0102_0304_0506_0708
    let zeros = [UInt8](repeating: 0, count: 15)
    for (isLast, flag) in [(false, UInt8(0)), (true, 1)] {
      let nonce = try #require(Nonce24(zeros + [1, 2, 3, 4, 5, 6, 7, 8] + [flag]))
      let expected = full.withBytes { AEAD.seal($0, key: key, nonce: nonce) }
      #expect(full.withBytes { cipher.seal($0, index: index, isLast: isLast) } == expected)
      var output = [UInt8](repeating: 0, count: SpanCipher.sealedByteCount)
      var elements = output.mutableSpan
      var span = unsafe elements.mutableBytes
      full.withBytes { cipher.seal($0, index: index, isLast: isLast, into: &span) }
      #expect(output == expected)
    }
  }

  @Test func `a span opens in its place and in no other`() throws {
    let cipher = SpanCipher(key: SecretKey())
    let sealed = full.withBytes { cipher.seal($0, index: 3, isLast: false) }
    let opened = try sealed.withBytes { try cipher.open($0, index: 3, isLast: false) }
    #expect(opened == full)
    for (index, isLast) in [(UInt64(2), false), (4, false), (3, true)] {
      #expect(throws: CryptographyError.authenticationFailed) {
        try sealed.withBytes { try cipher.open($0, index: index, isLast: isLast) }
      }
    }
  }

  @Test func `a length that its place does not allow is refused`() throws {
    let key = SecretKey()
    let cipher = SpanCipher(key: key.copy())
    // Honestly sealed under the right nonces, so that only the length is wrong.
    let nonce = try #require(Nonce24([UInt8](repeating: 0, count: 22) + [1, 1]))
    let emptyLast = AEAD.seal(RawSpan(), key: key, nonce: nonce)
    let short = [UInt8](repeating: 0, count: 9).withBytes {
      AEAD.seal($0, key: key, nonce: .zero)
    }
    let long = (full + [0]).withBytes { AEAD.seal($0, key: key, nonce: nonce) }
    for (sealed, index, isLast) in [
      (emptyLast, UInt64(1), true), (short, 0, false), (long, 1, true), ([], 0, true),
    ] {
      #expect(throws: CryptographyError.invalidLength) {
        try sealed.withBytes { try cipher.open($0, index: index, isLast: isLast) }
      }
    }
    let empty = cipher.seal(RawSpan(), index: 0, isLast: true)
    #expect(try empty.withBytes { try cipher.open($0, index: 0, isLast: true) }.isEmpty)
  }

  @Test func `sealing a short span before the last is a bug and traps`() async {
    await #expect(processExitsWith: .failure) {
      _ = SpanCipher(key: SecretKey()).seal(RawSpan(), index: 0, isLast: false)
    }
  }

  @Test(arguments: [
    (UInt64(0), UInt64(1)), (1, 1), (65_536, 1), (65_537, 2), (131_072, 2), (.max, 1 << 48),
  ])
  func `a blob has as many spans as it needs`(byteCount: UInt64, spanCount: UInt64) {
    #expect(SpanCipher.spanCount(plaintextByteCount: byteCount) == spanCount)
  }
}
