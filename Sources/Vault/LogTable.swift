internal import CaseLog
internal import Cryptography
internal import GRDB
internal import VerifiableLog

/// The rows of logs: sizes, trees and checkpoints.
enum LogTable {
  /// A log of which nothing is known yet but its key.
  static func addLog(
    _ db: Database, case ref: Int64, logID: LogID, key: VerifyingKey
  ) throws {
    let empty = CompactRange()
    try db.execute(
      cached: """
        INSERT OR IGNORE INTO log(case_ref, log_id, signing_key, size, root, frontier)
        VALUES (?, ?, ?, 0, ?, ?)
        """,
      arguments: [
        ref, logID.bytes.data, key.bytes.data, empty.root.bytes.data, empty.encoded.data,
      ])
  }
}

extension CompactRange {
  init(row: Row) throws {
    let bytes = row.bytes("frontier")
    guard bytes.count % Bytes32.byteCount == 0 else { throw VaultError(.databaseDamaged) }
    do {
      self = try CompactRange(size: row.number("size"), hashes: Bytes32.list(bytes))
    } catch {
      throw VaultError(.databaseDamaged)
    }
  }

  /// The hashes, joined; the size stands beside them.
  var encoded: [UInt8] { hashes.flatMap(\.bytes) }
}

/// The frontier of a control entry in a row of the view: CBOR [[log id, size, root], …].
enum Frontier {
  static func encode(_ positions: [LogPosition]) -> [UInt8] {
    var out = CBOREncoder()
    out.encodeArray(positions) { out, position in
      out.encodeArray(count: 3)
      out.encodeIdentifier(position.logID)
      out.encodeUInt(position.size)
      out.encodeBytes32(position.root)
    }
    return out.bytes
  }

  static func decode(_ bytes: [UInt8]) throws -> [LogPosition] {
    var decoder = CBORDecoder(bytes)
    var positions: [LogPosition] = []
    for _ in 0..<(try decoder.readArray(max: Limits.members)) {
      try decoder.readArray(count: 3)
      positions.append(
        LogPosition(
          logID: try decoder.readIdentifier(), size: try decoder.readUInt(),
          root: try decoder.readBytes32()))
    }
    try decoder.finish()
    return positions
  }
}
