import Foundation
import Testing

@testable import Vault

@Suite struct CSVTests {
  private func cells(_ text: String) throws -> [[String]] {
    try CSV.rows(of: Array(text.utf8)).map(\.cells)
  }

  @Test(arguments: [
    ("a,b\n1,2", [["a", "b"], ["1", "2"]]),
    ("a,b\r\n1,2\r\n", [["a", "b"], ["1", "2"]]),
    ("a,b\r1,2\r", [["a", "b"], ["1", "2"]]),
    ("\u{FEFF}a;b\n1,5;2", [["a", "b"], ["1,5", "2"]]),
    ("a\tb\n1\t2;3", [["a", "b"], ["1", "2;3"]]),
    ("sep=;\r\na,b;c\r\n", [["a,b", "c"]]),
    ("\"a;b;c\",d\n1,2", [["a;b;c", "d"], ["1", "2"]]),
    ("a,b\n\"x \"\"y\"\"\",\"1\n2\"", [["a", "b"], ["x \"y\"", "1\n2"]]),
    ("a\n\n\n5\" screen\n", [["a"], ["5\" screen"]]),
    (",\n", [["", ""]]), ("", []), ("\n\r\n", []), ("a,", [["a", ""]]), ("\"\"", [[""]]),
    ("ä,مهاجم,👩‍💻", [["ä", "مهاجم", "👩‍💻"]]),
  ])
  func `a table is read as spreadsheets write it`(pair: (String, [[String]])) throws {
    #expect(try cells(pair.0) == pair.1)
  }

  @Test func `a bad row says in which line it begins, and the others stand`() throws {
    let rows = try CSV.rows(
      of: Array("a,b\r\n\"1\n2\n3\",x\r\n\"no\"t,y\r\n4,5\r\n".utf8))
    #expect(rows.map(\.line) == [1, 2, 5, 6])
    #expect(rows.map(\.problem) == [nil, nil, .textAfterQuote, nil])
    let wide = try CSV.rows(of: Array(repeating: UInt8(ascii: ","), count: 5000))
    #expect(wide.map(\.problem) == [.tooManyCells])
    #expect(wide[0].cells.count == CSV.maximumColumnCount)
    let long = try CSV.rows(of: Array(repeating: UInt8(ascii: "x"), count: (1 << 20) + 1))
    #expect(long.map(\.problem) == [.cellTooLong])
  }

  @Test func `what is no table of text is refused`() throws {
    let cases: [([UInt8], CSV.Failure)] = [
      (Array("a,b\n\"1\n2,3\n4".utf8), .openQuote(line: 2)),
      (Array("\"".utf8), .openQuote(line: 1)),
      ([0xff, 0xfe, 0x61, 0x00], .notText), ([0x61, 0xe4, 0x62], .notText),
      ([0x61, 0x00], .notText),
      ([UInt8](repeating: 0x61, count: CSV.maximumByteCount + 1), .tooLarge),
      ([UInt8](Data(repeating: 0, count: 1) + Data("x".utf8)), .notText),
      (Array(repeating: [UInt8(ascii: "x"), 0x0a], count: 1_000_001).flatMap(\.self), .tooLarge),
    ]
    for (bytes, failure) in cases {
      #expect(throws: failure) { try CSV.rows(of: bytes) }
    }
  }

  @Test func `no cut or changed byte makes the reader trap`() throws {
    let sample = Array("sep=;\r\n\"a\"\"b\";c\r\n\"1\r\n2\";'=x;\"\"\r\n".utf8)
    for cut in 0...sample.count {
      for change in [UInt8](0...255) where cut < sample.count && change % 5 == 0 {
        var bytes = sample
        bytes[cut] = change
        do { _ = try CSV.rows(of: bytes) } catch {}
      }
      do { _ = try CSV.rows(of: Array(sample.prefix(cut))) } catch {}
    }
  }

  @Test(arguments: [
    "=1+1", "+49 30", "-", "@second_account", "\t=1", "\r\n=1", "＝1", "'=1", "''=1", "plain",
    "'plain", "a,b", "a;b", "x \"y\"", " space ", "two\nlines", "", "ünï",
    // A quotation mark with an accent on it is one still.
    "a]\"\u{65d}`", "x\"\u{301},=1+1",
  ])
  func `what is written comes back, and never begins like a formula`(text: String) throws {
    let line = CSV.line([text, "end"])
    let row = try #require(try CSV.rows(of: line).first)
    #expect(row.cells.map(CSV.unguarded) == [text, "end"])
    let first = row.cells[0].unicodeScalars.first
    #expect(!"=+-@\t\r\n＝＋－＠".unicodeScalars.contains { $0 == first })
  }
}
