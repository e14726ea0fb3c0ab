internal import Cryptography

/// Writes HTML, so that what somebody else wrote can only ever be text.
struct HTML {
  private(set) var bytes: [UInt8] = []

  /// Markup or prose of ours.
  mutating func raw(_ markup: StaticString) {
    markup.withUTF8Buffer { unsafe bytes.append(contentsOf: $0) }
  }

  /// Text of whatever origin, on one line: markup is escaped, and whatever could make a reader see
  /// something else than what is there is shown by its code point.
  mutating func text(_ text: String) { append(text, keepsLines: false) }

  /// As `text`, with its line ends kept.
  mutating func lines(_ text: String) { append(text, keepsLines: true) }

  /// Bytes that should be UTF-8; others are replaced.
  mutating func text(bytes: [UInt8]) { text(String(decoding: bytes, as: UTF8.self)) }

  /// A number, with its thousands set apart.
  mutating func number(_ value: UInt64) {
    let digits = Array(String(value).utf8)
    for (index, digit) in digits.enumerated() {
      if index > 0 && (digits.count - index).isMultiple(of: 3) { bytes.append(UInt8(ascii: ",")) }
      bytes.append(digit)
    }
  }

  /// Number and noun: "1 entry", "2 entries".
  mutating func count(_ value: UInt64, _ one: StaticString, _ many: StaticString) {
    number(value)
    raw(" ")
    raw(value == 1 ? one : many)
  }

  /// A hash or key: may break anywhere, so that it fits a page.
  mutating func code(_ text: String) {
    raw("<code>")
    self.text(text)
    raw("</code>")
  }

  /// Something that somebody else wrote, within a line of ours: its direction stays its own.
  mutating func quoted(_ text: String) {
    raw("<bdi>")
    self.text(text)
    raw("</bdi>")
  }

  private mutating func append(_ text: String, keepsLines: Bool) {
    var isAfterReturn = false
    for scalar in text.unicodeScalars {
      defer { isAfterReturn = scalar == "\r" }
      // The usual line end of two characters is one line end.
      if isAfterReturn && !(scalar == "\n" && keepsLines) { mark("\r") }
      switch scalar {
      case "\r": continue
      case "\n" where keepsLines: raw("\n")
      case "\t": raw("\t")
      case "&": raw("&amp;")
      case "<": raw("&lt;")
      case ">": raw("&gt;")
      case "\"": raw("&quot;")
      case "'": raw("&#39;")
      case _ where HTML.isDeceptive(scalar.value): mark(scalar)
      default: bytes.append(contentsOf: UTF8.encode(scalar)!)
      }
    }
    if isAfterReturn { mark("\r") }
  }

  /// Shows a character that would not be seen.
  private mutating func mark(_ scalar: Unicode.Scalar) {
    raw("<span class=\"mark\">U+")
    let digits = Array("0123456789ABCDEF".utf8)
    for shift in stride(from: scalar.value > 0xFFFF ? 20 : 12, through: 0, by: -4) {
      bytes.append(digits[Int(scalar.value >> UInt32(shift) & 15)])
    }
    raw("</span>")
  }

  /// Control characters, direction marks and invisible characters. The two joiners are not among them:
  /// several scripts, and emoji, are written with them.
  private static func isDeceptive(_ value: UInt32) -> Bool {
    switch value {
    case 0x00...0x1F, 0x7F...0x9F, 0xAD, 0x034F, 0x061C, 0x115F...0x1160, 0x17B4...0x17B5,
      0x180B...0x180F, 0x200B, 0x200E...0x200F, 0x2028...0x202E, 0x2060...0x206F, 0x2800,
      0x3164, 0xFE00...0xFE0E, 0xFEFF, 0xFFA0, 0xFFF0...0xFFFC, 0x1BCA0...0x1BCA3, 0x1D159,
      0x1D173...0x1D17A, 0xE0000...0xE0FFF:
      true
    default: false
    }
  }
}
