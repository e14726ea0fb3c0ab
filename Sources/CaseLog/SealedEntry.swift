public import Cryptography
public import VerifiableLog

/// An entry as it is stored and sent: a leaf of a log and the ciphertext that it names.
public struct SealedEntry: Hashable, Sendable {
  public let leaf: LeafData
  public let ciphertext: [UInt8]

  public init(leaf: LeafData, ciphertext: [UInt8]) {
    self.leaf = leaf
    self.ciphertext = ciphertext
  }

  /// Seals `parts` under `key`, which must be random and used for this entry only.
  ///
  /// - Parameters:
  ///   - header: names the place in the log at which the entry will stand; its kind gives the class.
  ///   - parts: what follows header and context.
  /// - Throws: `.malformed` when there is more than an entry can hold.
  public init(
    sealing parts: [Part], kind: EntryKind, context: EntryContext, at place: EntryPlace,
    key: borrowing SecretKey
  ) throws(CaseLogError) {
    guard parts.count + 2 <= Limits.partsOfEntry, let entryClass = kind.entryClass else {
      throw .malformed
    }
    let header = EntryHeader(
      caseID: place.caseID, logID: place.logID, sequence: place.sequence, kind: kind,
      partCount: parts.count + 2)
    // Nothing is signed that a reader would refuse.
    _ = try EntryContext(decoding: context.encoded)
    let all = [Part(.header, header.encoded), Part(.context, context.encoded)] + parts
    let plaintext = try Self.padded(PartList.encode(all))
    let ciphertext = AEAD.seal(
      plaintext, key: key.derive(.entryCipher), nonce: .zero,
      associatedData: Domain.entry.bytes)
    self.ciphertext = ciphertext
    self.leaf = LeafData(
      sequence: place.sequence, entryClass: entryClass,
      commitment: PartDisclosure.commit(Self.disclosures(of: all, key: key)),
      ciphertextHash: Self.hash(ciphertext))
  }

  /// Hash of a ciphertext as leaves name it.
  public static func hash(_ ciphertext: [UInt8]) -> Bytes32 {
    Domain.ciphertext.hash(ciphertext)
  }

  /// Opens the entry and checks all that its key lets check.
  ///
  /// - Throws: `.otherCiphertext` and `.locked` when ciphertext or key are not this entry's;
  ///   `.commitmentMismatch`, `.misplaced`, `.classMismatch` and `.malformed` when the entry is a violation.
  public func open(
    at place: EntryPlace, key: borrowing SecretKey
  ) throws(CaseLogError) -> OpenedEntry {
    try OpenedEntry(leaf: leaf, parts: try disclosures(key: key), at: place)
  }

  /// The parts of the entry, which give the commitment of its leaf; whether they keep to the rules is not
  /// looked at.
  ///
  /// - Throws: `.otherCiphertext`, `.locked`, `.commitmentMismatch` as `open`; `.malformed` when it is too long.
  public func disclosures(
    key: borrowing SecretKey
  ) throws(CaseLogError) -> [PartDisclosure] {
    guard ciphertext.count <= Limits.entryPlaintext + 1024 else { throw .malformed }
    guard Self.hash(ciphertext) == leaf.ciphertextHash else { throw .otherCiphertext }
    let plaintext: [UInt8]
    do {
      plaintext = try AEAD.open(
        ciphertext, key: key.derive(.entryCipher), nonce: .zero,
        associatedData: Domain.entry.bytes)
    } catch {
      throw .locked
    }
    // Whoever made the ciphertext can have made it open under a second key, to anything: until the parts
    // give the commitment, nothing in them counts, not even as a fault of the author.
    let parts: [Part]
    do { parts = try PartList.decode(try Self.unpadded(plaintext)) } catch {
      throw .commitmentMismatch
    }
    let disclosures = Self.disclosures(of: parts, key: key)
    guard PartDisclosure.commit(disclosures) == leaf.commitment else { throw .commitmentMismatch }
    return disclosures
  }

