enum Language {
  case swift, c

  init?(path: String) {
    if path.hasSuffix(".swift") {
      self = .swift
    } else if path.hasSuffix(".c") || path.hasSuffix(".h") {
      self = .c
    } else {
      return nil
    }
  }
}

/// The text with what stands in comments and literals replaced by spaces, so that what remains can be
/// searched as code. Lines stay where they are, and code inside a string's `\(…)` stays code. Regex
/// literals are not understood; the project has none.
func blankProse(_ text: String, in language: Language) -> String {
  var blanker = ProseBlanker(bytes: Array(text.utf8), language: language)
  blanker.run()
  return String(decoding: blanker.result, as: UTF8.self)
}

private struct ProseBlanker {
  let bytes: [UInt8]
  let language: Language
  var result: [UInt8]
  var at = 0
  /// The strings that we are inside of, each with the parentheses still open in its interpolation.
  var interpolations: [(literal: Literal, open: Int)] = []

  struct Literal {
    let hashes: Int
    let multiline: Bool
    var quote: UInt8 = UInt8(ascii: "\"")
  }

  init(bytes: [UInt8], language: Language) {
    self.bytes = bytes
    self.language = language
    result = bytes
  }

  mutating func run() {
    while at < bytes.count {
      if starts("//") {
        while at < bytes.count, bytes[at] != UInt8(ascii: "\n") { blank(1) }
      } else if starts("/*") {
        blankBlockComment()
      } else if let literal = literalStart() {
        blank(literal.hashes + (literal.multiline ? 3 : 1))
        blankLiteral(literal)
      } else {
        trackInterpolation()
      }
    }
  }

  private func starts(_ text: StaticString, at offset: Int = 0) -> Bool {
    let start = at + offset
    guard start + text.utf8CodeUnitCount <= bytes.count else { return false }
    return text.withUTF8Buffer { pattern in
      (0..<pattern.count).allSatisfy { unsafe pattern[$0] == bytes[start + $0] }
    }
  }

  private mutating func blank(_ count: Int) {
    for index in at..<min(at + count, bytes.count) where bytes[index] != UInt8(ascii: "\n") {
      result[index] = UInt8(ascii: " ")
    }
    at += count
  }

  private mutating func blankBlockComment() {
    var depth = 0
    while at < bytes.count {
      if starts("/*"), language == .swift || depth == 0 {
        depth += 1
        blank(2)
      } else if starts("*/") {
        depth -= 1
        blank(2)
        if depth == 0 { return }
      } else {
        blank(1)
      }
    }
  }

  private func literalStart() -> Literal? {
    guard language == .swift else {
      let isQuote = bytes[at] == UInt8(ascii: "\"") || bytes[at] == UInt8(ascii: "'")
      return isQuote ? Literal(hashes: 0, multiline: false, quote: bytes[at]) : nil
    }
    var hashes = 0
    while at + hashes < bytes.count, bytes[at + hashes] == UInt8(ascii: "#") { hashes += 1 }
    guard starts("\"", at: hashes) else { return nil }
    return Literal(hashes: hashes, multiline: starts("\"\"\"", at: hashes))
  }

  /// From inside a literal to its end, or to the `(` of an interpolation.
  private mutating func blankLiteral(_ literal: Literal) {
    while at < bytes.count {
      if bytes[at] == UInt8(ascii: "\\"), followed(by: literal.hashes, after: 1) {
        let escaped = at + 1 + literal.hashes
        if language == .swift, escaped < bytes.count, bytes[escaped] == UInt8(ascii: "(") {
          blank(1 + literal.hashes)
          at += 1
          interpolations.append((literal, 1))
          return
        }
        blank(2 + literal.hashes)
      } else if ends(literal) {
        blank((literal.multiline ? 3 : 1) + literal.hashes)
        return
      } else if bytes[at] == UInt8(ascii: "\n"), !literal.multiline {
        return  // Does not compile, so no more is lost than this line.
      } else {
        blank(1)
      }
    }
  }

  private func ends(_ literal: Literal) -> Bool {
    guard bytes[at] == literal.quote else { return false }
    guard literal.multiline else { return followed(by: literal.hashes, after: 1) }
    return starts("\"\"\"") && followed(by: literal.hashes, after: 3)
  }

  private func followed(by hashes: Int, after offset: Int) -> Bool {
    guard at + offset + hashes <= bytes.count else { return false }
    return bytes[(at + offset)..<(at + offset + hashes)].allSatisfy { $0 == UInt8(ascii: "#") }
  }

  private mutating func trackInterpolation() {
    let byte = bytes[at]
    at += 1
    guard let inside = interpolations.last else { return }
    if byte == UInt8(ascii: "(") {
      interpolations[interpolations.count - 1].open += 1
    } else if byte == UInt8(ascii: ")") {
      interpolations[interpolations.count - 1].open -= 1
      if inside.open == 1 {
        interpolations.removeLast()
        blankLiteral(inside.literal)
      }
    }
  }
}
