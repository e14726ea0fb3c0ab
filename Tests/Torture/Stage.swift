import Foundation

/// The folder in which one state after another is laid out.
///
/// Sealed files of attachments and the files of a mailbox are written once and never changed where they are, so one
/// that has its content from the state before is left as it is. All others are written anew each time.
struct Stage {
  let path: String
  /// Names for databases that keep their inode, since the anchor knows it.
  let keptInodes: String
  /// Of what was written once: what it holds.
  private var settled: [String: Int] = [:]

  init(path: String, keptInodes: String) {
    self.path = path
    self.keptInodes = keptInodes
  }

  mutating func show(_ state: DiskContent) throws {
    try Tree.make(path)
    let folders = Set(state.folders.map { $0 + "/" })
    var kept: [String: Int] = [:]
    for name in try Tree.names(below: path).reversed() {
      if name.hasSuffix("/") ? folders.contains(name) : holds(name, state) {
        kept[name] = settled[name]
      } else {
        try Tree.remove(path + "/" + name)
      }
    }
    settled = kept
    for folder in state.folders { try Tree.make(path + "/" + folder) }
    for (name, file) in state.files.sorted(by: { $0.key < $1.key }) where settled[name] == nil {
      let place = path + "/" + name
      let inode = keptInodes + "/\(file.inode)"
      if name.hasSuffix(".db"), Tree.exists(inode) {
        try FileManager.default.linkItem(atPath: inode, toPath: place)
      }
      try Tree.write(file.bytes, to: place)
      if Self.isWrittenOnce(name) { settled[name] = file.digest }
    }
  }

  private func holds(_ name: String, _ state: DiskContent) -> Bool {
    settled[name].map { $0 == state.files[name]?.digest } ?? false
  }

  private static func isWrittenOnce(_ name: String) -> Bool {
    guard !name.contains("/blobs/tmp/"), !name.contains("/blobs/partial/") else { return false }
    return name.contains("/blobs/") || name.hasPrefix("mailbox/")
  }

  /// Whatever is there may be another by the next time.
  mutating func forget() { settled = [:] }
}
