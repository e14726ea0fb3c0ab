import ArgumentParser
import CaseLog
import Foundation
import Vault

struct AddCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "add", abstract: "Put files, an address or words into the vault.",
    discussion: """
      Each FILE becomes one entry; without a file, the address and the words become one. On a \
      terminal, it asks for address, time and words that were not given, and each of them may be \
      left empty.

      Of a FOLDER, each file below it becomes an entry, with its path as title. Hidden and \
      empty files, links, and the twelve words of a vault are passed over. What the case holds \
      already is not added twice, so that you can repeat it when it was interrupted, or when there \
      are new files.

        cairn add screenshot.png
        cairn add post.png --url https://example.org/1 --seen-at 2024-05-31
        cairn add phone-backup --tag phone
        cairn add - < chat.txt
      """)

  @OptionGroup var global: GlobalOptions
  @OptionGroup var particulars: ParticularsOptions

  @Argument(
    help: ArgumentHelp(
      "Files or folders to keep, as they are; “-” is standard input.", valueName: "file"))
  var files: [String] = []

  @Option(help: ArgumentHelp("The address (URL) where it was seen.", valueName: "address"))
  var url: String?

  @Option(
    help: ArgumentHelp(
      "When it happened, as far as you know: 2024-05-31, 2024-05-31T14:30+02:00, "
        + "\"about 2024-05\", \"2024-05-01 to 2024-05-03\".",
      valueName: "time"))
  var seenAt: String?

  @Option(
    help: ArgumentHelp(
      "Your own words; @FILE or “-” for those in a file or on standard input (@@ for words that"
        + " begin with an @).",
      valueName: "words"))
  var text: String?

  @Option(
    name: .customLong("case"), help: ArgumentHelp("The case that it belongs to.", valueName: "name")
  )
  var caseName: String?

  @Flag(
    help: "Keep size, type and SHA-256 of the files only, and not the files themselves.")
  var hashOnly = false

  @Flag(help: MinorText.help)
  var minor = false

  @Flag(help: "Of folders: add also what the case holds already.")
  var again = false

  @OptionGroup var readers: AudienceOptions

  func run() async throws {
    // All that can be seen to be wrong is said before the passphrase is asked for.
    try StandardInput.requireOneUse(files: files, text: text)
    var draft = try Draft(url: url, seenAt: seenAt, text: text, particulars: particulars)
    draft.content.showsMinor = minor
    if AddFolders.areAmong(files) {
      return try await AddFolders(
        global: global, arguments: files, content: draft.content, caseName: caseName,
        isHashOnly: hashOnly, addsAgain: again, readers: readers
      ).run()
    }
    var sources = try AddSource.list(files)
    let terminal = global.terminal
    if sources.isEmpty, hashOnly { throw Self.nothingToHash }
    if sources.isEmpty, draft.isEmpty, terminal == nil { throw Self.nothingToAdd }
    let isComplete = try await global.withVault(terminal: terminal) { vault in
      try await requireCase(in: vault)
      if let terminal {
        try AddDialogue(terminal: terminal).complete(&draft, &sources)
        if sources.isEmpty, draft.isEmpty { throw Self.nothingToAdd }
      }
      return try await add(sources, draft, to: vault)
    }
    if let status = isComplete { throw AlreadyTold(status: status) }
  }

  /// Before anybody types a text that then would have no place.
  private func requireCase(in vault: OpenVault) async throws {
    try await vault.requireSound()
    guard let caseName else { return }
    let isThere = try await vault.cases().contains { summary in
      summary.name == caseName
        || caseName.count >= 4 && summary.caseID.fingerprint.hasPrefix(caseName.lowercased())
    }
    if !isThere { throw VaultError(.unknownCase) }
  }

  /// Adds all, and tells what was saved; the exit code if that was not everything.
  private func add(
    _ sources: [AddSource], _ draft: Draft, to vault: OpenVault
  ) async throws -> ExitStatus? {
    let input = sources.contains { $0.name == nil } ? try StandardInput() : nil
    let audience = try await readers.audience(in: vault, caseName: caseName)
    var entries =
      sources.isEmpty
      ? [NewEntry(source: nil, content: draft.content)]
      : sources.map { source in
        NewEntry(
          source: source.taken(from: input), isWithoutContent: hashOnly, content: draft.content)
      }
    for index in entries.indices { entries[index].audience = audience }
    let progress = Progress("Saving", total: AddSource.total(sources), isQuiet: global.json)
    let outcome = try await vault.add(entries, toCase: caseName) { (bytes) throws(VaultError) in
      try progress.advance(bytes)
      try input?.check()
    }
    progress.finish()
    let report = AddReport(
      sources: sources, outcome: outcome, isHashOnly: hashOnly, isMinor: minor,
      isLimited: readers.isLimited,
      fallback: draft.content.url == nil ? "your words" : "the address",
      caseName: try await vault.nameAmongSeveral(caseName))
    if global.json { try report.printJSON() } else { report.printText() }
    if let saved = outcome.saved.first { draft.remarkIfAhead(of: saved.id) }
    return outcome.failure.map { ExitStatus($0.error.code) }
  }

  private static let nothingToAdd = Failure.usage(
    "nothingToAdd",
    Sentence(
      "There was nothing to add.", safe: Sentences.unchanged,
      next: "Name a file, or give --url or --text."))

  private static let nothingToHash = Failure.usage(
    "nothingToAdd",
    Sentence(
      "--hash-only needs a file.", safe: Sentences.unchanged, next: "Name the file to take it of."))
}

/// Where the content of a new entry comes from.
struct AddSource: Sendable {
  let source: NewEntry.Source
  /// Safe to show; nil for standard input.
  let name: String?
  /// Bytes, where they are known before reading.
  let size: UInt64?

  /// All that was named, each looked at before the first is read.
  static func list(_ arguments: [String]) throws -> [AddSource] {
    guard arguments.count(where: { $0 == "-" }) <= 1 else {
      throw Failure.usage(
        "usage",
        Sentence(
          "Standard input (“-”) can be added once only.", safe: Sentences.unchanged,
          next: "Leave out the second “-”."))
    }
    return try arguments.map { argument in
      try argument == "-" ? standardInput() : file(argument)
    }
  }

  static func file(_ path: String) throws -> AddSource {
    let check = try FileCheck(path: path)
    let name = path.split(separator: "/").last.map(String.init) ?? path
    return AddSource(source: .file(path: path), name: SafeText.line(name), size: check.size)
  }

  private static func standardInput() -> AddSource {
    AddSource(source: .descriptor(0, name: nil), name: nil, size: nil)
  }

  /// The bytes of all, if all are known.
  static func total(_ sources: [AddSource]) -> UInt64? {
    sources.reduce(0) { sum, source in
      guard let sum, let size = source.size else { return nil }
      return sum + size
    }
  }

  /// What is read; standard input through `input`, where there is one that Ctrl-C can stop.
  func taken(from input: StandardInput?) -> NewEntry.Source {
    guard name == nil, let input else { return source }
    return .descriptor(input.descriptor, name: nil)
  }

  /// As a sentence names it.
  var quoted: String { name.map { "“\($0)”" } ?? "standard input" }

  var described: String {
    let what = name ?? "standard input"
    return size.map { what + ", " + Quantity.bytes($0) } ?? what
  }
}
