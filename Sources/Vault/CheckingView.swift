internal import CaseLog
internal import Cryptography
internal import GRDB
internal import VerifiableLog

/// Compares what is shown and found of one case's entries with what they say. All of that follows from what was
/// signed and sealed, so that a piece of the database which is older than the rest shows here.
struct ViewChecker {
  private let db: Database
  private let row: CaseRow
  private let state: CaseState
  private let epochs: [LoadedEpoch]
  /// Entries that are to be gone from this copy.
  private let destroyed: Set<EntryID>
  /// Own ones that somebody erased, whether it has an effect or not: they may be locked.
  private let erasedOnce: Set<EntryID>

  init(_ db: Database, of row: CaseRow, in state: CaseState, epochs: [LoadedEpoch]) throws {
    self.db = db
    self.row = row
    self.state = state
    self.epochs = epochs
    let noted = try ErasureTable.all(db, in: row)
    // What this device erased, it destroyed with the same commit.
    destroyed = Set(
      noted.filter { $0.isDestroyed }.map { $0.entry }
        + state.erasures.filter { $0.logID == row.logID }.map(\.entry))
    erasedOnce = Set(
      noted.map { $0.entry } + state.erasures.map(\.entry) + state.keptErasures.map(\.entry))
  }

  /// A leaf with what stands of it in the tables.
  struct Place {
    let record: Row
    let leaf: LeafData
    let log: LogIdentity
    let id: EntryID
    /// The first receipt that covers it.
    let existedBy: Int64?
    var ref: Int64 { record["id"] }
  }

  func check(_ place: Place, _ outcome: inout CheckOutcome) throws {
    if destroyed.contains(place.id), try isStillHere(place) {
      outcome.note(.erasure(place.id))
      return
    }
    let shown: Shown
    do {
      guard let found = try whatIsShown(place) else {
        outcome.note(.view(place.id))
        return
      }
      shown = found
    } catch {
      outcome.note(.view(place.id))
      return
    }
    guard place.leaf.entryClass != .control else { return }
    do {
      if try !hasAttachments(shown.content, place.ref) { outcome.note(.view(place.id)) }
      let isLaid = try shown.listed.isLaid(
        db, leaf: place.ref, class: place.record["class"], log: place.record["log_ref"],
        case: row.ref, existedBy: place.existedBy)
      if !isLaid { outcome.note(.index(place.id)) }
    } catch {
      outcome.note(.index(place.id))
    }
  }

  private func isStillHere(_ place: Place) throws -> Bool {
    if place.record.hasValue("ciphertext") || place.record.hasValue("parts") { return true }
    return try Row.fetchOne(
      db,
      cached: """
        SELECT 1 FROM slot WHERE leaf_ref = ?1 UNION ALL
        SELECT 1 FROM duplicate WHERE case_ref = ?2 AND entry_ref = ?1
        """, arguments: [place.ref, row.ref]) != nil
  }

  // MARK: - The entry itself

  private struct Shown {
    let listed: ListedEntry
    let content: EntryContent?
  }

  /// What the row of an entry says, nil if that is not what was sealed.
  private func whatIsShown(_ place: Place) throws -> Shown? {
    let record = place.record
    let opened = try reopened(place)
    guard let parts = record.bytesIfAny("parts") else {
      guard case .locked = opened, try !isOwnAndHere(place) else { return nil }
      return Shown(listed: .locked, content: nil)
    }
    let kind = EntryKind(code: record.number("kind"))
    let notBefore = record.hasValue("not_before") ? record.number("not_before") : nil
    guard record["entry_case"] == row.ref else { return nil }
    if record.hasValue("problem") {
      return Shown(
        listed: ListedEntry(kind: kind, clock: nil, notBefore: notBefore, content: nil),
        content: nil)
    }
    guard case .open(let entry) = opened, entry.header.kind == kind,
      PartList.encode(entry.disclosedParts) == parts,
      entry.context?.clock ?? 0 == record.number("clock"),
      hasFrontier(record, entry), try hasLowerBound(record, entry, place.log)
    else { return nil }
    let content = entry.entryClass == .control ? nil : try EntryContent(of: entry)
    return Shown(
      listed: ListedEntry(
        kind: kind, clock: record.number("clock"), notBefore: notBefore, content: content),
      content: content)
  }

  /// What this device entered itself it can open, but for what was erased once and came again in part.
  private func isOwnAndHere(_ place: Place) throws -> Bool {
    place.log.id == row.logID && place.record.hasValue("ciphertext")
      && !erasedOnce.contains(place.id)
  }

  private enum Reopened {
    case locked
    case open(OpenedEntry)
    /// It breaks a rule.
    case broken
  }

  private func reopened(_ place: Place) throws -> Reopened {
    guard let ciphertext = place.record.bytesIfAny("ciphertext"), let key = try key(of: place)
    else { return .locked }
    do throws(CaseLogError) {
      return .open(
        try SealedEntry(leaf: place.leaf, ciphertext: ciphertext).open(
          at: EntryPlace(
            caseID: row.caseID, logID: place.log.id, sequence: place.leaf.sequence), key: key))
    } catch {
      switch error {
      case .locked, .commitmentMismatch: return .locked
      default: return .broken
      }
    }
  }

