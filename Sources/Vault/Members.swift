public import CaseLog
internal import Cryptography
internal import GRDB
public import VerifiableLog

/// A member of a case, as this vault knows her.
public struct MemberSummary: Hashable, Sendable {
  public enum Standing: Hashable, Sendable {
    case good
    /// In good standing until then, in seconds since 1970.
    case lapses(UInt64)
    /// Her time is over: nothing more is sealed to her, and the next who writes removes her.
    case lapsed(UInt64)
    /// What she writes from this size of her log on does not count.
    case removed(UInt64)
    /// Members removed each other, and only the root can tell who was right.
    case contested(UInt64)
  }

  public let logID: LogID
  public let role: Role
  /// What she is called in this vault.
  public let name: String?
  public let isOwn: Bool
  public let origin: CaseState.Member.Origin
  /// When she was admitted, by the clock of the device that did; nil where no clock says so.
  public let since: UInt64?
  public let standing: Standing
  /// Her last receipt for this device's log, by her clock.
  public let lastReceipt: UInt64?
  /// Entries of others that she can open; nil where this copy cannot tell.
  public let entriesShared: Int?
  /// Content and notes that she wrote.
  public let entriesWritten: Int
}

extension MemberSummary.Standing {
  init(of member: CaseState.Member, at now: UInt64) {
    if let cut = member.cut {
      self = cut.isContested ? .contested(cut.size) : .removed(cut.size)
    } else if member.role == .advocate, let until = member.until {
      self = member.isReader(at: now) ? .lapses(until) : .lapsed(until)
    } else {
      self = .good
    }
  }
}

/// A member who can open an entry.
public struct EntryReader: Hashable, Sendable {
  public let logID: LogID
  public let role: Role
  public let name: String?
  /// Removed since; what was opened may have been kept.
  public let isRemoved: Bool
}

extension OpenVault {
  /// All members that a case ever had, by log id.
  public func members(
    ofCase name: String?
  ) throws(VaultError) -> (caseName: String, members: [MemberSummary]) {
    try read { db in
      let row = try CaseRow.find(db, name)
      let state = try CaseView.state(db, of: row)
      let table = try MemberTable(db, of: row, in: state, now: surroundings.now())
      return (row.name, try state.members.map(table.summary))
    }
  }

  /// Gives a member a name that stays in this vault; an empty one takes it away.
  ///
  /// - Throws: `.unknownMember`, `.ambiguousMember`, `.memberNameTaken`.
  public func nameMember(
    _ member: String, _ name: String, inCase caseName: String?
  ) throws(VaultError) -> MemberSummary {
    try commit { db in
      let row = try CaseRow.find(db, caseName)
      let state = try CaseView.state(db, of: row)
      let found = try MemberTable.find(db, member, of: row, in: state)
      try MemberTable.setName(db, name, of: found, in: row)
      return try MemberTable(db, of: row, in: state, now: surroundings.now()).summary(found)
    }
  }

  /// The advocate of that name or id, to whom something may be sealed.
  ///
  /// - Throws: `.unknownMember`, `.ambiguousMember`, `.notAnAdvocate`, `.alreadyRemoved`, `.timePassed`.
  public func reader(_ member: String, inCase name: String?) throws(VaultError) -> LogID {
    try read { db in
      let row = try CaseRow.find(db, name)
      let state = try CaseView.state(db, of: row)
      let found = try MemberTable.find(db, member, of: row, in: state)
      return try state.reader(found.logID, at: surroundings.now()).logID
    }
  }

  /// Members beside this device who can open an entry, by log id. On an advocate's copy these are those
  /// whom she can know of: of other advocates only the survivor's devices can tell.
  ///
  /// - Throws: `.unknownEntry`, `.ambiguousEntry`.
  public func readers(ofEntry text: String) throws(VaultError) -> [EntryReader] {
    try read { db in
      let (row, entry) = try EntryTable.find(db, text)
      let state = try CaseView.state(db, of: row)
      let table = try MemberTable(db, of: row, in: state, now: surroundings.now())
      let id: EntryID = try entry.identifier("entry_id")
      return table.readers(of: try OpenSlots.epochs(db, of: [id])[id]?.epochs ?? [])
    }
  }
}

