import CaseLog
import Cryptography
import Foundation
import Vault
import VerifiableLog

#if canImport(Glibc)
  import Glibc
#endif

/// What comes out of a damaged vault, as texts for people and lines of JSON for programs.
final class SalvageWriter {
  private let folder: String
  private let table: GrowingFile
  private let fileTable: GrowingFile
  private(set) var entryCount = 0
  private(set) var fileCount = 0
  /// Files come after the last of the words.
  private(set) var hasAllWords = false
  /// What kept something from being written, first of all. What comes after it may be smaller, or meet a better place.
  private(set) var problem: VaultError?
  private var notes: [String] = []
  /// Texts of entries that are written and not known to be on the medium.
  private var unsynchronized: [String] = []
  /// Folders that were made for it, the outermost first.
  private let made: [String]
  var outcome = SalvageOutcome()

  init(_ folder: String) throws {
    self.folder = folder
    var above = folder[...]
    var missing: [String] = []
    while !above.isEmpty, !FileManager.default.fileExists(atPath: String(above)) {
      missing.append(String(above))
      above = above.lastIndex(of: "/").map { above[..<$0] } ?? ""
    }
    made = missing.reversed()
    do {
      try FileManager.default.createDirectory(
        atPath: folder + "/entries", withIntermediateDirectories: true,
        attributes: [.posixPermissions: 0o700])
    } catch {
      throw Failure.cannotWrite(to: folder)
    }
    // A folder that was there before may be open to others.
    guard unsafe chmod(folder, 0o700) == 0 else { throw Failure.cannotWrite(to: folder) }
    table = try GrowingFile(folder + "/entries.jsonl")
    fileTable = try GrowingFile(folder + "/files.jsonl")
  }

  func add(_ entry: SalvagedEntry) {
    let path = path(ofEntry: entry.number)
    let isWritten = attempt {
      do {
        try GrowingFile(path).append(Array(SalvagedText(entry).text.utf8))
      } catch {
        _ = unsafe unlink(path)
        throw error
      }
      try append(SalvagedObject(entry), to: table)
    }
    if isWritten {
      entryCount += 1
      unsynchronized.append(path)
    } else {
      notes.append("entry \(Self.name(ofEntry: entry.number)): its words could not be written")
    }
  }

  /// After its entry.
  func add(_ file: SalvagedEntry.File) {
    if !hasAllWords {
      hasAllWords = true
      synchronize()
    }
    let path = path(ofEntry: file.entry)
    attempt {
      try GrowingFile(continuing: path).append(Array(SalvagedText.text(of: file).utf8))
      try append(SalvagedFileObject(file), to: fileTable)
    }
    if unsynchronized.last != path { unsynchronized.append(path) }
    if file.path != nil { fileCount += 1 }
    if let lack = SalvagedText.lack(of: file) {
      notes.append("entry \(Self.name(ofEntry: file.entry)): \(lack)")
    }
  }

