public import Cryptography

/// The name of a sealed blob: the root of the tree over its sealed spans. Whoever holds the
/// ciphertext can check it, whole or span by span, without a key.
public struct BlobRoot: Identifier32 {
  /// The root's bytes.
  public let raw: Bytes32
  /// The root with these bytes.
  public init(_ raw: Bytes32) { self.raw = raw }
}

/// The tree over a blob's sealed spans, built while they pass: a Merkle tree as a log's, but with
/// the domain `blob-span` in each leaf, so that no span can pass for a log's leaf.
///
///     leaf = SHA-256(0x00 ‖ u8 length of the domain ‖ domain ‖ sealed span)
///
/// The root fixes the spans and their order, and through the STREAM inside, also where the blob
/// ends.
public struct BlobTree: Hashable, Sendable {
  /// Bytes of every sealed span but the last.
  public static let spanByteCount = SpanCipher.sealedByteCount

  private var spans = CompactRange()

  /// A blob without spans, to which they are added in order.
  public init() {}

  /// The number of spans so far.
  public var spanCount: UInt64 { spans.size }

  /// The name of the blob that ends here.
  public var root: BlobRoot { BlobRoot(spans.root) }

  /// The hash of a sealed span as a leaf.
  public static func leafHash(_ span: RawSpan) -> Bytes32 {
    var hash = SHA256Hash()
    hash.update(byte: 0x00)
    hash.update(domain: .blobSpan)
    hash.update(span)
    return hash.finalize()
  }

  /// Adds the next sealed span.
  public mutating func append(_ span: RawSpan) {
    spans.append(BlobTree.leafHash(span))
  }

  /// Adds the next sealed span.
  public mutating func append(_ span: [UInt8]) { span.withBytes { append($0) } }

  /// Adds the next sealed span by its hash, for whoever hashes several at once.
  public mutating func append(leafHash: Bytes32) { spans.append(leafHash) }

  /// The number of spans of a sealed blob of `byteCount` bytes; nil if no blob has that many bytes.
  public static func spanCount(sealedByteCount byteCount: UInt64) -> UInt64? {
    let whole = byteCount / UInt64(spanByteCount)
    let rest = byteCount % UInt64(spanByteCount)
    if rest == 0 { return whole == 0 ? nil : whole }
    // A last span is at least a tag, and just a tag only if it is the only one.
    guard rest > UInt64(AEAD.tagByteCount) || (rest == UInt64(AEAD.tagByteCount) && whole == 0)
    else {
      return nil
    }
    return whole + 1
  }

  /// Checks one sealed span of a blob of `count` spans against the blob's name.
  ///
  /// - Throws: as `MerkleTree.verifyInclusion`.
  public static func verify(
    _ span: RawSpan, index: UInt64, count: UInt64, root: BlobRoot, proof: [Bytes32]
  ) throws(MerkleError) {
    try MerkleTree.verifyInclusion(
      of: leafHash(span), index: index, size: count, root: root.raw, proof: proof)
  }
}
