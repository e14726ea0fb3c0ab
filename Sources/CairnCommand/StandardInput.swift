import Foundation
import Synchronization
import Vault

#if canImport(Glibc)
  import Glibc
#endif

/// Standard input that Ctrl-C can stop. Whoever reads it waits in the kernel, for hours if nobody
/// types; so a thread of its own waits in short turns and passes on what comes.
final class StandardInput: Sendable {
  /// To be read instead.
  let descriptor: Int32
  private let hasFailed = Mutex(false)

  /// Nil for a file, which never lets anybody wait and whose changes the reader itself notices.
  init?() throws(VaultError) {
    var info = stat()
    guard unsafe fstat(STDIN_FILENO, &info) == 0 else { throw VaultError(.inputOutput) }
    if info.st_mode & S_IFMT == S_IFREG { return nil }
    var ends: [Int32] = [-1, -1]
    guard unsafe pipe(&ends) == 0 else { throw VaultError(.inputOutput) }
    descriptor = ends[0]
    // The reader may stop before the end; that is no reason to end the process.
    signal(SIGPIPE, SIG_IGN)
    let target = ends[1]
    Thread.detachNewThread { [self] in pass(on: target) }
  }

  deinit { close(descriptor) }

  /// What comes on it can be one thing only.
  static func requireOneUse(files: [String], text: String?) throws {
    guard text == "-", files.contains("-") else { return }
    throw Failure.usage(
      "usage",
      Sentence(
        "Standard input (“-”) can be the words or a file, and not both.",
        safe: Sentences.unchanged, next: "Put one of the two into a file."))
  }

  /// After the end came: whether it was the real one.
  func check() throws(VaultError) {
    if hasFailed.withLock({ $0 }) { throw VaultError(.inputOutput) }
  }

  private func pass(on target: Int32) {
    defer { close(target) }
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    while !Interruption.isRequested {
      var waiting = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
      guard unsafe poll(&waiting, 1, 100) > 0 else { continue }
      let count = unsafe read(STDIN_FILENO, &bytes, bytes.count)
      if count < 0, errno == EINTR { continue }
      if count < 0 { hasFailed.withLock { $0 = true } }
      guard count > 0 else { return }
      write(Array(bytes[..<count]), to: target)
    }
  }
}
