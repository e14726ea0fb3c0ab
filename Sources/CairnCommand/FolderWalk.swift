import Mailboxes
import Vault

#if canImport(Glibc)
  import Glibc
#endif

/// The files below a folder, one after the other and always in the same order: names by their bytes.
/// Holds no more at a time than the names of the folders above.
struct FolderWalk: Sequence, IteratorProtocol {
  enum Found {
    case file(path: [UInt8], relative: [UInt8], size: UInt64)
    case passedOver(relative: [UInt8], Reason)
  }
  /// Why something is not looked into.
  enum Reason: String {
    /// A name that begins with a dot, or one that systems leave beside pictures.
    case hidden
    /// It leads elsewhere, perhaps out of the folder.
    case link
    /// Neither file nor folder.
    case special
    case unreadable
    /// There is nothing in it that could be kept.
    case empty
    /// The vault that it would be put into.
    case ownVault
    /// Twelve words that open a vault: with the case, they would go to whoever it is shared with.
    case kit
  }
  private struct Level {
    let path: [UInt8]
    let relative: [UInt8]
    /// Last one first.
    var names: [[UInt8]]
  }

  private var levels: [Level]
  private let vault: (device: UInt64, inode: UInt64)?

  /// - Parameter name: what relative paths begin with.
  /// - Throws: a failure that names the folder when it cannot be read.
  init(_ path: String, name: [UInt8], vault: String) throws {
    guard let names = Self.names(in: Array(path.utf8)) else {
      throw Failure(VaultError(.fileUnreadable), subject: SafeText.quoted(path))
    }
    levels = [Level(path: Array(path.utf8), relative: name, names: names)]
    self.vault = Self.status(Array(vault.utf8)).map {
      (UInt64($0.st_dev), UInt64($0.st_ino))
    }
  }

  mutating func next() -> Found? {
    while var level = levels.popLast() {
      guard let name = level.names.popLast() else { continue }
      levels.append(level)
      let path = level.path + [UInt8(ascii: "/")] + name
      let relative = level.relative.isEmpty ? name : level.relative + [UInt8(ascii: "/")] + name
      if Self.isHidden(name) { return .passedOver(relative: relative, .hidden) }
      guard let info = Self.status(path) else {
        return .passedOver(relative: relative, .unreadable)
      }
      switch info.st_mode & S_IFMT {
      case S_IFREG where info.st_size == 0: return .passedOver(relative: relative, .empty)
      case S_IFREG:
        let size = UInt64(Swift.max(0, info.st_size))
        if Self.holdsKit(path, size: size) { return .passedOver(relative: relative, .kit) }
        return .file(path: path, relative: relative, size: size)
      case S_IFLNK: return .passedOver(relative: relative, .link)
      case S_IFDIR:
        if let vault, vault == (UInt64(info.st_dev), UInt64(info.st_ino)) {
          return .passedOver(relative: relative, .ownVault)
        }
        guard let names = Self.names(in: path) else {
          return .passedOver(relative: relative, .unreadable)
        }
        levels.append(Level(path: path, relative: relative, names: names))
      default: return .passedOver(relative: relative, .special)
      }
    }
    return nil
  }

  private static func isHidden(_ name: [UInt8]) -> Bool {
    name.first == UInt8(ascii: ".")
      || ["thumbs.db", "desktop.ini"].contains(String(decoding: name, as: UTF8.self).lowercased())
  }

  /// Whether it is a kit as `KitPaper` writes it. The words themselves are not read.
  private static func holdsKit(_ path: [UInt8], size: UInt64) -> Bool {
    guard KitPaper.sizes.contains(size) else { return false }
    let file = unsafe withText(path) {
      unsafe open($0, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    }
    guard file >= 0 else { return false }
    defer { close(file) }
    return KitPaper.isKit { count in
      var bytes = [UInt8](repeating: 0, count: count)
      let got = unsafe pread(file, &bytes, count, 0)
      return Array(bytes.prefix(Swift.max(0, got)))
    }
  }

  /// Of the name itself, should it be a link.
  private static func status(_ path: [UInt8]) -> stat? {
    var info = stat()
    let result = unsafe withText(path) { unsafe lstat($0, &info) }
    return result == 0 ? info : nil
  }

  /// Nil for what is no folder that can be read.
  private static func names(in path: [UInt8]) -> [[UInt8]]? {
    let folder = unsafe withText(path) { unsafe open($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
    guard folder >= 0 else { return nil }
    var names: [[UInt8]] = []
    let error = FolderNames.each(in: folder) { name in
      names.append(name)
      return true
    }
    guard error == 0 else { return nil }
    return names.sorted { $1.lexicographicallyPrecedes($0) }
  }

  private static func withText<Result>(
    _ path: [UInt8], _ body: (UnsafePointer<CChar>) -> Result
  ) -> Result {
    unsafe (path + [0]).withUnsafeBufferPointer { bytes in
      unsafe bytes.withMemoryRebound(to: CChar.self) { unsafe body($0.baseAddress!) }
    }
  }
}

/// A folder that somebody named.
struct NamedFolder {
  let path: String
  /// What the titles of its files begin with: its own name.
  let name: [UInt8]

  /// Nil for what is no folder.
  init?(_ argument: String) {
    var info = stat()
    guard unsafe stat(argument, &info) == 0, info.st_mode & S_IFMT == S_IFDIR else { return nil }
    var path = argument
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    self.path = path
    let last = path.split(separator: "/").last.map(String.init)
    if let last, last != ".", last != ".." {
      name = Array(last.utf8)
      return
    }
    // A folder that was named by its place only has a name all the same.
    guard let whole = Self.whole(path) else { return nil }
    name = whole.split(separator: "/").last.map { Array($0.utf8) } ?? []
  }

  /// - Throws: a failure for the vault's own folder and those in it.
  func requireOutside(of vault: String) throws {
    guard let vault = Self.whole(vault), let own = Self.whole(path),
      (own + "/").hasPrefix(vault + "/")
    else { return }
    throw Failure(
      code: "ownVault", status: .other,
      Sentence(
        "\(SafeText.quoted(path)) is the folder of this vault, or lies in it.",
        safe: "Nothing was added.", next: "Name the folder with the files that you mean."))
  }

  /// Without links, from the root.
  private static func whole(_ path: String) -> String? {
    guard let whole = unsafe realpath(path, nil) else { return nil }
    defer { unsafe free(whole) }
    return unsafe String(cString: whole)
  }
}
