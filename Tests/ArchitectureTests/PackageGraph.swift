import Foundation

/// What Package.swift declares, as SwiftPM itself reads it.
struct PackageGraph: Decodable {
  let dependencies: [Dependency]
  let targets: [Target]

  /// Takes a second or two, once, and does not touch the build folder that a running test has locked.
  static func declared() throws -> PackageGraph { try loaded.get() }

  private static let loaded = Result {
    let scratch = FileManager.default.temporaryDirectory
      .appending(path: "cairn-architecture-\(ProcessInfo.processInfo.processIdentifier)")
    defer { try? FileManager.default.removeItem(at: scratch) }
    let json = try Project.output(of: [
      "swift", "package", "--disable-sandbox", "--package-path", Project.root.path,
      "--scratch-path", scratch.path, "dump-package",
    ])
    return try JSONDecoder().decode(PackageGraph.self, from: Data(json.utf8))
  }

  struct Target: Decodable {
    let name: String
    let type: String
    let path: String?
    let dependencies: [TargetDependency]
    let settings: [Setting]

    var folder: String { path ?? (type == "test" ? "Tests/\(name)" : "Sources/\(name)") }
    var isTest: Bool { folder.hasPrefix("Tests/") }
  }

  /// `{"byName": ["CSodium", null]}` or `{"product": ["Crypto", "swift-crypto", null, null]}`.
  struct TargetDependency: Decodable {
    let name: String

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: AnyKey.self)
      guard let kind = container.allKeys.first else {
        throw DecodingError.valueNotFound(
          String.self, .init(codingPath: decoder.codingPath, debugDescription: "a dependency"))
      }
      var values = try container.nestedUnkeyedContainer(forKey: kind)
      name = try values.decode(String.self)
    }
  }

  /// `{"tool": "swift", "kind": {"enableUpcomingFeature": {"_0": "ExistentialAny"}}}`, or with several words:
  /// `{"unsafeFlags": {"_0": ["-O"]}}`.
  struct Setting: Decodable {
    let tool: String
    let kind: [String: [String: Value]]

    struct Value: Decodable {
      let words: [String]

      init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        do {
          words = [try container.decode(String.self)]
        } catch is DecodingError {
          words = try container.decode([String].self)
        }
      }
    }

    var description: String {
      kind.map { "\($0)(\(($1["_0"]?.words ?? []).joined(separator: " ")))" }.joined()
    }
  }

  struct Dependency: Decodable {
    let sourceControl: [Pinned]?

    struct Pinned: Decodable {
      let identity: String
      let requirement: [String: Requirement]
    }
    enum Requirement: Decodable {
      case versions([String])
      case other

      init(from decoder: any Decoder) throws {
        let versions = try? decoder.singleValueContainer().decode([String].self)
        self = versions.map(Requirement.versions) ?? .other
      }
    }
  }

  struct AnyKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }
}

/// The house as drawn: for each target, what it stands on directly. What stands below may be named too,
/// except C libraries and other people's products, which only the target that wraps them may use.
struct Plan {
  let below: [String: Set<String>]
  let onlyDirectly: Set<String>

  static let cairn = Plan(
    below: [
      "CSodium": [],
      "CSealedVFS": ["CSodium"],
      "Cryptography": ["CSodium", "Crypto"],
      "CZxcvbn": [],
      "CQRencode": [],
      "Passphrases": ["Cryptography", "CZxcvbn"],
      "QRCodes": ["CQRencode"],
      "VerifiableLog": ["Cryptography"],
      "CaseLog": ["VerifiableLog"],
      "Sync": ["VerifiableLog"],
      "Mailboxes": ["Sync"],
      "SealedBundle": ["CaseLog"],
      "BundleCheck": ["SealedBundle"],
      "Vault": ["CSealedVFS", "GRDB", "GRDBSQLite", "CaseLog", "Mailboxes", "SealedBundle"],
      "VerifyCommand": ["BundleCheck", "ArgumentParser"],
      "CairnCommand": [
        "Vault", "BundleCheck", "Passphrases", "QRCodes", "LocalWeb", "ArgumentParser",
      ],
      "LocalWeb": ["Vault"],
      "FuzzTests": ["Vault", "BundleCheck"],
      "Measuring": ["Vault"],
      "FindingBenchmark": ["Measuring"], "StorageBenchmark": ["Measuring"],
      "ProtocolBenchmark": ["Measuring"],
      "Relay": ["VerifiableLog", "Sync"],
      "RelayCommand": ["Relay", "ArgumentParser"],
    ],
    onlyDirectly: [
      "CSodium", "CSealedVFS", "CZxcvbn", "CQRencode", "Crypto", "GRDB", "GRDBSQLite",
      "ArgumentParser",
    ])

  /// All that a target may name.
  func allowed(_ target: String) -> Set<String> {
    reach(target).filter { !onlyDirectly.contains($0) }.union(below[target] ?? [])
  }

  private func reach(_ target: String) -> Set<String> {
    (below[target] ?? []).reduce(into: []) { $0.formUnion(reach($1).union([$1])) }
  }

  /// Each declared dependency that is not drawn, and each target that is not.
  func departures(of declared: [String: Set<String>]) -> [String] {
    declared.flatMap { target, names in
      guard below[target] != nil else { return ["\(target) is not drawn"] }
      return names.subtracting(allowed(target)).map { "\(target) -> \($0)" }
    }.sorted()
  }
}

/// All that can be reached from a target by declared dependencies.
func closure(of target: String, in declared: [String: Set<String>]) -> Set<String> {
  var reached: Set<String> = []
  var next = Array(declared[target] ?? [])
  while let name = next.popLast() {
    if reached.insert(name).inserted { next += declared[name] ?? [] }
  }
  return reached
}
