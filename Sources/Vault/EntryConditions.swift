internal import CaseLog
internal import Cryptography
internal import GRDB
internal import VerifiableLog

/// What a query asks for, in SQL over `listing AS l`.
///
/// Columns that are filtered stand behind a `+`, which keeps SQLite from choosing their index over the one
/// that gives the order.
struct EntryConditions {
  private(set) var filters: [SQL] = []
  /// Statements that give the ids of candidates, each of them a condition too: where one gives few, the search
  /// begins there.
  private(set) var sources: [SQL] = []
  /// No entry can fulfil it.
  private(set) var isNever = false
  /// Entries without a time of the order cannot fulfil it.
  private(set) var needsTime = false

  private let db: Database
  private let authors: CaseAuthorsCache
  private let caseRef: Int64?

  init(_ db: Database, _ query: EntryQuery, authors: CaseAuthorsCache) throws {
    self.db = db
    self.authors = authors
    switch query.scope {
    case .allCases: caseRef = nil
    case .oneCase(let name):
      let ref = try CaseRow.find(db, name).ref
      caseRef = ref
      filters.append("l.case_ref = \(ref)")
    }
    addText(query.text)
    try addTimes(query)
    addFacets(query)
    try addTags(query.tags)
    addKinds(query.kinds)
    if let author = query.author { try add(author) }
    if let audience = query.audience { try add(audience) }
    if !query.states.isEmpty { try add(query.states) }
    if let hasFile = query.hasFile { filters.append(hasFile ? "l.files > 0" : "l.files = 0") }
  }

  // MARK: - What it says

  private mutating func addText(_ words: SearchWords?) {
    guard let words else { return }
    if words.isEmpty { isNever = true }
    sources.append("SELECT rowid AS id FROM search WHERE search MATCH \(words.expression)")
  }

  private mutating func addFacets(_ query: EntryQuery) {
    var wanted: [Facet] = []
    if let place = query.place { wanted.append(Facet(.place, place)) }
    if let account = query.account { wanted.append(Facet(.account, account)) }
    if let type = query.mediaType { wanted.append(Facet(.mediaType, type)) }
    for facet in wanted { sources.append(Self.entries(with: facet)) }
  }

  private static func entries(with facet: Facet) -> SQL {
    """
    SELECT entry_ref AS id FROM facet
    WHERE field = \(facet.field.rawValue) AND value = \(facet.value)
    """
  }

  /// Its own tags, and those that amendments of a survivor about it add, unless they were taken back. Whether
  /// the amendment or its target arrived first does not matter.
  private mutating func addTags(_ tags: [String]) throws {
    guard !tags.isEmpty else { return }
    let notesOnly = try self.notesOnly()
    let retractions = Self.retracted(notesOnly: notesOnly)
    for tag in tags {
      let facet = Facet(.tag, tag)
      sources.append(
        """
        \(Self.entries(with: facet)) UNION SELECT t.id FROM facet f
        JOIN listing a ON a.id = f.entry_ref AND a.state = 1 AND a.class = 2
          AND a.kind = \(Int64(EntryKind.amend.code)) AND a.log_ref NOT IN \(notesOnly)
        JOIN about b ON b.entry_ref = a.id JOIN leaf m ON m.entry_id = b.target
        JOIN listing t ON t.id = m.id AND t.case_ref = a.case_ref
        WHERE f.field = \(facet.field.rawValue) AND f.value = \(facet.value)
          AND a.id NOT IN (\(retractions))
        """)
    }
  }

  private mutating func addKinds(_ kinds: [EntryKind]) {
    guard !kinds.isEmpty else { return }
    let codes = kinds.map { Int64(bitPattern: $0.code) }
    var sql: SQL = "SELECT id FROM listing WHERE kind IN \(codes)"
    if let caseRef { sql += " AND case_ref = \(caseRef)" }
    sources.append(sql)
  }

  // MARK: - Times

  private mutating func addTimes(_ query: EntryQuery) throws {
    if let from = query.entered.from { addEntered(">=", from, order: query.order) }
    if let to = query.entered.to { addEntered("<=", to, order: query.order) }
    // Any part of what is claimed may lie in the span.
    if let from = query.happened.from { filters.append("l.happened_until >= \(from)") }
    if let to = query.happened.to {
      filters.append(
        query.order == .happened ? "l.happened <= \(to)" : "+l.happened <= \(to)")
    }
    if query.order == .happened, query.happened != .init() { needsTime = true }
    if query.order == .entered, query.entered != .init() { needsTime = true }
  }

  private mutating func addEntered(_ sign: String, _ value: Int64, order: EntryQuery.Order) {
    let column = order == .entered ? "l.entered" : "+l.entered"
    filters.append("\(SQL(sql: column)) \(SQL(sql: sign)) \(value)")
  }

  // MARK: - Who

  private mutating func add(_ author: EntryQuery.Author) throws {
    let logs = try caseRefs().flatMap { try authors.of($0).refs(of: author) }
    if logs.isEmpty { isNever = true }
    sources.append("SELECT id FROM leaf WHERE log_ref IN \(logs) AND class <> 1")
  }