extension OpenVault {
  /// As `readers(ofEntry:)`, for many; nothing for those that nobody else can open.
  public func readers(
    of entries: [EntryID]
  ) throws(VaultError) -> [EntryID: [EntryReader]] {
    try read { db in
      var tables: [Int64: MemberTable] = [:]
      var result: [EntryID: [EntryReader]] = [:]
      for (entry, found) in try OpenSlots.epochs(db, of: entries) {
        if tables[found.caseRef] == nil {
          let row = try CaseRow.of(db, found.caseRef)
          tables[found.caseRef] = try MemberTable(
            db, of: row, in: try CaseView.state(db, of: row), now: surroundings.now())
        }
        result[entry] = tables[found.caseRef]?.readers(of: found.epochs)
      }
      return result
    }
  }
}

/// What is known of members, out of state and rows.
struct MemberTable {
  private let db: Database
  private let row: CaseRow
  private let state: CaseState
  private let now: UInt64
  private let names: [LogID: String]
  private let slots: OpenSlots
  /// Audiences of the epochs whose keys are here.
  private let given: [EpochID: Audience]

  init(_ db: Database, of row: CaseRow, in state: CaseState, now: UInt64) throws {
    self.db = db
    self.row = row
    self.state = state
    self.now = now
    names = try Self.names(db, of: row)
    slots = OpenSlots(db, of: row, in: state)
    given = try OpenSlots.everGiven(db, in: row)
  }

  /// Members who have the keys of these epochs.
  func readers(of epochs: [EpochID]) -> [EntryReader] {
    let audiences = epochs.compactMap { given[$0] }
    return state.members.compactMap { member in
      guard member.logID != row.logID, audiences.contains(where: { member.belongs(to: $0) }) else {
        return nil
      }
      return EntryReader(
        logID: member.logID, role: member.role, name: name(of: member),
        isRemoved: member.cut != nil)
    }
  }

  func summary(_ member: CaseState.Member) throws -> MemberSummary {
    let log = try Row.fetchOne(
      db, cached: "SELECT id FROM log WHERE case_ref = ? AND log_id = ?",
      arguments: [row.ref, member.logID.bytes.data])
    return MemberSummary(
      logID: member.logID, role: member.role, name: name(of: member),
      isOwn: member.logID == row.logID, origin: member.origin, since: try since(member),
      standing: .init(of: member, at: now), lastReceipt: try lastReceipt(member),
      entriesShared: try entriesShared(member),
      entriesWritten: try Int.fetchOne(
        db, cached: "SELECT count(*) FROM leaf WHERE log_ref = ? AND class <> 1",
        arguments: [log?["id"] as Int64?]) ?? 0)
  }

  private func name(of member: CaseState.Member) -> String? {
    names[member.logID] ?? names[member.firstLogID]
  }

  /// The clock of the admission; the first entry of the device that started the case.
  private func since(_ member: CaseState.Member) throws -> UInt64? {
    switch member.origin {
    case .entry(let id):
      return try Row.fetchOne(
        db, cached: "SELECT e.clock FROM entry e JOIN leaf l ON l.id = e.id WHERE l.entry_id = ?",
        arguments: [id.bytes.data]
      ).map { $0.number("clock") }
    case .founding:
      return try Row.fetchOne(
        db,
        cached: """
          SELECT e.clock FROM entry e JOIN leaf l ON l.id = e.id JOIN log g ON g.id = l.log_ref
          WHERE g.case_ref = ? AND g.log_id = ? AND l.sequence = 0
          """, arguments: [row.ref, member.logID.bytes.data]
      ).map { $0.number("clock") }
    case .root, .succession: return nil
    }
  }

  private func lastReceipt(_ member: CaseState.Member) throws -> UInt64? {
    guard member.logID != row.logID else { return nil }
    let time = try Int64.fetchOne(
      db,
      cached: """
        SELECT max(r.time) FROM receipt r JOIN log g ON g.id = r.log_ref
        WHERE g.case_ref = ? AND g.log_id = ? AND r.witness = ?
        """, arguments: [row.ref, row.logID.bytes.data, member.logID.bytes.data])
    return time.map(UInt64.init(bitPattern:))
  }

