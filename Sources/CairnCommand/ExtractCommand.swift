import ArgumentParser
import CaseLog
import Cryptography
import Vault
import VerifiableLog

struct ExtractCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "extract",
    abstract: "Write the files of an entry, or everything, out of the vault.",
    discussion: """
      Outside of the vault the files are no longer encrypted. What is in the folder already is \
      never touched. Files of additions (“cairn amend”) come into a folder for each, named like the \
      addition.

      With --all, everything that you can open is written: a folder for each case, with the files, \
      tables of all entries (CSV for a spreadsheet, JSON for programs), and a page that explains \
      them. The folder must be new or empty.

        cairn extract tesh7o --output out
        cairn extract --all --output everything
        cairn extract --all --case "at work" --output work
      """)

  @OptionGroup var global: GlobalOptions

  @Argument(help: "The entry's id, or its first characters.")
  var entry: String?

  @Flag(help: "All that you can open, of every case.")
  var all = false

  @Option(
    name: .customLong("case"), help: ArgumentHelp("With --all: this case only.", valueName: "name"))
  var caseName: String?

  @Option(
    help: ArgumentHelp("The folder to write to; made if it is not there.", valueName: "folder"))
  var output: String

  func validate() throws {
    guard all != (entry != nil) else {
      throw ValidationError("Name one entry, or give --all.")
    }
    guard all || caseName == nil else { throw ValidationError("--case goes with --all.") }
  }

  func run() async throws {
    if let entry {
      try await extract(entry)
    } else {
      try await ExtractAll(global: global, caseName: caseName, output: output).run()
    }
  }

  private func extract(_ entry: String) async throws {
    let (extraction, summary) = try await global.withVault(terminal: global.terminal) { vault in
      let history = try await vault.history(of: entry)
      let summary = history.entry.summary
      let additions = history.later.filter {
        $0.summary.kind == .amend && $0.takenBackBy == nil
      }
      let total = ([summary] + additions.map(\.summary))
        .flatMap { $0.content?.attachments ?? [] }.reduce(0) { $0 + $1.size }
      let progress = Progress("Writing", total: total, isQuiet: global.json)
      defer { progress.finish() }
      do throws(VaultError) {
        let extraction = try await vault.extract(entry, to: output) { (bytes) throws(VaultError) in
          try progress.advance(bytes)
        }
        return (extraction, summary)
      } catch {
        throw Failure(error, subject: SafeText.quoted(output))
      }
    }
    if global.json {
      try Output.json(Object(extraction, summary.id))
    } else {
      describe(extraction)
    }
    if let lack = extraction.lack { throw AlreadyTold(status: ExitStatus(lack)) }
  }

  private struct Object: Encodable {
    struct File: Encodable {
      let path: String
      let size: UInt64
    }
    let additions: [Object]
    let damaged: [UInt64]
    let entry: String
    let lost: [UInt64]
    let missing: [UInt64]
    let takenBack: [String]
    let withoutContent: [UInt64]
    let written: [File]

    init(_ extraction: Extraction, _ id: EntryID) {
      additions = extraction.additions.map { Object($0.files, $0.id) }
      takenBack = extraction.takenBack.map(\.base32)
      damaged = extraction.damaged
      entry = id.base32
      lost = extraction.lost
      missing = extraction.missing
      withoutContent = extraction.withoutContent
      written = extraction.written.map { File(path: $0.path, size: $0.size) }
    }
  }

  private func describe(_ extraction: Extraction) {
    tell(extraction)
    for addition in extraction.additions {
      Output.line("Of the addition \(ShortID.of(addition.id)):")
      tell(addition.files)
    }
    for id in extraction.takenBack {
      Output.paragraph(
        "The addition \(ShortID.of(id)) was taken back, so its files were left out: cairn extract"
          + " \(ShortID.of(id)) writes them.")
    }
    if ([extraction] + extraction.additions.map(\.files)).contains(where: { !$0.written.isEmpty }) {
      Output.line("Out here it is not encrypted: delete it when you no longer need it.")
    }
    if let lack = extraction.lack { Output.remark(Sentences.of(VaultError(lack)).text) }
  }

  private func tell(_ extraction: Extraction) {
    for file in extraction.written {
      Output.line("Wrote  \(SafeText.line(file.path)), \(Quantity.bytes(file.size))")
    }
    let lacking = extraction.damaged.count + extraction.lost.count + extraction.missing.count
    if lacking > 0, !extraction.written.isEmpty {
      let all = lacking + extraction.written.count + extraction.withoutContent.count
      Output.line("Not written: \(lacking) of \(all) files.")
    }
    if !extraction.withoutContent.isEmpty {
      Output.paragraph(
        "Of this entry's file only size, type and SHA-256 are kept; there is nothing to write.")
    }
    if extraction.written.isEmpty, extraction.withoutContent.isEmpty, extraction.missing.isEmpty,
      extraction.damaged.isEmpty, extraction.lost.isEmpty, extraction.additions.isEmpty
    {
      Output.line("This entry has no file. “cairn show” shows its words.")
    }
  }
}
