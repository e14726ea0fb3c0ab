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
    if !serious.isEmpty, !isOfAnotherCase(verdict) {
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

  /// Whether all that was found is that it is not the case that was asked for: most likely the fingerprint was
  /// mistyped, so that nobody should be told that something was changed.
  private static func isOfAnotherCase(_ verdict: BundleVerdict) -> Bool {
    verdict.outcome == .changed && verdict.findings.map(\.code) == [.caseDiffers]
  }

  static func headline(_ verdict: BundleVerdict) -> String {
    if isOfAnotherCase(verdict) { return "ANOTHER CASE" }
    return switch verdict.outcome {
    case .intact: "INTACT"
    case .consistent: "CONSISTENT, author and time not proven"
    case .changed: "CHANGED"
    case .cannotCheck: "CANNOT CHECK"
    }
  }

  private static func opening(_ verdict: BundleVerdict, _ trust: BundleTrust) -> [String] {
    if isOfAnotherCase(verdict) {
      return [
        "The fingerprint of the case in this bundle is not the fingerprint that you gave. Check it for a typing error first.",
        "If it is right, this is not the bundle that you expect: ask whoever gave it to you. Nothing more of it was checked.",
      ]
    }
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
      "Entries   \(shown) shown, \(record.notShownCount) not shown"
        + (record.erasedCount == 0 ? "" : ", \(record.erasedCount) of these erased"),
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
      let exhibits = same.compactMap { exhibit($0, verdict)?.number }
      var places = exhibits.isEmpty ? [] : [runs(exhibits)]
      places += same.filter { exhibit($0, verdict) == nil }.compactMap { place($0, verdict) }
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
      if let exhibit = exhibit(finding, verdict) { return "Exhibit \(exhibit.number)" }
      return "entry \(sequence) of log \(short(logID))"
    }
    if let path = finding.path { return path.text }
    return finding.logID.map { "log " + short($0) }
  }

  private static func exhibit(
    _ finding: BundleFinding, _ verdict: BundleVerdict
  ) -> BundleRecord.Exhibit? {
    guard let sequence = finding.sequence, let logID = finding.logID else { return nil }
    return verdict.record?.exhibits.first {
      $0.entry.header.logID == logID && $0.entry.header.sequence == sequence
    }
  }

  /// `Exhibit 4`, `Exhibits 1–308`, `Exhibits 1–3, 5, 7–9`: hundreds of numbers one by one say nothing.
  static func runs(_ numbers: [Int]) -> String {
    var runs: [ClosedRange<Int>] = []
    for number in Set(numbers).sorted() {
      if let last = runs.last, last.upperBound + 1 == number {
        runs[runs.count - 1] = last.lowerBound...number
      } else {
        runs.append(number...number)
      }
    }
    let texts = runs.flatMap { run in
      switch run.count {
      case 1: ["\(run.lowerBound)"]
      case 2: ["\(run.lowerBound)", "\(run.upperBound)"]
      default: ["\(run.lowerBound)–\(run.upperBound)"]
      }
    }
    let isOne = runs.count == 1 && runs[0].count == 1
    return (isOne ? "Exhibit " : "Exhibits ") + texts.joined(separator: ", ")
  }

  private static func short(_ logID: LogID) -> String {
    String(logID.origin.string.dropFirst(6).prefix(8))
  }
}
