import CaseLog
import Foundation
import Vault

/// A table of addresses, times and remarks, understood row by row before anything is added.
struct ImportTable {
  /// What a column holds, by the names that people give to it.
  enum Column: String, CaseIterable {
    case url, time, words, title, place, account, tags

    private var names: [String] {
      switch self {
      case .url: ["url", "address", "link"]
      case .time: ["time", "date", "seen", "seenat", "happened", "when"]
      case .words: ["remark", "remarks", "note", "notes", "words", "text", "comment", "comments"]
      case .title: ["title"]
      case .place: ["place", "platform", "site"]
      case .account: ["account", "user"]
      case .tags: ["tags", "tag"]
      }
    }

    init?(header: String) {
      let name = header.lowercased().filter { !" _-".contains($0) && !$0.isWhitespace }
      guard let column = Self.allCases.first(where: { $0.names.contains(name) }) else { return nil }
      self = column
    }
  }

  struct Row {
    let line: Int
    let content: EntryContent
  }
  struct BadRow {
    let line: Int
    let sentence: String
  }

  private(set) var rows: [Row] = []
  private(set) var badRows: [BadRow] = []
  /// Names of columns that mean nothing here.
  private(set) var otherColumns: [String] = []

  /// - Parameter zone: for times that name none.
  /// - Throws: a failure when the file as a whole is not such a table.
  init(_ path: String, zone: String?) throws {
    let subject = SafeText.quoted(path)
    guard let bytes = try SmallFile.read(path, limit: CSV.maximumByteCount) else {
      throw Self.refusal(.tooLarge, subject)
    }
    let table: [CSV.Row]
    do throws(CSV.Failure) { table = try CSV.rows(of: bytes) } catch {
      throw Self.refusal(error, subject)
    }
    guard let header = table.first, header.problem == nil else { throw Self.noColumns(subject) }
    let columns = try columns(header.cells, subject)
    for row in table.dropFirst() {
      try Interruption.check()
      read(row, columns, zone: zone)
    }
  }

  private mutating func columns(_ header: [String], _ subject: String) throws -> [Column?] {
    var columns: [Column?] = []
    for name in header {
      let column = Column(header: CSV.unguarded(name))
      if let column, columns.contains(column) {
        throw Failure.usage(
          "doubleColumn",
          Sentence(
            "\(subject) has two columns for the same thing (\(column.rawValue)).",
            safe: "Nothing was added.", next: "Give one of them another name."))
      }
      if column == nil, !name.isEmpty { otherColumns.append(name) }
      columns.append(column)
    }
    guard columns.contains(.url) || columns.contains(.words) || columns.contains(.title) else {
      throw Self.noColumns(subject)
    }
    return columns
  }

  private mutating func read(_ row: CSV.Row, _ columns: [Column?], zone: String?) {
    func bad(_ sentence: String) { badRows.append(BadRow(line: row.line, sentence: sentence)) }
    switch row.problem {
    case .textAfterQuote?:
      return bad("Something stands behind the closing quotation mark of a cell.")
    case .tooManyCells?: return bad("It has more cells than a table can have.")
    case .cellTooLong?: return bad("A cell is longer than 1 MiB.")
    case nil: break
    }
    guard row.cells.dropFirst(columns.count).allSatisfy(\.isEmpty) else {
      return bad(
        "It has more cells than the first line names; perhaps quotation marks are missing.")
    }
    var cells: [Column: String] = [:]
    for (column, cell) in zip(columns, row.cells) {
      guard let column else { continue }
      let text = CSV.unguarded(cell)
      if !text.allSatisfy(\.isWhitespace) { cells[column] = text }
    }
    if cells.isEmpty { return }
    do {
      let content = try Self.content(cells, zone: zone)
      guard content.url != nil || content.words != nil || content.title != nil else {
        return bad("It has neither an address nor words nor a title.")
      }
      rows.append(Row(line: row.line, content: content))
    } catch let failure as Failure {
      bad(failure.sentence.what)
    } catch {
      bad("It cannot be read.")
    }
  }

  private static func content(_ cells: [Column: String], zone: String?) throws -> EntryContent {
    var content = EntryContent()
    content.url = try cells[.url].map(Draft.address)
    content.seen = try cells[.time].flatMap { try time($0, zone: zone) }
    content.words = try cells[.words].map(Draft.checked)
    content.title = try cells[.title].map {
      try ShortText.checked($0, "title", option: "")
    }
    content.place = try cells[.place].map { try ShortText.checked($0, "platform", option: "") }
    content.account = try cells[.account].map { try ShortText.checked($0, "account", option: "") }
    content.tags = try ShortText.tags(
      (cells[.tags] ?? "").split { $0 == "," || $0 == ";" || $0.isNewline }.map(String.init)
        .filter { !$0.allSatisfy(\.isWhitespace) })
    return content
  }

  /// As `add` takes it, and as `extract --all` writes it; with `zone` where none is named.
  private static func time(_ typed: String, zone: String?) throws -> ClaimedTime? {
    let text = typed.trimmingCharacters(in: .whitespacesAndNewlines).replacing(" UTC", with: "Z")
    if let time = ClaimedTime(typed: text) { return time }
    if let zone, let time = ClaimedTime(typed: text + zone) { return time }
    return try Draft.time(text)
  }

  // MARK: - Refusals

  private static func noColumns(_ subject: String) -> Failure {
    .usage(
      "noColumns",
      Sentence(
        "The first line of \(subject) names no column that can be understood.",
        safe: "Nothing was added.",
        next: "It needs at least one of url, words or title; “cairn import --help” lists all names."
      ))
  }

  private static func refusal(_ failure: CSV.Failure, _ subject: String) -> Failure {
    let sentence: Sentence
    switch failure {
    case .notText:
      sentence = Sentence(
        "\(subject) is not a table as text in UTF-8.", safe: "Nothing was added.",
        next: "In the spreadsheet, save it as “CSV UTF-8”.")
    case .tooLarge:
      sentence = Sentence(
        "\(subject) is larger than 64 MiB, or has more than a million rows.",
        safe: "Nothing was added.", next: "Split it, and import the pieces.")
    case .openQuote(let line):
      sentence = Sentence(
        "In line \(line) of \(subject) a quotation mark opens and is never closed, so nothing after it"
          + " can be told apart.", safe: "Nothing was added.",
        next: "Close it, or take it away, and import the file again.")
    }
    return Failure(code: "notATable", status: .other, sentence)
  }
}
