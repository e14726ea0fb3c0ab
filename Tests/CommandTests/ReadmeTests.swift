import Foundation
import People
import Support
import Testing

/// README's session, run as it stands there.
@Suite struct ReadmeTests {
  private struct Step {
    let command: String
    var output: [String] = []
  }

  private func session() throws -> [Step] {
    let readme = URL(filePath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "README.md")
    let text = try String(contentsOf: readme, encoding: .utf8)
    let block = try #require(text.components(separatedBy: "```console\n").dropFirst().first)
    var steps: [Step] = []
    for line in block.components(separatedBy: "\n```")[0].components(separatedBy: "\n") {
      if line.hasPrefix("$ ") {
        steps.append(Step(command: String(line.dropFirst(2))))
      } else {
        steps[steps.count - 1].output.append(line)
      }
    }
    return steps
  }

  /// What differs from run to run: identifiers and times. All else must be as it is printed.
  private func normal(_ line: String, entry: String) -> String {
    line.replacing(#/[a-z2-7]{52}/#, with: "<fingerprint>")
      .replacing(entry, with: "<entry>")
      .replacing(#/entered: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d/#, with: "entered: <time>")
      .replacing(#/Entered on \d{4}-\d\d-\d\d/#, with: "Entered on <day>")
      .replacing(#/Exported  \d{4}-\d\d-\d\d \d\d:\d\d:\d\d/#, with: "Exported  <time>")
      .replacing(#/ready: .*/#, with: "ready: <place>")
  }

  private func savedEntry(_ output: String) -> String? {
    output.firstMatch(of: #/Saved  ([a-z2-7]{10})/#).map { String($0.1) }
  }

  @Test func `the session in README is what the program prints`() async throws {
    let person = try await Person(hasVault: false)
    let picture = SharedVectors.url("../samples/shot-1.png")
    // A stand-in of the same length, where the sample is not at hand.
    let bytes =
      FileManager.default.fileExists(atPath: picture.path)
      ? [UInt8](try Data(contentsOf: picture))
      : Array("\u{89}PNG".utf8) + [UInt8](repeating: 7, count: 179_386)
    _ = try person.folder.file("threat.png", bytes)
    _ = try person.folder.file("seal.txt", Array("stove lagoon ember paper violin tundra\n".utf8))
    var environment = person.environment
    environment["CAIRN_PASSPHRASE_FILE"] = person.passphraseFile
    var stranger = person
    stranger.environment = environment
    let steps = try session()
    let written = try #require(steps.flatMap(\.output).compactMap(savedEntry).first)
    var entry = written
    for step in steps {
      var words = step.command.split(separator: " ").map(String.init)
      #expect(words.removeFirst() == "cairn")
      if words[0] == "extract" { words[1] = entry }
      let done = try await stranger.run(words)
      let printed = done.output.split(separator: "\n", omittingEmptySubsequences: false)
        .map(String.init).dropLast()
      if let saved = savedEntry(done.output) { entry = saved }
      #expect(
        printed.map { normal($0, entry: entry) } == step.output.map { normal($0, entry: written) },
        "\(step.command): \(done.errors)")
    }
    #expect(
      [UInt8](try Data(contentsOf: URL(filePath: person.path("out/threat.png")))) == bytes)
  }
}
