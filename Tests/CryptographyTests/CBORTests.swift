import Cryptography
import Support
import Testing

struct CBOREncodingTests {
  // RFC 8949 appendix A.
  @Test(
    arguments: [
      (0, "00"), (1, "01"), (10, "0a"), (23, "17"), (24, "1818"), (25, "1819"), (100, "1864"),
      (255, "18ff"), (256, "190100"), (1000, "1903e8"), (65_535, "19ffff"), (65_536, "1a00010000"),
      (1_000_000, "1a000f4240"), (4_294_967_295, "1affffffff"),
      (4_294_967_296, "1b0000000100000000"),
      (1_000_000_000_000, "1b000000e8d4a51000"), (.max, "1bffffffffffffffff"),
    ] as [(UInt64, String)])
  func `unsigned integers take the fewest bytes, there and back`(value: UInt64, encoded: String)
    throws
  {
    var encoder = CBOREncoder()
    encoder.encodeUInt(value)
    #expect(encoder.bytes == hex(encoded))
    var decoder = CBORDecoder(hex(encoded))
    #expect(try decoder.peek() == .unsigned)
    #expect(try decoder.readUInt() == value)
    try decoder.finish()
  }

  @Test(
    arguments: [
      (-1, "20"), (-10, "29"), (-24, "37"), (-25, "3818"), (-100, "3863"), (-1000, "3903e7"),
      (.min, "3b7fffffffffffffff"), (.max, "1b7fffffffffffffff"), (0, "00"),
    ] as [(Int64, String)])
  func `integers of either sign, there and back`(value: Int64, encoded: String) throws {
    var encoder = CBOREncoder()
    encoder.encodeInt(value)
    #expect(encoder.bytes == hex(encoded))
    var decoder = CBORDecoder(hex(encoded))
    #expect(try decoder.readInt() == value)
    try decoder.finish()
  }

  @Test func `everything else, there and back`() throws {
    let identifier = Bytes32.random()
    var encoder = CBOREncoder()
    encoder.encodeMap { map in
      map.field(1) { $0.encodeBytes([1, 2, 3, 4]) }
      map.field(2) { $0.encodeText("ü水𐅑") }
      map.field(24) { $0.encodeBytes32(identifier) }
      map.field(300) { $0.encodeArray([true, false]) { $0.encodeBool($1) } }
      map.field(70_000) { $0.encodeNull() }
    }
    let expected =
      "a5" + "01" + "4401020304" + "02" + "69c3bce6b0b4f0908591" + "1818" + "5820" + identifier.hex
      + "19012c" + "82f5f4" + "1a00011170" + "f6"
    #expect(encoder.bytes == hex(expected))

    var decoder = CBORDecoder(encoder.bytes)
    #expect(try decoder.readMap(max: 5) == 5)
    #expect(try decoder.readUInt() == 1)
    #expect(try decoder.readBytes(count: 4) == [1, 2, 3, 4])
    #expect(try decoder.readUInt() == 2)
    #expect(try decoder.readText(max: 9) == "ü水𐅑")
    #expect(try decoder.readUInt() == 24)
    #expect(try decoder.readBytes32() == identifier)
    #expect(try decoder.readUInt() == 300)
    try decoder.readArray(count: 2)
    #expect(try decoder.readBool())
    #expect(try !decoder.readIfNull())
    #expect(try !decoder.readBool())
    #expect(try decoder.readUInt() == 70_000)
    #expect(try decoder.readIfNull())
    try decoder.finish()

    var skipper = CBORDecoder(encoder.bytes)
    #expect(try skipper.readEncoded() == encoder.bytes)
    try skipper.finish()
  }

  @Test func `map keys that do not ascend are a bug and trap`() async {
    await #expect(processExitsWith: .failure) {
      var encoder = CBOREncoder()
      encoder.encodeMap { map in
        map.field(2) { $0.encodeNull() }
        map.field(2) { $0.encodeNull() }
      }
    }
  }
}

