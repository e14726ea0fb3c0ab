import Cryptography

@testable import SealedBundle

extension FuzzTarget {
  static let containers = [
    FuzzTarget("age-header", maximumByteCount: 2048, checkAgeHeader),
    FuzzTarget("age", maximumByteCount: 2048, checkAge),
    FuzzTarget("armor", maximumByteCount: 1024, checkArmor),
    FuzzTarget("zip", maximumByteCount: 2048, checkZip),
    FuzzTarget("zip-edit", maximumByteCount: 1024, checkEditedZip),
  ]
}

// MARK: - age

private func checkAgeHeader(_ input: [UInt8]) throws(Broken) {
  guard let header = accepted({ try AgeHeader(input) }) else { return }
  let lines = header.stanzas.flatMap(\.lines)
  try hold(
    header.authenticated == Array("age-encryption.org/v1\n".utf8) + lines + Array("---".utf8),
    "a header is written as it was read")
  try hold(header.byteCount <= input.count && header.mac.count == 32, "and ends in its bytes")
  try hold(input.prefix(header.byteCount).starts(with: header.authenticated), "from the first")
  let arguments = header.stanzas.flatMap(\.arguments)
  let isPlain = arguments.allSatisfy { !$0.isEmpty && $0.allSatisfy { $0 > 0x20 && $0 < 0x7f } }
  try hold(isPlain, "an argument is a word")
  let isAlone = header.stanzas.count == 1 || !header.stanzas.contains { $0.isOfType("scrypt") }
  try hold(isAlone, "a passphrase stands alone")
  let whole = Array(input.prefix(header.byteCount))
  try hold(accepted { try AgeHeader(whole.dropLast()) } == nil, "a beginning is no header")
}

/// The stanzas are the input's, under a code that holds, before a payload that does or does not.
private func checkAge(_ input: [UInt8]) throws(Broken) {
  var choices = Choices(input)
  let (flags, damage) = (choices.byte(), choices.byte())
  let stanzas = choices.field()
  var plaintext = choices.remaining
  if flags & 0x80 != 0 { plaintext += [UInt8](repeating: 3, count: AgePayload.chunkByteCount) }
  let key = AgeFileKey(writing: { span in
    for offset in 0..<AgeFileKey.byteCount {
      span.storeBytes(of: UInt8(offset), toByteOffset: offset, as: UInt8.self)
    }
  })
  var file = headed(stanzas, key)
  let header = accepted { try AgeHeader(file) }
  let payload = AgePayload(key, nonce: [UInt8](repeating: 4, count: AgePayload.nonceByteCount))
  file += [UInt8](repeating: 4, count: AgePayload.nonceByteCount)
  let start = file.count
  file += sealedChunks(plaintext, payload)
  let whole = file
  switch flags & 7 {
  case 1: file.removeLast(min(Int(damage) + 1, file.count - start))
  case 2: file += [damage]
  case 3: file[start + Int(damage) * (file.count - start) / 256] ^= 1 << (damage & 7)
  default: break
  }
  let secret = AgeIdentity(secretKey: FuzzCase.secretKey([50]))
  _ = accepted { () throws(AgeError) in try read(AgeSource(MemorySource(file), identity: secret)) }
  let opened = accepted { () throws(AgeError) in
    try read(AgeSource(MemorySource(file), identity: AgeIdentity(fileKey: key.copy())))
  }
  guard header != nil, header?.byteCount == start - AgePayload.nonceByteCount else { return }
  try hold(
    opened == (file == whole ? plaintext : nil), "what was sealed, all of it, and nothing else")
}

/// All bytes of a source, in pieces that are not the chunks'.
private func read(
  _ source: consuming AgeSource<MemorySource>
) throws(AgeError) -> [UInt8] {
  var bytes: [UInt8] = []
  while UInt64(bytes.count) < source.byteCount {
    let count = min(40_000, Int(source.byteCount) - bytes.count)
    do throws(SourceError) { bytes += try source.read(at: UInt64(bytes.count), count: count) } catch
    {
      throw .source(error)
    }
  }
  return bytes
}

private func headed(_ stanzas: [UInt8], _ key: borrowing AgeFileKey) -> [UInt8] {
  let text = Array("age-encryption.org/v1\n".utf8) + stanzas + Array("---".utf8)
  let macKey = key.derive(salt: [], info: "header")
  let mac = text.withBytes { HMACSHA256.authenticate($0, key: macKey) }
  return text + [0x20] + mac.withBytes { Base64.encodeBytes($0, padding: .absent) } + [0x0a]
}

