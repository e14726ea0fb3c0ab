import ArgumentParser
import Vault

struct ListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "List what a case holds, oldest entered first.")

  @OptionGroup var global: GlobalOptions

  @Option(name: .customLong("case"), help: ArgumentHelp("The case to list.", valueName: "name"))
  var caseName: String?

  func run() async throws {
    let entries = try await global.withVault(terminal: global.terminal) { vault in
      try await vault.entries(ofCase: caseName)
    }
    if global.json {
      struct Object: Encodable { let entries: [EntryObject] }
      try Output.json(Object(entries: entries.map { EntryObject($0) }))
      return
    }
    if entries.isEmpty {
      Output.line("There is nothing in this case yet. “cairn add” puts something in.")
      return
    }
    for entry in entries {
      for line in EntryText(summary: entry).listLines { Output.line(line) }
      Output.line()
    }
    let name = SafeText.quoted(entries[0].caseName)
    Output.line(Quantity.count(entries.count, "entry", "entries") + " in the case \(name).")
  }
}
