import ArgumentParser
import Cryptography
import Foundation
import Vault

struct PassphraseCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "passphrase",
    abstract: "Change the passphrase, or replace a lost one with the twelve words.",
    discussion: """
      The old passphrase opens the vault no longer afterwards; the twelve words stay the same.

      If somebody may know the old passphrase, the vault should get new keys too: it is sealed anew, \
      which takes as long as copying its main file and as much room for that while. Then neither the old \
      passphrase nor an old copy of its locks opens what is in it. What somebody copied of the vault \
      before, they keep.

      EXAMPLES
        cairn passphrase              asks for all it needs
        cairn passphrase --kit        the old one is lost: the words open it
        cairn passphrase --somebody-may-know-it
      """)

  @OptionGroup var global: GlobalOptions

  @Option(
    help: ArgumentHelp(
      "Open the vault with the twelve words in this file, instead of the old passphrase; without a file,"
        + " or with “-”, they are asked for.", valueName: "file"))
  var kit: String?

  @Option(
    help: ArgumentHelp(
      "A file with the new passphrase; without it, a question.", valueName: "file"))
  var newPassphraseFile: String?

  @Flag(help: "Give the vault new keys too, since somebody may know the old passphrase.")
  var somebodyMayKnowIt = false

  func run() async throws {
    let terminal = global.terminal
    if newPassphraseFile == nil, terminal == nil { throw Self.noNewPassphrase }
    let outcome: Outcome
    if let kit {
      let words = try KitOption.get(kit, terminal: terminal)
      outcome = try await global.withVault(openedBy: words) { try await change($0, terminal) }
    } else {
      outcome = try await global.withVault(terminal: terminal) { try await change($0, terminal) }
    }
    try report(outcome)
  }

  private struct Outcome: Sendable {
    let hasNewKeys: Bool
    let kitCheck: String
    /// Where the last backup was made to.
    let backup: String?
    let hasOtherDatabase: Bool
  }

  private func change(_ vault: OpenVault, _ terminal: Terminal?) async throws -> Outcome {
    let hasNewKeys = try wantsNewKeys(terminal)
    let passphrase = try await newPassphrase(for: vault, terminal)
    let check = try await vault.kitCheck()
    let backup = try await vault.lastBackup()?.path
    try Interruption.check()
    do throws(VaultError) {
      if hasNewKeys {
        let progress = Progress("Sealing the vault anew:", total: nil, isQuiet: global.json)
        defer { progress.finish() }
        try await vault.sealAnew(passphrase: passphrase) { (done, _) throws(VaultError) in
          try Interruption.check()
          progress.show(done)
        }
      } else {
        try await vault.changePassphrase(to: passphrase)
      }
    } catch {
      throw failure(error)
    }
    return Outcome(
      hasNewKeys: hasNewKeys, kitCheck: check, backup: backup,
      hasOtherDatabase: vault.hasOtherDatabase)
  }

  /// Asked only where questions are, and not of somebody who lost the passphrase: that tells of nobody who
  /// found it.
  private func wantsNewKeys(_ terminal: Terminal?) throws -> Bool {
    guard !somebodyMayKnowIt, kit == nil, newPassphraseFile == nil, let terminal else {
      return somebodyMayKnowIt
    }
    terminal.explain(
      "Could somebody else know the old passphrase, or have seen you type it? Then the vault gets new"
        + " keys as well. That takes a little longer, and there is no harm in it if you are not sure."
    )
    return try terminal.confirm("Give it new keys?")
  }

  /// One that is not the vault's already: nothing would be changed by it.
  private func newPassphrase(
    for vault: OpenVault, _ terminal: Terminal?
  ) async throws -> LockedBytes {
    let cost = await vault.cost
    if let newPassphraseFile {
      let passphrase = try Passphrase.chosen(file: newPassphraseFile, cost: cost)
      if try await vault.isPassphrase(passphrase) { throw Self.samePassphrase }
      return passphrase
    }
    guard let terminal else { throw Self.noNewPassphrase }
    for _ in 0..<3 {
      let passphrase = try Passphrase.normalized(
        try SetUpDialogue(terminal: terminal, cost: cost).choosePassphrase(for: .change))
      if try await !vault.isPassphrase(passphrase) { return passphrase }
      terminal.explain("That is the passphrase that the vault has now. Please choose another one.")
    }
    throw Self.samePassphrase
  }

  private func failure(_ error: VaultError) -> Failure {
    let failure = Failure(error)
    switch error.code {
    case .diskFull, .inputOutput, .keysDamaged:
      let present = kit == nil ? "the old passphrase or the twelve words" : "the twelve words"
      return Failure(
        code: failure.code, status: failure.status,
        Sentence(
          failure.sentence.what,
          safe:
            "Nothing was taken from the vault. It opens with \(present), and with the new passphrase"
            + " instead of the old one if the change had come that far.",
          next: failure.sentence.next))
    // Found before anything was put in force.
    default: return failure
    }
  }

  private static let samePassphrase = Failure.usage(
    "samePassphrase",
    Sentence(
      "That is the passphrase that the vault has now.", safe: Sentences.unchanged,
      next: "Choose another one."))

  private static let noNewPassphrase = Failure.usage(
    "noNewPassphrase",
    Sentence(
      "The vault needs its new passphrase, and there was nobody to ask.",
      safe: Sentences.unchanged,
      next: "Run this on a terminal without --no-input, or name a file with --new-passphrase-file.")
  )

  private func report(_ outcome: Outcome) throws {
    if global.json {
      struct Object: Encodable {
        let kitCheck: String
        let newKeys: Bool
        let vault: String
      }
      return try Output.json(
        Object(
          kitCheck: outcome.kitCheck, newKeys: outcome.hasNewKeys, vault: global.vaultFolder))
    }
    Output.paragraph(
      outcome.hasNewKeys
        ? "The vault has a new passphrase and new keys. Neither the old passphrase nor an old copy of"
          + " its locks opens it any more. Blocks that the disk has not written over and snapshots of"
          + " its folder may still hold it as it was."
        : "The passphrase is changed. The old one does not open this vault any more.")
    Output.paragraph(
      "The twelve words stay the same. The check on their paper, if it has one: \(outcome.kitCheck)"
    )
    if global.passphraseFile == nil, kit == nil, global.namedPassphraseFile != nil {
      Output.paragraph(
        "The file that CAIRN_PASSPHRASE_FILE names still has the old passphrase: put the new one"
          + " there.")
    }
    Output.line()
    if outcome.hasNewKeys, outcome.hasOtherDatabase { Output.remark(OtherDatabase.sentence) }
    if let backup = outcome.backup {
      Output.paragraph(
        "A backup keeps the passphrase of its day until it is brought up to date, each of them: cairn"
          + " backup \(SafeText.argument(backup))")
    }
    if outcome.hasNewKeys {
      if outcome.backup != nil { Output.line() }
      Output.paragraph(
        "What this cannot do: whoever copied the vault before keeps what that copy held. If somebody"
          + " may have copied it together with the passphrase, they could also write as you: “cairn renew"
          + " --somebody-has-a-copy” gives this vault keys of its own to sign with.")
    } else {
      Output.paragraph(
        "A copy of the vault that was made before still opens with the old passphrase. If somebody may"
          + " know that one: cairn passphrase --somebody-may-know-it")
    }
  }
}
