internal import CaseLog
internal import Cryptography
public import SealedBundle
internal import VerifiableLog

/// Why something that a reader typed is not what it should be.
public enum TrustTextError: Error, Hashable, Sendable {
  case notAFingerprint
  case notAReceiptKey

  public var sentence: String {
    switch self {
    case .notAFingerprint: "That is no fingerprint: it has 52 letters and digits (2 to 7)."
    case .notAReceiptKey: "That is no receipt key: it looks like cairn/…/receipt+1234abcd+…."
    }
  }
}

extension BundleTrust {
  /// What a reader knows from elsewhere, as typed.
  ///
  /// - Parameters:
  ///   - fingerprint: of the case. People copy it in groups; spaces carry nothing.
  ///   - witnesses: receipt keys.
  public init(fingerprint: String?, witnesses: [String]) throws(TrustTextError) {
    self.init()
    if let fingerprint {
      let text = fingerprint.filter { $0 != " " && $0 != "-" }.lowercased()
      do throws(TextCodingError) {
        caseID = Bytes32(try Base32.decode(text)).map(CaseID.init)
      } catch {}
      guard caseID != nil else { throw .notAFingerprint }
    }
    for text in witnesses {
      do throws(NoteError) {
        let key = try NoteKey(verifierKey: text)
        guard key.algorithm == .cosignatureV1 else { throw .malformedVerifierKey }
        self.witnesses.append(key)
      } catch {
        throw .notAReceiptKey
      }
    }
  }
}
