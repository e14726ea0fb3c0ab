internal import CaseLog
internal import Cryptography
internal import GRDB
internal import VerifiableLog

extension OpenVault {
  /// A page of the entries that a query asks for: content and notes, locked ones and violations too; control
  /// entries are the case's own machinery.
  ///
  /// - Throws: `.unknownCase`, `.ambiguousCase`, `.unknownMember`, `.cursorUnknown`.
  public func entries(matching query: EntryQuery) throws(VaultError) -> EntryPage {
    try entries(matching: query, beginningWithAtMost: 4000)
  }

  /// - Parameter few: candidates of one condition that are looked at one by one; with more of each, the search
  ///   goes along the order. That is a matter of speed alone.
  func entries(
    matching query: EntryQuery, beginningWithAtMost few: Int
  ) throws(VaultError) -> EntryPage {
    try read { db in try EntryFinder(db, query, few: few).page() }
  }
}

/// Answers one query. What a page holds is chosen from the listing and its side tables alone; only then are
/// the entries themselves read.
struct EntryFinder {
  private let db: Database
  private let query: EntryQuery
  private let conditions: EntryConditions
  private let authors: CaseAuthorsCache
  private let few: Int

  init(_ db: Database, _ query: EntryQuery, few: Int) throws {
    self.db = db
    self.few = few
    self.query = query
    authors = CaseAuthorsCache(db)
    conditions = try EntryConditions(db, query, authors: authors)
  }

  func page() throws -> EntryPage {
    let after = try query.after.map { text throws(VaultError) in
      try EntryCursor(text, for: query)
    }
    guard !conditions.isNever else { return EntryPage(entries: [], next: nil) }
    let limit = query.limit.map { min(max(1, $0), Self.longestPage) }
    // One more than is shown tells whether there is another page.
    var places = try find(after: after, limit: limit.map { $0 + 1 })
    var next: String?
    if let limit, places.count > limit {
      places.removeLast()
      next = places.last?.text(for: query)
    }
    return EntryPage(entries: try summaries(places.map(\.leaf)), next: next)
  }

  /// More than a case has.
  private static let longestPage = 1 << 32

  /// First those with a time, then those without.
  private func find(after: EntryCursor?, limit: Int?) throws -> [EntryCursor] {
    let start = try narrowest()
    var found: [EntryCursor] = []
    if after == nil || after?.key != nil {
      found = try places(from: start, isTimed: true, after: after, limit: limit)
    }
    let rest = limit.map { $0 - found.count }
    if !conditions.needsTime, rest.map({ $0 > 0 }) ?? true {
      let after = after.flatMap { $0.key == nil ? $0 : nil }
      found += try places(from: start, isTimed: false, after: after, limit: rest)
    }
    return found
  }

  /// What a search begins with.
  private enum Start {
    /// The order that was asked for: many fulfil each of the conditions.
    case order
    case words(SearchWords)
    /// One of the conditions' candidates.
    case candidates(Int)
  }

  /// Candidates that are few enough to look at each of them.
  private func narrowest() throws -> Start {
    var best: (start: Start, count: Int) = (.order, few + 1)
    func consider(_ start: Start, _ ids: SQL) throws {
      let sql: SQL = "SELECT count(*) FROM (SELECT 1 FROM (\(ids)) LIMIT \(few + 1))"
      let count = try SQLRequest<Int>(literal: sql).fetchOne(db) ?? 0
      if count < best.count { best = (start, count) }
    }
    if let words = conditions.words { try consider(.words(words), words.entries()) }
    for (number, some) in conditions.candidates.enumerated() {
      try consider(.candidates(number), some.ids)
    }
    return best.start
  }

  private func places(
    from start: Start, isTimed: Bool, after: EntryCursor?, limit: Int?
  ) throws -> [EntryCursor] {
    let tests = conditions.candidates.map(\.test)
    switch (start, conditions.words) {
    case (.words(let words), _):
      return try places(
        from: words.entries(), tests, isTimed: isTimed, after: after, limit: limit)
    case (.candidates(let number), let words):
      var others = tests
      others[number] = nil
      let ids = conditions.candidates[number].ids
      if let words { others.append("+l.id IN (\(words.entries(among: ids)))") }
      return try places(from: ids, others, isTimed: isTimed, after: after, limit: limit)
    case (.order, let words?):
      if let limit {
        return try walk(words, tests, isTimed: isTimed, after: after, limit: limit)
      }
      let all: SQL = "+l.id IN (\(words.entries()))"
      return try places(from: nil, tests + [all], isTimed: isTimed, after: after, limit: limit)
    case (.order, nil):
      return try places(from: nil, tests, isTimed: isTimed, after: after, limit: limit)
    }
  }

