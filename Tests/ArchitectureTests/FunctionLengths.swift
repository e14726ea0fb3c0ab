/// A function, initializer, accessor block or top-level closure, from its keyword to its last brace.
struct FunctionExtent: Equatable {
  let line: Int
  let lines: Int
}

struct UnbalancedBraces: Error {}

/// The functions of a file, found by counting braces in code without comments and strings. A block is
/// a function when all blocks around it are types (or C's `extern`), and it is not one itself; what is
/// nested in a function counts as part of it.
func functions(in code: String, _ language: Language) throws -> [FunctionExtent] {
  var scanner = BlockScanner(language: language)
  for line in code.split(separator: "\n", omittingEmptySubsequences: false) {
    scanner.line += 1
    if language == .c, scanner.skipsDirective(line) { continue }
    for character in line.utf8 { try scanner.take(character) }
    try scanner.take(UInt8(ascii: "\n"))
  }
  guard scanner.blocks.isEmpty else { throw UnbalancedBraces() }
  return scanner.found
}

private struct BlockScanner {
  enum Block: Equatable {
    case type
    case function(from: Int)
    case inner
  }

  let language: Language
  var line = 0
  var blocks: [Block] = []
  var found: [FunctionExtent] = []

  /// Since the last brace or semicolon, outside parentheses: the words, each with its line.
  private var words: [(text: String, line: Int)] = []
  private var word: [UInt8] = []
  private var last = UInt8(ascii: " ")
  private var nesting = 0
  private var isInDirective = false

  init(language: Language) { self.language = language }

  /// A preprocessor directive with its continuation lines: macros are not functions.
  mutating func skipsDirective(_ text: Substring) -> Bool {
    let isDirective = isInDirective || text.drop { $0 == " " }.first == "#"
    isInDirective = isDirective && text.last == "\\"
    return isDirective
  }

  mutating func take(_ character: UInt8) throws {
    switch character {
    case UInt8(ascii: "("), UInt8(ascii: "["):
      endWord()
      nesting += 1
    case UInt8(ascii: ")"), UInt8(ascii: "]"):
      endWord()
      nesting -= 1
    case UInt8(ascii: "{"):
      endWord()
      blocks.append(opened())
      startHeader()
    case UInt8(ascii: "}"):
      guard let block = blocks.popLast() else { throw UnbalancedBraces() }
      if case .function(let from) = block {
        found.append(FunctionExtent(line: from, lines: line - from + 1))
      }
      startHeader()
    case UInt8(ascii: ";"):
      startHeader()
    case let other where isPartOfWord(other):
      word.append(other)
    default:
      endWord()
    }
    if character > UInt8(ascii: " ") { last = character }
  }

  /// Dots and backticks too, so that `.init` and `` `class` `` are no keywords.
  private func isPartOfWord(_ character: UInt8) -> Bool {
    switch character {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."),
      UInt8(ascii: "`"), 0x80...:
      true
    default: false
    }
  }

  private mutating func endWord() {
    if !word.isEmpty, nesting == 0 { words.append((String(decoding: word, as: UTF8.self), line)) }
    word = []
  }

  private mutating func startHeader() {
    endWord()
    words = []
    nesting = 0
  }

  private func opened() -> Block {
    guard blocks.allSatisfy({ $0 == .type }) else { return .inner }
    switch language {
    case .c:
      guard last == UInt8(ascii: ")"), let name = words.last else { return .type }
      return .function(from: name.line)
    case .swift:
      let types: Set = ["struct", "class", "enum", "actor", "extension", "protocol"]
      let others: Set = ["func", "init", "deinit", "subscript", "var", "let"]
      // `class func f()` is a function: what counts is the last of these words.
      guard let keyword = words.last(where: { types.contains($0.text) || others.contains($0.text) })
      else { return .function(from: line) }
      return types.contains(keyword.text) ? .type : .function(from: keyword.line)
    }
  }
}
