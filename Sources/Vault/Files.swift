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
    #if canImport(Darwin)
      let modified = info.st_mtimespec
    #else
      let modified = info.st_mtim
    #endif
    return Status(
      size: UInt64(max(0, info.st_size)), inode: UInt64(info.st_ino),
      modified: Int64(modified.tv_sec), modifiedNanoseconds: Int(modified.tv_nsec),
      isRegular: info.st_mode & S_IFMT == S_IFREG)
  }

  /// Reads until `buffer` has `count` bytes or the file ends; the number of bytes read.
  ///
  /// - Parameter offset: where to begin; nil where the file stands.
  func read(
    into buffer: inout [UInt8], at offset: UInt64? = nil, count: Int
  ) throws(VaultError) -> Int {
    do throws(FileBytes.Failure) {
      return try FileBytes.fill(&buffer, count: count, from: descriptor, at: offset)
    } catch {
      throw .ofSystem(reading: error.number)
    }
  }

  /// Exactly `count` bytes at `offset`, or fewer at the end of the file.
  func read(at offset: UInt64, count: Int) throws(VaultError) -> [UInt8] {
    var result = [UInt8](repeating: 0, count: count)
    result.removeLast(count - (try read(into: &result, at: offset, count: count)))
    return result
  }

  func write(_ bytes: RawSpan) throws(VaultError) {
    do throws(FileBytes.Failure) { try FileBytes.put(bytes, to: descriptor) } catch {
      throw .ofSystem(error.number)
    }
  }

  /// - Parameter offset: where to write, in the middle or at the end; nil where the file stands.
  func write(_ bytes: [UInt8], at offset: UInt64? = nil) throws(VaultError) {
    do throws(FileBytes.Failure) { try FileBytes.put(bytes, to: descriptor, at: offset) } catch {
      throw .ofSystem(error.number)
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
