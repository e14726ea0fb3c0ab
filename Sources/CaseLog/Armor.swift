import Cryptography

/// Text around bytes that people paste into messages: RFC 7468's form, read strictly but for what
/// mail programs do to white space.
public struct Armor: Hashable, Sendable {
  public let label: String

  public static let card = Armor(label: "CAIRN CARD")
  public static let invitation = Armor(label: "CAIRN INVITATION")

  private var begin: [UInt8] { Array("-----BEGIN \(label)-----".utf8) }
  private var end: [UInt8] { Array("-----END \(label)-----".utf8) }

  public func encode(_ bytes: [UInt8]) -> [UInt8] {
    let digits = Array(Base64.encode(bytes).utf8)
    var text = begin + [0x0a]
    var index = 0
    while index < digits.count {
      text += digits[index..<min(index + 64, digits.count)] + [0x0a]
      index += 64
    }
    return text + end + [0x0a]
  }

  /// The bytes between the two lines, with spaces and line ends of any kind between the digits.
  public func decode(_ text: [UInt8], max: Int) throws(CaseLogError) -> [UInt8] {
    guard text.count <= max * 2 + 1024 else { throw .malformed }
    let words = text.split { $0 == 0x0a || $0 == 0x0d }.map(Self.trimmed).filter { !$0.isEmpty }
    guard let first = words.first, let last = words.last, words.count >= 3,
      Self.isSame(first, begin), Self.isSame(last, end)
    else { throw .malformed }
    var digits: [UInt8] = []
    for line in words.dropFirst().dropLast() { digits += line.filter { $0 != 0x20 } }
    let bytes: [UInt8]
    do {
      bytes = try digits.withBytes { (digits) throws(TextCodingError) in
        try Base64.decode(digits)
      }
    } catch {
      throw .malformed
    }
    guard bytes.count <= max else { throw .malformed }
    return bytes
  }

  /// But for spaces.
  private static func isSame(_ line: ArraySlice<UInt8>, _ other: [UInt8]) -> Bool {
    line.filter { $0 != 0x20 } == other.filter { $0 != 0x20 }
  }

  private static func trimmed(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var line = line
    while let first = line.first, first == 0x20 || first == 0x09 { line = line.dropFirst() }
    while let last = line.last, last == 0x20 || last == 0x09 { line = line.dropLast() }
    return line
  }
}
