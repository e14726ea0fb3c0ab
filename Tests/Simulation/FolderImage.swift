import Foundation

#if canImport(Glibc)
  import Glibc
#endif

/// All files of a folder, in memory.
struct FolderImage: Sendable {
  private let files: [String: [UInt8]]

  init(of path: String) throws {
    var files: [String: [UInt8]] = [:]
    for name in try Files.all(below: path) { files[name] = try Files.read(path + "/" + name) }
    self.files = files
  }

  /// Makes the folder what it was. A file that is there stays the same file, as on a disk that is put back
  /// whole: a vault knows its database by its inode.
  func putBack(at path: String) throws {
    for name in try Files.all(below: path) where files[name] == nil {
      try Files.remove(path + "/" + name)
    }
    for (name, bytes) in files {  // In any order.
      try Files.makeFolder((path + "/" + name as NSString).deletingLastPathComponent)
      try Files.write(bytes, to: path + "/" + name)
    }
  }
}

/// Few operations on files, by path.
enum Files {
  static func makeFolder(_ path: String) throws {
    guard unsafe access(path, F_OK) != 0 else { return }
    try FileManager.default.createDirectory(
      atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
  }

  static func removeTree(_ path: String) throws {
    guard unsafe access(path, F_OK) == 0 else { return }
    try FileManager.default.removeItem(atPath: path)
  }

  static func remove(_ path: String) throws {
    guard unsafe unlink(path) == 0 else { throw Self.error() }
  }

  static func names(in path: String) throws -> [String] {
    guard unsafe access(path, F_OK) == 0 else { return [] }
    return try FileManager.default.contentsOfDirectory(atPath: path).sorted()
  }

  /// Regular files, by their paths from there.
  static func all(below path: String) throws -> [String] {
    try names(in: path).flatMap { name in
      var status = stat()
      guard unsafe lstat(path + "/" + name, &status) == 0 else { throw Self.error() }
      guard status.st_mode & S_IFMT == S_IFDIR else { return [name] }
      return try all(below: path + "/" + name).map { name + "/" + $0 }
    }
  }

  static func read(_ path: String) throws -> [UInt8] {
    let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw Self.error() }
    defer { close(file) }
    var status = stat()
    guard unsafe fstat(file, &status) == 0 else { throw Self.error() }
    let count = Int(status.st_size)
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      while filled < count {
        let got = unsafe Glibc.read(file, buffer.baseAddress! + filled, count - filled)
        if got <= 0 { break }
        filled += got
      }
    }
    guard bytes.count == count else { throw Self.error() }
    return bytes
  }

  /// Over what is there, so that the file stays the same one.
  static func write(_ bytes: [UInt8], to path: String) throws {
    let file = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw Self.error() }
    defer { close(file) }
    var written = 0
    while written < bytes.count {
      let put = unsafe bytes.withUnsafeBytes { buffer in
        unsafe Glibc.write(file, buffer.baseAddress! + written, buffer.count - written)
      }
      guard put > 0 else { throw Self.error() }
      written += put
    }
  }

  private static func error() -> POSIXError { POSIXError(.init(rawValue: errno) ?? .EIO) }
}
