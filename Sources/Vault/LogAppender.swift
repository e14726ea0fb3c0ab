internal import CaseLog
internal import Cryptography
internal import GRDB
internal import VerifiableLog

/// Appends entries to this device's log of a case, within one transaction: the entries, and the one
/// checkpoint that signs them, are stored together or not at all.
final class LogAppender {
  let db: Database
  let row: CaseRow
  /// The case as it was before this appends to it.
  let state: CaseState
  private let surroundings: Surroundings
  private let logRef: Int64
  private var tree: CompactRange
  private var hasToldFrontier = false
  /// What the full-text index lacks of what was appended.
  private var unsearched: [(leaf: Int64, tokens: String)] = []
  /// Receipts that no entry embeds yet; the first entry of a batch carries them.
  private var receipts: (notes: [[UInt8]], newest: OwnEntry.Receipt?)

  struct Appended {
    let id: EntryID
    let leafRef: Int64
    let leaf: LeafData
    let sequence: UInt64
  }

  init(_ db: Database, of row: CaseRow, surroundings: Surroundings) throws {
    self.db = db
    self.row = row
    self.surroundings = surroundings
    guard
      let log = try Row.fetchOne(
        db, cached: "SELECT * FROM log WHERE case_ref = ? AND log_id = ?",
        arguments: [row.ref, row.logID.bytes.data])
    else { throw VaultError(.databaseDamaged) }
    state = try CaseView.state(db, of: row)
    guard !state.isStoppedByNewerVersion else { throw VaultError(.newerVersion) }
    logRef = log["id"]
    tree = try CompactRange(row: log)
    receipts = try Self.takeReceipts(db, ownLog: logRef)
  }

  /// Appends entries under keys of their own, sealed to the epochs of each, and lays them into the view.
  /// They are sealed on other cores while those before are stored.
  func append(_ drafts: [EntryDraft]) throws -> [Appended] {
    let (row, first) = (row, tree.size)
    let contexts = try drafts.map { try takeContext(of: $0.kind) }
    let sealing = WorkAhead(count: drafts.count) { index in
      let (context, notBefore) = contexts[index]
      return Result { () throws(VaultError) in
        try OwnEntry(
          sealing: drafts[index], context: context, at: row.place(first + UInt64(index)),
          notBefore: notBefore, key: SecretKey.random())
      }
    }
    var appended: [Appended] = []
    while appended.count < drafts.count {
      let count = min(drafts.count - appended.count, Database.rowsAtOnce)
      appended += try store(try (0..<count).map { _ in try sealing.take().get() })
    }
    return appended
  }

  /// Appends one entry under `key`; slots come from the caller.
  func append(
    kind: EntryKind, parts: [Part], key: borrowing SecretKey
  ) throws -> Appended {
    let (context, notBefore) = try takeContext(of: kind)
    let entry = try OwnEntry(
      sealing: EntryDraft(kind: kind, parts: parts), context: context, at: row.place(tree.size),
      notBefore: notBefore, key: key)
    return try store([entry])[0]
  }

  /// What an entry says of its surroundings, and the newest receipt that it embeds.
  private func takeContext(
    of kind: EntryKind
  ) throws -> (EntryContext, notBefore: OwnEntry.Receipt?) {
    let context = EntryContext(
      clock: surroundings.now(),
      frontier: try takeFrontier(isControl: kind.entryClass == .control), receipts: receipts.notes)
    let notBefore = receipts.newest
    receipts = ([], nil)
    return (context, notBefore)
  }

  /// Stores entries that follow each other, and lays them into the view.
  ///
  /// - Throws: `.logFull` for more than any other copy would take.
  private func store(_ entries: [OwnEntry]) throws -> [Appended] {
    guard tree.size + UInt64(entries.count) <= Limits.entriesOfLog else {
      throw VaultError(.logFull)
    }
    let highest = try Int64.fetchOne(db, cached: "SELECT max(id) FROM leaf") ?? 0
    let stored = zip(1..., entries).map { (leaf: highest + $0, entry: $1) }
    try db.insert(
      stored, into: "leaf(id, log_ref, sequence, class, data, entry_id, ciphertext)"
    ) { leaf, entry in
      (
        leaf, logRef, Int64(entry.place.sequence), Int64(entry.sealed.leaf.classByte),
        entry.sealed.leaf.bytes, entry.id.raw, entry.sealed.ciphertext
      )
    }
    try insert(stored.flatMap { leaf, entry in entry.slots.map { (leaf, $0) } })
    try ViewTable.insertOwn(db, stored, log: logRef, case: row.ref)
    return stored.map { leaf, entry in
      if let tokens = entry.listed?.tokens, !tokens.isEmpty { unsearched.append((leaf, tokens)) }
      tree.append(entry.leafHash)
      return Appended(
        id: entry.id, leafRef: leaf, leaf: entry.sealed.leaf, sequence: entry.place.sequence)
    }
  }

