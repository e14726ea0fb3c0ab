import Foundation

/// A folder as it was at some moment, to be put back as often as is needed.
struct Moment {
  let files: [String: [UInt8]]
  let folders: [String]

  init(of path: String) throws {
    files = try Tree.files(below: path)
    folders = try Tree.names(below: path).filter { $0.hasSuffix("/") }
  }

  /// Puts it back into the same files, so that the database keeps its inode and the anchor its place.
  func restore(to path: String) throws {
    let now = try Tree.names(below: path)
    for name in now where !name.hasSuffix("/") && files[name] == nil {
      try Tree.remove(path + "/" + name)
    }
    for folder in now.reversed() where folder.hasSuffix("/") && !folders.contains(folder) {
      try Tree.remove(path + "/" + folder)
    }
    for folder in folders { try Tree.make(path + "/" + folder) }
    for (name, bytes) in files { try Tree.write(bytes, to: path + "/" + name) }
  }
}
