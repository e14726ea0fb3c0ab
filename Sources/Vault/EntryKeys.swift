internal import CaseLog
internal import Cryptography
internal import GRDB
internal import VerifiableLog

/// Keys of entries, out of their slots.
enum EntryKeys {
  /// The key in a slot that was found valid.
  ///
  /// - Throws: `.entryLocked` if there is none.
  static func key(
    of leafRef: Int64, leaf: LeafData, logID: LogID, epochs: [LoadedEpoch], db: Database
  ) throws -> SecretKey {
    guard
      let key = try keyIfAny(of: leafRef, leaf: leaf, logID: logID, epochs: epochs, db: db)
    else { throw VaultError(.entryLocked) }
    return key
  }

  static func keyIfAny(
    of leafRef: Int64, leaf: LeafData, logID: LogID, epochs: [LoadedEpoch], db: Database
  ) throws -> SecretKey? {
    let slots = try Row.fetchAll(
      db, cached: "SELECT epoch, box FROM slot WHERE leaf_ref = ? AND is_valid = 1",
      arguments: [leafRef])
    for row in slots {
      let slot = Slot(
        logID: logID, sequence: leaf.sequence, epoch: try row.identifier("epoch"),
        box: row.bytes("box"))
      guard let epoch = epochs.first(where: { $0.key.id == slot.epoch }) else { continue }
      return try epoch.key.open(slot, leaf: leaf)
    }
    return nil
  }
}
