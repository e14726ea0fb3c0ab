internal import BundleCheck
internal import Cryptography

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// The terminal, for one question.
enum Terminal {
  /// Whether a person can be asked.
  static var isThere: Bool { isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1 }

  /// Asks for a passphrase without showing it. The answer goes byte by byte into guarded memory.
  ///
  /// - Returns: nil for Ctrl-C. It comes as a byte that ends the line, so that the terminal is put back as it was.
  static func askPassphrase(_ prompt: String) throws(BundleOpenError) -> LockedBytes? {
    var settings = termios()
    guard unsafe tcgetattr(STDIN_FILENO, &settings) == 0 else { throw .keyNeeded }
    var quiet = settings
    quiet.c_lflag &= ~tcflag_t(ECHO | ISIG)
    unsafe withUnsafeMutableBytes(of: &quiet.c_cc) { unsafe $0[Int(VEOL)] = interrupt }
    say(prompt)
    _ = unsafe tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet)
    defer {
      _ = unsafe tcsetattr(STDIN_FILENO, TCSAFLUSH, &settings)
      say("\n")
    }
    do throws(CryptographyError) {
      var answer = try LockedBytes(capacity: 4096)
      var byte: UInt8 = 0
      defer { byte = 0 }
      while unsafe read(STDIN_FILENO, &byte, 1) == 1, byte != UInt8(ascii: "\n") {
        guard byte != interrupt else { return nil }
        try answer.append(byte)
      }
      return answer
    } catch {
      throw .wrongPassphrase
    }
  }

  /// Ctrl-C.
  private static let interrupt: UInt8 = 0x03

  private static func say(_ text: String) {
    let bytes = Array(text.utf8)
    _ = unsafe bytes.withUnsafeBytes { unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }
}
