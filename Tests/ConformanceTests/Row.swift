import Foundation
import Support
import Synchronization
import Testing

/// Where an attack is tried.
enum Level: Int, CaseIterable {
  /// The libraries, called from here: the pure ones, and the vault.
  case library
  /// `cairn`, as a process of its own.
  case program
  /// `cairn-verify`, as a process of its own.
  case verifier
  /// `Protocol/verify/verify.py`, as a process of its own.
  case independent
  /// A folder in which copies meet, exchanged with a vault.
  case folder
}

/// What became of an attack, in the words of the table. Each stands for checks that were made where it was tried.
enum Outcome: String {
  /// A clear error; nothing of it was taken, and nothing else was lost.
  case refused
  /// Kept with its reason, shown, and counted for nothing.
  case setAside = "set aside"
  /// The proof is kept and told.
  case proven = "proven and told"
  /// It is shown for what it is.
  case told
  /// All is as if it had not been tried.
  case nothing = "changes nothing"
  /// All is as it was before, or as it is afterwards, and whoever was told “done” lost nothing.
  case whole = "one whole state"
  /// What was taken away or held back is there again.
  case mended = "made good"
  /// Every copy comes to the same, whatever the order.
  case agreed = "all agree"
  /// Kept exactly as it was.
  case stored = "stored exactly"
  /// It is destroyed nowhere but on the device that did it.
  case undone = "nothing lost"
  /// It is found nowhere in the clear.
  case sealed = "found nowhere"
  /// It does not open.
  case locked = "opens nothing"
  /// A bundle from before says what it said.
  case stillVerifies = "what she had verifies"
  /// It is taken for no more than it shows.
  case unproven = "told as not proven"
}

/// One row of the table in SECURITY.md, while it is tried.
///
///     @Test func `Row 3: an entry is dropped from a range`() async throws {
///       try await Row(3, "an entry dropped from a range").hold { row in …
///
/// What is seen at each level becomes a cell. At the end the row is held to what the document says of it;
/// `CAIRN_WRITE_TABLES=1` writes the line instead.
final class Row {
  let number: Int
  let tried: String
  private var seen: [Level: [Outcome]] = [:]
  private var reasons: [Level: String] = [:]

  init(_ number: Int, _ tried: String) {
    self.number = number
    self.tried = tried
  }

  /// To be called only after the checks that the outcome stands for.
  func saw(_ outcomes: Outcome..., at levels: Level...) {
    for level in levels {
      for outcome in outcomes where seen[level]?.contains(outcome) != true {
        seen[level, default: []].append(outcome)
      }
    }
  }

  /// Why it cannot be tried at a level.
  func passes(_ levels: Level..., because reason: String) {
    for level in levels { reasons[level] = reason }
  }

  /// Runs the row, and holds the document to it.
  func hold(
    sourceLocation: SourceLocation = #_sourceLocation, _ body: (Row) async throws -> Void
  ) async throws {
    try await body(self)
    for level in Level.allCases {
      #expect(
        (seen[level] == nil) != (reasons[level] == nil),
        "row \(number) says neither what was seen nor why it was not tried: \(level)",
        sourceLocation: sourceLocation)
    }
    try Table.hold(line, of: number, sourceLocation)
  }

  private var line: String {
    let cells = Level.allCases.map { level in
      seen[level]?.map(\.rawValue).joined(separator: "; ") ?? "– " + (reasons[level] ?? "")
    }
    return "| " + (["\(number)", tried] + cells).joined(separator: " | ") + " |"
  }
}

/// The table in SECURITY.md. Each row writes or compares a line of its own, since rows run side by side.
enum Table {
  static let project = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  private static let document = project.appending(path: "SECURITY.md")
  private static let isWritten =
    ProcessInfo.processInfo.environment["CAIRN_WRITE_TABLES"] == "1"
  private static let lock = Mutex(())
  private static let head =
    "| # | what is tried | library | program | `cairn-verify` | `verify.py` | folder |"

  /// Lines of the table by number.
  static func lines() throws -> [(number: Int, text: String)] {
    let all = try String(contentsOf: document, encoding: .utf8).components(separatedBy: "\n")
    let rows = all.drop { $0 != head }.dropFirst(2).prefix { $0.hasPrefix("| ") }
    return rows.compactMap { text in
      let number = text.dropFirst(2).prefix { $0.isNumber }
      return Int(number).map { ($0, text) }
    }
  }

  static func hold(_ line: String, of number: Int, _ location: SourceLocation) throws {
    try lock.withLock { _ in
      if isWritten {
        try write(line, of: number)
      } else {
        let said = try lines().first { $0.number == number }?.text
        #expect(said == line, "SECURITY.md says something else", sourceLocation: location)
      }
    }
  }

  private static func write(_ line: String, of number: Int) throws {
    var all = try String(contentsOf: document, encoding: .utf8).components(separatedBy: "\n")
    let before = try lines()
    guard let start = all.firstIndex(of: head) else {
      Issue.record("SECURITY.md has no table to write into")
      return
    }
    let index = before.firstIndex { $0.number >= number } ?? before.count
    let place = start + 2 + index
    if before.indices.contains(index), before[index].number == number {
      all[place] = line
    } else {
      all.insert(line, at: place)
    }
    try all.joined(separator: "\n").write(to: document, atomically: true, encoding: .utf8)
  }
}

@Suite struct `The table of attacks` {
  /// Rows of which nothing can be tried before copies can meet by way of a relay.
  static let waiting: [(number: Int, tried: String)] = [
    (29, "two pushes at once"), (31, "a relay shows two views"),
    (34, "an entry erased at the relay by somebody who may not"),
    (35, "a flood of bad signatures"),
  ]

  @Test func `has each row once`() throws {
    #expect(try Table.lines().map(\.number) == Array(1...48))
  }

  @Test func `names the rows that wait for a relay`() throws {
    for (number, tried) in Self.waiting {
      let cells = Level.allCases.map { _ in "waits for a relay" }
      try Table.hold(
        "| " + (["\(number)", tried] + cells).joined(separator: " | ") + " |", of: number,
        #_sourceLocation)
    }
  }
}
