import Cryptography
import Testing
import VerifiableLog

@testable import CaseLog

/// Cards, root statements, invitations, and the text around them.
@Suite struct PaperTests {
  @Test func `no changed byte of a card, a statement or an invitation is accepted`() throws {
    let testCase = try TestCase()
    let device = TestDevice(.advocate)
    let card = device.cardBytes
    for index in card.indices {
      var bytes = card
      bytes[index] ^= 1
      #expect(throws: CaseLogError.self) { try Card(decoding: bytes) }
    }
    for index in testCase.founding.bytes.indices {
      var bytes = testCase.founding.bytes
      bytes[index] ^= 1
      #expect(throws: CaseLogError.self) {
        try RootStatement(decoding: bytes, caseID: testCase.caseID, root: testCase.root)
      }
    }
    let invitation = Invitation(
      root: testCase.root, founding: testCase.founding, inviter: LogID(.random()), wraps: [])
    let sealed = try invitation.seal(to: try device.card)
    #expect(try Invitation(opening: sealed, with: device.box) == invitation)
    for index in 32..<sealed.count {
      var bytes = sealed
      bytes[index] ^= 1
      #expect(throws: CaseLogError.notForThisKey) {
        try Invitation(opening: bytes, with: device.box)
      }
    }
  }

  @Test func `a statement of another root is refused`() throws {
    let one = try TestCase()
    let other = try TestCase()
    #expect(throws: CaseLogError.otherCase) {
      try RootStatement(decoding: one.founding.bytes, caseID: other.caseID, root: one.root)
    }
    #expect(throws: CaseLogError.badSignature) {
      try RootStatement(decoding: one.founding.bytes, caseID: other.caseID, root: other.root)
    }
  }

  @Test func `pasted text survives what mail programs do to white space`() throws {
    let bytes = TestDevice(.advocate).cardBytes
    let text = Armor.card.encode(bytes)
    #expect(try Armor.card.decode(text, max: 4096) == bytes)
    let quoted =
      String(decoding: text, as: UTF8.self)
      .split(separator: "\n").map { "  \($0)  \r\n" }.joined() + "\r\n"
    #expect(try Armor.card.decode(Array(quoted.utf8), max: 4096) == bytes)
    for bad in [
      Array(text.dropLast(4)), Array(text.dropFirst()), Array("hello".utf8), [],
      Armor.invitation.encode(bytes), text + Array("more\n".utf8),
    ] {
      #expect(throws: CaseLogError.malformed) { try Armor.card.decode(bad, max: 4096) }
    }
    #expect(throws: CaseLogError.malformed) { try Armor.card.decode(text, max: 10) }
  }
}

@Suite struct ClaimedTimeTests {
  @Test(arguments: [
    ("2024-05-31T14:30Z", "2024-05-31 14:30:00 UTC"),
    ("2024-05-31 14:30:05+02:00", "2024-05-31 14:30:05 +02:00"),
    ("2024-05-31T14:30:05.123-0330", "2024-05-31 14:30:05 -03:30"),
    ("2024-05-31T23:59:59 +14", "2024-05-31 23:59:59 +14:00"),
    ("2024-02-29", "2024-02-29"), ("2024-05", "2024-05"), ("2024", "2024"),
    ("about 2024-05", "about 2024-05"), ("  2024-05-31  ", "2024-05-31"),
    ("2024-05-01 to 2024-05-31", "2024-05-01 to 2024-05-31"),
    ("2024-05-01..2024-05-31", "2024-05-01 to 2024-05-31"),
    ("2024-05-01T10:00Z/2024-05-01T12:00Z", "2024-05-01 10:00:00 UTC to 2024-05-01 12:00:00 UTC"),
    ("1969-12-31T23:59:59Z", "1969-12-31 23:59:59 UTC"), ("0001-01-01", "0001-01-01"),
  ])
  func `what a person types is kept in the form in which it was meant`(
    typed: String, text: String
  ) throws {
    let time = try #require(ClaimedTime(typed: typed))
    #expect(time.text == text)
    var out = CBOREncoder()
    time.encode(to: &out)
    #expect(try ClaimedTime(decoding: out.bytes) == time)
  }

  @Test(arguments: [
    "", "yesterday", "2024-13-01", "2023-02-29", "2024-05-31T14:30", "2024-05-31T25:00Z",
    "2024-05-31T14:60Z", "24-05-31", "2024-5-1", "about yesterday", "about 2024-05-31T14:30Z",
    "2024-05-31 to 2024-05-01", "2024-05-31 to", "to", "2024-05-31T14:30Zjunk", "0000-01-01",
    "2024-05-31T14:30:00+25:00", "2024T10:00Z",
  ])
  func `what is not a time is refused and not guessed`(typed: String) {
    #expect(ClaimedTime(typed: typed) == nil)
  }

  @Test func `every day has one number and comes back from it`() {
    var expected = CivilDate(year: 1, month: 1, day: 1)?.daysSinceEpoch ?? 0
    #expect(CivilDate(year: 1970, month: 1, day: 1)?.daysSinceEpoch == 0)
    for year in stride(from: 1, through: 9999, by: 7) {
      for month in 1...12 {
        for day in [1, 15, CivilDate.length(ofMonth: month, year: year)] {
          guard let date = CivilDate(year: year, month: month, day: day) else {
            Issue.record("a day that exists")
            return
          }
          #expect(CivilDate(daysSinceEpoch: date.daysSinceEpoch) == date)
          #expect(date.daysSinceEpoch >= expected)
          expected = date.daysSinceEpoch
        }
      }
    }
  }
}
