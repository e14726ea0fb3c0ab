public import CaseLog
public import Cryptography
internal import GRDB
public import VerifiableLog

/// With whom a case or some of its entries are shared.
public enum ShareTarget: Hashable, Sendable {
  /// The holder of a card, who is no member yet; the card's text.
  case card([UInt8])
  /// A member, by local name, id or the beginning of it.
  case member(String)
}

/// What somebody will see when something is shared: all of it, and nothing that was not chosen.
public struct SharePreview: Hashable, Sendable {
  /// A member, and what is seen of her log by everybody whom the case is shared with.
  public struct Log: Hashable, Sendable {
    public let logID: LogID
    public let role: Role
    public let signingKey: VerifyingKey
    public let receiptKey: VerifyingKey
    /// Entries of content and notes.
    public let entryCount: Int
    /// How many of them stay locked: that they exist can be seen.
    public let withheldCount: Int
  }

  public let caseName: String
  /// Nil for the holder of a card.
  public let member: LogID?
  /// What is opened, as it will be shown there.
  public let entries: [EntrySummary]
  public let alreadySharedCount: Int
  public let keptBack: [EntryID]
  /// Chosen by name, though they were meant for fewer, or perhaps.
  public let privateOnes: [EntryID]
  public let along: SharedAlong
  /// Additions that are left out, and would come along if it were wished.
  public let additionsLeftOut: [EntrySummary]
  public let logs: [Log]
}

extension OpenVault {
  /// What `target` will see if `selection` is shared. Writes nothing.
  ///
  /// - Throws: as the sharing itself would, but for words.
  public func previewShare(
    _ selection: EntrySelection, withAdditions: Bool = false, ofCase name: String?,
    with target: ShareTarget, until: UInt64? = nil
  ) throws(VaultError) -> SharePreview {
    let row = try read { db in try CaseRow.find(db, name) }
    guard row.role == .survivor else { throw VaultError(.notAllowed) }
    var card: Card?
    if case .card(let text) = target {
      let read = try ComparedWords.card(text)
      try checkMayAdmit(read, to: row, until: until)
      card = read
    }
    return try read { db in
      let state = try CaseView.state(db, of: row)
      var member: CaseState.Member?
      if case .member(let text) = target {
        let found = try MemberTable.find(db, text, of: row, in: state)
        member = try state.reader(found.logID, at: surroundings.now())
      }
      guard let first = member?.firstLogID ?? card?.logID(in: row.caseID) else {
        throw VaultError(.unknownMember)
      }
      let chosen = try EntryChoice(db, of: row, in: state)
        .leaves(selection, withAdditions: withAdditions, for: .advocate(first))
      return try preview(chosen, for: first, member: member, row, state, db)
    }
  }

  private func preview(
    _ chosen: EntryChoice.Chosen, for first: LogID, member: CaseState.Member?, _ row: CaseRow,
    _ state: CaseState, _ db: Database
  ) throws -> SharePreview {
    let summary = { (entry: EntryChoice.Entry) throws -> EntrySummary in
      guard
        let record = try Row.fetchOne(
          db, cached: EntryTable.select + " WHERE l.id = ?", arguments: [entry.ref])
      else { throw VaultError(.databaseDamaged) }
      var summary = try EntryTable.summary(db, record, of: row, in: state)
      summary.isOwn = state.member(entry.logID)?.firstLogID == first
      return summary
    }
    let open = try OpenSlots(db, of: row, in: state).leaves(openTo: .advocate(first))
      .union(chosen.leaves.map(\.ref))
    let logs = try state.members.map { other in
      let leaves = try Int64.fetchAll(
        db,
        cached: """
          SELECT l.id FROM leaf l JOIN log g ON g.id = l.log_ref
          WHERE g.case_ref = ? AND g.log_id = ? AND l.class <> 1
          """, arguments: [row.ref, other.logID.bytes.data])
      return SharePreview.Log(
        logID: other.logID, role: other.role, signingKey: other.card.signingKey,
        receiptKey: other.card.receiptKey, entryCount: leaves.count,
        withheldCount: leaves.count { !open.contains($0) })
    }
    return SharePreview(
      caseName: row.name, member: member?.logID, entries: try chosen.leaves.map(summary),
      alreadySharedCount: chosen.alreadyOpenCount, keptBack: chosen.keptBack,
      privateOnes: chosen.privateOnes,
      along: chosen.along,
      additionsLeftOut: chosen.isWithAdditions ? [] : try chosen.additions.map(summary), logs: logs)
  }
}
