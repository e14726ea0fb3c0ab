import ArgumentParser
import Cryptography
import Foundation
import Vault
import VerifiableLog

struct CheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Check that everything in the vault is whole.",
    discussion: """
      It reads every byte, compares it with what was signed, and changes nothing. Ends with 0 if \
      all is well, 20 if something is damaged or was changed, and 21 if there is something else \
      to know.
      """)

  @OptionGroup var global: GlobalOptions

  func run() async throws {
    let outcome = try await global.withVault(terminal: global.terminal) { vault in
      let progress = Progress("Checking", total: nil, isQuiet: global.json)
      defer { progress.finish() }
      return try await vault.check { (bytes) throws(VaultError) in try progress.advance(bytes) }
    }
    let report = CheckReport(outcome: outcome)
    if global.json { try report.printJSON() } else { report.printText() }
    if report.status != .done { throw AlreadyTold(status: report.status) }
  }
}

/// What a check found, for people and for scripts.
struct CheckReport {
  let outcome: CheckOutcome

  var status: ExitStatus {
    let serious = outcome.findings.contains { finding in
      if case .fork = finding { return true }
      return finding.isDamage
    }
    if serious { return .tampered }
    let isDust = outcome.findings.allSatisfy { finding in
      if case .strayFiles = finding { return true }
      return false
    }
    return isDust && troubles.isEmpty ? .done : .warnings
  }

  private var troubles: [Trouble] {
    let now = UInt64(Date().timeIntervalSince1970)
    return outcome.troubled.flatMap { status in
      status.troubles.filter(\.isNotable).map {
        Trouble(case: status.name, told: StatusObject.trouble($0, status, now: now))
      }
    }
  }

  /// As `status` tells it, with the case that it is about.
  private struct Trouble: Encodable {
    let `case`: String
    let told: StatusObject.Trouble

    private enum Key: String, CodingKey { case `case` }

    func encode(to encoder: any Encoder) throws {
      try told.encode(to: encoder)
      var object = encoder.container(keyedBy: Key.self)
      try object.encode(`case`, forKey: .case)
    }
  }

  func printText() {
    let damaged = outcome.findings.contains(where: \.isDamage)
    Output.line(
      damaged ? "Something in this vault is not whole." : "Everything in this vault is whole.")
    Output.line(
      [
        Quantity.count(outcome.caseCount, "case", "cases"),
        Quantity.count(outcome.entryCount, "entry", "entries"),
        Quantity.count(outcome.fileCount, "file", "files")
          + " (\(Quantity.bytes(outcome.fileBytes)) on the disk)",
      ].joined(separator: ", ") + ".")
    if outcome.filesAwaited > 0 {
      Output.paragraph(
        Quantity.count(outcome.filesAwaited, "file has", "files have")
          + " not arrived here yet; that is no damage.")
    }
    let sentences =
      outcome.findings.map(\.sentence)
      + troubles.map {
        (outcome.caseCount > 1 ? SafeText.quoted($0.case) + ": " : "") + $0.told.message
      }
    if !sentences.isEmpty { Output.line() }
    for sentence in sentences {
      for (index, part) in Columns.wrap(sentence, to: Columns.width - 5).enumerated() {
        Output.line((index == 0 ? "  - " : "    ") + part)
      }
    }
    guard damaged else { return }
    Output.line()
    Output.paragraph(
      "Before anything else, make a copy of the whole vault folder, and delete nothing. A backup, or the"
        + " copy of another member, still has what is damaged here.")
  }

  private struct Object: Encodable {
    struct Finding: Encodable {
      let code: String
      let isDamage: Bool
      let message: String
      let subject: String?
    }
    let cases: Int
    let entries: Int
    let fileBytes: UInt64
    let files: Int
    let filesAwaited: Int
    let findings: [Finding]
    let troubles: [Trouble]
  }

  func printJSON() throws {
    try Output.json(
      Object(
        cases: outcome.caseCount, entries: outcome.entryCount, fileBytes: outcome.fileBytes,
        files: outcome.fileCount, filesAwaited: outcome.filesAwaited,
        findings: outcome.findings.map { finding in
          Object.Finding(
            code: finding.code, isDamage: finding.isDamage, message: finding.sentence,
            subject: finding.subject)
        }, troubles: troubles))
  }
}

extension CheckOutcome.Finding {
  /// A stable name for scripts.
  var code: String {
    switch self {
    case .keysFile: return "keysFile"
    case .database: return "database"
    case .copied: return "copied"
    case .rolledBack: return "rolledBack"
    case .log: return "log"
    case .ciphertext: return "ciphertext"
    case .view: return "view"
    case .contentMissing: return "contentMissing"
    case .contentDamaged: return "contentDamaged"
    case .strayFiles: return "strayFiles"
    case .violation: return "violation"
    case .fork: return "fork"
    case .newerVersion: return "newerVersion"
    }
  }

  /// The id of the entry or of the member's log that it is about.
  var subject: String? {
    switch self {
    case .log(let id), .violation(let id, _), .fork(let id): return id.base32
    case .ciphertext(let id), .view(let id), .contentMissing(let id), .contentDamaged(let id):
      return id.base32
    case .keysFile, .database, .copied, .rolledBack, .strayFiles, .newerVersion: return nil
    }
  }

  var sentence: String {
    let short = subject.map { String($0.prefix(10)) } ?? ""
    switch self {
    case .keysFile:
      return
        "One of the two files with the locks (“keys” and “keys.bak”) is missing or damaged. The other"
        + " still opens the vault."
    case .database: return "The main file (“vault.db”) is damaged in places."
    case .copied: return Sentences.of(VaultError(.copied)).text
    case .rolledBack: return Sentences.of(VaultError(.rolledBack)).text
    case .log: return "The entries of member \(short) are not those that were signed."
    case .ciphertext: return "Entry \(short) is not stored as it was signed."
    case .view: return "Entry \(short) is not shown as it was sealed."
    case .contentMissing: return "The file of entry \(short) was here and is missing."
    case .contentDamaged: return "The file of entry \(short) is damaged, or was changed."
    case .strayFiles(let count):
      return Quantity.count(count, "file belongs", "files belong")
        + " to no entry, left over from something that was interrupted. Harmless."
    case .violation(_, let sequence):
      return
        "Member \(short) wrote something that their role does not include (number \(sequence + 1) of"
        + " theirs). It was set aside and counts for nothing; nothing of yours was altered."
    case .fork:
      return
        "Member \(short) signed two histories that contradict each other. Both are kept as proof, and"
        + " nothing that you had was altered."
    case .newerVersion:
      return
        "A case was written to by a newer version of Cairn, and is shown as far as this one knows."
    }
  }
}
