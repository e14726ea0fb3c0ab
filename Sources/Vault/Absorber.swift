internal import CaseLog
internal import Cryptography
internal import GRDB
internal import VerifiableLog

/// Opens what can be opened of a case after something arrived: epoch keys out of wraps, entries out of
/// slots, members out of admissions, until nothing new follows. Runs within the transaction that stored
/// what arrived, so that leaves and view never differ.
struct Absorber {
  private let db: Database
  private let row: CaseRow
  private let keys: VaultKeys

  static func run(_ db: Database, of row: CaseRow, keys: VaultKeys) throws {
    let absorber = Absorber(db: db, row: row, keys: keys)
    var isChanged = true
    while isChanged {
      isChanged = try absorber.addLogsOfMembers()
      if try absorber.openWraps() { isChanged = true }
      if try absorber.openEntries(ofControl: true) { isChanged = true }
    }
    // Nothing further follows from these; what they are held against is whole now.
    _ = try absorber.openEntries(ofControl: false)
    try absorber.proveSlots()
  }

  // MARK: Members

  private func addLogsOfMembers() throws -> Bool {
    var isChanged = false
    for member in try CaseView.state(db, of: row).members {
      try LogTable.addLog(db, case: row.ref, logID: member.logID, key: member.card.signingKey)
      if db.changesCount > 0 { isChanged = true }
    }
    return isChanged
  }

  // MARK: Epochs

  /// A wrap counts when the key in it is the one that its epoch entry commits to, and that entry stands in a
  /// survivor's log.
  private func openWraps() throws -> Bool {
    // One of an epoch whose entry is not here waits without work.
    let wraps = try Row.fetchAll(
      db,
      cached: """
        SELECT w.bytes FROM wrap w JOIN leaf l ON l.entry_id = w.epoch AND l.class = 1
        WHERE w.case_ref = ? AND w.recipient = ? AND NOT EXISTS
          (SELECT 1 FROM epoch e WHERE e.case_ref = w.case_ref AND e.epoch = w.epoch)
        """, arguments: [row.ref, row.logID.bytes.data])
    guard !wraps.isEmpty else { return false }
    // Keys change nothing in it before they have opened something.
    let state = try CaseView.state(db, of: row)
    let device = try DeviceKeys.load(db, case: row.ref, keys: keys)
    var isChanged = false
    for record in wraps {
      let wrap = try Wrap(decoding: record.bytes("bytes"))
      guard try !holds(wrap.epoch) else { continue }
      let key: SecretKey
      do { key = try wrap.open(with: device.box) } catch {
        try drop(wrap)
        continue
      }
      switch try judge(key, of: wrap.epoch, in: state) {
      case .good(let audience):
        try db.execute(
          cached: "INSERT INTO epoch(case_ref, epoch, audience, sealed_key) VALUES (?, ?, ?, ?)",
          arguments: [
            row.ref, wrap.epoch.bytes.data, audience.encoded.data, keys.seal(key).data,
          ])
        isChanged = true
      case .junk: try drop(wrap)
      case .undecided: break
      }
    }
    return isChanged
  }

  /// Whether a wrap for this device holds what it should.
  enum Verdict {
    case good(Audience)
    /// It never will.
    case junk
    /// The epoch's entry is not here, or cannot be opened yet, or not with this key.
    case undecided
  }

  /// - Parameter state: the case as it is now.
  static func judge(
    _ db: Database, _ wrap: Wrap, with own: borrowing BoxKeyPair, of row: CaseRow, keys: VaultKeys,
    in state: CaseState
  ) throws -> Verdict {
    let key: SecretKey
    do { key = try wrap.open(with: own) } catch { return .junk }
    return try Absorber(db: db, row: row, keys: keys).judge(key, of: wrap.epoch, in: state)
  }

  private func judge(
    _ key: borrowing SecretKey, of id: EpochID, in state: CaseState
  ) throws -> Verdict {
    guard let control = try control(of: id, candidate: key, in: state) else { return .undecided }
    guard case .epoch(let epoch) = control else { return .junk }
    let commitment = EpochKey.commitment(caseID: row.caseID, audience: epoch.audience, key: key)
    return commitment == epoch.commitment ? .good(epoch.audience) : .junk
  }