struct CBORDecodingTests {
  @Test(
    arguments: [
      // Not the shortest form of a number or a length.
      ("1817", .notShortest), ("190017", .notShortest), ("1900ff", .notShortest),
      ("1a0000ffff", .notShortest), ("1b00000000ffffffff", .notShortest), ("3817", .notShortest),
      ("5803010203", .notShortest), ("7801" + "61", .notShortest), ("980101", .notShortest),
      ("b8010101", .notShortest), ("f814", .notShortest), ("f818", .simpleValue),
      // Indefinite lengths, and a break on its own.
      ("5f4101ff", .indefiniteLength), ("7f6161ff", .indefiniteLength), ("9fff", .indefiniteLength),
      ("bfff", .indefiniteLength), ("ff", .indefiniteLength),
      // Half, single and double floats; undefined and other simple values; tags.
      ("f90000", .floatingPoint), ("fa47c35000", .floatingPoint),
      ("fb3ff199999999999a", .floatingPoint), ("f7", .simpleValue), ("e0", .simpleValue),
      ("f0", .simpleValue), ("f8ff", .simpleValue), ("c000", .tag), ("d8184100", .tag),
      ("db000000000000000000", .tag), ("df00", .tag),
      // Reserved additional information.
      ("1c", .reserved), ("5d", .reserved), ("7e", .reserved), ("fc", .reserved), ("dc", .reserved),
      // Ends too early, or announces more than there is.
      ("", .truncated), ("18", .truncated), ("1b00000000000000", .truncated), ("42", .truncated),
      ("4201", .truncated), ("61", .truncated), ("81", .truncated), ("8200", .truncated),
      ("a1", .truncated), ("a100", .truncated), ("5bffffffffffffffff", .truncated),
      ("7bffffffffffffffff", .truncated), ("9bffffffffffffffff", .truncated),
      ("bbffffffffffffffff", .truncated), ("bb8000000000000000" + "0000", .truncated),
      ("9a00ffffff00", .truncated),
      // More than one item.
      ("0000", .trailingBytes), ("8000", .trailingBytes), ("f600", .trailingBytes),
      // Text that is not UTF-8: a lone continuation, a surrogate, an overlong slash, past U+10FFFF.
      ("6180", .invalidText), ("63eda080", .invalidText), ("62c0af", .invalidText),
      ("64f4908080", .invalidText),
      // Keys out of order (by value, by length of encoding, by type), twice, or not keys.
      ("a20200" + "0100", .unsortedKeys), ("a2181800" + "0100", .unsortedKeys),
      ("a2414100" + "0100", .unsortedKeys), ("a2616200" + "616100", .unsortedKeys),
      ("a262616100" + "616200", .unsortedKeys), ("a20100" + "0100", .duplicateKey),
      ("a2616100" + "616100", .duplicateKey), ("a18000", .invalidKey), ("a1a000", .invalidKey),
      ("a1f500", .invalidKey), ("a1f600", .invalidKey),
      // The same inside something else.
      ("81a20200" + "0100", .unsortedKeys), ("a100a20100" + "0100", .duplicateKey),
      ("8281f90000" + "00", .floatingPoint),
      // Nine deep.
      ("818181818181818180", .tooDeep), ("a100a100a100a100a100a100a100a100a0", .tooDeep),
    ] as [(String, CBORError)])
  func `refuses what the encoder would not have written`(encoded: String, error: CBORError) {
    #expect(throws: error) {
      var decoder = CBORDecoder(hex(encoded))
      try decoder.skip()
      try decoder.finish()
    }
  }

  @Test(arguments: [
    "00", "20", "40", "60", "80", "a0", "f4", "f5", "f6", "8181818181818180",
    "a200000100", "a2000020" + "00", "a300" + "00" + "1818" + "00" + "4100" + "00",
    "a2616100" + "62616100", "8280a0", "82818000", "1bffffffffffffffff", "3bffffffffffffffff",
  ])
  func `passes over what it could have written`(encoded: String) throws {
    var decoder = CBORDecoder(hex(encoded))
    #expect(try decoder.readEncoded() == hex(encoded))
    try decoder.finish()
  }

  @Test func `an item of another kind is refused and stays to be read`() throws {
    var decoder = CBORDecoder(hex("01"))
    #expect(throws: CBORError.unexpectedType) { try decoder.readText(max: 1) }
    #expect(throws: CBORError.unexpectedType) { try decoder.readArray(max: 1) }
    #expect(throws: CBORError.unexpectedType) { try decoder.readNull() }
    #expect(throws: CBORError.unexpectedType) { try decoder.readBool() }
    #expect(throws: CBORError.unexpectedType) { try decoder.readBytes(max: 1) }
    #expect(try decoder.readUInt() == 1)
  }

  @Test func `lengths and numbers over what the call allows are refused`() {
    func expect(
      _ error: CBORError, _ encoded: String,
      _ read: (inout CBORDecoder) throws -> Void
    ) {
      var decoder = CBORDecoder(hex(encoded))
      #expect(throws: error) { try read(&decoder) }
    }
    expect(.outOfRange, "05") { _ = try $0.readUInt(max: 4) }
    expect(.outOfRange, "1b8000000000000000") { _ = try $0.readInt() }
    expect(.outOfRange, "3b8000000000000000") { _ = try $0.readInt() }
    expect(.unexpectedLength, "43010203") { _ = try $0.readBytes(max: 2) }
    expect(.unexpectedLength, "4101") { _ = try $0.readBytes(count: 2) }
    expect(.unexpectedLength, "4101") { _ = try $0.readBytes32() }
    expect(.unexpectedLength, "5821" + String(repeating: "00", count: 33)) {
      _ = try $0.readBytes32()
    }
    expect(.unexpectedLength, "626161") { _ = try $0.readText(max: 1) }
    expect(.unexpectedLength, "820000") { _ = try $0.readArray(max: 1) }
    expect(.unexpectedLength, "820000") { try $0.readArray(count: 3) }
    expect(.unexpectedLength, "a10000") { _ = try $0.readMap(max: 0) }
    expect(.unexpectedLength, "4100") { _ = try $0.readBytes(max: -1) }
  }

  @Test func `the limits given at the start hold`() {
    #expect(throws: CBORError.tooDeep) {
      var decoder = CBORDecoder(hex("8180"), limits: CBORLimits(maximumDepth: 1))
      try decoder.skip()
    }
    #expect(throws: CBORError.unexpectedLength) {
      var decoder = CBORDecoder(hex("4101"), limits: CBORLimits(maximumByteCount: 1))
      try decoder.skip()
    }
  }

  @Test func `an array that was not read to its end is noticed`() throws {
    var decoder = CBORDecoder(hex("820001"))
    try decoder.readArray(count: 2)
    _ = try decoder.readUInt()
    #expect(throws: CBORError.truncated) { try decoder.finish() }
    _ = try decoder.readUInt()
    try decoder.finish()
  }

  @Test func `keys are checked whoever reads them`() throws {
    var decoder = CBORDecoder(hex("a2020001" + "00"))
    #expect(try decoder.readMap(max: 2) == 2)
    #expect(try decoder.readUInt() == 2)
    _ = try decoder.readUInt()
    #expect(throws: CBORError.unsortedKeys) { try decoder.readUInt() }
  }

  @Test func `random bytes never trap, and what decodes re-encodes to itself`() throws {
    var generator = SystemRandomNumberGenerator()
    var decoded = 0
    for _ in 0..<20_000 {
      let count = Int.random(in: 0..<12, using: &generator)
      // Mostly small bytes, so that many inputs get some way.
      let bytes = (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
      var decoder = CBORDecoder(bytes)
      guard let item = try? decoder.readEncoded() else { continue }
      #expect(bytes.starts(with: item), "\(bytes)")
      decoded += 1
    }
    #expect(decoded > 0)
  }
}
