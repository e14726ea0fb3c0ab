internal import CaseLog
internal import Cryptography
internal import GRDB
internal import VerifiableLog

/// What an entry is listed and found by, as it follows from what it says. It is laid so, and `check` compares
/// what is laid with it.
struct ListedEntry {
  let state: ListingState
  let kind: Int64?
  let entered: Int64?
  let happened: Int64?
  let happenedUntil: Int64?
  let notBefore: Int64?
  let files: Int
  let about: [EntryID]
  let facets: [Facet]
  let tokens: String

  /// - Parameters:
  ///   - clock: nil for a violation.
  ///   - content: nil for a violation too.
  init(kind: EntryKind, clock: UInt64?, notBefore: UInt64?, content: EntryContent?) {
    state = clock == nil ? .broken : .open
    self.kind = Int64(bitPattern: kind.code)
    entered = clock.map { Int64(clamping: $0) }
    happened = content?.seen?.firstSecond
    happenedUntil = content?.seen?.lastSecond
    self.notBefore = notBefore.map { Int64(clamping: $0) }
    files = content?.attachments.count ?? 0
    about = content?.about ?? []
    let added = kind == .amend ? (content?.tags ?? []).map { Facet(.addedTag, $0) } : []
    facets = (content.map(Facet.all) ?? []) + added
    tokens = content.map { SearchTokens.indexed($0.searchedTexts) } ?? ""
  }

  private init() {
    state = .locked
    (kind, entered, happened, happenedUntil, notBefore) = (nil, nil, nil, nil, nil)
    (files, about, facets, tokens) = (0, [], [], "")
  }

  /// Of a leaf that is not open.
  static let locked = ListedEntry()

  /// Of a leaf of content or a note, listed or not. A control entry that breaks a rule is not listed.
  func insert(_ db: Database, leaf: Int64) throws {
    try db.run(
      """
      INSERT INTO listing(id, case_ref, log_ref, class, state, kind, entered, happened,
        happened_until, not_before, files, existed_by)
      SELECT l.id, g.case_ref, g.id, l.class, ?, ?, ?, ?, ?, ?, ?,
        (SELECT min(time) FROM receipt WHERE log_ref = g.id AND size > l.sequence)
      FROM leaf l JOIN log g ON g.id = l.log_ref WHERE l.id = ? AND l.class <> 1
      ON CONFLICT(id) DO UPDATE SET state = excluded.state, kind = excluded.kind,
        entered = excluded.entered, happened = excluded.happened,
        happened_until = excluded.happened_until, not_before = excluded.not_before,
        files = excluded.files
      """,
      state.rawValue, kind, entered, happened, happenedUntil, notBefore, files, leaf)
    try insertSideRows(db, leaf)
    if !tokens.isEmpty { try Self.insertSearch(db, tokens, leaf: leaf) }
  }

  /// Of leaves that this device has just written: they are not listed yet, and no receipt covers them. What they are
  /// searched by is the caller's to insert.
  static func insertOwn(
    _ db: Database, _ entries: [(leaf: Int64, listed: ListedEntry, class: EntryClass)],
    log: Int64, case ref: Int64
  ) throws {
    try db.insert(
      entries,
      into: """
        listing(id, case_ref, log_ref, class, state, kind, entered, happened, happened_until,
          not_before, files)
        """
    ) { leaf, entry, entryClass in
      (
        leaf, ref, log, Int64(entryClass.rawValue), entry.state.rawValue, entry.kind,
        entry.entered, entry.happened, entry.happenedUntil, entry.notBefore, entry.files
      )
    }
    for (leaf, entry, _) in entries { try entry.insertSideRows(db, leaf) }
  }

  /// Makes an entry one that its words find. Best many in a row: SQLite writes out what the index has gathered
  /// before each statement of another kind that could fail in its middle.
  static func insertSearch(_ db: Database, _ tokens: String, leaf: Int64) throws {
    try db.run("INSERT INTO search(rowid, tokens) VALUES (?, ?)", leaf, tokens)
  }

  private func insertSideRows(_ db: Database, _ leaf: Int64) throws {
    for target in about {
      try db.run(
        "INSERT OR IGNORE INTO about(target, entry_ref) VALUES (?, ?)", target.raw, leaf)
    }
    for facet in facets {
      try db.run(
        "INSERT OR IGNORE INTO facet(field, value, entry_ref) VALUES (?, ?, ?)",
        facet.field.rawValue, facet.value, leaf)
    }
  }

  /// Whether a leaf is listed and found by exactly this.
  ///
  /// - Parameter existedBy: the time of the first receipt that covers the leaf.
  func isLaid(
    _ db: Database, leaf: Int64, class entryClass: Int64, log: Int64, case ref: Int64,
    existedBy: Int64?
  ) throws -> Bool {
    try hasRow(db, leaf, [ref, log, entryClass], existedBy: existedBy)
      && hasSideRows(db, leaf) && hasTokens(db, leaf)
  }

  private func hasRow(
    _ db: Database, _ leaf: Int64, _ place: [Int64], existedBy: Int64?
  ) throws -> Bool {
    guard
      let row = try Row.fetchOne(
        db,
        cached: """
          SELECT case_ref, log_ref, class, state, kind, entered, happened, happened_until,
            not_before, existed_by, files FROM listing WHERE id = ?
          """, arguments: [leaf])
    else { return false }
    let expected: [Int64?] =
      place + [
        state.rawValue, kind, entered, happened, happenedUntil, notBefore, existedBy, Int64(files),
      ]
    return expected.indices.allSatisfy { row[$0] as Int64? == expected[$0] }
  }

  private func hasSideRows(_ db: Database, _ leaf: Int64) throws -> Bool {
    let targets = try Row.fetchAll(
      db, cached: "SELECT target FROM about WHERE entry_ref = ?", arguments: [leaf]
    ).map { try $0.identifier("target") as EntryID }
    guard Set(targets) == Set(about) else { return false }
    let laid = try Row.fetchAll(
      db, cached: "SELECT field, value FROM facet WHERE entry_ref = ?",
      arguments: [leaf]
    ).map { LaidFacet(field: $0["field"], value: $0["value"]) }
    return Set(laid)
      == Set(facets.map { LaidFacet(field: $0.field.rawValue, value: $0.value) })
  }

  private struct LaidFacet: Hashable {
    let field: Int64
    let value: String
  }

  private func hasTokens(_ db: Database, _ leaf: Int64) throws -> Bool {
    let laid = try String.fetchOne(
      db, cached: "SELECT c0 FROM search_content WHERE id = ?", arguments: [leaf])
    return laid == (tokens.isEmpty ? nil : tokens)
  }
}
