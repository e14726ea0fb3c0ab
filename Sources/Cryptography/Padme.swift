/// Padmé (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and Communication with
/// PURBs", 2019): a length is rounded up so that only O(log log n) bits of it show, for at most 12
/// % more bytes.
public enum Padme {
  /// The greatest length that is padded here. Anything near it is a bug long before.
  public static let maximumLength: UInt64 = 1 << 62

  /// The length that `length` bytes are padded to: at least `length`, and the same for all lengths
  /// that share their leading bits. Traps above `maximumLength`.
  public static func paddedLength(_ length: UInt64) -> UInt64 {
    precondition(length <= maximumLength, "no such thing is that long")
    guard length >= 2 else { return length }
    // A length between 2^e and 2^(e+1) keeps as many bits below its first as e itself has bits.
    let exponent = floorLog2(length)
    let keptBits = floorLog2(exponent) + 1
    // For e = 1 and 2 all bits are kept; keptBits never exceeds the exponent.
    let mask = (UInt64(1) << (exponent - keptBits)) - 1
    return (length + mask) & ~mask
  }

  private static func floorLog2(_ value: UInt64) -> UInt64 {
    UInt64(63 - value.leadingZeroBitCount)
  }
}
