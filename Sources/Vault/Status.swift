public import CaseLog
internal import Cryptography
internal import GRDB
public import VerifiableLog

/// Where a case stands: what is new, what awaits whom, and what is not as it should be.
public struct CaseStatus: Sendable {
  public struct Member: Hashable, Sendable {
    public let logID: LogID
    /// What the member is called here; nil if it has no name.
    public let name: String?
    public let role: Role
    public let isOwn: Bool
    public let isCut: Bool
    /// Content and notes of this member that could be opened here since the status was looked at last, when
    /// they came or when they were shared.
    public let newEntries: Int
    /// When it last gave a receipt for our log, by its clock; nil if it never did.
    public let lastReceipt: UInt64?
    /// How many of our entries no receipt of this member covers.
    public let entriesWithoutReceipt: UInt64
  }

  public let caseID: CaseID
  public let name: String
  public let role: Role
  public let entryCount: Int
  /// By log id.
  public let members: [Member]
  /// Requests of others that nobody has answered: they wait for this vault's owner.
  public let requestsToAnswer: [EntryRelations.Request]
  /// Own requests that nobody has answered.
  public let requestsAsked: [EntryRelations.Request]
  /// Takedowns that are not done: reported, answered or refused, or back again.
  public let openTakedowns: [EntryRelations.Takedown]
  /// Attachments that entries name and that have not come yet.
  public let filesAwaited: Int
  public let mailbox: String?
  public let troubles: [CaseTrouble]

  public var newEntryCount: Int { members.reduce(0) { $0 + $1.newEntries } }
}

/// Something about a case that its members should know. None of it means that anything in this vault is
/// damaged.
public struct CaseTrouble: Hashable, Sendable {
  public enum Code: String, Sendable, CaseIterable {
    /// A member signed two histories.
    case fork
    /// Entries against the rules; kept aside.
    case violation
    /// This copy was removed from the case: nothing new comes to it, and nothing that it adds counts.
    case removed
    /// Members removed each other; only the root can decide.
    case contested
    /// Entries behind a removal or a fork that somebody else saw.
    case disputed
    /// Entries behind a removal that nobody else vouches for.
    case setAside
    /// Another device erased entries; for some days they can still be kept.
    case erasurePending
    /// Control entries that this copy cannot open.
    case lockedControl
    /// Somebody has seen more of this member's log than is here: it is behind, or kept back.
    case behind
    /// The last receipt is old, and there are entries that it does not cover.
    case receiptOld
    /// What was agreed with this member ends within a week.
    case sharingEndsSoon
    /// It has ended; the next entry that a survivor's device writes removes the member.
    case sharingEnded
    case newerVersion
    /// A device of the survivor's was admitted by the root, or took new keys, since the status was looked at.
    case newDevice
  }

  /// Whether a check of the vault tells it too: what others did, in contrast to what merely takes its time,
  /// and to forks and violations, which a check finds by itself.
  public var isNotable: Bool {
    switch code {
    case .removed, .contested, .disputed, .setAside, .behind, .lockedControl, .erasurePending:
      return true
    case .fork, .violation, .newerVersion, .receiptOld, .sharingEndsSoon, .sharingEnded,
      .newDevice:
      return false
    }
  }

  public let code: Code
  public var member: LogID?
  public var count: Int = 0
  /// What it is about in time: when something ends, or was last there.
  public var time: UInt64?

  init(_ code: Code, member: LogID? = nil, count: Int = 0, time: UInt64? = nil) {
    self.code = code
    self.member = member
    self.count = count
    self.time = time
  }
}

extension OpenVault {
  /// After so many seconds without one, a receipt is called old.
  public static let receiptAge: UInt64 = 30 * 86_400
  /// So many seconds before it ends, it is told that it will.
  static let noticeTime: UInt64 = 7 * 86_400

  /// The status of one case, or of all.
  ///
  /// - Parameter isLookedAt: what is new now is not new the next time.
  public func status(
    ofCase name: String?, isLookedAt: Bool
  ) throws(VaultError) -> [CaseStatus] {
    let rows = try read { db in
      try name.map { [try CaseRow.find(db, $0)] } ?? CaseRow.all(db)
    }
    let now = surroundings.now()
    let statuses = try read { db in
      try rows.map { try StatusReader(db, of: $0, now: now).status() }
    }
    if isLookedAt, standing == .sound { try noteLookedAt(statuses, of: rows) }
    return statuses
  }

