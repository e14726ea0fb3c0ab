import ArgumentParser
import BundleCheck
import CaseLog
import Cryptography
import Foundation
import SealedBundle
import Vault
import VerifiableLog

struct ExportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Write a case as a sealed bundle, for police or a court.",
    discussion: """
      Whoever receives it opens it with the ordinary programs age and unzip, or with “cairn \
      open”, and checks it with “cairn verify”. It shows how many entries of the case were not \
      included.

      What you kept private is left out of a whole case, unless you say yes on a terminal or give \
      --include-private; so is what another of your devices entered and may have kept private. What \
      was only not shared with anybody yet is in it; what you name with --entries is in it in any case.

      Seal it with a passphrase that you tell them another way, or to the age key that they gave \
      you:
        cairn export default --output case.age
        cairn export default --output case.age --to age1…
      """)

  @OptionGroup var global: GlobalOptions

  @Argument(help: "The case's name, as “cairn case list” shows it.")
  var `case`: String

  @Option(
    help: ArgumentHelp(
      "Only these entries: ids or their beginnings, with commas between.", valueName: "ids"))
  var entries: String?

  @Option(help: ArgumentHelp("A new file for the bundle.", valueName: "file"))
  var output: String

  @Option(
    help: ArgumentHelp("A file with the passphrase to seal it with.", valueName: "file"))
  var sealPassphraseFile: String?

  @Option(
    help: ArgumentHelp(
      "An age key (age1…) of whoever may open it; may be given several times.", valueName: "key"))
  var to: [String] = []

  @Flag(help: "Put in also what you kept private, without asking.")
  var includePrivate = false

  func validate() throws {
    if includePrivate, entries != nil {
      throw ValidationError("--include-private is for a whole case; leave it or --entries out.")
    }
  }

  func run() async throws {
    let recipients = try recipients()
    let chosen = try chosen()
    let terminal = global.terminal
    if sealPassphraseFile == nil, recipients.isEmpty, terminal == nil { throw Self.noSeal }
    if FileManager.default.fileExists(atPath: output) {
      throw Failure(VaultError(.outputExists), subject: SafeText.quoted(output))
    }
    let outcome = try await global.withVault(terminal: terminal) { vault in
      let includesPrivate = try await includesPrivate(in: vault, terminal)
      let seal = try seal(recipients, terminal)
      let progress = Progress("Sealing and reading back", total: nil, isQuiet: global.json)
      defer { progress.finish() }
      do throws(VaultError) {
        return try await vault.export(
          caseNamed: self.case, entries: chosen, to: output, seal: seal,
          program: "cairn \(Cairn.version)", includesPrivate: includesPrivate
        ) { (bytes) throws(VaultError) in try progress.advance(bytes) }
      } catch {
        throw Self.failure(error, subject: SafeText.quoted(output))
      }
    }
    try report(outcome)
  }

  /// In a whole case, nobody would know which file is meant.
  private static func failure(_ error: VaultError, subject: String) -> Failure {
    guard error.code == .contentDamaged else { return Failure(error, subject: subject) }
    return Failure(
      code: error.code.rawValue, status: ExitStatus(error.code),
      Sentence(
        "A file of this case is damaged on this disk, or was changed.",
        safe:
          "No bundle was written. The entries themselves, and all other files, stay as they are.",
        next:
          "“cairn check” names its entry. Another member's copy, or a backup, may still have the"
          + " file; --entries makes a bundle of the others. Delete nothing here."))
  }

  // MARK: - What was given

  /// Whoever keeps something from an advocate may mean to keep it from others too: where nobody can be
  /// asked, it is left out.
  private func includesPrivate(in vault: OpenVault, _ terminal: Terminal?) async throws -> Bool {
    guard entries == nil, !includePrivate, let terminal else { return includePrivate }
    let count = try await vault.privateEntryCount(ofCase: self.case)
    guard count > 0 else { return false }
    terminal.explain(
      "There \(count == 1 ? "is" : "are") \(Self.kept(count)) in this case. Whoever opens the bundle"
        + " could read \(count == 1 ? "it" : "them").")
    return try terminal.confirm("Put \(count == 1 ? "it" : "them") into the bundle too?")
  }

  private func recipients() throws -> [AgeRecipient] {
    if sealPassphraseFile != nil, !to.isEmpty {
      throw Failure.usage(
        "usage",
        Sentence(
          "A bundle is sealed with a passphrase or to keys, not both.", safe: Sentences.unchanged,
          next: "Leave out --seal-passphrase-file or --to."))
    }
    return try to.map { text in
      guard let recipient = AgeRecipient(Array(text.utf8)) else {
        throw Failure.usage(
          "invalidRecipient",
          Sentence(
            "\(SafeText.quoted(Columns.cut(text, to: 70))) is not an age key.",
            safe: Sentences.unchanged,
            next: "A key for --to begins with age1 and has 62 characters. Copy it again."))
      }
      return recipient
    }
  }

  private func chosen() throws -> [String]? {
    guard let entries else { return nil }
    let ids = entries.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
      .filter { !$0.isEmpty }
    guard !ids.isEmpty else { throw VaultError(.unknownEntry) }
    return ids
  }

  private func seal(_ recipients: [AgeRecipient], _ terminal: Terminal?) throws -> BundleSeal {
    if let sealPassphraseFile {
      return .passphrase(try Passphrase.read(file: sealPassphraseFile))
    }
    if !recipients.isEmpty { return .recipients(recipients) }
    guard let terminal else { throw Self.noSeal }
    return .passphrase(try SetUpDialogue(terminal: terminal).choosePassphrase(for: .bundle))
  }

  private static let noSeal = Failure.usage(
    "noSeal",
    Sentence(
      "A bundle has to be sealed for somebody.", safe: "Nothing was written.",
      next: "Name a passphrase with --seal-passphrase-file, or an age key with --to."))

  // MARK: - What came of it

  private static func kept(_ count: Int) -> String {
    Quantity.count(count, "entry", "entries")
      + " that you kept private, or may have on another of your devices,"
  }

  private func report(_ outcome: ExportOutcome) throws {
    if global.json {
      struct Object: Encodable {
        let entries: Int
        let exporter: String
        let files: Int
        let filesLeftOut: Int
        let fingerprint: String
        let keptPrivate: Int
        let notesLeftOut: Int
        let output: String
        let privateLeftOut: Int
        let size: UInt64
        let verdict: String
      }
      try Output.json(
        Object(
          entries: outcome.entryCount, exporter: outcome.exporter.base32,
          files: outcome.fileCount, filesLeftOut: outcome.filesLeftOut,
          fingerprint: outcome.fingerprint, keptPrivate: outcome.keptPrivateCount,
          notesLeftOut: outcome.notesLeftOutCount, output: output,
          privateLeftOut: outcome.privateLeftOutCount,
          size: outcome.byteCount,
          verdict: outcome.verdict.outcome.rawValue))
      return
    }
    let entries = Quantity.count(outcome.entryCount, "entry", "entries")
    let files = Quantity.count(outcome.fileCount, "file", "files")
    Output.paragraph(
      "\(entries) with \(files), sealed in \(SafeText.line(output)), \(Quantity.bytes(outcome.byteCount))."
    )
    Output.line("It was read back, and everything in it verifies.")
    tellWhatIsIn(outcome)
    Output.line()
    Output.paragraph(
      "The fingerprint of the case. Put it into your statement, so that nobody can pass off"
        + " another case as yours:")
    Output.line()
    Output.line("    " + outcome.fingerprint)
    tellHowToOpen()
  }

  /// What the sealed file cannot say itself before it is open.
  private func tellHowToOpen() {
    Output.line()
    Output.paragraph(
      "Whoever receives it has none of this. Hand over these lines with it; age is free, and there is"
        + " one for Windows (age-encryption.org):")
    Output.line()
    let file = SafeText.argument(URL(filePath: output).lastPathComponent)
    Output.line("    age --decrypt \(to.isEmpty ? "" : "-i KEYFILE ")-o bundle.zip \(file)")
    Output.line("    Take all files out of bundle.zip. Read data/report.html.")
    Output.line("    How to check that nothing was changed: proof/README.txt.")
  }

  /// What she might not expect in it, or might miss.
  private func tellWhatIsIn(_ outcome: ExportOutcome) {
    if outcome.entryCount == 0 {
      Output.paragraph(
        "So this bundle shows nothing but who the members of the case are. “cairn case list” tells"
          + " which case holds what.")
    }
    if outcome.keptPrivateCount > 0 {
      let count = outcome.keptPrivateCount
      Output.paragraph(
        "\(Self.kept(count)) \(count == 1 ? "is" : "are") in it. To leave something out, delete"
          + " this file before you hand it over, and choose with --entries.")
    }
    if outcome.privateLeftOutCount > 0 {
      let count = outcome.privateLeftOutCount
      Output.paragraph(
        "\(Self.kept(count))"
          + " \(count == 1 ? "was" : "were") left out. --include-private puts"
          + " \(count == 1 ? "it" : "them all") in; --entries chooses.")
    }
    if outcome.notesLeftOutCount > 0 {
      let left = Quantity.count(outcome.notesLeftOutCount, "note was", "notes were")
      Output.paragraph(
        "\(left) left out: an advocate wrote more than a bundle can hold. --entries chooses.")
    }
    if outcome.filesLeftOut > 0 {
      let left = Quantity.count(outcome.filesLeftOut, "file is", "files are")
      Output.paragraph(
        "\(left) not in it, and named there by SHA-256: kept as a hash only, or not on this disk."
      )
    }
  }
}
