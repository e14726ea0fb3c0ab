import Cryptography
import Foundation
import Mailboxes
import Vault

#if canImport(Glibc)
  import Glibc
#endif

// Rules of the terminal:
//
// - Questions are asked only where somebody can answer: on a terminal, and never with --no-input.
//   They are written to and read from the terminal itself, so that input and output can be
//   redirected meanwhile.
// - Results go to standard output; progress, questions and what went wrong go to standard error or
//   the terminal. With --json, standard output has one JSON object and nothing else.
// - A passphrase is read without echo, byte by byte into locked memory. The terminal is put back as
//   it was on every way out, also with the second Ctrl-C, which ends the process at once.
// - Words that open something are shown on the alternate screen, so that nobody can scroll back to
//   them.

/// The terminal that somebody sits at.
final class Terminal: Sendable {
  private let descriptor: Int32
  /// The longest line that a terminal hands over; it drops what is typed beyond.
  static let longestLine = 4095

  /// Nil where nobody can answer.
  init?() {
    guard isatty(STDIN_FILENO) == 1 || isatty(STDERR_FILENO) == 1 else { return nil }
    descriptor = unsafe open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)
    if descriptor < 0 { return nil }
  }

  deinit { close(descriptor) }

  func say(_ text: String = "") { put(Array((text + "\n").utf8)) }

  /// As `say`, without the end of the line.
  func prompt(_ text: String) { put(Array(text.utf8)) }

  /// Writes a secret without making a string of it.
  func say(secret: borrowing LockedBytes) {
    secret.withBytes { write($0, to: descriptor) }
    say()
  }

  /// Says a text broken into lines of at most 80 columns, or as many as there are.
  func explain(_ text: String) {
    for line in Columns.wrap(text, to: Columns.width - 1) { say(line) }
  }

  // MARK: - Questions

  /// A line as typed; nil at the end of input.
  ///
  /// - Throws: `.cancelled` on Ctrl-C.
  func ask(_ question: String) throws(VaultError) -> String? {
    while true {
      put(Array(question.utf8))
      var bytes: [UInt8] = []
      let ended = try readLine { bytes.append($0) }
      if ended, bytes.isEmpty {
        say()
        return nil
      }
      if bytes.count >= Self.longestLine {
        say("That line is longer than a terminal takes. Use a file for it: --text @FILE")
      } else if let text = String(validating: bytes, as: UTF8.self),
        !text.unicodeScalars.contains(where: {
          $0.properties.generalCategory == .control && $0 != "\t"
        })
      {
        return text
      } else {
        say("A key got in that is not text, perhaps an arrow. Please type it once more.")
      }
    }
  }

  /// Yes or no; `false` at the end of input.
  func confirm(_ question: String) throws(VaultError) -> Bool {
    while let answer = try ask(question + " [y/n] ") {
      switch answer.trimmingCharacters(in: .whitespaces).lowercased() {
      case "y", "yes": return true
      case "n", "no": return false
      default: say("Please type y for yes or n for no.")
      }
    }
    return false
  }

  /// A line that is not shown, straight into locked memory; nil at the end of input.
  func askSecret(_ question: String) throws(VaultError) -> LockedBytes? {
    put(Array(question.utf8))
    return try silently { () throws(VaultError) in
      do {
        var secret = try LockedBytes(capacity: Self.longestLine)
        var failure: CryptographyError?
        let ended = try readLine { byte in
          do throws(CryptographyError) { try secret.append(byte) } catch { failure = error }
        }
        if failure != nil { throw VaultError(.passphraseUnsuitable) }
        if ended, secret.count == 0 { return nil }
        return secret
      } catch let error as VaultError {
        throw error
      } catch {
        throw VaultError(.inputOutput)
      }
    }
  }

  /// Does something while nothing of what is typed is shown. What was typed and not read by then goes to
  /// nobody, and to no shell that would keep it.
  func silently<Result: ~Copyable>(
    _ body: () throws(VaultError) -> Result
  ) throws(VaultError) -> Result {
    var before = termios()
    guard unsafe tcgetattr(descriptor, &before) == 0 else { throw VaultError(.inputOutput) }
    var silent = before
    silent.c_lflag &= ~tcflag_t(ECHO)
    silent.c_lflag |= tcflag_t(ICANON | ISIG | ECHONL)
    // What was typed ahead was shown, so it does not count.
    guard unsafe tcsetattr(descriptor, TCSAFLUSH, &silent) == 0 else {
      throw VaultError(.inputOutput)
    }
    defer { _ = unsafe tcsetattr(descriptor, TCSAFLUSH, &before) }
    return try TerminalState.whileSilent(descriptor, before: before, body)
  }

  /// Reads up to the end of a line; true when it was the end of input.
  ///
  /// Waits in short turns, because a signal may be delivered to another thread than the one that
  /// reads.
  private func readLine(_ take: (UInt8) -> Void) throws(VaultError) -> Bool {
    while true {
      if Interruption.isRequested {
        say()
        throw VaultError(.cancelled)
      }
      var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      guard unsafe poll(&waiting, 1, 100) > 0 else { continue }
      var byte: UInt8 = 0
      let count = unsafe read(descriptor, &byte, 1)
      if count < 0, errno == EINTR { continue }
      if count <= 0 { return true }
      if byte == UInt8(ascii: "\n") { return false }
      take(byte)
      byte = 0
    }
  }

  // MARK: - Screen

  /// Shows what `body` says on a screen of its own, which leaves nothing behind.
  func onOwnScreen<Result: ~Copyable>(
    _ body: () throws -> Result
  ) rethrows -> Result {
    let isCapable = ProcessInfo.processInfo.environment["TERM"].map { $0 != "dumb" } ?? false
    return isCapable ? try TerminalState.onOwnScreen(descriptor, body) : try body()
  }

  /// Empties the own screen.
  func clear() { put(Array("\u{1b}[2J\u{1b}[H".utf8)) }

  private func put(_ bytes: [UInt8]) { write(bytes, to: descriptor) }
}

/// Writes all of it. What cannot be shown is no error of the work, and ends nothing; that a result was lost
/// is said at the end.
func write(_ bytes: [UInt8], to descriptor: Int32) {
  bytes.withBytes { write($0, to: descriptor) }
}

func write(_ bytes: RawSpan, to descriptor: Int32) {
  do throws(FileBytes.Failure) { try FileBytes.put(bytes, to: descriptor) } catch {
    if descriptor == STDOUT_FILENO { Output.isLost = true }
  }
}
