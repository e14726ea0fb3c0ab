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
    let numbers = ExhibitNumbers(verdict.record)
    if !serious.isEmpty, !isOfAnotherCase(verdict) {
      lines += ["", "What was found:"] + serious.map { "  - " + sentence($0, numbers) }
    }
    let told = grouped(remarks, numbers)
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
      "This passphrase does not open the bundle. Nothing is lost: check for typing errors and ask whoever gave"
        + " it to you."
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
        "The fingerprint of the case in this bundle is not the fingerprint that you gave. Check it for a typing"
          + " error first.",
        "If it is right, this is not the bundle that you expect: ask whoever gave it to you. Nothing more of it"
          + " was checked.",
      ]
    }
    switch verdict.outcome {
    case .intact:
      let since = verdict.intactSince.map(ReportNames.time) ?? "the export"
      return [
        "All evidence shown in this bundle existed by \(since) and has not changed since, by the",
        "word of the receipt key that you gave. The case is the one with your fingerprint.",
      ] + uncovered(verdict)
    case .consistent:
      return [
        "All signatures and hashes in this bundle hold, and every file is the one that was put in.",
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

  /// Notes that no key given vouches for, which *intact* does not ask for: an advocate cannot witness herself.
  private static func uncovered(_ verdict: BundleVerdict) -> [String] {
    let exhibits = verdict.record?.exhibits ?? []
    let numbers = zip(exhibits, verdict.coverage).filter { $0.1 == nil }.map { $0.0.number }
    guard !numbers.isEmpty else { return [] }
    return [
      "That is not said of notes that were written later, or by whoever gave the receipts: \(runs(numbers))."
    ]
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
    let included = files.count { $0.path != nil }
    let asHash = files.count { $0.path == nil && $0.attachment.isWithoutContent }
    let absent = files.count - included - asHash
    lines.append(
      "Files     \(included) included, \(asHash) as hash only"
        + (absent == 0 ? "" : ", \(absent) named and not included"))
    return lines
  }

  /// Remarks of one kind about several entries are one remark.
  private static func grouped(_ findings: [BundleFinding], _ numbers: ExhibitNumbers) -> [String] {
    var result: [String] = []
    for code in BundleFinding.Code.allCases {
      let same = findings.filter { $0.code == code }
      guard let first = same.first else { continue }
      var line = sentence(first.code)
      let exhibits = same.compactMap { numbers[$0] }
      var places = exhibits.isEmpty ? [] : [runs(exhibits)]
      places += same.filter { numbers[$0] == nil }.compactMap { place($0, numbers) }
      if !places.isEmpty { line += " (" + places.joined(separator: ", ") + ")" }
      result.append(line)
    }
    return result
  }

  /// A finding with its place.
  private static func sentence(_ finding: BundleFinding, _ numbers: ExhibitNumbers) -> String {
    let place = place(finding, numbers).map { " (" + $0 + ")" } ?? ""
    return sentence(finding.code) + place
  }

  private static func place(_ finding: BundleFinding, _ numbers: ExhibitNumbers) -> String? {
    if let sequence = finding.sequence, let logID = finding.logID {
      if let number = numbers[finding] { return "Exhibit \(number)" }
      return "entry \(sequence) of log \(short(logID))"
    }
    if let path = finding.path { return path.text }
    return finding.logID.map { "log " + short($0) }
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

/// Which exhibit a finding is about. There can be as many findings as exhibits, and of both a million.
private struct ExhibitNumbers {
  private var numbers: [LogID: [UInt64: Int]] = [:]

  init(_ record: BundleRecord?) {
    for exhibit in record?.exhibits ?? [] {
      let header = exhibit.entry.header
      numbers[header.logID, default: [:]][header.sequence] = exhibit.number
    }
  }

  subscript(_ finding: BundleFinding) -> Int? {
    guard let logID = finding.logID, let sequence = finding.sequence else { return nil }
    return numbers[logID]?[sequence]
  }
}
