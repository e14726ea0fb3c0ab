import ArgumentParser
import CaseLog
import Cryptography
import Foundation
import Vault
import VerifiableLog

struct ImportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import", abstract: "Take in a table (CSV) of addresses with times and remarks.",
    discussion: """
      Each row becomes one entry. The first line names the columns, in any order: url (or address, \
      link), time (or date, seen), words (or remark, note, text, comment), title, platform (or \
      place), account, tags. Others are passed over. Commas, semicolons and tabs are recognised. An \
      apostrophe in front of = + - or @, as “cairn extract --all” writes it, is taken away.

      Unless every row can be understood, nothing is added, and the lines are named. Rows that the \
      case holds already, by address, time and words, are not added twice.

        cairn import links.csv --preview
        cairn import links.csv --zone +02:00
        cairn import links.csv --case "at work" --skip-bad
      """)

  @OptionGroup var global: GlobalOptions

  @Argument(help: "The table.")
  var file: String

  @Option(
    name: .customLong("case"), help: ArgumentHelp("The case that it belongs to.", valueName: "name")
  )
  var caseName: String?

  @Option(
    help: ArgumentHelp(
      "The time zone of times that name none, such as +02:00 or Z.", valueName: "zone"))
  var zone: String?

  @OptionGroup var readers: AudienceOptions

  @Flag(help: "Show what would be added, and add nothing.")
  var preview = false

  @Flag(help: "Leave out the rows that cannot be understood.")
  var skipBad = false

  func validate() throws {
    if let zone, ClaimedTime(typed: "2024-05-31T14:30" + zone) == nil {
      throw ValidationError("The zone has to look like +02:00, -05:00 or Z.")
    }
  }

  func run() async throws {
    let table = try ImportTable(file, zone: zone)
    var report = ImportReport(table: table, isPreview: preview, isJSON: global.json)
    if preview { return try report.finish() }
    guard table.badRows.isEmpty || skipBad else {
      try report.refuse()
      throw AlreadyTold(status: .other)
    }
    let status = try await global.withVault(terminal: global.terminal) { vault in
      try await add(table.rows, to: vault, &report)
    }
    try report.finish()
    if let status { throw AlreadyTold(status: status) }
  }

  /// In pieces, so that Ctrl-C finds a place to stop; all before it stays.
  private func add(
    _ rows: [ImportTable.Row], to vault: OpenVault, _ report: inout ImportReport
  ) async throws -> ExitStatus? {
    let audience = try await readers.audience(in: vault, caseName: caseName)
    report.caseName = try await vault.nameAmongSeveral(caseName)
    for start in stride(from: 0, to: rows.count, by: 256) {
      let piece = rows[start..<min(start + 256, rows.count)]
      if Interruption.isRequested {
        report.failure = Failure(VaultError(.cancelled))
        return .interrupted
      }
      let outcome = try await vault.add(
        piece.map { row in
          var entry = NewEntry(content: row.content)
          entry.audience = audience
          return entry
        }, toCase: caseName,
        options: AddOptions(skipsHeld: true))
      report.saved += outcome.saved.map(\.id)
      report.heldCount += outcome.held.count
      report.sharedWith = max(report.sharedWith, outcome.sharedWith)
      if let failure = outcome.failure {
        report.failure = Failure(failure.error)
        report.unconfirmed = outcome.unconfirmedSentence
        return ExitStatus(failure.error.code)
      }
    }
    return nil
  }
}

/// What `import` says.
struct ImportReport {
  let table: ImportTable
  let isPreview: Bool
  let isJSON: Bool
  var saved: [EntryID] = []
  var heldCount = 0
  var sharedWith = 0
  /// Nil where the vault has one case only.
  var caseName: String?
  var failure: Failure?
  /// What is to be said of those that it left without a confirmation.
  var unconfirmed = ""
  private static let listed = 20

  init(table: ImportTable, isPreview: Bool, isJSON: Bool) {
    self.table = table
    self.isPreview = isPreview
    self.isJSON = isJSON
  }

  /// That nothing is added, because of rows that cannot be understood.
  mutating func refuse() throws {
    failure = Failure(
      code: "badRows", status: .other,
      Sentence(
        Quantity.count(table.badRows.count, "row", "rows") + " of "
          + "\(table.badRows.count + table.rows.count) cannot be understood.",
        safe: "Nothing was added.",
        next: "Correct them, or import the others with --skip-bad."))
    if isJSON { return try Output.json(Object(self)) }
    tellBadRows()
    guard let sentence = failure?.sentence else { return }
    for part in [sentence.what, sentence.safe, sentence.next] { Output.remark(part) }
  }

  func finish() throws {
    if isJSON { return try Output.json(Object(self)) }
    tellBadRows()
    if !table.otherColumns.isEmpty {
      let names = table.otherColumns.prefix(10).map { SafeText.quoted(Columns.cut($0, to: 40)) }
      Output.paragraph("Columns that are not taken over: " + names.joined(separator: ", "))
    }
    if isPreview {
      for row in table.rows { Self.preview(row) }
      let count = Quantity.count(table.rows.count, "row", "rows")
      Output.paragraph("\(count) can be added. Nothing was changed.")
      return
    }
    Output.line(
      Quantity.count(saved.count, "entry was saved", "entries were saved")
        + (heldCount == 0
          ? "." : "; \(heldCount) \(heldCount == 1 ? "was" : "were") in the case already."))
    if !saved.isEmpty {
      Output.paragraph(
        AddReport.readers(of: saved.count, sharedWith: sharedWith, inCase: caseName))
    }
    guard let failure else { return }
    let safe = unconfirmed.isEmpty ? failure.sentence.safe : unconfirmed
    for part in [failure.sentence.what, safe, failure.sentence.next] {
      Output.remark(part)
    }
  }

  private func tellBadRows() {
    for row in table.badRows.prefix(Self.listed) {
      Output.remark("Line \(row.line): \(row.sentence)")
    }
    if table.badRows.count > Self.listed {
      Output.remark("And \(table.badRows.count - Self.listed) more; --json lists all of them.")
    }
  }

  private static func preview(_ row: ImportTable.Row) {
    let content = row.content
    let parts = [
      content.seen?.text, content.title, content.url, content.words.map(SafeText.joined),
      content.place, content.account,
      content.tags.isEmpty ? nil : content.tags.joined(separator: ", "),
    ].compactMap { $0 }
    let text = "Line \(row.line)  " + SafeText.line(parts.joined(separator: "  "))
    Output.line(Columns.cut(text, to: Columns.width - 1))
  }

  // MARK: - For scripts

  private struct Object: Encodable {
    struct BadRow: Encodable {
      let line: Int
      let message: String
    }
    struct Row: Encodable {
      let line: Int
      let seenAt: String?
      let title: String?
      let url: String?
      let words: String?
    }
    let badRows: [BadRow]
    let error: ErrorObject?
    let held: Int
    let otherColumns: [String]
    /// Only with --preview.
    let rows: [Row]?
    let saved: [String]
    let sharedWith: Int

    init(_ report: ImportReport) {
      badRows = report.table.badRows.map { BadRow(line: $0.line, message: $0.sentence) }
      error = report.failure.map(ErrorObject.init)
      held = report.heldCount
      otherColumns = report.table.otherColumns
      rows =
        report.isPreview
        ? report.table.rows.map { row in
          Row(
            line: row.line, seenAt: row.content.seen?.text, title: row.content.title,
            url: row.content.url, words: row.content.words)
        } : nil
      saved = report.saved.map(\.base32)
      sharedWith = report.sharedWith
    }
  }
}
