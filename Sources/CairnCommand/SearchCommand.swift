import ArgumentParser
import Vault

struct SearchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "search", abstract: "Find entries by words in them.",
    discussion: """
      Looks in words, titles, addresses, accounts, places, names of files, tags and notes, in all \
      cases. All the words have to be there, in any order; small and capital letters and accents \
      make no difference. What you look for stays in the history of your shell.

        cairn search threat photo
        cairn search '"two words as they stand"'
        cairn search 'threat*'              threat, threats, threatened …
        cairn search example.org --case work --newest-first --limit 10
      """)

  @OptionGroup var global: GlobalOptions

  @Argument(
    help: ArgumentHelp(
      "Words; “\"two words\"” as they stand, “wor*” for all that begins so.", valueName: "words"))
  var words: [String]

  @Option(
    name: .customLong("case"),
    help: ArgumentHelp("Look in this case only.", valueName: "name"))
  var caseName: String?

  @OptionGroup(title: "Which entries, and how") var finding: FindingOptions

  func run() async throws {
    let words = try SearchWords(typed: words.joined(separator: " "))
    if words.isEmpty {
      throw Failure.usage(
        "nothingToSearch",
        Sentence(
          "There is nothing in this that can be searched for.", safe: Sentences.unchanged,
          next: "Name words, numbers or emoji."))
    }
    var query = try finding.query(caseName.map { .oneCase($0) } ?? .allCases)
    query.text = words
    try await global.withVault(terminal: global.terminal) { [query] vault in
      if global.json {
        try await FoundEntries(query, in: vault).printJSON()
        return
      }
      let listing = EntryListing(
        order: query.order, words: words, namesCases: caseName == nil)
      let result = try await FoundEntries(query, in: vault)
        .printText(listing, pageLength: finding.pageLength)
      guard result.count > 0 else {
        Output.line("Nothing was found.")
        if finding.after == nil {
          Output.paragraph("A word is found as it is written; “wor*” also finds what begins so.")
        }
        return
      }
      let count = Quantity.count(result.count, "entry", "entries")
      Output.paragraph("\(count) found, \(listing.described).")
      result.tellHowToGoOn()
    }
  }
}
