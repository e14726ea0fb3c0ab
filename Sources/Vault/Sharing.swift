internal import CaseLog
internal import Cryptography
internal import GRDB
public import VerifiableLog

/// A card to hand to whoever shares a case, and the words to say with it.
public struct CardOffer: Hashable, Sendable {
  public let text: [UInt8]
  public let words: [String]
}

/// What sharing a case gave.
public struct ShareOutcome: Hashable, Sendable {
  public let caseName: String
  /// For the holder of the card and for nobody else.
  public let invitation: [UInt8]
  /// To be compared by voice before the invitation is accepted.
  public let caseWords: [String]
  public let member: LogID
  public let entryCount: Int
  /// Entries that were meant for fewer, and stay so unless they are named.
  public let keptBack: [EntryID]
  /// Opened by name, though they had been meant for fewer, or perhaps.
  public let privateOnes: [EntryID]
  public let along: SharedAlong
}

/// What sharing further entries with a member did.
public struct FurtherShareOutcome: Hashable, Sendable {
  public let caseName: String
  public let member: LogID
  /// All that was opened, with what came along.
  public let entries: [EntryID]
  /// Chosen entries that she could open before.
  public let alreadySharedCount: Int
  /// As for `ShareOutcome`.
  public let keptBack: [EntryID]
  /// As for `ShareOutcome`.
  public let privateOnes: [EntryID]
  public let along: SharedAlong
}

extension OpenVault {
  /// Makes the keys of this device for a case that somebody will share, and their card.
  public func makeCard() throws(VaultError) -> CardOffer {
    let card = try commit { db -> Card in
      let device = NewDevice()
      let card = try device.card(role: .advocate)
      try db.execute(
        cached: """
          INSERT INTO vault_case(name, is_default, role, card, signing_seed, receipt_seed, box_seed)
          VALUES (?, 0, ?, ?, ?, ?, ?)
          """,
        arguments: [
          "card " + card.identifier.hex, Int64(Role.advocate.rawValue), card.bytes.data,
          keys.seal(device.signingSeed).data, keys.seal(device.receiptSeed).data,
          keys.seal(device.boxSeed).data,
        ])
      return card
    }
    return CardOffer(text: Armor.card.encode(card.bytes), words: try ComparedWords.of(card))
  }

  /// Admits an advocate to a case, and opens to her what was chosen of it and what is added later.
  ///
  /// - Parameters:
  ///   - words: the card's six words, as heard from its holder.
  ///   - selection: of what the case holds now. What takes back one of these entries is shared with it.
  ///   - withAdditions: whether what was added about these entries is shared with them.
  ///   - until: when it ends, in seconds since 1970; nil for no end.
  /// - Throws: `.cardDamaged`, `.wrongWords`, `.alreadyMember`, `.cardUsed`, `.notAllowed`, `.timePassed`,
  ///   and what a selection of entries throws. Then nothing was written.
  public func share(
    caseNamed name: String?, with cardText: [UInt8], words: [String],
    selection: EntrySelection = .all, withAdditions: Bool = false, until: UInt64? = nil
  ) throws(VaultError) -> ShareOutcome {
    try requireSound()
    let card = try ComparedWords.card(cardText)
    let row = try read { db in try CaseRow.find(db, name) }
    try checkMayAdmit(card, to: row, until: until)
    guard ComparedWords.match(words, try ComparedWords.of(card)) else {
      throw VaultError(.wrongWords)
    }
    let (invitation, chosen) = try commit { db in
      let control = try CaseControl(db, of: row, keys: keys, surroundings: surroundings)
      return try CaseSharing(control).admit(
        card, selection: selection, withAdditions: withAdditions, until: until)
    }
    return ShareOutcome(
      caseName: row.name, invitation: Armor.invitation.encode(invitation),
      caseWords: try ComparedWords.of(root: row.root), member: card.logID(in: row.caseID),
      entryCount: chosen.leaves.count, keptBack: chosen.keptBack, privateOnes: chosen.privateOnes,
      along: chosen.along)
  }

