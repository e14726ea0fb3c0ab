public import CaseLog
public import VerifiableLog

/// What goes into a bundle, except for the bytes of the exhibits' files.
public struct BundleContents: Sendable {
  /// The case.
  public var caseID: CaseID
  /// All root statements, as received.
  public var statements: [[UInt8]]
  /// All certificates of new keys, as received.
  public var successions: [[UInt8]] = []
  /// Proofs of forks of these logs, as received.
  public var forks: [[UInt8]] = []
  /// Every admitted log, in any order.
  public var logs: [Log]
  /// The log of the device that exports.
  public var exporter: LogID
  /// Seconds since 1970, by that device's clock.
  public var exportedAt: UInt64
  /// How much of the case this is.
  public var scope: BundleScope
  /// Name and version of the program.
  public var program: String

  /// One log.
  public struct Log: Sendable {
    /// Its name and key.
    public var identity: LogIdentity
    /// The note with its newest checkpoint and all receipts on it; nil if nothing of it is known.
    public var checkpoint: [UInt8]?
    /// Every leaf up to that checkpoint.
    public var leaves: [LeafData]
    /// The control entries that could count, and the others that are disclosed.
    public var entries: [DisclosedEntry]
    /// Notes with receipts over smaller heads of this log.
    public var receipts: [[UInt8]]

    /// A log of which this is known.
    public init(
      identity: LogIdentity, checkpoint: [UInt8]?, leaves: [LeafData], entries: [DisclosedEntry],
      receipts: [[UInt8]] = []
    ) {
      self.identity = identity
      self.checkpoint = checkpoint
      self.leaves = leaves
      self.entries = entries
      self.receipts = receipts
    }
  }

  /// The contents of a bundle.
  public init(
    caseID: CaseID, statements: [[UInt8]], logs: [Log], exporter: LogID, exportedAt: UInt64,
    scope: BundleScope, program: String
  ) {
    self.caseID = caseID
    self.statements = statements
    self.logs = logs
    self.exporter = exporter
    self.exportedAt = exportedAt
    self.scope = scope
    self.program = program
  }
}

/// A file of an exhibit, as the writer asks for it.
public struct ExhibitFile: Hashable, Sendable {
  /// The entry's log.
  public let logID: LogID
  /// The entry's place in it.
  public let sequence: UInt64
  /// What the entry says of the file.
  public let attachment: Attachment
  /// Where it will lie.
  public let path: BundlePath
}

/// Why a bundle was not written.
public enum BundleWriteError: Error, Hashable, Sendable {
  /// The contents do not hold by themselves, so the bundle would not verify.
  case contents(BundleFinding)
  /// A file is not the one that its entry names.
  case exhibitDiffers(ExhibitFile)
  /// A file could not be read.
  case source(ExhibitFile, SourceError)
  /// The archive could not be written.
  case archive(ZipWriteError)
}
