internal import CaseLog
public import SealedBundle
internal import VerifiableLog

/// Verdicts in sentences, for people who have never heard of a signature. `cairn verify` and
/// `cairn-verify` say the same.
public enum VerdictText {
  /// The verdict as lines of text.
  public static func lines(_ verdict: BundleVerdict, trust: BundleTrust) -> [String] {
    var lines = [headline(verdict), ""]
    lines += opening(verdict, trust)
    if let record = verdict.record { lines += [""] + summary(record) }
    let (serious, remarks) = (
      verdict.findings.filter { $0.code.weight != .note },
      verdict.findings.filter { $0.code.weight == .note }
    )
    if !serious.isEmpty {
      lines += ["", "What was found:"] + serious.map { "  - " + sentence($0, verdict) }
    }
    let told = grouped(remarks, verdict)
    if !told.isEmpty { lines += ["", "Worth knowing:"] + told.map { "  - " + $0 } }
    return lines
  }

  /// Why a bundle could not be opened.
  public static func sentence(_ error: BundleOpenError) -> String {
    switch error {
    case .unreadable: "The file is not there, or cannot be read."
    case .keyNeeded:
      "The bundle is encrypted. Give its passphrase (--seal-passphrase-file) or your key (--identity)."
    case .wrongPassphrase:
      "This passphrase does not open the bundle. Nothing is lost: check for typing errors and ask whoever gave it to you."
    case .wrongIdentity: "The bundle is not encrypted for this key."
    case .noIdentity:
      "There is no age key in the identity file. It has a line that begins with AGE-SECRET-KEY-1."
    case .outOfMemory: "There is not enough free memory to turn the passphrase into a key."
    }
  }

  static func headline(_ verdict: BundleVerdict) -> String {
    switch verdict.outcome {
    case .intact: "INTACT"
    case .consistent: "CONSISTENT, author and time not proven"
    case .changed: "CHANGED"
    case .cannotCheck: "CANNOT CHECK"
    }
  }

  private static func opening(_ verdict: BundleVerdict, _ trust: BundleTrust) -> [String] {
    switch verdict.outcome {
    case .intact:
      let since = verdict.intactSince.map(ReportNames.time) ?? "the export"
      return [
        "All evidence shown in this bundle existed by \(since) and has not changed since, by the",
        "word of the receipt key that you gave. The case is the one with your fingerprint.",
      ]
    case .consistent:
      return [
        "Nothing in this bundle contradicts itself, and every file is the one that was put in.",
        trust.caseID == nil
          ? "But whose case it is, and when it was written, rests on the bundle’s own word so far."
          : "The case is the one with your fingerprint. When it was written rests on its own word so far.",
      ]
    case .changed:
      return [
        "Something in this bundle is not as it was made. Do not rely on it as it is; keep it, and ask for a new copy."
      ]
    case .cannotCheck:
      return ["This says nothing about whether the bundle is genuine."]
    }
  }

  private static func summary(_ record: BundleRecord) -> [String] {
    let names = ReportNames(record.state)
    let shown = record.exhibits.count
    var lines = [
      "Case      \(record.caseID.fingerprint)",
      "Exported  \(ReportNames.time(record.exportedAt)) by \(names.name(record.exporter.logID)), by its own clock",
      "Entries   \(shown) shown, \(record.withheldCount) not shown",
    ]
    let files = record.exhibits.flatMap(\.files)
    lines.append(
      "Files     \(files.count { $0.path != nil }) included, \(files.count { $0.path == nil }) as hash only"
    )
    return lines
  }

  /// Remarks of one kind about several entries are one remark.
  private static func grouped(_ findings: [BundleFinding], _ verdict: BundleVerdict) -> [String] {
    var result: [String] = []
    for code in BundleFinding.Code.allCases {
      let same = findings.filter { $0.code == code }
      guard let first = same.first else { continue }
      var line = sentence(first.code)
      let places = same.compactMap { place($0, verdict) }
      if !places.isEmpty { line += " (" + places.joined(separator: ", ") + ")" }
      result.append(line)
    }
    return result
  }

  /// A finding with its place.
  static func sentence(_ finding: BundleFinding, _ verdict: BundleVerdict) -> String {
    let place = place(finding, verdict).map { " (" + $0 + ")" } ?? ""
    return sentence(finding.code) + place
  }

  private static func place(_ finding: BundleFinding, _ verdict: BundleVerdict) -> String? {
    if let sequence = finding.sequence, let logID = finding.logID {
      let exhibit = verdict.record?.exhibits.first {
        $0.entry.header.logID == logID && $0.entry.header.sequence == sequence
      }
      if let exhibit { return "Exhibit \(exhibit.number)" }
      return "entry \(sequence) of log \(short(logID))"
    }
    if let path = finding.path { return path.text }
    return finding.logID.map { "log " + short($0) }
  }

  private static func short(_ logID: LogID) -> String {
    String(logID.origin.string.dropFirst(6).prefix(8))
  }
}
