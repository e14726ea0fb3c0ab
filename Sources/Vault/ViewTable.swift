internal import CaseLog
internal import Cryptography
internal import GRDB
internal import VerifiableLog

/// The view: what this member can open, laid out for showing and finding. All of it follows from leaves,
/// slots and ciphertexts.
enum ViewTable {
  /// An entry that could be opened, or was found to break a rule.
  struct Opened {
    /// The row of its leaf.
    let leaf: Int64
    let kind: EntryKind
    /// Seconds since 1970 by the author's clock.
    let clock: UInt64
    /// What follows header and context; empty for a violation.
    let parts: [Part]
    /// Nil for control entries and violations.
    var content: EntryContent?
    var problem: CaseLogError?
    /// The newest receipt that it embeds.
    var notBefore: (time: UInt64, witness: LogID)?
    /// Of a control entry: other logs as far as its writer had seen them.
    var acknowledged: [LogPosition] = []
  }

  /// Claims of a time that last longer are few; in seconds. `listing_of_long_claims` names it too.
  static let longClaim: Int64 = 2 * 86_400

  /// Lists leaves of content and notes of which nothing could be opened.
  ///
  /// - Parameter leaves: rows that came from elsewhere; those that are listed already stay as they are.
  static func listLocked(_ db: Database, leaves: Range<Int64>) throws {
    try db.run(
      """
      INSERT INTO listing(id, case_ref, log_ref, class, state, existed_by)
      SELECT l.id, g.case_ref, g.id, l.class, \(ListingState.locked.rawValue),
        (SELECT min(time) FROM receipt WHERE log_ref = g.id AND size > l.sequence)
      FROM leaf l JOIN log g ON g.id = l.log_ref
      WHERE l.id >= ? AND l.id < ? AND l.class <> 1
        AND NOT EXISTS (SELECT 1 FROM listing x WHERE x.id = l.id)
      """, leaves.lowerBound, leaves.upperBound)
  }

  /// Lays entries into the view that this device has just written: their leaves are not listed yet, and no receipt
  /// covers them. What they are searched by is the caller's to insert.
  static func insertOwn(
    _ db: Database, _ entries: [(leaf: Int64, entry: OwnEntry)], log: Int64, case ref: Int64
  ) throws {
    try insert(
      db,
      entries.map { leaf, entry in
        EntryRow(
          leaf: leaf, kind: entry.kind, clock: entry.context.clock, problem: nil,
          notBefore: entry.notBefore, partList: entry.partList,
          acknowledged: entry.listed == nil ? entry.context.frontier : [])
      }, case: ref)
    try ListedEntry.insertOwn(
      db,
      entries.compactMap { leaf, entry in
        guard let listed = entry.listed, let entryClass = entry.kind.entryClass else { return nil }
        return (leaf, listed, entryClass)
      }, log: log, case: ref)
  }

  /// Lays entries into the view, under the rows of their leaves, which may be listed or not.
  static func insert(_ db: Database, _ entries: [Opened], case ref: Int64) throws {
    try insert(
      db,
      entries.map { entry in
        EntryRow(
          leaf: entry.leaf, kind: entry.kind, clock: entry.clock, problem: entry.problem,
          notBefore: entry.notBefore, partList: PartList.encode(entry.parts),
          acknowledged: entry.acknowledged)
      }, case: ref)
    for entry in entries where entry.kind.entryClass != .control || entry.problem != nil {
      try ListedEntry(
        kind: entry.kind, clock: entry.problem == nil ? entry.clock : nil,
        notBefore: entry.notBefore?.time, content: entry.content
      ).insert(db, leaf: entry.leaf)
    }
  }

  private struct EntryRow {
    let leaf: Int64
    let kind: EntryKind
    let clock: UInt64
    let problem: CaseLogError?
    let notBefore: OwnEntry.Receipt?
    let partList: [UInt8]
    let acknowledged: [LogPosition]
  }