  /// Seals an appended entry's key for one audience.
  func addSlot(for entry: Appended, key: borrowing SecretKey, epoch: borrowing EpochKey) throws {
    try insert([(entry.leafRef, epoch.slot(for: key, leaf: entry.leaf, logID: row.logID))])
  }

  private func insert(_ slots: [(leaf: Int64, slot: Slot)]) throws {
    try db.insert(slots, into: "slot(leaf_ref, epoch, box, is_valid)") { leaf, slot in
      (leaf, slot.epoch.raw, slot.box, true)
    }
  }

  /// Signs the log's new head. Nothing that was appended counts without it.
  func sign(with key: borrowing SigningKey) throws {
    for (leaf, tokens) in unsearched { try ListedEntry.insertSearch(db, tokens, leaf: leaf) }
    unsearched = []
    let checkpoint = VerifiedCheckpoint(
      signing: key, of: row.logIdentity, size: tree.size, root: tree.root)
    try db.execute(
      cached: """
        UPDATE log SET size = ?1, note_size = ?1, root = ?2, frontier = ?3, note = ?4 WHERE id = ?5
        """,
      arguments: [
        Int64(tree.size), tree.root.bytes.data, tree.encoded.data, checkpoint.bytes.data, logRef,
      ])
  }

  /// Logs that grew since the device's last entry. Control entries tell for themselves, since they are
  /// what every member can open: all that grew since the last one of them.
  private func takeFrontier(isControl: Bool) throws -> [LogPosition] {
    // No other log grows within the transaction.
    guard isControl || !hasToldFrontier else { return [] }
    hasToldFrontier = true
    let told = isControl ? "told_size" : "seen_size"
    let grown = try Row.fetchAll(
      db,
      cached: """
        SELECT log_id, size, root FROM log
        WHERE case_ref = ? AND id <> ? AND size > \(told) ORDER BY log_id
        """, arguments: [row.ref, logRef])
    guard !grown.isEmpty else { return [] }
    try db.execute(
      sql: """
        UPDATE log SET seen_size = size\(isControl ? ", told_size = size" : "") WHERE case_ref = ?
        """, arguments: [row.ref])
    return try grown.map { log in
      LogPosition(
        logID: try log.identifier("log_id"), size: log.number("size"),
        root: try log.bytes32("root"))
    }
  }

  /// The newest of each witness, which says more than her older ones, and a bounded number of them: a member
  /// who gives thousands must not make an entry that others refuse.
  private static func takeReceipts(
    _ db: Database, ownLog: Int64
  ) throws -> (notes: [[UInt8]], newest: OwnEntry.Receipt?) {
    let receipts = try Row.fetchAll(
      db,
      cached: """
        SELECT note, time, witness FROM receipt r WHERE log_ref = ?1 AND is_embedded = 0
          AND size = (SELECT max(o.size) FROM receipt o WHERE o.log_ref = ?1
            AND o.witness = r.witness AND o.is_embedded = 0)
        ORDER BY time DESC, witness LIMIT ?2
        """, arguments: [ownLog, Limits.receiptsOfEntry])
    try db.execute(
      cached: "UPDATE receipt SET is_embedded = 1 WHERE log_ref = ?", arguments: [ownLog])
    let newest = try receipts.max { $0.number("time") < $1.number("time") }.map { receipt in
      (time: receipt.number("time"), witness: try receipt.identifier("witness") as LogID)
    }
    return (try receipts.map { try Receipts.bare($0.bytes("note")) }, newest)
  }
}
