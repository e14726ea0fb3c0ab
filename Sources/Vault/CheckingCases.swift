internal import CaseLog
internal import Cryptography
internal import GRDB
internal import VerifiableLog

/// Compares the rows of one case with what its logs signed.
struct CaseChecker {
  private let db: Database
  private let row: CaseRow
  private let epochs: [LoadedEpoch]
  private let depth: CheckDepth

  init(_ db: Database, of row: CaseRow, keys: VaultKeys, depth: CheckDepth) throws {
    self.db = db
    self.row = row
    self.depth = depth
    epochs = try depth == .quick ? [] : LoadedEpoch.all(db, of: row, keys: keys)
  }

  func run(
    _ outcome: inout CheckOutcome, onBytes: (Int) throws(VaultError) -> Void
  ) throws {
    guard depth != .quick else { return try runQuickly(&outcome) }
    let state = try CaseView.state(db, of: row)
    if state.isStoppedByNewerVersion { outcome.note(.newerVersion) }
    for violation in state.violations {
      outcome.note(.violation(violation.logID, sequence: violation.sequence))
    }
    for log in try Row.fetchAll(
      db, sql: "SELECT * FROM log WHERE case_ref = ? ORDER BY log_id", arguments: [row.ref])
    {
      let logID: LogID = try log.identifier("log_id")
      if log.hasValue("forked_at") { outcome.note(.fork(logID)) }
      if try !checkLog(log, logID, &outcome, onBytes) { outcome.note(.log(logID)) }
    }
  }

  /// The signed head of each log, and that it fits what is stored of the tree; no leaf is read.
  private func runQuickly(_ outcome: inout CheckOutcome) throws {
    outcome.entryCount +=
      try Int.fetchOne(
        db, sql: "SELECT count(*) FROM listing WHERE case_ref = ?", arguments: [row.ref]) ?? 0
    for log in try Row.fetchAll(
      db, sql: "SELECT * FROM log WHERE case_ref = ? ORDER BY log_id", arguments: [row.ref])
    {
      let logID: LogID = try log.identifier("log_id")
      if log.hasValue("forked_at") { outcome.note(.fork(logID)) }
      let root = try log.bytes32("root")
      let size = log.number("size")
      var isSound = try CompactRange(row: log).root == root
      if let head = try signedHead(of: log) {
        isSound =
          isSound && head.size == log.number("note_size")
          && (head.size < size || head.size == size && head.root == root)
      } else {
        isSound = isSound && log.number("note_size") == 0
      }
      if !isSound { outcome.note(.log(logID)) }
    }
  }

  /// The head whose signature holds; nil where there is none, or it does not hold.
  private func signedHead(of log: Row) throws -> VerifiedCheckpoint? {
    guard let note = log.bytesIfAny("note") else { return nil }
    let key = try VerifyingKey(try log.bytes32("signing_key"))
    do {
      return try VerifiedCheckpoint(
        verifying: note, of: LogIdentity(caseID: row.caseID.raw, key: key))
    } catch {
      return nil
    }
  }

  /// Leaves to tree, tree to the stored root and to the signed head; each ciphertext to its leaf.
  private func checkLog(
    _ log: Row, _ logID: LogID, _ outcome: inout CheckOutcome,
    _ onBytes: (Int) throws(VaultError) -> Void
  ) throws -> Bool {
    let leaves = try Row.fetchCursor(
      db,
      sql: """
        SELECT l.*, e.parts, e.problem FROM leaf l LEFT JOIN entry e ON e.id = l.id
        WHERE l.log_ref = ? ORDER BY l.sequence
        """, arguments: [log["id"] as Int64])
    var tree = CompactRange()
    var rootAtHead: Bytes32?
    let headSize = log.number("note_size")
    while let record = try leaves.next() {
      let leaf = try LeafData(parsing: record.bytes("data"))
      guard leaf.sequence == tree.size,
        EntryID(log: logID, leaf: leaf) == (try record.identifier("entry_id"))
      else { return false }
      tree.append(leaf.hash)
      if tree.size == headSize { rootAtHead = tree.root }
      if leaf.entryClass != .control { outcome.entryCount += 1 }
      try checkEntry(record, leaf, logID, &outcome, onBytes)
    }
    guard tree.size == log.number("size"), tree.root == (try log.bytes32("root")) else {
      return false
    }
    guard log.hasValue("note") else { return headSize == 0 }
    guard let head = try signedHead(of: log) else { return false }
    return head.size == headSize && head.root == rootAtHead
  }

  private func checkEntry(
    _ record: Row, _ leaf: LeafData, _ logID: LogID, _ outcome: inout CheckOutcome,
    _ onBytes: (Int) throws(VaultError) -> Void
  ) throws {
    guard let ciphertext = record.bytesIfAny("ciphertext") else { return }
    try onBytes(ciphertext.count)
    let id: EntryID = try record.identifier("entry_id")
    guard SealedEntry.hash(ciphertext) == leaf.ciphertextHash else {
      outcome.note(.ciphertext(id))
      return
    }
    let problem: String? = record["problem"]
    guard let shown = record.bytesIfAny("parts"), problem == nil else { return }
    do {
      let key = try EntryKeys.key(
        of: record["id"], leaf: leaf, logID: logID, epochs: epochs, db: db)
      let opened = try SealedEntry(leaf: leaf, ciphertext: ciphertext).open(
        at: EntryPlace(caseID: row.caseID, logID: logID, sequence: leaf.sequence), key: key)
      guard PartList.encode(opened.disclosedParts) == shown else {
        throw VaultError(.databaseDamaged)
      }
    } catch {
      outcome.note(.view(id))
    }
  }
}
