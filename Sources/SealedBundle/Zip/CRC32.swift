internal import Cryptography

/// The CRC-32 of ZIP (ISO 3309, reflected polynomial 0xEDB88320). It is there because other tools check
/// it; nothing of ours relies on it.
public struct CRC32: Sendable {
  private var state: UInt32 = 0xFFFF_FFFF

  /// The checksum of nothing yet.
  public init() {}

  /// The checksum of `bytes`.
  public static func checksum(_ bytes: [UInt8]) -> UInt32 {
    var crc = CRC32()
    unsafe crc.update(bytes.span.bytes)
    return crc.value
  }

  /// The checksum of all bytes so far.
  public var value: UInt32 { ~state }

  /// Takes further bytes: eight at a time over eight tables, since exhibits can be gigabytes.
  public mutating func update(_ bytes: RawSpan) {
    let tables = CRC32.tables
    var crc = state
    var offset = 0
    while offset + 8 <= bytes.byteCount {
      let word = bytes.bigEndianUInt64(at: offset).byteSwapped ^ UInt64(crc)
      crc = 0
      for index in 0..<8 {
        let byte = Int(truncatingIfNeeded: (word >> (8 * UInt64(index))) & 0xFF)
        crc ^= tables[(7 - index) << 8 | byte]
      }
      offset += 8
    }
    while offset < bytes.byteCount {
      crc = crc >> 8 ^ tables[Int((crc ^ UInt32(bytes.byte(at: offset))) & 0xFF)]
      offset += 1
    }
    state = crc
  }

  /// Eight tables of 256: the first is the usual one, each further one advances by a zero byte more.
  private static let tables: [UInt32] = {
    var tables = [UInt32](repeating: 0, count: 8 * 256)
    for index in 0..<256 {
      var value = UInt32(index)
      for _ in 0..<8 { value = value >> 1 ^ (value & 1 == 1 ? 0xEDB8_8320 : 0) }
      tables[index] = value
    }
    for index in 256..<(8 * 256) {
      let previous = tables[index - 256]
      tables[index] = previous >> 8 ^ tables[Int(previous & 0xFF)]
    }
    return tables
  }()
}
