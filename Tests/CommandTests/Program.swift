import Foundation
import Synchronization
import Testing

#if canImport(Glibc)
  import Glibc
#endif

/// The program as it was built, run as a user runs it.
enum Program {
  /// Beside the tests that were built with it.
  static let path: String = {
    let own = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
    let project = URL(filePath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let places = [own, project.appending(path: ".build/debug")]
    let found = places.map { $0.appending(path: "cairn").path }.first {
      FileManager.default.isExecutableFile(atPath: $0)
    }
    guard let found else { preconditionFailure("the program is built before its tests run") }
    return found
  }()
}

/// What a run of the program left.
struct Finished {
  let status: Int32
  let output: String
  let errors: String

  /// Both, for what may stand in either.
  var all: String { output + errors }

  /// Both, as one line: where a sentence breaks depends on the paths in it.
  var told: String { all.split(whereSeparator: \.isWhitespace).joined(separator: " ") }

  /// The one object of a command with --json.
  func json() throws -> [String: Any] {
    let object = try JSONSerialization.jsonObject(with: Data(output.utf8))
    guard let dictionary = object as? [String: Any] else { throw NotAnObject() }
    return dictionary
  }

  func errorCode() throws -> String? { (try json()["error"] as? [String: Any])?["code"] as? String }

  struct NotAnObject: Error {}
}

/// The program while it runs. Standard output and error go to files, so that it never waits for a
/// reader.
final class Running: @unchecked Sendable {
  // Sendable: the process is started before it is shared, and Foundation guards it itself.
  let process = Process()
  private let output: URL
  private let errors: URL
  private let ended = Mutex<CheckedContinuation<Void, Never>?>(nil)
  private let hasEnded = Atomic<Bool>(false)

  init(
    _ command: [String], in folder: String, environment: [String: String], input: Any?,
    errors terminal: FileHandle? = nil
  ) throws {
    let name = UUID().uuidString
    output = FileManager.default.temporaryDirectory.appending(path: "cairn-out-\(name)")
    errors = FileManager.default.temporaryDirectory.appending(path: "cairn-err-\(name)")
    for url in [output, errors] {
      guard FileManager.default.createFile(atPath: url.path, contents: nil) else {
        throw CocoaError(.fileWriteUnknown)
      }
    }
    process.executableURL = URL(filePath: command[0])
    process.arguments = Array(command.dropFirst())
    process.currentDirectoryURL = URL(filePath: folder)
    process.environment = environment
    process.standardInput = input ?? FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: output)
    process.standardError = try terminal ?? FileHandle(forWritingTo: errors)
    process.terminationHandler = { [weak self] _ in self?.end() }
    try process.run()
  }

  func interrupt() { process.interrupt() }

  /// Waits for the end, and makes one after ten minutes: tests shall fail rather than stand still.
  func finish() async throws -> Finished {
    let limit = Task {
      try await Task.sleep(for: .seconds(600))
      Issue.record("did not end: \(process.arguments ?? [])")
      kill(process.processIdentifier, SIGKILL)
    }
    defer { limit.cancel() }
    await withCheckedContinuation { continuation in
      ended.withLock { $0 = continuation }
      if hasEnded.load(ordering: .acquiring) { resume() }
    }
    defer {
      for url in [output, errors] {
        do { try FileManager.default.removeItem(at: url) } catch {}
      }
    }
    return Finished(
      status: process.terminationReason == .exit ? process.terminationStatus : -1,
      output: try String(contentsOf: output, encoding: .utf8),
      errors: try String(contentsOf: errors, encoding: .utf8))
  }

  private func end() {
    hasEnded.store(true, ordering: .releasing)
    resume()
  }

  private func resume() {
    let waiting = ended.withLock { waiting in
      defer { waiting = nil }
      return waiting
    }
    waiting?.resume()
  }
}
