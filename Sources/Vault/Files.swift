internal import Cryptography
internal import Mailboxes

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// An open file, closed when its owner lets go. Every call either does all that it says or throws.
struct OpenFile: ~Copyable {
  let descriptor: Int32
  private var isLocked = false

  init(reading path: String, followingLinks: Bool = true) throws(VaultError) {
    let flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | (followingLinks ? 0 : O_NOFOLLOW)
    descriptor = unsafe open(path, flags)
    guard descriptor >= 0 else { throw .ofSystem(reading: errno) }
  }

  /// A path as the file system gave it, of which the last component is no link.
  init(found path: [UInt8]) throws(VaultError) {
    descriptor = unsafe (path + [0]).withUnsafeBufferPointer { bytes in
      unsafe bytes.withMemoryRebound(to: CChar.self) { text in
        unsafe open(text.baseAddress!, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW)
      }
    }
    guard descriptor >= 0 else { throw .ofSystem(reading: errno) }
  }

  /// A new file of mode 0600 that nobody had made before.
  init(creating path: String) throws(VaultError) {
    descriptor = unsafe open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else {
      throw errno == EEXIST ? VaultError(.outputExists) : .ofSystem(errno)
    }
  }

  /// A file to be gone on with, or begun.
  init(continuing path: String) throws(VaultError) {
    descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw .ofSystem(errno) }
  }

  init(folder path: String) throws(VaultError) {
    descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .ofSystem(reading: errno) }
  }

  /// A folder that is one itself, not a link that leads elsewhere.
  init(realFolder path: String) throws(VaultError) {
    descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else { throw .ofSystem(reading: errno) }
  }

  /// Takes over a descriptor that somebody else opened and duplicates it.
  init(duplicating other: Int32) throws(VaultError) {
    descriptor = dup(other)
    guard descriptor >= 0 else { throw .ofSystem(errno) }
  }

  deinit {
    // By itself the lock would last until every copy of the descriptor is closed, and a program that another thread is
    // just starting holds one.
    if isLocked { _ = flock(descriptor, LOCK_UN) }
    close(descriptor)
  }

  struct Status: Hashable {
    var size: UInt64
    var inode: UInt64
    var modified: Int64
    var modifiedNanoseconds: Int
    var isRegular: Bool
  }

  func status() throws(VaultError) -> Status {
    var info = stat()
    guard unsafe fstat(descriptor, &info) == 0 else { throw .ofSystem(errno) }
    return Status(
      size: UInt64(max(0, info.st_size)), inode: UInt64(info.st_ino),
      modified: Int64(info.st_mtim.tv_sec), modifiedNanoseconds: Int(info.st_mtim.tv_nsec),
      isRegular: info.st_mode & S_IFMT == S_IFREG)
  }

  /// Reads until `buffer` has `count` bytes or the file ends; the number of bytes read.
  func read(into buffer: inout [UInt8], count: Int) throws(VaultError) -> Int {
    try unsafe fill(&buffer, count) { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
  }

  /// As the above, from `offset` on.
  func read(into buffer: inout [UInt8], at offset: UInt64, count: Int) throws(VaultError) -> Int {
    try unsafe fill(&buffer, count) {
      unsafe pread(descriptor, $0.baseAddress, $0.count, off_t(offset) + off_t(count - $0.count))
    }
  }

  /// Exactly `count` bytes at `offset`, or fewer at the end of the file.
  func read(at offset: UInt64, count: Int) throws(VaultError) -> [UInt8] {
    var result = [UInt8](repeating: 0, count: count)
    result.removeLast(count - (try read(into: &result, at: offset, count: count)))
    return result
  }

  /// - Parameter read: reads into what is not full yet, the end of `count` bytes.
  private func fill(
    _ buffer: inout [UInt8], _ count: Int, _ read: (UnsafeMutableRawBufferPointer) -> Int
  ) throws(VaultError) -> Int {
    var filled = 0
    while filled < count {
      let got = unsafe buffer.withUnsafeMutableBytes { bytes in
        unsafe read(UnsafeMutableRawBufferPointer(rebasing: bytes[filled..<count]))
      }
      if got < 0 {
        if errno == EINTR { continue }
        throw .ofSystem(reading: errno)
      }
      if got == 0 { break }
      filled += got
    }
    return filled
  }

  func write(_ bytes: RawSpan) throws(VaultError) {
    try unsafe put(bytes) { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
  }

  func write(_ bytes: [UInt8]) throws(VaultError) {
    try bytes.withBytes { (span) throws(VaultError) in try write(span) }
  }

  /// Writes in the middle, or at the end.
  func write(_ bytes: [UInt8], at offset: UInt64) throws(VaultError) {
    try bytes.withBytes { (span) throws(VaultError) in
      try unsafe put(span) {
        unsafe pwrite(
          descriptor, $0.baseAddress, $0.count, off_t(offset) + off_t(bytes.count - $0.count))
      }
    }
  }

  /// - Parameter write: writes of what is not written yet, the end of `bytes`.
  private func put(
    _ bytes: RawSpan, _ write: (UnsafeRawBufferPointer) -> Int
  ) throws(VaultError) {
    var written = 0
    while written < bytes.byteCount {
      let put = unsafe bytes.withUnsafeBytes { buffer in
        unsafe write(UnsafeRawBufferPointer(rebasing: buffer[written...]))
      }
      if put < 0 {
        if errno == EINTR { continue }
        throw .ofSystem(errno)
      }
      written += put
    }
  }

  /// Returns once the content is on the medium.
  func synchronize() throws(VaultError) {
    #if os(Linux)
      guard fdatasync(descriptor) == 0 else { throw .ofSystem(errno) }
    #else
      guard fcntl(descriptor, F_FULLFSYNC) == 0 else { throw .ofSystem(errno) }
    #endif
  }

  func synchronizeFolder() throws(VaultError) {
    // Some network file systems cannot sync a folder and say EINVAL.
    guard fsync(descriptor) == 0 || errno == EINVAL else { throw .ofSystem(errno) }
  }

  enum LockKind { case alone, shared }

  /// Takes the lock on a folder that one process has alone, as on an open vault, or some share; false if another
  /// has it.
  mutating func lock(_ kind: LockKind = .alone) throws(VaultError) -> Bool {
    let operation = kind == .alone ? LOCK_EX : LOCK_SH
    if flock(descriptor, operation | LOCK_NB) == 0 {
      isLocked = true
      return true
    }
    if errno == EWOULDBLOCK { return false }
    throw .ofSystem(errno)
  }
}

extension VaultError {
  /// The file system takes no file of that size, and others all the same.
  public var isOfItsSize: Bool { systemError == EFBIG }

  static func ofSystem(_ error: Int32) -> VaultError {
    switch error {
    case ENOSPC, EDQUOT, EFBIG: return VaultError(.diskFull, systemError: error)
    default: return VaultError(.inputOutput, systemError: error)
    }
  }

  static func ofSystem(reading error: Int32) -> VaultError {
    switch error {
    case ENOENT, ENOTDIR: return VaultError(.fileMissing, systemError: error)
    case EACCES, EPERM, ELOOP: return VaultError(.fileUnreadable, systemError: error)
    case EISDIR: return VaultError(.notAFile, systemError: error)
    default: return VaultError(.inputOutput, systemError: error)
    }
  }
}

/// What is done to names in folders.
enum Folders {
  static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

  /// Of the file system in which it lies.
  static func device(of path: String) throws(VaultError) -> UInt64 {
    var info = stat()
    guard unsafe stat(path, &info) == 0 else { throw .ofSystem(reading: errno) }
    return UInt64(info.st_dev)
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
    guard unsafe Glibc.rename(old, new) == 0 else { throw .ofSystem(errno) }
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

  /// Names in an open folder, sorted.
  static func names(in folder: borrowing OpenFile) throws(VaultError) -> [String] {
    let again = unsafe openat(folder.descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard again >= 0 else { throw .ofSystem(reading: errno) }
    var names: [String] = []
    let error = FolderNames.each(in: again) { name in
      names.append(String(decoding: name, as: UTF8.self))
      return true
    }
    guard error == 0 else { throw .ofSystem(reading: error) }
    return names.sorted()
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
    let folder = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
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
