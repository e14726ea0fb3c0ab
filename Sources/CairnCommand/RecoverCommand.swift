import ArgumentParser
import CaseLog
import Cryptography
import Foundation
import Vault

struct RecoverCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "recover", abstract: "Bring a case back, or onto a further device, with the kit.",
    discussion: """
      It takes the twelve words and a folder into which any member of the case has synced, also \
      an advocate. All that is in the folder comes back. Where there is no vault yet it makes \
      one, which the same twelve words open; in a vault that is there, it adds the case. Your \
      other devices learn of this one when they sync.
      """)

  @OptionGroup var global: GlobalOptions
  @OptionGroup var kitOption: KitOption

  @Option(help: ArgumentHelp("The folder in which members of the case meet.", valueName: "folder"))
  var mailbox: String

  @Flag(help: "The folder is one for your own devices alone.")
  var ownDevices = false

  @Option(help: ArgumentHelp("What to call the case in this vault.", valueName: "name"))
  var `case`: String?

  @Option(help: ArgumentHelp("As for “cairn init”, where a vault is made.", valueName: "cost"))
  var kdf = InitCommand.Cost.standard

  private var audience: MailboxAudience { ownDevices ? .ownDevices : .everyone }

  func run() async throws {
    let name = try self.case.map(CaseName.checked)
    let terminal = global.terminal
    let kit = try kitOption.get(terminal: terminal)
    let found = try find(kit)
    let isNew = hasNoVault
    let standing: RecoveryStanding
    if isNew {
      let name = name ?? "default"
      let vault = try makeVault(kit, found, name, terminal)
      do {
        standing = try await fetch(name, vault)
      } catch {
        try await vault.close()
        throw error
      }
      try await vault.close()
    } else {
      let name = name ?? "recovered " + found.caseID.fingerprint.prefix(8)
      standing = try await global.withVault(terminal: terminal) { vault in
        try await vault.recover(found, kit: kit, named: name, audience: audience)
        return try await fetch(name, vault)
      }
    }
    try RecoveryReport(
      standing: standing, newVault: isNew ? global.vaultFolder : nil, usesOwnFolder: ownDevices
    ).print(asJSON: global.json)
  }

  private func find(_ kit: borrowing RecoveryKit) throws -> RecoverableCase {
    do throws(VaultError) {
      return try OpenVault.findCase(
        in: mailbox, kit: kit, forVaultAt: global.vaultFolder)
    } catch {
      switch error.code {
      case .kitMismatch: throw KitOption.mismatch("the case in this folder")
      case .mailboxUnreachable:
        throw Failure(
          code: error.code.rawValue, status: .mailboxUnreachable,
          Sentence(
            "The folder \(SafeText.quoted(mailbox)) cannot be reached.", safe: "Nothing was made.",
            next: "Check its name, and that its disk is connected."))
      default: throw error
      }
    }
  }

  private var hasNoVault: Bool {
    do {
      return try FileManager.default.contentsOfDirectory(atPath: global.vaultFolder).isEmpty
    } catch {
      // A file at the place, or a folder that cannot be read, is for whoever opens it to tell.
      return !FileManager.default.fileExists(atPath: global.vaultFolder)
    }
  }

  private func makeVault(
    _ kit: borrowing RecoveryKit, _ found: RecoverableCase, _ name: String, _ terminal: Terminal?
  ) throws -> OpenVault {
    let passphrase = try InitCommand.choosePassphrase(global, terminal, cost: kdf.value)
    try Interruption.check()
    do {
      return try OpenVault.create(
        at: global.vaultFolder, passphrase: passphrase, kit: kit, cost: kdf.value,
        recovering: found, named: name, audience: audience,
        surroundings: GlobalOptions.surroundings)
    } catch {
      throw Failure(error, subject: SafeText.quoted(global.vaultFolder))
    }
  }

  /// The vault and the case in it are complete by now: what comes in stays, however this ends.
  private func fetch(_ name: String, _ vault: OpenVault) async throws -> RecoveryStanding {
    let progress = Progress("Bringing back", total: nil, isQuiet: global.json)
    defer { progress.finish() }
    do {
      let outcome = try await vault.sync(
        caseNamed: name, mailbox: mailbox, audience: audience,
        progress: { progress.show($0.bytes) }, isCancelled: { Interruption.isRequested })
      progress.finish()
      for problem in outcome.problems {
        Output.remark(problem.sentence(of: outcome.members))
      }
    } catch {
      let failure = Failure(error)
      throw Failure(
        code: failure.code, status: failure.status,
        Sentence(
          failure.sentence.what,
          safe: "This device is a member of the case by now, and what came in so far is saved.",
          next: "Go on with: cairn sync \(SafeText.argument(name))"))
    }
    return try await vault.recoveryStanding(ofCase: name)
  }
}

/// What came back, and what did not.
struct RecoveryReport {
  let standing: RecoveryStanding
  /// Where a vault was made for it.
  let newVault: String?
  let usesOwnFolder: Bool

  func print(asJSON: Bool) throws {
    if asJSON { try printJSON() } else { printText() }
  }

  private func printText() {
    if let newVault {
      Output.paragraph(
        "The vault is ready: \(SafeText.line(newVault)). The same twelve words open it.")
    }
    let entries = Quantity.count(standing.entries, "entry", "entries")
    let files = Quantity.count(standing.filesPresent, "file", "files")
    Output.paragraph(
      "The case \(SafeText.quoted(standing.caseName)) is here: \(entries) with \(files).")
    let devices = Quantity.count(
      standing.survivorDevices, "device of yours", "devices of yours")
    let advocates = Quantity.count(standing.advocates, "advocate", "advocates")
    Output.paragraph("Its members: \(devices), this one included, and \(advocates).")
    Output.line("Its fingerprint, to be compared with the one that you know:")
    Output.line()
    Output.line("    " + standing.caseID.fingerprint)
    if standing.filesAwaited > 0 {
      let count = Quantity.count(standing.filesAwaited, "file is", "files are")
      Output.remark(
        "\(count) not in this folder. They come with a later sync, once somebody who has them was"
          + " there.")
    }
    if standing.entriesLacking > 0 { Output.remark(lacking) }
  }

  private var lacking: String {
    let isOne = standing.entriesLacking == 1
    let count = Quantity.count(standing.entriesLacking, "entry is", "entries are")
    let what =
      "\(count) known to exist, and what is in \(isOne ? "it" : "them") was not in this folder."
    if usesOwnFolder {
      return what + " Another device of yours may still have \(isOne ? "it" : "them"): let it sync."
    }
    return what
      + " What is shared with nobody never goes where others meet. If another device of yours still"
      + " works, let both sync through a folder of their own: cairn sync"
      + " \(SafeText.argument(standing.caseName)) --mailbox FOLDER --own-devices. Without such a"
      + " device or folder it cannot be brought back."
  }

  private func printJSON() throws {
    struct Object: Encodable {
      let advocates: Int
      let `case`: String
      let caseID: String
      let entries: Int
      let entriesLacking: Int
      let files: Int
      let filesAwaited: Int
      let newVault: String?
      let survivorDevices: Int
    }
    try Output.json(
      Object(
        advocates: standing.advocates, case: standing.caseName,
        caseID: standing.caseID.fingerprint, entries: standing.entries,
        entriesLacking: standing.entriesLacking, files: standing.filesPresent,
        filesAwaited: standing.filesAwaited, newVault: newVault,
        survivorDevices: standing.survivorDevices))
  }
}
