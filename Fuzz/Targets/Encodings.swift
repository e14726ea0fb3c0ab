import Cryptography
import VerifiableLog

@testable import CaseLog
@testable import Mailboxes
@testable import SealedBundle
@testable import Vault

extension FuzzTarget {
  static let encodings = [
    FuzzTarget("cbor", maximumByteCount: 1024, treeOffset: 0, checkCBOR),
    FuzzTarget("text", maximumByteCount: 1024, checkText),
    FuzzTarget("names", maximumByteCount: 2048, checkNames),
    FuzzTarget("typed", maximumByteCount: 1024, checkTyped),
  ]
}

// MARK: - CBOR

private func isWhole(_ bytes: [UInt8]) -> CBORError? {
  do throws(CBORError) {
    var decoder = CBORDecoder(bytes)
    try decoder.skip()
    try decoder.finish()
    return nil
  } catch {
    return error
  }
}

private func checkCBOR(_ input: [UInt8]) throws(Broken) {
  try checkReading(input)
  guard isWhole(input) == nil else { return }
  try hold(CBORTree(input)?.encoded == input, "what decodes encodes to the same bytes")
  for count in stride(from: 0, to: input.count, by: max(1, input.count / 16)) {
    try hold(isWhole(Array(input.prefix(count))) == .truncated, "a beginning is no item")
  }
  try hold(isWhole(input + [0]) == .trailingBytes, "nothing may follow")
}

/// Any calls in any order, as the input says from its end: whatever happens, the decoder stays within its bytes.
private func checkReading(_ input: [UInt8]) throws(Broken) {
  var decoder = CBORDecoder(input, limits: CBORLimits(maximumDepth: 4))
  for step in input.reversed().prefix(64) {
    let before = decoder.offset
    let limit = Int(step >> 4)
    _ = accepted { () throws(CBORError) in
      switch step & 15 {
      case 0: _ = try decoder.readUInt(max: UInt64(step))
      case 1: _ = try decoder.readInt()
      case 2: try hold(limit, try decoder.readBytes(max: limit).count)
      case 3: _ = try decoder.readBytes(count: limit)
      case 4: _ = try decoder.readBytes32()
      case 5: try hold(limit, try decoder.readText(max: limit).utf8.count)
      case 6: _ = try decoder.readBool()
      case 7: try decoder.readNull()
      case 8: _ = try decoder.readIfNull()
      case 9: try hold(limit, try decoder.readArray(max: limit))
      case 10: try hold(limit, try decoder.readMap(max: limit))
      case 11: try decoder.readArray(count: limit)
      case 12: try decoder.readMap(count: limit)
      case 13: try decoder.skip()
      case 14: _ = try decoder.readEncoded()
      default: try decoder.finish()
      }
    }
    try hold(decoder.offset >= before && decoder.offset <= input.count, "reading goes forward")
  }
}

private func hold(_ limit: Int, _ count: Int) throws(CBORError) {
  precondition(count <= limit, "no more than was allowed for")
}

// MARK: - Bytes as text

private func checkText(_ input: [UInt8]) throws(Broken) {
  var choices = Choices(input)
  let kind = choices.byte()
  let text = choices.remaining
  let same = "there is one spelling"
  switch kind % 5 {
  case 0:
    guard let bytes = accepted({ try text.withBytes { try Hex.decode($0) } }) else { return }
    try hold(Array(Hex.encode(bytes).utf8) == text, same)
  case 1:
    guard let bytes = accepted({ try text.withBytes { try Base32.decode($0) } }) else { return }
    try hold(Array(Base32.encode(bytes).utf8) == text, same)
  case 2:
    guard let bytes = accepted({ try Base64.decode(text) }) else { return }
    try hold(Array(Base64.encode(bytes).utf8) == text, same)
  case 3:
    guard let bytes = accepted({ try Base64.decode(text, padding: .absent) }) else { return }
    try hold(Array(Base64.encode(bytes, padding: .absent).utf8) == text, same)
  default:
    let armor = kind & 0x80 == 0 ? Armor.card : Armor.invitation
    guard let bytes = accepted({ try armor.decode(text, max: 512) }) else { return }
    try hold(bytes.count <= 512, "no more than was allowed for")
    let again = accepted { try armor.decode(armor.encode(bytes), max: 512) }
    try hold(again == bytes, "armor around the same bytes opens to them")
  }
}

// MARK: - Names

