import CaseLog
import Cryptography
import Foundation
import Vault
import VerifiableLog

/// Adding folders with all that is in them: one entry a file, with its path below the folder as title.
///
/// What the case holds already is passed over, so an interrupted run is gone on with by repeating it.
struct AddFolders {
  let global: GlobalOptions
  let arguments: [String]
  let content: EntryContent
  let caseName: String?
  let isHashOnly: Bool
  /// Adds also what the case holds already.
  let addsAgain: Bool
  let readers: AudienceOptions

  /// A file on its way.
  struct Item {
    let source: NewEntry.Source
    /// As a title and for showing.
    let title: String?
    let shown: String
    let size: UInt64
  }

  /// Few enough that little is done twice and little is held, enough that a commit costs nothing.
  private static let itemsOfBatch = 128
  private static let bytesOfBatch: UInt64 = 256 << 20

  /// Whether one of these is a folder.
  static func areAmong(_ arguments: [String]) -> Bool {
    arguments.contains { NamedFolder($0) != nil }
  }

  func run() async throws {
    if content.title != nil { throw Self.titleIsTaken }
    if arguments.contains("-") { throw Self.noStandardInput }
    let total = try measure()
    let status = try await global.withVault(terminal: global.terminal) { vault in
      let progress = Progress("Saving", total: total, isQuiet: global.json)
      let report = FolderReport(
        isJSON: global.json, progress: progress, isMinor: content.showsMinor)
      let audience = try await readers.audience(in: vault, caseName: caseName)
      try await add(to: vault, for: audience, report)
      progress.finish()
      return try report.finish(inCase: try await vault.nameAmongSeveral(caseName))
    }
    if let status { throw AlreadyTold(status: status) }
  }

  /// All files, as they are come across.
  private func walk(
    _ report: FolderReport, _ body: (Item) async throws -> Bool
  )
    async throws
  {
    for argument in arguments {
      guard let folder = NamedFolder(argument) else {
        let check = try FileCheck(path: argument)
        let name = argument.split(separator: "/").last.map(String.init) ?? argument
        let item = Item(
          source: .file(path: argument), title: nil, shown: SafeText.line(name), size: check.size)
        guard try await body(item) else { return }
        continue
      }
      for found in try FolderWalk(folder.path, name: folder.name, vault: global.vaultFolder) {
        try Interruption.check()
        switch found {
        case .file(let path, let relative, let size):
          let item = Item(
            source: .found(path: path), title: Self.title(relative),
            shown: SafeText.name(relative), size: size)
          guard try await body(item) else { return }
        case .passedOver(let relative, let reason):
          report.passOver(SafeText.name(relative), reason)
        }
      }
    }
  }

  /// The bytes of all, and that each thing that was named is there, before a passphrase is asked for.
  private func measure() throws -> UInt64 {
    var total: UInt64 = 0
    for argument in arguments {
      guard let folder = NamedFolder(argument) else {
        total += try FileCheck(path: argument).size
        continue
      }
      try folder.requireOutside(of: global.vaultFolder)
      for found in try FolderWalk(folder.path, name: folder.name, vault: global.vaultFolder) {
        try Interruption.check()
        if case .file(_, _, let size) = found { total += size }
      }
    }
    return total
  }

  private func add(
    to vault: OpenVault, for audience: EntryAudience, _ report: FolderReport
  ) async throws {
    var batch: [Item] = []
    var bytes: UInt64 = 0
    do {
      try await walk(report) { item in
        batch.append(item)
        bytes += item.size
        guard batch.count >= Self.itemsOfBatch || bytes >= Self.bytesOfBatch else { return true }
        let goesOn = try await save(batch, to: vault, for: audience, report)
        batch = []
        bytes = 0
        return goesOn
      }
    } catch let error as VaultError where error.code == .cancelled {
      return report.stop(Failure(error))
    }
    if !report.hasStopped, !batch.isEmpty {
      _ = try await save(batch, to: vault, for: audience, report)
    }
  }

  /// Whether to go on with the next.
  private func save(
    _ batch: [Item], to vault: OpenVault, for audience: EntryAudience, _ report: FolderReport
  ) async throws -> Bool {
    let entries = batch.map { item in
      var content = content
      content.title = item.title
      var entry = NewEntry(source: item.source, isWithoutContent: isHashOnly, content: content)
      entry.audience = audience
      return entry
    }
    let progress = report.progress
    let outcome = try await vault.add(
      entries, toCase: caseName,
      options: AddOptions(skipsHeld: !addsAgain, skipsUnreadable: true)
    ) { (bytes) throws(VaultError) in try progress.advance(bytes) }
    progress.finish()
    report.take(outcome, of: batch)
    return !report.hasStopped
  }

  /// Paths longer than a title can be keep their end, where the name stands.
  private static func title(_ relative: [UInt8]) -> String {
    var text = String(validating: relative, as: UTF8.self) ?? SafeText.name(relative)
    guard text.utf8.count > Limits.shortText else { return text }
    while text.utf8.count > Limits.shortText - 3 { text.removeFirst() }
    return "…" + text
  }

  private static let titleIsTaken = Failure.usage(
    "usage",
    Sentence(
      "A folder's files get their paths as titles, so --title cannot be given with it.",
      safe: Sentences.unchanged, next: "Leave out --title; --tag and --text go with each file."))

  private static let noStandardInput = Failure.usage(
    "usage",
    Sentence(
      "Standard input (“-”) cannot be added together with a folder.", safe: Sentences.unchanged,
      next: "Add it by itself."))
}