  /// Opens chosen entries of a case to an advocate who is a member already: the same entries, at the same
  /// place and time, and a trace of who was shown what, when. What takes back one of them is shared with it.
  ///
  /// - Parameter withAdditions: whether what was added about the entries is shared with them.
  /// - Throws: `.notAllowed`, `.unknownMember`, `.ambiguousMember`, `.notAnAdvocate`, `.alreadyRemoved`,
  ///   `.timePassed`, and what a selection of entries throws. Then nothing was written.
  public func share(
    _ selection: EntrySelection, withAdditions: Bool = false, ofCase name: String?,
    withMember member: String
  ) throws(VaultError) -> FurtherShareOutcome {
    try requireSound()
    let row = try read { db in try CaseRow.find(db, name) }
    guard row.role == .survivor else { throw VaultError(.notAllowed) }
    let reader = try read { db in
      let state = try CaseView.state(db, of: row)
      let found = try MemberTable.find(db, member, of: row, in: state)
      let reader = try state.reader(found.logID, at: surroundings.now())
      // Most of what can be wrong is known before anything is begun; if there is nothing to do, nothing is.
      let chosen = try EntryChoice(db, of: row, in: state)
        .leaves(selection, withAdditions: withAdditions, for: .advocate(reader.firstLogID))
      return (member: reader, chosen: chosen)
    }
    if !reader.chosen.leaves.isEmpty {
      try commit { db in
        let control = try CaseControl(db, of: row, keys: keys, surroundings: surroundings)
        try CaseSharing(control).open(reader.chosen, to: reader.member)
        try control.sign()
      }
    }
    return FurtherShareOutcome(
      caseName: row.name, member: reader.member.logID, entries: reader.chosen.leaves.map(\.id),
      alreadySharedCount: reader.chosen.alreadyOpenCount,
      keptBack: reader.chosen.keptBack, privateOnes: reader.chosen.privateOnes,
      along: reader.chosen.along)
  }

  /// Opens to each advocate what takes back an entry that she can open, where she cannot open that: as when one
  /// device took an entry back while another one, which did not know yet, shared it.
  ///
  /// - Returns: whether anything was written.
  func openMissingRetractions(of row: CaseRow) throws(VaultError) -> Bool {
    guard row.role == .survivor else { return false }
    let missing = try read { db in
      let state = try CaseView.state(db, of: row)
      return try Self.missingRetractions(db, of: row, in: state, at: surroundings.now())
    }
    guard !missing.isEmpty else { return false }
    try commit { db in
      let control = try CaseControl(db, of: row, keys: keys, surroundings: surroundings)
      let missing = try Self.missingRetractions(
        db, of: row, in: control.state, at: surroundings.now())
      for (member, chosen) in missing { try CaseSharing(control).open(chosen, to: member) }
      try control.sign()
    }
    return true
  }

  private static func missingRetractions(
    _ db: Database, of row: CaseRow, in state: CaseState, at now: UInt64
  ) throws -> [(member: CaseState.Member, chosen: EntryChoice.Chosen)] {
    guard let own = state.member(row.logID), own.cut == nil,
      try Row.fetchOne(
        db, cached: "SELECT 1 FROM listing WHERE kind = ? AND case_ref = ?",
        arguments: [Int64(EntryKind.retract.code), row.ref]) != nil
    else { return [] }
    let choice = EntryChoice(db, of: row, in: state)
    return try state.standingMembers.filter { $0.isReader(at: now) && $0.logID == $0.firstLogID }
      .map { ($0, try choice.missingRetractions(for: .advocate($0.firstLogID))) }
      .filter { !$0.chosen.leaves.isEmpty }
  }

  /// Whether the holder of a card may be admitted; before anybody compares words.
  func checkMayAdmit(
    _ card: Card, to row: CaseRow, until: UInt64?
  ) throws(VaultError) {
    guard row.role == .survivor, card.role == .advocate else { throw VaultError(.notAllowed) }
    if let until, until <= surroundings.now() { throw VaultError(.timePassed) }
    try read { db in
      for other in try CaseRow.all(db) {
        guard try CaseView.state(db, of: other).member(card.logID(in: other.caseID)) == nil else {
          throw VaultError(other.ref == row.ref ? .alreadyMember : .cardUsed)
        }
      }
    }
  }
}

