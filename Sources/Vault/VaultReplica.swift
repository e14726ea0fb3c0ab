internal import CaseLog
internal import Cryptography
internal import GRDB
internal import Sync
internal import Synchronization
internal import VerifiableLog

/// One case of the vault as an exchange sees it. What it accepts is stored in one transaction a call,
/// together with all that can be opened of it.
struct VaultReplica: Replica {
  typealias Failure = VaultError

  let row: CaseRow
  let database: SealedDatabase
  let keys: VaultKeys
  let store: BlobStore
  let surroundings: Surroundings
  /// Who meets in the mailbox.
  var audience = MailboxAudience.everyone
  private let known = KnownLogs()

  var caseID: Bytes32 { row.caseID.raw }
  var ownLog: LogID { row.logID }

  func read<Value>(_ body: (Database) throws -> Value) throws(VaultError) -> Value {
    try database.read(body)
  }

  /// Nothing of our own log changes here, so the anchor stays as it is.
  func write<Value>(_ body: (Database) throws -> Value) throws(VaultError) -> Value {
    try database.write(body)
  }

  static func logRef(_ db: Database, _ row: CaseRow, _ log: LogID) throws -> Int64 {
    guard
      let ref = try Int64.fetchOne(
        db, cached: "SELECT id FROM log WHERE case_ref = ? AND log_id = ?",
        arguments: [row.ref, log.bytes.data])
    else { throw VaultError(.notAMember) }
    return ref
  }
}

/// The logs of a case, evaluated once for as long as nothing changes: an exchange asks for them again and again.
private final class KnownLogs: Sendable {
  private let known = Mutex<(changes: Int, logs: [HeldLog])?>(nil)

  /// - Parameter changes: how many rows this connection, the only one, has changed in all. Of what it took back
  ///   again nothing is seen in a snapshot.
  func logs(after changes: Int, _ evaluate: () throws -> [HeldLog]) throws -> [HeldLog] {
    if let known = known.withLock({ $0 }), known.changes == changes { return known.logs }
    let logs = try evaluate()
    known.withLock { $0 = (changes, logs) }
    return logs
  }
}

// MARK: - Logs

extension VaultReplica {
  func logs() throws(VaultError) -> [HeldLog] {
    try read { db in
      try known.logs(after: db.totalChangesCount) { try logs(db) }
    }
  }

  private func logs(_ db: Database) throws -> [HeldLog] {
    try CaseView.state(db, of: row).members.compactMap { member in
      guard
        let log = try Row.fetchOne(
          db, cached: "SELECT * FROM log WHERE case_ref = ? AND log_id = ?",
          arguments: [row.ref, member.logID.bytes.data])
      else { return nil }
      return HeldLog(
        identity: LogIdentity(caseID: row.caseID.raw, key: member.card.signingKey),
        receiptKey: member.card.receiptKey, tree: try CompactRange(row: log),
        head: log.bytesIfAny("note").map { HeldHead(size: log.number("note_size"), note: $0) })
    }
  }

  func leaves(of log: LogID, in run: Range<UInt64>) throws(VaultError) -> [LeafData] {
    try read { db in
      try Row.fetchAll(
        db,
        cached: """
          SELECT data FROM leaf WHERE log_ref = ? AND sequence >= ? AND sequence < ? ORDER BY sequence
          """,
        arguments: [
          try Self.logRef(db, row, log), Int64(run.lowerBound), Int64(run.upperBound),
        ]
      ).map { try LeafData(parsing: $0.bytes("data")) }
    }
  }

  func entries(
    of log: LogID, in run: Range<UInt64>, byteBudget: Int
  ) throws(VaultError) -> [WireEntry] {
    try read { db in
      let privacy = try EntryPrivacy(db, of: row, log: log, in: audience, keys: keys)
      let leaves = try Row.fetchCursor(
        db,
        sql: """
          SELECT id, data, ciphertext FROM leaf WHERE log_ref = ? AND sequence >= ? AND sequence < ?
          ORDER BY sequence
          """,
        arguments: [
          try Self.logRef(db, row, log), Int64(run.lowerBound), Int64(run.upperBound),
        ])
      var entries: [WireEntry] = []
      var bytes = 0
      while bytes <= byteBudget, let record = try leaves.next() {
        entries.append(try wireEntry(record, privacy, db))
        bytes += 128 + (record.bytesIfAny("ciphertext")?.count ?? 0)
      }
      return entries
    }
  }

  /// What only the survivor's devices may have goes as its leaf alone.
  private func wireEntry(
    _ record: Row, _ privacy: EntryPrivacy, _ db: Database
  ) throws -> WireEntry {
    let leaf = try LeafData(parsing: record.bytes("data"))
    // Those that opened something first, of which there may be too many. (SQLite would sort them in a way that
    // costs more than all the rest.)
    let records = try Row.fetchAll(
      db, cached: "SELECT epoch, box, is_valid FROM slot WHERE leaf_ref = ?",
      arguments: [record["id"] as Int64])
    let slots = try (records.filter { $0["is_valid"] } + records.filter { !$0["is_valid"] })
      .prefix(SyncLimits.slotsOfEntry)
      .map { WireSlot(epoch: try $0.identifier("epoch"), box: $0.bytes("box")) }
    let isSent = try privacy.maySend(leaf, record["id"], db)
    let content: WireEntry.Content
    if isSent, let ciphertext = record.bytesIfAny("ciphertext") {
      content = .ciphertext(ciphertext)
    } else {
      content = .hash(leaf.ciphertextHash)
    }
    return WireEntry(
      classByte: leaf.classByte, commitment: leaf.commitment, content: content,
      slots: isSent ? slots : [])
  }

