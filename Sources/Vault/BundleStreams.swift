internal import SealedBundle

/// A new file as the place where a bundle goes. Small writes are gathered.
struct FileSink: ByteSink, ~Copyable {
  private let file: OpenFile
  private var pending: [UInt8] = []

  init(creating path: String) throws(VaultError) {
    file = try OpenFile(creating: path)
  }

  mutating func write(_ bytes: RawSpan) throws(SinkError) {
    unsafe bytes.withUnsafeBytes { unsafe pending.append(contentsOf: $0) }
    if pending.count >= 1 << 20 { try flush() }
  }

  consuming func synchronize() throws {
    try flush()
    try file.synchronize()
  }

  private mutating func flush() throws(SinkError) {
    do throws(VaultError) {
      try file.write(pending)
    } catch {
      throw error.code == .diskFull ? .full : .unwritable
    }
    pending.removeAll(keepingCapacity: true)
  }
}

/// An attachment as the bundle's writer reads it.
struct AttachmentSource: ByteSource, ~Copyable {
  private let reader: BlobReader

  init(_ reader: consuming BlobReader) { self.reader = reader }

  var byteCount: UInt64 { reader.size }

  func read(at offset: UInt64, count: Int) throws(SourceError) -> [UInt8] {
    guard offset <= byteCount, UInt64(count) <= byteCount - offset else { throw .outOfBounds }
    do throws(VaultError) {
      return try reader.read(at: offset, count: count)
    } catch {
      throw error.code == .contentDamaged ? .notAuthentic : .unreadable
    }
  }
}

/// A file that was written, to be read back.
struct StoredSource: ByteSource, ~Copyable {
  private let file: OpenFile
  let byteCount: UInt64

  init(file: consuming OpenFile, byteCount: UInt64) {
    self.file = file
    self.byteCount = byteCount
  }

  func read(at offset: UInt64, count: Int) throws(SourceError) -> [UInt8] {
    guard offset <= byteCount, UInt64(count) <= byteCount - offset else { throw .outOfBounds }
    let bytes: [UInt8]
    do throws(VaultError) { bytes = try file.read(at: offset, count: count) } catch {
      throw .unreadable
    }
    guard bytes.count == count else { throw .unreadable }
    return bytes
  }
}
