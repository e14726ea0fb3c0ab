internal import CaseLog
internal import Cryptography
internal import GRDB
internal import VerifiableLog

/// What some cases say of their entries beyond what each row tells, in SQL over rows of `listing`: the same
/// rules as `EntryTable.standing`, for choosing among many.
struct EntryStandings {
  private var notesOnly: [Int64] = []
  /// Logs of those who are no members any more.
  private var strangers: [Int64] = []
  private var erased: [Int64] = []
  private var setAside: [SQL] = []
  private var disputed: [SQL] = []

  init(_ db: Database, of cases: [CaseAuthors]) throws {
    for authors in cases {
      notesOnly += authors.notesOnly
      guard let state = authors.state else { continue }
      try addErased(db, state)
      for log in authors.logs { try add(db, log, state) }
    }
  }

  /// Content that a log may not hold, and what was erased, set aside or is disputed, adds nothing to other
  /// entries.
  private func isWithoutEffect(_ alias: String) -> SQL {
    "(\(isOutOfView(alias)) OR \(any(disputed, of: SQL(sql: alias + ".id"))))"
  }

  private func isOutOfView(_ alias: String) -> SQL {
    let id = SQL(sql: alias + ".id")
    let log = SQL(sql: alias + ".log_ref")
    return """
      (\(log) IN \(Self.list(notesOnly)) OR \(id) IN \(Self.list(erased)) OR \(any(setAside, of: id)))
      """
  }

  /// Whether what an entry says is to be hidden.
  var isErased: SQL { "l.id IN \(Self.list(erased))" }

  /// The number of an `EntryQuery.State`: the first that applies, in the order of `EntryTable.standing`.
  func state(_ db: Database) throws -> SQL {
    """
    CASE WHEN l.log_ref IN \(Self.list(strangers)) THEN 3
      WHEN l.class NOT IN (2, 3) OR (l.class = 2 AND l.log_ref IN \(Self.list(notesOnly))) THEN 1
      WHEN \(isErased) THEN 2
      WHEN \(any(setAside, of: "l.id")) THEN 3
      WHEN l.state = 2 THEN 1
      WHEN l.state = 0 THEN 4
      WHEN \(any(disputed, of: "l.id")) THEN 5
      WHEN l.id IN \(Self.list(try retracted(db))) THEN 6
      ELSE 7 END
    """
  }

  /// Ids of all entries that are not in the state in which most are, and perhaps of some that are; without those
  /// whose row tells.
  func apart(_ db: Database) throws -> SQL {
    let known: SQL = "SELECT value FROM json_each(\(Self.text(erased + (try retracted(db)))))"
    let broken: SQL = "SELECT id FROM leaf WHERE class = 2 AND log_ref IN \(Self.list(notesOnly))"
    return ([known, broken] + setAside + disputed).joined(separator: " UNION ")
  }

  /// Ids of entries to which a survivor's amendment adds a tag, unless she took the amendment back. Whether the
  /// amendment or its target arrived first does not matter.
  func amended(_ db: Database, with tag: String) throws -> SQL {
    let tag = Facet(.addedTag, tag)
    return """
      SELECT t.id FROM facet f
      JOIN listing a ON a.id = f.entry_ref AND a.state = 1 AND a.class = 2
      JOIN about b ON b.entry_ref = a.id JOIN leaf m ON m.entry_id = b.target
      JOIN listing t ON t.id = m.id AND t.case_ref = a.case_ref
      WHERE f.field = \(tag.field.rawValue) AND f.value = \(tag.value)
        AND NOT \(isWithoutEffect("a")) AND a.id NOT IN \(Self.list(try retracted(db)))
      """
  }

  // MARK: - Taken back

  /// Those of the entries that a survivor took back, of any case if none are named.
  func retracted(_ db: Database, among leaves: [Int64]? = nil) throws -> [Int64] {
    let taken = try known(db, of: leaves) { isWithoutEffect($0) }.takenBack
    return leaves.map { $0.filter(taken.contains) } ?? taken.sorted()
  }

  /// Retractions of these entries, retractions of those, and so on, whether they count, were taken back or are
  /// disputed: what somebody needs beside the entries to know what of them stands. Each once.
  func retractions(_ db: Database, following leaves: [Int64]) throws -> [Int64] {
    try known(db, of: leaves) { isOutOfView($0) }.all
  }

  private func known(
    _ db: Database, of leaves: [Int64]?, except: (String) -> SQL
  ) throws -> Retractions {
    var known = Retractions()
    var wanted = leaves
    // What is taken back may be a retraction: those of these are looked up too, until there are none.
    repeat {
      let found = try retractions(db, of: wanted, except: except("r"))
      let new = known.add(found)
      wanted = wanted == nil ? nil : new
    } while wanted.map { !$0.isEmpty } ?? false
    return known
  }

