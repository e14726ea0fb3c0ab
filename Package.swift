// swift-tools-version: 6.3
import PackageDescription

/// The same strict settings for every target of our own; the reasons are in CONTRIBUTING.md.
let strict: [SwiftSetting] = [
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

/// What is tested is compiled as it is delivered, with all checks: half the time of the tests, and the code that users run.
let optimized: [SwiftSetting] = [
  .unsafeFlags(["-O", "-assert-config", "Debug"], .when(configuration: .debug))
]

func library(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: strict + optimized)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let sqlite: Target.Dependency = .product(name: "GRDBSQLite", package: "GRDB.swift")
let arguments: Target.Dependency = .product(
  name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
  name: "cairn",
  products: [
    .executable(name: "cairn", targets: ["CairnCommand"]),
    .executable(name: "cairn-verify", targets: ["VerifyCommand"]),
    .library(name: "cairn-recorder", type: .dynamic, targets: ["CRecorder"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
    .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
  ],
  targets: [
    .systemLibrary(name: "CSodium", pkgConfig: "libsodium", providers: [.apt(["libsodium-dev"])]),
    // Debian's has no .pc file; the module map names the library.
    .systemLibrary(name: "CZxcvbn", providers: [.apt(["libzxcvbn-dev"])]),
    .systemLibrary(
      name: "CQRencode", pkgConfig: "libqrencode", providers: [.apt(["libqrencode-dev"])]),
    .target(
      name: "CSealedVFS", dependencies: ["CSodium"],
      linkerSettings: [.linkedLibrary("sqlite3"), .linkedLibrary("sodium")]),
    library("Cryptography", ["CSodium", crypto]),
    library("Passphrases", ["CZxcvbn", "Cryptography"]),
    library("QRCodes", ["CQRencode"]),
    library("VerifiableLog", ["Cryptography"]),
    library("CaseLog", ["Cryptography", "VerifiableLog"]),
    library("Sync", ["Cryptography", "VerifiableLog"]),
    library("Mailboxes", ["Cryptography", "VerifiableLog", "Sync"]),
    library("SealedBundle", ["Cryptography", "VerifiableLog", "CaseLog"]),
    library("BundleCheck", ["Cryptography", "VerifiableLog", "CaseLog", "SealedBundle"]),
    library(
      "Vault",
      [
        "CSealedVFS", "Cryptography", "VerifiableLog", "CaseLog", "Sync", "Mailboxes",
        "SealedBundle", grdb, sqlite,
      ]),
    .executableTarget(
      name: "CairnCommand",
      dependencies: [
        "Cryptography", "Passphrases", "QRCodes", "VerifiableLog", "CaseLog", "Mailboxes",
        "SealedBundle", "BundleCheck", "Vault", arguments,
      ], swiftSettings: strict),
    .executableTarget(
      name: "VerifyCommand",
      dependencies: [
        "Cryptography", "VerifiableLog", "CaseLog", "SealedBundle", "BundleCheck", arguments,
      ], swiftSettings: strict),

    tests("CSealedVFSTests", ["CSealedVFS", "Cryptography", "Support", grdb, sqlite]),
    tests("CryptographyTests", ["Cryptography", "Support"]),
    tests("PassphrasesTests", ["Cryptography", "Passphrases"]),
    tests("VerifiableLogTests", ["Cryptography", "VerifiableLog", "Support"]),
    tests("CaseLogTests", ["Cryptography", "VerifiableLog", "CaseLog", "Support"]),
    tests("SyncTests", ["Cryptography", "VerifiableLog", "Sync", "Mailboxes", "Support"]),
    tests(
      "SealedBundleTests",
      [
        "Cryptography", "VerifiableLog", "CaseLog", "SealedBundle", "BundleCheck", "BundleFixtures",
        "Support",
      ]),
    tests(
      "VaultTests",
      [
        "Cryptography", "VerifiableLog", "CaseLog", "Sync", "SealedBundle", "Vault", "Support",
        "People", grdb, sqlite,
      ]),
    tests("CommandTests", ["Support", "People", "Cryptography", "Vault"]),
    tests(
      "ConformanceTests",
      [
        "Cryptography", "VerifiableLog", "CaseLog", "Sync", "Mailboxes", "SealedBundle",
        "BundleCheck",
        "Vault", "BundleFixtures", "People", "Support", grdb,
      ]),
    tests("TortureTests", ["People"]),
    tests("SimulationTests", ["Support"]),
    tests("ArchitectureTests", ["Support"]),
    // The targets alone; what drives them is built by Scripts/fuzz.
    .testTarget(
      name: "FuzzTests",
      dependencies: [
        "Cryptography", "VerifiableLog", "CaseLog", "Sync", "Mailboxes", "SealedBundle",
        "BundleCheck", "Vault",
      ], path: "Fuzz", exclude: ["Corpus", "Driver", "README.md"], swiftSettings: strict),
    .executableTarget(
      name: "PatchedAdvocate", dependencies: ["Cryptography", "CaseLog", "VerifiableLog", "Vault"],
      path: "Tests/PatchedAdvocate", swiftSettings: strict),
    .executableTarget(
      name: "Answers",
      dependencies: [
        "Cryptography", "VerifiableLog", "CaseLog", "SealedBundle", "BundleCheck", "Vault",
      ],
      path: "Tests/Answers", swiftSettings: strict),
    .target(
      name: "Measuring", dependencies: ["Cryptography", "Vault"], path: "Benchmarks/Measuring",
      swiftSettings: strict),
    .executableTarget(
      name: "FindingBenchmark", dependencies: ["Cryptography", "CaseLog", "Vault", "Measuring"],
      path: "Benchmarks/Finding", swiftSettings: strict),
    .executableTarget(
      name: "ProtocolBenchmark",
      dependencies: ["Cryptography", "CaseLog", "VerifiableLog", "Sync", "Vault", "Measuring"],
      path: "Benchmarks/Protocol", exclude: ["peers", "requirements.txt"], swiftSettings: strict),
    .executableTarget(
      name: "StorageBenchmark", dependencies: ["Cryptography", "CaseLog", "Vault", "Measuring"],
      path: "Benchmarks/Storage", exclude: ["peers"], swiftSettings: strict),
    .target(
      name: "Support", dependencies: ["CChildProcess", "Cryptography"], path: "Tests/Support",
      swiftSettings: strict),
    .target(
      name: "People", dependencies: ["Cryptography", "Vault", "Support"], path: "Tests/People",
      swiftSettings: strict),
    .target(
      name: "BundleFixtures",
      dependencies: ["Cryptography", "VerifiableLog", "CaseLog", "SealedBundle", "Support"],
      path: "Tests/BundleFixtures", swiftSettings: strict),
    .target(name: "CChildProcess", path: "Tests/CChildProcess"),
    .executableTarget(
      name: "Torture",
      dependencies: [
        "CFailingMemory", "CaseLog", "Cryptography", "VerifiableLog", "Vault", "Support", arguments,
      ],
      path: "Tests/Torture", swiftSettings: strict),
    .target(
      name: "CFailingMemory", path: "Tests/FailingMemory",
      linkerSettings: [.linkedLibrary("sqlite3")]),
    .executableTarget(
      name: "Simulation",
      dependencies: [
        "CSimulatedMachine", "Cryptography", "VerifiableLog", "CaseLog", "Sync", "SealedBundle",
        "BundleCheck", "Vault", "Support", arguments,
      ],
      path: "Tests/Simulation", swiftSettings: strict + optimized),
    .target(
      name: "CSimulatedMachine", dependencies: ["CSodium"], path: "Tests/SimulatedMachine",
      linkerSettings: [.linkedLibrary("dl")]),
    // Preloaded into the program under test, and linked by nothing.
    .target(name: "CRecorder", path: "Tests/Recorder"),
  ]
)
