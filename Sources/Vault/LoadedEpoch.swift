internal import CaseLog
internal import Cryptography
internal import GRDB
internal import VerifiableLog

/// An epoch key in use, for collections, which cannot hold it bare.
final class LoadedEpoch: Sendable {
  let key: EpochKey
  init(_ key: consuming EpochKey) { self.key = key }

  /// All that this device holds of a case, newest last.
  static func all(
    _ db: Database, of row: CaseRow, keys: VaultKeys
  ) throws -> [LoadedEpoch] {
    let rows = try Row.fetchAll(
      db, cached: "SELECT epoch, audience, sealed_key FROM epoch WHERE case_ref = ? ORDER BY rowid",
      arguments: [row.ref])
    return try rows.map { epoch in
      LoadedEpoch(
        EpochKey(
          id: try epoch.identifier("epoch"), caseID: row.caseID,
          audience: try Audience(decoding: epoch.bytes("audience")),
          key: try keys.open(epoch.bytes("sealed_key"))))
    }
  }
}
