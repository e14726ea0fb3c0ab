import Cryptography
import Testing

@testable import Passphrases

@Suite struct StrengthTests {
  private func strength(_ text: String) throws -> PassphraseStrength {
    try PassphraseStrength(
      of: Array(text.utf8).withBytes { (bytes) throws(CryptographyError) in
        try LockedBytes(copying: bytes)
      })
  }

  @Test(arguments: [
    "", "password", "short", "qwertyuiop", "maria1987", "iloveyou maria", "aaaaaaaaaaaaaaaaaaaa",
    "12.05.1987",
  ])
  func `what people choose first is found within a day`(text: String) throws {
    #expect(try strength(text).verdict(at: .standard) == .guessable)
  }

  @Test(arguments: [
    "correct horse battery staple", "grapple unreal vowel stopper ember tulip",
    "Zwölf Boxkämpfer jagen Viktor quer", "x7Kq-pL2mW9r",
  ])
  func `what a machine drew, or a long line of words, stands`(text: String) throws {
    #expect(try strength(text).verdict(at: .light) == .good)
  }

  @Test func `six random words are always good`() throws {
    for _ in 0..<50 {
      let bits = try PassphraseStrength(of: try WordList.randomPassphrase())
      #expect(bits.time(at: .light) == .centuries)
    }
  }

  @Test func `times follow from the number of guesses and their cost`() {
    // 2^(bits - 1) guesses at 1000 or 4000 a second.
    let expected: [(Double, PassphraseStrength.Time)] = [
      (0, .moments), (16, .moments), (17, .minutes), (24, .hours), (28, .days), (32, .weeks),
      (35, .months), (38, .years), (41, .decades), (44, .centuries), (200, .centuries),
    ]
    for (bits, time) in expected {
      #expect(PassphraseStrength(bits: bits).time(at: .standard) == time, "\(bits)")
      #expect(PassphraseStrength(bits: bits + 2).time(at: .light) == time, "\(bits)")
    }
    #expect(PassphraseStrength(bits: 27).verdict(at: .standard) == .guessable)
    #expect(PassphraseStrength(bits: 30).verdict(at: .standard) == .weak)
    #expect(PassphraseStrength(bits: 41).verdict(at: .standard) == .good)
  }

  @Test func `the longest passphrase is estimated at once`() throws {
    #expect(try strength(String(repeating: "a", count: 1024)).verdict(at: .standard) == .guessable)
    #expect(
      try strength(String(repeating: "x7Kq-pL2mW9r", count: 80)).verdict(at: .standard) == .good)
  }
}
