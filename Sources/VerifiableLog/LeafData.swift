public import Cryptography

/// Why bytes are not the data of a leaf.
public enum LeafDataError: Error, Hashable, Sendable {
  /// Not 74 bytes.
  case wrongLength
  /// The first byte is not 0x01.
  case unknownTag
}

/// What a log holds of an entry, and everybody may see: a fixed layout of 74 bytes.
///
///     offset  bytes
///          0      1  tag, 0x01
///          1      8  sequence, big-endian: the leaf's index in its log
///          9      1  class
///         10     32  commitment to the entry's parts
///         42     32  hash of the entry's ciphertext
public struct LeafData: Hashable, Sendable {
  /// The leaf's index in its log.
  public let sequence: UInt64
  /// The class as it stands in the leaf. A value that no `EntryClass` has is kept, for whoever
  /// knows it.
  public let classByte: UInt8
  /// The Merkle root over the entry's parts.
  public let commitment: Bytes32
  /// The hash of the entry's ciphertext.
  public let ciphertextHash: Bytes32

  /// The number of bytes, 74.
  public static let byteCount = 74
  private static let tag: UInt8 = 0x01

  /// The leaf with these fields.
  public init(sequence: UInt64, classByte: UInt8, commitment: Bytes32, ciphertextHash: Bytes32) {
    self.sequence = sequence
    self.classByte = classByte
    self.commitment = commitment
    self.ciphertextHash = ciphertextHash
  }

  /// The leaf of an entry of a class that this version knows.
  public init(
    sequence: UInt64, entryClass: EntryClass, commitment: Bytes32, ciphertextHash: Bytes32
  ) {
    self.init(
      sequence: sequence, classByte: entryClass.rawValue, commitment: commitment,
      ciphertextHash: ciphertextHash)
  }

  /// The leaf in 74 bytes. Whether the sequence is the right one is for the log to check.
  ///
  /// - Throws: `LeafDataError`.
  public init(parsing bytes: RawSpan) throws(LeafDataError) {
    guard bytes.byteCount == LeafData.byteCount,
      let commitment = Bytes32(bytes.extracting(10..<42)),
      let ciphertextHash = Bytes32(bytes.extracting(42..<74))
    else { throw .wrongLength }
    guard bytes.byte(at: 0) == LeafData.tag else { throw .unknownTag }
    self.init(
      sequence: bytes.bigEndianUInt64(at: 1), classByte: bytes.byte(at: 9),
      commitment: commitment, ciphertextHash: ciphertextHash)
  }

  /// The leaf in 74 bytes.
  ///
  /// - Throws: `LeafDataError`.
  public init(parsing bytes: [UInt8]) throws(LeafDataError) {
    self = try bytes.withBytes { (bytes) throws(LeafDataError) in try LeafData(parsing: bytes) }
  }

  /// The class, if this version knows it.
  public var entryClass: EntryClass? { EntryClass(rawValue: classByte) }

  /// The 74 bytes.
  public var bytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(LeafData.byteCount)
    bytes.append(LeafData.tag)
    bytes.appendBigEndian(sequence)
    bytes.append(classByte)
    commitment.withBytes { bytes.append($0) }
    ciphertextHash.withBytes { bytes.append($0) }
    return bytes
  }

  /// The hash by which the log's tree knows the leaf.
  public var hash: Bytes32 { MerkleTree.leafHash(bytes) }
}

/// What an entry may do, as far as a log that is blind to its content can tell.
public enum EntryClass: UInt8, Hashable, Sendable, CaseIterable {
  /// Keys, roles and references, which every member can open.
  case control = 1
  /// Evidence and what concerns it, by survivors only.
  case content = 2
  /// Anybody's own words.
  case note = 3
}

/// The name of an entry: a hash of its log's name and its leaf, so it commits to place and content.
public struct EntryID: Identifier32 {
  /// The identifier's bytes.
  public let raw: Bytes32
  /// The identifier with these bytes.
  public init(_ raw: Bytes32) { self.raw = raw }

  /// The entry of a leaf: `Domain.entryID` over the log's identifier and the leaf's 74 bytes.
  public init(log: LogID, leaf: LeafData) {
    var hasher = DomainHasher(.entryID)
    hasher.add(log)
    hasher.add(leaf.bytes)
    self.init(hasher.finalize())
  }
}