  private func entriesShared(_ member: CaseState.Member) throws -> Int? {
    let own = state.member(row.logID)
    guard row.role == .survivor || member.firstLogID == own?.firstLogID else { return nil }
    return try openLeaves(of: member).count
  }

  /// Entries of others that a member can open, by log and sequence.
  func opened(by member: CaseState.Member) throws -> [EntryID] {
    let leaves = try openLeaves(of: member)
    return try Row.fetchAll(
      db,
      cached: """
        SELECT l.id, l.entry_id FROM leaf l JOIN log g ON g.id = l.log_ref
        WHERE g.case_ref = ? AND l.class <> 1 ORDER BY g.log_id, l.sequence
        """, arguments: [row.ref]
    ).filter { leaves.contains($0["id"]) }.map { try $0.identifier("entry_id") }
  }

  private func openLeaves(of member: CaseState.Member) throws -> Set<Int64> {
    let audiences: [Audience] =
      member.role == .survivor
      ? [.devices] + state.members.filter { $0.role == .advocate }.map { .advocate($0.logID) }
      : [.advocate(member.firstLogID)]
    var leaves: Set<Int64> = []
    for audience in audiences { leaves.formUnion(try slots.leaves(openTo: audience)) }
    return leaves.subtracting(
      try Int64.fetchAll(
        db,
        cached: """
          SELECT l.id FROM leaf l JOIN log g ON g.id = l.log_ref
          WHERE g.case_ref = ? AND g.log_id = ? AND l.class <> 1
          """, arguments: [row.ref, member.logID.bytes.data]))
  }
}

// MARK: - Names

extension MemberTable {
  /// The shortest beginning of an id that may stand for it.
  static let prefixCount = 4

  /// What the members are called here.
  static func names(_ db: Database, of row: CaseRow) throws -> [LogID: String] {
    var names: [LogID: String] = [:]
    for record in try Row.fetchAll(
      db, cached: "SELECT log_id, name FROM member_name WHERE case_ref = ?", arguments: [row.ref])
    {
      names[try record.identifier("log_id")] = record["name"]
    }
    return names
  }

  /// The member of this name, or the only one whose id begins so.
  ///
  /// - Throws: `.unknownMember`, `.ambiguousMember`.
  static func find(
    _ db: Database, _ text: String, of row: CaseRow, in state: CaseState
  ) throws -> CaseState.Member {
    let names = try names(db, of: row)
    if let member = state.members.first(where: { names[$0.logID] == text }) { return member }
    let logID = try match(text, among: state.members.map(\.logID))
    guard let member = state.member(logID) else { throw VaultError(.unknownMember) }
    return member
  }

  /// The only one of these whose id begins so.
  static func match(_ prefix: String, among members: [LogID]) throws -> LogID {
    let wanted = prefix.lowercased()
    guard wanted.utf8.count >= prefixCount else { throw VaultError(.unknownMember) }
    let found = members.filter { $0.base32.hasPrefix(wanted) }
    guard found.count <= 1 else { throw VaultError(.ambiguousMember) }
    guard let member = found.first else { throw VaultError(.unknownMember) }
    return member
  }

  static func setName(
    _ db: Database, _ name: String, of member: CaseState.Member, in row: CaseRow
  ) throws {
    let taken = try names(db, of: row).contains { $0.value == name && $0.key != member.logID }
    guard !taken else { throw VaultError(.memberNameTaken) }
    try db.execute(
      cached: "DELETE FROM member_name WHERE case_ref = ? AND log_id = ?",
      arguments: [row.ref, member.logID.bytes.data])
    guard !name.isEmpty else { return }
    try db.execute(
      cached: "INSERT INTO member_name(case_ref, log_id, name) VALUES (?, ?, ?)",
      arguments: [row.ref, member.logID.bytes.data, name])
  }
}