  /// Along the order, more at a time as fewer are found: of words that half of all entries say, the first page
  /// is complete long before all that say them are gathered.
  private func walk(
    _ words: SearchWords, _ tests: [SQL?], isTimed: Bool, after: EntryCursor?, limit: Int
  ) throws -> [EntryCursor] {
    var found: [EntryCursor] = []
    var after = after
    var step = 4 * limit
    while found.count < limit {
      let some = try places(from: nil, tests, isTimed: isTimed, after: after, limit: step)
      guard let last = some.last else { break }
      let matching = try words.entries(db, among: some.map(\.leaf))
      found += some.filter { matching.contains($0.leaf) }
      if some.count < step { break }
      after = last
      step = min(4 * step, 16_384)
    }
    return Array(found.prefix(limit))
  }

  private func places(
    from ids: SQL?, _ tests: [SQL?], isTimed: Bool, after: EntryCursor?, limit: Int?
  ) throws -> [EntryCursor] {
    let key = SQL(sql: "l." + query.order.column)
    let direction = SQL(sql: query.isNewestFirst ? "DESC" : "ASC")
    let beyond = SQL(sql: query.isNewestFirst ? "<" : ">")
    var all = conditions.filters + tests.compactMap { $0 }
    all.append(isTimed ? "\(key) IS NOT NULL" : "\(key) IS NULL")
    if let after {
      if let value = after.key {
        all.append("(\(key), l.id) \(beyond) (\(value), \(after.leaf))")
      } else {
        all.append("l.id \(beyond) \(after.leaf)")
      }
    }
    // CROSS JOIN holds SQLite to this order of the tables.
    let from: SQL = ids.map { "(\($0)) AS d CROSS JOIN listing l ON l.id = d.id" } ?? "listing l"
    let sql: SQL = """
      SELECT l.id, \(key) AS place FROM \(from) WHERE \(all.joined(separator: " AND "))
      ORDER BY \(key) \(direction), l.id \(direction) LIMIT \(limit ?? -1)
      """
    return try SQLRequest<Row>(literal: sql).fetchAll(db).map { row in
      EntryCursor(key: row["place"], leaf: row["id"])
    }
  }

  // MARK: - What is shown

  private func summaries(_ leaves: [Int64]) throws -> [EntrySummary] {
    var result: [EntrySummary] = []
    for start in stride(from: 0, to: leaves.count, by: 500) {
      let some = Array(leaves[start..<min(start + 500, leaves.count)])
      let rows = try SQLRequest<Row>(
        literal: "\(SQL(sql: EntryTable.select)) WHERE l.id IN \(some)"
      ).fetchAll(db)
      let byLeaf = Dictionary(uniqueKeysWithValues: rows.map { ($0["id"] as Int64, $0) })
      let refs = Set(rows.map { $0["case_ref"] as Int64 }).sorted()
      let cases = try refs.map { try authors.of($0) }
      let retracted = try Set(EntryStandings(db, of: cases).retracted(db, among: some))
      for leaf in some {
        guard let row = byLeaf[leaf] else { continue }
        result.append(
          try EntryTable.summary(
            db, row, in: try authors.of(row["case_ref"]), isRetracted: retracted.contains(leaf)))
      }
    }
    return result
  }
}

extension SearchWords {
  /// A statement that gives the ids of all entries that say them, or of those among some that another one gives.
  fileprivate func entries(among ids: SQL? = nil) -> SQL {
    // Without the sign, the index would be asked once for each of them.
    let among: SQL = ids.map { " AND +rowid IN (\($0))" } ?? ""
    return "SELECT rowid AS id FROM search WHERE search MATCH \(expression)\(among)"
  }

  fileprivate func entries(_ db: Database, among leaves: [Int64]) throws -> Set<Int64> {
    guard let first = leaves.min(), let last = leaves.max() else { return [] }
    let ids: SQL = "SELECT value FROM json_each(\(EntryStandings.text(leaves)))"
    let sql: SQL = "\(entries(among: ids)) AND rowid BETWEEN \(first) AND \(last)"
    return try SQLRequest<Int64>(literal: sql).fetchSet(db)
  }
}

extension EntryQuery.Order {
  /// In `listing`.
  var column: String {
    switch self {
    case .entered: return "entered"
    case .happened: return "happened"
    case .notBefore: return "not_before"
    case .existedBy: return "existed_by"
    }
  }
}

/// Cases are read, and evaluated where that is needed, once a query.
final class CaseAuthorsCache {
  private let db: Database
  private var known: [Int64: CaseAuthors] = [:]

  init(_ db: Database) { self.db = db }

  func of(_ ref: Int64) throws -> CaseAuthors {
    if let found = known[ref] { return found }
    let authors = try CaseAuthors(db, of: try CaseRow.of(db, ref))
    known[ref] = authors
    return authors
  }
}