  /// Where everything goes, as far as everything is here.
  func passableSize(of log: LogID) throws(VaultError) -> UInt64 {
    try read { db in
      let state = try CaseView.state(db, of: row)
      guard audience == .ownDevices, state.member(log)?.role == .survivor else { return .max }
      let lacking = try Row.fetchCursor(
        db,
        sql: """
          SELECT sequence, entry_id FROM leaf WHERE log_ref = ? AND ciphertext IS NULL ORDER BY sequence
          """, arguments: [try Self.logRef(db, row, log)])
      while let leaf = try lacking.next() {
        if try !state.isErased(leaf.identifier("entry_id")) { return leaf.number("sequence") }
      }
      return .max
    }
  }

  mutating func accept(_ range: VerifiedRange) throws(VaultError) -> Bool {
    try write { db in
      let logRef = try Self.logRef(db, row, range.logID)
      let leaves = try insertNewEntries(of: range, logRef: logRef, db)
      var isChanged = !leaves.isEmpty
      for entry in range.entries where entry.leaf.sequence < range.sizeBefore {
        guard let ciphertext = entry.ciphertext else { continue }
        if try SlotTable.fill(db, logRef, entry.leaf.sequence, ciphertext) { isChanged = true }
      }
      let ofHeld = range.slots.filter { $0.sequence < range.sizeBefore }
      if try SlotTable.insert(db, ofHeld, in: row) { isChanged = true }
      try store(range, logRef: logRef, db)
      if isChanged { try Absorber.run(db, of: row, keys: keys) }
      try ViewTable.listLocked(db, leaves: leaves)
      return isChanged
    }
  }

  /// Leaves that were not held, with their slots: many rows a statement.
  ///
  /// - Returns: their rows.
  private func insertNewEntries(
    of range: VerifiedRange, logRef: Int64, _ db: Database
  ) throws -> Range<Int64> {
    let first = (try Int64.fetchOne(db, cached: "SELECT max(id) FROM leaf") ?? 0) + 1
    let destroyed = try ErasureTable.destroyed(db, in: row)
    let entries = zip(first..., range.newEntries).map { leaf, entry in
      let id = EntryID(log: range.logID, leaf: entry.leaf)
      return (leaf: leaf, id: id, entry: entry, isDestroyed: destroyed.contains(id))
    }
    try db.insert(
      entries, into: "leaf(id, log_ref, sequence, class, data, entry_id, ciphertext)"
    ) { leaf, id, entry, isDestroyed in
      (
        leaf, logRef, Int64(entry.leaf.sequence), Int64(entry.leaf.classByte), entry.leaf.bytes,
        id.raw, isDestroyed ? nil : entry.ciphertext
      )
    }
    var known: Set<Slot> = []
    let slots = range.slots.compactMap { slot -> (leaf: Int64, slot: Slot)? in
      guard slot.sequence >= range.sizeBefore, known.insert(slot).inserted else { return nil }
      let place = Int(slot.sequence - range.sizeBefore)
      guard place < entries.count, !entries[place].isDestroyed else { return nil }
      return (entries[place].leaf, slot)
    }
    try db.insert(slots, into: "slot(leaf_ref, epoch, box, is_valid)") { leaf, slot in
      (leaf, slot.epoch.raw, slot.box, false)
    }
    return first..<first + Int64(entries.count)
  }

  private func store(_ range: VerifiedRange, logRef: Int64, _ db: Database) throws {
    guard range.tree.size > range.sizeBefore else { return }
    try db.execute(
      cached: "UPDATE log SET size = ?, root = ?, frontier = ? WHERE id = ?",
      arguments: [
        Int64(range.tree.size), range.tree.root.bytes.data, range.tree.encoded.data, logRef,
      ])
    if let head = range.head {
      try db.execute(
        cached: "UPDATE log SET note = ?, note_size = ? WHERE id = ?",
        arguments: [head.minimalBytes.data, Int64(head.size), logRef])
    }
  }

  func erasedItems() throws(VaultError) -> [ErasedItem] {
    try read { db in try ErasureTable.items(db, in: row, mailbox: audience) }
  }

  func awaitedDevices() throws(VaultError) -> Set<LogID> {
    try read { db in Set(try CaseView.state(db, of: row).standingMembers.map(\.logID)) }
  }

  /// Nothing is remembered of earlier readings: whoever can write in a folder could serve leaves without their
  /// content once, and the good file would never be read again. What is still locked is read anew each time.
  func lacking(of log: LogID) throws(VaultError) -> [Range<UInt64>] {
    try read { db in
      let locked = try Row.fetchCursor(
        db,
        sql: """
          SELECT l.sequence FROM leaf l WHERE l.log_ref = ?
            AND NOT EXISTS (SELECT 1 FROM entry e WHERE e.id = l.id)
            AND NOT EXISTS (SELECT 1 FROM erasure x WHERE x.entry = l.entry_id AND x.is_destroyed = 1)
          ORDER BY l.sequence
          """, arguments: [try Self.logRef(db, row, log)])
      var runs: [Range<UInt64>] = []
      while let leaf = try locked.next() {
        let sequence = leaf.number("sequence")
        if let last = runs.last, last.upperBound == sequence {
          runs[runs.count - 1] = last.lowerBound..<sequence + 1
        } else {
          runs.append(sequence..<sequence + 1)
        }
      }
      return runs
    }
  }
}
