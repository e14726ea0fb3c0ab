import Cryptography
import Foundation
import Vault

/// What a check found, for people and for scripts.
struct CheckReport {
  let outcome: CheckOutcome
  let hasNewSearch: Bool

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
    if hasNewSearch { Output.line("The index of words was built anew.") }
    Output.line(damaged ? "Something in this vault is not whole." : outcome.depth.soundness)
    let counted =
      [
        Quantity.count(outcome.caseCount, "case", "cases"),
        Quantity.count(outcome.entryCount, "entry", "entries"),
        Quantity.count(outcome.fileCount, "file", "files")
          + " (\(Quantity.bytes(outcome.fileBytes)) on the disk)",
      ].joined(separator: ", ") + "."
    if outcome.findings.contains(.database) {
      Output.paragraph(
        "As far as it could be looked at: \(counted) What is not counted may still be readable.")
    } else {
      Output.line(counted)
    }
    if outcome.filesAwaited > 0 {
      Output.paragraph(
        Quantity.count(outcome.filesAwaited, "file has", "files have")
          + " not arrived here yet; that is no damage.")
    }
    if let rest = outcome.depth.rest { Output.paragraph(rest) }
    let sentences =
      outcome.findings.map(\.sentence)
      + troubles.map {
        (outcome.caseCount > 1 ? SafeText.quoted($0.case) + ": " : "") + $0.told.message
      }
    if !sentences.isEmpty { Output.line() }
    for sentence in sentences { Output.item(sentence) }
    let damage = outcome.findings.filter { $0.isDamage && $0 != .search }
    guard !damage.isEmpty else { return }
    Output.line()
    if damage.allSatisfy({ if case .contentMissing = $0 { true } else { false } }) {
      Output.paragraph("Nothing else was found. To have a missing file again, whichever you have:")
      for way in Self.waysToFiles { Output.item(way) }
      return
    }
    Output.paragraph(
      "Before anything else, make a copy of the whole vault folder, and delete nothing. Then, whichever you"
        + " have:")
    for way in Self.waysOut { Output.item(way) }
  }

  /// What there is to do about damage.
  static let waysOut = [
    "A backup: “cairn restore BACKUP --vault NEW-FOLDER” puts it beside this vault.",
    "Another member or device with a copy: “cairn recover” brings back what is in a folder into which they"
      + " synced.",
    "Neither: “cairn salvage --output NEW-FOLDER” writes out all that can still be read here.",
  ]

  /// What there is to do where nothing but files of entries is missing.
  private static let waysToFiles = [
    "A device of yours or a member who has it: once they synced, “cairn sync” brings it back.",
    "A backup: “cairn restore BACKUP --vault NEW-FOLDER” puts all of it beside this vault.",
    "The original: “cairn add” adds it as a new entry.",
  ]

  private struct Object: Encodable {
    let cases: Int
    let depth: String
    let entries: Int
    let fileBytes: UInt64
    let files: Int
    let filesAwaited: Int
    let findings: [FindingObject]
    let troubles: [Trouble]
  }

  func printJSON() throws {
    try Output.json(
      Object(
        cases: outcome.caseCount, depth: outcome.depth.rawValue, entries: outcome.entryCount,
        fileBytes: outcome.fileBytes,
        files: outcome.fileCount, filesAwaited: outcome.filesAwaited,
        findings: outcome.findings.map(FindingObject.init),
        troubles: troubles))
  }
}

extension CheckOutcome.Finding {
  /// A stable name for scripts.
  var code: String {
    switch self {
    case .keysFile: return "keysFile"
    case .locks(let condition):
      return condition == .madeAgain ? "locksMadeAgain" : "locksDiffered"
    case .search: return "search"
    case .database: return "database"
    case .copied: return "copied"
    case .rolledBack: return "rolledBack"
    case .log: return "log"
    case .ciphertext: return "ciphertext"
    case .view: return "view"
    case .index: return "index"
    case .caseKey: return "caseKey"
    case .erasure: return "erasure"
    case .contentUnlisted: return "contentUnlisted"
    case .contentMissing: return "contentMissing"
    case .contentDamaged: return "contentDamaged"
    case .strayFiles: return "strayFiles"
    case .otherDatabase: return "otherDatabase"
    case .violation: return "violation"
    case .fork: return "fork"
    case .newerVersion: return "newerVersion"
    }
  }

