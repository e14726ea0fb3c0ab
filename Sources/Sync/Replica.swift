public import Cryptography
public import VerifiableLog

/// Something that was sent before it was erased.
public enum ErasedItem: Hashable, Sendable {
  case entry(LogID, sequence: UInt64)
  case blob(BlobRoot)
}

/// A member's copy of one case, as an exchange sees it: the store behind it. The vault is one, over its
/// database; another keeps everything in memory.
///
/// Each `accept` and `append` is called with what has been verified as far as that is possible without a
/// key. It is atomic, and durable when it returns; called again with the same, it changes nothing. It
/// answers whether something changed, so that an exchange knows when it is done.
public protocol Replica {
  /// Why the store fails. It ends the exchange; what was accepted before stays.
  associatedtype Failure: Error

  /// The case.
  var caseID: Bytes32 { get }
  /// The log that this device writes.
  var ownLog: LogID { get }

  // MARK: Logs

  /// The logs of all admitted members, the own one and empty ones included, by log id. Asked again after
  /// each change, since entries and statements admit members.
  func logs() throws(Failure) -> [HeldLog]
  /// The leaves of a run of sequences that are held, in order.
  func leaves(of log: LogID, in run: Range<UInt64>) throws(Failure) -> [LeafData]
  /// Entries to send: at least one, from the first of `run`; no more than about `byteBudget` bytes after
  /// that. The replica decides which go without their ciphertext.
  func entries(
    of log: LogID, in run: Range<UInt64>, byteBudget: Int
  ) throws(Failure) -> [WireEntry]
  /// How far the log of another may be passed on to where it is not yet: a file never changes once it is
  /// written, so what is still to come here is left for later.
  func passableSize(of log: LogID) throws(Failure) -> UInt64
  /// Takes a range.
  mutating func accept(_ range: VerifiedRange) throws(Failure) -> Bool
  /// Where something may be lacking here of the ciphertext and slots of entries that are held, in order: whatever has
  /// one of these is worth reading once more.
  func lacking(of log: LogID) throws(Failure) -> [Range<UInt64>]

  /// Devices that may come again for what they lack: of members in good standing.
  func awaitedDevices() throws(Failure) -> Set<LogID>

  // MARK: Heads, receipts, forks

  /// Heads to send, each with the receipts known for it; at most `SyncLimits.heads`. Copies that hold the same give
  /// the same in the same order, here and wherever something goes into a `head`: by that they see that they do.
  func heads() throws(Failure) -> [SignedHead]
  /// Takes a head of a held tree with receipts of members.
  mutating func accept(_ head: VerifiedHead) throws(Failure) -> Bool
  /// Called once everything has been read: gives receipts for logs that grew, to be sent with `heads`.
  mutating func giveReceipts() throws(Failure)
  /// Fork proofs to send.
  func forks() throws(Failure) -> [ForkProof]
  /// Takes a fork proof.
  mutating func accept(_ fork: ForkProof) throws(Failure) -> Bool

  /// What was erased here and may still stand in files that this device wrote to this mailbox: they are
  /// written anew without it.
  func erasedItems() throws(Failure) -> [ErasedItem]

  // MARK: Statements, successions and wraps, opaque here

  /// Root statements to send, each one CBOR item.
  func statements() throws(Failure) -> [[UInt8]]
  /// Takes root statements; whether they count is for the replica to judge.
  mutating func accept(statements: [[UInt8]]) throws(Failure) -> StatementOutcome
  /// Certificates of new keys to send, each one CBOR item.
  func successions() throws(Failure) -> [[UInt8]]
  /// Takes certificates of new keys; whether they count is for the replica to judge, which bounds them so
  /// that copies that were offered the same keep the same.
  mutating func accept(successions: [[UInt8]]) throws(Failure) -> Bool
  /// Wrapped epoch keys to send, each one CBOR item. Of too many those come first of which a recipient has few.
  func wraps(atMost count: Int) throws(Failure) -> [[UInt8]]
  /// Takes wraps; one that does not count does no harm.
  mutating func accept(wraps: [[UInt8]]) throws(Failure) -> Bool
  /// Takes wraps of somebody who is no member as far as is known here: only what gives this device a key that it lacks.
  mutating func accept(wrapsOfStranger wraps: [[UInt8]]) throws(Failure) -> Bool

