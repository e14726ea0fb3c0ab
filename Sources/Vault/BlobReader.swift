internal import CaseLog
internal import Cryptography
internal import VerifiableLog

/// Reads one sealed attachment, span by span; what it gives was authenticated.
struct BlobReader: ~Copyable {
  private let cipher: SpanCipher
  private let inline: [UInt8]?
  private let file: OpenFile?
  /// Of the original.
  let size: UInt64
  private let spanCount: UInt64
  private let plaintextSize: UInt64

  /// - Throws: `.contentDamaged` when the length on disk is not the one that belongs to the original's, or the file
  ///   cannot be read; `.fileMissing`.
  init(
    inline: [UInt8]?, path: String, key: borrowing SecretKey, size: UInt64
  ) throws(VaultError) {
    let plaintextSize = Padme.paddedLength(size + 8)
    let spanCount = SpanCipher.spanCount(plaintextByteCount: plaintextSize)
    let opened: OpenFile?
    do throws(VaultError) {
      opened = inline == nil ? try OpenFile(reading: path, followingLinks: false) : nil
    } catch {
      guard try StoredFile.State(error) == .damaged else { throw error }
      throw VaultError(.contentDamaged, systemError: error.systemError)
    }
    let stored = try opened?.status().size ?? UInt64(inline?.count ?? 0)
    guard stored == plaintextSize + spanCount * UInt64(AEAD.tagByteCount) else {
      throw VaultError(.contentDamaged)
    }
    cipher = SpanCipher(key: key.derive(.blobSpans))
    file = opened
    self.inline = inline
    self.size = size
    self.plaintextSize = plaintextSize
    self.spanCount = spanCount
  }

  /// Gives the original to `body` in order and checks what follows it.
  func forEachPiece(
    _ body: (RawSpan) throws(VaultError) -> Void
  ) throws(VaultError) {
    var position: UInt64 = 0
    for index in 0..<spanCount {
      let plaintext = try span(index)
      let wanted = Int(min(UInt64(plaintext.count), size - min(size, position)))
      if wanted > 0 {
        try plaintext.withBytes { (bytes) throws(VaultError) in
          try body(bytes.extracting(0..<wanted))
        }
      }
      guard isTail(plaintext[wanted...], at: position + UInt64(wanted)) else {
        throw VaultError(.contentDamaged)
      }
      position += UInt64(plaintext.count)
    }
  }

  /// Bytes of the original; fewer at its end.
  func read(at offset: UInt64, count: Int) throws(VaultError) -> [UInt8] {
    guard offset < size else { return [] }
    let end = min(size, offset + UInt64(count))
    var result: [UInt8] = []
    result.reserveCapacity(Int(end - offset))
    var position = offset
    let length = UInt64(SpanCipher.plaintextByteCount)
    while position < end {
      let plaintext = try span(position / length)
      let start = Int(position % length)
      let stop = Int(min(UInt64(plaintext.count), UInt64(start) + end - position))
      result += plaintext[start..<stop]
      position += UInt64(stop - start)
    }
    return result
  }

  private func span(_ index: UInt64) throws(VaultError) -> [UInt8] {
    let length = UInt64(SpanCipher.sealedByteCount)
    let isLast = index == spanCount - 1
    let total = plaintextSize + spanCount * UInt64(AEAD.tagByteCount)
    let count = Int(isLast ? total - index * length : length)
    do {
      let sealed: [UInt8]
      if let inline {
        sealed = Array(inline[Int(index * length)..<Int(index * length) + count])
      } else {
        sealed = try file?.read(at: index * length, count: count) ?? []
      }
      return try sealed.withBytes { (bytes) throws(CryptographyError) in
        try cipher.open(bytes, index: index, isLast: isLast)
      }
    } catch {
      // Or a place that the disk does not give.
      throw VaultError(.contentDamaged, systemError: (error as? VaultError)?.systemError)
    }
  }

  /// Zeros, and in the last eight bytes the length of the original.
  private func isTail(_ bytes: ArraySlice<UInt8>, at offset: UInt64) -> Bool {
    let length = size.bigEndianBytes
    return bytes.enumerated().allSatisfy { index, byte in
      let place = offset + UInt64(index)
      return byte == (place < plaintextSize - 8 ? 0 : length[Int(place + 8 - plaintextSize)])
    }
  }
}
