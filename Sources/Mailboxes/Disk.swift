internal import Cryptography

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// What is done to files, for tests that let each of it fail.
package enum FileOperation: Hashable, Sendable {
  case open, list, read, create, write, synchronize, rename, remove, makeFolder
}

/// How an operation fails in a test.
package enum FileFault: Sendable {
  /// It does nothing.
  case fails
  /// It does all (a write: half) of what it should, and then fails.
  case failsAfterwards
}

/// The system calls of one exchange, counted. Everything here is relative to an open folder and follows no
/// link, so that nobody who writes into the mailbox can lead a reader or writer out of it.
final class Disk {
  private let fault: ((FileOperation) -> FileFault?)?
  private(set) var bytesRead: UInt64 = 0
  private(set) var bytesWritten: UInt64 = 0

  init(fault: ((FileOperation) -> FileFault?)?) { self.fault = fault }

  func didRead(_ count: Int) { bytesRead += UInt64(count) }
  func didWrite(_ count: Int) { bytesWritten += UInt64(count) }

  /// Runs an operation, unless a test wants it to fail.
  func run<Value: ~Copyable>(
    _ operation: FileOperation, _ body: () throws(MailboxError) -> Value
  ) throws(MailboxError) -> Value {
    switch fault?(operation) {
    case nil: return try body()
    case .fails: throw .inputOutput(EIO)
    case .failsAfterwards:
      _ = try body()
      throw .inputOutput(EIO)
    }
  }

  /// How much of a write takes place.
  func lengthOfWrite(_ count: Int) -> (count: Int, fails: Bool) {
    switch fault?(.write) {
    case nil: (count, false)
    case .fails: (0, true)
    case .failsAfterwards: (count / 2, true)
    }
  }
}

/// A descriptor that is closed when its owner lets go.
struct Descriptor: ~Copyable {
  let number: Int32
  init(_ number: Int32) { self.number = number }
  deinit { _ = close(number) }
}

extension MailboxError {
  /// Why something could not be read.
  static func reading(_ number: Int32) -> MailboxError { .inputOutput(number) }

  /// Why something could not be written.
  static func writing(_ number: Int32) -> MailboxError {
    switch number {
    case ENOSPC, EDQUOT, EFBIG: .full
    case EACCES, EPERM, EROFS: .notWritable
    default: .inputOutput(number)
    }
  }
}

/// An open folder.
struct Folder: ~Copyable {
  private let descriptor: Descriptor
  let disk: Disk

  /// More names than any honest device makes; the rest of a folder is not looked at.
  private static let maximumNames = 1 << 20

  /// The mailbox itself. Its path is the person's own, and may lead through links.
  init(path: String, disk: Disk) throws(MailboxError) {
    self.disk = disk
    descriptor = try disk.run(.open) { () throws(MailboxError) in
      let number = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
      guard number >= 0 else { throw .unreachable }
      return Descriptor(number)
    }
  }

  private init(_ descriptor: consuming Descriptor, disk: Disk) {
    self.descriptor = descriptor
    self.disk = disk
  }

  /// A folder in this one, not through a link.
  func folder(_ name: String) throws(MailboxError) -> Folder {
    let inner = try disk.run(.open) { () throws(MailboxError) in
      let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
      let number = unsafe openat(descriptor.number, name, flags)
      guard number >= 0 else { throw .reading(errno) }
      return Descriptor(number)
    }
    return Folder(inner, disk: disk)
  }

  /// Makes a folder in this one, if it is not there.
  func makeFolder(_ name: String) throws(MailboxError) {
    try disk.run(.makeFolder) { () throws(MailboxError) in
      guard unsafe mkdirat(descriptor.number, name, 0o755) == 0 || errno == EEXIST else {
        throw .writing(errno)
      }
    }
  }

