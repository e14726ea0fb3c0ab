internal import CaseLog
internal import Cryptography
internal import GRDB
internal import VerifiableLog

/// Writes what every member can open, and keeps the epochs that new entries are sealed to, within one
/// transaction (`Protocol/CaseLog.md`, "Removing a member"). Nothing of it counts without `sign`.
final class CaseControl {
  let appender: LogAppender
  private let keys: VaultKeys
  let now: UInt64
  /// The case with all that was appended here.
  private(set) var state: CaseState
  /// The epochs of which this device holds the key.
  private(set) var epochs: [LoadedEpoch]

  var db: Database { appender.db }
  var row: CaseRow { appender.row }

  /// Removes members whose time is over first: nothing is written for them any more.
  ///
  /// - Throws: `.notSyncedYet`, `.removed`, `.newerVersion`.
  init(_ db: Database, of row: CaseRow, keys: VaultKeys, surroundings: Surroundings) throws {
    appender = try LogAppender(db, of: row, surroundings: surroundings)
    self.keys = keys
    now = surroundings.now()
    state = appender.state
    epochs = try LoadedEpoch.all(db, of: row, keys: keys)
    guard let own = state.member(row.logID) else { throw VaultError(.notSyncedYet) }
    guard own.cut == nil else { throw VaultError(.removed, role: row.role) }
    try removeLapsed()
  }

  func sign() throws {
    try appender.sign(with: try DeviceKeys.load(db, case: row.ref, keys: keys).takeSigning())
  }

  /// Appends a control entry, sealed for everyone.
  func append(_ control: Control) throws {
    try append(control, sealedTo: try current(.everyone))
  }

  private func append(_ control: Control, sealedTo everyone: LoadedEpoch) throws {
    let key = SecretKey.random()
    let entry = try appender.append(kind: control.kind, parts: [control.part], key: key)
    try appender.addSlot(for: entry, key: key, epoch: everyone.key)
    try refresh()
  }

  private func refresh() throws { state = try CaseView.state(db, of: row) }

  // MARK: - Epochs

  /// The epoch that an audience's entries are sealed to now. A survivor's device that has none begins one.
  ///
  /// - Throws: `.notSyncedYet` for an advocate, who waits for it.
  func current(_ audience: Audience) throws -> LoadedEpoch {
    for record in state.usableEpochs(of: audience) {
      if let held = epochs.first(where: { $0.key.id == record.id }) { return held }
    }
    guard row.role == .survivor else { throw VaultError(.notSyncedYet) }
    return try begin(audience)
  }

  /// Begins an epoch for all who belong to the audience now, in the place of all that there are.
  @discardableResult
  func begin(_ audience: Audience) throws -> LoadedEpoch {
    let everyone = audience == .everyone ? nil : try current(.everyone)
    let start = EpochStart(appender: appender, kit: try row.requireKit())
    let epoch = try start.begin(
      audience, members: state.members(of: audience).map(\.card),
      replaces: state.epochs.filter { $0.epoch.audience == audience }.map(\.id),
      everyone: everyone, keys: keys)
    epochs.append(epoch)
    try refresh()
    return epoch
  }

  /// Begins new epochs of all audiences that these members belonged to, beside an advocate's own: to that
  /// one nothing more is sealed. To be called once they are cut, by whatever it was.
  func renewEpochs(without removed: [CaseState.Member]) throws {
    try begin(.everyone)
    guard removed.contains(where: { $0.role == .survivor }) else { return }
    try begin(.devices)
    for audience in advocates { try begin(audience) }
  }

  // MARK: - Members

  /// The audiences of the advocates with whom the case is shared now.
  var advocates: [Audience] {
    var first: [LogID] = []
    for member in state.standingMembers
    where member.isReader(at: now) && !first.contains(member.firstLogID) {
      first.append(member.firstLogID)
    }
    return first.map { .advocate($0) }
  }

  /// Cuts the logs of members as far as this copy holds them, and begins new epochs.
  ///
  /// - Throws: `.removalWithoutEffect` when the root has lifted such a cut, or this device has cut that
  ///   log too often: then nothing may be kept of what was appended here.
  func remove(_ members: [CaseState.Member]) throws {
    // Whoever is removed may know it: the cut is sealed to the epoch that ends with it.
    let everyone = try current(.everyone)
    for member in members {
      guard let position = try position(of: member), try canCut(position) else {
        throw VaultError(.removalWithoutEffect)
      }
      try append(.cut(.init(position: position)), sealedTo: everyone)
      guard state.member(member.logID)?.cut != nil else {
        throw VaultError(.removalWithoutEffect)
      }
    }
    try renewEpochs(without: members)
  }

  /// Removes members whose time is over. One who cannot be cut any more is left: she reads nothing new
  /// either way.
  private func removeLapsed() throws {
    guard row.role == .survivor else { return }
    let lapsed = try state.standingMembers.filter { member in
      guard member.role == .advocate, member.logID == member.firstLogID, !member.isReader(at: now),
        let position = try position(of: member)
      else { return false }
      return try canCut(position)
    }
    if !lapsed.isEmpty { try remove(lapsed) }
  }

  private func position(of member: CaseState.Member) throws -> LogPosition? {
    try Row.fetchOne(
      db, cached: "SELECT size, root FROM log WHERE case_ref = ? AND log_id = ?",
      arguments: [row.ref, member.logID.bytes.data]
    ).map {
      LogPosition(logID: member.logID, size: $0.number("size"), root: try $0.bytes32("root"))
    }
  }

  /// Whether a cut can have an effect: not when the root lifted it, or one like it is there and had none.
  private func canCut(_ position: LogPosition) throws -> Bool {
    let own = try Row.fetchAll(
      db,
      cached: """
        SELECT e.parts FROM entry e JOIN leaf l ON l.id = e.id JOIN log g ON g.id = l.log_ref
        WHERE g.case_ref = ? AND g.log_id = ? AND l.class = 1 AND e.kind = ?
        """, arguments: [row.ref, row.logID.bytes.data, Int64(EntryKind.cut.code)])
    guard own.count < Limits.cutsOfLog else { return false }
    let isLifted = try CaseView.statements(db, of: row).contains { statement in
      guard case .lift(let logID, let size) = statement.content else { return false }
      return logID == position.logID && position.size <= size
    }
    guard !isLifted else { return false }
    let cut = Control.cut(.init(position: position)).part
    return try !own.contains { try PartList.decode($0.bytes("parts")) == [cut] }
  }
}

extension CaseState.Member {
  /// An advocate whose time is not over; that she is not cut is for the state to know.
  func isReader(at now: UInt64) -> Bool {
    role == .advocate && now <= until ?? .max
  }
}
