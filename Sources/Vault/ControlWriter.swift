internal import CaseLog
internal import Cryptography
internal import GRDB

/// Writes control entries into this device's log, sealed for every member: within one transaction, and
/// nothing of it counts before `sign`.
final class ControlWriter {
  let appender: LogAppender
  private let everyone: LoadedEpoch
  private let signing: SigningKey

  init(
    _ db: Database, of row: CaseRow, keys: VaultKeys, surroundings: Surroundings
  ) throws {
    guard row.role == .survivor else { throw VaultError(.notAllowed) }
    appender = try LogAppender(db, of: row, surroundings: surroundings)
    signing = try DeviceKeys.load(db, case: row.ref, keys: keys).takeSigning()
    let held = try LoadedEpoch.all(db, of: row, keys: keys)
    let usable = try CaseView.state(db, of: row).usableEpochs(of: .everyone)
    guard
      let epoch = usable.lazy.compactMap({ record in
        held.first { $0.key.id == record.id }
      }).first
    else { throw VaultError(.notSyncedYet) }
    everyone = epoch
  }

  @discardableResult
  func append(_ control: Control) throws -> LogAppender.Appended {
    let key = SecretKey.random()
    let entry = try appender.append(kind: control.kind, parts: [control.part], key: key)
    try appender.addSlot(for: entry, key: key, epoch: everyone.key)
    return entry
  }

  func sign() throws { try appender.sign(with: signing) }
}
