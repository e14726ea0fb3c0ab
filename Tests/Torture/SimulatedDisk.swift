import Foundation
import Support

/// A file system with a cache that a power cut empties, fed with the events of a trace.
///
/// The model is one that every journalling file system keeps to, and weaker than each of them, so
/// that nothing rests on the kindness of one:
/// - Content is durable when the file was synced. Of what was written since, any sectors of 512 bytes
///   may be there and any missing; a sector is old or new, never mixed. The length may be anything
///   between; what was never written reads as zeros. Nothing is promised between two files.
/// - Names are durable when their folder was synced. Of the changes since, those in one folder
///   happen in their order, so a prefix of them is there; folders do not wait for each other. A rename
///   is there whole or not at all, and waits for what came before it in both of its folders. Syncing a
///   file does not sync its name (ext4 and others would do that too). One mode keeps no order of names at all.
/// - A synced content does not come back older, and a name that was never synced may still be there.
final class SimulatedDisk {
  typealias FolderID = Int
  typealias FileID = Int

  enum Node: Hashable {
    case file(FileID)
    case folder(FolderID)
  }

  private struct NameChange {
    var order: Int
    var removes: (folder: FolderID, name: String)?
    var adds: (folder: FolderID, name: String, node: Node)?
    var folders: [FolderID] { [removes?.folder, adds?.folder].compactMap { $0 } }
  }

  private let root: String
  private var visible: [FolderID: [String: Node]] = [0: [:]]
  private var durable: [FolderID: [String: Node]] = [0: [:]]
  private var pendingNames: [NameChange] = []
  private var files: [SimulatedFile] = []
  private var byInode: [Int64: FileID] = [:]
  private var dirty: Set<FileID> = []
  private var folderCount = 1
  private var order = 0

  /// - Parameter root: the folder that stands for the disk; empty at first.
  init(root: String) { self.root = root }

  struct Missing: Error { let what: String }

  // MARK: - What happens

  func apply(_ event: Event) throws {
    order += 1
    switch event {
    case .call, .output: break
    case .create(let path, let inode):
      let (folder, name) = try place(path)
      files.append(SimulatedFile(inode: inode))
      byInode[inode] = files.count - 1
      change(adds: (folder, name, .file(files.count - 1)))
    case .write(let inode, let offset, let bytes):
      let file = try file(inode)
      files[file].pending.append((order, .write(offset, bytes)))
      dirty.insert(file)
    case .length(let inode, let count):
      let file = try file(inode)
      files[file].pending.append((order, .length(count)))
      dirty.insert(file)
    case .synchronize(let inode):
      let file = try file(inode)
      files[file].settle()
      dirty.remove(file)
    case .synchronizeFolder(let path): try synchronize(folder(path))
    case .makeFolder(let path):
      let (folder, name) = try place(path)
      visible[folderCount] = [:]
      durable[folderCount] = [:]
      change(adds: (folder, name, .folder(folderCount)))
      folderCount += 1
    case .remove(let path), .removeFolder(let path):
      let (folder, name) = try place(path)
      change(removes: (folder, name))
    case .rename(let from, let to):
      let (source, old) = try place(from)
      let (target, new) = try place(to)
      guard let node = visible[source]?[old] else { throw Missing(what: from) }
      change(removes: (source, old), adds: (target, new, node))
    case .link(let from, let to):
      let (source, old) = try place(from)
      let (target, new) = try place(to)
      guard let node = visible[source]?[old] else { throw Missing(what: from) }
      change(adds: (target, new, node))
    }
  }

  private func change(
    removes: (folder: FolderID, name: String)? = nil,
    adds: (folder: FolderID, name: String, node: Node)? = nil
  ) {
    let change = NameChange(order: order, removes: removes, adds: adds)
    Self.apply(change, to: &visible)
    pendingNames.append(change)
  }

  private static func apply(_ change: NameChange, to names: inout [FolderID: [String: Node]]) {
    if let removes = change.removes { names[removes.folder]?[removes.name] = nil }
    if let adds = change.adds { names[adds.folder]?[adds.name] = adds.node }
  }

  /// All changes in this folder, and those that they had to wait for.
  private func synchronize(_ folder: FolderID) {
    var needed: Set<FolderID> = [folder]
    var settled: [NameChange] = []
    var left: [NameChange] = []
    for change in pendingNames.reversed() {
      if needed.isDisjoint(with: change.folders) {
        left.append(change)
      } else {
        needed.formUnion(change.folders)
        settled.append(change)
      }
    }
    for change in settled.reversed() { Self.apply(change, to: &durable) }
    pendingNames = left.reversed()
  }