  private static func insert(_ db: Database, _ rows: [EntryRow], case ref: Int64) throws {
    try db.insert(
      rows,
      into: """
        entry(id, case_ref, kind, clock, problem, not_before, not_before_witness, parts, frontier)
        """
    ) { row in
      (
        row.leaf, ref, Int64(bitPattern: row.kind.code), Int64(bitPattern: row.clock),
        row.problem.map { "\($0)" }, row.notBefore.map { Int64(bitPattern: $0.time) },
        row.notBefore?.witness.raw, row.partList,
        row.acknowledged.isEmpty ? nil : Frontier.encode(row.acknowledged)
      )
    }
  }

  /// Takes an entry out of the view again, with everything that it can be found by. Its leaf stays listed as
  /// one that is not open.
  ///
  /// `secure_delete` overwrites the rows at once. Of the full-text index this holds only after `compact`:
  /// a deletion is a mark in it, and the words stay in its older segments until those are merged. Remaining
  /// copies of database pages in the WAL go with its next truncation.
  static func remove(_ db: Database, leaf: Int64) throws {
    for sql in [
      "DELETE FROM search WHERE rowid = ?", "DELETE FROM facet WHERE entry_ref = ?",
      "DELETE FROM about WHERE entry_ref = ?", "DELETE FROM attachment WHERE entry_ref = ?",
      "DELETE FROM duplicate WHERE entry_ref = ?", "DELETE FROM unseen WHERE entry_ref = ?",
      "DELETE FROM entry WHERE id = ?",
      """
      UPDATE listing SET state = 0, kind = NULL, entered = NULL, happened = NULL,
        happened_until = NULL, not_before = NULL, files = 0 WHERE id = ?
      """,
    ] { try db.run(sql, leaf) }
  }

  /// Merges the full-text index into one segment, so that nothing of removed entries is left in it. Takes time
  /// with the size of the index: once after all removals of a transaction.
  static func compact(_ db: Database) throws {
    try db.execute(cached: "INSERT INTO search(search) VALUES ('optimize')")
  }

  /// Fills the tables that entries are found by for all that is open.
  static func indexAll(_ db: Database) throws {
    try forEachListed(db) { entry, leaf in try entry.insert(db, leaf: leaf) }
  }

  /// Makes the index of words anew, whatever state it is in.
  static func rebuildSearch(_ db: Database) throws {
    // Even to be dropped it has to be readable: first it becomes an empty one.
    try db.execute(sql: Schema.search(named: "search_blank"))
    for part in ["data", "idx", "content", "docsize", "config"] {
      try db.execute(
        sql: """
          DELETE FROM search_\(part);
          INSERT INTO search_\(part) SELECT * FROM search_blank_\(part)
          """)
    }
    for name in ["search_blank", "search"] { try db.execute(sql: "DROP TABLE \(name)") }
    try db.execute(sql: Schema.search(named: "search"))
    try forEachListed(db) { entry, leaf in
      if !entry.tokens.isEmpty { try ListedEntry.insertSearch(db, entry.tokens, leaf: leaf) }
    }
  }

  /// What follows from each entry that is open.
  private static func forEachListed(
    _ db: Database, _ body: (ListedEntry, Int64) throws -> Void
  ) throws {
    let rows = try Row.fetchCursor(
      db,
      sql: """
        SELECT e.id, e.kind, e.clock, e.problem, e.not_before, e.parts
        FROM entry e JOIN leaf l ON l.id = e.id WHERE l.class <> 1
        """)
    while let row = try rows.next() {
      var content: EntryContent?
      let problem: String? = row["problem"]
      if problem == nil {
        // What cannot be read here is damage, and `check` tells of it; it shall not keep the vault closed.
        do { content = try EntryContent(parts: try PartList.decode(row.bytes("parts"))) } catch {}
      }
      let notBefore: Int64? = row["not_before"]
      let listed = ListedEntry(
        kind: EntryKind(code: row.number("kind")),
        clock: problem == nil ? row.number("clock") : nil,
        notBefore: notBefore.map { UInt64(bitPattern: $0) }, content: content)
      try body(listed, row["id"])
    }
  }
}
