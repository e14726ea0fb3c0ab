import Foundation
import Support
import Testing

/// The short form of what Scripts/simulate does for hours; `Tests/Simulation` says what a schedule is.
@Suite struct SimulationTests {
  /// Runs the program to its end.
  private func simulate(_ arguments: [String]) async throws -> (status: Int32, said: String) {
    let folder = try TemporaryFolder()
    let output = try folder.file("output", [])
    let handle = try #require(FileHandle(forWritingAtPath: output))
    let child = try ChildProcess(
      [Self.program] + arguments, in: folder.path, output: handle.fileDescriptor,
      errors: handle.fileDescriptor)
    let status = await child.ended()
    return (status, try String(contentsOfFile: output, encoding: .utf8))
  }

  private static let program: String = {
    let own = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
    let project = URL(filePath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let places = [own, project.appending(path: ".build/debug")]
    return places.map { $0.appending(path: "Simulation").path }.first {
      FileManager.default.isExecutableFile(atPath: $0)
    } ?? "Simulation"
  }()

  // MARK: - Schedules

  /// Two at a time, on as many cores; each run begins elsewhere.
  @Test(arguments: [0, 1])
  func `cases that go wrong in every way come out right`(half: UInt64) async throws {
    let seed = UInt64.random(in: 1...1_000_000_000) * 2 + half
    let (status, said) = try await simulate(
      ["--seed", "\(seed)", "--count", "500", "--seconds", "45", "--shrink"])
    #expect(status == 0, "\(said)")
    #expect(figure("schedules", in: said) ?? 0 > 20)
    #expect(figure("crashes within a step", in: said) ?? 0 > 0)
  }

  /// Each found something that was mended since, or an oracle that was wrong.
  static let failedOnce: [UInt64] = []

  @Test func `seeds that failed once do not fail any more`() async throws {
    for seed in Self.failedOnce {
      let (status, said) = try await simulate(["--seed", "\(seed)"])
      #expect(status == 0, "\(said)")
    }
  }

  @Test func `one seed gives one story, to the last state`() async throws {
    for seed in [3, 8] as [UInt64] {
      let first = try await simulate(["--seed", "\(seed)", "--show"])
      let second = try await simulate(["--seed", "\(seed)", "--show"])
      let stories = [first, second].map { run in
        run.said.split(separator: "\n").filter { !$0.hasSuffix("schedules a second") }
      }
      #expect(stories[0] == stories[1])
      #expect(stories[0].contains { $0.hasPrefix("judging: phone ") })
    }
  }

  // MARK: - Seen to fail

  @Test(arguments: [
    "state", "lost", "words", "shown", "blame", "silence", "role", "cut", "receipt",
  ])
  func `what is spoilt on purpose is noticed`(defect: String) async throws {
    let (status, said) = try await simulate(
      ["--seed", "1", "--count", "40", "--defect", defect, "--until-failure"])
    #expect(status == 1, "\(said)")
    #expect(figure("failed", in: said) == 1)
  }

  // MARK: - What was said

  /// The figure that stands before these words.
  private func figure(_ words: String, in said: String) -> Int? {
    said.split(separator: "\n").lazy.compactMap { line -> Int? in
      let parts = line.split(separator: " ", maxSplits: 1)
      guard parts.count == 2, parts[1].trimmingCharacters(in: .whitespaces) == words else {
        return nil
      }
      return Int(parts[0])
    }.first
  }
}