  /// What `parse` makes of the names in the folder, in no particular order.
  func names<Name>(_ parse: (String) -> Name?) throws(MailboxError) -> [Name] {
    try disk.run(.list) { () throws(MailboxError) in
      let number = unsafe openat(descriptor.number, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
      guard number >= 0 else { throw .reading(errno) }
      var names: [Name] = []
      let error = FolderNames.each(in: number) { bytes in
        if let name = String(validating: bytes, as: UTF8.self).flatMap(parse) { names.append(name) }
        return names.count < Folder.maximumNames
      }
      guard error == 0 else { throw .reading(error) }
      return names
    }
  }

  func rename(_ old: String, to new: String) throws(MailboxError) {
    try disk.run(.rename) { () throws(MailboxError) in
      if unsafe renameat(descriptor.number, old, descriptor.number, new) == 0 { return }
      let error = errno
      guard setAside(new), unsafe renameat(descriptor.number, old, descriptor.number, new) == 0
      else { throw .writing(error) }
    }
  }

  /// Removes a file, if it is there. What is a folder instead is out of the way then.
  func remove(_ name: String) throws(MailboxError) {
    try disk.run(.remove) { () throws(MailboxError) in
      if unsafe unlinkat(descriptor.number, name, 0) == 0 || errno == ENOENT { return }
      let error = errno
      guard setAside(name) else { throw .writing(error) }
    }
  }

  /// Frees the name of a file that a folder has, be it by mistake or malice: nothing else could be written for as
  /// long as it stands there. What is in it is kept, under a name that nobody reads.
  private func setAside(_ name: String) -> Bool {
    guard mode(of: name) == S_IFDIR else { return false }
    if unsafe unlinkat(descriptor.number, name, AT_REMOVEDIR) == 0 { return true }
    return (1...Folder.maximumAside).contains { number in
      unsafe renameat(descriptor.number, name, descriptor.number, ".aside-\(number)") == 0
    }
  }

  private static let maximumAside = 1024

  /// What kind of thing has a name; nil where nothing has it. A link is one itself.
  private func mode(of name: String) -> mode_t? {
    var status = stat()
    let isThere = unsafe fstatat(descriptor.number, name, &status, AT_SYMLINK_NOFOLLOW) == 0
    return isThere ? status.st_mode & S_IFMT : nil
  }

  /// Returns once the names in the folder are on the medium, as far as its file system can say.
  func synchronize() throws(MailboxError) {
    try disk.run(.synchronize) { () throws(MailboxError) in
      // Some network file systems cannot sync a folder and say EINVAL.
      guard fsync(descriptor.number) == 0 || errno == EINVAL else { throw .writing(errno) }
    }
  }

  /// A regular file to read, not through a link. (A pipe put in its place must not make us wait.)
  func file(_ name: String) throws(MailboxError) -> File {
    let flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
    let file = try disk.run(.open) { () throws(MailboxError) in
      let number = unsafe openat(descriptor.number, name, flags)
      guard number >= 0 else { throw .reading(errno) }
      return Descriptor(number)
    }
    return try File(file, disk: disk)
  }

  /// A regular file to write, not through a link: new, or as it is for one that is continued. What else has the name
  /// gives way.
  func writable(_ name: String, isNew: Bool) throws(MailboxError) -> File {
    if !isNew, let mode = mode(of: name), mode != S_IFREG { try remove(name) }
    let flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | (isNew ? O_EXCL : 0)
    let file = try disk.run(.create) { () throws(MailboxError) in
      let number = unsafe openat(descriptor.number, name, flags, 0o644)
      guard number >= 0 else { throw .writing(errno) }
      return Descriptor(number)
    }
    return try File(file, disk: disk)
  }
}

/// An open regular file. Each call does all that it says or throws.
struct File: ~Copyable {
  private let descriptor: Descriptor
  private let disk: Disk
  /// Its length when it was opened.
  let byteCount: UInt64

  fileprivate init(_ descriptor: consuming Descriptor, disk: Disk) throws(MailboxError) {
    var status = stat()
    guard unsafe fstat(descriptor.number, &status) == 0 else { throw .reading(errno) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw .reading(EISDIR) }
    byteCount = UInt64(max(0, status.st_size))
    self.descriptor = descriptor
    self.disk = disk
  }

  /// The bytes from `offset`: `count`, or fewer where the file ends.
  func read(at offset: UInt64, count: Int) throws(MailboxError) -> [UInt8] {
    guard offset < byteCount else { return [] }
    let wanted = Int(min(UInt64(count), byteCount - offset))
    let bytes = try disk.run(.read) { () throws(MailboxError) in
      var bytes = [UInt8](repeating: 0, count: wanted)
      do throws(FileBytes.Failure) {
        let filled = try FileBytes.fill(
          &bytes, count: wanted, from: descriptor.number, at: offset)
        bytes.removeLast(wanted - filled)
      } catch {
        throw .reading(error.number)
      }
      return bytes
    }
    disk.didRead(bytes.count)
    return bytes
  }

  func write(_ bytes: [UInt8], at offset: UInt64) throws(MailboxError) {
    let (count, fails) = disk.lengthOfWrite(bytes.count)
    do throws(FileBytes.Failure) {
      try bytes.withBytes { (bytes) throws(FileBytes.Failure) in
        try FileBytes.put(bytes.extracting(0..<count), to: descriptor.number, at: offset)
      }
    } catch {
      throw .writing(error.number)
    }
    disk.didWrite(count)
    if fails { throw .inputOutput(EIO) }
  }

  /// Returns once the content is on the medium.
  func synchronize() throws(MailboxError) {
    try disk.run(.synchronize) { () throws(MailboxError) in
      #if canImport(Glibc)
        guard fdatasync(descriptor.number) == 0 else { throw .writing(errno) }
      #else
        guard fcntl(descriptor.number, F_FULLFSYNC) == 0 else { throw .writing(errno) }
      #endif
    }
  }
}
