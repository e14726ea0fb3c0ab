internal import CSodium

/// Starting libsodium, once for the process.
///
/// `sodium_malloc` aborts before `sodium_init`, and the fast AEAD implementations are chosen by it,
/// so every path that makes a secret comes through here. Everything that only checks public data
/// (hashes, signatures) works without.
enum Sodium {
  /// `sodium_init` returns 0 the first time, 1 when it was already done, -1 on failure.
  private static let hasStarted = sodium_init() >= 0

  /// Traps when libsodium cannot start: it then has no source of randomness and nothing here is
  /// safe.
  @inline(__always)
  static func start() {
    precondition(hasStarted, "libsodium could not start")
  }
}

/// Randomness. libsodium's generator is the only one in this project, so that a simulation can
/// replace it in one place (`randombytes_set_implementation`).
public enum Randomness {
  /// `count` random bytes for public use (salts, nonces, padding). Secrets come from
  /// `SecretKey.random()`.
  public static func bytes(_ count: Int) -> [UInt8] {
    Sodium.start()
    return unsafe [UInt8](count: count) { output in unsafe randombytes_buf(output, count) }
  }

  /// A number from 0 up to, not including, `bound`, without modulo bias. `bound` must not be 0.
  public static func uniform(below bound: UInt32) -> UInt32 {
    precondition(bound > 0, "an empty range has no member")
    Sodium.start()
    return randombytes_uniform(bound)
  }
}
