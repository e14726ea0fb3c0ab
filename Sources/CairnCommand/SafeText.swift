#if canImport(Glibc)
  import Glibc
#endif

/// Text of others (names, addresses, words) made harmless for a terminal: what would move the
/// cursor, turn the direction of text or hide is shown as an escape instead.
enum SafeText {
  /// On one line.
  static func line(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      if isHarmless(scalar) {
        result.unicodeScalars.append(scalar)
      } else {
        result += escape(scalar)
      }
    }
    return result
  }

  /// On as many lines as it has itself.
  static func lines(_ text: String) -> [String] {
    // Not by characters: a return and a line feed together are one, which is not the line feed.
    text.replacing("\r\n", with: "\n").unicodeScalars
      .split(separator: "\n", omittingEmptySubsequences: false)
      .map { line(String($0).replacing("\t", with: "    ")) }
  }

  /// On one line, with a space where another begins.
  static func joined(_ text: String) -> String { lines(text).joined(separator: " ") }

  /// A name as bytes, which need not be UTF-8.
  static func name(_ bytes: [UInt8]) -> String {
    if let text = String(validating: bytes, as: UTF8.self) { return line(text) }
    return bytes.map { byte in
      (0x20..<0x7f).contains(byte)
        ? String(UnicodeScalar(byte)) : "\\x" + hexadecimal(UInt32(byte), width: 2)
    }.joined()
  }

  /// A path or a value as the user typed it, in quotation marks.
  static func quoted(_ text: String) -> String { "“" + line(text) + "”" }

  /// As it has to be typed in a command.
  static func argument(_ text: String) -> String {
    let isPlain = text.unicodeScalars.allSatisfy {
      $0.properties.isAlphabetic || ("0"..."9").contains($0) || "-_./".unicodeScalars.contains($0)
    }
    if isPlain { return text }
    // Not by characters: an apostrophe with an accent on it would be another one, and end what is quoted.
    return line(text).unicodeScalars.reduce(into: "'") { result, scalar in
      result += scalar == "'" ? "'\\''" : String(scalar)
    } + "'"
  }

  static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
      return false
    // Joiners belong to the spelling of some languages and to many emoji.
    case .format: return scalar == "\u{200c}" || scalar == "\u{200d}"
    default: return true
    }
  }

  private static func escape(_ scalar: Unicode.Scalar) -> String {
    switch scalar {
    case "\n": return "\\n"
    case "\r": return "\\r"
    case "\t": return "\\t"
    default: return "\\u{" + hexadecimal(scalar.value, width: 4) + "}"
    }
  }

  private static func hexadecimal(_ number: UInt32, width: Int) -> String {
    let digits = String(number, radix: 16, uppercase: true)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}

/// How wide text is in a terminal's columns, and how it is cut and broken to fit.
enum Columns {
  /// 80, or what a narrower terminal has; never so few that nothing could be laid out.
  static let width = min(80, max(32, terminalWidth ?? 80))

  /// Nil where what is printed goes to no terminal, or to one that does not know.
  private static var terminalWidth: Int? {
    for descriptor in [STDOUT_FILENO, STDERR_FILENO] where isatty(descriptor) == 1 {
      var size = winsize()
      if unsafe ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 {
        return Int(size.ws_col)
      }
    }
    return nil
  }

  /// A text broken into lines, each of them indented.
  static func paragraph(_ text: String, indent: Int) -> [String] {
    wrap(text, to: width - 1 - indent).map { String(repeating: " ", count: indent) + $0 }
  }

  static func count(_ text: String) -> Int {
    text.reduce(0) { $0 + count($1) }
  }

  static func count(_ character: Character) -> Int {
    character.unicodeScalars.map(count).max() ?? 0
  }

  private static func count(_ scalar: Unicode.Scalar) -> Int {
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format: return 0
    default: break
    }
    if scalar.properties.isEmojiPresentation { return 2 }
    switch scalar.value {
    case 0x1100...0x115f, 0x2e80...0x303e, 0x3041...0xa4cf, 0xac00...0xd7a3, 0xf900...0xfaff,
      0xfe30...0xfe6f, 0xff00...0xff60, 0xffe0...0xffe6, 0x20000...0x3fffd:
      return 2
    default: return 1
    }
  }

  /// At most `limit` columns, with "…" where something was left out.
  static func cut(_ text: String, to limit: Int) -> String {
    guard count(text) > limit else { return text }
    var result = ""
    var used = 0
    for character in text {
      guard used + count(character) < limit else { break }
      result.append(character)
      used += count(character)
    }
    return result + "…"
  }

  /// Broken between words; a word that is longer than a line is broken too.
  static func wrap(_ text: String, to limit: Int) -> [String] {
    var lines: [String] = []
    var line = ""
    for word in text.split(separator: " ", omittingEmptySubsequences: false) {
      var word = String(word)
      if !line.isEmpty, count(line) + 1 + count(word) > limit {
        lines.append(line)
        line = ""
      }
      while count(word) > limit {
        let piece = prefix(of: word, columns: limit)
        lines.append(piece)
        word.removeFirst(piece.count)
      }
      line += line.isEmpty ? word : " " + word
    }
    lines.append(line)
    return lines
  }

  static func padded(_ text: String, to limit: Int) -> String {
    text + String(repeating: " ", count: max(0, limit - count(text)))
  }

  private static func prefix(of word: String, columns: Int) -> String {
    var result = ""
    var used = 0
    for character in word {
      // At least one character, however wide, so that this ends.
      guard used + count(character) <= columns || result.isEmpty else { break }
      result.append(character)
      used += count(character)
    }
    return result
  }
}
