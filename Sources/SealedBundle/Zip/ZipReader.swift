internal import Cryptography

/// Why an archive is not one of ours.
public enum ZipError: Error, Hashable, Sendable {
  /// It could not be read.
  case source(SourceError)
  /// There is no end record in the last 22 bytes: another format, a comment, or bytes after the end.
  case noEndRecord
  /// The end records contradict each other or the profile.
  case badEndRecord
  /// More members than a reader accepts.
  case tooManyMembers
  /// A header of the directory is not what the profile makes of its own fields.
  case badDirectory
  /// A name that the profile does not allow.
  case badName
  /// Two names are one on some system, or one is a folder of the other.
  case collidingNames
  /// Members leave a gap, overlap, are out of order, or do not begin at the first byte.
  case badLayout
  /// A local header says something else than the directory.
  case headersDiffer(BundlePath)
  /// The content does not have the checksum that both headers give.
  case badChecksum(BundlePath)
  /// A member is larger than what its reader is prepared for.
  case memberTooLarge(BundlePath)
}

/// Opens a ZIP archive of the strict profile, and nothing else.
///
/// Two programs that read the same archive differently are how one file shows two contents. Here each
/// byte outside the members' contents is determined by their names, sizes and checksums, and compared.
public struct ZipReader<Source: ByteSource & ~Copyable>: ~Copyable {
  private var source: Source

  /// All members, in the order in which they lie.
  public let members: [ZipMember]
  private let byPath: [Int]

  /// Reads the directory and every local header.
  public init(_ source: consuming Source) throws(ZipError) {
    let end = try ZipEnd(readingFrom: &source)
    var members: [ZipMember] = []
    var position: UInt64 = 0
    try ZipReader.forEachHeader(end, &source) { (member) throws(ZipError) in
      guard member.headerOffset == position else { throw .badLayout }
      let (after, overflow) = position.addingReportingOverflow(member.byteCount)
      let header = UInt64(ZipRecords.localHeader(member).count)
      guard !overflow, after <= end.directoryOffset, header <= end.directoryOffset - after else {
        throw .badLayout
      }
      position = after + header
      members.append(member)
    }
    guard position == end.directoryOffset else { throw .badLayout }
    guard !BundlePath.collide(members.map { $0.path }) else { throw .collidingNames }
    for member in members {
      let expected = ZipRecords.localHeader(member)
      guard try source.take(at: member.headerOffset, count: expected.count) == expected else {
        throw .headersDiffer(member.path)
      }
    }
    self.byPath = members.indices.sorted { members[$0].path < members[$1].path }
    self.members = members
    self.source = source
  }

  /// The member of this name.
  public func member(_ path: BundlePath) -> ZipMember? {
    var low = 0
    var high = byPath.count
    while low < high {
      let middle = (low + high) / 2
      if members[byPath[middle]].path < path { low = middle + 1 } else { high = middle }
    }
    guard low < byPath.count, members[byPath[low]].path == path else { return nil }
    return members[byPath[low]]
  }

  /// The whole content of a small member.
  ///
  /// - Parameter limit: the most bytes that the caller is prepared for.
  public mutating func read(_ member: ZipMember, limit: UInt64) throws(ZipError) -> [UInt8] {
    guard member.byteCount <= limit, let count = Int(exactly: member.byteCount) else {
      throw .memberTooLarge(member.path)
    }
    let bytes = try source.take(at: member.content.lowerBound, count: count)
    guard CRC32.checksum(bytes) == member.crc32 else { throw .badChecksum(member.path) }
    return bytes
  }

  /// Reads a member of any size through, in pieces; throws at the end if the checksum is another.
  public mutating func forEachChunk<Failure: Error>(
    of member: ZipMember, wrap: (ZipError) -> Failure, _ body: ([UInt8]) throws(Failure) -> Void
  ) throws(Failure) {
    var crc = CRC32()
    func wrapped(_ error: SourceError) -> Failure { wrap(.source(error)) }
    try source.forEachChunk(in: member.content, wrap: wrapped) {
      (chunk) throws(Failure) in
      unsafe crc.update(chunk.span.bytes)
      try body(chunk)
    }
    guard crc.value == member.crc32 else { throw wrap(.badChecksum(member.path)) }
  }

  /// Walks the directory, one window of it in memory at a time.
  private static func forEachHeader(
    _ end: ZipEnd, _ source: inout Source, _ body: (ZipMember) throws(ZipError) -> Void
  ) throws(ZipError) {
    var offset = end.directoryOffset
    let limit = end.directoryOffset + end.directoryByteCount
    var window: [UInt8] = []
    var used = 0
    for _ in 0..<end.count {
      let longest =
        ZipRecords.centralFixedByteCount + BundlePath.longestByteCount
        + ZipRecords.longestExtraByteCount
      if window.count - used < longest {
        let readSoFar = offset + UInt64(window.count - used)
        let more = Int(min(UInt64(streamChunkByteCount), limit - readSoFar))
        window = try [UInt8](window[used...]) + source.take(at: readSoFar, count: more)
        used = 0
      }
      let (member, length) = try parseHeader(window, at: used)
      try body(member)
      used += length
      offset += UInt64(length)
    }
    guard offset == limit else { throw .badDirectory }
  }

