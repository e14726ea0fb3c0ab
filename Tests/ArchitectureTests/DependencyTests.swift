import Foundation
import Testing

@Suite struct `Dependencies` {
  @Test func `the targets depend on each other as drawn`() throws {
    let departures = Plan.cairn.departures(of: try declared())
    #expect(departures == [])
  }

  /// C that scripts build and SwiftPM does not: Scripts/sanitize and Scripts/sqlite-suite.
  static let builtByScripts = [
    "Tests/SealedExtension/", "Tests/SealedStress/", "Tests/SQLiteSuite/",
  ]

  @Test func `no target imports what it does not declare`() throws {
    let graph = try PackageGraph.declared()
    var findings: [Finding] = []
    for file in Project.sources + Project.tests {
      if Self.builtByScripts.contains(where: { file.path.hasPrefix($0) }) { continue }
      let target = graph.targets.first { file.path.hasPrefix($0.folder + "/") }
      guard let target else {
        findings.append(Finding(path: file.path, line: 1, what: "belongs to no target"))
        continue
      }
      findings += try undeclaredImports(in: file, of: target.name, declared: target.names)
    }
    expectNone(findings)
  }

  /// Scripts/fuzz builds these files of the vault without SwiftPM, and without SQLite and what stands on it.
  @Test func `what is fuzzed of the vault needs no database`() throws {
    let script = try #require(Project.text("Scripts/fuzz"))
    let list = try #require(
      try matches(of: #"(?s)\nvault_files\(\) \{\n(.*?)\n\}"#, in: script).first)
    let names = Set(list.groups[1].split { !$0.isLetter }.map { "\($0).swift" })
    let fuzzed = Project.sources.filter {
      $0.target == "Vault" && names.contains(URL(filePath: $0.path).lastPathComponent)
    }
    #expect(fuzzed.count > 10)
    expectNone(
      try fuzzed.flatMap {
        try undeclaredImports(
          in: $0, of: "Vault",
          declared: ["Cryptography", "VerifiableLog", "CaseLog", "Sync", "Mailboxes"])
      })
  }

  @Test func `only Cryptography and the sealed VFS see libsodium`() throws {
    let owners: Set = ["CSodium", "CSealedVFS", "Cryptography"]
    let pattern = #"^.*(\bimport\s+CSodium\b|#\s*include\s*[<"]sodium).*$"#
    let outside = Project.sources.filter { !owners.contains($0.target ?? "") }
    let findings = try outside.flatMap { file in
      try matches(of: pattern, in: file.text).map {
        Finding(path: file.path, line: $0.line, what: $0.groups[0])
      }
    }
    expectNone(findings)
    let declaring = try declared().filter { $0.value.contains("CSodium") }.keys
    #expect(Set(declaring).subtracting(owners) == [])
  }

  @Test(arguments: ["Relay", "RelayCommand"])
  func `a relay reaches nothing that holds meaning`(relay: String) throws {
    let meaning: Set = ["CaseLog", "Vault", "SealedBundle"]
    let reached = closure(of: relay, in: try declared())
    #expect(reached.intersection(meaning) == [])
  }

  @Test func `every Swift target of ours has the strict settings`() throws {
    let strict: Set = [
      "strictMemorySafety()", "treatAllWarnings(error)", "enableUpcomingFeature(ExistentialAny)",
      "enableUpcomingFeature(InternalImportsByDefault)",
      "enableUpcomingFeature(MemberImportVisibility)",
      "enableUpcomingFeature(NonisolatedNonsendingByDefault)",
    ]
    let swift = Set(
      (Project.sources + Project.tests).filter { $0.path.hasSuffix(".swift") }.compactMap(\.target))
    for target in try PackageGraph.declared().targets where swift.contains(target.name) {
      let missing = strict.subtracting(target.settings.map(\.description))
      #expect(missing == [], "\(target.name)")
    }
  }

  @Test func `other people's packages are pinned to one version`() throws {
    for pinned in try PackageGraph.declared().dependencies.flatMap({ $0.sourceControl ?? [] }) {
      #expect(Array(pinned.requirement.keys) == ["exact"], "\(pinned.identity)")
    }
  }

  // Seen to fail:

  @Test func `a dependency that is not drawn is found`() {
    let declared: [String: Set<String>] = [
      "CaseLog": ["Cryptography", "VerifiableLog", "Sync"], "Sync": ["CSodium"], "Gossip": [],
      "VerifyCommand": ["CaseLog", "SealedBundle", "Crypto", "ArgumentParser"],
    ]
    #expect(
      Plan.cairn.departures(of: declared) == [
        "CaseLog -> Sync", "Gossip is not drawn", "Sync -> CSodium", "VerifyCommand -> Crypto",
      ])
  }

  @Test func `what a relay reaches by way of others is found`() {
    let declared: [String: Set<String>] = ["Relay": ["Sync"], "Sync": ["CaseLog"], "CaseLog": []]
    #expect(closure(of: "Relay", in: declared) == ["Sync", "CaseLog"])
  }

  @Test func `an undeclared import is found in each of its forms`() throws {
    let text = """
      import Foundation
      public import Cryptography
      @testable import CaseLog
      @_spi(Testing) internal import struct GRDB.Row
      #if canImport(Crypto)
        internal import Crypto
      #endif
      // import Sync
      import Glibc.sys
      """
    let file = ProjectFile(path: "Sources/Vault/A.swift", text: text)
    let found = try undeclaredImports(in: file, of: "Vault", declared: ["Cryptography"])
    #expect(found.map(\.line) == [3, 4, 6])
    #expect(
      try undeclaredImports(
        in: file, of: "Vault", declared: ["Cryptography", "CaseLog", "GRDB", "Crypto"]) == [])
  }

  private func declared() throws -> [String: Set<String>] {
    let own = try PackageGraph.declared().targets.filter { !$0.isTest }
    return Dictionary(uniqueKeysWithValues: own.map { ($0.name, $0.names) })
  }
}

extension PackageGraph.Target {
  var names: Set<String> { Set(dependencies.map(\.name)) }
}

/// Modules that come with the toolchain: everything else has to be declared.
let toolchainModules: Set = [
  "Swift", "Synchronization", "Testing", "Foundation", "FoundationEssentials", "Dispatch", "Glibc",
  "Darwin",
]

func undeclaredImports(
  in file: ProjectFile, of target: String, declared: Set<String>
) throws -> [Finding] {
  try imports(in: file).compactMap { module, line in
    let isKnown = toolchainModules.contains(module) || declared.contains(module) || module == target
    return isKnown ? nil : Finding(path: file.path, line: line, what: "undeclared: \(module)")
  }
}

func imports(in file: ProjectFile) throws -> [(module: String, line: Int)] {
  let attributes = #"(?:@\w+(?:\([^)]*\))?\s+)*(?:\w+ +)?"#
  let kinds = "(?:(?:struct|class|enum|protocol|typealias|func|var|let|actor) +)?"
  let pattern = #"^ *\#(attributes)import +\#(kinds)(\w+)"#
  return try matches(of: pattern, in: file.code).map { ($0.groups[1], $0.line) }
}
