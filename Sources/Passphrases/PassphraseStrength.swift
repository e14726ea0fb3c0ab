internal import CZxcvbn
public import Cryptography

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// How long a passphrase stands up to guessing, by zxcvbn's estimate: names, words, dates, keys that lie beside
/// each other and what else people choose cost a guesser less than what a machine drew.
///
/// An order of magnitude, and no promise: zxcvbn knows English words, and nothing of the person.
public struct PassphraseStrength: Hashable, Sendable {
  /// The number of guesses that find it for sure, as a power of two.
  public let bits: Double

  public init(bits: Double) { self.bits = bits }

  /// - Throws: `.outOfMemory`.
  public init(of passphrase: borrowing LockedBytes) throws(CryptographyError) {
    // With the zero at its end that C asks for, in locked memory too; zxcvbn itself makes short-lived copies in
    // memory that is not. A zero within it ends it early, which estimates too little.
    let text = try LockedBytes(count: passphrase.count + 1) { output in
      passphrase.withBytes { bytes in
        for offset in 0..<bytes.byteCount {
          output.storeBytes(
            of: unsafe bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self),
            toByteOffset: offset, as: UInt8.self)
        }
      }
    }
    let bits = text.withBytes { bytes in
      unsafe bytes.withUnsafeBytes { buffer -> Double in
        guard let base = buffer.baseAddress else { return 0 }
        return unsafe ZxcvbnMatch(base.assumingMemoryBound(to: CChar.self), nil, nil)
      }
    }
    self.init(bits: bits)
  }

  /// How many guesses a second somebody can make who spends real money: each costs memory that has to be written
  /// and read, and a large graphics card moves about 1 TB a second. For 3 passes over 256 MiB (or what age
  /// asks) that is some hundred; here a few such cards.
  public enum Cost: Double, Sendable {
    case standard = 1000
    case light = 4000
  }

  /// Seconds until half of the guesses were made.
  public func seconds(at cost: Cost) -> Double { exp2(bits - 1) / cost.rawValue }

  /// The time that a guesser needs, as a word of it.
  public enum Time: Int, Comparable, CaseIterable, Sendable {
    case moments, minutes, hours, days, weeks, months, years, decades, centuries

    public static func < (left: Time, right: Time) -> Bool { left.rawValue < right.rawValue }
  }

  public func time(at cost: Cost) -> Time {
    let minute = 60.0
    let day = 86_400.0
    let year = 365 * day
    switch seconds(at: cost) {
    case ..<minute: return .moments
    case ..<(60 * minute): return .minutes
    case ..<day: return .hours
    case ..<(14 * day): return .days
    case ..<(60 * day): return .weeks
    case ..<(2 * year): return .months
    case ..<(20 * year): return .years
    case ..<(200 * year): return .decades
    default: return .centuries
    }
  }

  /// What is to be said of it.
  public enum Verdict: Sendable {
    /// Found within a day: to be taken only by somebody who was told.
    case guessable
    /// Found within some years by somebody who tries hard.
    case weak
    case good
  }

  public func verdict(at cost: Cost) -> Verdict {
    switch time(at: cost) {
    case ..<Time.days: return .guessable
    case ..<Time.decades: return .weak
    default: return .good
    }
  }
}
