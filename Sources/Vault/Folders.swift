internal import Cryptography
internal import Mailboxes

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// What is done to names in folders.
enum Folders {
  static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

  /// Of the file system in which it lies.
  static func device(of path: String) throws(VaultError) -> UInt64 {
    var info = stat()
    guard unsafe stat(path, &info) == 0 else { throw .ofSystem(reading: errno) }
    return UInt64(info.st_dev)
  }

  /// Bytes of the file system in which it lies: all, and those that may still be written. Nil where that cannot
  /// be told.
  static func room(in path: String) -> (all: UInt64, free: UInt64)? {
    var info = statvfs()
    guard unsafe statvfs(path, &info) == 0, info.f_blocks > 0 else { return nil }
    let block = UInt64(info.f_frsize)
    let all = UInt64(info.f_blocks).multipliedReportingOverflow(by: block)
    let free = UInt64(info.f_bavail).multipliedReportingOverflow(by: block)
    return all.overflow || free.overflow ? nil : (all.partialValue, free.partialValue)
  }

  /// Whether it belongs to whoever runs this.
  static func isOwn(_ path: String) -> Bool {
    var info = stat()
    return unsafe lstat(path, &info) == 0 && info.st_uid == geteuid()
  }

  static func make(_ path: String) throws(VaultError) {
    guard unsafe mkdir(path, 0o700) == 0 || errno == EEXIST else { throw .ofSystem(errno) }
  }

  static func rename(_ old: String, to new: String) throws(VaultError) {
    guard systemRename(old, new) == 0 else { throw .ofSystem(errno) }
  }

  /// Where it does not matter whether it was there, or whether it goes now or at the next opening.
  static func remove(_ path: String) { _ = unsafe unlink(path) }

  /// Where it must be gone afterwards.
  static func removeFile(_ path: String) throws(VaultError) {
    guard unsafe unlink(path) == 0 || errno == ENOENT else { throw .ofSystem(errno) }
  }

  /// Returns once the names in the folder are on the medium.
  static func synchronize(_ path: String) throws(VaultError) {
    try OpenFile(folder: path).synchronizeFolder()
  }

  /// Replaces a whole small file: temporary file, sync, rename, sync of the folder.
  static func replace(_ path: String, with bytes: [UInt8], in folder: String) throws(VaultError) {
    let temporary = path + ".new"
    remove(temporary)
    do throws(VaultError) {
      let file = try OpenFile(creating: temporary)
      try file.write(bytes)
      try file.synchronize()
      try rename(temporary, to: path)
      try synchronize(folder)
    } catch {
      remove(temporary)
      throw error
    }
  }

  /// A whole file of at most `max` bytes.
  static func read(_ path: String, max: Int) throws(VaultError) -> [UInt8] {
    let file = try OpenFile(reading: path)
    let status = try file.status()
    guard status.isRegular else { throw VaultError(.notAFile) }
    guard status.size <= UInt64(max) else { throw VaultError(.fileTooLarge) }
    return try file.read(at: 0, count: Int(status.size))
  }

  /// A name beside that of a file, hidden and of no meaning, until what it holds is whole.
  static func temporaryPath(beside path: String) -> String {
    parent(of: path) + "/." + Hex.encode(Randomness.bytes(8))
  }

  /// The folder that holds this name.
  static func parent(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// A folder and all above it that are missing. Their names are on the medium when this returns: what is
  /// put into them would be lost with them.
  ///
  /// - Returns: those that were made, for `removeMade`.
  @discardableResult
  static func makeAll(_ path: String) throws(VaultError) -> [String] {
    var missing: [String] = []
    while !exists(missing.last.map(parent(of:)) ?? path), missing.last != "/" {
      missing.append(missing.last.map(parent(of:)) ?? path)
    }
    var made: [String] = []
    do throws(VaultError) {
      for folder in missing.reversed() {
        try make(folder)
        made.append(folder)
        try synchronize(parent(of: folder))
      }
    } catch {
      removeMade(made)
      throw error
    }
    return made
  }

  /// Takes back folders that were made for something that failed; one that is in use by now stays.
  static func removeMade(_ folders: [String]) {
    for folder in folders.reversed() { _ = unsafe rmdir(folder) }
  }

  /// Removes a folder of our own making with all that is in it; what cannot be removed stays.
  static func removeTree(_ path: String) {
    let names: [String]
    do { names = try Self.names(in: path) } catch { names = [] }
    for name in names {
      let inside = path + "/" + name
      if unsafe unlink(inside) != 0 { removeTree(inside) }
    }
    _ = unsafe rmdir(path)
  }

  /// Whether there is anything of this name, be it a link that leads nowhere.
  static func isThere(_ path: String) -> Bool {
    var info = stat()
    return unsafe lstat(path, &info) == 0
  }

  /// Whether this is a folder itself: neither a file nor a link, be it to a folder.
  static func isReal(_ path: String) -> Bool {
    var info = stat()
    return unsafe lstat(path, &info) == 0 && info.st_mode & S_IFMT == S_IFDIR
  }

  /// Nobody else may look into it, whoever made it.
  static func makePrivate(_ folder: borrowing OpenFile) throws(VaultError) {
    // A file system without modes refuses, and keeps nothing from anybody.
    guard fchmod(folder.descriptor, 0o700) == 0 || errno == EPERM || errno == ENOTSUP else {
      throw .ofSystem(errno)
    }
  }

  /// Where it must be gone afterwards, and the folder may not be another one than was opened.
  static func removeFile(
    _ name: String, in folder: borrowing OpenFile
  ) throws(VaultError) {
    guard unsafe unlinkat(folder.descriptor, name, 0) == 0 || errno == ENOENT else {
      throw .ofSystem(errno)
    }
  }

  /// Names in a folder, sorted; without `.` and `..`.
  static func names(in path: String) throws(VaultError) -> [String] {
    try names(taking: unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC))
  }

  static func names(in folder: borrowing OpenFile) throws(VaultError) -> [String] {
    try names(taking: unsafe openat(folder.descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC))
  }

  /// - Parameter folder: a descriptor that was opened for this, or less than 0 if that failed.
  private static func names(taking folder: Int32) throws(VaultError) -> [String] {
    guard folder >= 0 else { throw .ofSystem(reading: errno) }
    var names: [String] = []
    let error = FolderNames.each(in: folder) { name in
      names.append(String(decoding: name, as: UTF8.self))
      return true
    }
    guard error == 0 else { throw .ofSystem(reading: error) }
    return names.sorted()
  }
}

/// The system's `rename`, which that of `Folders` hides.
private func systemRename(_ old: String, _ new: String) -> Int32 { unsafe rename(old, new) }
