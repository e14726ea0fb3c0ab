internal import SealedBundle

/// Sees what an export reads, and keeps why it ended: sources and sinks have no words for that.
final class ExportWatch {
  private let onBytes: (Int) throws(VaultError) -> Void
  /// The first thing that went wrong, or that somebody wanted to stop.
  private(set) var failure: VaultError?

  init(_ onBytes: @escaping (Int) throws(VaultError) -> Void) { self.onBytes = onBytes }

  func note(_ error: VaultError) { failure = failure ?? error }

  /// Tells of bytes that are read.
  ///
  /// - Throws: `.unreadable` when the work is to stop.
  func pass(_ count: Int) throws(SourceError) {
    do throws(VaultError) { try onBytes(count) } catch {
      note(error)
      throw .unreadable
    }
  }
}

/// A new file as the place where a bundle goes. Small writes are gathered.
struct FileSink: ByteSink, ~Copyable {
  private let file: OpenFile
  private let watch: ExportWatch
  private var pending: [UInt8] = []

  init(creating path: String, watch: ExportWatch) throws(VaultError) {
    file = try OpenFile(creating: path)
    self.watch = watch
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
      watch.note(error)
      throw error.code == .diskFull ? .full : .unwritable
    }
    pending.removeAll(keepingCapacity: true)
  }
}

/// An attachment as the bundle's writer reads it.
struct AttachmentSource: ByteSource, ~Copyable {
  private let reader: BlobReader
  private let watch: ExportWatch

  init(_ reader: consuming BlobReader, watch: ExportWatch) {
    self.reader = reader
    self.watch = watch
  }

  var byteCount: UInt64 { reader.size }

  func read(at offset: UInt64, count: Int) throws(SourceError) -> [UInt8] {
    guard offset <= byteCount, UInt64(count) <= byteCount - offset else { throw .outOfBounds }
    try watch.pass(count)
    do throws(VaultError) {
      return try reader.read(at: offset, count: count)
    } catch {
      watch.note(error)
      throw error.code == .contentDamaged ? .notAuthentic : .unreadable
    }
  }
}

/// A file that was written, to be read back.
struct StoredSource: ByteSource, ~Copyable {
  private let file: OpenFile
  private let watch: ExportWatch
  let byteCount: UInt64

  init(file: consuming OpenFile, byteCount: UInt64, watch: ExportWatch) {
    self.file = file
    self.byteCount = byteCount
    self.watch = watch
  }

  func read(at offset: UInt64, count: Int) throws(SourceError) -> [UInt8] {
    guard offset <= byteCount, UInt64(count) <= byteCount - offset else { throw .outOfBounds }
    try watch.pass(count)
    let bytes: [UInt8]
    do throws(VaultError) { bytes = try file.read(at: offset, count: count) } catch {
      watch.note(error)
      throw .unreadable
    }
    guard bytes.count == count else { throw .unreadable }
    return bytes
  }
}
