package import CaseLog
internal import Cryptography
package import VerifiableLog

/// `proof/case.cbor`: who exports what of which case.
package struct CaseFile: Hashable, Sendable {
  package struct Log: Hashable, Sendable {
    package let identity: LogIdentity
    package let size: UInt64
  }

  package struct Exhibit: Hashable, Sendable {
    package let logIndex: Int
    package let sequence: UInt64
    package let file: UInt64
    package let path: BundlePath
  }

  package let caseID: CaseID
  package let statements: [[UInt8]]
  package let exporter: LogID
  package let exportedAt: UInt64
  package let scope: BundleScope
  /// Every admitted log, by log id.
  package let logs: [Log]
  /// By path.
  package let exhibits: [Exhibit]
  package let program: String
  /// Certificates of new keys, as received.
  package let successions: [[UInt8]]
  /// Proofs of forks, as received.
  package let forks: [[UInt8]]

  package static let version: UInt64 = 1
  /// More than the CBOR of all that the limits of a case allow.
  package static let longestByteCount: UInt64 = 32 << 20
  private static let longestProgramByteCount = 200

  package var encoded: [UInt8] {
    var out = CBOREncoder()
    out.encodeMap { map in
      map.field(0) { $0.encodeUInt(CaseFile.version) }
      map.field(1) { $0.encodeIdentifier(caseID) }
      map.field(2) { $0.encodeArray(statements) { $0.encodeBytes($1) } }
      map.field(3) { $0.encodeIdentifier(exporter) }
      map.field(4) { $0.encodeUInt(exportedAt) }
      map.field(5) { $0.encodeUInt(scope.rawValue) }
      map.field(6) {
        $0.encodeArray(logs) { out, log in
          out.encodeArray(count: 3)
          out.encodeIdentifier(log.identity.id)
          out.encodeBytes(log.identity.key.bytes)
          out.encodeUInt(log.size)
        }
      }
      map.field(7) {
        $0.encodeArray(exhibits) { out, exhibit in
          out.encodeArray(count: 4)
          out.encodeUInt(UInt64(exhibit.logIndex))
          out.encodeUInt(exhibit.sequence)
          out.encodeUInt(exhibit.file)
          out.encodeText(exhibit.path.text)
        }
      }
      map.field(8) { $0.encodeText(program) }
      map.field(9) { $0.encodeArray(successions) { $0.encodeBytes($1) } }
      map.field(10) { $0.encodeArray(forks) { $0.encodeBytes($1) } }
    }
    return out.bytes
  }
}

/// How much of a case a bundle holds.
public enum BundleScope: UInt64, Sendable {
  /// All that the exporter can open.
  case wholeCase = 0
  /// Entries that the exporter chose.
  case chosenEntries = 1
}

// MARK: - Decoding

extension CaseFile {
  package init(decoding bytes: [UInt8]) throws(BundleFinding) {
    try CaseFile.checkVersion(of: bytes)
    self = try decodeProof(bytes, BundleLayout.caseFile, limit: CaseFile.longestByteCount) {
      (decoder) throws(CBORError) -> Self? in
      try CaseFile.decode(&decoder)
    }
  }

  /// A later version may have other fields and files, so nothing else is looked at before this.
  static func checkVersion(of bytes: [UInt8]) throws(BundleFinding) {
    let path = BundleLayout.caseFile
    let version = try decodeProof(bytes, path, limit: longestByteCount, isWhole: false) {
      (decoder) throws(CBORError) -> UInt64? in
      guard try decoder.readMap(max: 64) > 0, try decoder.readUInt() == 0 else { return nil }
      return try decoder.readUInt()
    }
    guard version == CaseFile.version else { throw BundleFinding(.newerVersion, path: path) }
  }

  private static func decode(_ decoder: inout CBORDecoder) throws(CBORError) -> CaseFile? {
    try decoder.readMap(count: 11)
    try decoder.expect(key: 0)
    _ = try decoder.readUInt()
    try decoder.expect(key: 1)
    let caseID: CaseID = try decoder.readIdentifier()
    try decoder.expect(key: 2)
    var statements: [[UInt8]] = []
    for _ in 0..<(try decoder.readArray(max: Limits.statements)) {
      statements.append(try decoder.readBytes(max: Limits.statement))
    }
    try decoder.expect(key: 3)
    let exporter: LogID = try decoder.readIdentifier()
    try decoder.expect(key: 4)
    let exportedAt = try decoder.readUInt()
    try decoder.expect(key: 5)
    guard let scope = BundleScope(rawValue: try decoder.readUInt()) else { return nil }
    try decoder.expect(key: 6)
    guard let logs = try decodeLogs(&decoder, caseID) else { return nil }
    try decoder.expect(key: 7)
    guard let exhibits = try decodeExhibits(&decoder, logCount: logs.count) else { return nil }
    try decoder.expect(key: 8)
    let program = try decoder.readText(max: longestProgramByteCount)
    try decoder.expect(key: 9)
    let successions = try decodeRecords(&decoder, longest: Limits.statement)
    try decoder.expect(key: 10)
    let forks = try decodeRecords(&decoder, longest: BundleLimits.forkByteCount)
    return CaseFile(
      caseID: caseID, statements: statements, exporter: exporter, exportedAt: exportedAt,
      scope: scope, logs: logs, exhibits: exhibits, program: program, successions: successions,
      forks: forks)
  }

