import CaseLog
import Cryptography
import Foundation
import Mailboxes
import Synchronization
import Vault
import VerifiableLog

#if canImport(Glibc)
  import Glibc
#endif

/// What lies beside the files of a case that was written out: tables for a spreadsheet, the exact same as
/// JSON for programs, and a page that explains both. Each entry is on the medium's way once it is added,
/// so that a run that was stopped leaves tables of what is there.
final class CaseTables: Sendable {
  struct Counts: Encodable {
    var bytes: UInt64 = 0
    var damaged: [String] = []
    var entries = 0
    var files = 0
    let folder: String
    var hashOnly = 0
    var missing: [String] = []
    var tooLarge: [String] = []
  }

  private let entries: GrowingFile
  private let files: GrowingFile
  private let exact: GrowingFile
  private let state: Mutex<Counts>

  var counts: Counts { state.withLock { $0 } }

  /// Makes the folder, which nobody had made before.
  init(in folder: String) throws {
    do {
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch {
      throw Failure.cannotWrite(to: folder)
    }
    state = Mutex(Counts(folder: folder))
    let readme = try GrowingFile(folder + "/README.txt")
    try readme.append(Array(Self.explanation.utf8))
    try readme.finish()
    entries = try GrowingFile(folder + "/entries.csv")
    files = try GrowingFile(folder + "/files.csv")
    exact = try GrowingFile(folder + "/entries.jsonl")
    // Spreadsheets take a file for UTF-8 when it begins so.
    for (file, header) in [(entries, Self.entryColumns), (files, Self.fileColumns)] {
      try file.append([0xef, 0xbb, 0xbf] + CSV.line(header))
    }
  }

  func add(_ entry: ExtractedEntry) throws(VaultError) {
    try entries.append(CSV.line(Self.cells(of: entry)))
    for file in entry.files { try files.append(CSV.line(Self.cells(of: file, entry))) }
    try exact.append(try Self.json(of: entry))
    state.withLock { counts in
      counts.entries += 1
      for file in entry.files {
        let name = "\(ShortID.of(entry.item.summary.id)) \(EntryText.describe(file.attachment))"
        switch file.state {
        case .written:
          counts.files += 1
          counts.bytes += file.attachment.size
        case .hashOnly: counts.hashOnly += 1
        case .missing: counts.missing.append(name)
        case .damaged: counts.damaged.append(name)
        case .tooLarge: counts.tooLarge.append(name)
        }
      }
    }
  }

  func finish() throws(VaultError) {
    for file in [entries, files, exact] { try file.finish() }
  }

  // MARK: - Rows

  private static let entryColumns = [
    "number", "id", "kind", "author", "title", "url", "platform", "account", "tags", "happened",
    "entered", "not_before", "seen_by", "words", "files", "about", "taken_back_by", "takedown_step",
    "takedown_place", "takedown_reference", "request", "under_18", "standing",
  ]

  private static func cells(of entry: ExtractedEntry) -> [String] {
    let object = EntryObject(entry.item)
    let seenBy = (object.seenBy ?? []).map { "\($0.time) \($0.role ?? "unknown") \($0.member)" }
    return [
      String(entry.number), object.id, object.kind ?? "", object.author ?? "", object.title ?? "",
      object.url ?? "", object.place ?? "", object.account ?? "",
      object.tags.joined(separator: "; "), object.seenAt ?? "", object.enteredAt ?? "",
      object.madeAfter?.time ?? "", seenBy.joined(separator: "\n"), object.words ?? "",
      entry.files.compactMap(\.path).joined(separator: "\n"),
      object.about.joined(separator: "\n"), object.takenBackBy ?? "",
      object.takedown?.step ?? "", object.takedown?.place ?? "", object.takedown?.reference ?? "",
      object.request ?? "", object.minor ? "yes" : "", object.standing,
    ]
  }

  private static let fileColumns = [
    "number", "id", "file", "name", "bytes", "sha256", "type", "state",
  ]

  private static func cells(of file: ExtractedEntry.File, _ entry: ExtractedEntry) -> [String] {
    let attachment = file.attachment
    return [
      String(entry.number), entry.item.summary.id.base32, file.path ?? "",
      attachment.name.map(SafeText.name) ?? "", String(attachment.size),
      Hex.encode(attachment.sha256.bytes), attachment.mediaType, file.state.rawValue,
    ]
  }

  private struct ExactEntry: Encodable {
    let entry: EntryObject
    let files: [String?]
    let number: Int
  }

  private static func json(of entry: ExtractedEntry) throws(VaultError) -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    do {
      let object = ExactEntry(
        entry: EntryObject(entry.item), files: entry.files.map(\.path), number: entry.number)
      return [UInt8](try encoder.encode(object)) + [0x0a]
    } catch {
      throw VaultError(.inputOutput)
    }
  }

  private static let explanation = """
    This folder holds everything of one case that could be opened, out of the vault
    and no longer encrypted. Delete it when you no longer need it.

    files/          the files, unchanged; the number in front is that of the entry
    entries.csv     a row for each entry, for a spreadsheet
    files.csv       a row for each file, with its SHA-256
    entries.jsonl   the same as entries.csv, exactly as it was entered, for programs:
                    one JSON object a line

    Times are kept apart, each with its source:
      happened      what the author of the entry says
      entered       the clock of the author's device
      not_before    a receipt of another member that was there before the entry
      seen_by       receipts of other members who had seen the entry by then

    In the two tables, a text that begins with = + - or @ (or with a tab or line
    break) has an apostrophe in front, because a spreadsheet would run it as a
    formula. The apostrophe is not part of the text; entries.jsonl has it without.

    These files prove nothing by themselves. For police or a court, hand over a
    sealed bundle instead: cairn export

    """
}

/// A file that is written piece by piece and was not there before.
final class GrowingFile: Sendable {
  private let descriptor: Int32

  init(_ path: String) throws {
    descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else {
      throw [ENOSPC, EDQUOT, EIO].contains(errno)
        ? Self.error(errno) : Failure.cannotWrite(to: path)
    }
  }

  /// One that is there, to be gone on with.
  init(continuing path: String) throws {
    descriptor = unsafe open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else { throw Failure.cannotWrite(to: path) }
  }

  deinit { close(descriptor) }

  /// All of it, or nothing that stays.
  func append(_ bytes: [UInt8]) throws(VaultError) {
    let start = lseek(descriptor, 0, SEEK_END)
    do throws(FileBytes.Failure) {
      try FileBytes.put(bytes, to: descriptor)
    } catch {
      if start >= 0 { _ = ftruncate(descriptor, start) }
      throw Self.error(error.number)
    }
  }

  func finish() throws(VaultError) {
    guard fsync(descriptor) == 0 else { throw Self.error(errno) }
  }

  private static func error(_ number: Int32) -> VaultError {
    VaultError(
      [ENOSPC, EDQUOT, EFBIG].contains(number) ? .diskFull : .inputOutput, systemError: number)
  }
}
