/// One file of an archive, as both of its headers describe it.
public struct ZipMember: Hashable, Sendable {
  /// Its name.
  public let path: BundlePath
  /// Its size; stored and original are one.
  public let byteCount: UInt64
  /// The CRC-32 of its content.
  public let crc32: UInt32
  /// Where its local header begins.
  package let headerOffset: UInt64

  /// Where its content lies.
  package var content: Range<UInt64> {
    let start = headerOffset + UInt64(ZipRecords.localHeader(self).count)
    return start..<(start + byteCount)
  }
}

/// The exact bytes of every record, as a function of what it says.
///
/// Writer and reader both use it: the writer to write, the reader to compare. So whatever the profile
/// leaves no choice about cannot hide anything: not a flag, a time, a comment or an extra field.
package enum ZipRecords {
  package static let localSignature: UInt32 = 0x0403_4B50
  package static let centralSignature: UInt32 = 0x0201_4B50
  package static let endSignature: UInt32 = 0x0605_4B50
  package static let end64Signature: UInt32 = 0x0606_4B50
  package static let locatorSignature: UInt32 = 0x0706_4B50

  package static let endByteCount = 22
  package static let end64ByteCount = 56
  package static let locatorByteCount = 20
  package static let centralFixedByteCount = 46
  package static let longestExtraByteCount = 28

  /// A 32-bit field with this value says "look into the ZIP64 field", so it cannot be a size itself.
  package static let saturated32 = UInt64(UInt32.max)
  package static let saturated16 = UInt64(UInt16.max)

  /// The most members, 2^20: bounds the reader's memory.
  package static let mostMembers: UInt64 = 1 << 20

  /// 1980-01-01, the earliest date of the format.
  private static let date: UInt16 = 0x0021
  private static let plainVersion: UInt16 = 10
  private static let zip64Version: UInt16 = 45

  package static func localHeader(_ member: ZipMember) -> [UInt8] {
    let isLarge = member.byteCount >= saturated32
    var extra: [UInt8] = []
    if isLarge {
      extra.appendLittleEndian(UInt16(1))
      extra.appendLittleEndian(UInt16(16))
      extra.appendLittleEndian(member.byteCount)
      extra.appendLittleEndian(member.byteCount)
    }
    var record: [UInt8] = []
    record.appendLittleEndian(localSignature)
    record.appendLittleEndian(isLarge ? zip64Version : plainVersion)
    appendCommon(member, extraCount: extra.count, to: &record)
    record += member.path.ascii
    record += extra
    return record
  }

  package static func centralHeader(_ member: ZipMember) -> [UInt8] {
    var fields: [UInt8] = []
    if member.byteCount >= saturated32 {
      fields.appendLittleEndian(member.byteCount)
      fields.appendLittleEndian(member.byteCount)
    }
    if member.headerOffset >= saturated32 { fields.appendLittleEndian(member.headerOffset) }
    var extra: [UInt8] = []
    if !fields.isEmpty {
      extra.appendLittleEndian(UInt16(1))
      extra.appendLittleEndian(UInt16(fields.count))
      extra += fields
    }
    let version = extra.isEmpty ? plainVersion : zip64Version
    var record: [UInt8] = []
    record.appendLittleEndian(centralSignature)
    record.appendLittleEndian(version)
    record.appendLittleEndian(version)
    appendCommon(member, extraCount: extra.count, to: &record)
    record.appendLittleEndian(UInt16(0))  // comment
    record.appendLittleEndian(UInt16(0))  // disk
    record.appendLittleEndian(UInt16(0))  // internal attributes
    record.appendLittleEndian(UInt32(0))  // external attributes
    record.appendLittleEndian(UInt32(truncatingIfNeeded: min(member.headerOffset, saturated32)))
    record += member.path.ascii
    record += extra
    return record
  }

  /// Everything after the last central header.
  package static func end(count: UInt64, directoryOffset: UInt64, directoryByteCount: UInt64)
    -> [UInt8]
  {
    var record: [UInt8] = []
    if count >= saturated16 || directoryOffset >= saturated32 || directoryByteCount >= saturated32 {
      record.appendLittleEndian(end64Signature)
      record.appendLittleEndian(UInt64(end64ByteCount - 12))
      record.appendLittleEndian(zip64Version)
      record.appendLittleEndian(zip64Version)
      record.appendLittleEndian(UInt64(0))  // this disk, disk of the directory
      record.appendLittleEndian(count)
      record.appendLittleEndian(count)
      record.appendLittleEndian(directoryByteCount)
      record.appendLittleEndian(directoryOffset)
      record.appendLittleEndian(locatorSignature)
      record.appendLittleEndian(UInt32(0))
      record.appendLittleEndian(directoryOffset + directoryByteCount)
      record.appendLittleEndian(UInt32(1))
    }
    record.appendLittleEndian(endSignature)
    record.appendLittleEndian(UInt32(0))  // this disk, disk of the directory
    record.appendLittleEndian(UInt16(truncatingIfNeeded: min(count, saturated16)))
    record.appendLittleEndian(UInt16(truncatingIfNeeded: min(count, saturated16)))
    record.appendLittleEndian(UInt32(truncatingIfNeeded: min(directoryByteCount, saturated32)))
    record.appendLittleEndian(UInt32(truncatingIfNeeded: min(directoryOffset, saturated32)))
    record.appendLittleEndian(UInt16(0))  // comment
    return record
  }

  /// The fields that both headers have in the same order.
  private static func appendCommon(_ member: ZipMember, extraCount: Int, to record: inout [UInt8]) {
    let size = UInt32(truncatingIfNeeded: min(member.byteCount, saturated32))
    record.appendLittleEndian(UInt16(0))  // flags
    record.appendLittleEndian(UInt16(0))  // method: stored
    record.appendLittleEndian(UInt16(0))  // time
    record.appendLittleEndian(date)
    record.appendLittleEndian(member.crc32)
    record.appendLittleEndian(size)
    record.appendLittleEndian(size)
    record.appendLittleEndian(UInt16(member.path.ascii.count))
    record.appendLittleEndian(UInt16(extraCount))
  }
}

extension [UInt8] {
  package mutating func appendLittleEndian(_ value: some FixedWidthInteger & UnsignedInteger) {
    var rest = value
    for _ in 0..<(value.bitWidth / 8) {
      append(UInt8(truncatingIfNeeded: rest))
      rest >>= 8
    }
  }
}

extension [UInt8] {
  /// The little-endian number of `count` bytes from `offset`. The caller has checked the length.
  package func littleEndian(at offset: Int, count: Int) -> UInt64 {
    var value: UInt64 = 0
    for index in stride(from: offset + count - 1, through: offset, by: -1) {
      value = value << 8 | UInt64(self[index])
    }
    return value
  }
}
