import Foundation
import Testing

@Suite struct `Documents` {
  static let pages = Project.paths.filter { $0.hasSuffix(".md") }

  @Test(arguments: pages)
  func `every path that a document names exists`(page: String) throws {
    let text = try #require(Project.text(page))
    expectNone(try deadPaths(in: text, page: page, exists: Project.exists))
  }

  @Test func `the project speaks only of itself`() throws {
    let texts = Project.paths.compactMap { path in Project.text(path).map { (path, $0) } }
    #expect(texts.count > 20)
    // Each file is searched as prose: strings and comments are where such a name would be.
    let findings = try texts.flatMap { path, text in
      try elsewhere(in: text).map { Finding(path: path, line: $0.line, what: $0.groups[0]) }
    }
    expectNone(findings)
  }

  // Seen to fail:

  @Test func `a dead path and a dead link are found`() throws {
    let text = """
      See `Sources/Vault/Gone.swift` and `Sources/Vault/Here.swift:12`, `Scripts/test --filter A`,
      `Scripts/none --all`, [there](Gone.md#top), [here](https://example.org), [top](#top),
      `H[D](a)`, `Sources/<Target>/x`, `Tests/*/Here.swift`, [up](../README.md).
      """
    let there: Set = ["Sources/Vault/Here.swift", "Scripts/test", "Sources", "Tests", "README.md"]
    let found = try deadPaths(in: text, page: "Protocol/Sync.md") { there.contains($0) }
    #expect(found.map(\.what) == ["Sources/Vault/Gone.swift", "Scripts/none", "Protocol/Gone.md"])
    #expect(found.map(\.line) == [1, 2, 2])
  }

  @Test(arguments: [
    "/work" + "/main", "`/tmp/" + "bash_1`", "cd /ro" + "ot", "py" + "pi.org",
    "deb." + "debian.org",
  ])
  func `a name from somebody's machine is found`(text: String) throws {
    #expect(try elsewhere(in: "see \(text) there").count == 1)
  }

  @Test(arguments: ["tree/root", "network/work", "case root", "the Debian package", "homework/"])
  func `an ordinary word is not`(text: String) throws {
    #expect(try elsewhere(in: "see \(text) there").count == 0)
  }
}

/// Places that mean something on one machine only. Written in pieces, so as not to find itself.
func elsewhere(in text: String) throws -> [Match] {
  let places = ["/wor" + "k/", "/tmp/bas" + "h", "/roo" + #"t\b"#]
  let mirrors = [
    "py" + "pi", "pythonho" + "sted", #"(?:deb|security|ftp|snapshot)[\w.]*\.deb"# + "ian",
  ]
  let pattern =
    #"(?<![\w}\])<.])(?:\#(places.joined(separator: "|")))|\b(?:\#(mirrors.joined(separator: "|")))"#
  return try matches(of: pattern, in: text)
}

/// Paths in back-ticks that start in one of our folders, and links to other files, that lead nowhere.
/// Of a path with a placeholder (`*`, `<…>`, `…`), the folders before it count.
func deadPaths(in text: String, page: String, exists: (String) -> Bool) throws -> [Finding] {
  let folder = page.split(separator: "/").dropLast().joined(separator: "/")
  let named = try matches(
    of: #"`((?:Sources|Tests|Protocol|Scripts|Benchmarks|Fuzz)/[^\s`]*)"#, in: text)
  let linked = try matches(of: #"\]\((?!\w+:|#)([^)#\s]+)(?:#[^)]*)?\)"#, in: try withoutCode(text))
  let all =
    named.map { ($0.line, $0.groups[1]) }
    + linked.map { ($0.line, URL(filePath: "/\(folder)/\($0.groups[1])").standardized.path) }
  return all.compactMap { line, path in
    var whole: [String] = []
    for part in path.split(separator: "/") {
      if part.contains(where: { "*<{…".contains($0) }) { break }
      whole.append(String(part.prefix { $0 != ":" }))
    }
    let plain = whole.joined(separator: "/").trimmingCharacters(
      in: CharacterSet(charactersIn: ".,"))
    return exists(plain) ? nil : Finding(path: page, line: line, what: plain)
  }
}

/// A page with what is in back-ticks blanked, line for line: `f[x](y)` is no link.
func withoutCode(_ text: String) throws -> String {
  var result = text
  for match in try matches(of: "```[^`]*```|`[^`]*`", in: text) {
    let blank = String(match.groups[0].map { $0 == "\n" ? "\n" : " " })
    result = result.replacingOccurrences(of: match.groups[0], with: blank)
  }
  return result
}