  private static func disclosures(of parts: [Part], key: borrowing SecretKey) -> [PartDisclosure] {
    var result: [PartDisclosure] = []
    result.reserveCapacity(parts.count)
    for (index, part) in parts.enumerated() {
      let salt = key.derive(.partSalts, UInt64(index)).withBytes { Bytes32($0) } ?? .zero
      result.append(.disclosed(part, salt: salt))
    }
    return result
  }

  private static func padded(_ encoded: [UInt8]) throws(CaseLogError) -> [UInt8] {
    let length = max(Limits.entryPlaintextFloor, Padme.paddedLength(UInt64(encoded.count) + 4))
    guard encoded.count + 4 <= Limits.entryPlaintext else { throw .malformed }
    var plaintext: [UInt8] = []
    plaintext.reserveCapacity(Int(length))
    plaintext.appendBigEndian(UInt32(encoded.count))
    plaintext += encoded
    plaintext += [UInt8](repeating: 0, count: Int(length) - plaintext.count)
    return plaintext
  }

  private static func unpadded(_ plaintext: [UInt8]) throws(CaseLogError) -> [UInt8] {
    guard plaintext.count >= 4 else { throw .malformed }
    let count = Int(UInt32(bigEndianBytes: plaintext.prefix(4)))
    guard count + 4 <= plaintext.count,
      UInt64(plaintext.count)
        == max(Limits.entryPlaintextFloor, Padme.paddedLength(UInt64(count) + 4)),
      plaintext.dropFirst(4 + count).allSatisfy({ $0 == 0 })
    else { throw .malformed }
    return Array(plaintext[4..<4 + count])
  }
}

/// The place of an entry: which case, which log, which leaf.
public struct EntryPlace: Hashable, Sendable {
  public let caseID: CaseID
  public let logID: LogID
  public let sequence: UInt64

  public init(caseID: CaseID, logID: LogID, sequence: UInt64) {
    self.caseID = caseID
    self.logID = logID
    self.sequence = sequence
  }
}

/// An entry whose disclosed parts are proven to be those that its leaf commits to, at this place.
public struct OpenedEntry: Hashable, Sendable {
  public let id: EntryID
  public let leaf: LeafData
  public let header: EntryHeader
  /// Nil when part 1 is withheld.
  public let context: EntryContext?
  /// All parts by index, header and context first.
  public let parts: [PartDisclosure]

  public var place: EntryPlace {
    EntryPlace(caseID: header.caseID, logID: header.logID, sequence: header.sequence)
  }

  /// Verifies parts, as a bundle discloses them or as decryption gave them, against a leaf and its place.
  ///
  /// - Throws: `.malformed`, `.commitmentMismatch`, `.misplaced`, `.classMismatch`.
  public init(leaf: LeafData, parts: [PartDisclosure], at place: EntryPlace) throws(CaseLogError) {
    guard PartDisclosure.commit(parts) == leaf.commitment else { throw .commitmentMismatch }
    guard (2...Limits.partsOfEntry).contains(parts.count), let first = parts[0].part,
      first.label == .header
    else { throw .malformed }
    let header = try EntryHeader(decoding: first.bytes)
    guard header.caseID == place.caseID, header.logID == place.logID,
      header.sequence == place.sequence, leaf.sequence == place.sequence,
      header.partCount == parts.count
    else { throw .misplaced }
    guard let entryClass = header.kind.entryClass, entryClass == leaf.entryClass else {
      throw .classMismatch
    }
    if let second = parts[1].part {
      guard second.label == .context else { throw .malformed }
      self.context = try EntryContext(decoding: second.bytes)
    } else {
      self.context = nil
    }
    self.header = header
    self.leaf = leaf
    self.parts = parts
    self.id = EntryID(log: place.logID, leaf: leaf)
  }

  public var entryClass: EntryClass { header.kind.entryClass ?? .note }

  /// The parts after header and context that are disclosed.
  public var disclosedParts: [Part] { parts.dropFirst(2).compactMap { $0.part } }
}
