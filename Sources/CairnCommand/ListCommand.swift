import ArgumentParser
import CaseLog
import Vault

struct ListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List what a case holds, oldest entered first.",
    discussion: """
      All that is named has to hold. When something happened is what somebody says; when it was \
      entered is what the clock of their device said; by when it is proven is what other members \
      have signed for. The three are never mixed: --by chooses one of them, and what has none \
      comes last.

        cairn list --newest-first --limit 20
        cairn list --by happened --happened-from 2024-05 --happened-to 2024-06
        cairn list --place example.org --tag threat --with-file
        cairn list --by-member advocate --json
      """)

  @OptionGroup var global: GlobalOptions

  @Option(name: .customLong("case"), help: ArgumentHelp("The case to list.", valueName: "name"))
  var caseName: String?

  @Flag(help: "List all cases of the vault together.")
  var allCases = false

  @OptionGroup(title: "Which entries, and how") var finding: FindingOptions

  func run() async throws {
    if allCases, caseName != nil {
      throw Failure.usage(
        "usage",
        Sentence(
          "--case and --all-cases exclude each other.", safe: Sentences.unchanged,
          next: "Leave one of them out."))
    }
    let query = try finding.query(allCases ? .allCases : .oneCase(caseName))
    try await global.withVault(terminal: global.terminal) { vault in
      if global.json {
        try await FoundEntries(query, in: vault).printJSON()
      } else {
        try await printText(query, vault)
      }
    }
  }

  /// For a case with nothing in it. Whoever is an advocate has most likely not meant her own.
  private func whatToDo(in vault: OpenVault) async throws -> String {
    if allCases { return "There is nothing in this vault yet. “cairn add” puts something in." }
    let empty = "There is nothing in this case yet. "
    if try await vault.role(inCase: caseName) == .advocate {
      return empty + "“cairn sync” with its name brings what is shared with you."
    }
    let shared = try await vault.cases().filter { $0.role == .advocate }.map(\.name)
    guard caseName == nil, let first = shared.first else {
      return empty + "“cairn add” puts something in."
    }
    return
      "There is nothing in this case, which is your own. What is shared with you stands in another:"
      + " cairn list --case \(SafeText.argument(first))"
      + (shared.count > 1 ? " (“cairn case list” shows all)" : "")
  }

  private static func locked(_ count: Int) -> String {
    count == 1
      ? "1 entry is not shared with you, or its key has not arrived: --state locked lists it."
      : "\(count) entries are not shared with you, or their keys have not arrived: --state locked"
        + " lists them."
  }

  private func printText(_ query: EntryQuery, _ vault: OpenVault) async throws {
    let listing = EntryListing(
      order: query.order, namesCases: allCases, passesOverLocked: query.states.isEmpty)
    let result = try await FoundEntries(query, in: vault)
      .printText(listing, pageLength: finding.pageLength)
    let isChosen = finding.isFiltering || finding.after != nil
    guard let first = result.first else {
      if isChosen {
        Output.line("Nothing that fits is in this \(allCases ? "vault" : "case").")
      } else {
        Output.paragraph(try await whatToDo(in: vault))
      }
      return
    }
    let place = allCases ? "in all cases" : "in the case \(SafeText.quoted(first.caseName))"
    if result.count > 0 {
      let count = Quantity.count(result.count, "entry", "entries")
      Output.paragraph("\(count) \(place), \(listing.described).")
    }
    if result.lockedCount > 0 { Output.paragraph(Self.locked(result.lockedCount)) }
    result.tellHowToGoOn()
  }
}
