internal import CSodium

/// Argon2id (RFC 9106), version 1.3, one lane: a key from a passphrase, at a cost that a guesser
/// pays for each guess.
public enum Argon2id {
  /// What this library agrees to compute, in either direction: less memory would make guessing
  /// cheap, and a hostile file must not make us spend more.
  public enum Limits {
    /// KiB of memory: 64 MiB to 2 GiB.
    public static let memoryKiB: ClosedRange<UInt32> = 65_536...2_097_152
    /// Passes over that memory.
    public static let passes: ClosedRange<UInt32> = 1...20
    /// Bytes of derived output.
    public static let outputByteCount = 16...1024
  }

  /// Bytes of salt, 16.
  public static let saltByteCount = 16

  /// The key of `passphrase` and 16 bytes of `salt`.
  ///
  /// - Throws: `.invalidLength` for another salt, `.parametersRefused` outside `Limits`,
  ///   `.outOfMemory`.
  public static func derive(
    passphrase: RawSpan, salt: RawSpan, memoryKiB: UInt32, passes: UInt32
  ) throws(CryptographyError) -> SecretKey {
    try check(salt: salt, memoryKiB: memoryKiB, passes: passes)
    return try unsafe SecretKey(writingPointer: { (output) throws(CryptographyError) in
      try unsafe derive(
        to: output, count: SecretKey.byteCount, passphrase, salt, memoryKiB, passes)
    })
  }

  /// `count` bytes, for public use: strings of words that people compare by voice, made costly so
  /// that nobody can search for a second input with the same words.
  ///
  /// - Throws: as `derive`, and `.invalidLength` for a `count` outside `Limits`.
  public static func deriveBytes(
    _ count: Int, from input: RawSpan, salt: RawSpan, memoryKiB: UInt32, passes: UInt32
  ) throws(CryptographyError) -> [UInt8] {
    try check(salt: salt, memoryKiB: memoryKiB, passes: passes)
    guard Limits.outputByteCount.contains(count) else { throw .invalidLength }
    return try unsafe [UInt8](count: count) { (output) throws(CryptographyError) in
      try unsafe derive(to: output, count: count, input, salt, memoryKiB, passes)
    }
  }

  private static func check(
    salt: RawSpan, memoryKiB: UInt32, passes: UInt32
  ) throws(CryptographyError) {
    guard salt.byteCount == saltByteCount else { throw .invalidLength }
    guard Limits.memoryKiB.contains(memoryKiB), Limits.passes.contains(passes) else {
      throw .parametersRefused
    }
  }

  private static func derive(
    to output: UnsafeMutablePointer<UInt8>, count: Int, _ passphrase: RawSpan, _ salt: RawSpan,
    _ memoryKiB: UInt32, _ passes: UInt32
  ) throws(CryptographyError) {
    let status = unsafe passphrase.withCPointer { (passphrase, length) in
      unsafe salt.withCPointer { (salt, _) in
        unsafe passphrase.withMemoryRebound(to: CChar.self, capacity: length) { text in
          unsafe crypto_pwhash(
            output, UInt64(count), text, UInt64(length), salt, UInt64(passes),
            Int(memoryKiB) * 1024, crypto_pwhash_ALG_ARGON2ID13)
        }
      }
    }
    // The parameters are within libsodium's own bounds, so what remains is an allocation that
    // failed.
    guard status == 0 else { throw .outOfMemory }
  }
}

/// scrypt (RFC 7914), for files that the age format seals with a passphrase.
public enum Scrypt {
  /// The key of `passphrase` and `salt` at N = 2^`logN`, r = 8, p = 1, which takes 2^(`logN` + 10)
  /// bytes of memory.
  ///
  /// - Parameter maximumMemory: bytes that a file may make us spend; age's own limit is `logN` =
  ///   22, 4 GiB.
  /// - Throws: `.parametersRefused` for a `logN` of 0 or one that needs more memory,
  ///   `.outOfMemory`.
  public static func derive(
    passphrase: RawSpan, salt: RawSpan, logN: Int, maximumMemory: UInt64 = 1 << 30
  ) throws(CryptographyError) -> SecretKey {
    guard (1...30).contains(logN), UInt64(1) << UInt64(logN + 10) <= maximumMemory else {
      throw .parametersRefused
    }
    return try unsafe SecretKey(writingPointer: { (output) throws(CryptographyError) in
      let status = unsafe passphrase.withCPointer { (passphrase, length) in
        unsafe salt.withCPointer { (salt, saltLength) in
          unsafe crypto_pwhash_scryptsalsa208sha256_ll(
            passphrase, length, salt, saltLength, UInt64(1) << UInt64(logN), 8, 1, output,
            SecretKey.byteCount)
        }
      }
      guard status == 0 else { throw .outOfMemory }
    })
  }
}