  /// The id of the entry or of the member's log that it is about.
  var subject: String? {
    switch self {
    case .log(let id), .violation(let id, _), .fork(let id): return id.base32
    case .ciphertext(let id), .view(let id), .index(let id), .caseKey(let id), .erasure(let id),
      .contentMissing(let id), .contentDamaged(let id), .contentUnlisted(let id):
      return id.base32
    case .keysFile, .locks, .database, .search, .copied, .rolledBack, .strayFiles,
      .otherDatabase, .newerVersion:
      return nil
    }
  }

  var sentence: String {
    let short = subject.map { String($0.prefix(10)) } ?? ""
    switch self {
    case .keysFile:
      return
        "One of the two files with the locks (“keys” and “keys.bak”) is missing or damaged, or they differ."
        + " The vault still opens. Make a backup now, with “cairn backup”: the disk may be failing."
    case .locks(let condition): return LocksSentences.of(condition) ?? ""
    case .search:
      return
        "The index by which “cairn search” finds words is damaged. The entries are whole as far as"
        + " nothing else is said: “cairn check --repair-search” builds it anew from them."
    case .database:
      return
        "The database of this vault is damaged in places. What can still be read is told below."
    case .copied: return Sentences.of(VaultError(.copied)).text
    case .rolledBack: return Sentences.of(VaultError(.rolledBack)).text
    case .log: return "The entries of member \(short) are not those that were signed."
    case .ciphertext: return "Entry \(short) is not stored as it was signed."
    case .view:
      return
        "Entry \(short) is not shown as it was sealed. What was sealed is still here: “cairn salvage”"
        + " reads it from there."
    case .index:
      return
        "Entry \(short) is not listed and found as it should be; it may be missing from a search, or what"
        + " takes it back or adds to it may not show. What was sealed is whole; a backup shows it as it should be."
    case .caseKey:
      return
        "A key of a case (\(short)) was here and is missing; what was sealed with it may look locked."
        + " A backup, or another device of yours, has it."
    case .erasure:
      return
        "Entry \(short) was erased here, and some of it is in the database again, as if an older piece of"
        + " the database had been put back."
    case .contentUnlisted:
      return
        "The file of entry \(short) is in this vault, but is taken for one that has not come. The next"
        + " “cairn sync” with somebody who has it puts that right."
    case .contentMissing: return "The file of entry \(short) was here and is missing."
    case .contentDamaged: return "The file of entry \(short) is damaged, or was changed."
    case .strayFiles(let count):
      return Quantity.count(count, "file belongs", "files belong")
        + " to no entry, left over from something that was interrupted. Harmless."
    case .otherDatabase: return OtherDatabase.sentence
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

extension CheckDepth {
  /// What is said where nothing is damaged.
  var soundness: String {
    switch self {
    case .quick: return "What a quick look shows of this vault is whole."
    case .full: return "Every entry in this vault is whole, and every file is there."
    case .deep: return "Everything in this vault is whole."
    }
  }

  /// What was not looked at.
  var rest: String? {
    switch self {
    case .quick:
      return
        "Not looked at: whether each entry is the one that was signed, and what is in the files."
        + " “cairn check” looks at everything."
    case .full: return "Not looked at: what is in the files. “cairn check” reads them too."
    case .deep: return nil
    }
  }
}

extension Output {
  /// One of several things to know, on standard output.
  static func item(_ text: String) {
    for (index, part) in Columns.wrap(text, to: Columns.width - 5).enumerated() {
      line((index == 0 ? "  - " : "    ") + part)
    }
  }
}

/// What is said where a database lies in the vault's folder that is not in use.
enum OtherDatabase {
  static let sentence =
    "A second main file lies in the vault's folder, which is not in use: “vault.db” beside “vault-2.db”, or"
    + " one in a folder “aside-…”. It is from before new keys, or was put there, and whoever has the"
    + " passphrase and the locks of its day can open it. A backup (“cairn backup”) and what is restored from"
    + " one have only what is in use. Delete nothing before you know that this vault has everything: the"
    + " other one may be newer."
}
