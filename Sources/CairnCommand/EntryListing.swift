import CaseLog
import Cryptography
import Vault
import VerifiableLog

/// Entries one below the other, grouped by the day of the time that they are ordered by.
struct EntryListing {
  let order: EntryQuery.Order
  /// What was searched for, to show where it stands.
  var words: SearchWords?
  /// Whether entries of several cases can stand here.
  var namesCases = false
  /// Whether those that cannot be opened are only counted.
  var passesOverLocked = false

  /// - Parameters:
  ///   - privateOnes: those that were meant for fewer, or perhaps.
  ///   - erasures: what became of those that are erased.
  func print(
    _ entries: [EntrySummary], privateOnes: [EntryID: KeptPrivate],
    erasures: [EntryID: ErasureState]
  ) {
    var last: String?
    for entry in entries {
      let day = heading(of: entry)
      if day != last { Output.line(day) }
      last = day
      let lines = lines(
        of: entry, keptPrivate: privateOnes[entry.id], erasure: erasures[entry.id])
      for line in lines { Output.line(line) }
      Output.line()
    }
  }

  /// How the entries stand, for the line below them.
  var described: String {
    switch order {
    case .entered: return "in the order in which they were entered, by the clocks of their authors"
    case .happened: return "in the order in which they happened, as it is said"
    case .notBefore, .existedBy:
      return "in the order in which other members had signed for them, by the clocks of these"
    }
  }

  // MARK: - Days

  private func heading(of entry: EntrySummary) -> String {
    if entry.standing == .erased { return "Erased" }
    switch order {
    case .entered:
      return entry.enteredAt.map { "Entered on " + Self.day($0) } ?? "Cannot be opened here"
    case .happened:
      return entry.content?.seen.map { "Happened " + Self.day($0) } ?? "Not said when it happened"
    case .notBefore:
      return entry.notBefore.map { "Made after " + Self.day($0) } ?? "Not known after what"
    case .existedBy:
      return entry.existedBy.map { "Seen by another member on " + Self.day($0) }
        ?? "Seen by no other member yet"
    }
  }

  private static func day(_ seconds: UInt64) -> String { String(Clock.text(seconds).prefix(10)) }

  /// As exact as it is said, and no more.
  private static func day(_ time: ClaimedTime) -> String {
    switch time {
    case .exact(let exact): return "on " + exact.text.prefix(10)
    case .date(let date): return (date.day == nil ? "in " : "on ") + date.text
    case .about(let date): return "about " + date.text
    case .range(let first, _): return "from " + first.text.prefix(10) + " on"
    }
  }

  // MARK: - Entries

  private func lines(
    of entry: EntrySummary, keptPrivate: KeptPrivate?, erasure: ErasureState?
  ) -> [String] {
    let text = EntryText(summary: entry)
    var lines = text.listLines
    var more: [String] = []
    if let content = entry.content, let found = words?.excerpt(of: content) {
      more.append("found: " + Self.line(of: found))
    }
    switch erasure {
    case .hidden(let until, let canBeKept)?:
      more.append("hidden, and destroyed here on \(Self.day(until))")
      if canBeKept { more.append("to bring it back: cairn keep \(ShortID.of(entry.id))") }
    case .destroyed?: more.append("destroyed on this device")
    case nil: break
    }
    if entry.isRetracted { more.append("taken back") }
    if let keptPrivate { more.append("private: " + keptPrivate.said) }
    if namesCases { more.append("in the case " + SafeText.quoted(entry.caseName)) }
    if order == .existedBy, let time = entry.existedBy {
      more.append("seen by another member before \(Clock.text(time)), by their clock")
    }
    if order == .notBefore || order == .existedBy, let time = entry.notBefore {
      more.append("made after \(Clock.text(time)), by the clock of another member")
    }
    let indent = String(repeating: " ", count: 12)
    lines.insert(
      contentsOf: more.map { indent + Columns.cut($0, to: Columns.width - 1 - indent.count) }, at: 1
    )
    return lines
  }

  /// On one line, with what was found in sight.
  static func line(of excerpt: Excerpt) -> String {
    let before = SafeText.line(flat(excerpt.before))
    let shown = suffix(of: before, columns: 24)
    let isCut = excerpt.isCut.before || shown.count < before.count
    return (isCut ? "…" : "") + shown + SafeText.line(flat(excerpt.match))
      + SafeText.line(flat(excerpt.after)) + (excerpt.isCut.after ? "…" : "")
  }

  private static func flat(_ text: String) -> String {
    String(text.map { $0.isWhitespace ? " " : $0 })
  }

  private static func suffix(of text: String, columns: Int) -> String {
    var result: [Character] = []
    var used = 0
    for character in text.reversed() {
      used += Columns.count(character)
      if used > columns { break }
      result.append(character)
    }
    return String(result.reversed())
  }
}

/// An entry as scripts find it in `list` and `search`.
struct FoundObject: Encodable {
  private var entry: EntryObject
  private let summary: EntrySummary
  private let excerpt: Excerpt?

  init(_ summary: EntrySummary, readers: [EntryReader]?, isPrivate: Bool, words: SearchWords?) {
    entry = EntryObject(summary)
    entry.private = isPrivate
    entry.sharedWith = (readers ?? []).map(ReaderObject.init)
    self.summary = summary
    excerpt = summary.content.flatMap { content in words?.excerpt(of: content) }
  }

  private enum Key: String, CodingKey {
    case existedBy, excerpt, isRetracted, madeAfterTime
  }
  private enum ExcerptKey: String, CodingKey { case after, before, match }

  func encode(to encoder: any Encoder) throws {
    try entry.encode(to: encoder)
    var object = encoder.container(keyedBy: Key.self)
    try object.encode(summary.isRetracted, forKey: .isRetracted)
    try object.encodeIfPresent(summary.existedBy.map(Clock.iso), forKey: .existedBy)
    try object.encodeIfPresent(summary.notBefore.map(Clock.iso), forKey: .madeAfterTime)
    guard let excerpt else { return }
    var nested = object.nestedContainer(keyedBy: ExcerptKey.self, forKey: .excerpt)
    try nested.encode(excerpt.before, forKey: .before)
    try nested.encode(excerpt.match, forKey: .match)
    try nested.encode(excerpt.after, forKey: .after)
  }
}
