internal import CaseLog
internal import Cryptography
internal import GRDB
internal import SealedBundle
internal import VerifiableLog

/// Collects what a bundle of a case holds: no more than a reader of it needs, so that nobody who writes in the
/// case can write so much that no bundle holds it (`Protocol/Bundle.md`, "What a writer leaves out").
struct BundleCollection {
  private let db: Database
  private let row: CaseRow
  private let epochs: [LoadedEpoch]
  private let leftOut: Set<EntryID>

  init(
    _ db: Database, of row: CaseRow, keys: VaultKeys, leavingOut leftOut: Set<EntryID>
  ) throws {
    self.db = db
    self.row = row
    self.leftOut = leftOut
    epochs = try LoadedEpoch.all(db, of: row, keys: keys)
  }

  /// - Returns: also how many notes were left out because their log has more than a bundle holds.
  func contents(
    chosen: [EntryID]?, at time: UInt64, program: String
  ) throws -> (BundleContents, notesLeftOut: Int) {
    let state = try CaseView.state(db, of: row)
    guard state.member(row.logID) != nil else { throw VaultError(.notSyncedYet) }
    guard state.opensAllControl else { throw VaultError(.decisionsLocked) }
    let chosen = try leaves(of: chosen).map { try withRetractions($0, in: state) }
    var logs: [BundleContents.Log] = []
    var receipts = ReceiptChoice()
    var notesLeftOut = 0
    for member in state.members {
      let (log, left) = try log(of: member, in: state, chosen: chosen)
      try offer(log, to: &receipts, in: state)
      logs.append(log)
      notesLeftOut += left
    }
    let files = receipts.files()
    for index in logs.indices {
      logs[index].receipts = try (files[logs[index].identity.id] ?? []).map(note)
    }
    let isWhole = chosen == nil && leftOut.isEmpty && notesLeftOut == 0
    var contents = BundleContents(
      caseID: row.caseID, statements: try CaseView.statements(db, of: row).map(\.bytes),
      logs: logs, exporter: row.logID, exportedAt: time,
      scope: isWhole ? .wholeCase : .chosenEntries, program: program)
    contents.successions = try CaseView.successions(db, of: row).map(\.bytes)
    contents.forks = try Row.fetchAll(
      db, cached: "SELECT bytes FROM fork WHERE case_ref = ? ORDER BY bytes", arguments: [row.ref]
    ).map { $0.bytes("bytes") }
    return (contents, notesLeftOut)
  }

  /// Nil for all there are.
  private func leaves(of chosen: [EntryID]?) throws -> [Int64]? {
    if chosen == nil, leftOut.isEmpty { return nil }
    let wanted = chosen.map { Set($0) }
    return try Row.fetchAll(
      db,
      cached: """
        SELECT l.id, l.entry_id FROM leaf l JOIN log g ON g.id = l.log_ref
        WHERE g.case_ref = ? AND l.class <> 1
        """, arguments: [row.ref]
    ).compactMap { leaf in
      let id: EntryID = try leaf.identifier("entry_id")
      return wanted?.contains(id) ?? !leftOut.contains(id) ? leaf["id"] : nil
    }
  }

  /// What was taken back is not handed over without its retraction, nor that without its own.
  private func withRetractions(_ leaves: [Int64], in state: CaseState) throws -> Set<Int64> {
    let standings = try EntryStandings(db, of: [CaseAuthors(db, of: row, in: state)])
    return try Set(leaves).union(standings.retractions(db, following: leaves))
  }

  // MARK: - One log

  /// - Returns: the log without receipts on smaller heads, and how many notes it has too many.
  private func log(
    of member: CaseState.Member, in state: CaseState, chosen: Set<Int64>?
  ) throws -> (BundleContents.Log, notesLeftOut: Int) {
    let identity = LogIdentity(caseID: row.caseID.raw, key: member.card.signingKey)
    guard
      let log = try Row.fetchOne(
        db, cached: "SELECT * FROM log WHERE case_ref = ? AND log_id = ?",
        arguments: [row.ref, member.logID.bytes.data]),
      let note = log.bytesIfAny("note")
    else {
      return (BundleContents.Log(identity: identity, checkpoint: nil, leaves: [], entries: []), 0)
    }
    let size = log.number("note_size")
    let onHead = try Row.fetchAll(
      db, cached: "SELECT note FROM receipt WHERE log_ref = ? AND size = ? ORDER BY witness",
      arguments: [log["id"] as Int64, Int64(size)])
    var leaves: [LeafData] = []
    var disclosed = DisclosedEntries(ofAdvocate: member.role == .advocate)
    let records = try Row.fetchCursor(
      db,
      sql: """
        SELECT l.id, l.log_ref, l.sequence, l.data, l.entry_id, l.class, l.ciphertext, e.problem, e.parts,
          g.log_id FROM leaf l JOIN log g ON g.id = l.log_ref
        LEFT JOIN entry e ON e.id = l.id WHERE l.log_ref = ? AND l.sequence < ? ORDER BY l.sequence
        """, arguments: [log["id"] as Int64, Int64(size)])
    while let record = try records.next() {
      let leaf = try LeafData(parsing: record.bytes("data"))
      leaves.append(leaf)
      if try isDisclosed(record, leaf, member, state, chosen) {
        disclosed.add(try entry(record, leaf, of: member.logID))
      }
    }
    let collected = BundleContents.Log(
      identity: identity,
      checkpoint: try Receipts.merge(note, onHead.map { $0.bytes("note") }),
      leaves: leaves, entries: disclosed.entries)
    return (collected, disclosed.leftOutCount)
  }

