import Foundation
import Support
import Testing

/// A file of the project, and where it is from the top: `Sources/Vault/Locks.swift`.
struct ProjectFile: Sendable {
  let path: String
  let text: String
  /// The text with comments and string literals blanked, line for line; the text itself if it is no code.
  let code: String

  init(path: String, text: String) {
    self.path = path
    self.text = text
    code = Language(path: path).map { blankProse(text, in: $0) } ?? text
  }

  var lines: Int { text.utf8.count { $0 == UInt8(ascii: "\n") } }

  /// `Vault` for `Sources/Vault/Locks.swift`; nil outside Sources and Tests.
  var target: String? {
    let parts = path.split(separator: "/")
    guard parts.count > 2, parts[0] == "Sources" || parts[0] == "Tests" else { return nil }
    return String(parts[1])
  }
}

/// What was found, and where: printed as `path:line: what`, so that an editor can jump to it.
struct Finding: Hashable, CustomStringConvertible {
  let path: String
  let line: Int
  let what: String

  var description: String { "\(path):\(line): \(what)" }
}

/// One issue for each finding, so that all of them show at once.
func expectNone(_ findings: [Finding], sourceLocation: SourceLocation = #_sourceLocation) {
  for finding in findings { Issue.record("\(finding)", sourceLocation: sourceLocation) }
}

enum Project {
  static let root = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// Tracked files, and new ones that git does not ignore; all files where git cannot be asked.
  static let paths: [String] = {
    let listed = try? output(of: [
      "git", "-c", "safe.directory=*", "-C", root.path, "ls-files", "-z", "--cached", "--others",
      "--exclude-standard",
    ])
    let all = listed.map { $0.split(separator: "\0").map(String.init) } ?? []
    return Set(all.isEmpty ? walk() : all).filter(exists).sorted()
  }()

  static let sources: [ProjectFile] = code(under: "Sources/")
  static let tests: [ProjectFile] = code(under: "Tests/")

  static func exists(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: root.appending(path: path).path)
  }

  /// Nil for what is not UTF-8, such as a picture or a vector.
  static func text(_ path: String) -> String? {
    try? String(contentsOf: root.appending(path: path), encoding: .utf8)
  }

  static func output(of command: [String]) throws -> String {
    let finished = try ChildProcess.run(command)
    guard finished.status == 0 else {
      throw CommandFailed(command: command, status: finished.status)
    }
    return finished.output
  }

  private static func code(under folder: String) -> [ProjectFile] {
    paths.filter { $0.hasPrefix(folder) && Language(path: $0) != nil }.compactMap { path in
      text(path).map { ProjectFile(path: path, text: $0) }
    }
  }

  private static func walk() -> [String] {
    let options: FileManager.DirectoryEnumerationOptions = [.skipsHiddenFiles]
    let found = FileManager.default.enumerator(
      at: root, includingPropertiesForKeys: nil, options: options)
    let all = (found?.allObjects ?? []).compactMap { ($0 as? URL)?.path }
    return all.map { String($0.dropFirst(root.path.count + (root.path.hasSuffix("/") ? 0 : 1))) }
  }
}

struct CommandFailed: Error {
  let command: [String]
  let status: Int32
}
