internal import Cryptography

/// Bech32 (BIP 173) without its limit of 90 characters, for the two kinds of keys that age writes so.
///
/// Exactly one spelling of a key is accepted. A secret is decoded straight into the memory that it will
/// live in.
enum Bech32 {
  private static let alphabet: StaticString = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
  private static let checksumCount = 6

  /// Fills `output` with what `text` encodes under `prefix`; false if it does not encode exactly that
  /// many bytes. `prefix` tells the case of the letters too.
  static func decode(_ text: RawSpan, prefix: StaticString, into output: inout MutableRawSpan)
    -> Bool
  {
    let head = bytes(prefix) + [UInt8(ascii: "1")]
    let symbolCount = (output.byteCount * 8 + 4) / 5
    guard text.byteCount == head.count + symbolCount + checksumCount else { return false }
    for (index, byte) in head.enumerated() where text.byte(at: index) != byte { return false }
    let isUpper = head.contains { UInt8(ascii: "A")...UInt8(ascii: "Z") ~= $0 }

    var checksum = Checksum(prefix: prefix)
    var pending: UInt32 = 0
    var pendingBits = 0
    var written = 0
    for index in 0..<(symbolCount + checksumCount) {
      guard let value = value(of: text.byte(at: head.count + index), isUpper: isUpper) else {
        return false
      }
      checksum.add(value)
      guard index < symbolCount else { continue }
      pending = (pending << 5 | UInt32(value)) & 0xFFF
      pendingBits += 5
      if pendingBits >= 8 {
        pendingBits -= 8
        let byte = UInt8(truncatingIfNeeded: pending >> UInt32(pendingBits))
        output.storeBytes(of: byte, toByteOffset: written, as: UInt8.self)
        written += 1
      }
    }
    let leftOver = pending & (1 << UInt32(pendingBits) - 1)
    return checksum.isValid && leftOver == 0 && written == output.byteCount
  }

  /// The text of `data` under `prefix`, in the case of the prefix' letters. For public keys only.
  static func encode(_ data: [UInt8], prefix: StaticString) -> [UInt8] {
    var values: [UInt8] = []
    var pending: UInt32 = 0
    var pendingBits = 0
    for byte in data {
      pending = (pending << 8 | UInt32(byte)) & 0xFFF
      pendingBits += 8
      while pendingBits >= 5 {
        pendingBits -= 5
        values.append(UInt8(truncatingIfNeeded: pending >> UInt32(pendingBits)) & 31)
      }
    }
    if pendingBits > 0 {
      values.append(UInt8(truncatingIfNeeded: pending << UInt32(5 - pendingBits)) & 31)
    }
    var checksum = Checksum(prefix: prefix)
    for value in values { checksum.add(value) }
    values += checksum.symbols
    let symbols = bytes(alphabet)
    return bytes(prefix) + [UInt8(ascii: "1")] + values.map { symbols[Int($0)] }
  }

  private static func value(of character: UInt8, isUpper: Bool) -> UInt8? {
    var character = character
    if isUpper {
      switch character {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"): character |= 0x20
      case UInt8(ascii: "a")...UInt8(ascii: "z"): return nil
      default: break
      }
    }
    for (value, symbol) in bytes(alphabet).enumerated() where symbol == character {
      return UInt8(value)
    }
    return nil
  }

  private static func bytes(_ text: StaticString) -> [UInt8] {
    text.withUTF8Buffer { unsafe [UInt8]($0) }
  }

  /// The BCH code of BIP 173. It is always computed over the lowercase text.
  private struct Checksum {
    private var state: UInt32 = 1

    init(prefix: StaticString) {
      let lower = Bech32.bytes(prefix).map { byte in
        UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte ? byte | 0x20 : byte
      }
      for byte in lower { add(byte >> 5) }
      add(0)
      for byte in lower { add(byte & 31) }
    }

    mutating func add(_ value: UInt8) {
      let top = state >> 25
      state = (state & 0x01FF_FFFF) << 5 ^ UInt32(value)
      if top & 1 != 0 { state ^= 0x3B6A_57B2 }
      if top & 2 != 0 { state ^= 0x2650_8E6D }
      if top & 4 != 0 { state ^= 0x1EA1_19FA }
      if top & 8 != 0 { state ^= 0x3D42_33DD }
      if top & 16 != 0 { state ^= 0x2A14_62B3 }
    }

    var isValid: Bool { state == 1 }

    var symbols: [UInt8] {
      var rest = self
      for _ in 0..<Bech32.checksumCount { rest.add(0) }
      let final = rest.state ^ 1
      return (0..<Bech32.checksumCount).map { index in
        UInt8(truncatingIfNeeded: final >> UInt32(5 * (5 - index))) & 31
      }
    }
  }
}
