internal import CaseLog
internal import Cryptography
internal import GRDB
public import VerifiableLog

/// What is known of a member before or after she was removed.
public struct RemovalOutcome: Hashable, Sendable {
  public let caseName: String
  public let member: MemberSummary
  /// Entries of others that she could open; what she opened she may keep.
  public let opened: [EntryID]
  /// Advocates who stay.
  public let remainingReaders: Int
}

extension OpenVault {
  /// What the removal of a member would do. Writes nothing.
  ///
  /// - Throws: `.notAllowed`, `.unknownMember`, `.ambiguousMember`, `.ownMember`, `.alreadyRemoved`.
  public func previewRemoval(
    of member: String, fromCase name: String?
  ) throws(VaultError) -> RemovalOutcome {
    try read { db in
      let row = try CaseRow.find(db, name)
      let state = try CaseView.state(db, of: row)
      return try outcome(try Self.removable(db, member, row, state), row, state, db)
    }
  }

  /// Cuts the log of a member as far as this copy holds it, and seals what comes later to new keys that she
  /// does not get. All of it is written, or nothing.
  ///
  /// - Throws: as `previewRemoval`, and `.removalWithoutEffect`, `.removed`.
  public func remove(
    _ member: String, fromCase name: String?
  ) throws(VaultError) -> RemovalOutcome {
    try commit { db in
      let row = try CaseRow.find(db, name)
      let before = try CaseView.state(db, of: row)
      let target = try Self.removable(db, member, row, before)
      let control = try CaseControl(db, of: row, keys: keys, surroundings: surroundings)
      try control.remove([target])
      try control.removeLapsed()
      try control.sign()
      return try outcome(target, row, control.state, db)
    }
  }

  /// Of an advocate who took new keys all are cut, so it is the log of her first ones that is named.
  private static func removable(
    _ db: Database, _ text: String, _ row: CaseRow, _ state: CaseState
  ) throws -> CaseState.Member {
    guard row.role == .survivor else { throw VaultError(.notAllowed) }
    let found = try MemberTable.find(db, text, of: row, in: state)
    guard found.logID != row.logID else { throw VaultError(.ownMember) }
    let target = found.role == .advocate ? state.member(found.firstLogID) ?? found : found
    guard target.cut == nil else { throw VaultError(.alreadyRemoved) }
    return target
  }

  private func outcome(
    _ target: CaseState.Member, _ row: CaseRow, _ state: CaseState, _ db: Database
  ) throws -> RemovalOutcome {
    let now = surroundings.now()
    let table = try MemberTable(db, of: row, in: state, now: now)
    return RemovalOutcome(
      caseName: row.name,
      member: try table.summary(state.member(target.logID) ?? target),
      opened: try table.opened(by: target),
      remainingReaders: state.standingMembers.count {
        $0.isReader(at: now) && $0.logID == $0.firstLogID && $0.logID != target.logID
      })
  }
}
