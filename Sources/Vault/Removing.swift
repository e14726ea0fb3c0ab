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
  /// Records written with newer keys of the device: a cut of its first ones takes the power from all of these.
  public let setAside: UInt64
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
      // She may have been removed just now, because her time is over.
      if control.state.member(target.logID)?.cut == nil { try control.remove([target]) }
      try control.sign()
      return try outcome(target, row, control.state, db)
    }
  }

  /// Of a member that took new keys all are cut, so it is the log of the first ones that is named: whoever
  /// has a copy of them is to write and read no more either.
  private static func removable(
    _ db: Database, _ text: String, _ row: CaseRow, _ state: CaseState
  ) throws -> CaseState.Member {
    guard row.role == .survivor else { throw VaultError(.notAllowed) }
    let found = try MemberTable.find(db, text, of: row, in: state)
    guard found.logID != row.logID else { throw VaultError(.ownMember) }
    let target = state.oldestKeys(of: found, sparing: [row.logID])
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
      },
      setAside: try LogTable.size(db, of: state.laterKeys(of: target.logID), in: row))
  }
}

extension LogTable {
  /// How many records are here of these logs together.
  static func size(_ db: Database, of logs: [LogID], in row: CaseRow) throws -> UInt64 {
    try logs.reduce(0) { sum, log in
      let record = try Row.fetchOne(
        db, cached: "SELECT size FROM log WHERE case_ref = ? AND log_id = ?",
        arguments: [row.ref, log.bytes.data])
      return sum + (record?.number("size") ?? 0)
    }
  }
}

extension CaseState {
  /// The oldest keys of a member's device that are not those of a device to be spared too: a copy of a vault
  /// that took new keys has its first ones in common with the other.
  func oldestKeys(of member: Member, sparing spared: [LogID]) -> Member {
    let line = Set(spared.flatMap { lineage(of: $0) })
    return lineage(of: member.logID).last { !line.contains($0) }.flatMap(self.member) ?? member
  }

  /// The logs of keys that a log's own certified, and of those that these did.
  func laterKeys(of logID: LogID) -> [LogID] {
    members.map(\.logID).filter { $0 != logID && lineage(of: $0).contains(logID) }
  }
}