  /// What will never count must not keep out what does.
  private func drop(_ wrap: Wrap) throws {
    try db.execute(
      cached: "DELETE FROM wrap WHERE case_ref = ? AND epoch = ? AND bytes = ?",
      arguments: [row.ref, wrap.epoch.bytes.data, wrap.encoded.data])
  }

  private func holds(_ epoch: EpochID) throws -> Bool {
    try Row.fetchOne(
      db, cached: "SELECT 1 FROM epoch WHERE case_ref = ? AND epoch = ?",
      arguments: [row.ref, epoch.bytes.data]) != nil
  }

  /// What the entry says that a wrap names as its epoch's: already open, or sealed to the very epoch that it begins.
  private func control(
    of epoch: EpochID, candidate: borrowing SecretKey, in state: CaseState
  ) throws -> Control? {
    guard
      let record = try Row.fetchOne(
        db,
        cached: """
          SELECT l.*, g.log_id, e.kind, e.parts FROM leaf l JOIN log g ON g.id = l.log_ref
          LEFT JOIN entry e ON e.id = l.id WHERE l.entry_id = ? AND g.case_ref = ? AND l.class = 1
          """, arguments: [epoch.bytes.data, row.ref]),
      state.member(try record.identifier("log_id"))?.role == .survivor
    else { return nil }
    do {
      if let parts = record.bytesIfAny("parts") {
        return try Control(
          kind: EntryKind(code: record.number("kind")), parts: try PartList.decode(parts))
      } else {
        let key = EpochKey(
          id: epoch, caseID: row.caseID, audience: .everyone, key: candidate.copy())
        guard
          let entry = try locked(record)?.open(with: [LoadedEpoch(key)]).opened?.entry
        else { return nil }
        return try Control(of: entry)
      }
    } catch is CaseLogError {
      return nil
    }
  }

  // MARK: Entries

  private func openEntries(ofControl isControl: Bool) throws -> Bool {
    // Only leaves with a slot for a held epoch can open; the rest stays locked without work.
    let leaves = try Int64.fetchAll(
      db,
      cached: """
        SELECT DISTINCT s.leaf_ref FROM epoch p
        CROSS JOIN slot s ON s.epoch = p.epoch AND s.is_valid = 0
        CROSS JOIN leaf l ON l.id = s.leaf_ref JOIN log g ON g.id = l.log_ref
        WHERE p.case_ref = ? AND g.case_ref = p.case_ref AND (l.class = 1) = ?
          AND l.ciphertext IS NOT NULL AND NOT EXISTS (SELECT 1 FROM entry e WHERE e.id = l.id)
        ORDER BY 1
        """, arguments: [row.ref, isControl])
    guard !leaves.isEmpty else { return false }
    let epochs = try LoadedEpoch.all(db, of: row, keys: keys)
    let state = try CaseView.state(db, of: row)
    var isChanged = false
    var some: [Locked] = []
    var bytes = 0
    for leaf in leaves {
      guard let entry = try locked(leaf) else { continue }
      some.append(entry)
      bytes += entry.ciphertext.count
      guard bytes >= Self.bytesAtOnce || some.count >= Self.entriesAtOnce else { continue }
      if try openEntries(some, with: epochs, in: state) { isChanged = true }
      (some, bytes) = ([], 0)
    }
    if try openEntries(some, with: epochs, in: state) { isChanged = true }
    return isChanged
  }

  /// So many are held in memory, and no more than so much of their ciphertext but for the last.
  private static let entriesAtOnce = 1024
  private static let bytesAtOnce = 4 << 20

