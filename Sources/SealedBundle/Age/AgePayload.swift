internal import Cryptography

/// The encrypted half of an age file: chunks of 64 KiB, each with its own tag, the last one marked.
struct AgePayload: ~Copyable {
  static let chunkByteCount = 1 << 16
  static let sealedChunkByteCount = chunkByteCount + ChaChaPoly.tagByteCount
  static let nonceByteCount = 16

  private let key: SecretKey

  init(_ fileKey: borrowing AgeFileKey, nonce: [UInt8]) {
    key = fileKey.derive(salt: nonce, info: "payload")
  }

  func seal(_ chunk: RawSpan, index: UInt64, isLast: Bool) -> [UInt8] {
    unsafe ChaChaPoly.seal(
      chunk, key: key, nonce: AgePayload.nonce(index, isLast: isLast).span.bytes)
  }

  func open(_ sealed: [UInt8], index: UInt64, isLast: Bool) throws(CryptographyError) -> [UInt8] {
    try unsafe ChaChaPoly.open(
      sealed.span.bytes, key: key, nonce: AgePayload.nonce(index, isLast: isLast).span.bytes)
  }

  /// 88 bits of counter, of which no file that exists needs more than 64, and the mark of the last chunk.
  private static func nonce(_ index: UInt64, isLast: Bool) -> [UInt8] {
    var nonce: [UInt8] = [0, 0, 0]
    nonce.appendBigEndian(index)
    nonce.append(isLast ? 1 : 0)
    return nonce
  }
}

extension AgePayload {
  /// What the length of a payload tells of its chunks.
  struct Shape {
    let lastIndex: UInt64
    let lastSealedByteCount: Int
    /// The length of the plaintext.
    let byteCount: UInt64

    init(sealedByteCount: UInt64) throws(AgeError) {
      let full = UInt64(AgePayload.sealedChunkByteCount)
      let tag = UInt64(ChaChaPoly.tagByteCount)
      guard sealedByteCount >= tag else { throw .payload }
      lastIndex = (sealedByteCount - 1) / full
      let last = sealedByteCount - lastIndex * full
      // An empty last chunk is only for an empty file: else one content would have two encryptions.
      guard last > tag || (lastIndex == 0 && last == tag) else { throw .payload }
      lastSealedByteCount = Int(last)
      byteCount = sealedByteCount - (lastIndex + 1) * tag
    }
  }
}

/// The content of an age file, readable at any place.
///
/// That the end is the end is checked at opening. Every chunk is authenticated before any of its bytes is
/// given out; a bad one reads as `SourceError.notAuthentic`.
public struct AgeSource<Base: ByteSource & ~Copyable>: ByteSource, ~Copyable {
  private var base: Base
  private let payload: AgePayload
  private let payloadOffset: UInt64
  private let shape: AgePayload.Shape
  private var cachedIndex: UInt64
  private var cachedChunk: [UInt8]

  public var byteCount: UInt64 { shape.byteCount }

  /// Opens a file with an identity.
  public init(_ base: consuming Base, identity: borrowing AgeIdentity) throws(AgeError) {
    let header = try AgeHeader(readingFrom: &base)
    let fileKey = try header.unwrap(with: identity)
    let nonceStart = UInt64(header.byteCount)
    let nonce: [UInt8]
    do { nonce = try base.read(at: nonceStart, count: AgePayload.nonceByteCount) } catch {
      throw error == .outOfBounds ? .header : .source(error)
    }
    let payloadOffset = nonceStart + UInt64(AgePayload.nonceByteCount)
    let payload = AgePayload(fileKey, nonce: nonce)
    let shape = try AgePayload.Shape(sealedByteCount: base.byteCount - payloadOffset)

    let last: [UInt8]
    do {
      last = try base.read(
        at: payloadOffset + shape.lastIndex * UInt64(AgePayload.sealedChunkByteCount),
        count: shape.lastSealedByteCount)
    } catch { throw .source(error) }
    let chunk: [UInt8]
    do { chunk = try payload.open(last, index: shape.lastIndex, isLast: true) } catch {
      throw .payload
    }
    self.payload = payload
    self.payloadOffset = payloadOffset
    self.shape = shape
    cachedIndex = shape.lastIndex
    cachedChunk = chunk
    self.base = base
  }

  public mutating func read(at offset: UInt64, count: Int) throws(SourceError) -> [UInt8] {
    guard isWithin(byteCount, offset, count) else { throw .outOfBounds }
    var result: [UInt8] = []
    result.reserveCapacity(count)
    while result.count < count {
      let position = offset + UInt64(result.count)
      try load(position / UInt64(AgePayload.chunkByteCount))
      let start = Int(position % UInt64(AgePayload.chunkByteCount))
      let end = min(start + count - result.count, cachedChunk.count)
      result += cachedChunk[start..<end]
    }
    return result
  }

  private mutating func load(_ index: UInt64) throws(SourceError) {
    guard index != cachedIndex else { return }
    let count =
      index == shape.lastIndex ? shape.lastSealedByteCount : AgePayload.sealedChunkByteCount
    let sealed = try base.read(
      at: payloadOffset + index * UInt64(AgePayload.sealedChunkByteCount), count: count)
    do {
      cachedChunk = try payload.open(sealed, index: index, isLast: index == shape.lastIndex)
      cachedIndex = index
    } catch {
      throw .notAuthentic
    }
  }
}
