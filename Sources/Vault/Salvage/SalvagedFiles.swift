internal import CaseLog
internal import Cryptography
internal import VerifiableLog

/// Sealed bytes that may be damaged: in memory or in a file.
enum SealedSource: ~Copyable {
  case inline([UInt8])
  case file(OpenFile)

  func size() throws(VaultError) -> UInt64 {
    switch self {
    case .inline(let bytes): return UInt64(bytes.count)
    case .file(let file): return try file.status().size
    }
  }

  /// Nil if they cannot be read.
  func read(at offset: UInt64, count: Int) -> [UInt8]? {
    switch self {
    case .inline(let bytes):
      let end = Int(offset) + count
      return end <= bytes.count ? Array(bytes[Int(offset)..<end]) : nil
    case .file(let file):
      do throws(VaultError) {
        let bytes = try file.read(at: offset, count: count)
        return bytes.count == count ? bytes : nil
      } catch {
        // A place that the disk does not give is a span that is lost.
        return nil
      }
    }
  }
}

/// Takes what opens of an attachment out of its sealed form, span by span. Each byte that is written was
/// authenticated and stands where it stood; what is lost is left as zeros and named.
struct SpanSalvage: ~Copyable {
  private let cipher: SpanCipher
  private let size: UInt64
  private let layout: (plaintext: UInt64, spans: UInt64, sealed: UInt64)

  /// - Parameter size: of the original.
  init(key: [UInt8], size: UInt64) throws(CryptographyError) {
    let key = try key.withBytes { (bytes) throws(CryptographyError) in
      try SecretKey(copying: bytes)
    }
    cipher = SpanCipher(key: key.derive(.blobSpans))
    self.size = size
    let plaintext = Padme.paddedLength(size + 8)
    let spans = SpanCipher.spanCount(plaintextByteCount: plaintext)
    layout = (plaintext, spans, plaintext + spans * UInt64(AEAD.tagByteCount))
  }

  struct Result {
    /// Of the original; none if it is whole.
    var missing: [Range<UInt64>] = []
    /// Of a whole one.
    var sha256: Bytes32?
  }

  func write(
    _ source: borrowing SealedSource, to file: borrowing OpenFile,
    onBytes: (Int) throws(VaultError) -> Void
  ) throws(VaultError) -> Result {
    var result = Result()
    var hash = SHA256Hash()
    let length = UInt64(SpanCipher.sealedByteCount)
    let stored = try source.size()
    for index in 0..<layout.spans {
      let start = index * UInt64(SpanCipher.plaintextByteCount)
      // What follows is padding, which may be longer than a span.
      guard start < size else { break }
      let range = start..<min(size, start + UInt64(SpanCipher.plaintextByteCount))
      if index * length >= stored {
        lose(start..<size, &result)
        break
      }
      let isLast = index == layout.spans - 1
      let count = Int(isLast ? layout.sealed - index * length : length)
      if let bytes = open(source.read(at: index * length, count: count), index, isLast) {
        try file.write(Array(bytes.prefix(range.count)), at: start)
        bytes.withBytes { hash.update($0.extracting(0..<range.count)) }
      } else {
        lose(range, &result)
      }
      try onBytes(count)
    }
    if result.missing.isEmpty {
      result.sha256 = hash.finalize()
    } else if result.missing.last?.upperBound == size {
      try file.write([0], at: size - 1)
    }
    return result
  }

  private func open(_ sealed: [UInt8]?, _ index: UInt64, _ isLast: Bool) -> [UInt8]? {
    guard let sealed else { return nil }
    do {
      return try sealed.withBytes { (bytes) throws(CryptographyError) in
        try cipher.open(bytes, index: index, isLast: isLast)
      }
    } catch {
      return nil
    }
  }

  private func lose(_ range: Range<UInt64>, _ result: inout Result) {
    if let last = result.missing.last, last.upperBound == range.lowerBound {
      result.missing[result.missing.count - 1] = last.lowerBound..<range.upperBound
    } else {
      result.missing.append(range)
    }
  }
}