  private static func parseHeader(_ window: [UInt8], at start: Int) throws(ZipError)
    -> (ZipMember, length: Int)
  {
    let fixed = ZipRecords.centralFixedByteCount
    guard window.count - start >= fixed else { throw .badDirectory }
    func field(_ offset: Int, _ count: Int) -> UInt64 {
      window.littleEndian(at: start + offset, count: count)
    }
    let nameCount = Int(field(28, 2))
    let extraCount = Int(field(30, 2))
    let length = fixed + nameCount + extraCount
    guard extraCount <= ZipRecords.longestExtraByteCount, window.count - start >= length else {
      throw .badDirectory
    }
    let nameStart = start + fixed
    guard let path = BundlePath([UInt8](window[nameStart..<(nameStart + nameCount)])) else {
      throw .badName
    }
    // What a saturated field means stands in the extra field, in this order; that it stands there in
    // this form and no other is left to the comparison below.
    var extra = nameStart + nameCount + 4
    func wide(_ value: UInt64, skipping skipped: Int = 0) throws(ZipError) -> UInt64 {
      guard value == ZipRecords.saturated32 else { return value }
      guard extra + 8 + skipped <= start + length else { throw .badDirectory }
      defer { extra += 8 + skipped }
      return window.littleEndian(at: extra, count: 8)
    }
    let byteCount = try wide(field(24, 4), skipping: 8)
    let headerOffset = try wide(field(42, 4))
    let member = ZipMember(
      path: path, byteCount: byteCount, crc32: UInt32(truncatingIfNeeded: field(16, 4)),
      headerOffset: headerOffset)
    guard window[start..<(start + length)].elementsEqual(ZipRecords.centralHeader(member)) else {
      throw .badDirectory
    }
    return (member, length)
  }
}

/// What the records at the end say: where the directory lies and how much is in it.
struct ZipEnd {
  let count: UInt64
  let directoryOffset: UInt64
  let directoryByteCount: UInt64

  init(readingFrom source: inout some ByteSource & ~Copyable) throws(ZipError) {
    let size = source.byteCount
    guard size >= UInt64(ZipRecords.endByteCount) else { throw .noEndRecord }
    let tailByteCount = Int(
      min(
        size,
        UInt64(ZipRecords.endByteCount + ZipRecords.locatorByteCount + ZipRecords.end64ByteCount)))
    let tail = try source.take(at: size - UInt64(tailByteCount), count: tailByteCount)
    let end = tail.count - ZipRecords.endByteCount
    guard tail.littleEndian(at: end, count: 4) == UInt64(ZipRecords.endSignature) else {
      throw .noEndRecord
    }
    var count = tail.littleEndian(at: end + 10, count: 2)
    var directoryByteCount = tail.littleEndian(at: end + 12, count: 4)
    var directoryOffset = tail.littleEndian(at: end + 16, count: 4)
    if count == ZipRecords.saturated16 || directoryByteCount == ZipRecords.saturated32
      || directoryOffset == ZipRecords.saturated32
    {
      guard end == ZipRecords.end64ByteCount + ZipRecords.locatorByteCount else {
        throw .badEndRecord
      }
      count = tail.littleEndian(at: 32, count: 8)
      directoryByteCount = tail.littleEndian(at: 40, count: 8)
      directoryOffset = tail.littleEndian(at: 48, count: 8)
    }
    guard count <= ZipRecords.mostMembers else { throw .tooManyMembers }
    guard directoryOffset <= size, directoryByteCount <= size - directoryOffset else {
      throw .badEndRecord
    }
    let expected = ZipRecords.end(
      count: count, directoryOffset: directoryOffset, directoryByteCount: directoryByteCount)
    guard directoryOffset + directoryByteCount + UInt64(expected.count) == size,
      tail.suffix(expected.count).elementsEqual(expected)
    else { throw .badEndRecord }
    self.count = count
    self.directoryOffset = directoryOffset
    self.directoryByteCount = directoryByteCount
  }
}

extension ByteSource where Self: ~Copyable {
  fileprivate mutating func take(at offset: UInt64, count: Int) throws(ZipError) -> [UInt8] {
    let bytes: [UInt8]
    do { bytes = try read(at: offset, count: count) } catch { throw .source(error) }
    guard bytes.count == count else { throw .source(.unreadable) }
    return bytes
  }
}
