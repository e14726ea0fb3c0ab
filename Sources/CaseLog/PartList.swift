import Cryptography

/// Parts of an entry as one CBOR item, [[label, bytes], …]: all of them in what is sealed, and those behind header
/// and context in the rows of a vault's view.
package enum PartList {
  package static func encode(_ parts: [Part]) -> [UInt8] {
    var out = CBOREncoder()
    out.encodeArray(count: parts.count)
    for part in parts {
      out.encodeArray(count: 2)
      out.encodeText(part.label.text)
      out.encodeBytes(part.bytes)
    }
    return out.bytes
  }

  package static func decode(_ bytes: [UInt8]) throws(CaseLogError) -> [Part] {
    try decodeWhole(bytes) { (decoder) throws(CBORError) in
      let parts = try decoder.readEach(max: Limits.partsOfEntry) {
        (decoder) throws(CBORError) -> Part? in
        try decoder.readArray(count: 2)
        let label = PartLabel(Array(try decoder.readText(max: Limits.partLabel).utf8))
        let bytes = try decoder.readBytes(max: Limits.entryPlaintext)
        return label.map { Part($0, bytes) }
      }
      let known = parts.compactMap { $0 }
      return known.count == parts.count ? known : nil
    }
  }
}
