public import Cryptography
internal import Foundation
public import Vault

/// What the programs that measure have in common.
public enum Measured {
  public static let surroundings = Surroundings(
    now: { UInt64(Date().timeIntervalSince1970) }, machine: Array("benchmark".utf8))

  public static func passphrase(
    _ text: String = "of a vault that nobody keeps"
  ) throws -> LockedBytes {
    try Array(text.utf8).withBytes { (bytes) throws(CryptographyError) in
      try LockedBytes(copying: bytes)
    }
  }

  public static func seconds(_ duration: Duration) -> Double { duration / .seconds(1) }

  /// What a program was asked for, as `PROGRAM PART NUMBER`; it ends here if that is none of its parts.
  public static func asked(of program: String, parts: [String]) -> (part: String, number: Int) {
    let arguments = CommandLine.arguments
    guard arguments.count == 3, parts.contains(arguments[1]), let number = Int(arguments[2]),
      number > 0
    else {
      print("usage: \(program) \(parts.joined(separator: "|")) NUMBER")
      exit(64)
    }
    return (arguments[1], number)
  }

  /// Prints one JSON object.
  public static func tell(_ figures: [String: Double]) throws {
    let data = try JSONSerialization.data(withJSONObject: figures, options: [.sortedKeys])
    print(String(decoding: data, as: UTF8.self))
  }

  /// Gives a folder of its own below TMPDIR, which is removed afterwards.
  public static func inFolder<Result>(
    _ name: String, _ body: (String) async throws -> Result
  ) async throws -> Result {
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "cairn-\(name)-\(ProcessInfo.processInfo.processIdentifier)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    defer { do { try FileManager.default.removeItem(atPath: folder) } catch {} }
    return try await body(folder)
  }
}
