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
  /// Where one gives few, the search begins there.
  private(set) var candidates: [Candidates] = []
  /// For the full-text index, which is cheap to ask for all that match, or for those among some; not for one.
  private(set) var words: SearchWords?
  /// No entry can fulfil it.
  private(set) var isNever = false
  /// Entries without a time of the order cannot fulfil it.
  private(set) var needsTime = false

  /// Entries that fulfil one condition.
  struct Candidates {
    /// A statement that gives their ids, perhaps of too many where `test` is nil; then a filter tells.
    let ids: SQL
    /// Whether the row in hand is one of them.
    let test: SQL?
  }

  private let db: Database
  private let authors: CaseAuthorsCache
  private let caseRef: Int64?
  private var known: EntryStandings?

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
    if let hasFile = query.hasFile { add(hasFile: hasFile) }
    if !query.states.isEmpty { try add(query.states) }
    // Nothing is found by what an erased entry says.
    if query.asksForContent { filters.append("NOT \(try standings().isErased)") }
  }

  // MARK: - What it says

  private mutating func addText(_ words: SearchWords?) {
    guard let words else { return }
    if words.isEmpty { isNever = true }
    self.words = words
  }

  private mutating func addFacets(_ query: EntryQuery) {
    var wanted: [Facet] = []
    if let place = query.place { wanted.append(Facet(.place, place)) }
    if let account = query.account { wanted.append(Facet(.account, account)) }
    if let type = query.mediaType { wanted.append(Facet(.mediaType, type)) }
    for facet in wanted {
      candidates.append(Candidates(ids: Self.entries(with: facet), test: Self.isEntry(with: facet)))
    }
  }

  private static func entries(with facet: Facet) -> SQL {
    """
    SELECT entry_ref AS id FROM facet
    WHERE field = \(facet.field.rawValue) AND value = \(facet.value)
    """
  }

  private static func isEntry(with facet: Facet) -> SQL {
    """
    EXISTS (SELECT 1 FROM facet
      WHERE field = \(facet.field.rawValue) AND value = \(facet.value) AND entry_ref = l.id)
    """
  }

  private mutating func addTags(_ tags: [String]) throws {
    for tag in tags {
      let facet = Facet(.tag, tag)
      let amended = try standings().amended(db, with: tag)
      candidates.append(
        Candidates(
          ids: "\(Self.entries(with: facet)) UNION \(amended)",
          test: "(\(Self.isEntry(with: facet)) OR l.id IN (\(amended)))"))
    }
  }

  private mutating func add(hasFile: Bool) {
    guard hasFile else { return filters.append("l.files = 0") }
    candidates.append(
      Candidates(ids: "SELECT id FROM listing WHERE files > 0\(inCase)", test: "l.files > 0"))
  }

  /// All but the open ones are few, as a rule.
  private mutating func add(_ states: Set<EntryQuery.State>) throws {
    let standings = try standings()
    filters.append("\(try standings.state(db)) IN \(states.map(\.rawValue).sorted())")
    guard !states.contains(.open) else { return }
    let ids: SQL = """
      SELECT id FROM listing WHERE state <> 1\(inCase) UNION \(try standings.apart(db))
      """
    candidates.append(Candidates(ids: ids, test: nil))
  }

  /// Of a statement over `listing`.
  private var inCase: SQL { caseRef.map { " AND case_ref = \($0)" } ?? "" }

  private mutating func addKinds(_ kinds: [EntryKind]) {
    guard !kinds.isEmpty else { return }
    let codes = kinds.map { Int64(bitPattern: $0.code) }
    candidates.append(
      Candidates(
        ids: "SELECT id FROM listing WHERE kind IN \(codes)\(inCase)", test: "+l.kind IN \(codes)"))
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
    if let from = query.happened.from, let to = query.happened.to { addSpan(from, to) }
    if query.order == .happened, query.happened != .init() { needsTime = true }
    if query.order == .entered, query.entered != .init() { needsTime = true }
  }

  /// Most claims are of a moment or a day, so that they begin in the span or just before it; longer ones have an
  /// index of their own.
  private mutating func addSpan(_ from: Int64, _ to: Int64) {
    let early = from.subtractingReportingOverflow(ViewTable.longClaim).partialValue
    let ids: SQL = """
      SELECT id FROM listing WHERE happened >= \(early) AND happened <= \(to)\(inCase)
      UNION ALL SELECT id FROM listing INDEXED BY listing_of_long_claims
        WHERE happened_until - happened > \(sql: "\(ViewTable.longClaim)")
        AND happened_until >= \(from) AND happened < \(early)\(inCase)
      """
    candidates.append(Candidates(ids: ids, test: nil))
  }

  private mutating func addEntered(_ sign: String, _ value: Int64, order: EntryQuery.Order) {
    let column = order == .entered ? "l.entered" : "+l.entered"
    filters.append("\(SQL(sql: column)) \(SQL(sql: sign)) \(value)")
  }

  // MARK: - Who

  private mutating func add(_ author: EntryQuery.Author) throws {
    let logs = try caseRefs().flatMap { try authors.of($0).refs(of: author) }
    if logs.isEmpty {
      isNever = true
      if case .member(let prefix) = author { try requireMember(prefix) }
    }
    candidates.append(
      Candidates(
        ids: "SELECT id FROM leaf WHERE log_ref IN \(logs) AND class <> 1",
        test: "l.log_ref IN \(logs)"))
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
      // An audience is named by the first keys that an advocate's device had.
      let members = try caseRefs().flatMap { ref in
        let authors = try authors.of(ref)
        return authors.logs.filter { $0.logID.base32.hasPrefix(prefix.lowercased()) }
          .map { authors.state?.member($0.logID)?.firstLogID ?? $0.logID }
      }
      if members.isEmpty {
        isNever = true
        try requireMember(prefix)
      }
      let audiences = members.map { Audience.advocate($0).encoded.data }
      filters.append("EXISTS (\(slots) AND p.audience IN \(audiences))")
    }
  }

  /// Tells a member of whom nothing is here from one who does not exist.
  private func requireMember(_ prefix: String) throws {
    let isKnown = try caseRefs().contains { ref in
      try CaseView.state(db, of: try CaseRow.of(db, ref)).members.contains {
        $0.logID.base32.hasPrefix(prefix.lowercased())
      }
    }
    if !isKnown { throw VaultError(.unknownMember) }
  }

  private func caseRefs() throws -> [Int64] {
    if let caseRef { return [caseRef] }
    return try Int64.fetchAll(
      db, cached: "SELECT id FROM vault_case WHERE case_id IS NOT NULL ORDER BY id")
  }

  private mutating func standings() throws -> EntryStandings {
    if let known = known { return known }
    let refs = try caseRef.map { [$0] } ?? CaseAuthors.notAlone(db)
    let made = try EntryStandings(db, of: try refs.map { try authors.of($0) })
    known = made
    return made
  }
}

extension EntryQuery {
  fileprivate var asksForContent: Bool {
    text != nil || place != nil || account != nil || mediaType != nil || hasFile != nil
      || !tags.isEmpty || !kinds.isEmpty || happened != Span() || entered != Span()
  }
}