  /// Of an entry in view out of a slot that was found good; of another one, out of any.
  private func key(of place: Place) throws -> SecretKey? {
    let isInView = place.record.hasValue("parts")
    let slots = try Row.fetchAll(
      db, cached: "SELECT epoch, box FROM slot WHERE leaf_ref = ? AND is_valid >= ? ORDER BY epoch",
      arguments: [place.ref, isInView])
    for record in slots {
      let slot = Slot(
        logID: place.log.id, sequence: place.leaf.sequence,
        epoch: try record.identifier("epoch"), box: record.bytes("box"))
      guard let epoch = epochs.first(where: { $0.key.id == slot.epoch }) else { continue }
      do throws(CaseLogError) {
        return try epoch.key.open(slot, leaf: place.leaf)
      } catch {
        if isInView { throw error }
      }
    }
    return nil
  }

  /// Databases that are older than the column have none.
  private func hasFrontier(_ record: Row, _ entry: OpenedEntry) -> Bool {
    guard let laid = record.bytesIfAny("frontier") else { return true }
    return laid == Frontier.encode(entry.context?.frontier ?? [])
  }

  /// Whether the entry embeds the receipt that is named as its newest. Of members who were not known when it came
  /// none is, and one who is not known any more cannot be asked.
  private func hasLowerBound(
    _ record: Row, _ entry: OpenedEntry, _ log: LogIdentity
  ) throws -> Bool {
    guard record.hasValue("not_before") else { return true }
    guard let member = state.member(try record.identifier("not_before_witness")) else {
      return true
    }
    let time = record.number("not_before")
    return entry.context?.receipts.contains {
      Receipts.time(of: $0, over: log, by: member) == time
    } ?? false
  }

  // MARK: - Attachments

  private func hasAttachments(_ content: EntryContent?, _ leaf: Int64) throws -> Bool {
    var expected: [UInt64: LaidBlob] = [:]
    for attachment in content?.attachments ?? [] {
      guard let blob = attachment.blob, expected[attachment.number] == nil else { continue }
      expected[attachment.number] = LaidBlob(
        root: blob.root, size: BlobTable.sealedSize(of: attachment.size))
    }
    let laid = try Row.fetchAll(
      db,
      cached: """
        SELECT a.number, b.root, b.sealed_size FROM attachment a
        JOIN blob b ON b.id = a.blob_ref WHERE a.entry_ref = ?
        """, arguments: [leaf])
    guard laid.count == expected.count else { return false }
    return try laid.allSatisfy { record in
      expected[record.number("number")]
        == LaidBlob(root: try record.identifier("root"), size: record.number("sealed_size"))
    }
  }

  private struct LaidBlob: Hashable {
    let root: BlobRoot
    let size: UInt64
  }
}

/// Whether this device has the keys of a case that it should have.
struct CaseKeysChecker {
  let db: Database
  let row: CaseRow
  let state: CaseState
  let keys: VaultKeys

  func run(_ outcome: inout CheckOutcome) throws {
    let held = Set(
      try Row.fetchAll(
        db, cached: "SELECT epoch FROM epoch WHERE case_ref = ?", arguments: [row.ref]
      )
      .map { try $0.identifier("epoch") as EpochID })
    for epoch in state.epochs where epoch.logID == row.logID && !held.contains(epoch.id) {
      outcome.note(.caseKey(epoch.id))
    }
    try checkWraps(held, &outcome)
    try checkSlots(&outcome)
  }

  /// A key that was wrapped for this device was taken when it came.
  private func checkWraps(_ held: Set<EpochID>, _ outcome: inout CheckOutcome) throws {
    let wraps = try Row.fetchAll(
      db, cached: "SELECT bytes FROM wrap WHERE case_ref = ? AND recipient = ?",
      arguments: [row.ref, row.logID.bytes.data]
    ).map { try Wrap(decoding: $0.bytes("bytes")) }.filter { !held.contains($0.epoch) }
    guard !wraps.isEmpty else { return }
    let device = try DeviceKeys.load(db, case: row.ref, keys: keys)
    for wrap in wraps {
      let verdict = try Absorber.judge(
        db, wrap, with: device.box, of: row, keys: keys, in: state)
      if case .good = verdict { outcome.note(.caseKey(wrap.epoch)) }
    }
  }

  /// Of what is open, and under a key that is here, each slot was proven when it came.
  private func checkSlots(_ outcome: inout CheckOutcome) throws {
    let unproven = try Row.fetchCursor(
      db,
      sql: """
        SELECT DISTINCT l.entry_id FROM epoch p JOIN slot s ON s.epoch = p.epoch AND s.is_valid = 0
        JOIN entry e ON e.id = s.leaf_ref JOIN leaf l ON l.id = s.leaf_ref
        WHERE p.case_ref = ? AND e.case_ref = p.case_ref
        """, arguments: [row.ref])
    while let record = try unproven.next() {
      outcome.note(.index(try record.identifier("entry_id")))
    }
  }
}

/// The first receipts over a log, for one leaf after the other.
struct FirstReceipts {
  /// By falling size, each with the least time of those that cover as much.
  private var receipts: [(size: UInt64, time: Int64)] = []

  init(_ db: Database, over log: Int64) throws {
    let rows = try Row.fetchCursor(
      db, sql: "SELECT size, time FROM receipt WHERE log_ref = ? ORDER BY size DESC",
      arguments: [log])
    while let row = try rows.next() {
      let time: Int64 = row["time"]
      let least = min(time, receipts.last?.time ?? time)
      // Only where a smaller size has an earlier time does it say anything.
      if receipts.last?.time == least { continue }
      receipts.append((row.number("size"), least))
    }
  }

  /// - Parameter sequence: never less than that of the leaf before.
  mutating func first(covering sequence: UInt64) -> Int64? {
    while let last = receipts.last, last.size <= sequence { receipts.removeLast() }
    return receipts.last?.time
  }
}
