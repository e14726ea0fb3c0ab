import Vault

#if canImport(Glibc)
  import Glibc
#endif

/// Small files that a command makes for its user: kits, cards, invitations.
enum NewFile {
  /// Writes a file of mode 0600 that was not there before; on the medium when this returns, and gone again
  /// if it could not be written whole.
  ///
  /// - Throws: a failure that names the path.
  static func write(_ bytes: [UInt8], to path: String) throws {
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw failure(errno, path) }
    var written = 0
    while written < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { buffer in
        unsafe Glibc.write(descriptor, buffer.baseAddress! + written, buffer.count - written)
      }
      if count < 0, errno == EINTR { continue }
      if count <= 0 { break }
      written += count
    }
    let isSafe = written == bytes.count && fsync(descriptor) == 0
    let reason = errno
    close(descriptor)
    guard isSafe, synchronizeFolder(of: path) else {
      remove(path)
      throw failure(reason, path)
    }
  }

  static func remove(_ path: String) { _ = unsafe unlink(path) }

  /// Returns once the name is on the medium too.
  private static func synchronizeFolder(of path: String) -> Bool {
    let folder: String
    switch path.lastIndex(of: "/") {
    case nil: folder = "."
    case let slash?: folder = slash == path.startIndex ? "/" : String(path[..<slash])
    }
    let descriptor = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    return fsync(descriptor) == 0
  }

  private static func failure(_ error: Int32, _ path: String) -> Failure {
    let name = SafeText.quoted(path)
    switch error {
    case EEXIST: return Failure(VaultError(.outputExists), subject: name)
    case ENOSPC, EDQUOT: return Failure(VaultError(.diskFull), subject: name)
    case ENOENT, ENOTDIR, EACCES, EPERM, EROFS, EISDIR:
      return Failure(
        code: "outputPlace", status: .other,
        Sentence(
          "\(name) cannot be written there: the folder is missing, or this account may not write"
            + " to it.", safe: Sentences.unchanged, next: "Choose another place."))
    default: return Failure(VaultError(.inputOutput, systemError: error), subject: name)
    }
  }
}
