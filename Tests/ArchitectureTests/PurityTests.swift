import Testing

@Suite struct `Purity of the deciding targets` {
  static let files = Project.sources.filter { pureTargets.contains($0.target ?? "") }

  @Test(arguments: Purity.rules)
  func `a pure target has none of`(rule: TextRule) throws {
    expectNone(try rule.findings(in: Self.files))
  }

  @Test func `only Cryptography draws random bytes`() throws {
    let others = Self.files.filter { $0.target != "Cryptography" }
    expectNone(try Purity.drawing.findings(in: others))
  }

  @Test func `nothing depends on the order of a set or a dictionary`() throws {
    expectNone(try Self.files.flatMap(orderedIterations(in:)))
  }

  // Guarded or not: the core that travels is the same text everywhere.
  @Test(arguments: ["Cryptography", "VerifiableLog", "CaseLog", "SealedBundle"])
  func `the verifier core is there, and without Foundation`(target: String) throws {
    let files = Self.files.filter { $0.target == target }
    #expect(!files.isEmpty)
    for file in files {
      #expect(
        !(try imports(in: file).contains { $0.module.hasPrefix("Foundation") }), "\(file.path)")
    }
  }

  // Seen to fail:

  @Test(arguments: Purity.rules + [Purity.drawing])
  func `each rule finds its bad samples and passes its good ones`(rule: TextRule) throws {
    try expectSamples(of: rule)
  }

  @Test(arguments: [
    "var seen: Set<LogID> = []\nfor log in seen {}",
    "let byLog: [LogID: Head]\nreturn byLog.values.map { $0 }",
    "func f(_ heads: [LogID: [Head]]) { for (log, head) in heads where head.isNew {} }",
    "var slots = [:]\nlet list = Array(slots.keys)",
    "let ids = Set(all)\nids.forEach(use)",
  ])
  func `a loop over a set or a dictionary is found`(text: String) throws {
    #expect(try orderedIterations(in: ProjectFile(path: "A.swift", text: text)).count == 1)
  }

  @Test(arguments: [
    "var seen: Set<LogID> = []\nfor log in logs where seen.contains(log) {}",
    "let byLog: [LogID: Head]\nfor head in byLog.values.sorted() {}",
    "let byLog: [LogID: Head]\nfor head in byLog.values {  // any order: a sum\n}",
    "let list: [Head]\nfor head in list {}",
  ])
  func `a loop whose order is known is not`(text: String) throws {
    expectNone(try orderedIterations(in: ProjectFile(path: "A.swift", text: text)))
  }
}

func expectSamples(of rule: TextRule) throws {
  #expect(!rule.bad.isEmpty)
  for sample in rule.bad {
    #expect(
      !(try rule.findings(in: ProjectFile(path: "A.swift", text: sample)).isEmpty), "\(sample)")
  }
  for sample in rule.good {
    expectNone(try rule.findings(in: ProjectFile(path: "A.swift", text: sample)))
  }
}
