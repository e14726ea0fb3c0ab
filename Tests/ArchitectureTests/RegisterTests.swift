import Foundation
import Testing

/// What is written of domains, key contexts and keys, held to the code: `Protocol/README.md` and `Protocol/Keys.md` are
/// registers, and a register that lags behind is worse than none.
@Suite struct `Registers` {
  @Test func `the domains of the text are those of the code`() throws {
    let page = try #require(Project.text("Protocol/README.md"))
    let code = try #require(Project.text("Sources/Cryptography/Domain.swift"))
    #expect(
      try names(of: "cairn/v1/", in: rows(of: page, after: "### Domain separation").joined())
        == names(of: "cairn/v1/", in: code).subtracting(["cairn/v1/<use>"]))
  }

  @Test func `nothing is made with a domain that the text calls reserved`() throws {
    let page = try #require(Project.text("Protocol/README.md"))
    let reserved = rows(of: page, after: "### Domain separation").filter {
      $0.contains("reserved")
    }
    let declarations = try #require(Project.text("Sources/Cryptography/Domain.swift"))
    for name in try names(of: "cairn/v1/", in: reserved.joined()) {
      let declared = try matches(of: "let (\\w+) = Domain\\(\"\(name)\"", in: declarations)
      let use = try #require(declared.first?.groups[1])
      let users = try Project.sources.filter { try makesSomething(with: use, in: $0.code) }
      #expect(users.map(\.path) == [], "\(name)")
    }
  }

  /// A domain is named in full, or left to be inferred where one is asked for.
  private func makesSomething(with domain: String, in code: String) throws -> Bool {
    try !matches(of: #"(?:Domain|in:|domain:|DomainHasher\() *\.\#(domain)\b"#, in: code).isEmpty
  }

  @Test func `a use of a domain is found however it is named`() throws {
    for code in ["sign(x, in: .wrap)", "Domain.wrap.bytes", "DomainHasher(.wrap)"] {
      #expect(try makesSomething(with: "wrap", in: code))
    }
    #expect(try !makesSomething(with: "wrap", in: "Frame.wrap(bytes), in: .wrapped"))
  }

  @Test func `the contexts of derived keys in the text are those of the code`() throws {
    let page = try #require(Project.text("Protocol/Keys.md"))
    let code = try #require(Project.text("Sources/Cryptography/KeyContext.swift"))
    let written = Set(try matches(of: #""([a-z_]{8})", (?:1|i)\)"#, in: page).map { $0.groups[1] })
    let made = Set(try matches(of: #"KeyContext\("([^"]{8})"\)"#, in: code).map { $0.groups[1] })
    #expect(written == made)
  }

  /// What the line of a key says it signs: all places where something is signed, and with what.
  @Test func `a key signs what its line says and nothing else`() throws {
    let found = Set(
      try Project.sources.flatMap { file -> [String] in
        guard !file.path.hasPrefix("Sources/Cryptography/") else { return [] }
        return try signings(in: file.code).map { "\(file.path): \($0)" }
      })
    #expect(
      found == [
        "Sources/CaseLog/Card.swift: signing in card",
        "Sources/CaseLog/Card.swift: receipt in card",
        "Sources/CaseLog/RootStatement.swift: root in rootStatement",
        "Sources/CaseLog/Succession.swift: old in succession",
        "Sources/CaseLog/Succession.swift: new in succession",
        // Notes, whose text separates them: a bundle's manifest, a checkpoint, a cosignature.
        "Sources/SealedBundle/Bundle/BundleSignature.swift: key",
        "Sources/VerifiableLog/Checkpoint.swift: key",
        "Sources/VerifiableLog/Cosignature.swift: key",
      ])
  }

  @Test func `a receipt key gives receipts and signs its card`() throws {
    let givers = Project.sources.filter { $0.code.contains("Cosignature.sign(") }
    #expect(givers.map(\.path) == ["Sources/Vault/VaultReplicaNotes.swift"])
    #expect(givers.allSatisfy { $0.code.contains("with: device.receipt)") })
  }

  @Test func `each master, epoch, entry and blob key is derived from at its own place`() throws {
    var places: [String: Set<String>] = [:]
    for file in Project.sources where !file.path.hasPrefix("Sources/Cryptography/") {
      for match in try matches(of: #"(\w+)\.derive\(\.(\w+)"#, in: file.code) {
        places["\(match.groups[1]) \(match.groups[2])", default: []].insert(file.path)
      }
    }
    #expect(
      places == [
        "master databasePages": ["Sources/Vault/VaultKeys.swift"],
        "master anchor": ["Sources/Vault/VaultKeys.swift"],
        "master duplicates": ["Sources/Vault/VaultKeys.swift"],
        "master caseKeys": ["Sources/Vault/VaultKeys.swift"],
        "key slot": ["Sources/CaseLog/Epoch.swift"],
        "key entryCipher": ["Sources/CaseLog/SealedEntry.swift"],
        "key partSalts": ["Sources/CaseLog/SealedEntry.swift"],
        "key blobSpans": [
          "Sources/Vault/BlobReader.swift", "Sources/Vault/BlobSealer.swift",
          "Sources/Vault/Salvage/SalvagedFiles.swift",
        ],
      ])
  }

  @Test func `a fixed nonce stands for entries only, and others are drawn or derived`() throws {
    func users(_ pattern: String) throws -> Set<String> {
      Set(
        try Project.sources.filter {
          try !$0.path.hasPrefix("Sources/Cryptography/")
            && !matches(of: pattern, in: $0.code).isEmpty
        }.map(\.path))
    }
    #expect(try users(#"nonce: \.zero"#) == ["Sources/CaseLog/SealedEntry.swift"])
    #expect(try users(#"Nonce24\(truncating:"#) == ["Sources/CaseLog/Epoch.swift"])
    #expect(
      try users(#"Nonce24\.random\(\)"#) == [
        "Sources/Vault/Anchor.swift", "Sources/Vault/KeysFile.swift",
        "Sources/Vault/VaultKeys.swift",
      ])
  }

  @Test func `each key names a test that exists`() throws {
    let page = try #require(Project.text("Protocol/Keys.md"))
    let tested = try keyTests(in: page)
    let keys = rows(of: page, after: "# Keys").dropFirst(2).map { cells(of: $0)[0] }
    #expect(keys.count >= 16)
    #expect(Set(tested.map(\.key)) == Set(keys.map { $0.components(separatedBy: " (")[0] }))
    expectNone(missing(tested, in: Project.tests))
  }

  // Seen to fail:

  @Test func `a test that is named and is not there is found`() throws {
    let page = """
      ## Tests

      | key | test |
      |---|---|
      | a key | ALibraryTests: `one that is there`; `one that is not` |
      """
    let there = ProjectFile(
      path: "Tests/ALibraryTests/A.swift",
      text: "@Test func `one that is there`() {}\n// func `one that is not`\n")
    #expect(missing(try keyTests(in: page), in: [there]).map(\.what) == ["one that is not"])
  }

  @Test func `signing is found with its key and domain`() throws {
    #expect(
      try signings(in: "let a = key.sign(b)\nx(old.sign(body, in: .card).bytes)\ntry writer.sign()")
        == ["key", "old in card"])
  }
}

