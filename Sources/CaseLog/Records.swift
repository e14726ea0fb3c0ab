import Cryptography

/// Decodes exactly one CBOR item; nil from `body` means that the values make no sense together.
func decodeWhole<Value>(
  _ bytes: [UInt8], _ body: (inout CBORDecoder) throws(CBORError) -> Value?
) throws(CaseLogError) -> Value {
  var decoder = CBORDecoder(bytes)
  let value: Value?
  // One type of error in each block: Embedded Swift has no existential for two.
  do throws(CBORError) {
    value = try body(&decoder)
    try decoder.finish()
  } catch {
    throw .malformed
  }
  guard let value else { throw .malformed }
  return value
}

/// The version in a record whose key 0 it is, whatever else the record holds.
func version(of record: [UInt8]) throws(CaseLogError) -> UInt64 {
  try decodeWhole(record) { (decoder) throws(CBORError) in
    let count = try decoder.readMap(max: 64)
    guard count >= 1 else { return nil }
    try decoder.expectKey(0)
    let version = try decoder.readUInt()
    for _ in 1..<count {
      _ = try decoder.readUInt()
      try decoder.skip()
    }
    return version
  }
}

extension CBORDecoder {
  /// The next key of a record; the caller has read how many there are.
  mutating func expectKey(_ key: UInt64) throws(CBORError) {
    guard try readUInt() == key else { throw .outOfRange }
  }

  /// Elements of an array of at most `max`.
  mutating func readEach<Element>(
    max: Int, _ body: (inout CBORDecoder) throws(CBORError) -> Element
  ) throws(CBORError) -> [Element] {
    let count = try readArray(max: max)
    var elements: [Element] = []
    for _ in 0..<count { elements.append(try body(&self)) }
    return elements
  }
}