  private func file(_ inode: Int64) throws -> FileID {
    guard let file = byInode[inode] else { throw Missing(what: "inode \(inode)") }
    return file
  }

  private func folder(_ path: String) throws -> FolderID {
    var found = 0
    guard path.hasPrefix(root) else { throw Missing(what: path) }
    for name in path.dropFirst(root.count).split(separator: "/") where name != "." {
      guard case .folder(let inner)? = visible[found]?[String(name)] else {
        throw Missing(what: path)
      }
      found = inner
    }
    return found
  }

  private func place(_ path: String) throws -> (FolderID, String) {
    let names = path.split(separator: "/", omittingEmptySubsequences: true)
    guard let last = names.last else { throw Missing(what: path) }
    return (try folder("/" + names.dropLast().joined(separator: "/")), String(last))
  }

  /// Whether a crash now could leave more than one state.
  var isSettled: Bool { pendingNames.isEmpty && dirty.isEmpty }

  // MARK: - What a crash leaves

  /// How much of what was not synced a crash leaves.
  enum Mode: Int, CaseIterable {
    case none, all, prefix, few, some, most, wholeFiles
    /// Any of the changes of names may be there without those before it, as on FAT, which keeps no journal.
    case unordered

    fileprivate var odds: Int {
      switch self {
      case .few: 1
      case .some, .unordered: 4
      default: 7
      }
    }
  }

  /// A state that a crash could leave now.
  func crash(_ mode: Mode, using random: inout SplitMix64) -> DiskContent {
    switch mode {
    case .none: return content(names: durable) { _ in nil }
    case .all: return content(names: visible) { $0.visible }
    case .prefix: return prefix(using: &random)
    case .few, .some, .most, .wholeFiles, .unordered:
      let odds = mode == .wholeFiles ? 2 + random.below(5) : mode.odds
      var applied = durable
      var blocked: Set<FolderID> = []
      for change in pendingNames {
        if blocked.isDisjoint(with: change.folders), random.chance(odds, in: 8) {
          Self.apply(change, to: &applied)
        } else if mode != .unordered {
          blocked.formUnion(change.folders)
        }
      }
      var torn: [FileID: [UInt8]] = [:]
      for id in dirty.sorted() {
        if mode == .wholeFiles {
          if random.chance(1, in: 2) { torn[id] = files[id].visible }
        } else {
          torn[id] = files[id].torn(odds: odds, using: &random)
        }
      }
      return content(names: applied) { torn[$0.id] }
    }
  }

  /// All up to some moment, and of the write at that moment some first sectors.
  private func prefix(using random: inout SplitMix64) -> DiskContent {
    let orders = (pendingNames.map(\.order) + dirty.flatMap { files[$0].pending.map(\.order) })
      .sorted()
    guard !orders.isEmpty else { return content(names: durable) { _ in nil } }
    let cut = orders[random.below(orders.count)]
    var applied = durable
    for change in pendingNames where change.order < cut { Self.apply(change, to: &applied) }
    let tear = random.next()
    return content(names: applied) { file in
      file.file.pending.isEmpty ? nil : file.file.before(cut, tear: tear)
    }
  }

  /// Everything as a program would see it without a crash.
  func now() -> DiskContent { content(names: visible) { $0.visible } }

  private struct Held {
    let id: FileID
    let file: SimulatedFile
    var visible: [UInt8] { file.visible }
  }

  private func content(
    names: [FolderID: [String: Node]], _ bytes: (Held) -> [UInt8]?
  ) -> DiskContent {
    var result = DiskContent()
    func walk(_ folder: FolderID, _ prefix: String) {
      for (name, node) in names[folder] ?? [:] {
        switch node {
        case .folder(let inner):
          result.folders.append(prefix + name)
          walk(inner, prefix + name + "/")
        case .file(let id):
          let file = files[id]
          let other = file.pending.isEmpty ? nil : bytes(Held(id: id, file: file))
          result.files[prefix + name] = DiskContent.File(
            inode: file.inode, bytes: other ?? file.durable,
            digest: other.map(DiskContent.digest) ?? file.durableDigest)
        }
      }
    }
    walk(0, "")
    result.folders.sort()
    return result
  }
}

