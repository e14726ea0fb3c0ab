import ArgumentParser
import Vault

struct SyncCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sync", abstract: "Exchange what is new with the other members of a case.",
    discussion: """
      A mailbox is a folder that every member can reach: on a USB stick, or shared by any \
      service. What is in it is encrypted. Whoever has the folder sees how much is exchanged and \
      when, and can neither read nor alter it. What is shared with nobody does not go there.

      With --own-devices it is a second folder, for your own devices alone. Without --mailbox, the \
      folders that were named before are used, both of them.

      With --all, every case of which a folder is remembered is exchanged, one after the other. One \
      whose folder cannot be reached does not keep the others; it is named at the end.

        cairn sync Smith --mailbox /media/stick/smith
        cairn sync Smith
        cairn sync --all
      """)

  @OptionGroup var global: GlobalOptions

  @Argument(help: "The case's name; the default case without it.")
  var `case`: String?

  @Option(
    help: ArgumentHelp("The folder to meet in. It is remembered.", valueName: "folder"))
  var mailbox: String?

  @Flag(
    help: ArgumentHelp(
      "The folder is for your own devices alone: everything goes there, also what is shared with"
        + " nobody."))
  var ownDevices = false

  @Flag(help: "All cases, each in the folders that were named for it before.")
  var all = false

  func validate() throws {
    if all, self.case != nil || mailbox != nil {
      throw ValidationError(
        "--all takes every case with the folder that it has; leave out the case and --mailbox.")
    }
  }

  func run() async throws {
    if all {
      return try await SyncAllCases(global: global, audience: ownDevices ? .ownDevices : nil).run()
    }
    let outcome = try await global.withVault(terminal: global.terminal) { vault in
      let progress = Progress("Exchanging", total: nil, isQuiet: global.json)
      defer { progress.finish() }
      let audience: MailboxAudience? = ownDevices ? .ownDevices : nil
      do throws(VaultError) {
        return try await vault.sync(
          caseNamed: self.case, mailbox: mailbox, audience: audience,
          progress: { progress.show($0.bytes) },
          isCancelled: { Interruption.isRequested })
      } catch {
        guard error.code == .mailboxUnreachable else { throw error }
        let place = try await vault.place(ofCase: self.case)
        throw UnreachableMailbox(
          ofCase: place.name, mailbox: place.mailbox, ownMailbox: place.ownMailbox,
          typed: mailbox, audience: audience
        ).failure(error)
      }
    }
    let report = SyncReport(outcome: outcome, now: ProcessRules.now())
    if global.json { try report.printJSON() } else { report.printText() }
    if report.status != .done { throw AlreadyTold(status: report.status) }
  }
}