private func sealedChunks(_ plaintext: [UInt8], _ payload: borrowing AgePayload) -> [UInt8] {
  var sealed: [UInt8] = []
  var (start, index) = (0, UInt64(0))
  repeat {
    let end = min(start + AgePayload.chunkByteCount, plaintext.count)
    let chunk = Array(plaintext[start..<end])
    let isLast = end == plaintext.count
    sealed += chunk.withBytes { payload.seal($0, index: index, isLast: isLast) }
    (start, index) = (end, index + 1)
  } while start < plaintext.count
  return sealed
}

private func checkArmor(_ input: [UInt8]) throws(Broken) {
  guard
    let bytes = accepted({ () throws(AgeError) in
      var source = try ArmorSource(MemorySource(input))
      do throws(SourceError) { return try source.read(at: 0, count: Int(source.byteCount)) } catch {
        throw .source(error)
      }
    })
  else { return }
  let digits = Array(Base64.encode(bytes).utf8)
  for end in [[0x0a], [0x0d, 0x0a]] as [[UInt8]] {
    var text = Array("-----BEGIN AGE ENCRYPTED FILE-----".utf8) + end
    for start in stride(from: 0, to: digits.count, by: 64) {
      text += digits[start..<min(start + 64, digits.count)] + end
    }
    text += Array("-----END AGE ENCRYPTED FILE-----".utf8)
    if input == text || input == text + end { return }
  }
  throw Broken(promise: "there is one spelling of armor for each kind of line end")
}

// MARK: - ZIP

/// The members with their content; nil for an archive that is refused.
private func members(_ bytes: [UInt8]) -> [(BundlePath, [UInt8]?)]? {
  accepted { () throws(ZipError) in
    var zip = try ZipReader(MemorySource(bytes))
    return zip.members.map { member in
      (member.path, accepted { () throws(ZipError) in try zip.read(member, limit: 1 << 20) })
    }
  }
}

private func archive(_ files: [(BundlePath, [UInt8])]) -> [UInt8]? {
  accepted { () throws(ZipWriteError) in
    var writer = ZipWriter(MemorySink())
    for (path, bytes) in files { try writer.add(path, bytes) }
    return try writer.finish().bytes
  }
}

private func checkZip(_ input: [UInt8]) throws(Broken) {
  guard let found = members(input) else { return }
  try hold(Set(found.map { $0.0.collisionKey }).count == found.count, "no name stands twice")
  guard found.allSatisfy({ $0.1 != nil }) else { return }
  let again = archive(found.map { ($0.0, $0.1 ?? []) })
  try hold(again == input, "no byte of an archive says what its files do not")
  try hold(members(input + [0]) == nil, "nothing may follow")
  try hold(members([0] + input) == nil, "nothing may stand before")
}

/// Files as the input names them, written and read; then one byte of the archive is another.
private func checkEditedZip(_ input: [UInt8]) throws(Broken) {
  var choices = Choices(input)
  let (place, mask) = (choices.number(below: 1 << 16), choices.byte())
  var files: [(BundlePath, [UInt8])] = []
  while !choices.rest.isEmpty, files.count < 8 {
    guard let path = BundlePath(choices.bytes(Int(choices.byte() % 12))) else { continue }
    files.append((path, choices.bytes(Int(choices.byte() % 64))))
  }
  guard let bytes = archive(files) else { return }
  guard !BundlePath.collide(files.map(\.0)) else {
    try hold(members(bytes) == nil, "names that are one somewhere are refused")
    return
  }
  guard let read = members(bytes) else { throw Broken(promise: "what is written is read") }
  try hold(
    read.map(\.0) == files.map(\.0) && read.map { $0.1 ?? [0] } == files.map(\.1),
    "with the same files")
  // A gap before the directory, which the end record says begins behind it.
  let (head, tail) = (bytes.dropLast(22), bytes.suffix(22))
  let start = Array(tail)[16..<20].reversed().reduce(0) { $0 << 8 | Int($1) }
  let gap = [UInt8](repeating: mask, count: 1 + place % 40)
  let moved = (0..<4).map { UInt8(truncatingIfNeeded: (start + gap.count) >> (8 * $0)) }
  let gapped = head.prefix(start) + gap + head.dropFirst(start) + tail.prefix(16) + moved + [0, 0]
  try hold(members(Array(gapped)) == nil, "nothing lies between files and directory")
  guard mask != 0 else { return }
  let bent = bytes.toggling(place % bytes.count, mask)
  let isTold = members(bent).map { $0.contains { $0.1 == nil } } ?? true
  try hold(isTold, "a byte that was altered shows")
}
