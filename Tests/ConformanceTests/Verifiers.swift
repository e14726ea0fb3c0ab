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
    self.init(status: finished.status, object: try finished.json())
  }

  /// One of many that a process said.
  init(line: String) throws {
    let object = try JSONSerialization.jsonObject(with: Data(line.utf8))
    self.init(status: 0, object: try #require(object as? [String: Any]))
  }

  /// How often something was found.
  func count(of code: String) -> Int {
    let findings = object["findings"] as? [[String: Any]] ?? []
    return findings.count { $0["code"] as? String == code }
  }

  private init(status: Int32, object: [String: Any]) {
    self.status = status
    self.object = object
    verdict = object["verdict"] as? String ?? ""
    let findings = object["findings"] as? [[String: Any]] ?? []
    codes = Set(findings.compactMap { $0["code"] as? String })
  }
}

/// The two verifiers, as processes of their own.
enum Verifiers {
  static func run(
    _ level: Level, _ arguments: [String], through: [String] = []
  ) async throws -> Said {
    try Said(try await finished(level, arguments + ["--json"], through: through))
  }

  /// Of a command that may not be understood.
  static func status(_ level: Level, _ arguments: [String]) async throws -> Int32 {
    try await finished(level, arguments).status
  }

  private static func finished(
    _ level: Level, _ arguments: [String], through: [String] = []
  ) async throws -> Finished {
    let folder = try TemporaryFolder()
    guard level == .independent else {
      return try await Running(
        through + [Program.path(of: "cairn-verify")] + arguments, in: folder.path,
        environment: ProcessInfo.processInfo.environment
      ).finish()
    }
    return try await python(
      [verifyFolder + "/verify.py"] + arguments, in: folder.path, through: through)
  }

  private static let verifyFolder = Table.project.appending(path: "Protocol/verify").path

  /// Runs Python with what the independent verifier is made of within its reach.
  static func python(
    _ arguments: [String], in folder: String, through: [String] = []
  ) async throws -> Finished {
    let python = Table.project.appending(path: ".build/python/bin/python").path
    let isThere = FileManager.default.isExecutableFile(atPath: python)
    try #require(isThere, "Scripts/test installs what the independent verifier needs")
    var environment = ProcessInfo.processInfo.environment
    environment["PYTHONPATH"] =
      verifyFolder + ":" + Table.project.appending(path: "Tests/Protocol").path
    return try await Running(
      through + [python] + arguments, in: folder, environment: environment
    ).finish()
  }

  /// What `verify.py` makes of a folder.
  static func folder(
    _ path: String, kit: String? = nil, through: [String] = []
  ) async throws -> Said {
    try await run(
      .independent, ["folder", path] + (kit.map { ["--kit", $0] } ?? []), through: through)
  }

  /// What `verify.py` makes of many bundles, in one process.
  static func bundles(_ attempts: [BundleAttempt]) async throws -> [Said] {
    let folder = try TemporaryFolder()
    let questions = try attempts.enumerated().map { index, attempt in
      [
        "file": try folder.file("\(index)", attempt.archive),
        "fingerprint": attempt.trust.caseID?.fingerprint as Any?,
        "witnesses": attempt.trust.witnesses.map(\.verifierKey),
      ].compactMapValues { $0 }
    }
    let script = """
      import json, sys
      import bundle, encoding, logs, verify
      for asked in json.load(open(sys.argv[1])):
          known = asked.get("fingerprint")
          trust = bundle.Trust(encoding.from_b32(known, 32) if known else None,
                               tuple(logs.WitnessKey.parse(key) for key in asked["witnesses"]))
          print(json.dumps(verify.said_of_bundle(verify.check_bundle(asked["file"], None, trust))))
      """
    let asked = try folder.file(
      "asked", [UInt8](try JSONSerialization.data(withJSONObject: questions)))
    let finished = try await python(["-c", script, asked], in: folder.path)
    #expect(finished.status == 0, "\(finished.errors)")
    return try finished.output.split(separator: "\n").map { try Said(line: String($0)) }
  }

