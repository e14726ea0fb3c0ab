internal import CaseLog
internal import Cryptography
internal import GRDB
internal import VerifiableLog

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
  public let entryCount: Int
}

extension OpenVault {
  /// Makes the keys of this device for a case that somebody will share, and their card.
  public func makeCard() throws(VaultError) -> CardOffer {
    let card = try commit { db -> Card in
      let device = NewDevice()
      let card = try device.card(role: .advocate)
      try db.execute(
        sql: """
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

  /// Admits an advocate to a case and opens to her all that the survivor's devices hold of their own now.
  ///
  /// - Parameter words: the card's six words, as heard from its holder.
  /// - Throws: `.cardDamaged`, `.wrongWords`, `.alreadyMember`, `.cardUsed`, `.notAllowed`.
  public func share(
    caseNamed name: String?, with cardText: [UInt8], words: [String]
  ) throws(VaultError) -> ShareOutcome {
    let card = try ComparedWords.card(cardText)
    let row = try read { db in try CaseRow.find(db, name) }
    guard row.role == .survivor, card.role == .advocate else { throw VaultError(.notAllowed) }
    guard ComparedWords.match(words, try ComparedWords.of(card)) else {
      throw VaultError(.wrongWords)
    }
    let (invitation, count) = try commit { db in
      let sharing = try CaseSharing(db, row: row, keys: keys, surroundings: surroundings)
      return try sharing.admit(card, kit: try row.requireKit(), keys: keys)
    }
    return ShareOutcome(
      caseName: row.name, invitation: Armor.invitation.encode(invitation),
      caseWords: try ComparedWords.of(root: row.root), entryCount: count)
  }
}

/// Admission of an advocate (`Protocol/CaseLog.md`, "Start of a case"), within one transaction.
struct CaseSharing {
  private let db: Database
  private let row: CaseRow
  private let appender: LogAppender
  private let epochs: [LoadedEpoch]

  init(
    _ db: Database, row: CaseRow, keys: VaultKeys, surroundings: Surroundings
  ) throws {
    self.db = db
    self.row = row
    appender = try LogAppender(db, of: row, surroundings: surroundings)
    epochs = try LoadedEpoch.all(db, of: row, keys: keys)
  }

  /// The sealed invitation, and how many entries were opened to the new member.
  func admit(
    _ card: Card, kit: BoxPublicKey, keys: VaultKeys
  ) throws -> ([UInt8], Int) {
    try checkIsNew(card)
    guard let everyone = epochs.last(where: { $0.key.audience == .everyone }) else {
      throw VaultError(.databaseDamaged)
    }
    let logID = card.logID(in: row.caseID)
    try appendControl(.admit(.init(card: card, role: .advocate)), everyone: everyone)
    try LogTable.addLog(db, case: row.ref, logID: logID, key: card.signingKey)
    let start = EpochStart(appender: appender, kit: kit)
    let epoch = try start.begin(
      .advocate(logID), members: [row.card, card], everyone: everyone, keys: keys)
    let everyoneWrap = try everyone.key.wrap(for: logID, boxKey: card.boxKey)
    try start.add(everyoneWrap)
    let slots = try openExisting(to: epoch)
    if !slots.isEmpty {
      try appendControl(.share(Self.share(slots, epoch: epoch.key.id)), everyone: everyone)
    }
    try appender.sign(with: try DeviceKeys.load(db, case: row.ref, keys: keys).takeSigning())
    guard
      let founding = try CaseView.statements(db, of: row).first(where: { statement in
        if case .founding = statement.content { true } else { false }
      })
    else { throw VaultError(.databaseDamaged) }
    let invitation = Invitation(
      root: row.root, founding: founding, inviter: row.logID,
      wraps: [everyoneWrap, try epoch.key.wrap(for: logID, boxKey: card.boxKey)])
    return (try invitation.seal(to: card), slots.count)
  }

  private func checkIsNew(_ card: Card) throws {
    for other in try CaseRow.all(db) {
      guard try CaseView.state(db, of: other).member(card.logID(in: other.caseID)) == nil else {
        throw VaultError(other.ref == row.ref ? .alreadyMember : .cardUsed)
      }
    }
  }

  private func appendControl(_ control: Control, everyone: LoadedEpoch) throws {
    let key = SecretKey.random()
    let entry = try appender.append(kind: control.kind, parts: [control.part], key: key)
    try appender.addSlot(for: entry, key: key, epoch: everyone.key)
  }

  /// Seals the keys of this device's own content and notes for the new audience.
  private func openExisting(to epoch: LoadedEpoch) throws -> [Slot] {
    let leaves = try Row.fetchAll(
      db,
      sql: """
        SELECT l.id, l.data FROM leaf l JOIN log g ON g.id = l.log_ref JOIN entry e ON e.id = l.id
        WHERE g.case_ref = ? AND g.log_id = ? AND l.class <> 1 AND e.problem IS NULL ORDER BY l.sequence
        """, arguments: [row.ref, row.logID.bytes.data])
    return try leaves.map { record in
      let leafRef: Int64 = record["id"]
      let leaf = try LeafData(parsing: record.bytes("data"))
      let key = try EntryKeys.key(
        of: leafRef, leaf: leaf, logID: row.logID, epochs: epochs, db: db)
      let slot = epoch.key.slot(for: key, leaf: leaf, logID: row.logID)
      try db.execute(
        sql: "INSERT INTO slot(leaf_ref, epoch, box, is_valid) VALUES (?, ?, ?, 1)",
        arguments: [leafRef, slot.epoch.bytes.data, slot.box.data])
      return slot
    }
  }

  private static func share(_ slots: [Slot], epoch: EpochID) -> Control.Share {
    var ranges: [Control.Share.Range] = []
    for slot in slots {
      if let last = ranges.last, last.logID == slot.logID, last.first + last.count == slot.sequence
      {
        ranges[ranges.count - 1] = .init(
          logID: last.logID, first: last.first, count: last.count + 1)
      } else {
        ranges.append(.init(logID: slot.logID, first: slot.sequence, count: 1))
      }
    }
    return Control.Share(epoch: epoch, entries: ranges, slotBatch: Slot.batchHash(slots))
  }
}

/// Keys of entries, out of their slots.
enum EntryKeys {
  /// The key in a slot that was found valid.
  static func key(
    of leafRef: Int64, leaf: LeafData, logID: LogID, epochs: [LoadedEpoch], db: Database
  ) throws -> SecretKey {
    let slots = try Row.fetchAll(
      db, sql: "SELECT epoch, box FROM slot WHERE leaf_ref = ? AND is_valid = 1",
      arguments: [leafRef])
    for row in slots {
      let slot = Slot(
        logID: logID, sequence: leaf.sequence, epoch: try row.identifier("epoch"),
        box: row.bytes("box"))
      guard let epoch = epochs.first(where: { $0.key.id == slot.epoch }) else { continue }
      return try epoch.key.open(slot, leaf: leaf)
    }
    throw VaultError(.entryLocked)
  }
}
