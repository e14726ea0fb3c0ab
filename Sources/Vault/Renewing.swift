internal import CaseLog
internal import Cryptography
internal import GRDB
internal import VerifiableLog

/// What taking new keys did.
public struct RenewalOutcome: Hashable, Sendable {
  /// By name, in the order in which they began here; none where the vault needed no new keys.
  public let cases: [String]
  /// Cases in which as many other copies of this vault took new keys before as may: here they can be read,
  /// and written only once the root admits this device.
  public let casesNotRenewed: [String]
  /// Cards that were made and not used yet: whoever has the other copy has their keys too.
  public let cardsDropped: Int
}

extension OpenVault {
  /// Takes new keys in every case for a vault that was copied, restored or rolled back: its old ones sign
  /// nothing any more here, and it may write again. The old logs stay and can be read.
  ///
  /// Each case is one transaction. After a failure the vault still signs nothing, and this can be repeated.
  /// A vault in good standing is left as it is, unless its owner wants new keys all the same: for when somebody may
  /// have copied it together with its passphrase, and the old keys with it.
  ///
  /// - Throws: `.diskFull`, `.inputOutput`, `.databaseDamaged`.
  public func renew(evenIfSound: Bool = false) throws(VaultError) -> RenewalOutcome {
    guard standing != .sound || evenIfSound else {
      return RenewalOutcome(cases: [], casesNotRenewed: [], cardsDropped: 0)
    }
    let rows = try read { db in try CaseRow.all(db) }
    var renewed: [String] = []
    var rest: [String] = []
    for row in rows {
      let isCertified = try renewOne(row)
      if standing == .sound { try moveAnchor() }
      if isCertified { renewed.append(row.name) } else { rest.append(row.name) }
    }
    let dropped = try database.write { db in
      try db.execute(cached: "DELETE FROM vault_case WHERE case_id IS NULL")
      let count = db.changesCount
      try db.execute(cached: "DELETE FROM setting WHERE name = 'rolled-back'")
      return count
    }
    try settle()
    return RenewalOutcome(cases: renewed, casesNotRenewed: rest, cardsDropped: dropped)
  }

  func renewOne(_ row: CaseRow) throws(VaultError) -> Bool {
    try database.write { db in try KeyRenewal.run(db, of: row, keys: keys) }
  }
}

/// New keys of this device in one case (`Protocol/CaseLog.md`, "New keys for a device"), within one
/// transaction.
enum KeyRenewal {
  /// Whether the new keys are certified by the old ones. Of more copies of one vault than may count, the root
  /// admits the others; the old keys, which another copy has too, go in any case.
  static func run(_ db: Database, of row: CaseRow, keys: VaultKeys) throws -> Bool {
    let old = try DeviceKeys.load(db, case: row.ref, keys: keys)
    let device = NewDevice()
    let card = try device.card(role: row.role)
    let logID = card.logID(in: row.caseID)
    let succession = try Succession(
      decoding: Succession.sign(
        card, in: row.caseID, with: old.signing, and: SigningKey(seed: device.signingSeed)),
      caseID: row.caseID)
    let isCertified = try SuccessionTable.insert(db, succession, of: row)
    try LogTable.addLog(db, case: row.ref, logID: logID, key: card.signingKey)
    try Rewrapping.run(
      db, try unopened(db, of: row), with: old.box, to: card, logID: logID, case: row.ref)
    // The old seeds are overwritten: nothing here can sign with them again.
    try db.execute(
      cached: """
        UPDATE vault_case SET card = ?, log_id = ?, signing_seed = ?, receipt_seed = ?, box_seed = ?
        WHERE id = ?
        """,
      arguments: [
        card.bytes.data, logID.bytes.data, keys.seal(device.signingSeed).data,
        keys.seal(device.receiptSeed).data, keys.seal(device.boxSeed).data, row.ref,
      ])
    return isCertified
  }

  /// Epoch keys for the old keys of which the entry has not come yet: it alone tells whether they count.
  private static func unopened(_ db: Database, of row: CaseRow) throws -> [Wrap] {
    try Row.fetchAll(
      db,
      cached: """
        SELECT bytes FROM wrap w WHERE case_ref = ? AND NOT EXISTS
          (SELECT 1 FROM epoch e WHERE e.case_ref = w.case_ref AND e.epoch = w.epoch)
        """, arguments: [row.ref]
    ).map { try Wrap(decoding: $0.bytes("bytes")) }.filter { $0.recipient == row.logID }
  }
}
