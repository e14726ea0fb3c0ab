public import Cryptography

/// The name of a key in signed notes: not empty, without Unicode white space, plus signs or control
/// characters. Compared byte by byte, without normalisation.
public struct NoteKeyName: Hashable, Sendable {
  /// The name in UTF-8.
  public let utf8: [UInt8]

  /// The name as text.
  public var string: String { String(decoding: utf8, as: UTF8.self) }

  /// The name in UTF-8.
  ///
  /// - Throws: `NoteError.invalidKeyName`.
  public init(utf8: [UInt8]) throws(NoteError) {
    guard !utf8.isEmpty, let text = String(validating: utf8, as: UTF8.self) else {
      throw .invalidKeyName
    }
    for scalar in text.unicodeScalars {
      guard scalar != "+", scalar.value >= 0x20, !NoteKeyName.isSpace(scalar.value) else {
        throw .invalidKeyName
      }
    }
    self.utf8 = utf8
  }

  /// The name of this text.
  ///
  /// - Throws: `NoteError.invalidKeyName`.
  public init(_ text: String) throws(NoteError) { try self.init(utf8: [UInt8](text.utf8)) }

  /// A name that we made ourselves, of ASCII letters, digits and slashes.
  init(ascii text: String) { utf8 = [UInt8](text.utf8) }

  /// The characters with the property White_Space in Unicode 16. Spelled out because the tables of
  /// the standard library do not come along to Embedded Swift; the property is stable.
  private static func isSpace(_ scalar: UInt32) -> Bool {
    switch scalar {
    case 0x09...0x0D, 0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F,
      0x3000:
      true
    default: false
    }
  }
}

/// A public key as signed notes know it: with a name, an algorithm, and an ID made from all three.
public struct NoteKey: Hashable, Sendable {
  /// The signature types of C2SP signed-note that are used here.
  public enum Algorithm: UInt8, Sendable {
    /// Ed25519 over the note's text.
    case ed25519 = 0x01
    /// Ed25519 over a time and a checkpoint (C2SP tlog-cosignature).
    case cosignatureV1 = 0x04
  }

  /// The key's name.
  public let name: NoteKeyName
  /// What its signatures are of.
  public let algorithm: Algorithm
  /// The key itself.
  public let publicKey: VerifyingKey
  /// The first four bytes of SHA-256(name ‖ newline ‖ algorithm ‖ key), big-endian. Not a
  /// commitment: short enough that anybody finds a second key with the same.
  public let id: UInt32

  /// The key with these parts.
  public init(name: NoteKeyName, algorithm: Algorithm, publicKey: VerifyingKey) {
    self.name = name
    self.algorithm = algorithm
    self.publicKey = publicKey
    let input = name.utf8 + [newline, algorithm.rawValue] + publicKey.bytes
    id = UInt32(bigEndianBytes: SHA256Hash.hash(input).bytes[..<4])
  }

  /// The key of a verifier key, `name+hex(id)+base64(algorithm ‖ key)`.
  ///
  /// - Throws: `.invalidKeyName`, `.malformedVerifierKey`.
  public init(verifierKey text: String) throws(NoteError) {
    let fields = [UInt8](text.utf8).split(
      separator: UInt8(ascii: "+"), maxSplits: 2, omittingEmptySubsequences: false)
    guard fields.count == 3 else { throw .malformedVerifierKey }
    let name = try NoteKeyName(utf8: [UInt8](fields[0]))
    let material: [UInt8]
    do throws(TextCodingError) { material = try Base64.decode([UInt8](fields[2])) } catch {
      throw .malformedVerifierKey
    }
    guard let first = material.first, let algorithm = Algorithm(rawValue: first) else {
      throw .malformedVerifierKey
    }
    let publicKey: VerifyingKey
    do throws(CryptographyError) { publicKey = try VerifyingKey([UInt8](material[1...])) } catch {
      throw .malformedVerifierKey
    }
    self.init(name: name, algorithm: algorithm, publicKey: publicKey)
    guard hexID == [UInt8](fields[1]) else { throw .malformedVerifierKey }
  }

  /// The key as a verifier key.
  public var verifierKey: String {
    name.string + "+" + String(decoding: hexID, as: UTF8.self) + "+"
      + Base64.encode([algorithm.rawValue] + publicKey.bytes)
  }

  /// Whether a line claims to be by this key.
  func isNamed(in line: NoteSignature) -> Bool { line.keyID == id && line.keyName == name }

  private var hexID: [UInt8] {
    [UInt8](Hex.encode(id.bigEndianBytes).utf8)
  }
}
