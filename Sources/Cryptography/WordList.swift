/// The 7776 words of the EFF large list: five dice, or 12.92 bits, a word. They are in ASCII, of 3
/// to 9 characters, chosen to be told apart by ear and on paper.
public enum WordList {
  /// The number of words, 6^5.
  public static let count = 7776

  /// The word with this number, 0 to 7775.
  public static func word(_ number: Int) -> String {
    String(ascii: [UInt8](list.bytes[list.range(of: number)]))
  }

  /// The number of a word in lowercase ASCII; nil if it is not in the list.
  public static func number(of word: RawSpan) -> Int? {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      switch compare(word, list.range(of: middle)) {
      case .equal: return middle
      case .before: high = middle
      case .after: low = middle + 1
      }
    }
    return nil
  }

  /// The number of a word in lowercase ASCII; nil if it is not in the list.
  public static func number(of word: String) -> Int? {
    number(of: unsafe [UInt8](word.utf8).span.bytes)
  }

  /// `count` words that stand for `bytes`: the big-endian number of the bytes, modulo 7776^`count`,
  /// in base 7776, most significant word first.
  ///
  /// There must be at least 13 · `count` + 64 bits. Then for uniform bytes each string of words is
  /// as likely as any other, to within 2^-64 of its probability. (Six words: 18 bytes.)
  public static func words(from bytes: RawSpan, count: Int) -> [String] {
    precondition(
      count > 0 && bytes.byteCount * 8 >= 13 * count + 64, "too few bytes for so many words")
    return BaseWords.digits(of: bytes, count: count).map { word($0) }
  }

  /// Six random words with a space between, every string of words equally likely: a passphrase of
  /// 77 bits (12.92 a word).
  ///
  /// - Throws: `.outOfMemory`.
  public static func randomPassphrase() throws(CryptographyError) -> LockedBytes {
    let wordCount = 6
    var text = try LockedBytes(capacity: wordCount * (longest + 1))
    for index in 0..<wordCount {
      if index > 0 { try text.append(UInt8(ascii: " ")) }
      let number = Int(Randomness.uniform(below: UInt32(count)))
      for byte in list.bytes[list.range(of: number)] { try text.append(byte) }
    }
    return text
  }

  /// Characters of the longest word.
  static let longest = 9

  // MARK: - The list

  private static let list = Index(effLargeWordList)

  /// Where each word starts in the text of all of them.
  private struct Index: Sendable {
    let bytes: [UInt8]
    private let starts: [Int]

    init(_ text: StaticString) {
      bytes = text.withUTF8Buffer { unsafe [UInt8]($0) }
      var starts = [0]
      for (offset, byte) in bytes.enumerated() where byte <= UInt8(ascii: " ") {
        starts.append(offset + 1)
      }
      precondition(starts.count == WordList.count, "the list is complete")
      // One past the last word, as if a separator followed it too.
      starts.append(bytes.count + 1)
      self.starts = starts
    }

    func range(of number: Int) -> Range<Int> { starts[number]..<(starts[number + 1] - 1) }
  }

  private enum Place { case before, equal, after }

  /// Where `word` stands in byte order against the listed word at `range`.
  private static func compare(_ word: RawSpan, _ range: Range<Int>) -> Place {
    for (offset, listed) in list.bytes[range].enumerated() {
      guard offset < word.byteCount else { return .before }
      let byte = word.byte(at: offset)
      if byte != listed { return byte < listed ? .before : .after }
    }
    return word.byteCount == range.count ? .equal : .after
  }
}

/// Numbers of many digits, in bytes and in words.
enum BaseWords {
  private static let base = UInt32(WordList.count)

  /// The lowest `count` digits in base 7776 of a big-endian number, most significant first.
  static func digits(of bytes: RawSpan, count: Int) -> [Int] {
    var quotient = bytes.copied()
    var digits = [Int](repeating: 0, count: count)
    for place in digits.indices.reversed() {
      // Schoolbook division of the whole number by 7776; the remainder is the next digit.
      var remainder: UInt32 = 0
      for index in quotient.indices {
        let dividend = remainder << 8 | UInt32(quotient[index])
        quotient[index] = UInt8(dividend / base)
        remainder = dividend % base
      }
      digits[place] = Int(remainder)
    }
    // The number may be a secret, and the highest digits are still there.
    quotient.erase()
    return digits
  }

  /// The big-endian number of digits in base 7776, in `output`; false if it does not fit.
  static func number(of digits: [Int], into output: inout MutableRawSpan) -> Bool {
    for offset in 0..<output.byteCount {
      output.storeBytes(of: 0, toByteOffset: offset, as: UInt8.self)
    }
    for digit in digits {
      var carry = UInt32(digit)
      for offset in (0..<output.byteCount).reversed() {
        let product = UInt32(output.bytes.byte(at: offset)) * base + carry
        output.storeBytes(
          of: UInt8(truncatingIfNeeded: product), toByteOffset: offset, as: UInt8.self)
        carry = product >> 8
      }
      guard carry == 0 else { return false }
    }
    return true
  }
}
