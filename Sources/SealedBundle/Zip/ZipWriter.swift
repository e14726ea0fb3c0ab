internal import Cryptography

/// Why an archive was not written.
public enum ZipWriteError: Error, Hashable, Sendable {
  /// What is written could not be read.
  case source(SourceError)
  /// The archive could not be written.
  case sink(SinkError)
  /// A file is not what its size and checksum announced: it changed between the two readings.
  case changedWhileRead(BundlePath)
  /// Two names are one, or one is a folder of the other.
  case collidingNames
  /// There are more members than a reader would accept.
  case tooManyMembers
}

/// Writes a ZIP archive in one pass: every member stored, its size and CRC-32 known before it begins, so
/// there are no data descriptors and nothing is patched afterwards.
public struct ZipWriter<Sink: ByteSink & ~Copyable>: ~Copyable {
  private var sink: Sink
  private var offset: UInt64 = 0
  private var members: [ZipMember] = []

  /// A writer of a new archive.
  public init(_ sink: consuming Sink) { self.sink = sink }

  /// Adds a small file.
  public mutating func add(_ path: BundlePath, _ bytes: [UInt8]) throws(ZipWriteError) {
    let checksum = CRC32.checksum(bytes)
    try begin(path, byteCount: UInt64(bytes.count), crc32: checksum)
    try write(bytes)
  }

  /// Adds a file that is read as it is written.
  ///
  /// - Parameters:
  ///   - byteCount: its size, found in an earlier reading.
  ///   - crc32: its checksum, found likewise.
  public mutating func add(
    _ path: BundlePath, byteCount: UInt64, crc32: UInt32,
    from source: inout some ByteSource & ~Copyable
  ) throws(ZipWriteError) {
    guard source.byteCount == byteCount else { throw .changedWhileRead(path) }
    try begin(path, byteCount: byteCount, crc32: crc32)
    var crc = CRC32()
    try source.forEachChunk(in: 0..<byteCount, wrap: ZipWriteError.source) {
      (chunk) throws(ZipWriteError) in
      unsafe crc.update(chunk.span.bytes)
      try write(chunk)
    }
    guard crc.value == crc32 else { throw .changedWhileRead(path) }
  }

  /// Writes the directory and gives the sink back.
  public consuming func finish() throws(ZipWriteError) -> Sink {
    guard !BundlePath.collide(members.map { $0.path }) else { throw .collidingNames }
    let directoryOffset = offset
    for member in members { try write(ZipRecords.centralHeader(member)) }
    try write(
      ZipRecords.end(
        count: UInt64(members.count), directoryOffset: directoryOffset,
        directoryByteCount: offset - directoryOffset))
    return sink
  }

  private mutating func begin(_ path: BundlePath, byteCount: UInt64, crc32: UInt32)
    throws(ZipWriteError)
  {
    guard UInt64(members.count) < ZipRecords.mostMembers else { throw .tooManyMembers }
    let member = ZipMember(path: path, byteCount: byteCount, crc32: crc32, headerOffset: offset)
    members.append(member)
    try write(ZipRecords.localHeader(member))
  }

  private mutating func write(_ bytes: [UInt8]) throws(ZipWriteError) {
    do { try sink.write(bytes) } catch { throw .sink(error) }
    offset += UInt64(bytes.count)
  }
}
