import ArgumentParser
import Cryptography
import Foundation
import Vault

struct SalvageCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "salvage", abstract: "Write out all that can be read of a damaged vault.",
    discussion: """
      For when a vault no longer opens, or “cairn check” found damage, and there is no backup. It \
      reads each piece of the vault by itself and goes on beyond what is damaged: a text and the \
      files of each entry, a table for programs, and REPORT.txt, which says what was read and what \
      was not. Nothing is written to the vault.

      What comes out is NOT verified: nothing of it was compared with what was signed, so it may be \
      old, and something may be missing without a trace. It is also no longer encrypted. Entries \
      that were erased here stay away.

        cairn salvage --output rescued
        cairn salvage --output rescued --kit     with the twelve words

      Ends with 0 if all came out whole, and 20 if something did not.
      """)

  @OptionGroup var global: GlobalOptions
  @OptionGroup var kitOption: KitOption

  @Option(help: ArgumentHelp("A new or empty folder to write to.", valueName: "folder"))
  var output: String

  @Flag(
    help: "Also entries that another device of yours erased and that wait here to be destroyed.")
  var withErasedElsewhere = false

  func run() async throws {
    try OutputFolder.requireFree(output)
    let salvage = try await unlocked()
    guard !salvage.contains(output) else {
      throw Failure(VaultError(.outputInVault), subject: SafeText.quoted(output))
    }
    let writer = try SalvageWriter(output)
    let progress = Progress("Reading", total: salvage.size(), isQuiet: global.json)
    defer { progress.finish() }
    var failure: Failure?
    do throws(VaultError) {
      try salvage.run(
        to: output, withErasedElsewhere: withErasedElsewhere,
        onBytes: { (bytes) throws(VaultError) in try progress.advance(bytes) },
        onEntry: { (entry) throws(VaultError) in writer.add(entry) },
        onFile: { (file) throws(VaultError) in writer.add(file) })
    } catch {
      failure = Failure(error, subject: SafeText.quoted(output))
    }
    progress.finish()
    writer.outcome = salvage.outcome
    let isStopped = failure != nil
    writer.finish(isStopped: isStopped)
    failure =
      failure ?? (writer.problem ?? salvage.outcome.outputProblem).map { Failure(salvaging: $0) }
    try SalvageReport(writer: writer, output: output, failure: failure, isStopped: isStopped)
      .print(asJSON: global.json)
  }

  private func unlocked() async throws -> Salvage {
    do {
      if kitOption.kit != nil {
        return try Salvage(
          of: global.vaultFolder, kit: try kitOption.get(terminal: global.terminal))
      }
      return try await global.withPassphrase(global.terminal) { passphrase in
        try Salvage(of: global.vaultFolder, passphrase: passphrase)
      }
    } catch let error as VaultError where error.code == .noVault {
      throw Failure(error, subject: SafeText.quoted(global.vaultFolder))
    }
  }
}

extension SalvageOutcome {
  /// What kept files from being written that could be read.
  fileprivate var outputProblem: VaultError? {
    if files.noRoom > 0 { return VaultError(.diskFull) }
    return files.notWritten > 0 ? VaultError(.inputOutput) : nil
  }
}

extension Failure {
  /// Where it was not stopped: what there was no room for was left out, and all else was tried.
  fileprivate init(salvaging error: VaultError) {
    let failure = Failure(error)
    self.init(
      code: failure.code, status: failure.status,
      Sentence(
        error.code == .diskFull
          ? "The disk is full: what it had no room for was left out, and REPORT.txt names it."
          : "The disk that it is written to gave errors, so that it is not sure that all of it is"
            + " there; REPORT.txt, if it could be written, names what was left out.",
        safe: failure.sentence.safe, next: failure.sentence.next))
  }
}

/// A folder that a command fills: never beside or over something else.
enum OutputFolder {
  static func requireFree(_ path: String) throws {
    var isFolder: ObjCBool = false
    guard unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      return
    }
    if isFolder.boolValue, try FileManager.default.contentsOfDirectory(atPath: path).isEmpty {
      return
    }
    throw Failure(VaultError(.outputExists), subject: SafeText.quoted(path))
  }
}

/// What is said at the end.
struct SalvageReport {
  let writer: SalvageWriter
  let output: String
  let failure: Failure?
  let isStopped: Bool

  private struct Object: Encodable {
    let complete: Bool
    let entries: Int
    let entriesDoubtful: Int
    let entriesOfView: Int
    let entriesOld: Int
    let erased: Int
    let erasedElsewhere: Int
    let error: ErrorObject?
    let files: Files
    let frames: Int
    let framesLost: Int
    let locks: String
    let output: String
    let pages: Int
    let pagesLost: Int
    let pagesOld: Int
    let rowsLost: Int
    let unopened: [String]
    let verified = false

    struct Files: Encodable {
      let bytes: UInt64
      let damaged: Int
      let hashOnly: Int
      let lost: Int
      let nameless: Int
      let noRoom: Int
      let notWritten: Int
      let tooLarge: Int
      let whole: Int
    }
  }

  func print(asJSON: Bool) throws {
    if asJSON { try printJSON() } else { printText() }
    if let failure { throw AlreadyTold(status: failure.status) }
    if writer.outcome.isIncomplete { throw AlreadyTold(status: .tampered) }
  }

  private func printText() {
    let outcome = writer.outcome
    Output.paragraph(
      "Wrote  \(SafeText.line(output)): \(Quantity.count(writer.entryCount, "entry", "entries")), "
        + Quantity.count(writer.fileCount, "file", "files"))
    if let failure {
      Output.paragraph(failure.sentence.what)
      if isStopped {
        Output.paragraph(
          writer.hasAllWords
            ? "All the words that can be read are there, and the files that came before that."
            : "What came before that is there.")
      }
    } else {
      Output.paragraph(
        outcome.isIncomplete
          ? "Not everything came out whole: REPORT.txt in that folder says what did not."
          : "All that was there could be read.")
    }
    Output.paragraph(
      "None of it is verified, and out here nothing is encrypted. "
        + (outcome.isIncomplete
          ? "Keep the damaged vault as it is: a later version may read more of it."
          : "The vault itself is as it was; keep it until you have looked at what came out."))
    if let failure {
      let place =
        failure.code == VaultError.Code.diskFull.rawValue ? " on a disk with more room" : ""
      Output.remark(
        "To have everything, run the command again with another new folder\(place), and delete this one"
          + " afterwards.")
    }
  }

  private func printJSON() throws {
    let outcome = writer.outcome
    try Output.json(
      Object(
        complete: failure == nil && !outcome.isIncomplete, entries: writer.entryCount,
        entriesDoubtful: outcome.entriesDoubtful, entriesOfView: outcome.entriesOfView,
        entriesOld: outcome.entriesOld,
        erased: outcome.erased, erasedElsewhere: outcome.erasedElsewhere,
        error: failure.map(ErrorObject.init),
        files: Object.Files(
          bytes: outcome.files.bytes, damaged: outcome.files.damaged,
          hashOnly: outcome.files.hashOnly, lost: outcome.files.lost,
          nameless: outcome.files.nameless, noRoom: outcome.files.noRoom,
          notWritten: outcome.files.notWritten, tooLarge: outcome.files.tooLarge,
          whole: outcome.files.whole),
        frames: outcome.database.frames, framesLost: outcome.database.framesLost,
        locks: outcome.locks.rawValue, output: output, pages: outcome.database.pages,
        pagesLost: outcome.database.pagesLost, pagesOld: outcome.database.pagesOld,
        rowsLost: outcome.database.rowsLost, unopened: outcome.unopened.map(\.base32)))
  }
}
