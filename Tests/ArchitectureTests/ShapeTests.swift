import Testing

@Suite struct `Shape of the code` {
  static let rules: [TextRule] = [
    TextRule(
      name: "an error thrown away, or a trap on one", pattern: #"\btry[!?]|\bas!"#,
      instead: "Handle it, or pass it on",
      bad: ["let x = try? f()", "try! f()", "x as! Int"],
      good: ["try f()", "x as? Int", "let s = \"try? again\"", "// as!"]),
    TextRule(
      name: "fatalError", pattern: #"\bfatalError\("#,
      instead: "precondition and preconditionFailure are for our own bugs; for the rest, throw",
      bad: ["fatalError()"], good: ["preconditionFailure()", "// fatalError("]),
    TextRule(
      name: "a folder read by hand", pattern: #"\breaddir\(|\bd_name\b"#,
      instead: "FolderNames reads no name past its end",
      allowed: ["Sources/Mailboxes/FolderNames.swift": "the one place"],
      bad: ["while let record = unsafe readdir(stream) {", "entry.pointee.d_name"],
      good: ["// readdir("]),
    TextRule(
      name: "a key or card that is believed without a check",
      pattern: #"\b(?:checkedBefore|verifiedBefore)\b"#,
      instead: "Decode what comes from elsewhere; only a vault's own rows were verified before",
      allowed: [
        "Sources/Cryptography/Ed25519.swift": "declares it",
        "Sources/CaseLog/Card.swift": "declares it",
        "Sources/CaseLog/RootStatement.swift": "declares it",
        "Sources/CaseLog/Succession.swift": "declares it",
        "Sources/Vault/CaseView.swift": "the rows of the sealed database",
        "Sources/Vault/CaseRow.swift": "the rows of the sealed database",
      ],
      bad: ["try Card(verifiedBefore: bytes)", "VerifyingKey(checkedBefore: raw)"],
      good: ["try Card(decoding: bytes)"]),
    TextRule(
      name: "what only tests may do with a vault",
      pattern:
        #"\.(?:signAsItIs\(|heldLogs\(ofCase:|root\(ofLog:|append\([^\n]*\btoCase:)|(?:: |KeyCost)\.least\b"#,
      instead: "Sources/Vault/TestAccess.swift says for whom it is",
      allowed: ["Sources/Vault/TestAccess.swift": "declares it"],
      bad: [
        "try vault.signAsItIs()", "vault.heldLogs(ofCase: nil)", "vault.root(ofLog: id, size: 1)",
        "vault.append(content, as: .cut, toCase: nil)", "create(cost: .least)", "KeyCost.least",
      ],
      good: ["batch.append(addition)", "try vault.add([entry], toCase: nil)", "tree.root()"]),
    TextRule(
      name: "a note to self", pattern: #"\b(?:TODO|FIXME|XXX|HACK)\b"#,
      instead: "Do it, or say in a sentence what is missing and why", readsProse: true,
      bad: ["// TODO: later", "/* FIXME */", "let s = \"TODO\""], good: ["let todoList = 1"]),
  ]

  /// Lists of words are data: their length is not a sign of anything.
  static let isData: @Sendable (String) -> Bool = { $0.contains("WordList") }

  @Test(arguments: rules)
  func `the sources have none of`(rule: TextRule) throws {
    expectNone(try rule.findings(in: Project.sources))
  }

  static let process = TextRule(
    name: "Foundation's Process", pattern: #"\bProcess\(\)"#,
    instead: "ChildProcess reads no name past its end",
    bad: ["let process = Process()"], good: ["ChildProcess([])", "// Process()"])

  @Test func `no program is run by what can end this one`() throws {
    expectNone(try Self.process.findings(in: Project.sources + Project.tests))
  }

  @Test func `no file is longer than 600 lines`() {
    let files = Project.sources.filter { !Self.isData($0.path) }
    let long = files.filter { $0.lines > 400 }
    if !long.isEmpty {
      print("over 400 lines: \(long.map { "\($0.path) \($0.lines)" }.joined(separator: ", "))")
    }
    expectNone(
      files.filter { $0.lines > 600 }.map {
        Finding(path: $0.path, line: 600, what: "a file of \($0.lines) lines")
      })
  }

  @Test func `no function is longer than 60 lines`() throws {
    let files = Project.sources.filter { !Self.isData($0.path) }
    expectNone(try files.flatMap { try longFunctions(in: $0, over: 60) })
  }

  // Seen to fail:

  @Test(arguments: rules + [process])
  func `each rule finds its bad samples and passes its good ones`(rule: TextRule) throws {
    try expectSamples(of: rule)
  }

  @Test func `a long function is found in Swift and in C`() throws {
    let body = String(repeating: "  work();\n", count: 60)
    let swift = ProjectFile(path: "A.swift", text: "struct A {\n  func f(\n  ) {\n\(body)  }\n}\n")
    let c = ProjectFile(
      path: "a.c", text: "struct a {\n  int b;\n};\n\nint f(int c)\n{\n\(body)}\n")
    #expect(try longFunctions(in: swift, over: 60).map(\.line) == [2])
    #expect(try longFunctions(in: c, over: 60).map(\.line) == [5])
    #expect(try longFunctions(in: c, over: 63) == [])
  }
}

func longFunctions(in file: ProjectFile, over limit: Int) throws -> [Finding] {
  guard let language = Language(path: file.path) else { return [] }
  let all: [FunctionExtent]
  do {
    all = try functions(in: file.code, language)
  } catch {
    return [Finding(path: file.path, line: 1, what: "braces do not match, outside of strings")]
  }
  return all.filter { $0.lines > limit }.map {
    Finding(path: file.path, line: $0.line, what: "a function of \($0.lines) lines")
  }
}
