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
    try read { db in try EntryFinder(db, query).page() }
  }
}

/// Answers one query. What a page holds is chosen from the listing and its side tables alone; only then are
/// the entries themselves read.
struct EntryFinder {
  private let db: Database
  private let query: EntryQuery
  private let conditions: EntryConditions
  private let authors: CaseAuthorsCache

  init(_ db: Database, _ query: EntryQuery) throws {
    self.db = db
    self.query = query
    authors = CaseAuthorsCache(db)
    conditions = try EntryConditions(db, query, authors: authors)
  }

  func page() throws -> EntryPage {
    let after = try query.after.map { text throws(VaultError) in
      try EntryCursor(text, for: query)
    }
    guard !conditions.isNever else { return EntryPage(entries: [], next: nil) }
    let limit = query.limit.map { max(1, $0) }
    // One more than is shown tells whether there is another page.
    var places = try find(after: after, limit: limit.map { $0 + 1 })
    var next: String?
    if let limit, places.count > limit {
      places.removeLast()
      next = places.last?.text(for: query)
    }
    return EntryPage(entries: try summaries(places.map(\.leaf)), next: next)
  }

  /// First those with a time, then those without.
  private func find(after: EntryCursor?, limit: Int?) throws -> [EntryCursor] {
    let source = try narrowest()
    var found: [EntryCursor] = []
    if after == nil || after?.key != nil {
      found = try places(from: source, isTimed: true, after: after, limit: limit)
    }
    let rest = limit.map { $0 - found.count }
    if !conditions.needsTime, rest.map({ $0 > 0 }) ?? true {
      let start = after.flatMap { $0.key == nil ? $0 : nil }
      found += try places(from: source, isTimed: false, after: start, limit: rest)
    }
    return found
  }

  private func places(
    from source: SQL?, isTimed: Bool, after: EntryCursor?, limit: Int?
  ) throws -> [EntryCursor] {
    let key = SQL(sql: "l." + query.order.column)
    let direction = SQL(sql: query.isNewestFirst ? "DESC" : "ASC")
    let beyond = SQL(sql: query.isNewestFirst ? "<" : ">")
    var all = conditions.filters
    all += conditions.sources.map { ids in "+l.id IN (\(ids))" }
    all.append(isTimed ? "\(key) IS NOT NULL" : "\(key) IS NULL")
    if let after {
      if let value = after.key {
        all.append("(\(key), l.id) \(beyond) (\(value), \(after.leaf))")
      } else {
        all.append("l.id \(beyond) \(after.leaf)")
      }
    }
    // CROSS JOIN holds SQLite to this order of the tables.
    let from: SQL = source.map { "(\($0)) AS d CROSS JOIN listing l ON l.id = d.id" } ?? "listing l"
    let sql: SQL = """
      SELECT l.id, \(key) AS place FROM \(from) WHERE \(all.joined(separator: " AND "))
      ORDER BY \(key) \(direction), l.id \(direction) LIMIT \(limit ?? -1)
      """
    return try SQLRequest<Row>(literal: sql).fetchAll(db).map { row in
      EntryCursor(key: row["place"], leaf: row["id"])
    }
  }

  /// A set of candidates that is small enough to begin with; nil to go along the order.
  private func narrowest() throws -> SQL? {
    let bound = 4000
    var best: (ids: SQL, count: Int)?
    for ids in conditions.sources {
      let sql: SQL = "SELECT count(*) FROM (SELECT 1 FROM (\(ids)) LIMIT \(bound + 1))"
      let count = try SQLRequest<Int>(literal: sql).fetchOne(db) ?? 0
      if count <= bound, count < best?.count ?? .max { best = (ids, count) }
    }
    return best?.ids
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