/// The rows of the first table after a heading.
private func rows(of page: String, after heading: String) -> [String] {
  let lines = page.components(separatedBy: "\n")
  guard let start = lines.firstIndex(of: heading) else { return [] }
  return Array(
    lines[(start + 1)...].drop { !$0.hasPrefix("|") }.prefix { $0.hasPrefix("|") })
}

private func cells(of row: String) -> [String] {
  row.dropFirst().dropLast().components(separatedBy: "|").map {
    $0.trimmingCharacters(in: .whitespaces)
  }
}

private func names(of prefix: String, in text: String) throws -> Set<String> {
  Set(try matches(of: "\(prefix)[a-z<>-]+", in: text).map { $0.groups[0] })
}

/// `key` or `key in domain` for each place where a key signs.
private func signings(in code: String) throws -> [String] {
  let others = "writer|appender|control|Succession|Cosignature|BundleSignature"
  return try matches(of: #"\b(?!"# + others + #")(\w+)\.sign\(([^()]*)\)"#, in: code).compactMap {
    let (key, given) = ($0.groups[1], $0.groups[2])
    guard !given.isEmpty else { return nil }
    guard let domain = try matches(of: #"in: \.(\w+)"#, in: given).first else { return key }
    return "\(key) in \(domain.groups[1])"
  }
}

private struct KeyTest {
  let key: String
  let folder: String
  let title: String
  let line: Int
}

/// `| key | LibraryTests: `title`; `title`. OtherTests: `title` |`
private func keyTests(in page: String) throws -> [KeyTest] {
  let lines = page.components(separatedBy: "\n")
  return try rows(of: page, after: "## Tests").dropFirst(2).flatMap { row in
    let line = (lines.firstIndex(of: row) ?? 0) + 1
    let (key, said) = (cells(of: row)[0], cells(of: row)[1])
    var folder = ""
    return try matches(of: #"(\w+Tests):|`([^`]+)`"#, in: said).compactMap { match -> KeyTest? in
      if !match.groups[1].isEmpty {
        folder = match.groups[1]
        return nil
      }
      return KeyTest(key: key, folder: folder, title: match.groups[2], line: line)
    }
  }
}

/// Only what is declared counts: a comment that names it is no test.
private func missing(_ tests: [KeyTest], in files: [ProjectFile]) -> [Finding] {
  tests.filter { test in
    !files.contains { file in
      file.target == test.folder
        && (file.code.contains("func `\(test.title)`") || file.code.contains("func \(test.title)("))
    }
  }.map { Finding(path: "Protocol/Keys.md", line: $0.line, what: $0.title) }
}
