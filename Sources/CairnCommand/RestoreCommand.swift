import ArgumentParser
import Cryptography
import Foundation
import Vault

struct RestoreCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "restore", abstract: "Put a backup back as a vault.",
    discussion: """
      It copies the backup to where vaults lie, or to the folder after --vault, reads every byte \
      of it there, and opens it. The place must be free: a vault that is there is never touched, \
      and the backup is only read.

      What comes back is a copy. It can be read at once, and it takes new keys before it writes \
      (“cairn renew”), so that it and the vault that it was made from are never taken for one.

      It opens by the passphrase that the vault had when the backup was made, or by the twelve words.

        cairn restore /media/stick/papers
        cairn restore /media/stick/papers --vault ~/papers
        cairn restore /media/stick/papers --kit     the passphrase is lost
      """)

  @OptionGroup var global: GlobalOptions

  @Option(
    help: ArgumentHelp(
      "Open the backup with the twelve words in this file, instead of its passphrase; without a"
        + " file, or with “-”, they are asked for.", valueName: "file"))
  var kit: String?

  @Argument(help: "The folder with the backup.")
  var backup: String

  func run() async throws {
    let terminal = global.terminal
    try requireFreePlace()
    let (vault, check) = try await restored(terminal)
    var renewal: RenewalOutcome?
    do {
      if !global.json { tell(check) }
      if let terminal, !global.json, try takesNewKeys(terminal) {
        renewal = try await vault.renew()
      }
    } catch {
      try await vault.close()
      throw error
    }
    try await vault.close()
    try finish(check, renewal)
    if check.findings.contains(where: \.isDamage) { throw AlreadyTold(status: .tampered) }
  }

  private func requireFreePlace() throws {
    do {
      try OutputFolder.requireFree(global.vaultFolder)
    } catch {
      throw Failure(VaultError(.vaultExists), subject: SafeText.quoted(global.vaultFolder))
    }
  }

  private func restored(
    _ terminal: Terminal?
  ) async throws -> (vault: OpenVault, check: CheckOutcome) {
    let progress = Progress("Restoring", total: nil, isQuiet: global.json)
    defer { progress.finish() }
    let onBytes = { @Sendable (bytes: Int) throws(VaultError) in try progress.advance(bytes) }
    do {
      if let kit {
        return try await OpenVault.restore(
          backup, to: global.vaultFolder, kit: try KitOption.get(kit, terminal: terminal),
          surroundings: GlobalOptions.surroundings, onBytes: onBytes)
      }
      return try await global.withPassphrase(terminal) { passphrase in
        try await OpenVault.restore(
          backup, to: global.vaultFolder, passphrase: passphrase,
          surroundings: GlobalOptions.surroundings, onBytes: onBytes)
      }
    } catch let error as VaultError {
      throw failure(error)
    }
  }

  private func failure(_ error: VaultError) -> Failure {
    let place = SafeText.quoted(backup)
    let sentence: Sentence
    switch error.code {
    case .noVault, .notAVault:
      sentence = Sentence(
        "There is no backup at \(place).", safe: "Nothing was made.",
        next: "Check the folder's name, and that its disk is connected.")
    case .diskFull:
      sentence = Sentence(
        "There is not enough room for the vault at \(SafeText.quoted(global.vaultFolder)).",
        safe: "Nothing was left there, and the backup was not touched.",
        next: "Make room, or name a folder on another disk with --vault.")
    case .wrongPassphrase:
      sentence = Sentence(
        "That passphrase does not open the backup at \(place).", safe: "Nothing was made.",
        next:
          "It is the one that the vault had when this backup was made. Caps Lock or another keyboard"
          + " layout is a usual reason too. If it is lost, the twelve words open the backup: --kit")
    case .kitMismatch:
      sentence = Sentence(
        "The twelve words do not open the backup at \(place).", safe: "Nothing was made.",
        next: "Compare each word with the paper, in its order. They may be those of another vault.")
    case .databaseDamaged, .databaseMissing, .databaseOfAnother, .keysDamaged, .keysMissing,
      .keysOutdated, .keysSuperseded:
      sentence = Sentence(
        "The backup at \(place) is damaged, so that it does not open as a whole.",
        safe: "It was not touched, and nothing was made.",
        next: "An older backup may be whole. What can be read of this one: cairn salvage --vault"
          + " \(SafeText.argument(backup)) --output NEW-FOLDER")
    default: return Failure(error, subject: SafeText.quoted(global.vaultFolder))
    }
    return Failure(code: error.code.rawValue, status: ExitStatus(error.code), sentence)
  }

  private func tell(_ check: CheckOutcome) {
    Output.paragraph("The vault is back: \(SafeText.line(global.vaultFolder))")
    let entries = Quantity.count(check.entryCount, "entry", "entries")
    let files = Quantity.count(check.fileCount, "file", "files")
    Output.paragraph("\(entries), \(files) (\(Quantity.bytes(check.fileBytes)) on the disk).")
    let damage = check.findings.filter(\.isDamage)
    if damage.isEmpty {
      Output.paragraph("Every byte of it was read, and everything is whole.")
      if check.filesAwaited > 0 {
        Output.paragraph(
          Quantity.count(check.filesAwaited, "file had", "files had")
            + " not come to the vault when this backup was made.")
      }
    } else {
      Output.remark("Not everything in it is whole:")
      for finding in damage { Output.remark("  - " + finding.sentence) }
      Output.remark("Another backup, or another member's copy, may still have it.")
    }
  }

  private func takesNewKeys(_ terminal: Terminal) throws -> Bool {
    terminal.explain(
      "This is a copy: it can be read, and writes nothing until it has keys of its own. If the vault"
        + " that it was made from still works, you may want to go on with that one instead.")
    return try terminal.confirm("Give this one keys of its own now?")
  }

  private func finish(_ check: CheckOutcome, _ renewal: RenewalOutcome?) throws {
    if global.json {
      struct Object: Encodable {
        let entries: Int
        let fileBytes: UInt64
        let files: Int
        let findings: [FindingObject]
        let vault: String
      }
      return try Output.json(
        Object(
          entries: check.entryCount, fileBytes: check.fileBytes, files: check.fileCount,
          findings: check.findings.filter(\.isDamage).map(FindingObject.init),
          vault: global.vaultFolder))
    }
    let option = global.vault.map { " --vault " + SafeText.argument($0) } ?? ""
    if kit != nil {
      Output.paragraph(
        "Its passphrase is still the one that it had when the backup was made. If that is lost, the twelve"
          + " words set a new one: cairn passphrase --kit\(option)")
    }
    if let renewal {
      let count = Quantity.count(renewal.cases.count, "case", "cases")
      Output.paragraph(
        "It has new keys in \(count), and writes again. Others learn of them when you sync.")
      if !renewal.casesNotRenewed.isEmpty {
        Output.remark("Not in all of them: “cairn renew” says why.")
      }
    } else {
      Output.paragraph(
        "This is a copy: it can be read, and before it writes it takes new keys: cairn renew\(option)"
      )
    }
  }
}
