import Cryptography
import Support
import Testing
import VerifiableLog

/// The example of C2SP signed-note.
private let exampleKey = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
private let exampleSignature =
  "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYj"
  + "OBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
private let exampleNote = "This is an example message.\n\n" + exampleSignature

/// Well-formed lines by nobody.
private let strangers = ["— a AAAAAAA=\n", "— b AAAAAAA=\n"]

struct SignedNoteTests {
  @Test func `the specification's example verifies`() throws {
    let key = try NoteKey(verifierKey: exampleKey)
    #expect(key.verifierKey == exampleKey)
    #expect(key.id == 0x530D_903A)
    let note = try SignedNote(parsing: [UInt8](exampleNote.utf8))
    #expect(note.text == [UInt8]("This is an example message.\n".utf8))
    #expect(note.bytes == [UInt8](exampleNote.utf8))
    try note.verify(by: key)
  }

  @Test func `another text under the same signature does not`() throws {
    let key = try NoteKey(verifierKey: exampleKey)
    let note = try SignedNote(
      parsing: [UInt8](("This is an example massage.\n\n" + exampleSignature).utf8))
    #expect(throws: NoteError.invalidSignature) { try note.verify(by: key) }
  }

  @Test func `signatures of strangers are ignored, a second and bad one of our own is not`() throws
  {
    let key = try NoteKey(verifierKey: exampleKey)
    let text = "This is an example message.\n\n"
    func note(_ lines: String...) throws -> SignedNote {
      try SignedNote(parsing: [UInt8]((text + lines.joined()).utf8))
    }
    try note(strangers[0], exampleSignature, strangers[1]).verify(by: key)
    #expect(throws: NoteError.notSigned) { try note(strangers[0]).verify(by: key) }
    // Our name and ID, in front of something else.
    let bad = NoteSignature(keyName: key.name, keyID: key.id, signature: [1, 2, 3])
    let badLine = String(decoding: bad.line, as: UTF8.self)
    #expect(throws: NoteError.invalidSignature) {
      try note(exampleSignature, badLine).verify(by: key)
    }
    // Our name with another ID, and our ID under another name, are somebody else.
    let other = NoteSignature(keyName: key.name, keyID: 1, signature: [1])
    let otherLine = String(decoding: other.line, as: UTF8.self)
    try note(exampleSignature, otherLine).verify(by: key)
  }

  @Test func `the last empty line divides text and signatures`() throws {
    let note = try SignedNote(parsing: [UInt8]("a\n\nb\n\n— a AAAAAAA=\n".utf8))
    #expect(note.text == [UInt8]("a\n\nb\n".utf8))
    #expect(note.signatures.count == 1)
    #expect(note.signatures.first?.keyID == 0)
    #expect(note.signatures.first?.signature == [0])
  }

  @Test(
    arguments: [
      ("", .malformed), ("\n", .malformed), ("text\n", .malformed),
      ("text\n\n", .malformed), ("\n\n", .malformed),
      ("text\n\n— a AAAAAAA=", .malformed), ("text\n— a AAAAAAA=\n", .malformed),
      ("\n— a AAAAAAA=\n", .malformed), ("text\n\n— a AAAAAAA=\n\n", .malformed),
      // Carriage return, tab, NUL: in the text and in a signature.
      ("text\r\n\n— a AAAAAAA=\n", .controlCharacter),
      ("te\txt\n\n— a AAAAAAA=\n", .controlCharacter),
      ("te\0xt\n\n— a AAAAAAA=\n", .controlCharacter),
      ("text\n\n— a AAAAAAA=\r\n", .controlCharacter),
      // Not em dash and one space.
      ("text\n\n- a AAAAAAA=\n", .malformedSignatureLine),
      ("text\n\n—a AAAAAAA=\n", .malformedSignatureLine),
      ("text\n\n– a AAAAAAA=\n", .malformedSignatureLine),
      ("text\n\n— AAAAAAA=\n", .malformedSignatureLine),
      ("text\n\n—  a AAAAAAA=\n", .invalidKeyName),
      // Names.
      ("text\n\n— a+b AAAAAAA=\n", .invalidKeyName),
      ("text\n\n— a\u{00A0}b AAAAAAA=\n", .invalidKeyName),
      ("text\n\n— a\u{2003}b AAAAAAA=\n", .invalidKeyName),
      ("text\n\n— a\u{0085} AAAAAAA=\n", .invalidKeyName),
      // Base64: other bits, no padding, other alphabet, a space, four bytes and no more.
      ("text\n\n— a AAAAAAB=\n", .invalidBase64), ("text\n\n— a AAAAAAA\n", .invalidBase64),
      ("text\n\n— a AAAAAA_=\n", .invalidBase64), ("text\n\n— a AAAA AAA=\n", .invalidBase64),
      ("text\n\n— a AAAAAA==\n", .invalidBase64), ("text\n\n— a \n", .invalidBase64),
    ] as [(String, NoteError)])
  func `refuses what is not a note`(text: String, error: NoteError) {
    #expect(throws: error) { try SignedNote(parsing: [UInt8](text.utf8)) }
  }

  @Test func `refuses what is not UTF-8`() {
    let bytes = [0xFF] + [UInt8]("\n\n— a AAAAAAA=\n".utf8)
    #expect(throws: NoteError.invalidText) { try SignedNote(parsing: bytes) }
  }

  @Test func `its limits hold, and 64 signatures are within them`() throws {
    let text = [UInt8]("text\n\n".utf8)
    let line = [UInt8](strangers[0].utf8)
    let many = text + [[UInt8]](repeating: line, count: 64).joined()
    #expect(try SignedNote(parsing: many).signatures.count == 64)
    #expect(throws: NoteError.tooLong) { try SignedNote(parsing: many + line) }
    let lines = [UInt8](String(repeating: "a\n", count: 65).utf8)
    #expect(throws: NoteError.tooLong) { try SignedNote(parsing: lines + [10] + line) }
    #expect(throws: NoteError.tooLong) {
      try SignedNote(parsing: text + line, limits: NoteLimits(maximumByteCount: text.count))
    }
  }
}

struct NoteKeyTests {
  @Test(arguments: [
    "", "example.com/foo", "example.com/foo+530d903a",
    // Another ID, an ID in upper case, another type, a key too short, base64 without padding
    // needed.
    "example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
    "example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
    "example.com/foo+530d903a+AukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
    "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U0=",
    "example.com/foo+530d903a+",
    "example.com/bar+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
  ])
  func `refuses what is not a verifier key`(text: String) {
    #expect(throws: NoteError.malformedVerifierKey) { try NoteKey(verifierKey: text) }
  }

  @Test func `the same key for another algorithm has another ID`() throws {
    let key = try NoteKey(verifierKey: exampleKey)
    let cosigner = NoteKey(name: key.name, algorithm: .cosignatureV1, publicKey: key.publicKey)
    #expect(cosigner.id != key.id)
    #expect(try NoteKey(verifierKey: cosigner.verifierKey) == cosigner)
  }

  @Test(arguments: ["", "a b", "a+b", "a\nb", "\u{3000}", "a\u{2028}", "\u{1F}"])
  func `refuses such names`(name: String) {
    #expect(throws: NoteError.invalidKeyName) { try NoteKeyName(name) }
  }

  @Test(arguments: ["a", "example.com/log", "日本", "é", "a-b_c~d"])
  func `accepts such names`(name: String) throws {
    #expect(try NoteKeyName(name).string == name)
  }
}