/// Admission of an advocate (`Protocol/CaseLog.md`, "Start of a case") and what is opened to her later,
/// within one transaction.
struct CaseSharing {
  private let control: CaseControl
  private var db: Database { control.db }
  private var row: CaseRow { control.row }

  init(_ control: CaseControl) { self.control = control }

  /// The sealed invitation, and what was opened to the new member.
  func admit(
    _ card: Card, selection: EntrySelection, withAdditions: Bool, until: UInt64?
  ) throws -> ([UInt8], EntryChoice.Chosen) {
    let logID = card.logID(in: row.caseID)
    let audience = Audience.advocate(logID)
    let chosen = try EntryChoice(db, of: row, in: control.state).leaves(
      selection, withAdditions: withAdditions, for: audience)
    try control.append(.admit(.init(card: card, role: .advocate, until: until)))
    try LogTable.addLog(db, case: row.ref, logID: logID, key: card.signingKey)
    guard let member = control.state.member(logID) else { throw VaultError(.notAllowed) }
    let epoch = try control.begin(audience)
    // Control entries of earlier times are sealed to earlier epochs of everyone.
    var wraps = [try epoch.key.wrap(for: logID, boxKey: card.boxKey)]
    var held = try HeldEpochs(db, of: row, in: control.state)
    let due = Set(held.due(to: member, now: control.now, isNew: true))
    for earlier in control.epochs where due.contains(earlier.key.id) {
      let wrap = try earlier.key.wrap(for: logID, boxKey: card.boxKey)
      try WrapTable.add(db, wrap, to: row)
      wraps.append(wrap)
    }
    try open(chosen, to: member)
    try control.sign()
    guard
      let founding = try CaseView.statements(db, of: row).first(where: { statement in
        if case .founding = statement.content { true } else { false }
      })
    else { throw VaultError(.databaseDamaged) }
    let invitation = Invitation(
      root: row.root, founding: founding, inviter: row.logID,
      wraps: Array(wraps.prefix(1) + wraps.dropFirst().suffix(WrapLimits.ofInvitation)))
    return (try invitation.seal(to: card), chosen)
  }

  /// Seals the keys of chosen entries for an advocate, and says so in the log.
  func open(_ chosen: EntryChoice.Chosen, to member: CaseState.Member) throws {
    guard !chosen.leaves.isEmpty else { return }
    let epoch = try control.current(.advocate(member.firstLogID))
    let slots = try chosen.leaves.map { entry in
      let key = try EntryKeys.key(
        of: entry.ref, leaf: entry.leaf, logID: entry.logID, epochs: control.epochs, db: db)
      let slot = epoch.key.slot(for: key, leaf: entry.leaf, logID: entry.logID)
      try db.execute(
        cached: "INSERT OR REPLACE INTO slot(leaf_ref, epoch, box, is_valid) VALUES (?, ?, ?, 1)",
        arguments: [entry.ref, slot.epoch.bytes.data, slot.box.data])
      return slot
    }
    for share in Self.shares(slots, epoch: epoch.key.id) { try control.append(.share(share)) }
  }

  /// As many shares as it takes: one names a bounded number of ranges.
  private static func shares(_ slots: [Slot], epoch: EpochID) -> [Control.Share] {
    var shares: [Control.Share] = []
    var ranges: [Control.Share.Range] = []
    var first = 0
    func close(at end: Int) {
      shares.append(
        .init(
          epoch: epoch, entries: ranges, slotBatch: Slot.batchHash(Array(slots[first..<end]))))
      ranges = []
      first = end
    }
    for (index, slot) in slots.enumerated() {
      if let last = ranges.last, last.logID == slot.logID, last.first + last.count == slot.sequence
      {
        ranges[ranges.count - 1] = .init(
          logID: last.logID, first: last.first, count: last.count + 1)
        continue
      }
      if ranges.count == Limits.ranges { close(at: index) }
      ranges.append(.init(logID: slot.logID, first: slot.sequence, count: 1))
    }
    close(at: slots.count)
    return shares
  }
}
