internal import Cryptography

/// Why bytes are not a signed note, or not one signed as asked.
public enum NoteError: Error, Hashable, Sendable {
  /// Over the limit of bytes, lines, or signatures.
  case tooLong
  /// Not UTF-8.
  case invalidText
  /// A control character other than newline; a carriage return is one.
  case controlCharacter
  /// No empty line between text and signatures, or no newline at the end.
  case malformed
  /// A line among the signatures that is not em dash, space, name, space, base64.
  case malformedSignatureLine
  /// An empty name, or one with a space, plus sign or control character.
  case invalidKeyName
  /// A signature that is not canonical base64 of five bytes or more.
  case invalidBase64
  /// A verifier key that is not name, key ID and key, agreeing with each other.
  case malformedVerifierKey
  /// No signature by this key.
  case notSigned
  /// A signature by this key's name and ID that is not valid.
  case invalidSignature
}

/// What a note may measure before it is refused unread.
public struct NoteLimits: Hashable, Sendable {
  /// Bytes of the whole note.
  public var maximumByteCount: Int
  /// Lines of text.
  public var maximumTextLines: Int
  /// Lines of signatures. The specification asks for at least 16.
  public var maximumSignatures: Int

  /// Room for any checkpoint with 64 signatures unless told otherwise.
  public init(
    maximumByteCount: Int = 16 << 10, maximumTextLines: Int = 64, maximumSignatures: Int = 64
  ) {
    self.maximumByteCount = maximumByteCount
    self.maximumTextLines = maximumTextLines
    self.maximumSignatures = maximumSignatures
  }
}

/// One signature line of a note. That it is there says nothing about its validity.
public struct NoteSignature: Hashable, Sendable {
  /// The name of the key.
  public let keyName: NoteKeyName
  /// The first four bytes of the key's hash, big-endian.
  public let keyID: UInt32
  /// What the algorithm of the key makes of it: at least one byte.
  public let signature: [UInt8]

  /// A line with these fields; `signature` must not be empty.
  public init(keyName: NoteKeyName, keyID: UInt32, signature: [UInt8]) {
    precondition(!signature.isEmpty, "a signature has bytes")
    self.keyName = keyName
    self.keyID = keyID
    self.signature = signature
  }

  /// The line: em dash, space, name, space, base64 of key ID ‖ signature, newline.
  public var line: [UInt8] {
    let content = keyID.bigEndianBytes + signature
    return NoteSignature.prefix + keyName.utf8 + [UInt8(ascii: " ")]
      + content.withBytes { Base64.encodeBytes($0) } + [newline]
  }

  // U+2014 and a space, in UTF-8.
  fileprivate static let prefix: [UInt8] = [0xE2, 0x80, 0x94, 0x20]

  fileprivate init(parsing line: ArraySlice<UInt8>) throws(NoteError) {
    guard line.starts(with: NoteSignature.prefix) else { throw .malformedSignatureLine }
    let fields = line.dropFirst(NoteSignature.prefix.count)
    guard let space = fields.firstIndex(of: UInt8(ascii: " ")) else {
      throw .malformedSignatureLine
    }
    keyName = try NoteKeyName(utf8: [UInt8](fields[..<space]))
    let content: [UInt8]
    do throws(TextCodingError) {
      content = try Base64.decode([UInt8](fields[(space + 1)...]))
    } catch {
      throw .invalidBase64
    }
    guard content.count > 4 else { throw .invalidBase64 }
    keyID = UInt32(bigEndianBytes: content[..<4])
    signature = [UInt8](content[4...])
  }
}

/// A text with signatures below it, as C2SP signed-note v1.0.0 defines it:
///
///     text, one or more lines
///
///     — name base64
///
/// One that parses has the right form; `verify` says whether a given key signed it.
public struct SignedNote: Hashable, Sendable {
  /// The signed text, with its last newline.
  public let text: [UInt8]
  /// The signatures, at least one, in the order of their lines.
  public let signatures: [NoteSignature]

  /// A note of parts that are made here: the text must be well-formed and there must be a
  /// signature.
  public init(text: [UInt8], signatures: [NoteSignature]) {
    precondition(text.last == newline && !signatures.isEmpty, "text ends in newline and is signed")
    self.text = text
    self.signatures = signatures
  }

  /// The note in `bytes`, all of them.
  ///
  /// - Throws: `NoteError`.
  public init(parsing bytes: [UInt8], limits: NoteLimits = NoteLimits()) throws(NoteError) {
    guard bytes.count <= limits.maximumByteCount else { throw .tooLong }
    for byte in bytes where byte < 0x20 && byte != newline { throw .controlCharacter }
    guard String(validating: bytes, as: UTF8.self) != nil else { throw .invalidText }
    guard bytes.last == newline, let end = SignedNote.endOfText(in: bytes), end < bytes.count - 1
    else { throw .malformed }
    let lineCount = bytes[..<end].count { $0 == newline }
    guard lineCount <= limits.maximumTextLines else { throw .tooLong }
    // Past the empty line, and without the last newline, after which there is no line.
    let lines = bytes[(end + 1)..<(bytes.count - 1)].split(
      separator: newline, omittingEmptySubsequences: false)
    guard lines.count <= limits.maximumSignatures else { throw .tooLong }
    var signatures: [NoteSignature] = []
    for line in lines { signatures.append(try NoteSignature(parsing: line)) }
    text = [UInt8](bytes[..<end])
    self.signatures = signatures
  }

  /// The note as bytes.
  public var bytes: [UInt8] {
    signatures.reduce(into: text + [newline]) { $0 += $1.line }
  }

  /// Checks that `key`, of the algorithm Ed25519, signed the text. Signatures of others are
  /// ignored, as the specification demands.
  ///
  /// - Throws: `.notSigned`; `.invalidSignature` if any line with the key's name and ID does not
  ///   verify.
  public func verify(by key: NoteKey) throws(NoteError) {
    precondition(key.algorithm == .ed25519, "other algorithms sign more than the text")
    var isSigned = false
    for line in signatures where key.isNamed(in: line) {
      guard let signature = Signature(line.signature),
        text.withBytes({ key.publicKey.isValid(signature, for: $0) })
      else { throw .invalidSignature }
      isSigned = true
    }
    guard isSigned else { throw .notSigned }
  }

  /// The offset after the text: the last empty line divides it from the signatures.
  private static func endOfText(in bytes: [UInt8]) -> Int? {
    var offset = bytes.count - 1
    while offset > 0 {
      // The text keeps the first of two newlines.
      if bytes[offset] == newline && bytes[offset - 1] == newline { return offset }
      offset -= 1
    }
    return nil
  }
}

let newline = UInt8(ascii: "\n")
