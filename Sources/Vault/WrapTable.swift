internal import CaseLog
internal import Cryptography
internal import GRDB
internal import VerifiableLog

/// Epoch keys, wrapped for members and kit.
enum WrapTable {
  /// Stores a wrap that this device made.
  static func add(_ db: Database, _ wrap: Wrap, to row: CaseRow) throws {
    try db.execute(
      sql: "INSERT OR IGNORE INTO wrap(case_ref, epoch, bytes) VALUES (?, ?, ?)",
      arguments: [row.ref, wrap.epoch.bytes.data, wrap.encoded.data])
    guard let recipient = wrap.recipient else { return }
    try db.execute(
      sql: "INSERT OR IGNORE INTO wrapped(case_ref, epoch, log_id) VALUES (?, ?, ?)",
      arguments: [row.ref, wrap.epoch.bytes.data, recipient.bytes.data])
  }

  /// Wraps what this device holds for members who were not known to whoever began an epoch. Each survivor's
  /// device does so once for a member and an epoch, since nobody can check what others have wrapped.
  ///
  /// - Returns: whether there was anything to do.
  @discardableResult
  static func complete(
    _ db: Database, of row: CaseRow, keys: VaultKeys, now: UInt64
  ) throws -> Bool {
    guard row.role == .survivor else { return false }
    let state = try CaseView.state(db, of: row)
    guard !state.isStoppedByNewerVersion, state.member(row.logID).map({ $0.cut == nil }) ?? false
    else { return false }
    let done = Set(
      try Row.fetchAll(
        db, sql: "SELECT epoch, log_id FROM wrapped WHERE case_ref = ?", arguments: [row.ref]
      ).map { Pair(epoch: try $0.identifier("epoch"), member: try $0.identifier("log_id")) })
    let epochs = try LoadedEpoch.all(db, of: row, keys: keys)
    var isChanged = false
    for member in state.standingMembers where member.logID != row.logID {
      for id in due(to: member, in: state, now: now)
      where !done.contains(Pair(epoch: id, member: member.logID)) {
        guard let epoch = epochs.first(where: { $0.key.id == id }) else { continue }
        try add(
          db, try epoch.key.wrap(for: member.logID, boxKey: member.card.boxKey), to: row)
        isChanged = true
      }
    }
    return isChanged
  }

  private struct Pair: Hashable {
    let epoch: EpochID
    let member: LogID
  }

  /// Epochs whose key a member should have, and was not given when they began. All of everyone's, since
  /// older control entries are sealed to older ones; of others an advocate gets those in use.
  static func due(
    to member: CaseState.Member, in state: CaseState, now: UInt64
  ) -> [EpochID] {
    let records: [CaseState.EpochRecord]
    switch member.role {
    case .survivor: records = state.epochs
    case .advocate:
      guard member.isReader(at: now) else { return [] }
      records =
        state.epochs.filter { $0.epoch.audience == .everyone }
        + state.usableEpochs(of: .advocate(member.firstLogID))
    }
    return records.filter { !$0.epoch.members.contains(member.logID) }.map(\.id)
  }
}