  private func noteLookedAt(
    _ statuses: [CaseStatus], of rows: [CaseRow]
  ) throws(VaultError) {
    try database.write { db in
      for (row, status) in zip(rows, statuses) {
        try db.execute(
          cached: """
            DELETE FROM unseen WHERE entry_ref IN (SELECT id FROM listing WHERE case_ref = ?)
            """, arguments: [row.ref])
        for member in status.members {
          try db.execute(
            cached: "INSERT OR IGNORE INTO member_seen(case_ref, log_id) VALUES (?, ?)",
            arguments: [row.ref, member.logID.bytes.data])
        }
      }
    }
  }
}

/// Reads the status of a case out of its rows.
struct StatusReader {
  private let db: Database
  private let row: CaseRow
  private let now: UInt64
  private let state: CaseState
  private let names: [LogID: String]

  init(_ db: Database, of row: CaseRow, now: UInt64) throws {
    self.db = db
    self.row = row
    self.now = now
    state = try CaseView.state(db, of: row)
    names = try MemberTable.names(db, of: row)
  }

  func status() throws -> CaseStatus {
    let members = try state.members.map(member)
    let relations = try RelatedEntries(db: db, row: row, state: state).takedownsAndRequests()
    let open = relations.requests.filter { $0.answer == nil }
    return CaseStatus(
      caseID: row.caseID, name: row.name, role: row.role,
      entryCount: try count(
        "SELECT count(entered) FROM listing WHERE case_ref = ?", [row.ref]),
      members: members,
      requestsToAnswer: open.filter { $0.request.logID != row.logID },
      requestsAsked: open.filter { $0.request.logID == row.logID },
      openTakedowns: relations.takedowns.filter { $0.step != .removed },
      filesAwaited: try BlobTable.count(db, in: row, arePresent: false),
      mailbox: row.mailbox, troubles: try troubles(members))
  }

  private func count(_ sql: String, _ arguments: StatementArguments) throws -> Int {
    try Int.fetchOne(db, sql: sql, arguments: arguments) ?? 0
  }

  private func member(_ member: CaseState.Member) throws -> CaseStatus.Member {
    let receipts = try ReceiptTable.coverage(db, ofOwnLogIn: row, by: member.logID)
    let isOwn = member.logID == row.logID
    return CaseStatus.Member(
      logID: member.logID, name: names[member.logID], role: member.role, isOwn: isOwn,
      isCut: member.cut != nil,
      newEntries: isOwn
        ? 0
        : try count(
          """
          SELECT count(*) FROM unseen u JOIN leaf l ON l.id = u.entry_ref
          JOIN log g ON g.id = l.log_ref WHERE g.case_ref = ? AND g.log_id = ?
          """, [row.ref, member.logID.bytes.data]),
      lastReceipt: receipts.last, entriesWithoutReceipt: receipts.uncovered)
  }

  // MARK: - Troubles

  func troubles(_ members: [CaseStatus.Member]) throws -> [CaseTrouble] {
    var found: [CaseTrouble] = []
    if state.isStoppedByNewerVersion { found.append(CaseTrouble(.newerVersion)) }
    found += try newDevices()
    for member in state.members {
      if state.forkedAt(member.logID) != nil {
        found.append(CaseTrouble(.fork, member: member.logID))
      }
      if member.cut?.isContested == true {
        found.append(CaseTrouble(.contested, member: member.logID))
      }
      let violations = state.violations.count { $0.logID == member.logID }
      if violations > 0 {
        found.append(CaseTrouble(.violation, member: member.logID, count: violations))
      }
      found += try behindCut(member)
      if let trouble = try behind(member) { found.append(trouble) }
      if member.cut == nil, let until = member.until, until <= now + OpenVault.noticeTime {
        found.append(
          CaseTrouble(
            until <= now ? .sharingEnded : .sharingEndsSoon, member: member.logID, time: until))
      }
    }
    if let trouble = try erasurePending() { found.append(trouble) }
    let isRemoved = state.member(row.logID)?.cut.map { !$0.isContested } ?? false
    if isRemoved { found.insert(CaseTrouble(.removed, member: row.logID), at: 0) }
    // Those that came after a removal are locked because of it.
    if state.lockedControlEntries > 0, !isRemoved {
      found.append(CaseTrouble(.lockedControl, count: state.lockedControlEntries))
    }
    for member in members where !member.isOwn && !member.isCut && member.entriesWithoutReceipt > 0 {
      let isOld = member.lastReceipt.map { $0 + OpenVault.receiptAge < now } ?? false
      guard isOld else { continue }
      found.append(
        CaseTrouble(
          .receiptOld, member: member.logID, count: Int(clamping: member.entriesWithoutReceipt),
          time: member.lastReceipt))
    }
    return found
  }

