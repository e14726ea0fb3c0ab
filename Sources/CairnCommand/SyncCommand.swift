import ArgumentParser
import Vault

struct SyncCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sync", abstract: "Exchange what is new with the other members of a case.",
    discussion: """
      A mailbox is a folder that every member can reach: on a USB stick, or shared by any \
      service. What is in it is encrypted. Whoever has the folder sees how much is exchanged and \
      when, and can neither read nor alter it.
      """)

  @OptionGroup var global: GlobalOptions

  @Argument(help: "The case's name; the default case without it.")
  var `case`: String?

  @Option(
    help: ArgumentHelp("The folder to meet in. It is remembered.", valueName: "folder"))
  var mailbox: String?

  func run() async throws {
    let outcome = try await global.withVault(terminal: global.terminal) { vault in
      let progress = Progress("Exchanging", total: nil, isQuiet: global.json)
      defer { progress.finish() }
      return try await vault.sync(
        caseNamed: self.case, mailbox: mailbox,
        progress: { progress.show($0.bytes) },
        isCancelled: { Interruption.isRequested })
    }
    let report = SyncReport(outcome: outcome, now: ProcessRules.now())
    if global.json { try report.printJSON() } else { report.printText() }
    if report.status != .done { throw AlreadyTold(status: report.status) }
  }
}
