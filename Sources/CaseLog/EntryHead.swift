public import Cryptography
public import VerifiableLog

/// Part 0 of an entry: where it belongs. Disclosed whenever anything of the entry is, so that a leaf copied
/// into another log is worthless.
public struct EntryHeader: Hashable, Sendable {
  public let caseID: CaseID
  public let logID: LogID
  public let sequence: UInt64
  public let kind: EntryKind
  /// Parts of the entry in all, with this one.
  public let partCount: Int

  public init(caseID: CaseID, logID: LogID, sequence: UInt64, kind: EntryKind, partCount: Int) {
    self.caseID = caseID
    self.logID = logID
    self.sequence = sequence
    self.kind = kind
    self.partCount = partCount
  }

  public init(decoding bytes: [UInt8]) throws(CaseLogError) {
    self = try decodeWhole(bytes) { (decoder) throws(CBORError) in
      try decoder.readMap(count: 5)
      try decoder.expectKey(0)
      let caseID = try decoder.readIdentifier(CaseID.self)
      try decoder.expectKey(1)
      let logID = try decoder.readIdentifier(LogID.self)
      try decoder.expectKey(2)
      let sequence = try decoder.readUInt()
      try decoder.expectKey(3)
      let kind = EntryKind(code: try decoder.readUInt())
      try decoder.expectKey(4)
      let count = try decoder.readUInt()
      guard (2...UInt64(Limits.partsOfEntry)).contains(count) else { return nil }
      return EntryHeader(
        caseID: caseID, logID: logID, sequence: sequence, kind: kind, partCount: Int(count))
    }
  }

  public var encoded: [UInt8] {
    var out = CBOREncoder()
    out.encodeMap(count: 5)
    out.encodeUInt(0)
    out.encodeIdentifier(caseID)
    out.encodeUInt(1)
    out.encodeIdentifier(logID)
    out.encodeUInt(2)
    out.encodeUInt(sequence)
    out.encodeUInt(3)
    out.encodeUInt(kind.code)
    out.encodeUInt(4)
    out.encodeUInt(UInt64(partCount))
    return out.bytes
  }
}

/// How far a log had grown when its reader looked.
public struct LogPosition: Hashable, Sendable {
  public let logID: LogID
  public let size: UInt64
  public let root: Bytes32

  public init(logID: LogID, size: UInt64, root: Bytes32) {
    self.logID = logID
    self.size = size
    self.root = root
  }
}

/// Logs as far as somebody had seen them, as CBOR [[log id, size, root], …]: in an entry, in the hash of a state and
/// in the rows of a vault's view.
package enum Frontier {
  package static func encode(_ positions: [LogPosition]) -> [UInt8] {
    var out = CBOREncoder()
    encode(positions, to: &out)
    return out.bytes
  }

  static func encode(_ positions: [LogPosition], to out: inout CBOREncoder) {
    out.encodeArray(positions) { out, position in
      out.encodeArray(count: 3)
      out.encodeIdentifier(position.logID)
      out.encodeUInt(position.size)
      out.encodeBytes32(position.root)
    }
  }

  package static func decode(_ bytes: [UInt8]) throws(CaseLogError) -> [LogPosition] {
    try decodeWhole(bytes) { (decoder) throws(CBORError) in try decode(&decoder) }
  }

  static func decode(_ decoder: inout CBORDecoder) throws(CBORError) -> [LogPosition] {
    try decoder.readEach(max: Limits.members) { (decoder) throws(CBORError) in
      try decoder.readArray(count: 3)
      return LogPosition(
        logID: try decoder.readIdentifier(), size: try decoder.readUInt(),
        root: try decoder.readBytes32())
    }
  }
}

/// Part 1 of an entry: what the device that wrote it knew.
public struct EntryContext: Hashable, Sendable {
  /// Seconds since 1970 by the device's clock: a claim.
  public let clock: UInt64
  /// Other logs that grew since the device's last entry, by log id.
  public let frontier: [LogPosition]
  /// Receipts not embedded before, each a C2SP note with one cosignature: the entry is younger than these.
  public let receipts: [[UInt8]]

  public init(clock: UInt64, frontier: [LogPosition] = [], receipts: [[UInt8]] = []) {
    self.clock = clock
    self.frontier = frontier
    self.receipts = receipts
  }

  public init(decoding bytes: [UInt8]) throws(CaseLogError) {
    self = try decodeWhole(bytes) { (decoder) throws(CBORError) in
      try decoder.readMap(count: 3)
      try decoder.expectKey(0)
      let clock = try decoder.readUInt()
      try decoder.expectKey(1)
      let frontier = try Frontier.decode(&decoder)
      try decoder.expectKey(2)
      let receipts = try decoder.readEach(max: Limits.members) { (decoder) throws(CBORError) in
        try decoder.readBytes(max: Limits.note)
      }
      for (left, right) in zip(frontier, frontier.dropFirst()) where left.logID >= right.logID {
        return nil
      }
      return EntryContext(clock: clock, frontier: frontier, receipts: receipts)
    }
  }

  public var encoded: [UInt8] {
    var out = CBOREncoder()
    out.encodeMap(count: 3)
    out.encodeUInt(0)
    out.encodeUInt(clock)
    out.encodeUInt(1)
    Frontier.encode(frontier, to: &out)
    out.encodeUInt(2)
    out.encodeArray(count: receipts.count)
    for receipt in receipts { out.encodeBytes(receipt) }
    return out.bytes
  }
}