private func checkNames(_ input: [UInt8]) throws(Broken) {
  var choices = Choices(input)
  let kind = choices.byte()
  let bytes = choices.remaining
  let text = String(decoding: bytes, as: UTF8.self)
  let same = "there is one spelling"
  switch kind % 8 {
  case 0: if let name = DeviceFolderName(text) { try hold(name.text == text, same) }
  case 1:
    guard let name = FileName(text) else { return }
    try hold(name.text == text, same)
    try hold(FileName(name.temporaryText) == nil, "a name under way is no name")
  case 2:
    guard let path = BundlePath(bytes) else { return }
    try hold(path.ascii == bytes && bytes.count <= 255, same)
    let parts = bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    let isPlain = parts.allSatisfy { !$0.isEmpty && $0 != [0x2e] && $0 != [0x2e, 0x2e] }
    try hold(isPlain, "no part of a path leads elsewhere")
    try hold(bytes.allSatisfy { $0 > 0x20 && $0 < 0x7f }, "a path is ASCII")
  case 3:
    guard let manifest = Manifest(parsing: bytes) else { return }
    try hold(manifest.bytes == bytes, same)
    let paths = manifest.lines.map(\.path)
    try hold(zip(paths, paths.dropFirst()).allSatisfy { $0 < $1 }, "each file stands there once")
  case 4:
    if let key = accepted({ try NoteKey(verifierKey: text) }) {
      try hold(key.verifierKey == text, same)
    }
  case 5:
    if let recipient = AgeRecipient(bytes) {
      try hold(Array(recipient.text.utf8) == bytes, same)
    }
  case 6: try hold(bytes.withBytes { isIdentity($0) } != true, "a key has a public half")
  default:
    guard let label = PartLabel(bytes) else { return }
    try hold(label.bytes == bytes && bytes.count <= 32, same)
  }
}

/// Whether it is one without a recipient; nil for what is none.
private func isIdentity(_ text: RawSpan) -> Bool? {
  guard let identity = AgeIdentity(text) else { return nil }
  return identity.recipient == nil
}

// MARK: - What people type

private func checkTyped(_ input: [UInt8]) throws(Broken) {
  var choices = Choices(input)
  let kind = choices.byte()
  let bytes = choices.remaining
  switch kind % 3 {
  case 0: try checkTime(String(decoding: bytes, as: UTF8.self))
  case 1: try checkKit(bytes)
  default: try checkSearch(choices)
  }
}

private func checkTime(_ text: String) throws(Broken) {
  guard let time = ClaimedTime(typed: text) else { return }
  // As `extract --all` writes it and `import` reads it.
  let shown = time.text.split(separator: " UTC", omittingEmptySubsequences: false)
    .joined(separator: "Z")
  try hold(ClaimedTime(typed: shown) == time, "a time as shown is the same when typed")
  var encoder = CBOREncoder()
  time.encode(to: &encoder)
  try hold(
    accepted { try ClaimedTime(decoding: encoder.bytes) } == time, "and when it is decoded")
}

private func checkKit(_ text: [UInt8]) throws(Broken) {
  let onPaper = accepted({ () throws(KitWordsError) in
    try text.withBytes { (text) throws(KitWordsError) in try RecoveryKit(paper: text).words }
  })
  guard
    let words = accepted({ () throws(KitWordsError) in
      try text.withBytes { (text) throws(KitWordsError) in
        try KitWords.decode(text).withBytes { KitWords.encode($0) }
      }
    })
  else { return }
  let typed = text.split { $0 <= 0x20 }.map { word in
    String(decoding: word.map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
  }
  try hold(words == typed, "the words of a kit are its only ones")
  try hold(words == onPaper, "and a paper may have them alone")
}

private func checkSearch(_ input: Choices) throws(Broken) {
  var choices = input
  let typed = String(decoding: choices.field(), as: UTF8.self)
  let text = String(decoding: choices.remaining, as: UTF8.self)
  guard let words = accepted({ try SearchWords(typed: typed) }) else { return }
  try hold(words.terms.count <= 64, "no more words than a person types")
  let tokens = words.terms.flatMap(\.tokens)
  try hold(tokens.allSatisfy { !$0.isEmpty && !$0.contains("\"") }, "no syntax in a word")
  var content = EntryContent()
  content.words = text
  guard let excerpt = words.excerpt(of: content, reach: 5) else { return }
  try hold(!excerpt.match.isEmpty, "what is found has letters")
  try hold(
    text.utf8.count >= excerpt.before.utf8.count + excerpt.match.utf8.count, "and stands there")
}
