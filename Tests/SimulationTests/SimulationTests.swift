import Foundation
import Support
import Testing

/// The short form of what Scripts/simulate does for hours, in some five minutes; `Tests/Simulation` says what a schedule is.
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

  /// A thousand, in runs beside each other, most of them short. Always the same: what fails here fails everywhere.
  @Test(arguments: [(seed: 1, length: 16), (5_001, 8), (10_001, 8), (15_001, 6)])
  func `cases that go wrong in every way come out right`(run: (seed: Int, length: Int)) async throws
  {
    let (status, said) = try await simulate(
      ["--seed", "\(run.seed)", "--count", "250", "--length", "\(run.length)", "--shrink"])
    #expect(status == 0, "\(said)")
    #expect(figure("schedules", in: said) == 250)
  }

  /// Seeds with the length of their schedules. What they showed: members that an admission without power made
  /// (5, 5008), an invitation that was never handed over (9), copies that keep different histories of a forked log
  /// (6), a member who has not met anybody and hands the case over (15), one who was removed (20010), what the root
  /// said and was lost with a device (60, 101), the beginning of a log passed on by who lacks the rest (71), control
  /// entries without power that somebody cannot open (125), what somebody wrote who is no member any more (5382), a
  /// log of nobody's that some hold and others do not (7029), heads that the mailbox spoilt, of older keys and before a
  /// crash (861900, 700029), keys that lost their power or were replaced before who needs them had newer ones (400178,
  /// 700131), an entry of nobody's that one device held already (700368), keys that only a member has whom they admit (5462).
  static let failedOnce: [(seed: UInt64, length: Int)] = [
    (5, 24), (6, 24), (9, 24), (15, 24), (5_008, 24), (20_010, 16), (653, 16),
    (60, 16), (71, 16), (101, 16), (125, 16), (201, 16), (5_382, 16), (7_029, 16), (861_900, 16),
    (700_029, 16), (400_178, 16), (700_131, 16), (700_368, 16),
    (1_200_501, 16), (1_300_342, 16), (1_749, 16), (2_213, 16), (2_964, 16), (5_462, 16),
  ]

  @Test func `seeds that failed once do not fail any more`() async throws {
    for (seed, length) in Self.failedOnce {
      let (status, said) = try await simulate(["--seed", "\(seed)", "--length", "\(length)"])
      #expect(status == 0, "\(said)")
    }
  }

  @Test func `one seed gives one story, to the last state, whatever ran before it`() async throws {
    for seed in [3, 8] as [UInt64] {
      let alone = try await story(["--seed", "\(seed)"])
      let again = try await story(["--seed", "\(seed)"])
      let afterAnother = try await story(["--seed", "\(seed - 1)", "--count", "2"])
      #expect(alone == again)
      #expect(alone.contains { $0.hasPrefix("judging: phone ") })
      #expect(afterAnother.suffix(alone.count) == alone[...])
    }
  }

  /// What happens in schedules, without the figures at the end.
  private func story(_ arguments: [String]) async throws -> [Substring] {
    let (_, said) = try await simulate(arguments + ["--show"])
    return said.split(separator: "\n").filter { !$0.hasPrefix("  ") && !$0.hasSuffix(" a second") }
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