  /// Opens some, on all cores, and lays those into the view that could be.
  private func openEntries(
    _ locked: [Locked], with epochs: [LoadedEpoch], in state: CaseState
  ) throws -> Bool {
    let opening = WorkAhead(count: locked.count) { locked[$0].open(with: epochs) }
    var opened: [Opened] = []
    for entry in locked {
      let outcome = opening.take()
      // Under a key that is held it will never open, and must not keep a good one out.
      for slot in outcome.junk {
        try db.run(
          "DELETE FROM slot WHERE leaf_ref = ? AND epoch = ? AND box = ? AND is_valid = 0",
          entry.ref, slot.epoch.raw, slot.box)
      }
      if let one = outcome.opened { opened.append(one) }
    }
    try store(opened, in: state)
    let standing = Set(state.standingMembers.map(\.logID))
    for one in opened where one.problem == nil && standing.contains(one.slot.logID) {
      try noteSizes(of: one)
    }
    return !opened.isEmpty
  }

  /// A leaf with what could open it.
  private func locked(_ ref: Int64) throws -> Locked? {
    try Row.fetchOne(
      db,
      cached: """
        SELECT l.id, l.data, l.ciphertext, g.log_id FROM leaf l JOIN log g ON g.id = l.log_ref
        WHERE l.id = ?
        """, arguments: [ref]
    ).flatMap { try locked($0) }
  }

  private func locked(_ record: Row) throws -> Locked? {
    guard let ciphertext = record.bytesIfAny("ciphertext") else { return nil }
    let ref: Int64 = record["id"]
    let leaf = try LeafData(parsing: record.bytes("data"))
    let place = EntryPlace(
      caseID: row.caseID, logID: try record.identifier("log_id"), sequence: leaf.sequence)
    let slots = try Row.fetchAll(
      db, cached: "SELECT epoch, box FROM slot WHERE leaf_ref = ?", arguments: [ref]
    ).map {
      Slot(
        logID: place.logID, sequence: leaf.sequence, epoch: try $0.identifier("epoch"),
        box: $0.bytes("box"))
    }
    return Locked(ref: ref, place: place, leaf: leaf, ciphertext: ciphertext, slots: slots)
  }

  /// An entry as it came.
  private struct Locked: Sendable {
    /// The row of its leaf.
    let ref: Int64
    let place: EntryPlace
    let leaf: LeafData
    let ciphertext: [UInt8]
    let slots: [Slot]

    /// - Returns: what it says, if one of the keys opens it; and slots for these keys that open nothing. Only of keys
    ///   that were checked against their commitment these are junk: under a key that somebody merely claims it
    ///   may well be the good slot.
    func open(with epochs: [LoadedEpoch]) -> (opened: Opened?, junk: [Slot]) {
      let sealed = SealedEntry(leaf: leaf, ciphertext: ciphertext)
      var junk: [Slot] = []
      for slot in slots {
        guard let epoch = epochs.first(where: { $0.key.id == slot.epoch }) else { continue }
        do throws(CaseLogError) {
          let key = try epoch.key.open(slot, leaf: leaf)
          let entry = try sealed.open(at: place, key: key)
          return (opened(by: slot, entry), junk)
        } catch {
          switch error {
          case .locked, .commitmentMismatch: junk.append(slot)
          default: return (opened(by: slot, nil, error), junk)
          }
        }
      }
      return (nil, junk)
    }

    private func opened(
      by slot: Slot, _ entry: OpenedEntry?, _ problem: CaseLogError? = nil
    ) -> Opened {
      Opened(
        leaf: ref, isControl: leaf.entryClass == .control, slot: slot, entry: entry,
        problem: problem)
    }
  }

  private struct Opened: Sendable {
    let leaf: Int64
    let isControl: Bool
    let slot: Slot
    /// Nil for a violation, which is kept with its reason.
    let entry: OpenedEntry?
    let problem: CaseLogError?
  }

  private func store(_ opened: [Opened], in state: CaseState) throws {
    for one in opened {
      try db.run(
        "UPDATE slot SET is_valid = 1 WHERE leaf_ref = ? AND epoch = ? AND box = ?", one.leaf,
        one.slot.epoch.raw, one.slot.box)
    }
    let entries = opened.map { entry($0, in: state) }
    try ViewTable.insert(db, entries, case: row.ref)
    let ofOthers = opened.filter { !$0.isControl && $0.slot.logID != row.logID }
    try db.insert(ofOthers, into: "unseen(entry_ref)") { $0.leaf }
    for entry in entries {
      for attachment in entry.content?.attachments ?? [] {
        guard let blob = attachment.blob else { continue }
        try BlobTable.expect(
          db, blob.root, size: attachment.size, number: attachment.number, of: entry.leaf)
      }
    }
  }

