import Foundation
import Support

/// A run of one campaign of `Tests/Torture`, or of `Tests/Simulation`, and its figures.
package struct Campaign: Sendable {
  /// 0 if all that it tried came out as it should.
  package let status: Int32
  package let said: String
  package let figures: [String: Int]

  package static func run(
    _ arguments: [String], of program: String = "Torture"
  ) async throws -> Campaign {
    let folder = try TemporaryFolder()
    let output = try folder.file("output", [])
    let handle = try FileHandle(forWritingTo: URL(filePath: output))
    let child = try ChildProcess(
      [Program.path(of: program)] + arguments, in: folder.path, output: handle.fileDescriptor,
      errors: handle.fileDescriptor)
    let status = await child.ended()
    let said = try String(contentsOfFile: output, encoding: .utf8)
    var figures: [String: Int] = [:]
    for line in said.split(separator: "\n") {
      let words = line.split(separator: " ", maxSplits: 1)
      guard words.count == 2, let number = Int(words[0]) else { continue }
      figures[words[1].trimmingCharacters(in: .whitespaces)] = number
    }
    return Campaign(status: status, said: said, figures: figures)
  }
}