  private static func name(ofEntry number: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, 5 - digits.count)) + digits
  }

  private func path(ofEntry number: Int) -> String {
    folder + "/entries/\(Self.name(ofEntry: number)).txt"
  }

  private func append(_ object: some Encodable, to table: GrowingFile) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    try table.append([UInt8](try encoder.encode(object)) + [0x0a])
  }

  /// When this returns, all that was written is on the medium, or `problem` says that this is not sure.
  func finish(isStopped: Bool) {
    attempt {
      let report = try GrowingFile(folder + "/REPORT.txt")
      try report.append(Array(text(isStopped: isStopped).utf8))
      try report.finish()
    }
    attempt { try table.finish() }
    attempt { try fileTable.finish() }
    synchronize()
    note(NewFile.synchronize(folder + "/files"), butFor: [ENOENT])
    for path in [folder + "/entries", folder] { note(NewFile.synchronize(path)) }
    for path in made { note(NewFile.synchronizeFolder(of: path)) }
  }

  /// Puts the texts on the medium. Each of them is asked for: what goes wrong with it is told to whoever asks for
  /// that one, and to nobody else.
  private func synchronize() {
    // One for thousands of small texts, so that there is little left to wait for.
    sync()
    for path in unsynchronized { note(NewFile.synchronize(path)) }
    unsynchronized = []
  }

  private func note(_ error: Int32, butFor harmless: [Int32] = []) {
    guard error != 0, !harmless.contains(error) else { return }
    problem = problem ?? VaultError(.inputOutput, systemError: error)
  }

  /// - Returns: whether it was done.
  @discardableResult
  private func attempt(_ body: () throws -> Void) -> Bool {
    do {
      try body()
      return true
    } catch {
      problem = problem ?? error as? VaultError ?? VaultError(.inputOutput)
      return false
    }
  }

  // MARK: - The report

  private func text(isStopped: Bool) -> String {
    var lines = [
      "What could be read of a damaged vault", "", "NOTHING IN THIS FOLDER IS VERIFIED.", "",
    ]
    lines += paragraph(
      "Each piece of the vault was opened by itself. None of it was compared with what was signed: an"
        + " entry may be older than the last one that was saved, and entries may be missing without a"
        + " trace. For police or a court, a sealed bundle from a whole copy of the case (a backup, or"
        + " another member's) proves more. Nothing in this folder is encrypted: delete it when you no"
        + " longer need it. Keep the damaged vault as it is.")
    if isStopped {
      lines += paragraph(
        "IT WAS STOPPED BEFORE THE END. "
          + (hasAllWords
            ? "All words that can be read are here; of the files, more may be there to be read."
            : "More may be there to be read."))
    }
    lines += [
      "entries/       a text for each entry",
      "entries.jsonl  the same for programs, one JSON object a line",
      "files/         the files: number of the entry, number of the file",
      "files.jsonl    what became of each of them, for programs", "",
    ]
    lines += section("Read", read)
    lines += section("Not read", unread(isStopped: isStopped))
    lines += section("Left out", leftOut)
    lines += section("What is not whole", notes)
    if !outcome.unopened.isEmpty {
      lines += section("Entries of which only the name is left", outcome.unopened.map(\.base32))
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private var read: [String] {
    var items = [
      "\(Quantity.count(entryCount, "entry", "entries"))",
      "\(Quantity.count(outcome.files.whole, "whole file", "whole files")), "
        + "\(Quantity.bytes(outcome.files.bytes)) in all",
      "\(outcome.database.pages - outcome.database.pagesLost) of \(outcome.database.pages) pages of the"
        + " database",
    ]
    if outcome.entriesOfView > 0 {
      items.append(
        "Of \(Quantity.count(outcome.entriesOfView, "entry", "entries")) the sealed form is lost; what"
          + " was laid out for showing was read instead (“source: view”).")
    }
    if outcome.entriesOld > 0 {
      items.append(
        "\(Quantity.count(outcome.entriesOld, "entry comes", "entries come")) from an older state of a"
          + " page of which the newest is lost (“old: yes”).")
    }
    if outcome.entriesDoubtful > 0 {
      items.append(
        "Of \(Quantity.count(outcome.entriesDoubtful, "entry", "entries")) another row was found that"
          + " says something else, and nothing tells which is the newer one (“doubtful: yes”).")
    }
    switch outcome.locks {
    case .first: break
    case .second: items.append("The locks in “keys” are damaged; those in “keys.bak” opened.")
    case .damaged: items.append("Both files with the locks are damaged; one lock still opened.")
    }
    return items
  }

  private func unread(isStopped: Bool) -> [String] {
    let database = outcome.database
    var items: [String] = []
    func item(_ count: Int, _ one: String, _ many: String) {
      if count > 0 { items.append(Quantity.count(count, one, many)) }
    }
    if database.isMissing { items.append("The file of the database is missing.") }
    item(database.pagesLost, "page of the database", "pages of the database")
    if database.isLogUnreadable {
      items.append(
        "The log beside the database, which has what was saved last: it could not be opened.")
    }
    item(database.framesLost, "piece of the log beside it", "pieces of the log beside it")
    item(database.rowsLost, "row of which a part is lost", "rows of which a part is lost")
    item(outcome.files.damaged, "file that came out in part", "files that came out in part")
    item(outcome.files.lost, "file of which nothing opened", "files of which nothing opened")
    item(
      outcome.files.tooLarge, "file that is too large for this disk",
      "files that are too large for this disk")
    item(
      outcome.files.noRoom, "file for which there was no room",
      "files for which there was no room")
    item(
      outcome.files.notWritten, "file that this disk did not take",
      "files that this disk did not take")
    item(
      outcome.files.nameless, "sealed file that no readable entry names",
      "sealed files that no readable entry names")
    item(
      outcome.unopened.count, "entry that could not be opened", "entries that could not be opened")
    item(outcome.malformed, "entry that breaks the rules", "entries that break the rules")
    if isStopped {
      items.append("What it would have come to after it was stopped.")
    } else if items.isEmpty {
      items.append("Nothing that was there.")
    }
    return items
  }

  private var leftOut: [String] {
    var items: [String] = []
    if outcome.erased > 0 {
      items.append(
        "\(Quantity.count(outcome.erased, "entry", "entries")) that had been erased: what is left of"
          + " them was not written out.")
    }
    if outcome.erasedElsewhere > 0 {
      items.append(
        "\(Quantity.count(outcome.erasedElsewhere, "entry", "entries")) that another device erased and"
          + " that are not destroyed here yet. “cairn salvage --with-erased-elsewhere” writes them too."
      )
    }
    return items
  }

  private func section(_ title: String, _ items: [String]) -> [String] {
    guard !items.isEmpty else { return [] }
    return [title]
      + items.flatMap { item in
        Columns.wrap(item, to: 74).enumerated().map { ($0 == 0 ? "  - " : "    ") + $1 }
      } + [""]
  }

  private func paragraph(_ text: String) -> [String] { Columns.wrap(text, to: 78) + [""] }
}
