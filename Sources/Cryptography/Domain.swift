/// What a hash or a signature is for. Every hash over structured data in this project starts with
/// one of these, so that bytes made for one use mean nothing in another.
///
/// This is the register of all of them, in the form `cairn/v1/<use>`. A use that is not listed does
/// not exist: there is no public initialiser. A name is never reused and never edited.
public struct Domain: Sendable {
  /// The name in ASCII, 1 to 255 bytes.
  public let name: StaticString

  private init(_ name: StaticString) {
    precondition(name.isASCII && (1...255).contains(name.utf8CodeUnitCount), "a short ASCII name")
    self.name = name
  }

  /// The identifier of a case.
  public static let caseID = Domain("cairn/v1/case-id")
  /// The identifier of a member's log: case identifier, signing key.
  public static let logID = Domain("cairn/v1/log-id")
  /// The identifier of an entry: log identifier, leaf data.
  public static let entryID = Domain("cairn/v1/entry-id")
  /// The hash of one part of an entry.
  public static let entryPart = Domain("cairn/v1/entry-part")
  /// Associated data of an entry's ciphertext.
  public static let entry = Domain("cairn/v1/entry")
  /// The hash of an entry's ciphertext, as its leaf carries it.
  public static let ciphertext = Domain("cairn/v1/ciphertext")
  /// Associated data of a slot.
  public static let slot = Domain("cairn/v1/slot")
  /// The nonce of a slot.
  public static let slotNonce = Domain("cairn/v1/slot-nonce")
  /// The commitment to an epoch's key.
  public static let epochCommitment = Domain("cairn/v1/epoch-commitment")
  /// Reserved: nothing is made with it.
  public static let wrap = Domain("cairn/v1/wrap")
  /// What a joining device signs.
  public static let card = Domain("cairn/v1/card")
  /// The six words of a card.
  public static let cardWords = Domain("cairn/v1/card-words")
  /// The six words of a case's root.
  public static let caseWords = Domain("cairn/v1/case-words")
  /// What the root of a case signs.
  public static let rootStatement = Domain("cairn/v1/root-statement")
  /// What a device's old signing key signs to certify its new keys.
  public static let succession = Domain("cairn/v1/succession")
  /// A leaf of a blob's tree: one sealed span.
  public static let blobSpan = Domain("cairn/v1/blob-span")
  /// What a mailbox holds and is asked for.
  public static let mailbox = Domain("cairn/v1/mailbox")
  /// The summary of what a device leaves in a mailbox about itself and others.
  public static let head = Domain("cairn/v1/head")
  /// Reserved: nothing is made with it.
  public static let bundle = Domain("cairn/v1/bundle")
  /// Associated data of the locks in a vault's keys file.
  public static let keysFile = Domain("cairn/v1/keys-file")
  /// Associated data of a vault's anchor.
  public static let anchor = Domain("cairn/v1/anchor")
  /// Reserved: nothing is made with it.
  public static let receiptName = Domain("cairn/v1/receipt-name")
  /// The hash of a case's state, which equal copies share.
  public static let state = Domain("cairn/v1/state")
  /// What invites a device to a case.
  public static let invitation = Domain("cairn/v1/invitation")
  /// The hash of a batch of slots that a share entry names.
  public static let slotBatch = Domain("cairn/v1/slot-batch")
  /// The check on the words of a recovery kit, and the seed of its key pair.
  public static let kit = Domain("cairn/v1/kit")

  /// u8 length of the name ‖ name: what starts the associated data, or the signed message, of this
  /// use.
  public var prefix: [UInt8] { [UInt8(name.utf8CodeUnitCount)] + bytes }

  /// The name as bytes.
  public var bytes: [UInt8] { name.withUTF8Buffer { unsafe [UInt8]($0) } }

  /// SHA-256(u8 length of the name ‖ name ‖ for each part: u64 big-endian length ‖ part).
  ///
  /// The lengths make it injective: two different lists of parts never give the same input.
  public func hash(_ parts: [UInt8]...) -> Bytes32 {
    var hasher = DomainHasher(self)
    for part in parts { hasher.add(unsafe part.span.bytes) }
    return hasher.finalize()
  }

  /// As above, over one part that is read in place.
  public func hash(_ part: RawSpan) -> Bytes32 {
    var hasher = DomainHasher(self)
    hasher.add(part)
    return hasher.finalize()
  }
}

/// `Domain.hash` part by part, for parts that are large or of different types. Nothing is copied.
public struct DomainHasher: Sendable {
  private var hash = SHA256Hash()

  /// A hash in `domain` with no parts yet.
  public init(_ domain: Domain) {
    hash.update(domain: domain)
  }

  /// Adds one part.
  public mutating func add(_ part: RawSpan) {
    hash.update(bigEndian: UInt64(part.byteCount))
    hash.update(part)
  }

  /// Adds one part.
  public mutating func add(_ part: [UInt8]) { add(unsafe part.span.bytes) }

  /// Adds one part of 32 bytes.
  public mutating func add(_ part: Bytes32) { part.withBytes { add($0) } }

  /// Adds one part of 32 bytes.
  public mutating func add(_ part: some Identifier32) { add(part.raw) }

  /// Adds one part of eight bytes, the number in big-endian order.
  public mutating func add(_ part: UInt64) {
    hash.update(bigEndian: 8)
    hash.update(bigEndian: part)
  }

  /// The hash of the domain and all parts so far.
  public func finalize() -> Bytes32 { hash.finalize() }
}

extension SHA256Hash {
  /// Adds u8 length of the name ‖ name.
  public mutating func update(domain: Domain) {
    update(byte: UInt8(domain.name.utf8CodeUnitCount))
    domain.name.withUTF8Buffer { name in
      unsafe update(UnsafeRawBufferPointer(name).bytes)
    }
  }
}
