import Vault

#if canImport(Glibc)
  import Glibc
#endif

/// A file that can be added, as far as can be told without reading it.
struct FileCheck {
  let path: String
  let size: UInt64

  /// - Throws: a failure that names the file.
  init(path: String) throws {
    self.path = path
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw Self.failure(ofSystem: errno, path) }
    defer { close(descriptor) }
    var info = stat()
    guard unsafe fstat(descriptor, &info) == 0 else { throw Self.failure(ofSystem: errno, path) }
    guard info.st_mode & S_IFMT == S_IFREG else { throw Self.failure(.notAFile, path) }
    guard info.st_size > 0 else { throw Self.failure(.fileEmpty, path) }
    size = UInt64(info.st_size)
  }

  private static func failure(ofSystem error: Int32, _ path: String) -> Failure {
    switch error {
    case ENOENT, ENOTDIR:
      return path.contains("\u{fffd}") ? unspeakable(path) : failure(.fileMissing, path)
    case EACCES, EPERM, ELOOP: return failure(.fileUnreadable, path, systemError: error)
    case EISDIR, ENXIO, ENODEV: return failure(.notAFile, path)
    default:
      return Failure(VaultError(.inputOutput, systemError: error), subject: SafeText.quoted(path))
    }
  }

  private static func failure(
    _ code: VaultError.Code, _ path: String, systemError: Int32? = nil
  ) -> Failure {
    Failure(VaultError(code, systemError: systemError), subject: SafeText.quoted(path))
  }

  /// Arguments are texts here; a name that is not UTF-8 arrives with its odd bytes replaced.
  private static func unspeakable(_ path: String) -> Failure {
    Failure(
      code: VaultError.Code.fileMissing.rawValue, status: .other,
      Sentence(
        "The name \(SafeText.quoted(path)) has bytes in it that are not text, so the file cannot be"
          + " found by it.",
        safe: Sentences.unchanged,
        next: "Hand the file over on standard input instead: cairn add - < FILE"))
  }
}
