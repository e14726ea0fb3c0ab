internal import CaseLog
internal import Cryptography
internal import GRDB
internal import VerifiableLog

/// Who meets in a mailbox.
public enum MailboxAudience: Hashable, Sendable {
  /// All members: what was not shared goes there as leaves alone.
  case everyone
  /// The survivor's own devices: everything goes there.
  case ownDevices

  /// As the tables of the vault number them.
  var number: Int64 { self == .everyone ? 0 : 1 }
}

/// Tells of the entries of one log which may go into a mailbox with their ciphertext.
///
/// What only the survivor's own devices may open never goes where others meet. That an entry is shared is
/// believed of a slot that was opened, or opens: anybody may have put one there that does not.
struct EntryPrivacy {
  private let log: LogID
  private let epochs: [LoadedEpoch]
  private let mayBePrivate: Bool

  init(
    _ db: Database, of row: CaseRow, log: LogID, in audience: MailboxAudience, keys: VaultKeys
  ) throws {
    self.log = log
    // What an advocate holds she has from where others meet, and what she wrote is no secret there.
    mayBePrivate =
      try audience == .everyone && row.role == .survivor
      && CaseView.state(db, of: row).member(log)?.role == .survivor
    epochs = mayBePrivate ? try LoadedEpoch.all(db, of: row, keys: keys) : []
  }

  /// - Parameter leafRef: the row of the leaf.
  func maySend(_ leaf: LeafData, _ leafRef: Int64, _ db: Database) throws -> Bool {
    guard mayBePrivate, leaf.classByte != EntryClass.control.rawValue else { return true }
    let slots = try Row.fetchAll(
      db, cached: "SELECT epoch, box, is_valid FROM slot WHERE leaf_ref = ?", arguments: [leafRef])
    for record in slots {
      let id: EpochID = try record.identifier("epoch")
      guard let epoch = epochs.first(where: { $0.key.id == id }),
        epoch.key.audience != .devices
      else { continue }
      if record["is_valid"] { return true }
      let slot = Slot(
        logID: log, sequence: leaf.sequence, epoch: id, box: record.bytes("box"))
      if try opens(slot, with: epoch, leaf, leafRef, db) { return true }
    }
    return false
  }

  /// Whether the slot gives the key that opened the entry here.
  private func opens(
    _ slot: Slot, with epoch: LoadedEpoch, _ leaf: LeafData, _ leafRef: Int64, _ db: Database
  ) throws -> Bool {
    do {
      let key = try epoch.key.open(slot, leaf: leaf)
      return try EntryKeys.key(of: leafRef, leaf: leaf, logID: log, epochs: epochs, db: db)
        .isEqual(to: key)
    } catch let error as VaultError where error.code == .entryLocked {
      return false
    } catch is CaseLogError {
      return false
    }
  }
}
