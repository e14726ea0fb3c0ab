public import Cryptography
internal import VerifiableLog

/// The name of a part: ASCII `a`–`z` and `-`, at most 32 bytes.
public struct PartLabel: Hashable, Sendable {
  public let bytes: [UInt8]

  public init?(_ bytes: [UInt8]) {
    guard !bytes.isEmpty, bytes.count <= Limits.partLabel,
      bytes.allSatisfy({ ($0 >= 0x61 && $0 <= 0x7a) || $0 == 0x2d })
    else { return nil }
    self.bytes = bytes
  }

  private init(known: StaticString) {
    self.bytes = unsafe Array(
      UnsafeBufferPointer(start: known.utf8Start, count: known.utf8CodeUnitCount))
  }

  public static let header = PartLabel(known: "header")
  public static let context = PartLabel(known: "context")
  public static let control = PartLabel(known: "control")
  public static let url = PartLabel(known: "url")
  public static let seen = PartLabel(known: "seen")
  public static let words = PartLabel(known: "words")
  public static let title = PartLabel(known: "title")
  public static let place = PartLabel(known: "place")
  public static let account = PartLabel(known: "account")
  public static let tags = PartLabel(known: "tags")
  public static let file = PartLabel(known: "file")
  public static let name = PartLabel(known: "name")
  public static let blob = PartLabel(known: "blob")
  public static let about = PartLabel(known: "about")
  public static let takedown = PartLabel(known: "takedown")
  public static let request = PartLabel(known: "request")
  public static let minor = PartLabel(known: "minor")

  public var text: String { String(decoding: bytes, as: UTF8.self) }
}

/// One part of an entry: a label and the bytes of one CBOR item.
public struct Part: Hashable, Sendable {
  public let label: PartLabel
  public let bytes: [UInt8]

  public init(_ label: PartLabel, _ bytes: [UInt8]) {
    self.label = label
    self.bytes = bytes
  }

  /// The leaf hash of this part in the tree over its entry's parts.
  public func hash(index: Int, salt: Bytes32) -> Bytes32 {
    var hash = SHA256Hash()
    hash.update([0x00])
    hash.update(domain: .entryPart)
    hash.update(UInt16(truncatingIfNeeded: index).bigEndianBytes)
    hash.update([UInt8(truncatingIfNeeded: label.bytes.count)])
    hash.update(label.bytes)
    hash.update(salt.bytes)
    hash.update(bytes)
    return hash.finalize()
  }
}

/// A part as a bundle carries it: opened with its salt, or only its hash.
public enum PartDisclosure: Hashable, Sendable {
  case disclosed(Part, salt: Bytes32)
  case withheld(Bytes32)

  public var part: Part? {
    if case .disclosed(let part, _) = self { return part }
    return nil
  }

  func hash(index: Int) -> Bytes32 {
    switch self {
    case .disclosed(let part, let salt): return part.hash(index: index, salt: salt)
    case .withheld(let hash): return hash
    }
  }

  /// The commitment over an entry's parts: the RFC 6962 root over their hashes.
  public static func commit(_ parts: [PartDisclosure]) -> Bytes32 {
    var tree = CompactRange()
    for (index, part) in parts.enumerated() { tree.append(part.hash(index: index)) }
    return tree.root
  }
}