  /// By survivors, of what survivors entered; they count if they are not taken back themselves.
  private func retractions(
    _ db: Database, of leaves: [Int64]?, except: SQL
  ) throws -> [(retraction: Int64, target: Int64)] {
    let kind = Int64(EntryKind.retract.code)
    let rule: SQL = """
      r.kind = \(kind) AND r.state = 1 AND r.class = 2 AND r.case_ref = t.case_ref
      AND NOT \(except) AND t.log_ref NOT IN \(Self.list(notesOnly))
      """
    let sql: SQL
    if let leaves {
      sql = """
        SELECT r.id AS r, t.id AS t FROM listing t JOIN leaf m ON m.id = t.id
        JOIN about b ON b.target = m.entry_id JOIN listing r ON r.id = b.entry_ref
        WHERE t.id IN \(Self.list(leaves)) AND \(rule)
        """
    } else {
      sql = """
        SELECT r.id AS r, t.id AS t FROM listing r JOIN about b ON b.entry_ref = r.id
        JOIN leaf m ON m.entry_id = b.target JOIN listing t ON t.id = m.id WHERE \(rule)
        """
    }
    return try SQLRequest<Row>(literal: sql).fetchAll(db).map { ($0["r"], $0["t"]) }
  }

  // MARK: - What a case says

  private mutating func addErased(_ db: Database, _ state: CaseState) throws {
    let entries = state.erasures.map { $0.entry.bytes.data }
    for start in stride(from: 0, to: entries.count, by: 500) {
      let some = Array(entries[start..<min(start + 500, entries.count)])
      erased += try SQLRequest<Int64>(
        literal: "SELECT id FROM leaf WHERE class <> 1 AND entry_id IN \(some)"
      ).fetchAll(db)
    }
  }

  /// Behind a cut, an entry stays in view as far as somebody saw it whose receipts count; behind a fork, it does.
  private mutating func add(
    _ db: Database, _ log: (ref: Int64, logID: LogID), _ state: CaseState
  ) throws {
    var end = Int64.max
    guard let member = state.member(log.logID) else {
      // Whoever admitted the author had no power to, as it turned out.
      strangers.append(log.ref)
      setAside.append(Self.leaves(of: log.ref, from: 0, to: .max))
      return
    }
    if let cut = member.cut {
      end = Int64(clamping: cut.contentSize)
      let receipts = try Row.fetchAll(
        db,
        cached: "SELECT witness, max(size) AS size FROM receipt WHERE log_ref = ? GROUP BY witness",
        arguments: [log.ref])
      let seen =
        try receipts.filter { receipt in
          let witness: LogID = try receipt.identifier("witness")
          return witness != log.logID && !cut.authors.contains(witness) && state.bindsTime(witness)
        }.map { $0["size"] as Int64 }.max() ?? 0
      setAside.append(Self.leaves(of: log.ref, from: max(end, seen), to: .max))
      if seen > end { disputed.append(Self.leaves(of: log.ref, from: end, to: seen)) }
    }
    if let fork = state.forkedAt(log.logID), Int64(clamping: fork) < end {
      disputed.append(Self.leaves(of: log.ref, from: Int64(clamping: fork), to: end))
    }
  }

  private static func leaves(of log: Int64, from: Int64, to: Int64) -> SQL {
    "SELECT id FROM leaf WHERE log_ref = \(log) AND sequence >= \(from) AND sequence < \(to)"
  }

  private func any(_ sets: [SQL], of id: SQL) -> SQL {
    sets.isEmpty ? "0" : "(\(sets.map { "\(id) IN (\($0))" as SQL }.joined(separator: " OR ")))"
  }

  /// Row numbers as one argument: there may be more than SQLite takes arguments.
  private static func list(_ numbers: [Int64]) -> SQL {
    numbers.isEmpty ? "()" : "(SELECT value FROM json_each(\(text(numbers))))"
  }

  static func text(_ numbers: [Int64]) -> String {
    "[" + numbers.map(String.init).joined(separator: ",") + "]"
  }
}

/// Which entries retractions take back, when retractions can be taken back as well. No entry can be about one that
/// is made later, so there is no circle in it.
private struct Retractions {
  private var ofTarget: [Int64: [Int64]] = [:]

  /// In the order in which they were found, each once.
  private(set) var all: [Int64] = []
  private var seen: Set<Int64> = []

  /// The retractions that were not known yet.
  mutating func add(_ found: [(retraction: Int64, target: Int64)]) -> [Int64] {
    var new: [Int64] = []
    for (retraction, target) in found where !(ofTarget[target] ?? []).contains(retraction) {
      ofTarget[target, default: []].append(retraction)
      if seen.insert(retraction).inserted { new.append(retraction) }
    }
    all += new
    return new
  }

  var takenBack: Set<Int64> {
    var isTakenBack: [Int64: Bool] = [:]
    // Any order: what is decided first is what the others follow from.
    for target in ofTarget.keys {
      var path = [target]
      while let entry = path.last {
        let retractions = ofTarget[entry] ?? []
        let open = retractions.filter { isTakenBack[$0] == nil && !path.contains($0) }
        if let first = open.first {
          path.append(first)
        } else {
          isTakenBack[entry] = retractions.contains { isTakenBack[$0] == false }
          path.removeLast()
        }
      }
    }
    return Set(ofTarget.keys.filter { isTakenBack[$0] == true })
  }
}