  /// What `Tests/Protocol/edges.py` says of signatures.
  static func edges(_ arguments: [String]) async throws -> Finished {
    let script = Table.project.appending(path: "Tests/Protocol/edges.py").path
    let finished = try await python([script] + arguments, in: Table.project.path)
    #expect(finished.status == 0, "\(finished.errors)")
    return finished
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
  ///
  /// - Parameter through: a program that runs them, with its arguments.
  func said(
    isRefused: Bool, through: [String] = []
  ) async throws -> [(level: Level, said: Said)] {
    try await saidBySwift(isRefused: isRefused, through: through) + [
      (.independent, try await independent(through))
    ]
  }

  private func independent(_ through: [String]) async throws -> Said {
    let folder = try TemporaryFolder()
    let file = try folder.file("bundle.zip", archive)
    return try await Verifiers.run(.independent, ["bundle", file] + known, through: through)
  }

  fileprivate func saidBySwift(
    isRefused: Bool, through: [String] = []
  ) async throws -> [(level: Level, said: Said)] {
    let person = try await Person(hasVault: false)
    let file = try person.folder.file("bundle.zip", archive)
    let command = isRefused ? ["open", file, "--output", "out"] : ["verify", file]
    let program = try await person.start(
      command + ["--json", "--no-input"] + known, through: through
    ).finish()
    let left = try FileManager.default.contentsOfDirectory(atPath: person.folder.path).filter {
      $0.hasPrefix(".") || $0 == "out"
    }
    #expect(left == [], "nothing of it is written")
    return [
      (.program, try Said(program)),
      (.verifier, try await Verifiers.run(.verifier, [file] + known, through: through)),
    ]
  }
}

extension Row {
  /// Gives a bundle to the library and the three programs: none takes it, each names what is wrong.
  ///
  /// - Parameter through: a program that runs them, with its arguments.
  func refuses(
    _ attempt: BundleAttempt, as code: BundleFinding.Code, through: [String] = [],
    sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    let verdict = attempt.verdict
    #expect(verdict.findings.first?.code == code, sourceLocation: sourceLocation)
    #expect(
      verdict.outcome == (code.weight == .blocks ? .cannotCheck : .changed),
      sourceLocation: sourceLocation)
    saw(.refused, at: .library)
    for (level, said) in try await attempt.said(isRefused: true, through: through) {
      expect(code, in: said, at: level, sourceLocation)
    }
  }

  /// The same for many, of which `verify.py` is told in one process; how it ends is seen of the first.
  func refuses(
    _ attempts: [BundleAttempt], as code: BundleFinding.Code,
    sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    try await refuses(try #require(attempts.first), as: code, sourceLocation: sourceLocation)
    for attempt in attempts.dropFirst() {
      #expect(attempt.verdict.findings.first?.code == code, sourceLocation: sourceLocation)
      for (level, said) in try await attempt.saidBySwift(isRefused: true) {
        expect(code, in: said, at: level, sourceLocation)
      }
    }
    let all = try await Verifiers.bundles(attempts)
    #expect(all.count == attempts.count, sourceLocation: sourceLocation)
    for said in all {
      #expect(said.verdict == (code.weight == .blocks ? "cannot-check" : "changed"))
      #expect(said.codes.contains(code.rawValue), "\(said.codes)", sourceLocation: sourceLocation)
    }
  }

  private func expect(
    _ code: BundleFinding.Code, in said: Said, at level: Level, _ sourceLocation: SourceLocation
  ) {
    #expect(
      said.status == (code.weight == .blocks ? 22 : 20), "\(level)",
      sourceLocation: sourceLocation)
    #expect(
      said.codes.contains(code.rawValue), "\(level): \(said.codes)",
      sourceLocation: sourceLocation)
    saw(.refused, at: level)
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
