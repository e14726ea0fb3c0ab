public import SealedBundle

/// What a command that checks a bundle answers to scripts.
public enum BundleExitCode: Int32, Sendable {
  /// Intact, and nothing worth a remark.
  case intact = 0
  /// The passphrase is wrong.
  case wrongPassphrase = 12
  /// Something does not hold.
  case tampered = 20
  /// All holds, with remarks: for one, that nobody outside vouches for it.
  case verifiedWithRemarks = 21
  /// It could not be opened or is not understood.
  case cannotCheck = 22
  /// The command was not understood.
  case usage = 64

  /// The code of a verdict.
  public init(_ verdict: BundleVerdict) {
    switch verdict.outcome {
    case .intact: self = verdict.isWithoutRemark ? .intact : .verifiedWithRemarks
    case .consistent: self = .verifiedWithRemarks
    case .changed: self = .tampered
    case .cannotCheck: self = .cannotCheck
    }
  }

  /// The code of a bundle that did not open.
  public init(_ error: BundleOpenError) {
    self = error == .wrongPassphrase ? .wrongPassphrase : .cannotCheck
  }
}
