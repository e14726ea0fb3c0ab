/// Why words are not those of a recovery kit.
public enum KitWordsError: Error, Hashable, Sendable {
  /// There are not twelve.
  case wrongCount(Int)
  /// The word at this position, counted from 1, is not in the list.
  case unknownWord(position: Int)
  /// All words are in the list, but at least one is not the right one, or two changed places.
  case checksum
  /// There was no locked memory for the result.
  case outOfMemory
}

/// The words of a recovery kit: sixteen secret bytes as twelve words that a person writes down.
///
/// With c the first 27 bits of SHA-256 in the domain `kit` over the seed, the words are
///
///     seed · 2^27 + c
///
/// in base 7776, most significant word first. That is 155 bits, and 7776^12 is just over 2^155. A
/// wrong word, or two exchanged, is noticed but for one chance in 2^27.
public enum KitWords {
  /// The number of words, 12.
  public static let wordCount = 12
  /// The number of secret bytes, 16.
  public static let seedByteCount = 16

  // 155 bits, right-aligned in 20 bytes: 5 zero bits, 128 bits of seed, 27 bits of check.
  private static let numberByteCount = 20
  private static let checkBits: UInt64 = 27

  /// The words of a seed of 16 bytes. They are for paper: the strings are not erased, so do this
  /// once, when the kit is made.
  public static func encode(_ seed: RawSpan) -> [String] {
    precondition(seed.byteCount == seedByteCount, "a kit's seed has 16 bytes")
    var number = [UInt8](repeating: 0, count: numberByteCount)
    for offset in 0..<seedByteCount {
      // The seed's lowest bit lies at bit 27: three whole bytes and three bits up, so each byte is
      // split 3 to 5 over two bytes of the number.
      number[offset] |= seed.byte(at: offset) >> 5
      number[offset + 1] |= seed.byte(at: offset) << 3
    }
    let check = check(of: seed)
    number[16] |= UInt8(check >> 24)
    number[17] = UInt8(truncatingIfNeeded: check >> 16)
    number[18] = UInt8(truncatingIfNeeded: check >> 8)
    number[19] = UInt8(truncatingIfNeeded: check)
    var digits = number.withBytes { BaseWords.digits(of: $0, count: wordCount) }
    number.erase()
    defer { digits.erase() }
    return digits.map { WordList.word($0) }
  }

  /// The seed of twelve words as typed: separated by white space, in either case.
  public static func decode(_ text: RawSpan) throws(KitWordsError) -> LockedBytes {
    var digits: [Int] = []
    var word: [UInt8] = []
    // With all the room they will need, so that growing leaves no copies behind to erase.
    digits.reserveCapacity(wordCount)
    word.reserveCapacity(WordList.longest + 1)
    defer {
      digits.erase()
      word.erase()
    }
    var position = 0
    var unknown: Int?
    for offset in 0...text.byteCount {
      let byte = offset < text.byteCount ? text.byte(at: offset) : UInt8(ascii: " ")
      if byte <= UInt8(ascii: " ") {
        guard !word.isEmpty else { continue }
        position += 1
        if let number = WordList.number(of: unsafe word.span.bytes) {
          // More than twelve are counted and not kept.
          if digits.count < wordCount { digits.append(number) }
        } else if unknown == nil {
          unknown = position
        }
        word.removeAll(keepingCapacity: true)
      } else if word.count <= WordList.longest {
        // One character over the longest word is enough to be no word.
        word.append(lowercased(byte))
      }
    }
    guard position == wordCount else { throw .wrongCount(position) }
    if let unknown { throw .unknownWord(position: unknown) }
    return try seed(of: digits)
  }

  private static func seed(of digits: [Int]) throws(KitWordsError) -> LockedBytes {
    do throws(CryptographyError) {
      var fits = false
      let number = try LockedBytes(count: numberByteCount) { (output) in
        fits = BaseWords.number(of: digits, into: &output)
      }
      let seed = try LockedBytes(count: seedByteCount) { (output) in
        number.withBytes { number in
          for offset in 0..<seedByteCount {
            let byte = number.byte(at: offset) << 5 | number.byte(at: offset + 1) >> 3
            output.storeBytes(of: byte, toByteOffset: offset, as: UInt8.self)
          }
        }
      }
      // 7776^12 is over 2^155, so some strings of words stand for no seed: their top five bits are
      // not 0.
      let isRight = number.withBytes { number in
        fits && number.byte(at: 0) >> 3 == 0
          && number.bigEndianUInt64(at: 12) & (1 << checkBits - 1)
            == seed.withBytes { check(of: $0) }
      }
      guard isRight else { throw CryptographyError.authenticationFailed }
      return seed
    } catch {
      throw error == .outOfMemory ? .outOfMemory : .checksum
    }
  }

  /// The first 27 bits of the seed's hash.
  private static func check(of seed: RawSpan) -> UInt64 {
    Domain.kit.hash(seed).withBytes { $0.bigEndianUInt64(at: 0) >> (64 - checkBits) }
  }

  private static func lowercased(_ byte: UInt8) -> UInt8 {
    (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
  }
}
