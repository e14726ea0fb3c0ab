import Foundation
import Support
import Testing

/// The short form of what Scripts/torture does for hours; `Tests/Torture` says what each campaign is.
@Suite struct TortureTests {
  /// Runs a campaign; its figures are what it prints.
  private func expectSound(
    _ arguments: [String], sourceLocation: SourceLocation = #_sourceLocation
  ) async throws -> [String: Int] {
    let folder = try TemporaryFolder()
    let output = try folder.file("output", [])
    let handle = try #require(FileHandle(forWritingAtPath: output))
    let child = try ChildProcess(
      [Self.program] + arguments, in: folder.path, output: handle.fileDescriptor,
      errors: handle.fileDescriptor)
    let status = await child.ended()
    let said = try String(contentsOfFile: output, encoding: .utf8)
    #expect(status == 0, "\(said)", sourceLocation: sourceLocation)
    var figures: [String: Int] = [:]
    for line in said.split(separator: "\n") {
      let words = line.split(separator: " ", maxSplits: 1)
      guard words.count == 2, let number = Int(words[0]) else { continue }
      figures[words[1].trimmingCharacters(in: .whitespaces)] = number
    }
    return figures
  }

  private static let project = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  private static let program: String = {
    let own = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
    let places = [own, project.appending(path: ".build/debug")]
    return places.map { $0.appending(path: "Torture").path }.first {
      FileManager.default.isExecutableFile(atPath: $0)
    } ?? "Torture"
  }()

  @Test func `whatever a power cut leaves, all that was acknowledged is there`() async throws {
    let seed = UInt64.random(in: 0..<1_000_000)
    let figures = try await expectSound(["crashes", "--states", "100", "--seed", "\(seed)"])
    #expect((figures["crash states, each different"] ?? 0) > 70)
  }

  @Test func `a killed program loses nothing that it acknowledged`() async throws {
    let seed = UInt64.random(in: 0..<1_000_000)
    let figures = try await expectSound(["kills", "--count", "15", "--seed", "\(seed)"])
    #expect(figures["kills"] == 15)
  }

  /// The long form lets each call fail, in each command and each way.
  @Test func `an entry is added whole or not at all, whichever call fails`() async throws {
    let first = Int.random(in: 1...4)
    let figures = try await expectSound(
      ["faults", "--commands", "words", "--faults", "eio", "--every", "4", "--from", "\(first)"])
    #expect((figures["told as a failure"] ?? 0) > 5)
  }

  @Test func `a full disk and a dead one are told, and nothing half stays`() async throws {
    let figures = try await expectSound(
      [
        "faults", "--commands", "small,several,erase", "--faults", "enospc:0,short,kill-half",
        "--every", "41",
      ])
    #expect((figures["told as a failure"] ?? 0) > 5)
  }

  @Test func `a vault that cannot be made leaves nothing`() async throws {
    let figures = try await expectSound(
      ["faults", "--commands", "init", "--faults", "enospc:0,eio:0", "--every", "499"])
    #expect((figures["told as a failure"] ?? 0) > 5)
  }

  /// Each time the program goes on, tells of an error, or ends.
  @Test func `without memory nothing is lost that was saved`() async throws {
    let first = Int.random(in: 1...1300)
    let figures = try await expectSound(["memory", "--every", "1301", "--from", "\(first)"])
    #expect((figures["runs in which one failed, or all from one on"] ?? 0) > 5)
  }

  @Test func `a changed bit is found, or changes nothing that is shown`() async throws {
    let seed = UInt64.random(in: 0..<1_000_000)
    let figures = try await expectSound(["flips", "--stride", "5003", "--seed", "\(seed)"])
    #expect((figures["bits flipped, one at a time"] ?? 0) > 50)
  }

  @Test func `what is tampered with is noticed as SECURITY says`() async throws {
    let document = Self.project.appending(path: "SECURITY.md").path
    let figures = try await expectSound(["tamper", "--document", document])
    #expect((figures["tampered states"] ?? 0) > 100)
  }

  @Test func `planted texts are found nowhere, and no file is written elsewhere`() async throws {
    let figures = try await expectSound(["plaintext"])
    #expect((figures["files searched"] ?? 0) > 10)
    #expect((figures["commands watched with strace"] ?? 0) > 20)
  }
}
