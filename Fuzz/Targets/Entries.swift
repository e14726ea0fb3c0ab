import Cryptography
import VerifiableLog

@testable import CaseLog

extension FuzzTarget {
  static let entries = [
    FuzzTarget("records", treeOffset: 1, checkRecord),
    FuzzTarget("entry", maximumByteCount: 2048, treeOffset: 2, checkEntry),
  ]
}

// MARK: - Records

/// What a record is again once it was decoded: of those with one encoding, the same bytes.
private func again(_ kind: UInt8, _ bytes: [UInt8]) -> [UInt8]? {
  switch kind % 12 {
  case 0: accepted { try Wrap(decoding: bytes) }?.encoded
  case 1: accepted { try Audience(decoding: bytes) }?.encoded
  case 2: accepted { try EntryHeader(decoding: bytes) }?.encoded
  case 3: accepted { try EntryContext(decoding: bytes) }?.encoded
  case 4: accepted { try LeafData(parsing: bytes) }?.bytes
  case 5:
    accepted { try ClaimedTime(decoding: bytes) }.map { time in
      var encoder = CBOREncoder()
      time.encode(to: &encoder)
      return encoder.bytes
    }
  case let number:
    accepted {
      try Control(
        kind: EntryKind(code: UInt64(number) - 5), parts: [Part(.control, bytes)])
    }?.part.bytes
  }
}

private func checkRecord(_ input: [UInt8]) throws(Broken) {
  var choices = Choices(input)
  let kind = choices.byte()
  let bytes = choices.remaining
  guard let encoded = again(kind, bytes) else { return }
  try hold(encoded == bytes, "there is one encoding of a record")
  try hold(again(kind, bytes + [0]) == nil, "nothing may follow")
  try hold(again(kind, bytes.dropLast()) == nil, "a beginning is no record")
}

// MARK: - Entries

/// The parts of an entry as CBOR, sealed and committed to as they are; header and context are good ones unless the
/// input has its own.
private func checkEntry(_ input: [UInt8]) throws(Broken) {
  var choices = Choices(input)
  let (flags, kind) = (choices.byte(), EntryKind(code: UInt64(choices.byte())))
  let given = choices.remaining
  let place = EntryPlace(
    caseID: FuzzCase.shared.caseID, logID: FuzzCase.shared.survivor.id, sequence: 5)
  let key = FuzzCase.secretKey([99])
  let encoded = flags & 1 == 0 ? withHead(given, kind, place) : given
  let plaintext = padded(encoded, isRaw: flags & 2 == 2)
  let ciphertext = AEAD.seal(
    plaintext, key: key.derive(.entryCipher), nonce: .zero, associatedData: Domain.entry.bytes)
  let commitment = commitment(encoded, key)
  let leaf = LeafData(
    sequence: 5, classByte: kind.entryClass?.rawValue ?? flags, commitment: commitment,
    ciphertextHash: SealedEntry.hash(ciphertext))
  let sealed = SealedEntry(leaf: leaf, ciphertext: ciphertext)
  guard let entry = accepted({ try sealed.open(at: place, key: key) }) else { return }
  try hold(entry.place == place && entry.header.kind.entryClass == leaf.entryClass, "in its place")
  try hold(PartDisclosure.commit(entry.parts) == leaf.commitment, "as the leaf commits to")
  let elsewhere = EntryPlace(caseID: place.caseID, logID: place.logID, sequence: 6)
  try hold(accepted { try sealed.open(at: elsewhere, key: key) } == nil, "and in no other place")
  let withheld = entry.parts.enumerated().map { index, part in
    index < 2 ? part : PartDisclosure.withheld(part.hash(index: index))
  }
  try hold(
    accepted { try OpenedEntry(leaf: leaf, parts: withheld, at: place) } != nil,
    "each part can be withheld")
  try checkMeaning(entry, leaf, place)
}

private func checkMeaning(
  _ entry: OpenedEntry, _ leaf: LeafData, _ place: EntryPlace
) throws(Broken) {
  if entry.entryClass == .control {
    guard let control = accepted({ try Control(of: entry) }) else { return }
    try hold([control.part] == entry.disclosedParts, "there is one encoding of what it does")
    try hold(control.kind == entry.header.kind, "and its kind says it")
    return
  }
  guard let content = accepted({ try EntryContent(of: entry) }) else { return }
  try hold(content.tags.count <= 64 && content.about.count <= 4096, "within the limits")
  let isWithBlob = content.attachments.contains { $0.blob != nil }
  try hold(!(content.showsMinor && isWithBlob), "no picture of anybody under 18")
  guard content.unknownParts == 0 else { return }
  // Parts may come in another order, and a name as bytes though it is text: what they say is the same.
  try hold(
    accepted { try EntryContent(parts: content.parts) } == content, "content is read as written")
}

private func withHead(_ parts: [UInt8], _ kind: EntryKind, _ place: EntryPlace) -> [UInt8] {
  guard case .array(let items)? = CBORTree(parts) else { return parts }
  let header = EntryHeader(
    caseID: place.caseID, logID: place.logID, sequence: place.sequence, kind: kind,
    partCount: items.count + 2)
  return CBORTree.array(
    [
      .array([.text("header"), .bytes(header.encoded)]),
      .array([.text("context"), .bytes(EntryContext(clock: 7).encoded)]),
    ] + items
  ).encoded
}

private func padded(_ encoded: [UInt8], isRaw: Bool) -> [UInt8] {
  guard !isRaw else { return encoded }
  let count = UInt32(encoded.count)
  let length = max(256, Padme.paddedLength(UInt64(encoded.count) + 4))
  let plaintext = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: count >> $0) } + encoded
  return plaintext + [UInt8](repeating: 0, count: Int(length) - plaintext.count)
}

/// The commitment to parts as they were encoded; another one where they are none, which then is refused.
private func commitment(_ encoded: [UInt8], _ key: borrowing SecretKey) -> Bytes32 {
  guard case .array(let items)? = CBORTree(encoded) else { return .zero }
  var parts: [PartDisclosure] = []
  for (index, item) in items.enumerated() {
    guard case .array(let pair) = item, pair.count == 2, case .text(let text) = pair[0],
      let label = PartLabel(Array(text.utf8)), let bytes = pair[1].content
    else { return .zero }
    let salt = key.derive(.partSalts, UInt64(index)).withBytes { Bytes32($0) } ?? .zero
    parts.append(.disclosed(Part(label, bytes), salt: salt))
  }
  return PartDisclosure.commit(parts)
}
