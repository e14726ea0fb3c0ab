import Mailboxes
import Vault

#if canImport(Glibc)
  import Glibc
#endif

/// A small file that a command makes for its user: a kit, a card, an invitation. Its place is taken
/// before the work begins, so that the work is not done for nothing.
final class NewFile {
  private let path: String
  private let descriptor: Int32

  /// Makes a file of mode 0600 that was not there before.
  ///
  /// - Throws: a failure that names the path.
  init(reserving path: String) throws {
    self.path = path
    descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw Self.failure(errno, path) }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Fills it; on the medium when this returns, and gone again if that failed.
  func finish(with bytes: [UInt8]) throws {
    var reason: Int32 = 0
    do throws(FileBytes.Failure) { try FileBytes.put(bytes, to: descriptor) } catch {
      reason = error.number
    }
    if reason == 0, fsync(descriptor) != 0 { reason = errno }
    if reason == 0 { reason = Self.synchronizeFolder(of: path) }
    guard reason == 0 else {
      discard()
      throw Self.failure(reason, path)
    }
  }

  /// Removes it; for when what it was to hold did not come about.
  func discard() { _ = unsafe unlink(path) }

  /// Puts the name on the medium too; `errno` if that failed.
  static func synchronizeFolder(of path: String) -> Int32 {
    let folder: String
    switch path.lastIndex(of: "/") {
    case nil: folder = "."
    case let slash?: folder = slash == path.startIndex ? "/" : String(path[..<slash])
    }
    return synchronize(folder)
  }

  /// Puts the content of a file, or the names in a folder, on the medium; `errno` if that failed.
  static func synchronize(_ path: String) -> Int32 {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { return errno }
    defer { close(descriptor) }
    // Some network file systems cannot sync a folder and say EINVAL.
    return fsync(descriptor) == 0 || errno == EINVAL ? 0 : errno
  }

  private static func failure(_ error: Int32, _ path: String) -> Failure {
    let name = SafeText.quoted(path)
    switch error {
    case EEXIST: return Failure(VaultError(.outputExists), subject: name)
    case ENOSPC, EDQUOT: return Failure(VaultError(.diskFull), subject: name)
    case ENOENT, ENOTDIR, EACCES, EPERM, EROFS, EISDIR:
      return .cannotWrite(to: path)
    default: return Failure(VaultError(.inputOutput, systemError: error), subject: name)
    }
  }
}

extension Failure {
  static func cannotWrite(to path: String) -> Failure {
    Failure(
      code: "outputPlace", status: .other,
      Sentence(
        "\(SafeText.quoted(path)) cannot be written there: the folder is missing, or this account may"
          + " not write to it.", safe: Sentences.unchanged, next: "Choose another place."))
  }
}
