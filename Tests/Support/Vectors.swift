public import Foundation

/// Vectors that others published live in `../shared/vectors`, beside the project; they are not ours
/// to ship.
public enum SharedVectors {
  static let root = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "shared/vectors")

  /// False on a machine that has only the project: tests over these vectors are then skipped and
  /// say so.
  public static var arePresent: Bool { FileManager.default.fileExists(atPath: root.path) }

  public static func url(_ path: String) -> URL { root.appending(path: path) }
}
