import Cryptography
import Support
import Testing

struct TextCodingTests {
  // RFC 4648 section 10.
  @Test(arguments: [
    ("", "", ""), ("f", "my", "Zg=="), ("fo", "mzxq", "Zm8="), ("foo", "mzxw6", "Zm9v"),
    ("foob", "mzxw6yq", "Zm9vYg=="), ("fooba", "mzxw6ytb", "Zm9vYmE="),
    ("foobar", "mzxw6ytboi", "Zm9vYmFy"),
  ])
  func `RFC 4648's examples, there and back`(text: String, base32: String, base64: String) throws {
    let bytes = [UInt8](text.utf8)
    #expect(Base32.encode(bytes) == base32)
    #expect(try Base32.decode(base32) == bytes)
    #expect(Base64.encode(bytes) == base64)
    #expect(try Base64.decode(base64) == bytes)
    let unpadded = base64.replacing("=", with: "")
    #expect(Base64.encode(bytes, padding: .absent) == unpadded)
    #expect(try Base64.decode(unpadded, padding: .absent) == bytes)
  }

  @Test(
    arguments: [
      ("MY", .invalidCharacter), ("m1", .invalidCharacter), ("my======", .invalidCharacter),
      ("m ", .invalidCharacter), ("m", .invalidLength), ("mzx", .invalidLength),
      ("mzxw6y", .invalidLength), ("mz", .notCanonical), ("mzxr", .notCanonical),
      ("mzxw7", .notCanonical), ("mzxw6yr", .notCanonical), ("mü", .invalidLength),
    ] as [(String, TextCodingError)])
  func `refuses Base32 that has another spelling`(text: String, error: TextCodingError) {
    #expect(throws: error) { try Base32.decode(text) }
  }

  @Test(
    arguments: [
      ("Zg", .invalidLength), ("Zg=", .invalidLength), ("Z===", .invalidCharacter),
      ("====", .invalidCharacter), ("Zg==Zg==", .invalidCharacter), ("Zm=v", .invalidCharacter),
      ("Zh==", .notCanonical), ("Zm9=", .notCanonical), ("Zm9v\n", .invalidLength),
      ("Zm9v Zm9", .invalidCharacter), ("Zm-_", .invalidCharacter), ("Zm9v====", .invalidCharacter),
    ] as [(String, TextCodingError)])
  func `refuses Base64 that has another spelling`(text: String, error: TextCodingError) {
    #expect(throws: error) { try Base64.decode(text) }
  }

  @Test(
    arguments: [
      ("Zg==", .invalidCharacter), ("Z", .invalidLength), ("Zh", .notCanonical),
      ("Zm9vZ", .invalidLength),
    ] as [(String, TextCodingError)])
  func `refuses padding, and other spellings, where there is no padding`(
    text: String, error: TextCodingError
  ) {
    #expect(throws: error) { try Base64.decode(text, padding: .absent) }
  }

  @Test func `hexadecimal is lowercase and even`() throws {
    #expect(Hex.encode([0x00, 0x9A, 0xFF]) == "009aff")
    #expect(try Hex.decode("009aff") == [0x00, 0x9A, 0xFF])
    #expect(throws: TextCodingError.invalidCharacter) { try Hex.decode("9A") }
    #expect(throws: TextCodingError.invalidCharacter) { try Hex.decode("0x") }
    #expect(throws: TextCodingError.invalidLength) { try Hex.decode("123") }
  }

  @Test func `every byte string survives all three`() throws {
    for count in 0..<70 {
      let bytes = Randomness.bytes(count)
      #expect(try Base32.decode(Base32.encode(bytes)) == bytes)
      #expect(try Base64.decode(Base64.encode(bytes)) == bytes)
      #expect(try Base64.decode(Base64.encode(bytes, padding: .absent), padding: .absent) == bytes)
      #expect(try Hex.decode(Hex.encode(bytes)) == bytes)
    }
  }
}

struct PadmeTests {
  // Computed from the paper's definition.
  @Test(
    arguments: [
      (0, 0), (1, 1), (2, 2), (3, 3), (7, 7), (8, 8), (9, 10), (15, 16), (16, 16), (17, 18),
      (33, 36),
      (100, 104), (1000, 1024), (1025, 1088), (65_537, 67_584), (1_000_000, 1_015_808),
      (4_294_967_297, 4_362_076_160), (1_099_511_627_775, 1_099_511_627_776), (1 << 62, 1 << 62),
    ] as [(UInt64, UInt64)])
  func `pads as the paper says`(length: UInt64, padded: UInt64) {
    #expect(Padme.paddedLength(length) == padded)
  }

  @Test(arguments: try ProtocolVector.all("padme"))
  func padme(_ vector: ProtocolVector) throws {
    for pair in try vector.field("lengths", [[UInt64]].self) {
      #expect(Padme.paddedLength(pair[0]) == pair[1])
    }
    #expect(vector.expected == "ok")
  }

  @Test func `never shrinks, never adds more than 12 %, and padding twice is padding once`() {
    var last: UInt64 = 0
    for length in UInt64(0)...70_000 {
      let padded = Padme.paddedLength(length)
      #expect(padded >= length && (padded - length) * 100 <= length * 12)
      #expect(padded >= last)
      #expect(Padme.paddedLength(padded) == padded)
      last = padded
    }
  }
}
