import ArgumentParser
import Cryptography
import Foundation
import Vault

struct BackupCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "backup",
    abstract: "Make a copy of the vault in another folder, or bring it up to date.",
    discussion: """
      The folder becomes a copy of the vault, encrypted as the vault is and opened by the same \
      passphrase and the same twelve words. Into a folder that is a backup of this vault already, \
      only what is new is copied. It is opened and checked before it is called done, and until \
      then the former backup stays as it was. Keep it on another disk, at another place.

      What you erase stays in backups that were made before: bring each of them up to date, and it \
      goes from there too, as far as the disk really lets go of what is deleted on it.

        cairn backup /media/stick/papers
        cairn backup /media/stick/papers --deep    also reads what was there before
      """)

  @OptionGroup var global: GlobalOptions

  @Argument(help: "A new or empty folder, or a backup of this vault.")
  var folder: String

  @Flag(
    help: "Read every byte in the backup, not only what is new; damaged files are copied again.")
  var deep = false

  func run() async throws {
    let outcome = try await global.withVault(terminal: global.terminal) { vault in
      let progress = Progress("Backing up", total: nil, isQuiet: global.json)
      defer { progress.finish() }
      do {
        return try await vault.backUp(to: folder, isDeep: deep) { (bytes) throws(VaultError) in
          try progress.advance(bytes)
        }
      } catch let error as VaultError {
        throw BackupSentences.failure(error, folder)
      }
    }
    try report(outcome)
    if outcome.check.findings.contains(where: \.isDamage) { throw AlreadyTold(status: .tampered) }
  }

  private func report(_ outcome: BackupOutcome) throws {
    let check = outcome.check
    if global.json {
      struct Object: Encodable {
        let bytesCopied: UInt64
        let entries: Int
        let filesCopied: Int
        let filesKept: Int
        let filesRemoved: Int
        let findings: [FindingObject]
        let folder: String
        let isNoted: Bool
        let isUpdate: Bool
      }
      return try Output.json(
        Object(
          bytesCopied: outcome.bytesCopied, entries: check.entryCount,
          filesCopied: outcome.filesCopied, filesKept: outcome.filesKept,
          filesRemoved: outcome.filesRemoved, findings: check.findings.map(FindingObject.init),
          folder: folder, isNoted: outcome.isNoted, isUpdate: outcome.isUpdate))
    }
    let entries = Quantity.count(check.entryCount, "entry", "entries")
    let files = Quantity.count(check.fileCount, "file", "files")
    Output.paragraph(
      "The backup in \(SafeText.line(folder)) is \(outcome.isUpdate ? "up to date" : "ready"): \(entries),"
        + " \(files).")
    Output.paragraph(Self.changes(outcome))
    let damage = check.findings.filter(\.isDamage)
    if damage.isEmpty {
      Output.paragraph(
        check.depth == .deep
          ? "It was opened and read in full, and everything in it is whole."
          : "It was opened and checked, and what is new in it was read back.")
    } else {
      Output.remark("The vault itself is not whole, and so the backup is not either:")
      for finding in damage { Output.remark("  - " + finding.sentence) }
      Output.remark("“cairn check” says what to do. Keep older backups as they are.")
    }
    if !outcome.isNoted {
      Output.remark(
        "That it was made could not be noted in the vault, whose own disk may be full: “cairn status” does"
          + " not tell of this backup.")
    }
    if outcome.isUpdate { return }
    Output.paragraph(
      "The same passphrase opens it, and the same twelve words. Entries that you erase later stay in it"
        + " until you bring it up to date; other backups that you may have keep them too.")
  }
}

extension BackupCommand {
  /// Words and small files stand in the main file, which is copied each time.
  private static func changes(_ outcome: BackupOutcome) -> String {
    var parts = ["Copied the main file, which holds words and small files"]
    if outcome.filesCopied > 0 {
      let files = Quantity.count(outcome.filesCopied, "large file", "large files")
      parts.append("\(files) (\(Quantity.bytes(outcome.bytesCopied)))")
    }
    var text = parts.joined(separator: ", and ") + "."
    if outcome.filesKept > 0 {
      let files = Quantity.count(outcome.filesKept, "large file was", "large files were")
      text += " \(files) there already."
    }
    if outcome.filesRemoved > 0 {
      let files = Quantity.count(outcome.filesRemoved, "large file", "large files")
      text += " Removed \(files) that \(outcome.filesRemoved == 1 ? "was" : "were") erased."
    }
    return text
  }
}

