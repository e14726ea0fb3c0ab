import BundleCheck
import BundleFixtures
import CaseLog
import Foundation
import People
import SealedBundle
import Support
import Testing
import VerifiableLog

/// What a verifier said of a bundle or of a folder.
struct Said {
  let status: Int32
  let verdict: String
  let codes: Set<String>
  /// All of it, as it was printed for scripts.
  let object: [String: Any]

  init(_ finished: Finished) throws {
    status = finished.status
    object = try finished.json()
    verdict = object["verdict"] as? String ?? ""
    let findings = object["findings"] as? [[String: Any]] ?? []
    codes = Set(findings.compactMap { $0["code"] as? String })
  }
}

/// The two verifiers, as processes of their own.
enum Verifiers {
  static func run(_ level: Level, _ arguments: [String]) async throws -> Said {
    try Said(try await finished(level, arguments + ["--json"]))
  }

  /// Of a command that may not be understood.
  static func status(_ level: Level, _ arguments: [String]) async throws -> Int32 {
    try await finished(level, arguments).status
  }

  private static func finished(_ level: Level, _ arguments: [String]) async throws -> Finished {
    let command =
      level == .independent ? try independent : [Program.path(of: "cairn-verify")]
    let folder = try TemporaryFolder()
    let environment = ProcessInfo.processInfo.environment
    return try await Running(command + arguments, in: folder.path, environment: environment)
      .finish()
  }

  private static var independent: [String] {
    get throws {
      let python = Table.project.appending(path: ".build/python/bin/python").path
      let isThere = FileManager.default.isExecutableFile(atPath: python)
      try #require(isThere, "Scripts/test installs what the independent verifier needs")
      return [python, Table.project.appending(path: "Protocol/verify/verify.py").path]
    }
  }

  /// What `verify.py` makes of a folder.
  static func folder(_ path: String, kit: String? = nil) async throws -> Said {
    try await run(.independent, ["folder", path] + (kit.map { ["--kit", $0] } ?? []))
  }
}

/// A bundle that somebody made or changed, and what its reader knows from elsewhere.
struct BundleAttempt {
  let archive: [UInt8]
  let trust: BundleTrust

  private var known: [String] {
    (trust.caseID.map { ["--fingerprint", $0.fingerprint] } ?? [])
      + trust.witnesses.flatMap { ["--witness", $0.verifierKey] }
  }

  /// The library's verdict.
  var verdict: BundleVerdict { BundleVerifier.verify(MemorySource(archive), trust: trust) }

  /// What the programs say of it: `cairn verify` or, of one that is refused, `cairn open`; `cairn-verify`;
  /// `verify.py`.
  func said(isRefused: Bool) async throws -> [(level: Level, said: Said)] {
    let person = try await Person(hasVault: false)
    let file = try person.folder.file("bundle.zip", archive)
    let command = isRefused ? ["open", file, "--output", "out"] : ["verify", file]
    let program = try await person.run(command + ["--json", "--no-input"] + known)
    let left = try FileManager.default.contentsOfDirectory(atPath: person.folder.path).filter {
      $0.hasPrefix(".") || $0 == "out"
    }
    #expect(left == [], "nothing of it is written")
    return [
      (.program, try Said(program)),
      (.verifier, try await Verifiers.run(.verifier, [file] + known)),
      (.independent, try await Verifiers.run(.independent, ["bundle", file] + known)),
    ]
  }
}

extension Row {
  /// Gives a bundle to the library and the three programs: none takes it, each names what is wrong.
  func refuses(
    _ attempt: BundleAttempt, as code: BundleFinding.Code,
    sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    let verdict = attempt.verdict
    #expect(verdict.findings.first?.code == code, sourceLocation: sourceLocation)
    #expect(
      verdict.outcome == (code.weight == .blocks ? .cannotCheck : .changed),
      sourceLocation: sourceLocation)
    saw(.refused, at: .library)
    for (level, said) in try await attempt.said(isRefused: true) {
      #expect(
        said.status == (code.weight == .blocks ? 22 : 20), "\(level)",
        sourceLocation: sourceLocation)
      #expect(
        said.codes.contains(code.rawValue), "\(level): \(said.codes)",
        sourceLocation: sourceLocation)
      saw(.refused, at: level)
    }
  }

  /// Gives a bundle to the library and the three programs: all hold that it is whole, and tell these things of it.
  func tells(
    _ codes: Set<BundleFinding.Code>, of attempt: BundleAttempt, as outcome: Outcome,
    sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    let verdict = attempt.verdict
    #expect(
      verdict.outcome == .intact || verdict.outcome == .consistent, "\(verdict.findings)",
      sourceLocation: sourceLocation)
    #expect(
      codes.isSubset(of: verdict.findings.map(\.code)), "\(verdict.findings)",
      sourceLocation: sourceLocation)
    saw(outcome, at: .library)
    for (level, said) in try await attempt.said(isRefused: false) {
      #expect(
        said.status == (verdict.findings.isEmpty ? 0 : 21), "\(level): \(said.codes)",
        sourceLocation: sourceLocation)
      #expect(
        said.codes.isSuperset(of: codes.map(\.rawValue)), "\(level): \(said.codes)",
        sourceLocation: sourceLocation)
      saw(outcome, at: level)
    }
  }
}

extension ProtocolVector {
  /// The vector's bundle, for a reader who knows what the vector says.
  func attempt() throws -> BundleAttempt {
    BundleAttempt(
      archive: try bundle(),
      trust: try BundleTrust(
        fingerprint: fields["fingerprint"] as? String,
        witnesses: try #require(fields["witness"] as? [String])))
  }
}
