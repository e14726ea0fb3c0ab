public import CaseLog
internal import Cryptography
public import VerifiableLog

/// What whoever asks knows from elsewhere. Without it a bundle can vouch only for itself.
public struct BundleTrust: Sendable {
  /// The case, as its fingerprint stands in a statement.
  public var caseID: CaseID?
  /// Keys for receipts, as the advocate's organisation gives them.
  public var witnesses: [NoteKey]

  /// What is known from elsewhere; by default nothing.
  public init(caseID: CaseID? = nil, witnesses: [NoteKey] = []) {
    self.caseID = caseID
    self.witnesses = witnesses
  }
}

/// What a verification says in the end.
public struct BundleVerdict: Sendable {
  /// In one word.
  public let outcome: Outcome
  /// All findings: what broke or blocked first, then what is worth a remark.
  public let findings: [BundleFinding]
  /// What the bundle says; nil unless its proof holds.
  public let record: BundleRecord?
  /// For each exhibit, by number: the first receipt by a trusted key that covers it.
  public let coverage: [BundleReceipt?]

  /// The four outcomes.
  public enum Outcome: String, Sendable {
    /// All holds; case and time rest on what was known from elsewhere.
    case intact = "intact"
    /// All holds, but case, author and time are vouched for by the bundle alone.
    case consistent = "consistent"
    /// Something does not hold.
    case changed = "changed"
    /// It could not be opened or is not understood.
    case cannotCheck = "cannot-check"
  }

  /// Whether all holds and nothing is worth a remark.
  public var isWithoutRemark: Bool { outcome == .intact && findings.isEmpty }

  /// Since when, at the latest, everything that is disclosed existed, by trusted keys: the time of the
  /// receipt that came last to cover something. Nil unless every content entry is covered.
  public var intactSince: UInt64? {
    outcome == .intact ? coverage.compactMap { $0?.time }.max() : nil
  }

  /// The verdict of something that did not come so far as to have a record.
  package init(_ finding: BundleFinding) {
    self.init(findings: [finding], record: nil, coverage: [], isTrusted: false)
  }

  init(
    findings: [BundleFinding], record: BundleRecord?, coverage: [BundleReceipt?], isTrusted: Bool
  ) {
    let worst = findings.map { $0.code.weight }.max() ?? .note
    switch worst {
    case .breaks: outcome = .changed
    case .blocks: outcome = .cannotCheck
    case .note: outcome = record == nil ? .cannotCheck : isTrusted ? .intact : .consistent
    }
    self.findings =
      findings.filter { $0.code.weight != .note }
      + findings.filter { $0.code.weight == .note }
    self.record = record
    self.coverage = coverage
  }
}
