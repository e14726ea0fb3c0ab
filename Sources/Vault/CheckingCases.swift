internal import CaseLog
internal import Cryptography
internal import GRDB
internal import VerifiableLog

/// Compares the rows of one case with what its logs signed, and what is shown with what was sealed.
struct CaseChecker {
  private let db: Database
  private let row: CaseRow
  private let keys: VaultKeys
  private let depth: CheckDepth

  init(_ db: Database, of row: CaseRow, keys: VaultKeys, depth: CheckDepth) {
    self.db = db
    self.row = row
    self.keys = keys
    self.depth = depth
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
    let view = try ViewChecker(
      db, of: row, in: state, epochs: try LoadedEpoch.all(db, of: row, keys: keys))
    for log in try Row.fetchAll(
      db, cached: "SELECT * FROM log WHERE case_ref = ? ORDER BY log_id", arguments: [row.ref])
    {
      let logID: LogID = try log.identifier("log_id")
      if log.hasValue("forked_at") { outcome.note(.fork(logID)) }
      if try !checkLog(log, view, &outcome, onBytes) { outcome.note(.log(logID)) }
    }
    try CaseKeysChecker(db: db, row: row, state: state, keys: keys).run(&outcome)
  }

  /// The signed head of each log, and that it fits what is stored of the tree; no leaf is read.
  private func runQuickly(_ outcome: inout CheckOutcome) throws {
    outcome.entryCount +=
      try Int.fetchOne(
        db, cached: "SELECT count(*) FROM listing WHERE case_ref = ?", arguments: [row.ref]) ?? 0
    for log in try Row.fetchAll(
      db, cached: "SELECT * FROM log WHERE case_ref = ? ORDER BY log_id", arguments: [row.ref])
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
    _ log: Row, _ view: ViewChecker, _ outcome: inout CheckOutcome,
    _ onBytes: (Int) throws(VaultError) -> Void
  ) throws -> Bool {
    let logID: LogID = try log.identifier("log_id")
    let identity = LogIdentity(
      caseID: row.caseID.raw, key: try VerifyingKey(try log.bytes32("signing_key")))
    var receipts = try FirstReceipts(db, over: log["id"])
    let leaves = try Row.fetchCursor(
      db,
      sql: """
        SELECT l.*, e.case_ref AS entry_case, e.kind, e.clock, e.parts, e.problem, e.not_before,
          e.not_before_witness, e.frontier
        FROM leaf l LEFT JOIN entry e ON e.id = l.id WHERE l.log_ref = ? ORDER BY l.sequence
        """, arguments: [log["id"] as Int64])
    var tree = CompactRange()
    var rootAtHead: Bytes32?
    let headSize = log.number("note_size")
    while let record = try leaves.next() {
      let leaf = try LeafData(parsing: record.bytes("data"))
      guard leaf.sequence == tree.size, record["class"] == Int64(leaf.classByte),
        EntryID(log: logID, leaf: leaf) == (try record.identifier("entry_id"))
      else { return false }
      tree.append(leaf.hash)
      if tree.size == headSize { rootAtHead = tree.root }
      if leaf.entryClass != .control { outcome.entryCount += 1 }
      let place = ViewChecker.Place(
        record: record, leaf: leaf, log: identity, id: try record.identifier("entry_id"),
        existedBy: receipts.first(covering: leaf.sequence))
      if try holdsCiphertext(place, &outcome, onBytes) { try view.check(place, &outcome) }
    }
    guard tree.size == log.number("size"), tree.root == (try log.bytes32("root")) else {
      return false
    }
    guard log.hasValue("note") else { return headSize == 0 }
    guard let head = try signedHead(of: log) else { return false }
    return head.size == headSize && head.root == rootAtHead
  }

  /// Whether what is stored of an entry, if anything, is what its leaf names.
  private func holdsCiphertext(
    _ place: ViewChecker.Place, _ outcome: inout CheckOutcome,
    _ onBytes: (Int) throws(VaultError) -> Void
  ) throws -> Bool {
    guard let ciphertext = place.record.bytesIfAny("ciphertext") else { return true }
    try onBytes(ciphertext.count)
    guard SealedEntry.hash(ciphertext) == place.leaf.ciphertextHash else {
      outcome.note(.ciphertext(place.id))
      return false
    }
    return true
  }
}
