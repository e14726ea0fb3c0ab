public import CaseLog
internal import Cryptography
internal import VerifiableLog

/// The three files of one log in `proof/logs`, as bytes. A log of size 0 has none.
package struct ProofLog: Hashable, Sendable {
  /// `<i>.note`: the checkpoint, with receipts on it.
  package var checkpoint: [UInt8] = []
  /// `<i>.leaves`: the data of every leaf, one after the other.
  package var leaves: [UInt8] = []
  /// `<i>.cbor`: the disclosed entries.
  package var entries: [UInt8] = []

  package init() {}

  package static func encode(_ entries: [DisclosedEntry]) -> [UInt8] {
    var out = CBOREncoder()
    out.encodeArray(entries) { out, entry in
      out.encodeArray(count: 2)
      out.encodeUInt(entry.sequence)
      out.encodeArray(entry.parts) { out, part in
        switch part {
        case .disclosed(let part, let salt):
          out.encodeArray(count: 3)
          out.encodeText(part.label.text)
          out.encodeBytes32(salt)
          out.encodeBytes(part.bytes)
        case .withheld(let hash): out.encodeBytes32(hash)
        }
      }
    }
    return out.bytes
  }

  package static func decodeEntries(_ bytes: [UInt8], _ path: BundlePath) throws(BundleFinding)
    -> [DisclosedEntry]
  {
    try decodeProof(bytes, path, limit: BundleLimits.entriesByteCount) {
      (decoder) throws(CBORError) -> [DisclosedEntry]? in
      var entries: [DisclosedEntry] = []
      for _ in 0..<(try decoder.readArray(max: Int(BundleLimits.leavesOfLog))) {
        try decoder.readArray(count: 2)
        let sequence = try decoder.readUInt()
        if let last = entries.last, last.sequence >= sequence { return nil }
        var parts: [PartDisclosure] = []
        for _ in 0..<(try decoder.readArray(max: Limits.partsOfEntry)) {
          guard let part = try decodePart(&decoder) else { return nil }
          parts.append(part)
        }
        entries.append(DisclosedEntry(sequence: sequence, parts: parts))
      }
      return entries
    }
  }

  private static func decodePart(_ decoder: inout CBORDecoder) throws(CBORError) -> PartDisclosure?
  {
    if try decoder.peek() == .bytes { return .withheld(try decoder.readBytes32()) }
    try decoder.readArray(count: 3)
    let label = try decoder.readText(max: Limits.partLabel)
    let salt = try decoder.readBytes32()
    let bytes = try decoder.readBytes(max: Limits.entryPlaintext)
    return PartLabel(Array(label.utf8)).map { .disclosed(Part($0, bytes), salt: salt) }
  }
}

/// An entry as a bundle carries it: each part opened with its salt, or only as its hash.
public struct DisclosedEntry: Hashable, Sendable {
  /// Its place in its log.
  public let sequence: UInt64
  /// All parts by index.
  public let parts: [PartDisclosure]

  /// The entry at this place with these parts.
  public init(sequence: UInt64, parts: [PartDisclosure]) {
    self.sequence = sequence
    self.parts = parts
  }

  /// More than it takes in the file of its log.
  package var byteBound: UInt64 {
    parts.reduce(16) { sum, part in
      switch part {
      case .disclosed(let part, let salt):
        sum + UInt64(part.label.text.utf8.count + salt.bytes.count + part.bytes.count + 16)
      case .withheld: sum + 48
      }
    }
  }

  /// The same with the keys of its attachments' sealed bytes withheld, which open nothing that a bundle
  /// has and are of use only to whoever holds the mailbox.
  package var withoutBlobs: DisclosedEntry {
    var parts = parts
    for (index, disclosure) in parts.enumerated() {
      if case .disclosed(let part, let salt) = disclosure, part.label == .blob {
        parts[index] = .withheld(part.hash(index: index, salt: salt))
      }
    }
    return DisclosedEntry(sequence: sequence, parts: parts)
  }
}
