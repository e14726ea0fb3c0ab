public import Cryptography

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// A small file, or a pipe, with a secret in it: a passphrase, keys, the words of a kit. Both programs read it
/// here, so that one file opens with one what it sealed with the other.
public enum SecretFile {
  public enum Problem: Error {
    /// It is not there, or cannot be read to its end.
    case unreadable
    case tooLong
    case outOfMemory
  }

  /// All of it, byte by byte into locked memory.
  ///
  /// - Parameter limit: the most bytes that it may have.
  public static func read(_ path: String, limit: Int) throws(Problem) -> LockedBytes {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .unreadable }
    defer { close(descriptor) }
    var secret: LockedBytes
    do { secret = try LockedBytes(capacity: limit) } catch { throw .outOfMemory }
    var byte: UInt8 = 0
    defer { byte = 0 }
    while true {
      let count = unsafe systemRead(descriptor, &byte)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw .unreadable }
      if count == 0 { return secret }
      do { try secret.append(byte) } catch { throw .tooLong }
    }
  }

  /// All of it but one line end at its end, which editors add.
  public static func readPassphrase(_ path: String, limit: Int) throws(Problem) -> LockedBytes {
    var secret = try read(path, limit: limit + 2)
    if ends(secret, with: UInt8(ascii: "\n")) {
      secret.removeLast()
      if ends(secret, with: UInt8(ascii: "\r")) { secret.removeLast() }
    }
    guard secret.count <= limit else { throw .tooLong }
    return secret
  }

  private static func ends(_ secret: borrowing LockedBytes, with byte: UInt8) -> Bool {
    secret.withBytes { bytes in
      bytes.byteCount > 0 && bytes.byte(at: bytes.byteCount - 1) == byte
    }
  }
}

/// The system's `read`, which that of `SecretFile` hides.
private func systemRead(_ descriptor: Int32, _ byte: UnsafeMutablePointer<UInt8>) -> Int {
  unsafe read(descriptor, byte, 1)
}
