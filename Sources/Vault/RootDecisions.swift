public import CaseLog
internal import Cryptography
internal import GRDB
internal import Mailboxes
internal import Sync
public import VerifiableLog

/// What the root of a case was asked to say about members, and what follows from it.
public struct RootDecision: Hashable, Sendable {
  /// A member, and how many of its records stand.
  public struct Limit: Hashable, Sendable {
    public let logID: LogID
    public let role: Role
    /// What it writes, or wrote, from here on does not count.
    public let size: UInt64
    /// Records that are here and stand behind it, those of newer keys of the device too.
    public let setAside: UInt64
  }

  public let caseName: String
  /// Whose cuts of it have no effect.
  public let stays: LogID
  public let cut: [Limit]
}

extension OpenVault {
  /// What a decision would do. Writes nothing, and needs no kit.
  ///
  /// - Parameters:
  ///   - stays: the member that is right in a dispute, by name or the beginning of its id; nil for this device.
  ///   - cut: members, each with the number of its records that stand; nil for all that this device gave a
  ///     receipt for, or holds, of the first keys of its device, and for none of its newer ones.
  /// - Throws: `.unknownMember`, `.ambiguousMember`, `.notAllowed`, `.cutWithoutEffect`.
  public func previewDecision(
    stays: String?, cut: [(member: String, size: UInt64?)], inCase name: String?
  ) throws(VaultError) -> RootDecision {
    try read { db in
      try decision(db, of: try CaseRow.find(db, name), stays: stays, cut: cut)
    }
  }

  /// Cuts members by the root's word, whatever they say of each other: for a device that is lost, stolen or in
  /// dispute. New keys begin for what is written later. All of it is written, or nothing.
  ///
  /// - Throws: as `previewDecision`, and `.kitMismatch`.
  public func decide(
    stays: String?, cut: [(member: String, size: UInt64?)], inCase name: String?,
    kit: borrowing RecoveryKit
  ) throws(VaultError) -> RootDecision {
    let pair = try kit.keyPair()
    let found = try wrapsInFolders(ofCase: name, for: pair)
    return try commit { db in
      let row = try CaseRow.find(db, name)
      let decision = try decision(db, of: row, stays: stays, cut: cut)
      let root = try speakAsRoot(db, of: row, with: pair, found)
      let limits = decision.cut.map { RootStatement.Limit(logID: $0.logID, size: $0.size) }
      try CaseRoot.add(
        db, RootStatement.decide(stays: decision.stays, cut: limits, root: root), to: row)
      let state = try CaseView.state(db, of: row)
      let removed = try limits.map { limit in
        guard let member = state.member(limit.logID), member.cut != nil else {
          throw VaultError(.cutWithoutEffect)
        }
        return member
      }
      try renewEpochs(db, of: row, without: removed, in: state)
      return decision
    }
  }

  /// Takes every cut from a member, the root's own included: it counts again from its first record to its last.
  ///
  /// - Throws: `.unknownMember`, `.ambiguousMember`, `.notAllowed`, `.notCut`, `.kitMismatch`.
  public func reinstate(
    _ member: String, inCase name: String?, kit: borrowing RecoveryKit
  ) throws(VaultError) -> LogID {
    let pair = try kit.keyPair()
    let found = try wrapsInFolders(ofCase: name, for: pair)
    return try commit { db in
      let row = try CaseRow.find(db, name)
      guard row.role == .survivor else { throw VaultError(.notAllowed) }
      var state = try CaseView.state(db, of: row)
      let logID = try MemberTable.find(db, member, of: row, in: state).logID
      guard state.member(logID)?.cut != nil else { throw VaultError(.notCut) }
      let root = try speakAsRoot(db, of: row, with: pair, found)
      // A lift takes the cuts at its size and below; the one after it is only seen then. Cuts of older keys
      // of the device are cuts of this one.
      while let cut = state.member(logID)?.cut {
        let target = state.cutLog(of: logID)
        let size = state.member(target)?.cut?.statedSize ?? cut.statedSize
        try CaseRoot.add(
          db, RootStatement.lift(.init(logID: target, size: size), root: root), to: row)
        let next = try CaseView.state(db, of: row)
        guard next.member(target)?.cut != state.member(target)?.cut else {
          throw VaultError(.cutWithoutEffect)
        }
        state = next
      }
      return logID
    }
  }

  /// Keeps an entry whatever erasures of it there are or come.
  ///
  /// - Throws: `.unknownEntry`, `.ambiguousEntry`, `.notAllowed`, `.kitMismatch`.
  public func keepByRoot(
    _ entry: EntryID, inCase name: String?, kit: borrowing RecoveryKit
  ) throws(VaultError) {
    let pair = try kit.keyPair()
    let found = try wrapsInFolders(ofCase: name, for: pair)
    try commit { db in
      let row = try CaseRow.find(db, name)
      guard row.role == .survivor else { throw VaultError(.notAllowed) }
      guard
        try Row.fetchOne(
          db,
          cached: """
            SELECT 1 FROM leaf l JOIN log g ON g.id = l.log_ref
            WHERE l.entry_id = ? AND g.case_ref = ? AND l.class <> 1
            """, arguments: [entry.bytes.data, row.ref]) != nil
      else { throw VaultError(.unknownEntry) }
      let root = try speakAsRoot(db, of: row, with: pair, found)
      try CaseRoot.add(db, RootStatement.keep(entry, root: root), to: row)
    }
  }

