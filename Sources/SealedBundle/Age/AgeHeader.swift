internal import Cryptography

/// Why an age file did not open.
public enum AgeError: Error, Hashable, Sendable {
  /// It could not be read.
  case source(SourceError)
  /// It is armored, and the armor is not the one strict form.
  case armor
  /// Not an age v1 file, or a header that breaks the format's rules.
  case header
  /// The file is not for this identity: another key, or a wrong passphrase.
  case noMatch
  /// The header was altered.
  case mac
  /// The payload was altered, cut off, or has something after its end.
  case payload
  /// There is not enough memory for the work that the passphrase's stanza asks for.
  case outOfMemory
}

/// One way to the file key.
struct AgeStanza: Equatable {
  /// The kind, and what it takes besides the body.
  var arguments: [[UInt8]]
  var body: [UInt8]

  func isOfType(_ type: StaticString) -> Bool { arguments.first == type.ascii }

  /// The stanza's lines. The last is always shorter than 64 characters, if need be empty.
  var lines: [UInt8] {
    var text = Array("->".utf8)
    for argument in arguments { text += [UInt8(ascii: " ")] + argument }
    text.append(UInt8(ascii: "\n"))
    let encoded = unsafe Base64.encodeBytes(body.span.bytes, padding: .absent)
    var start = 0
    repeat {
      let end = min(start + AgeHeader.columns, encoded.count)
      text += encoded[start..<end] + [UInt8(ascii: "\n")]
      if end == encoded.count && end - start == AgeHeader.columns {
        text.append(UInt8(ascii: "\n"))
      }
      start = end
    } while start < encoded.count
    return text
  }
}

/// The header of an age file, parsed and not yet authenticated.
struct AgeHeader {
  static let columns = 64
  /// A header is refused beyond this: about 700 recipients.
  static let longestByteCount = 1 << 16

  let stanzas: [AgeStanza]
  /// The whole header up to and including `---`.
  let authenticated: [UInt8]
  let mac: [UInt8]
  /// Where the payload begins.
  let byteCount: Int

  /// Parses the header that a source begins with.
  init(readingFrom source: inout some ByteSource & ~Copyable) throws(AgeError) {
    let count = Int(min(source.byteCount, UInt64(AgeHeader.longestByteCount)))
    let bytes: [UInt8]
    do { bytes = try source.read(at: 0, count: count) } catch { throw .source(error) }
    try self.init(bytes)
  }

  init(_ bytes: [UInt8]) throws(AgeError) {
    var lines = Lines(bytes: bytes)
    guard try lines.next() == Array("age-encryption.org/v1".utf8)[...] else { throw .header }
    var stanzas: [AgeStanza] = []
    var line = try lines.next()
    while !line.starts(with: "---".utf8) {
      stanzas.append(try AgeStanza(firstLine: line, &lines))
      line = try lines.next()
    }
    guard !stanzas.isEmpty, line.starts(with: "--- ".utf8) else { throw .header }
    // A passphrase promises that whoever knows it made the file; a second stanza would break that.
    guard stanzas.count == 1 || !stanzas.contains(where: { $0.isOfType("scrypt") }) else {
      throw .header
    }
    self.stanzas = stanzas
    authenticated = Array(bytes[..<(line.startIndex + 3)])
    mac = try decodeField(line.dropFirst(4), count: Bytes32.byteCount)
    byteCount = lines.position
  }

  /// The file key, once the header is proven to be by somebody who had it.
  func unwrap(with identity: borrowing AgeIdentity) throws(AgeError) -> AgeFileKey {
    let key = try AgeStanza.unwrap(stanzas, with: identity)
    let macKey = key.derive(salt: [], info: "header")
    guard unsafe HMACSHA256.isValid(mac.span.bytes, for: authenticated.span.bytes, key: macKey)
    else {
      throw .mac
    }
    return key
  }

  /// The bytes of a header with these stanzas.
  static func bytes(_ stanzas: [AgeStanza], _ key: borrowing AgeFileKey) -> [UInt8] {
    var text = Array("age-encryption.org/v1\n".utf8)
    for stanza in stanzas { text += stanza.lines }
    text += "---".utf8
    let macKey = key.derive(salt: [], info: "header")
    let mac = unsafe HMACSHA256.authenticate(text.span.bytes, key: macKey)
    text.append(UInt8(ascii: " "))
    text += mac.withBytes { Base64.encodeBytes($0, padding: .absent) }
    text.append(UInt8(ascii: "\n"))
    return text
  }
}

/// Lines of a header, each ended by LF.
struct Lines {
  let bytes: [UInt8]
  private(set) var position = 0

  init(bytes: [UInt8]) { self.bytes = bytes }

  mutating func next() throws(AgeError) -> ArraySlice<UInt8> {
    guard let end = bytes[position...].firstIndex(of: UInt8(ascii: "\n")) else { throw .header }
    defer { position = end + 1 }
    return bytes[position..<end]
  }
}

extension AgeStanza {
  init(firstLine: ArraySlice<UInt8>, _ lines: inout Lines) throws(AgeError) {
    guard firstLine.starts(with: "-> ".utf8) else { throw .header }
    let arguments = firstLine.dropFirst(3)
      .split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false).map { Array($0) }
    guard arguments.allSatisfy({ !$0.isEmpty && $0.allSatisfy { (0x21...0x7E).contains($0) } })
    else { throw .header }
    var encoded: [UInt8] = []
    var line: ArraySlice<UInt8>
    repeat {
      line = try lines.next()
      guard line.count <= AgeHeader.columns else { throw .header }
      encoded += line
    } while line.count == AgeHeader.columns
    self.arguments = arguments
    body = try decodeField(encoded[...], count: nil)
  }
}

/// Canonical base64 without padding; of `count` bytes, where that is known.
func decodeField(_ text: ArraySlice<UInt8>, count: Int?) throws(AgeError) -> [UInt8] {
  let bytes: [UInt8]
  do { bytes = try unsafe Base64.decode(Array(text).span.bytes, padding: .absent) } catch {
    throw .header
  }
  if let count, bytes.count != count { throw .header }
  return bytes
}
