public import VerifiableLog

/// Something that an exchange met and the person should be able to see. None of them ends the exchange.
public struct Finding: Hashable, Sendable {
  /// The device whose part of the mailbox it was met in.
  public let device: LogID
  /// What it is.
  public let kind: Kind

  /// The finding in a device's part.
  public init(device: LogID, kind: Kind) {
    self.device = device
    self.kind = kind
  }

  /// Whether it says that this device must take new keys before it signs again.
  public func concerns(ownLog: LogID) -> Bool {
    switch kind {
    case .ownLogAhead: true
    case .fork(let log): log == ownLog
    default: false
    }
  }

  /// What can be met.
  public enum Kind: Hashable, Sendable {
    /// A file or stream is cut, garbled or not what its name says; what came before that counts.
    case damaged(MailboxItem)
    /// A file could not be read.
    case unreadable(MailboxItem)
    /// Written by a newer version: left alone.
    case newerVersion(MailboxItem)
    /// A range or head does not verify: the mailbox's or the carrier's fault, never the log owner's.
    case fault(log: LogID, RangeFault)
    /// Entries of a log are lacking in between; here it has this size.
    case gap(log: LogID, size: UInt64)
    /// The log's owner signed two histories. The proof is with the replica.
    case fork(log: LogID)
    /// Our own log is longer in the mailbox than here: this copy is an old one and must take new keys.
    case ownLogAhead(size: UInt64)
    /// What is said to be a statement of the case's root, and was not signed with it. Nothing of it was taken.
    case forgedStatement
    /// A ciphertext is not the one that its leaf names.
    case wrongBody(log: LogID)
    /// A blob's hashes do not lead to its name, or its file has another length.
    case damagedBlob(BlobRoot)
    /// A span of a blob is damaged; the spans before it were kept.
    case damagedSpan(BlobRoot, index: UInt64)
    /// A blob is the one that its name says, and not as long as an entry says: the fault of whoever wrote that, and of
    /// nobody who carries the blob.
    case blobOfOtherLength(BlobRoot, claimed: UInt64)
    /// There is no room here for a blob; it was left where it is.
    case blobWithoutRoom(BlobRoot)
    /// A blob could not be written, for lack of space for instance; the rest was.
    case blobNotWritten(BlobRoot)
    /// A blob that is held here cannot be read, or is not what its name says any more: it was not passed on.
    case blobLost(BlobRoot)
  }
}

/// What a device writes to a mailbox.
public enum MailboxItem: Hashable, Sendable {
  /// The device's newest heads, statements, wraps and forks.
  case head
  /// Entries of a log.
  case range(LogID)
  /// Slots and ciphertext of a share.
  case share(EntryID)
  /// A blob.
  case blob(BlobRoot)
  /// All that the device wrote.
  case everything
}