  /// By slots that were found valid: what is in others this copy cannot know.
  private mutating func add(_ audience: EntryQuery.Audience) throws {
    let slots: SQL = """
      SELECT 1 FROM slot s JOIN epoch p ON p.epoch = s.epoch AND p.case_ref = l.case_ref
      WHERE s.leaf_ref = l.id AND s.is_valid = 1
      """
    switch audience {
    case .ownDevices:
      let devices = Audience.devices.encoded.data
      filters.append("EXISTS (\(slots) AND p.audience = \(devices))")
      filters.append("NOT EXISTS (\(slots) AND p.audience <> \(devices))")
    case .member(let prefix):
      let members = try caseRefs().flatMap { ref in
        let case_ = try authors.of(ref)
        return case_.logs.filter { $0.logID.base32.hasPrefix(prefix.lowercased()) }.map(\.logID)
      }
      if members.isEmpty { isNever = true }
      let audiences = members.map { Audience.advocate($0).encoded.data }
      filters.append("EXISTS (\(slots) AND p.audience IN \(audiences))")
    }
  }

  private func caseRefs() throws -> [Int64] {
    if let caseRef { return [caseRef] }
    return try Int64.fetchAll(
      db, sql: "SELECT id FROM vault_case WHERE case_id IS NOT NULL ORDER BY id")
  }

  /// Of all cases, only those with other people's logs have any.
  private func notesOnly() throws -> [Int64] {
    try evaluatedCases().flatMap { try authors.of($0).notesOnly }
  }

  private func evaluatedCases() throws -> [Int64] {
    if let caseRef { return [caseRef] }
    return try Int64.fetchAll(
      db,
      sql: """
        SELECT id FROM vault_case c WHERE case_id IS NOT NULL
          AND (role <> 1 OR (SELECT count(*) FROM log WHERE case_ref = c.id) > 1) ORDER BY id
        """)
  }

  // MARK: - States

  private mutating func add(_ states: Set<EntryQuery.State>) throws {
    let notesOnly = try self.notesOnly()
    // The same order as `EntryQuery.State` says: the first that applies.
    let (setAside, disputed) = try self.behindCuts()
    let state: SQL = """
      CASE WHEN l.class NOT IN (2, 3) OR (l.class = 2 AND l.log_ref IN \(notesOnly)) THEN 1
        WHEN EXISTS (SELECT 1 FROM erasure x JOIN leaf m ON m.entry_id = x.entry
          WHERE m.id = l.id AND x.case_ref = l.case_ref) THEN 5
        WHEN \(setAside) THEN 7
        WHEN l.state = 2 THEN 1
        WHEN l.state = 0 THEN 2
        WHEN \(disputed) THEN 6
        WHEN l.id IN (\(Self.retracted(notesOnly: notesOnly))) THEN 3
        ELSE 4 END
      """
    filters.append("\(state) IN \(states.map(\.rawValue).sorted())")
  }

  /// What stands behind cuts and forks: without anybody else's receipt, and disputed.
  private func behindCuts() throws -> (setAside: SQL, disputed: SQL) {
    var setAside: [SQL] = ["0"]
    var disputed: [SQL] = ["0"]
    for ref in try evaluatedCases() {
      let authors = try authors.of(ref)
      guard let state = authors.state else { continue }
      for log in authors.logs {
        let isAt: (UInt64) -> SQL = { size in
          "(l.log_ref = \(log.ref) AND (SELECT sequence FROM leaf WHERE id = l.id) >= \(Int64(size)))"
        }
        if let cut = state.member(log.logID)?.cut {
          let witnesses = state.members.map(\.logID).filter {
            $0 != log.logID && !cut.authors.contains($0) && state.bindsTime($0)
          }.map(\.bytes.data)
          let isSeen: SQL = """
            EXISTS (SELECT 1 FROM receipt r JOIN leaf m ON m.id = l.id WHERE r.log_ref = m.log_ref
              AND r.size > m.sequence AND r.witness IN \(witnesses))
            """
          setAside.append("(\(isAt(cut.size)) AND NOT \(isSeen))")
          disputed.append("(\(isAt(cut.size)) AND \(isSeen))")
        }
        if let fork = state.forkedAt(log.logID) { disputed.append(isAt(fork)) }
      }
    }
    return (
      "(\(setAside.joined(separator: " OR ")))", "(\(disputed.joined(separator: " OR ")))"
    )
  }

  /// Ids of entries that a survivor of their case took back.
  ///
  /// - Parameter notesOnly: logs that may not do so.
  static func retracted(notesOnly: [Int64]) -> SQL {
    """
    SELECT rt.id FROM listing r
    JOIN about ra ON ra.entry_ref = r.id JOIN leaf rm ON rm.entry_id = ra.target
    JOIN listing rt ON rt.id = rm.id AND rt.case_ref = r.case_ref
    WHERE r.kind = \(Int64(EntryKind.retract.code)) AND r.state = 1 AND r.class = 2
      AND r.log_ref NOT IN \(notesOnly)
    """
  }
}

extension EntryTable {
  /// Those of the entries that a survivor took back.
  static func retracted(
    _ db: Database, among leaves: [Int64], notesOnly: [Int64]
  ) throws -> [Int64] {
    let sql: SQL = """
      SELECT rt.id FROM listing rt JOIN leaf rm ON rm.id = rt.id
      JOIN about ra ON ra.target = rm.entry_id JOIN listing r ON r.id = ra.entry_ref
      WHERE rt.id IN \(leaves) AND r.kind = \(Int64(EntryKind.retract.code)) AND r.state = 1
        AND r.class = 2 AND r.case_ref = rt.case_ref AND r.log_ref NOT IN \(notesOnly)
      """
    return try SQLRequest<Int64>(literal: sql).fetchAll(db)
  }
}
