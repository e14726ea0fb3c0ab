/// HKDF with SHA-256 (RFC 5869). An empty salt stands for 32 zero bytes, as the RFC has it.
public enum HKDFSHA256 {
  /// The most bytes that one derivation gives: 255 · 32.
  public static let maximumByteCount = 255 * 32

  /// A 32-byte key from `input`. Every intermediate value stays in locked memory.
  public static func deriveKey(input: RawSpan, salt: RawSpan, info: RawSpan) -> SecretKey {
    expandBlock(1, after: RawSpan(), pseudorandomKey: extract(input: input, salt: salt), info: info)
  }

  /// `count` bytes from `input`, for output that is no key of ours.
  ///
  /// - Throws: `.invalidLength` for more than `maximumByteCount`.
  public static func derive(
    input: RawSpan, salt: RawSpan, info: RawSpan, count: Int
  ) throws(CryptographyError) -> [UInt8] {
    guard count >= 0, count <= maximumByteCount else { throw .invalidLength }
    let pseudorandomKey = extract(input: input, salt: salt)
    var output: [UInt8] = []
    output.reserveCapacity(count)
    var number: UInt8 = 0
    var block = SecretKey(writing: { _ in })
    while output.count < count {
      number += 1
      block = block.withBytes { previous in
        expandBlock(
          number, after: number == 1 ? RawSpan() : previous, pseudorandomKey: pseudorandomKey,
          info: info)
      }
      block.withBytes { output.append($0.extracting(first: min(32, count - output.count))) }
    }
    return output
  }

  /// RFC 5869 section 2.2: PRK = HMAC(salt, input).
  private static func extract(input: RawSpan, salt: RawSpan) -> SecretKey {
    // HMAC pads a short key with zeros, so the empty salt is the zero salt without further ado.
    var hmac = HMACState(key: salt)
    hmac.update(input)
    return unsafe SecretKey(writingPointer: { unsafe hmac.finalize(to: $0) })
  }

  /// RFC 5869 section 2.3: T(n) = HMAC(PRK, T(n-1) ‖ info ‖ n).
  private static func expandBlock(
    _ number: UInt8, after previous: RawSpan, pseudorandomKey: borrowing SecretKey, info: RawSpan
  ) -> SecretKey {
    var hmac = pseudorandomKey.withBytes { HMACState(key: $0) }
    hmac.update(previous)
    hmac.update(info)
    unsafe withUnsafeBytes(of: number) { unsafe hmac.update($0.bytes) }
    return unsafe SecretKey(writingPointer: { unsafe hmac.finalize(to: $0) })
  }
}
