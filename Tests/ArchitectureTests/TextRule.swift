import Foundation
import Testing

/// A pattern that must not occur, and what to do instead.
struct TextRule: Sendable, CustomTestStringConvertible {
  let name: String
  /// In the syntax of NSRegularExpression; `^` and `$` match at each line.
  let pattern: String
  let instead: String
  /// Paths where it may occur, each with the reason.
  var allowed: [String: String] = [:]
  /// Most rules are about code; some look at comments and strings as well.
  var readsProse = false
  /// For the self-test: each of these must be found, and none of those.
  let bad: [String]
  let good: [String]

  var testDescription: String { name }

  func findings(in file: ProjectFile) throws -> [Finding] {
    guard allowed[file.path] == nil else { return [] }
    return try matches(of: pattern, in: readsProse ? file.text : file.code).map {
      Finding(path: file.path, line: $0.line, what: "\(name): \($0.groups[0]). \(instead)")
    }
  }

  func findings(in files: [ProjectFile]) throws -> [Finding] {
    try files.flatMap(findings(in:))
  }
}

struct Match {
  let line: Int
  /// The whole match, then its groups; "" for one that took no part.
  let groups: [String]
}

func matches(of pattern: String, in text: String) throws -> [Match] {
  let expression = try NSRegularExpression(pattern: pattern, options: [.anchorsMatchLines])
  let whole = text as NSString
  let found = expression.matches(in: text, range: NSRange(location: 0, length: whole.length))
  return found.map { match in
    let before = whole.substring(to: match.range.location)
    let groups = (0..<match.numberOfRanges).map { index in
      let range = match.range(at: index)
      return range.location == NSNotFound ? "" : whole.substring(with: range)
    }
    return Match(line: 1 + before.utf8.count { $0 == UInt8(ascii: "\n") }, groups: groups)
  }
}
