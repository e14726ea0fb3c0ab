internal import CaseLog
internal import Cryptography
public import SealedBundle
internal import VerifiableLog

/// Verdicts for scripts: one line of JSON, its keys in a fixed order, codes and values only.
public enum VerdictJSON {
  /// The verdict as JSON.
  public static func line(_ verdict: BundleVerdict) -> String {
    var fields = [
      field("verdict", string(verdict.outcome.rawValue)),
      field("findings", array(verdict.findings.map(finding))),
    ]
    if let since = verdict.intactSince { fields.append(field("intact-since", String(since))) }
    if let record = verdict.record {
      fields += [
        field("case", string(record.caseID.fingerprint)),
        field("exporter", string(text(record.exporter.logID))),
        field("exported-at", String(record.exportedAt)),
        field("scope", string(record.scope == .wholeCase ? "whole-case" : "chosen-entries")),
        field("withheld", String(record.withheldCount)),
        field("erased", String(record.erasedCount)),
        field("exhibits", array(exhibits(verdict, record))),
      ]
    }
    return object(fields)
  }

  /// What did not open, as JSON.
  public static func line(_ error: BundleOpenError) -> String {
    let code: String
    switch error {
    case .unreadable: code = "unreadable"
    case .keyNeeded: code = "key-needed"
    case .wrongPassphrase: code = "wrong-passphrase"
    case .wrongIdentity: code = "wrong-identity"
    case .noIdentity: code = "no-identity"
    case .outOfMemory: code = "out-of-memory"
    }
    return object([
      field("verdict", string(BundleVerdict.Outcome.cannotCheck.rawValue)),
      field("findings", array([object([field("code", string(code))])])),
    ])
  }

  private static func finding(_ finding: BundleFinding) -> String {
    var fields = [field("code", string(finding.code.rawValue))]
    if let path = finding.path { fields.append(field("path", string(path.text))) }
    if let logID = finding.logID { fields.append(field("log", string(text(logID)))) }
    if let sequence = finding.sequence { fields.append(field("sequence", String(sequence))) }
    return object(fields)
  }

  private static func exhibits(_ verdict: BundleVerdict, _ record: BundleRecord) -> [String] {
    zip(record.exhibits, verdict.coverage).map { exhibit, receipt in
      var fields = [
        field("number", String(exhibit.number)),
        field("entry", string(Base32.encode(exhibit.entry.id.bytes))),
        field("kind", exhibit.entry.header.kind.name.map(string) ?? "null"),
        field("files", array(exhibit.files.compactMap { $0.path.map { string($0.text) } })),
      ]
      if let receipt {
        fields += [
          field("existed-by", String(receipt.time)),
          field("witness", string(receipt.cosigner.name.string)),
        ]
      }
      return object(fields)
    }
  }

  private static func text(_ logID: LogID) -> String { Base32.encode(logID.bytes) }

  private static func field(_ name: String, _ value: String) -> String {
    string(name) + ":" + value
  }
  private static func array(_ values: [String]) -> String {
    "[" + values.joined(separator: ",") + "]"
  }
  private static func object(_ fields: [String]) -> String {
    "{" + fields.joined(separator: ",") + "}"
  }

  /// Everything that is quoted here is ASCII by its type: codes, base32, names of the profile, key names.
  private static func string(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": result += "\\" + String(scalar)
      case _ where scalar.value < 0x20 || scalar.value == 0x7F: result += "?"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
