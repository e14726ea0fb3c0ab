import ArgumentParser
import Foundation

/// `cairn`: a vault for evidence, on the command line.
@main
struct Cairn: AsyncParsableCommand {
  static let version = "0.1.0"
  /// Of vaults, mailboxes and bundles: see `Protocol/README.md`.
  static let formatVersion = 1

  static let configuration = CommandConfiguration(
    commandName: "cairn", abstract: RootHelp.abstract,
    subcommands: [
      InitCommand.self, AddCommand.self, ImportCommand.self, ListCommand.self, SearchCommand.self,
      ShowCommand.self, ExtractCommand.self, StatusCommand.self,
      AmendCommand.self, RetractCommand.self, NoteCommand.self, TagCommand.self,
      TakedownCommand.self, RequestCommand.self, EraseCommand.self, KeepCommand.self,
      AdoptCommand.self, CaseCommand.self, CardCommand.self, ShareCommand.self, JoinCommand.self,
      SyncCommand.self, MembersCommand.self, RemoveCommand.self,
      RecoverCommand.self, RenewCommand.self, DecideCommand.self, ReinstateCommand.self,
      ExportCommand.self, OpenCommand.self, VerifyCommand.self, PassphraseCommand.self,
      CheckCommand.self, BackupCommand.self, RestoreCommand.self, SalvageCommand.self,
      VersionCommand.self,
    ])

  static func main() async {
    ProcessRules.apply()
    Interruption.watch()
    let arguments = ArgumentOrder.withKitAsked(
      ArgumentOrder.withOptionsLast(Array(CommandLine.arguments.dropFirst())))
    let status = await run(arguments)
    Foundation.exit(status.rawValue)
  }

  private static func run(_ arguments: [String]) async -> ExitStatus {
    if RootHelp.isAskedFor(by: arguments) {
      Output.line(RootHelp.text)
      return .done
    }
    do {
      try ArgumentTexts.check(arguments)
      try CommandNames.check(arguments)
      var command = try parseAsRoot(arguments)
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
      return Report.afterOutput()
    } catch {
      return Report.failure(error, arguments)
    }
  }
}

/// Lets the options of all commands stand before the command too: `cairn --vault DIR list`.
enum ArgumentOrder {
  private static let flags: Set = ["--json", "--no-input"]
  private static let options: Set = ["--vault", "--passphrase-file"]

  /// `--kit` without a file asks for the words, where it stands for the passphrase.
  static func withKitAsked(_ arguments: [String]) -> [String] {
    guard ["passphrase", "restore", "salvage"].contains(arguments.first),
      let index = arguments.firstIndex(of: "--kit")
    else {
      return arguments
    }
    let next = arguments.dropFirst(index + 1).first
    guard next?.hasPrefix("--") ?? true else { return arguments }
    return arguments[...index] + ["-"] + arguments[(index + 1)...]
  }

  static func withOptionsLast(_ arguments: [String]) -> [String] {
    var moved: [String] = []
    var rest = arguments[...]
    while let first = rest.first {
      if flags.contains(first) || options.contains(where: { first.hasPrefix($0 + "=") }) {
        moved.append(first)
        rest = rest.dropFirst()
      } else if options.contains(first), rest.count > 1 {
        moved += rest.prefix(2)
        rest = rest.dropFirst(2)
      } else {
        break
      }
    }
    if rest.first == "--version" { rest = ["version"] + rest.dropFirst() }
    guard !moved.isEmpty, !rest.isEmpty else { return Array(rest.isEmpty ? arguments[...] : rest) }
    // After the name of the command, which for some is two words.
    let name = rest.prefix(CommandNames.wordCount(Array(rest)))
    return name + moved + rest.dropFirst(name.count)
  }
}