  /// Whoever finds the twelve words can admit a device: this is where its owner learns of it.
  private func newDevices() throws -> [CaseTrouble] {
    guard row.role == .survivor else { return [] }
    let seen: Set<LogID> = Set(
      try Row.fetchAll(
        db, cached: "SELECT log_id FROM member_seen WHERE case_ref = ?", arguments: [row.ref]
      ).map { try $0.identifier("log_id") })
    return state.standingMembers.filter { member in
      guard member.role == .survivor, member.logID != row.logID, !seen.contains(member.logID) else {
        return false
      }
      switch member.origin {
      case .root, .succession: return true
      case .founding, .entry: return false
      }
    }.map { CaseTrouble(.newDevice, member: $0.logID) }
  }

  /// Entries of a removed member behind its cut that nobody entered again.
  private func behindCut(_ member: CaseState.Member) throws -> [CaseTrouble] {
    let ends = [member.cut?.contentSize, state.forkedAt(member.logID)].compactMap(\.self)
    guard let from = ends.min() else { return [] }
    let rows = try Row.fetchAll(
      db,
      cached: EntryTable.select + """
         WHERE g.case_ref = ? AND g.log_id = ? AND l.sequence >= ? AND l.class <> 1 LIMIT 10000
        """, arguments: [row.ref, member.logID.bytes.data, Int64(from)])
    var disputed = 0
    var setAside = 0
    for record in rows {
      let standing = try EntryTable.standing(db, record, in: state)
      guard standing == .disputed || standing == .setAside else { continue }
      let id: EntryID = try record.identifier("entry_id")
      guard try Adoption.find(db, of: id, in: row, state) == nil else { continue }
      if standing == .disputed { disputed += 1 } else { setAside += 1 }
    }
    var found: [CaseTrouble] = []
    if disputed > 0 {
      found.append(CaseTrouble(.disputed, member: member.logID, count: disputed))
    }
    if setAside > 0 {
      found.append(CaseTrouble(.setAside, member: member.logID, count: setAside))
    }
    return found
  }

  /// Whether somebody named more leaves of this log than are here.
  private func behind(_ member: CaseState.Member) throws -> CaseTrouble? {
    guard
      let log = try Row.fetchOne(
        db, cached: "SELECT size, named_size FROM log WHERE case_ref = ? AND log_id = ?",
        arguments: [row.ref, member.logID.bytes.data]),
      log.number("named_size") > log.number("size")
    else { return nil }
    return CaseTrouble(
      .behind, member: member.logID,
      count: Int(clamping: log.number("named_size") - log.number("size")))
  }

  /// What another device of the survivor erased, while it can still be kept.
  private func erasurePending() throws -> CaseTrouble? {
    guard row.role == .survivor,
      let pending = try Row.fetchOne(
        db,
        cached: """
          SELECT count(*) AS number, min(seen) AS seen FROM erasure
          WHERE case_ref = ? AND is_destroyed = 0
          """, arguments: [row.ref])
    else { return nil }
    let number: Int = pending["number"]
    guard number > 0 else { return nil }
    return CaseTrouble(
      .erasurePending, count: number, time: pending.number("seen") + OpenVault.erasureGrace)
  }
}
