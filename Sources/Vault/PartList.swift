internal import CaseLog
internal import Cryptography
internal import VerifiableLog

/// The parts of an opened entry in a row of the view: CBOR [[label, bytes], …] without header and context.
enum PartList {
  static func encode(_ parts: [Part]) -> [UInt8] {
    var out = CBOREncoder()
    out.encodeArray(count: parts.count)
    for part in parts {
      out.encodeArray(count: 2)
      out.encodeText(part.label.text)
      out.encodeBytes(part.bytes)
    }
    return out.bytes
  }

  static func decode(_ bytes: [UInt8]) throws -> [Part] {
    var decoder = CBORDecoder(bytes)
    var parts: [Part] = []
    for _ in 0..<(try decoder.readArray(max: Limits.partsOfEntry)) {
      try decoder.readArray(count: 2)
      let label = PartLabel(Array(try decoder.readText(max: Limits.partLabel).utf8))
      let bytes = try decoder.readBytes(max: Limits.entryPlaintext)
      guard let label else { throw VaultError(.databaseDamaged) }
      parts.append(Part(label, bytes))
    }
    try decoder.finish()
    return parts
  }
}