/// Files and folders below the root, by their paths from there.
struct DiskContent {
  struct File {
    let inode: Int64
    let bytes: [UInt8]
    /// The same for the same bytes, within this run.
    let digest: Int
  }
  var folders: [String] = []
  var files: [String: File] = [:]

  static func digest(of bytes: [UInt8]) -> Int {
    var hasher = Hasher()
    // Not as an array, which would be hashed element by element.
    unsafe bytes.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
    return hasher.finalize()
  }

  /// A number that is the same for the same state of a folder, or of all, within this run.
  func digest(below folder: String = "") -> Int {
    var hasher = Hasher()
    for name in folders where name.hasPrefix(folder) { hasher.combine(name) }
    for path in files.keys.sorted() where path.hasPrefix(folder) {
      hasher.combine(path)
      // A database may be another file with the same bytes.
      hasher.combine(path.hasSuffix(".db") ? files[path]?.inode : nil)
      hasher.combine(files[path]?.digest)
    }
    return hasher.finalize()
  }
}

/// A file: what is on the medium, and what is only in the cache.
struct SimulatedFile {
  enum Change {
    case write(Int, ArraySlice<UInt8>)
    case length(Int)
  }

  static let sector = 512

  let inode: Int64
  private(set) var durable: [UInt8] = []
  private(set) var durableDigest = DiskContent.digest(of: [])
  var pending: [(order: Int, change: Change)] = []

  init(inode: Int64) { self.inode = inode }

  mutating func settle() {
    guard !pending.isEmpty else { return }
    durable = visible
    durableDigest = DiskContent.digest(of: durable)
    pending = []
  }

  var visible: [UInt8] {
    pending.reduce(into: durable) { bytes, pending in Self.apply(pending.change, to: &bytes) }
  }

  private static func apply(_ change: Change, to bytes: inout [UInt8]) {
    switch change {
    case .length(let count):
      if count < bytes.count {
        bytes.removeLast(bytes.count - count)
      } else {
        bytes += [UInt8](repeating: 0, count: count - bytes.count)
      }
    case .write(let offset, let new): put(new, at: offset, in: &bytes)
    }
  }

  private static func put(_ new: ArraySlice<UInt8>, at offset: Int, in bytes: inout [UInt8]) {
    if bytes.count < offset + new.count {
      bytes += [UInt8](repeating: 0, count: offset + new.count - bytes.count)
    }
    bytes.replaceSubrange(offset..<(offset + new.count), with: new)
  }

  /// The pieces of a write that are there or not there as a whole.
  private static func sectors(_ offset: Int, _ bytes: ArraySlice<UInt8>) -> [(
    Int, ArraySlice<UInt8>
  )] {
    var pieces: [(Int, ArraySlice<UInt8>)] = []
    var at = offset
    while at < offset + bytes.count {
      let end = min((at / sector + 1) * sector, offset + bytes.count)
      pieces.append(
        (at, bytes[(bytes.startIndex + at - offset)..<(bytes.startIndex + end - offset)]))
      at = end
    }
    return pieces
  }

  /// Each sector of what was not synced is there or not.
  func torn(odds: Int, using random: inout SplitMix64) -> [UInt8] {
    var bytes = durable
    for (_, change) in pending {
      switch change {
      case .length: if random.chance(odds, in: 8) { Self.apply(change, to: &bytes) }
      case .write(let offset, let new):
        for (at, piece) in Self.sectors(offset, new) where random.chance(odds, in: 8) {
          Self.put(piece, at: at, in: &bytes)
        }
      }
    }
    // The length is there and the content is not.
    if random.chance(1, in: 4) {
      let whole = visible.count
      if whole > bytes.count { Self.apply(.length(whole), to: &bytes) }
    }
    return bytes
  }

  /// All changes before some moment, and the first sectors of the one at that moment.
  func before(_ cut: Int, tear: UInt64) -> [UInt8] {
    var bytes = durable
    for (order, change) in pending where order <= cut {
      if order < cut {
        Self.apply(change, to: &bytes)
      } else if case .write(let offset, let new) = change {
        let pieces = Self.sectors(offset, new)
        for (at, piece) in pieces.prefix(Int(tear % UInt64(pieces.count + 1))) {
          Self.put(piece, at: at, in: &bytes)
        }
      }
    }
    return bytes
  }
}
