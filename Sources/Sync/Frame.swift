public import Cryptography
public import VerifiableLog

/// What a mailbox knows a case by: `H[mailbox](case id)`.
public struct MailboxTag: Identifier32 {
  /// The tag's bytes.
  public let raw: Bytes32
  /// The tag with these bytes.
  public init(_ raw: Bytes32) { self.raw = raw }

  /// The tag of a case.
  public init(caseID: Bytes32) { self.init(Domain.mailbox.hash(caseID.bytes)) }
}

/// One message between copies, as `Protocol/Sync.md` lays it out. That one decodes says that it has the
/// right form and keeps the limits; nothing in it is believed before it is verified.
public enum Frame: Hashable, Sendable {
  /// Who sends, and about which case: the first frame of a stream.
  case hello(Hello)
  /// What the frames between this one, the second, and `end` come to: `H[head]` of them, each as it travels.
  case summary(Bytes32)
  /// Root statements, each an encoded CBOR item, opaque here.
  case statements([[UInt8]])
  /// Certificates of new keys, each an encoded CBOR item, opaque here.
  case successions([[UInt8]])
  /// Heads of logs with their receipts.
  case heads([SignedHead])
  /// Entries of a log.
  case range(RangeFrame)
  /// Ciphertexts that came after their leaves.
  case bodies([Body])
  /// Slots that came after their leaves.
  case slots([Slot])
  /// Wrapped epoch keys, each an encoded CBOR item, opaque here.
  case wraps([[UInt8]])
  /// Fork proofs, as `ForkProof.bytes`.
  case forks([[UInt8]])
  /// The hashes of a blob's spans.
  case blob(BlobFrame)
  /// One sealed span.
  case span(SpanFrame)
  /// The last frame of a stream.
  case end
}

extension Frame {
  /// Items of which a stream may have only so many (`FrameType.maximumItemCount`).
  var itemCount: Int {
    switch self {
    case .statements(let items), .successions(let items), .wraps(let items), .forks(let items):
      items.count
    case .heads(let heads): heads.count
    default: 0
    }
  }
}

/// Who sends.
public struct Hello: Hashable, Sendable {
  /// The format's version; a higher one is "made by a newer version".
  public static let version: UInt64 = 1
  /// The case.
  public let tag: MailboxTag
  /// The sender.
  public let logID: LogID

  /// The greeting of a device.
  public init(tag: MailboxTag, logID: LogID) {
    self.tag = tag
    self.logID = logID
  }
}

/// A checkpoint as it was received, and the key that is said to have signed it. A claim.
public struct SignedHead: Hashable, Sendable {
  /// The log's signing key.
  public let signingKey: Bytes32
  /// The note: text, the log's signature, receipts as further signature lines.
  public let note: [UInt8]

  /// The head with these parts.
  public init(signingKey: Bytes32, note: [UInt8]) {
    self.signingKey = signingKey
    self.note = note
  }
}

/// An entry as it travels: what its leaf needs, and the ciphertext or only its hash.
public struct WireEntry: Hashable, Sendable {
  /// The ciphertext, or its hash where it is not sent.
  public enum Content: Hashable, Sendable {
    /// The ciphertext itself.
    case ciphertext([UInt8])
    /// `H[ciphertext](ciphertext)`.
    case hash(Bytes32)
  }

  /// The class as it stands in the leaf.
  public let classByte: UInt8
  /// The commitment to the entry's parts.
  public let commitment: Bytes32
  /// Ciphertext or hash.
  public let content: Content
  /// The slots known for the entry, by epoch.
  public let slots: [WireSlot]

  /// The entry with these fields.
  public init(classByte: UInt8, commitment: Bytes32, content: Content, slots: [WireSlot] = []) {
    self.classByte = classByte
    self.commitment = commitment
    self.content = content
    self.slots = slots
  }

  /// The leaf that this entry is at a place of a log.
  public func leaf(sequence: UInt64) -> LeafData {
    let hash =
      switch content {
      case .ciphertext(let bytes): WireEntry.hash(ciphertext: bytes)
      case .hash(let hash): hash
      }
    return LeafData(
      sequence: sequence, classByte: classByte, commitment: commitment, ciphertextHash: hash)
  }

  /// The hash by which a leaf names a ciphertext.
  public static func hash(ciphertext: [UInt8]) -> Bytes32 {
    ciphertext.withBytes { Domain.ciphertext.hash($0) }
  }

  /// About how many bytes the entry takes in a frame.
  var byteCount: Int {
    let body =
      switch content {
      case .ciphertext(let bytes): bytes.count
      case .hash: Bytes32.byteCount
      }
    // Beside the ciphertext: commitment and heads; for each slot an epoch at worst.
    return body + 48 + slots.count * (Slot.byteCount + 40)
  }
}

/// A slot beside its entry.
public struct WireSlot: Hashable, Sendable {
  /// The entry that began the epoch under whose key the slot was sealed.
  public let epoch: EntryID
  /// 48 bytes.
  public let box: [UInt8]

  /// The slot with these fields.
  public init(epoch: EntryID, box: [UInt8]) {
    self.epoch = epoch
    self.box = box
  }
}

/// Entries of a log, in order and without a gap, with a checkpoint that covers them.
public struct RangeFrame: Hashable, Sendable {
  /// The log.
  public let logID: LogID
  /// The sequence of the first entry.
  public let first: UInt64
  /// At least one, at most 4096.
  public let entries: [WireEntry]
  /// A checkpoint of the log whose size is at least that of the range's end.
  public let note: [UInt8]
  /// From the range's end to the checkpoint; empty where they are the same.
  public let proof: [Bytes32]

  /// The sequence after the last entry.
  public var end: UInt64 { first + UInt64(entries.count) }

  /// The range with these parts. It must not be empty, and must end below 2^64.
  public init(
    logID: LogID, first: UInt64, entries: [WireEntry], note: [UInt8], proof: [Bytes32] = []
  ) {
    precondition(!entries.isEmpty && first <= .max - UInt64(entries.count), "a range has entries")
    self.logID = logID
    self.first = first
    self.entries = entries
    self.note = note
    self.proof = proof
  }
}

/// The ciphertext of an entry.
public struct Body: Hashable, Sendable {
  /// The entry's log.
  public let logID: LogID
  /// The entry's place in it.
  public let sequence: UInt64
  /// The ciphertext.
  public let ciphertext: [UInt8]

  /// The ciphertext of the entry at a place.
  public init(logID: LogID, sequence: UInt64, ciphertext: [UInt8]) {
    self.logID = logID
    self.sequence = sequence
    self.ciphertext = ciphertext
  }
}

/// What a blob consists of.
public struct BlobFrame: Hashable, Sendable {
  /// The blob's name.
  public let root: BlobRoot
  /// Bytes of the sealed blob.
  public let byteCount: UInt64
  /// The hash of each span.
  public let spanHashes: [Bytes32]

  /// The description of a blob.
  public init(root: BlobRoot, byteCount: UInt64, spanHashes: [Bytes32]) {
    self.root = root
    self.byteCount = byteCount
    self.spanHashes = spanHashes
  }
}

/// One span of a blob.
public struct SpanFrame: Hashable, Sendable {
  /// The blob.
  public let root: BlobRoot
  /// Which of its spans, from 0.
  public let index: UInt64
  /// The sealed span.
  public let sealed: [UInt8]

  /// The span at a place of a blob.
  public init(root: BlobRoot, index: UInt64, sealed: [UInt8]) {
    self.root = root
    self.index = index
    self.sealed = sealed
  }
}