  // MARK: Shares: slots and ciphertext that came after their leaves

  /// The share entries whose slots and ciphertext are held completely, with the log of each.
  func shares() throws(Failure) -> [HeldShare]
  /// The share entries of which slots or ciphertext are lacking.
  func wantedShares() throws(Failure) -> [EntryID]
  /// What belongs to a share, from an index on, about `byteBudget` bytes of it.
  func content(
    of share: EntryID, from index: Int, byteBudget: Int
  ) throws(Failure) -> ShareContent
  /// Takes slots of entries that are held. They are opaque: the replica bounds how many it keeps of one
  /// entry, and never replaces one that counts.
  mutating func accept(slots: [Slot]) throws(Failure) -> Bool
  /// Takes ciphertexts, each of which is the one that its leaf names.
  mutating func accept(bodies: [Body]) throws(Failure) -> Bool

  // MARK: Blobs

  /// The blobs that are held whole and may be sent.
  func blobs() throws(Failure) -> [HeldBlob]
  /// The blobs that entries name and that are lacking.
  func wantedBlobs() throws(Failure) -> [WantedBlob]
  /// The sealed bytes of a run of spans of a blob that is held whole, joined; nil where they cannot be read any more,
  /// since a disk lost them: what else there is to send does not wait for them.
  func spans(_ run: Range<UInt64>, of blob: BlobRoot) throws(Failure) -> [UInt8]?
  /// How many spans, from the first, seem to be here already of a blob that is lacking. A power cut may have
  /// left gaps in them; `finish` tells.
  func heldSpans(of blob: WantedBlob) throws(Failure) -> UInt64
  /// Adds the next spans of a blob that is lacking. Need not be durable before `finish`.
  ///
  /// - Returns: false where the store has no room for all of the blob, or not for what else it has to keep: the blob
  ///   stays in the mailbox.
  mutating func append(_ spans: VerifiedSpans) throws(Failure) -> Bool
  /// Completes a blob of which all spans have been added: checks the root over what was kept and makes it
  /// durable. False if it is not the blob after all: then nothing of it is kept, and it begins anew.
  mutating func finish(_ blob: WantedBlob) throws(Failure) -> Bool
}

/// What became of root statements that were offered.
public struct StatementOutcome: Hashable, Sendable {
  /// Whether the replica holds more than before.
  public let changed: Bool
  /// Whether there was one among them that the case's root did not sign. Nothing of that one was taken.
  public let hasForged: Bool

  /// The outcome.
  public init(changed: Bool, hasForged: Bool) {
    self.changed = changed
    self.hasForged = hasForged
  }
}

/// A share whose content is held.
public struct HeldShare: Hashable, Sendable {
  /// The share entry.
  public let id: EntryID
  /// The log that it stands in.
  public let logID: LogID

  /// The share of this entry.
  public init(id: EntryID, logID: LogID) {
    self.id = id
    self.logID = logID
  }
}

/// A part of what belongs to a share.
public struct ShareContent: Hashable, Sendable {
  /// Slots.
  public let slots: [Slot]
  /// Ciphertexts.
  public let bodies: [Body]
  /// Where the next part begins; nil after the last.
  public let nextIndex: Int?

  /// The part with this content.
  public init(slots: [Slot], bodies: [Body], nextIndex: Int?) {
    self.slots = slots
    self.bodies = bodies
    self.nextIndex = nextIndex
  }
}

/// A blob that is held whole.
public struct HeldBlob: Hashable, Sendable {
  /// The blob's name.
  public let root: BlobRoot
  /// Bytes of the sealed blob.
  public let byteCount: UInt64
  /// Whether an entry of this device names it; others' are only carried where nobody else has them.
  public let isOwn: Bool

  /// The blob with these properties.
  public init(root: BlobRoot, byteCount: UInt64, isOwn: Bool) {
    self.root = root
    self.byteCount = byteCount
    self.isOwn = isOwn
  }
}

/// A blob that an entry names and that is lacking.
public struct WantedBlob: Hashable, Sendable {
  /// The blob's name.
  public let root: BlobRoot
  /// Bytes of the sealed blob, as follows from the entry.
  public let byteCount: UInt64

  /// The blob of this name and length.
  public init(root: BlobRoot, byteCount: UInt64) {
    self.root = root
    self.byteCount = byteCount
  }
}