  /// Control entries that could count, also those that break a rule; of the others, those that are chosen, and
  /// count or are disputed.
  private func isDisclosed(
    _ record: Row, _ leaf: LeafData, _ member: CaseState.Member, _ state: CaseState,
    _ chosen: Set<Int64>?
  ) throws -> Bool {
    guard record.hasValue("parts"), record.hasValue("ciphertext") else { return false }
    if leaf.entryClass == .control {
      return member.role == .survivor && leaf.sequence < member.settledFrom ?? .max
    }
    guard chosen?.contains(record["id"]) ?? true else { return false }
    switch try EntryTable.standing(db, record, in: state) {
    case .open, .disputed: return true
    default: return false
    }
  }

  private func entry(_ record: Row, _ leaf: LeafData, of logID: LogID) throws -> DisclosedEntry {
    let key = try EntryKeys.key(
      of: record["id"], leaf: leaf, logID: logID, epochs: epochs, db: db)
    let sealed = SealedEntry(leaf: leaf, ciphertext: record.bytes("ciphertext"))
    return DisclosedEntry(sequence: leaf.sequence, parts: try sealed.disclosures(key: key))
  }

  // MARK: - Receipts

  /// Those that bound the time of something that is disclosed.
  private func offer(
    _ log: BundleContents.Log, to choice: inout ReceiptChoice, in state: CaseState
  ) throws {
    let shown = log.entries.map(\.sequence).filter {
      log.leaves[Int($0)].entryClass != .control
    }
    guard !shown.isEmpty else { return }
    let records = try Row.fetchAll(
      db,
      cached: """
        SELECT r.id, r.size, r.witness, r.time FROM receipt r JOIN log g ON g.id = r.log_ref
        WHERE g.case_ref = ? AND g.log_id = ? AND r.size <= g.note_size ORDER BY r.witness, r.size
        """, arguments: [row.ref, log.identity.id.bytes.data])
    var known: [LogID: [ReceiptChoice.Receipt]] = [:]
    for record in records {
      let receipt = ReceiptChoice.Receipt(
        row: record["id"], size: record.number("size"), time: record.number("time"))
      known[try record.identifier("witness"), default: []].append(receipt)
    }
    for (witness, receipts) in known.sorted(by: { $0.key < $1.key }) {
      choice.offer(
        receipts, by: witness, of: state.member(witness)?.firstLogID ?? witness,
        over: log.identity.id, size: UInt64(log.leaves.count), bounding: shown)
    }
  }

  private func note(_ receipt: ReceiptChoice.Receipt) throws -> [UInt8] {
    guard
      let record = try Row.fetchOne(
        db, cached: "SELECT note FROM receipt WHERE id = ?", arguments: [receipt.row])
    else { throw VaultError(.databaseDamaged) }
    return record.bytes("note")
  }
}

/// The disclosed entries of a log, as many as a bundle holds.
///
/// Of a survivor's log all are needed: one who enters more than fits chooses. An advocate's are left out from
/// where there is no room, so that she cannot keep a whole case from being handed over.
struct DisclosedEntries {
  private(set) var entries: [DisclosedEntry] = []
  private(set) var leftOutCount = 0
  private var room = BundleLimits.entriesByteCount - 16
  private let isAdvocate: Bool

  init(ofAdvocate isAdvocate: Bool) { self.isAdvocate = isAdvocate }

  mutating func add(_ entry: DisclosedEntry) {
    guard !isAdvocate || entry.byteBound <= room else {
      leftOutCount += 1
      return
    }
    if isAdvocate { room -= entry.byteBound }
    entries.append(entry)
  }
}