  private func entry(_ opened: Opened, in state: CaseState) -> ViewTable.Opened {
    var problem = opened.problem
    var content: EntryContent?
    if let entry = opened.entry, entry.entryClass != .control {
      do { content = try EntryContent(of: entry) } catch { problem = error }
    }
    return ViewTable.Opened(
      leaf: opened.leaf, kind: opened.entry?.header.kind ?? EntryKind(code: 0),
      clock: opened.entry?.context?.clock ?? 0,
      parts: problem == nil ? opened.entry?.disclosedParts ?? [] : [],
      content: problem == nil ? content : nil, problem: problem,
      notBefore: opened.entry.flatMap { lowerBound(of: $0, in: state) },
      acknowledged: opened.isControl ? opened.entry?.context?.frontier ?? [] : [])
  }

  /// How long members say that logs are. One who is cut says it no more, and nobody what no log can be.
  private func noteSizes(of opened: Opened) throws {
    for named in opened.entry?.context?.frontier ?? [] where named.size <= Limits.entriesOfLog {
      try db.run(
        "UPDATE log SET named_size = max(named_size, ?) WHERE case_ref = ? AND log_id = ?",
        Int64(clamping: named.size), row.ref, named.logID.raw)
    }
  }

  /// Finds which further slots of entries that are open here are good: so that it is known who else can open
  /// them. A slot follows from the entry's key and the epoch's, so it is made again and compared.
  private func proveSlots() throws {
    let records = try Row.fetchAll(
      db,
      cached: """
        SELECT s.leaf_ref, s.epoch, s.box, l.data, g.log_id FROM epoch p
        JOIN slot s ON s.epoch = p.epoch AND s.is_valid = 0
        JOIN entry e ON e.id = s.leaf_ref
        JOIN leaf l ON l.id = s.leaf_ref JOIN log g ON g.id = l.log_ref
        WHERE p.case_ref = ? AND g.case_ref = p.case_ref
        """, arguments: [row.ref])
    guard !records.isEmpty else { return }
    let epochs = try LoadedEpoch.all(db, of: row, keys: keys)
    for record in records {
      let leafRef: Int64 = record["leaf_ref"]
      let id: EpochID = try record.identifier("epoch")
      let leaf = try LeafData(parsing: record.bytes("data"))
      let logID: LogID = try record.identifier("log_id")
      guard let epoch = epochs.first(where: { $0.key.id == id }),
        let key = try EntryKeys.keyIfAny(
          of: leafRef, leaf: leaf, logID: logID, epochs: epochs, db: db)
      else { continue }
      let isGood = epoch.key.slot(for: key, leaf: leaf, logID: logID).box == record.bytes("box")
      try db.execute(
        sql: isGood
          ? "UPDATE slot SET is_valid = 1 WHERE leaf_ref = ? AND epoch = ? AND box = ?"
          : "DELETE FROM slot WHERE leaf_ref = ? AND epoch = ? AND box = ?",
        arguments: [leafRef, id.bytes.data, record.bytes("box").data])
    }
  }

  /// The newest receipt that the entry embeds: valid, and over this log by another member.
  private func lowerBound(
    of entry: OpenedEntry, in state: CaseState
  ) -> (time: UInt64, witness: LogID)? {
    guard let context = entry.context, !context.receipts.isEmpty,
      let author = state.member(entry.header.logID)
    else { return nil }
    let identity = LogIdentity(caseID: row.caseID.raw, key: author.card.signingKey)
    var newest: (time: UInt64, witness: LogID)?
    for note in context.receipts {
      for member in state.members where member.logID != author.logID {
        guard let time = Receipts.time(of: note, over: identity, by: member),
          time > newest?.time ?? 0
        else { continue }
        newest = (time, member.logID)
      }
    }
    return newest
  }
}
