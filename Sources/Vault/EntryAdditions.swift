internal import CaseLog
internal import Cryptography
internal import GRDB
internal import VerifiableLog

/// Finds what was said later about entries that are to be opened to an audience.
struct EntryAdditions {
  struct Found {
    /// Of what was chosen, of these retractions, and so on: who cannot open them takes for standing what was
    /// taken back, so they come along whatever is wished.
    var retractions: [EntryChoice.Entry] = []
    /// What the survivor's devices added, and retractions of that: comes along if it is wished.
    var additions: [EntryChoice.Entry] = []
    /// Comes along only if it is named: what advocates wrote, what was taken back, what was meant for fewer
    /// than the entries, and what is about something else too that the audience cannot open.
    var keptBack: [EntryChoice.Entry] = []
  }

  private let db: Database
  private let choice: EntryChoice
  private let state: CaseState
  private let standings: EntryStandings
  private let keptBack: KeptBack
  /// What is about an entry, and what an entry is about; nil for a target that is not here.
  private var about: [Int64: [Int64]] = [:]
  private var targets: [Int64: [Int64?]] = [:]

  init(
    _ db: Database, of row: CaseRow, in state: CaseState, choice: EntryChoice,
    keptBack: KeptBack
  ) throws {
    self.db = db
    self.choice = choice
    self.state = state
    standings = try EntryStandings(db, of: [CaseAuthors(db, of: row, in: state)])
    self.keptBack = keptBack
    let relations = try Row.fetchCursor(
      db,
      sql: """
        SELECT a.entry_ref, t.id AS target FROM about a JOIN entry e ON e.id = a.entry_ref
        LEFT JOIN leaf t ON t.entry_id = a.target WHERE e.case_ref = ? ORDER BY a.entry_ref
        """, arguments: [row.ref])
    while let relation = try relations.next() {
      let target: Int64? = relation["target"]
      targets[relation["entry_ref"], default: []].append(target)
      if let target { about[target, default: []].append(relation["entry_ref"]) }
    }
  }

  /// - Parameters:
  ///   - chosen: what is to be opened, or is open already.
  ///   - open: all that the audience can open.
  func find(about chosen: Set<Int64>, open: Set<Int64>) throws -> Found {
    var found = Found()
    let retractions = try standings.retractions(db, following: chosen.sorted())
    found.retractions = try retractions.compactMap(choice.entry)
    var opened = open.union(chosen).union(retractions)
    let candidates = try candidates(about: chosen.union(retractions), open: opened)
    let takenBack = Set(try standings.retracted(db, among: candidates.map(\.ref)))
    var rest = candidates.filter { !takenBack.contains($0.ref) && mayComeAlong($0) }
    var next: [EntryChoice.Entry]
    repeat {
      rest.removeAll { opened.contains($0.ref) }
      next = rest.filter { isAbout($0, only: opened) }
      opened.formUnion(next.map(\.ref))
      let retractions = try standings.retractions(db, following: next.map(\.ref))
        .filter { !opened.contains($0) }
      opened.formUnion(retractions)
      found.additions += try next + retractions.compactMap(choice.entry)
    } while !next.isEmpty
    found.keptBack = candidates.filter { !opened.contains($0.ref) }
    return found
  }

  /// What is about an entry that is not opened, such as an answer to another advocate's request, is not told
  /// without it.
  ///
  /// - Returns: what was taken out.
  func removeThoseAboutOthers(
    from entries: inout [EntryChoice.Entry], open: Set<Int64>
  ) -> [EntryChoice.Entry] {
    var removed: [EntryChoice.Entry] = []
    var opened = open.union(entries.map(\.ref))
    while true {
      let others = entries.filter { !isAbout($0, only: opened) }
      if others.isEmpty { return removed }
      removed += others
      opened.subtract(others.map(\.ref).filter { !open.contains($0) })
      let refs = Set(others.map(\.ref))
      entries.removeAll { refs.contains($0.ref) }
    }
  }

  private func isAbout(_ entry: EntryChoice.Entry, only opened: Set<Int64>) -> Bool {
    (targets[entry.ref] ?? []).allSatisfy { target in target.map(opened.contains) ?? false }
  }

  /// All that is about these entries, about that, and so on, and is not open yet.
  private func candidates(
    about entries: Set<Int64>, open: Set<Int64>
  ) throws -> [EntryChoice.Entry] {
    var found: [EntryChoice.Entry] = []
    var reached = entries
    var waiting = entries.sorted()
    while let target = waiting.popLast() {
      for ref in about[target] ?? [] where reached.insert(ref).inserted {
        guard let entry = try choice.entry(ref) else { continue }
        waiting.append(ref)
        if !open.contains(ref) { found.append(entry) }
      }
    }
    return found
  }

  private func mayComeAlong(_ entry: EntryChoice.Entry) -> Bool {
    state.member(entry.logID)?.role == .survivor
      && !keptBack.contains(
        entry.ref, in: entry.logID, clock: entry.clock,
        asAbout: (targets[entry.ref] ?? []).compactMap(\.self))
  }
}