/// A finding as scripts read it.
struct FindingObject: Encodable {
  let code: String
  let isDamage: Bool
  let message: String
  let subject: String?

  init(_ finding: CheckOutcome.Finding) {
    code = finding.code
    isDamage = finding.isDamage
    message = finding.sentence
    subject = finding.subject
  }
}

enum BackupSentences {
  static func failure(_ error: VaultError, _ folder: String) -> Failure {
    let place = SafeText.quoted(folder)
    let whole =
      "The vault is unchanged. If a backup was there before, the folder holds that one or the new one."
    let sentence: Sentence
    switch error.code {
    case .diskFull:
      sentence = Sentence(
        "There is not enough room at \(place), or a file is larger than that disk can hold.",
        safe: whole, next: "Make room there, or choose another disk, and run the command again.")
    case .inUse:
      sentence = Sentence(
        "The folder \(place) is being used by another program.", safe: whole,
        next: "Wait until it has finished, and try again.")
    case .notAFile where FileManager.default.fileExists(atPath: folder),
      .fileMissing where FileManager.default.fileExists(atPath: folder):
      sentence = Sentence(
        "\(place) is no folder.", safe: "Nothing was changed.",
        next: "Name a new folder for the backup.")
    case .inputOutput, .notWritable, .fileUnreadable, .fileMissing:
      sentence = Sentence(
        "\(place) could not be written or read to the end.", safe: whole,
        next: "Check that its disk is connected and that this account may write there, and run the"
          + " command again. If that fails too, use another disk.")
    case .newerVersion:
      sentence = Sentence(
        "The backup in \(place) was made by a newer version of Cairn.", safe: "It was not touched.",
        next: "Use the newer version, or name a new folder for this one.")
    case .notKept:
      sentence = Sentence(
        "The disk of \(place) does not keep what is written to it: it took every byte, and gave others"
          + " back.",
        safe:
          "The vault is unchanged. If a backup was there before, the folder still holds that one.",
        next: "Do not rely on this disk any more. Choose another one, and run the command again.")
    case .cancelled:
      sentence = Sentence(
        "Stopped, as you asked.", safe: whole,
        next: "Run the same command again to go on; what was copied is not copied again.")
    default: return Failure(error, subject: place)
    }
    return Failure(code: error.code.rawValue, status: ExitStatus(error.code), sentence)
  }

  static func of(_ code: VaultError.Code, it: String) -> Sentence? {
    let untouched = "Nothing in it was touched."
    switch code {
    case .notABackup:
      return Sentence(
        "The folder \(it) holds something other than a backup of this vault.", safe: untouched,
        next: "Name a new folder, for example one within it.")
    case .backupOfAnother:
      return Sentence(
        "The folder \(it) holds the backup of another vault.", safe: untouched,
        next: "Name a new folder for this one.")
    case .backupIsNewer:
      return Sentence(
        "The backup in \(it) is newer than this vault: it has entries or files that the vault"
          + " lacks.",
        safe: untouched,
        next:
          "To get those, restore it beside this vault: “cairn restore”. To back up this vault as it"
          + " is, name a new folder.")
    case .backupUnknown:
      return Sentence(
        "The backup in \(it) is from before this vault got new keys, and was not made by this vault as"
          + " far as it knows: it cannot tell whether something is in there that it lacks.",
        safe: untouched,
        next: "Name a new folder for this vault. To see what is in that one, restore it beside this"
          + " vault with the passphrase of its day or the twelve words: “cairn restore”.")
    case .backupDamaged:
      return Sentence(
        "The backup in \(it) is damaged, so it cannot be told whether it has something that this vault"
          + " lacks.",
        safe: untouched,
        next: "Keep it as it is, and name a new folder for this one.")
    case .backupRefused:
      return Sentence(
        "The vault is not what was signed, so a backup of it would not be sound.",
        safe: "A backup that was there before is as it was.",
        next: "“cairn check” tells what is damaged, and what to do about it.")
    default: return nil
    }
  }
}
