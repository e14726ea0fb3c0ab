import ArgumentParser
import Vault

struct CheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Check that everything in the vault is whole.",
    discussion: """
      It changes nothing but, with --repair-search, the index of words, and can be stopped at any \
      time. How far it looks:

        --quick  seconds: both files with the locks, the database as SQLite checks
                 it quickly, the signature over the end of each log, and that
                 each file is there in its size
        --full   also the whole database: every entry against the log that was
                 signed
        --deep   also every byte of every file. This is what it does without an
                 option, since only then it can say that everything is whole

      Ends with 0 if all that it looked at is well, 20 if something is damaged or was changed, and \
      21 if there is something else to know.

        cairn check
        cairn check --quick --json
        cairn check --repair-search
      """)

  enum Depth: String, EnumerableFlag {
    case quick, full, deep

    var value: CheckDepth {
      switch self {
      case .quick: return .quick
      case .full: return .full
      case .deep: return .deep
      }
    }

    static func help(for value: Depth) -> ArgumentHelp? {
      switch value {
      case .quick: return "Only what takes seconds."
      case .full: return "The whole database, and of files whether they are there."
      case .deep: return "Every byte; what it does without an option."
      }
    }
  }

  @OptionGroup var global: GlobalOptions

  @Flag var depth = Depth.deep

  @Flag(
    help: "First build the index by which “cairn search” finds words anew, from the entries.")
  var repairSearch = false

  func run() async throws {
    let depth = depth.value
    // What is unusual is among the findings; and a vault that is perhaps damaged is not one in which to destroy
    // something.
    let outcome = try await global.withVault(
      terminal: global.terminal, isTelling: false, isSettling: false
    ) { vault in
      if repairSearch { try await vault.rebuildSearch() }
      let progress = Progress(
        "Checking", total: try await vault.checkSize(depth), isQuiet: global.json)
      defer { progress.finish() }
      return try await vault.check(depth) { (bytes) throws(VaultError) in
        try progress.advance(bytes)
      }
    }
    let report = CheckReport(outcome: outcome, hasNewSearch: repairSearch)
    if global.json { try report.printJSON() } else { report.printText() }
    if report.status != .done { throw AlreadyTold(status: report.status) }
  }
}