  /// Byte strings that are formats of their own.
  private static func decodeRecords(_ decoder: inout CBORDecoder, longest: Int)
    throws(CBORError) -> [[UInt8]]
  {
    var records: [[UInt8]] = []
    for _ in 0..<(try decoder.readArray(max: Limits.members)) {
      records.append(try decoder.readBytes(max: longest))
    }
    return records
  }

  private static func decodeLogs(_ decoder: inout CBORDecoder, _ caseID: CaseID)
    throws(CBORError) -> [Log]?
  {
    var logs: [Log] = []
    for _ in 0..<(try decoder.readArray(max: Limits.members)) {
      try decoder.readArray(count: 3)
      let id: LogID = try decoder.readIdentifier()
      let keyBytes = try decoder.readBytes(count: Bytes32.byteCount)
      let size = try decoder.readUInt()
      let key: VerifyingKey
      do { key = try VerifyingKey(keyBytes) } catch { return nil }
      let identity = LogIdentity(caseID: caseID.raw, key: key)
      guard identity.id == id, size <= BundleLimits.leavesOfLog else { return nil }
      if let last = logs.last, last.identity.id >= id { return nil }
      logs.append(Log(identity: identity, size: size))
    }
    return logs
  }

  private static func decodeExhibits(_ decoder: inout CBORDecoder, logCount: Int)
    throws(CBORError) -> [Exhibit]?
  {
    var exhibits: [Exhibit] = []
    for _ in 0..<(try decoder.readArray(max: BundleLimits.exhibits)) {
      try decoder.readArray(count: 4)
      let logIndex = try decoder.readUInt()
      let sequence = try decoder.readUInt()
      let file = try decoder.readUInt()
      let name = try decoder.readText(max: BundlePath.longestByteCount)
      guard logIndex < UInt64(logCount), let path = BundlePath(Array(name.utf8)) else { return nil }
      if let last = exhibits.last, last.path >= path { return nil }
      exhibits.append(
        Exhibit(logIndex: Int(logIndex), sequence: sequence, file: file, path: path))
    }
    return exhibits
  }
}

/// Limits that only bundles have. Those of a case are CaseLog's.
package enum BundleLimits {
  /// Leaves of one log: 78 MB of them, kept in memory with their tree.
  package static let leavesOfLog = Limits.entriesOfLog
  /// Files of exhibits in one bundle.
  package static let exhibits = 1 << 20
  /// Bytes of the disclosed entries of one log.
  package static let entriesByteCount: UInt64 = 1 << 28
  /// Bytes of a manifest: a line for each of the most members.
  package static let manifestByteCount: UInt64 = 1 << 28
  /// Bytes of one note: a checkpoint with 64 signatures.
  package static let noteByteCount: UInt64 = 16 << 10
  /// Bytes of a proof of a fork.
  package static let forkByteCount = 8 << 10
  /// Receipts over other checkpoints.
  package static let receipts = 1 << 16
}

/// Decodes exactly one item of a file of the proof; nil from `body` means that its values make no sense.
func decodeProof<Value>(
  _ bytes: [UInt8], _ path: BundlePath, limit: UInt64, isWhole: Bool = true,
  _ body: (inout CBORDecoder) throws(CBORError) -> Value?
) throws(BundleFinding) -> Value {
  var decoder = CBORDecoder(bytes, limits: CBORLimits(maximumByteCount: Int(limit)))
  let value: Value?
  do throws(CBORError) {
    value = try body(&decoder)
    if isWhole { try decoder.finish() }
  } catch {
    throw BundleFinding(.proofMalformed, path: path)
  }
  guard let value else { throw BundleFinding(.proofMalformed, path: path) }
  return value
}

extension CBORDecoder {
  /// The next key of a record.
  mutating func expect(key: UInt64) throws(CBORError) {
    guard try readUInt() == key else { throw .outOfRange }
  }
}
