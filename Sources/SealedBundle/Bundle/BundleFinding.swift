public import VerifiableLog

/// One thing that a verification found: what, and where. Values only; sentences are made elsewhere.
public struct BundleFinding: Error, Hashable, Sendable {
  /// What was found.
  public let code: Code
  /// The file that it concerns.
  public var path: BundlePath?
  /// The log that it concerns.
  public var logID: LogID?
  /// The entry of that log.
  public var sequence: UInt64?

  package init(
    _ code: Code, path: BundlePath? = nil, logID: LogID? = nil, sequence: UInt64? = nil
  ) {
    self.code = code
    self.path = path
    self.logID = logID
    self.sequence = sequence
  }

  /// What a finding means for the verdict.
  public enum Weight: Int, Comparable, Sendable {
    /// Worth saying; nothing is wrong with the bundle.
    case note
    /// The bundle cannot be checked.
    case blocks
    /// Something does not hold.
    case breaks

    public static func < (left: Weight, right: Weight) -> Bool { left.rawValue < right.rawValue }
  }

  /// Every finding that there is. The names are stable: scripts compare them.
  public enum Code: String, CaseIterable, Sendable {
    // Blocks.
    case unreadable = "unreadable"
    case notABundle = "not-a-bundle"
    case newerVersion = "newer-version"
    case tooLarge = "too-large"

    // Breaks: containers.
    case encryptionDamaged = "encryption-damaged"
    case archiveDamaged = "archive-damaged"
    case manifestMalformed = "manifest-malformed"
    case fileMissing = "file-missing"
    case fileUnlisted = "file-unlisted"
    case fileDiffers = "file-differs"
    case fileUnexpected = "file-unexpected"

    // Breaks: proof.
    case proofMalformed = "proof-malformed"
    case statementInvalid = "statement-invalid"
    case caseDiffers = "case-differs"
    case checkpointInvalid = "checkpoint-invalid"
    case leavesDiffer = "leaves-differ"
    case entryInvalid = "entry-invalid"
    case controlMissing = "control-missing"
    case membersDiffer = "members-differ"
    case exporterUnknown = "exporter-unknown"
    case signatureInvalid = "signature-invalid"
    case receiptInvalid = "receipt-invalid"
    case exhibitDiffers = "exhibit-differs"
    case exhibitUnnamed = "exhibit-unnamed"
    case exhibitForbidden = "exhibit-forbidden"
    case reportDiffers = "report-differs"

    // Notes.
    case fingerprintNotGiven = "fingerprint-not-given"
    case noTrustedReceipt = "no-trusted-receipt"
    case receiptBySurvivor = "receipt-by-survivor"
    case timeByOtherKey = "time-by-other-key"
    case violation = "violation"
    case disputed = "disputed"
    case setAside = "set-aside"
    case erased = "erased"
    case unknownKind = "unknown-kind"
    case unknownParts = "unknown-parts"
    case embeddedReceiptInvalid = "embedded-receipt-invalid"
    case clockBeforeReceipt = "clock-before-receipt"
    case clockAfterReceipt = "clock-after-receipt"
    case claimedAfterReceipt = "claimed-after-receipt"
    case receiptAfterExport = "receipt-after-export"

    /// What the finding means for the verdict.
    public var weight: Weight {
      switch self {
      case .unreadable, .notABundle, .newerVersion, .tooLarge: .blocks
      case .fingerprintNotGiven, .noTrustedReceipt, .receiptBySurvivor, .timeByOtherKey,
        .violation, .disputed, .setAside, .erased, .unknownKind, .unknownParts,
        .embeddedReceiptInvalid,
        .clockBeforeReceipt, .clockAfterReceipt, .claimedAfterReceipt, .receiptAfterExport:
        .note
      default: .breaks
      }
    }
  }
}
