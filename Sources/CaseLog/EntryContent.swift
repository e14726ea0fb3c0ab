public import Cryptography
public import VerifiableLog

/// What an entry says, read from its disclosed parts. Everything here is somebody's claim.
public struct EntryContent: Hashable, Sendable {
  public var url: String?
  public var seen: ClaimedTime?
  public var words: String?
  public var title: String?
  public var place: String?
  public var account: String?
  public var tags: [String] = []
  public var attachments: [Attachment] = []
  /// Entries that this one is about.
  public var about: [EntryID] = []
  public var takedown: Takedown?
  public var request: Request?
  /// Shows or may show somebody under 18: never carries a picture.
  public var showsMinor = false
  /// Parts that a newer version wrote.
  public var unknownParts = 0

  public init() {}

  /// A record of what a platform was asked and what came of it.
  public struct Takedown: Hashable, Sendable {
    public enum Step: UInt64, Sendable {
      case reported = 1
      case answered, removed, backAgain, refused
    }
    public let step: Step
    public let recipient: String?
    public let reference: String?

    public init(step: Step, recipient: String?, reference: String?) {
      self.step = step
      self.recipient = recipient
      self.reference = reference
    }
  }
}

extension EntryContent {
  /// Where a request stands: asked for, or the answer to one that `about` names.
  public enum Request: UInt64, Hashable, Sendable {
    case asked = 1
    case done, declined
  }
}

/// A file of an entry: always its hash, perhaps its name, perhaps where its sealed bytes are.
public struct Attachment: Hashable, Sendable {
  public let number: UInt64
  /// Bytes of the original.
  public let size: UInt64
  /// SHA-256 of the original bytes.
  public let sha256: Bytes32
  public let mediaType: String
  /// Hash, size and type only; nobody has the bytes.
  public let isWithoutContent: Bool
  /// The name as it was on the device, as bytes: usually UTF-8, not always.
  public var name: [UInt8]?
  public var blob: Blob?

  /// The sealed bytes of an attachment and their key.
  public struct Blob: Hashable, Sendable {
    public let root: BlobRoot
    /// 32 bytes, within an entry that is open.
    public let key: [UInt8]

    public init(root: BlobRoot, key: [UInt8]) {
      self.root = root
      self.key = key
    }
  }

  public init(
    number: UInt64, size: UInt64, sha256: Bytes32, mediaType: String, isWithoutContent: Bool,
    name: [UInt8]? = nil, blob: Blob? = nil
  ) {
    self.number = number
    self.size = size
    self.sha256 = sha256
    self.mediaType = mediaType
    self.isWithoutContent = isWithoutContent
    self.name = name
    self.blob = blob
  }
}

// MARK: - To parts

extension EntryContent {
  /// The parts that follow header and context, in a fixed order.
  public var parts: [Part] {
    var result: [Part] = []
    func text(_ label: PartLabel, _ value: String?) {
      guard let value else { return }
      result.append(.encoding(label) { $0.encodeText(value) })
    }
    text(.url, url)
    if let seen { result.append(.encoding(.seen) { seen.encode(to: &$0) }) }
    text(.title, title)
    text(.words, words)
    text(.place, place)
    text(.account, account)
    if !tags.isEmpty {
      result.append(
        .encoding(.tags) { out in
          out.encodeArray(count: tags.count)
          for tag in tags { out.encodeText(tag) }
        })
    }
    for attachment in attachments { result += attachment.parts }
    if !about.isEmpty {
      result.append(
        .encoding(.about) { out in
          out.encodeArray(count: about.count)
          for id in about { out.encodeIdentifier(id) }
        })
    }
    if let takedown { result.append(.encoding(.takedown) { takedown.encode(to: &$0) }) }
    if let request {
      result.append(
        .encoding(.request) { out in
          out.encodeMap(count: 1)
          out.encodeUInt(0)
          out.encodeUInt(request.rawValue)
        })
    }
    if showsMinor { result.append(.encoding(.minor) { $0.encodeBool(true) }) }
    return result
  }
}

extension Part {
  static func encoding(_ label: PartLabel, _ body: (inout CBOREncoder) -> Void) -> Part {
    var out = CBOREncoder()
    body(&out)
    return Part(label, out.bytes)
  }
}

extension Attachment {
  var parts: [Part] {
    var result = [
      Part.encoding(.file) { out in
        out.encodeMap(count: 5)
        out.encodeUInt(0)
        out.encodeUInt(number)
        out.encodeUInt(1)
        out.encodeUInt(size)
        out.encodeUInt(2)
        out.encodeBytes32(sha256)
        out.encodeUInt(3)
        out.encodeText(mediaType)
        out.encodeUInt(4)
        out.encodeBool(isWithoutContent)
      }
    ]
    if let name {
      result.append(
        .encoding(.name) { out in
          out.encodeMap(count: 2)
          out.encodeUInt(0)
          out.encodeUInt(number)
          out.encodeUInt(1)
          if let text = String(validating: name, as: UTF8.self) {
            out.encodeText(text)
          } else {
            out.encodeBytes(name)
          }
        })
    }
    if let blob {
      result.append(
        .encoding(.blob) { out in
          out.encodeMap(count: 3)
          out.encodeUInt(0)
          out.encodeUInt(number)
          out.encodeUInt(1)
          out.encodeIdentifier(blob.root)
          out.encodeUInt(2)
          out.encodeBytes(blob.key)
        })
    }
    return result
  }
}

extension EntryContent.Takedown {
  fileprivate func encode(to out: inout CBOREncoder) {
    out.encodeMap(count: 1 + (recipient == nil ? 0 : 1) + (reference == nil ? 0 : 1))
    out.encodeUInt(0)
    out.encodeUInt(step.rawValue)
    if let recipient {
      out.encodeUInt(1)
      out.encodeText(recipient)
    }
    if let reference {
      out.encodeUInt(2)
      out.encodeText(reference)
    }
  }
}
