import Cryptography
import Support
import Testing

struct WordListTests {
  @Test func `has 7776 different words, each found again under its number`() {
    let words = (0..<WordList.count).map { WordList.word($0) }
    #expect(Set(words).count == 7776)
    #expect(words.first == "abacus")
    #expect(words.last == "zoom")
    for (number, word) in words.enumerated() {
      #expect(WordList.number(of: word) == number)
      #expect((3...9).contains(word.utf8.count))
    }
  }

  @Test(arguments: ["", "a", "abacu", "abacuses", "Abacus", "zoomer", "zzz", "abacus ", "ü"])
  func `does not know other words`(word: String) {
    #expect(WordList.number(of: word) == nil)
  }

  // From Python's integers, as the next one.
  @Test func `the least bytes for six words become words by division`() {
    let found = [UInt8](repeating: 0xFF, count: 18).withBytes { WordList.words(from: $0, count: 6) }
    #expect(found == ["childcare", "turban", "superbowl", "distinct", "unhappily", "playset"])
  }

  @Test func `a hash becomes words by division`() {
    let found = SHA256Hash.hash([UInt8]("card".utf8)).withBytes {
      WordList.words(from: $0, count: 6)
    }
    #expect(found == ["truffle", "declared", "judo", "handstand", "equal", "evolution"])
  }

  @Test func `too few bytes for unbiased words are a bug and trap`() async {
    await #expect(processExitsWith: .failure) {
      _ = [UInt8](repeating: 0, count: 17).withBytes { WordList.words(from: $0, count: 6) }
    }
  }

  @Test func `a passphrase is six words of the list, and not the last one's`() throws {
    let texts = try (0..<2).map { _ in
      try WordList.randomPassphrase().withBytes { String(decoding: $0.copied(), as: UTF8.self) }
    }
    for text in texts {
      let words = text.split(separator: " ", omittingEmptySubsequences: false)
      #expect(words.count == 6)
      let areKnown = words.allSatisfy { WordList.number(of: String($0)) != nil }
      #expect(areKnown)
    }
    #expect(texts[0] != texts[1])
  }
}

struct KitWordsTests {
  private static let words =
    "abacus carpenter vowel preppy domelike duly thickness handcart clerk unkind shown aground"

  private func decode(_ text: String) throws -> [UInt8] {
    try [UInt8](text.utf8).withBytes { try KitWords.decode($0) }.withBytes { $0.copied() }
  }

  // From Python's integers and hashlib, by the formula in the documentation.
  @Test(arguments: [
    ("000102030405060708090a0b0c0d0e0f", KitWordsTests.words),
    (
      "00000000000000000000000000000000",
      "abacus abacus abacus abacus abacus abacus abacus abacus abacus abdomen anywhere negligent"
    ),
    (
      "ffffffffffffffffffffffffffffffff",
      "unsavory pelvis stranger refresh cylinder stalemate mold erupt cartridge iodize marxism scoured"
    ),
  ])
  func `a seed becomes twelve words and again a seed`(seed: String, words: String) throws {
    #expect(hex(seed).withBytes { KitWords.encode($0) }.joined(separator: " ") == words)
    #expect(try decode(words) == hex(seed))
  }

  @Test func `white space and case do not matter`() throws {
    let typed = "\n  " + KitWordsTests.words.uppercased().replacing(" ", with: " \t ") + "\r\n"
    #expect(try decode(typed) == [UInt8](0..<16))
  }

  @Test func `a wrong number of words is told`() {
    for (text, count) in [("", 0), ("abacus", 1), (KitWordsTests.words + " abacus", 13)] {
      #expect(throws: KitWordsError.wrongCount(count)) { try decode(text) }
    }
  }

  @Test func `the first unknown word is told by its place`() {
    let text = KitWordsTests.words.replacing("vowel", with: "vowell")
      .replacing("clerk", with: "handcartsandmore")
    #expect(throws: KitWordsError.unknownWord(position: 3)) { try decode(text) }
  }

  @Test func `any word replaced and any two exchanged are noticed`() {
    let words = KitWordsTests.words.split(separator: " ")
    for place in words.indices {
      var wrong = words
      wrong[place] = "zoom"
      #expect(throws: KitWordsError.checksum) { try decode(wrong.joined(separator: " ")) }
      for other in words.indices where other > place {
        var exchanged = words
        exchanged.swapAt(place, other)
        #expect(throws: KitWordsError.checksum) { try decode(exchanged.joined(separator: " ")) }
      }
    }
  }

  @Test func `words for more than 155 bits are noticed`() {
    let greatest = [String](repeating: "zoom", count: 12).joined(separator: " ")
    #expect(throws: KitWordsError.checksum) { try decode(greatest) }
    // 2^155 more than the words of the zero seed: the same seed and check, were the rest ignored.
    let again =
      "unsavory pelvis stranger refresh cylinder stalemate mold erupt cartridge iphone avid alive"
    #expect(throws: KitWordsError.checksum) { try decode(again) }
  }
}
