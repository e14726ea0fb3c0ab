public import CaseLog
internal import Cryptography
public import VerifiableLog

/// What a bundle says, once its proof holds by itself: the case, its members, the entries that are
/// disclosed, and the receipts. Report and verdict are made from this and nothing else.
public struct BundleRecord: Sendable {
  /// The case.
  public let caseID: CaseID
  /// Members, roles and what breaks a rule.
  public let state: CaseState
  /// Who made the bundle.
  public let exporter: CaseState.Member
  /// When, by the exporter's clock.
  public let exportedAt: UInt64
  /// How much of the case the exporter says to have put in.
  public let scope: BundleScope
  /// The program that the exporter says to have used.
  public let program: String
  /// All logs, by log id.
  public let logs: [Log]
  /// The disclosed entries that say something: numbered from 1, content
  /// before notes, then by log and sequence.
  public let exhibits: [Exhibit]
  /// All receipts, by log id, size, time and key.
  public let receipts: [BundleReceipt]
  /// What deserves a remark.
  public private(set) var notes: [BundleFinding]

  /// What is known of one log.
  public struct Log: Hashable, Sendable {
    /// Its name and key.
    public let identity: LogIdentity
    /// How many entries it has.
    public let size: UInt64
    /// How many control entries, of which all that count are in the bundle.
    public let controlCount: UInt64
    /// How many content entries and notes there are in all.
    public let entryCount: UInt64
    /// How many of these are disclosed.
    public let disclosedCount: UInt64
    /// How many of these are exhibits: what is disclosed and does not count is none.
    public let shownCount: UInt64
    /// How many of the others were erased.
    public let erasedCount: UInt64
    /// Whether there is no other between the first and the last that is an exhibit.
    public let isContiguous: Bool
  }

  /// One disclosed entry.
  public struct Exhibit: Hashable, Sendable {
    /// Its number in this bundle, from 1.
    public let number: Int
    /// Its log, as an index into `logs`.
    public let logIndex: Int
    /// The entry; its parts give the commitment of its leaf.
    public let entry: OpenedEntry
    /// What it says; nil if a part cannot be read.
    public let content: EntryContent?
    /// Its files, by their number.
    public let files: [File]
    /// Between which receipts it lies, by keys of members.
    public let bracket: TimeBracket

    /// How many of its parts are withheld.
    public var withheldPartCount: Int { entry.parts.count { $0.part == nil } }

    /// Whether more is withheld than the keys of its files' sealed bytes, which never are shown.
    public var isPartial: Bool {
      withheldPartCount > files.count { !$0.attachment.isWithoutContent }
    }
  }

  /// One file of an exhibit.
  public struct File: Hashable, Sendable {
    /// What the entry says of it.
    public let attachment: Attachment
    /// Where it lies in the bundle; nil if it is not in it.
    public let path: BundlePath?
  }

  /// How many content entries and notes of all logs are no exhibits.
  public var notShownCount: UInt64 {
    logs.reduce(0) { $0 + $1.entryCount - $1.shownCount }
  }

  /// How many of these were erased, so that nobody withholds them.
  public var erasedCount: UInt64 { logs.reduce(0) { $0 + $1.erasedCount } }

  /// How many of these are withheld.
  public var withheldCount: UInt64 {
    logs.reduce(0) { $0 + $1.entryCount - $1.disclosedCount - $1.erasedCount }
  }

  /// The exhibit that is this entry.
  public func exhibit(_ id: EntryID) -> Exhibit? { exhibits.first { $0.entry.id == id } }

  /// The members' keys are vouched for by the bundle alone: `trusted` are keys that the asker has from
  /// elsewhere, so that receipts by keys outside the case are seen too.
  package init(_ proof: ProofFiles, trusted: [NoteKey] = []) throws(BundleFinding) {
    var evaluation = try BundleEvaluation(proof)
    try evaluation.collectReceipts(proof, trusted)
    let file = evaluation.file
    caseID = file.caseID
    state = evaluation.state
    exportedAt = file.exportedAt
    scope = file.scope
    program = file.program
    guard let exporter = state.member(file.exporter) else {
      throw BundleFinding(.exporterUnknown, logID: file.exporter)
    }
    self.exporter = exporter
    receipts = evaluation.receipts
    exhibits = try evaluation.exhibits()
    logs = evaluation.logSummaries(exhibits)
    notes = evaluation.notes
    notes += BundleRecord.timeNotes(exhibits, receipts: receipts, exportedAt: exportedAt)
  }
}

/// All files of `proof/` but the signature, as bytes.
package struct ProofFiles: Sendable {
  package var caseFile: [UInt8] = []
  /// By the index of the log.
  package var logs: [ProofLog] = []
  package var receipts: [[UInt8]] = []

  package init() {}
}