  /// The root, and with it what only the kit opens: keys that a device began which has handed them to nobody, and may
  /// be the one that is lost.
  private func speakAsRoot(
    _ db: Database, of row: CaseRow, with kit: borrowing BoxKeyPair, _ found: [Wrap]
  ) throws -> SigningKey {
    let root = try CaseRoot.open(db, of: row, with: kit)
    let stored = try Row.fetchAll(
      db, cached: "SELECT bytes FROM wrap WHERE case_ref = ? AND recipient IS NULL",
      arguments: [row.ref]
    ).map { try Wrap(decoding: $0.bytes("bytes")) }
    let held: Set<EpochID> = Set(
      try Row.fetchAll(
        db, cached: "SELECT epoch FROM epoch WHERE case_ref = ?", arguments: [row.ref]
      ).map { try $0.identifier("epoch") })
    // Most lie in the folders as they do here.
    var seen: Set<Wrap> = []
    let wraps = (stored + found).filter { !held.contains($0.epoch) && seen.insert($0).inserted }
    guard !wraps.isEmpty else { return root }
    try Rewrapping.run(db, wraps, with: kit, to: row.card, logID: row.logID, case: row.ref)
    try Absorber.run(db, of: row, keys: keys)
    return root
  }

  /// What the kit opens in the folders of a case. Nobody can judge a wrap for the kit without it, so that of those that
  /// are kept here all may be somebody's junk that came first.
  private func wrapsInFolders(
    ofCase name: String?, for kit: borrowing BoxKeyPair
  ) throws(VaultError) -> [Wrap] {
    let row = try read { db in try CaseRow.find(db, name) }
    var devices: [[[UInt8]]] = []
    for folder in [row.mailbox, row.ownMailbox] {
      guard let folder else { continue }
      do throws(MailboxError) {
        let tag = MailboxTag(caseID: row.caseID.raw)
        devices += try FolderMailbox(path: folder).cases().filter { $0.tag == tag }.flatMap(\.wraps)
      } catch {
        // It may be on a stick that is not here now.
      }
    }
    return KitWraps.select(devices, with: kit)
  }

  private func decision(
    _ db: Database, of row: CaseRow, stays: String?, cut: [(member: String, size: UInt64?)]
  ) throws -> RootDecision {
    guard row.role == .survivor else { throw VaultError(.notAllowed) }
    let state = try CaseView.state(db, of: row)
    let staying =
      try stays.map { try MemberTable.find(db, $0, of: row, in: state).logID } ?? row.logID
    let limits = try cut.map { wanted in
      let found = try MemberTable.find(db, wanted.member, of: row, in: state)
      guard found.logID != staying else { throw VaultError(.cutWithoutEffect) }
      // A size is one of the log that was named; without it, all keys of the device are meant.
      let member =
        wanted.size == nil ? state.oldestKeys(of: found, sparing: [staying, row.logID]) : found
      guard member.logID != staying else { throw VaultError(.cutWithoutEffect) }
      let held = try seen(member.logID, db, of: row)
      let size = wanted.size ?? held.receipt ?? held.size
      return RootDecision.Limit(
        logID: member.logID, role: member.role, size: size,
        setAside: held.size - min(held.size, size)
          + (try LogTable.size(db, of: state.laterKeys(of: member.logID), in: row)))
    }
    guard limits.count <= Limits.cutsOfLog, Set(limits.map(\.logID)).count == limits.count else {
      throw VaultError(.cutWithoutEffect)
    }
    return RootDecision(caseName: row.name, stays: staying, cut: limits)
  }

  /// How much of a log is here, and how much of it this device gave a receipt for.
  private func seen(
    _ log: LogID, _ db: Database, of row: CaseRow
  ) throws -> (size: UInt64, receipt: UInt64?) {
    guard
      let record = try Row.fetchOne(
        db,
        cached: """
          SELECT g.size, (SELECT max(r.size) FROM receipt r WHERE r.log_ref = g.id AND r.witness = ?3)
            AS receipt FROM log g WHERE g.case_ref = ?1 AND g.log_id = ?2
          """, arguments: [row.ref, log.bytes.data, row.logID.bytes.data])
    else { throw VaultError(.unknownMember) }
    let receipt: Int64? = record["receipt"]
    return (record.number("size"), receipt.map(UInt64.init(bitPattern:)))
  }

  /// What is written later is sealed to keys that those who were cut do not get. A device that is cut itself
  /// leaves that to the others.
  private func renewEpochs(
    _ db: Database, of row: CaseRow, without removed: [CaseState.Member], in state: CaseState
  ) throws {
    guard let own = state.member(row.logID), own.cut == nil, !removed.isEmpty else { return }
    let control = try CaseControl(db, of: row, keys: keys, surroundings: surroundings)
    try control.renewEpochs(without: removed)
    try control.sign()
  }
}

extension CaseState {
  /// The log that a cut of this member's is about: its own, or that of the oldest keys that are cut.
  fileprivate func cutLog(of logID: LogID) -> LogID {
    let cut = lineage(of: logID).prefix { member($0)?.cut != nil }
    return cut.last ?? logID
  }
}
