package import Foundation
import Support
import Synchronization

#if canImport(Glibc)
  import Glibc
#endif

/// The programs as they were built, run as a user runs them.
package enum Program {
  /// `cairn`, beside the tests that were built with it.
  package static let path = path(of: "cairn")

  package static func path(of name: String) -> String {
    let own = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
    let project = URL(filePath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let places = [own, project.appending(path: ".build/debug")]
    let found = places.map { $0.appending(path: name).path }.first {
      FileManager.default.isExecutableFile(atPath: $0)
    }
    guard let found else { preconditionFailure("the program is built before its tests run") }
    return found
  }
}

/// What a run of the program left.
package struct Finished: Sendable {
  package let status: Int32
  package let output: String
  package let errors: String

  /// Both, for what may stand in either.
  package var all: String { output + errors }

  /// Both, as one line: where a sentence breaks depends on the paths in it.
  package var told: String { all.split(whereSeparator: \.isWhitespace).joined(separator: " ") }

  /// The one object of a command with --json.
  package func json() throws -> [String: Any] {
    let object = try JSONSerialization.jsonObject(with: Data(output.utf8))
    guard let dictionary = object as? [String: Any] else { throw NotAnObject() }
    return dictionary
  }

  package func errorCode() throws -> String? {
    (try json()["error"] as? [String: Any])?["code"] as? String
  }

  package struct NotAnObject: Error {}
}

/// The program while it runs. Standard output and error go to files, so that it never waits for a
/// reader.
package final class Running: Sendable {
  private let process: ChildProcess
  private let command: [String]
  private let output: URL
  private let errors: URL
  private let isLate = Atomic(false)

  package init(
    _ command: [String], in folder: String, environment: [String: String],
    input: FileHandle? = nil, errors terminal: FileHandle? = nil
  ) throws {
    self.command = command
    let name = UUID().uuidString
    output = FileManager.default.temporaryDirectory.appending(path: "cairn-out-\(name)")
    errors = FileManager.default.temporaryDirectory.appending(path: "cairn-err-\(name)")
    for url in [output, errors] {
      guard FileManager.default.createFile(atPath: url.path, contents: nil) else {
        throw CocoaError(.fileWriteUnknown)
      }
    }
    let written = try FileHandle(forWritingTo: output)
    let told = try terminal ?? FileHandle(forWritingTo: errors)
    process = try ChildProcess(
      command, in: folder, environment: environment, input: input?.fileDescriptor,
      output: written.fileDescriptor, errors: told.fileDescriptor)
    // They are open until the program has its own.
    withExtendedLifetime((input, written, told)) {}
  }

  package func send(_ signal: Int32) { process.send(signal) }

  /// Sends a signal as soon as something is so, from a thread of its own: among tests that compute, a turn may come
  /// minutes late, and the program goes on meanwhile.
  ///
  /// - Returns: whether it came to be so, within some minutes.
  package func send(
    _ signal: Int32, once isDue: @escaping @Sendable () throws -> Bool
  ) async throws -> Bool {
    try await withCheckedThrowingContinuation { continuation in
      Thread.detachNewThread { [self] in
        continuation.resume(
          with: Result {
            for _ in 0..<18_000 {
              if try isDue() {
                send(signal)
                return true
              }
              Thread.sleep(forTimeInterval: 0.01)
            }
            return false
          })
      }
    }
  }

  /// Waits for the end, and makes one after ten minutes: tests shall fail rather than stand still.
  package func finish() async throws -> Finished {
    let limit = Task {
      try await Task.sleep(for: .seconds(600))
      isLate.store(true, ordering: .relaxed)
      process.send(SIGKILL)
    }
    defer { limit.cancel() }
    let status = await process.ended()
    defer {
      for url in [output, errors] {
        do { try FileManager.default.removeItem(at: url) } catch {}
      }
    }
    let late = isLate.load(ordering: .relaxed) ? "did not end: \(command.dropFirst())\n" : ""
    return Finished(
      status: status, output: try String(contentsOf: output, encoding: .utf8),
      errors: late + (try String(contentsOf: errors, encoding: .utf8)))
  }
}
