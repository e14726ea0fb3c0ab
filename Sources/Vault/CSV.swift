internal import Cryptography

/// Tables as text, as spreadsheets write and read them (RFC 4180). Our own because a row that cannot be
/// read has to be named by its line, a hostile file must not exhaust or stop the program, and no text of a
/// cell may get into an error.
public enum CSV {
  /// Of a file that is read.
  public static let maximumByteCount = 64 << 20
  public static let maximumColumnCount = 256
  public static let maximumRowCount = 1_000_000
  static let maximumFieldByteCount = 1 << 20

  public enum Failure: Error, Hashable, Sendable {
    /// Not UTF-8, or with zero bytes in it.
    case notText
    case tooLarge
    /// A quotation mark was opened in this line and never closed: nothing after it can be trusted.
    case openQuote(line: Int)
  }

  public struct Row: Hashable, Sendable {
    public enum Problem: Hashable, Sendable {
      /// After the closing quotation mark of a cell something else follows than the next cell.
      case textAfterQuote
      case tooManyCells
      case cellTooLong
    }
    /// The line of the file in which it begins, from 1.
    public let line: Int
    public let cells: [String]
    public let problem: Problem?
  }

  /// All rows but empty lines, the header among them. Commas, semicolons or tabs separate cells: whichever
  /// the first line has most of, or the line `sep=` names.
  ///
  /// - Throws: what makes the whole file unreadable; a single bad row only says so itself.
  public static func rows(of bytes: [UInt8]) throws(Failure) -> [Row] {
    guard bytes.count <= maximumByteCount else { throw .tooLarge }
    let start = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0
    guard !bytes.contains(0), String(validating: bytes[start...], as: UTF8.self) != nil else {
      throw .notText
    }
    var reader = Reader(bytes: bytes, position: start)
    reader.detectSeparator()
    var rows: [Row] = []
    while let row = try reader.next() {
      guard rows.count < maximumRowCount else { throw .tooLarge }
      rows.append(row)
    }
    return rows
  }

  // MARK: - Writing

  /// One row with its line end. Cells that a spreadsheet would run as a formula get an apostrophe in front.
  public static func line(_ cells: [String]) -> [UInt8] {
    Array((cells.map(cell).joined(separator: ",") + "\r\n").utf8)
  }

  private static func cell(_ text: String) -> String {
    let safe = guarded(text)
    let needsQuotes = safe.utf8.contains { [0x22, 0x2c, 0x0a, 0x0d, 0x3b, 0x09].contains($0) }
    guard needsQuotes || safe.first == " " || safe.last == " " else { return safe }
    // Byte by byte: as characters, a mark with an accent on it would be another one, and would end the cell.
    let doubled = safe.utf8.flatMap { $0 == 0x22 ? [$0, $0] : [$0] }
    return "\"" + String(decoding: doubled, as: UTF8.self) + "\""
  }

  /// What begins like a formula, or already like a guarded one, with an apostrophe in front.
  static func guarded(_ text: String) -> String {
    startsLikeFormula(text.utf8.drop { $0 == 0x27 }) ? "'" + text : text
  }

  /// The text without the apostrophe that `line` put in front.
  public static func unguarded(_ text: String) -> String {
    guard text.utf8.first == 0x27, startsLikeFormula(text.utf8.drop { $0 == 0x27 }) else {
      return text
    }
    return String(text.dropFirst())
  }

  /// `=`, `+`, `-`, `@`, a tab, a line end, or one of the wide forms that some programs take for the same.
  private static func startsLikeFormula(_ text: Substring.UTF8View) -> Bool {
    guard let scalar = Substring(text).unicodeScalars.first else { return false }
    return "=+-@\t\r\n＝＋－＠".unicodeScalars.contains(scalar)
  }
}

extension CSV {
  private struct Reader {
    let bytes: [UInt8]
    var position: Int
    var line = 1
    var separator = UInt8(ascii: ",")

    private var byte: UInt8? { position < bytes.count ? bytes[position] : nil }

    mutating func detectSeparator() {
      let prefix = Array("sep=".utf8)
      if bytes[position...].starts(with: prefix), position + 5 <= bytes.count,
        [0x2c, 0x3b, 0x09].contains(bytes[position + 4])
      {
        let end = position + 5
        if end == bytes.count || bytes[end] == 0x0a || bytes[end] == 0x0d {
          separator = bytes[position + 4]
          position = end
          _ = takeLineEnd()
          return
        }
      }
      var counts: [UInt8: Int] = [:]
      var isQuoted = false
      for byte in bytes[position...] {
        if byte == 0x22 { isQuoted.toggle() }
        if !isQuoted, byte == 0x0a || byte == 0x0d { break }
        if !isQuoted { counts[byte, default: 0] += 1 }
      }
      for candidate in [UInt8(ascii: ";"), 0x09]
      where counts[candidate] ?? 0 > counts[separator] ?? 0 { separator = candidate }
    }

    /// CRLF, LF or CR.
    private mutating func takeLineEnd() -> Bool {
      guard let byte, byte == 0x0a || byte == 0x0d else { return false }
      position += 1
      if byte == 0x0d, self.byte == 0x0a { position += 1 }
      line += 1
      return true
    }

    mutating func next() throws(Failure) -> Row? {
      while takeLineEnd() {}
      guard byte != nil else { return nil }
      let first = line
      var cells: [String] = []
      var problem: Row.Problem?
      while true {
        let cell = try self.cell(&problem)
        if cells.count < CSV.maximumColumnCount {
          cells.append(cell)
        } else {
          problem = .tooManyCells
        }
        if byte == separator {
          position += 1
          continue
        }
        _ = takeLineEnd()
        return Row(line: first, cells: cells, problem: problem)
      }
    }

    /// A cell, up to its separator or line end.
    private mutating func cell(_ problem: inout Row.Problem?) throws(Failure) -> String {
      var content: [UInt8] = []
      if byte == 0x22 {
        try quoted(into: &content)
        if let byte, byte != separator, byte != 0x0a, byte != 0x0d { problem = .textAfterQuote }
      }
      while let byte, byte != separator, byte != 0x0a, byte != 0x0d {
        content.append(byte)
        position += 1
      }
      if content.count > CSV.maximumFieldByteCount {
        problem = .cellTooLong
        content = []
      }
      return String(decoding: content, as: UTF8.self)
    }

    private mutating func quoted(into content: inout [UInt8]) throws(Failure) {
      let begun = line
      position += 1
      while let byte {
        if byte == 0x22 {
          position += 1
          guard self.byte == 0x22 else { return }
          content.append(0x22)
          position += 1
        } else if byte == 0x0a || byte == 0x0d {
          // Within a cell, as it stands; counted for the lines that follow.
          let start = position
          _ = takeLineEnd()
          content += bytes[start..<position]
        } else {
          content.append(byte)
          position += 1
        }
      }
      throw .openQuote(line: begun)
    }
  }
}
