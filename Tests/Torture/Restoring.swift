import Foundation

/// A folder as it was at some moment, to be put back as often as is needed.
struct Moment {
  var files: [String: [UInt8]]
  let folders: [String]
  /// Second names of its databases, so that one that is removed can come back as the same file: by the name it
  /// has, and beside the folder, since it must be on the same disk.
  private let keptNames: [String: String]

  init(of path: String) throws {
    files = try Tree.files(below: path)
    folders = try Tree.names(below: path).filter { $0.hasSuffix("/") }
    var names: [String: String] = [:]
    for name in files.keys where name.hasSuffix(".db") {
      guard let inode = Tree.inode(path + "/" + name) else { continue }
      let place = Workshop.kept(for: path) + "/\(inode)"
      if !Tree.exists(place) {
        try FileManager.default.linkItem(atPath: path + "/" + name, toPath: place)
      }
      names[name] = place
    }
    keptNames = names
  }

  /// The same with other bytes in its files.
  func with(_ files: [String: [UInt8]]) -> Moment {
    var other = self
    other.files = files
    return other
  }

  /// Puts it back into the same files, so that the database keeps its inode and the anchor its place.
  ///
  /// - Parameter isElsewhere: as new files, as a copy has them.
  func restore(to path: String, isElsewhere: Bool = false) throws {
    let now = try Tree.names(below: path)
    for name in now where !name.hasSuffix("/") && files[name] == nil {
      try Tree.remove(path + "/" + name)
    }
    for folder in now.reversed() where folder.hasSuffix("/") && !folders.contains(folder) {
      try Tree.remove(path + "/" + folder)
    }
    for folder in folders { try Tree.make(path + "/" + folder) }
    for (name, bytes) in files {
      let place = path + "/" + name
      if !isElsewhere, let kept = keptNames[name], Tree.inode(place) != Tree.inode(kept) {
        try Tree.remove(place)
        try FileManager.default.linkItem(atPath: kept, toPath: place)
      }
      try Tree.write(bytes, to: place)
    }
  }
}
