import CaseLog
import Foundation
import Vault

/// What a hostile hand or a failing disk can do to a vault's files, each done to a real vault, with what the vault
/// says then: at once, by `cairn check`, or at the next exchange. It is the table in SECURITY.md.
struct Tampering {
  /// The same vault at two times, the second one with a log that holds its last commit, and another vault.
  struct Material {
    let older: Moment
    let newer: Moment
    let another: Moment
    let logged: Moment
    let vault: String
    let mailbox: String
  }

  typealias Files = [String: [UInt8]]

  struct Scenario {
    let what: String
    /// From the vault as it is now; one state, or one for each page or frame.
    let states: (Material) -> [Files]
    var isLogged = false
    /// It lies in another folder: another inode.
    var isMoved = false
    init(
      _ what: String, isLogged: Bool = false, isMoved: Bool = false,
      _ states: @escaping (Material) -> [Files]
    ) {
      self.what = what
      self.isLogged = isLogged
      self.isMoved = isMoved
      self.states = states
    }
  }

  struct Line {
    let what: String
    let atOnce: [String]
    let byCheck: [String]
    let atExchange: [String]
    let isOfMany: Bool

    var markdown: String {
      let cells = [atOnce, byCheck, atExchange].map { $0.joined(separator: "; ") }
      return "| " + ([what] + cells).joined(separator: " | ") + " |"
    }
  }

  private(set) var lines: [Line] = []
  private(set) var failures: [String] = []
  private(set) var statesTried = 0
  private let workshop: Workshop
  private let kit: [UInt8]
  private let material: Material
  private let baseline: Baseline
  private let loggedBaseline: Baseline

  // MARK: - Material

  init() async throws {
    workshop = try Workshop("tampering")
    let person = Person(name: "vault", workshop: workshop)
    let another = Person(name: "another", workshop: workshop)
    let mailbox = workshop.world + "/mailbox"
    try Tree.make(mailbox)
    try await another.makeVault()
    try another.done("add", "--text", "Somebody else's.")
    try another.done("add", try workshop.input("other.bin", noise(90_000, seed: 9)))
    try await person.makeVault()
    kit = try Tree.read(person.kitFile)
    try person.done("add", "--text", "He wrote \(Baseline.word) to me.")
    try person.done("add", try workshop.input("first.bin", noise(70_000, seed: 1)))
    try person.done("sync", "--mailbox", mailbox)
    let older = try Moment(of: person.vault)
    try person.done("add", "--text", "A second \(Baseline.word).")
    let second = try person.done(
      "add", try workshop.input("second.bin", noise(75_000, seed: 2)), "--json")
    try person.done("retract", try second.savedIDs()[0], "--text", "Not so.")
    try person.done("sync", "--mailbox", mailbox)
    let newer = try Moment(of: person.vault)
    var vault = try Vaults.open(person.vault, kit: try Vaults.kit(text: kit))
    baseline = try await Baseline(vault, kit: kit)
    try await vault.close()
    try newer.restore(to: person.vault)
    try await person.killAfterCommit("A third \(Baseline.word), in the log.")
    let logged = try Moment(of: person.vault)
    vault = try Vaults.open(person.vault, kit: try Vaults.kit(text: kit))
    loggedBaseline = try await Baseline(vault, kit: kit)
    try await vault.close()
    material = Material(
      older: older, newer: newer, another: try Moment(of: another.vault), logged: logged,
      vault: person.vault, mailbox: mailbox)
  }

  // MARK: - Trying

  mutating func run(progress: Progress) async throws {
    for scenario in Self.scenarios { try await run(scenario, progress) }
    try workshop.remove()
  }

  private mutating func run(_ scenario: Scenario, _ progress: Progress) async throws {
    let mailbox = try Moment(of: material.mailbox)
    var atOnce: Set<String> = []
    var byCheck: Set<String> = []
    var atExchange: Set<String> = []
    let moment = scenario.isLogged ? material.logged : material.newer
    let states = scenario.states(material)
    for files in states {
      statesTried += 1
      progress.tell("\(scenario.what): \(statesTried) states, \(failures.count) failures")
      try moment.restore(to: material.vault)
      try mailbox.restore(to: material.mailbox)
      var path = material.vault
      if scenario.isMoved {
        path = workshop.path + "/moved"
        try Tree.remove(path)
        try Tree.make(path)
      }
      try moment.with(files).restore(to: path, isElsewhere: scenario.isMoved)
      let baseline = scenario.isLogged ? loggedBaseline : baseline
      let verdict = try await baseline.verdict(of: path, mailbox: material.mailbox)
      if verdict.isSilentlyWrong {
        failures.append("\(scenario.what): \(verdict.showsOther ?? "")")
      }
      let (now, later, meeting) = Self.words(verdict)
      atOnce.insert(now)
      if let later { byCheck.insert(later) }
      if let meeting { atExchange.insert(meeting) }
    }
    lines.append(
      Line(
        what: scenario.what, atOnce: atOnce.sorted(),
        byCheck: byCheck.isEmpty ? ["–"] : byCheck.sorted(),
        atExchange: atExchange.isEmpty ? ["–"] : atExchange.sorted(),
        isOfMany: states.count > 4))
    try Tree.remove(workshop.path + "/moved")
  }

  /// For the three columns; nil where it does not come to that.
  private static func words(_ verdict: Verdict) -> (String, String?, String?) {
    let check = verdict.check.isEmpty ? "nothing" : "found"
    var exchange = "nothing"
    if let said = verdict.exchange {
      exchange = said == "ownLogAhead" ? "told: an old copy, signs nothing" : "an error"
    }
    switch verdict.opening {
    case "copied"?: return ("told: copied, signs nothing", check, nil)
    case "rolledBack"?: return ("told: older than what was signed, signs nothing", check, nil)
    case let code?: return ("refused: \(code)", nil, nil)
    case nil: break
    }
    if verdict.looking != nil { return ("an error when it is looked at", check, exchange) }
    if verdict.showsOther != nil { return ("something else is shown", check, exchange) }
    return ("all is shown as it was", check, exchange)
  }
}

extension Tampering.Line {
  /// Whether a document has this line. Of a line for many states, which differ from run to run, the document may
  /// say more than one run saw.
  func isHeld(by document: String) -> Bool {
    for line in document.split(separator: "\n") {
      let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      guard cells.count == 4, cells[0] == what else { continue }
      return zip(cells.dropFirst(), [atOnce, byCheck, atExchange]).allSatisfy { cell, seen in
        let said = Set(cell.components(separatedBy: "; "))
        return isOfMany ? said.isSuperset(of: seen) : said == Set(seen)
      }
    }
    return false
  }
}

extension Tampering.Material {
  /// A large attachment's file, by its place in the order of names.
  func blob(_ index: Int) -> String {
    newer.files.keys.filter { $0.hasPrefix("blobs/") }.sorted()[index]
  }
  func now(_ change: (inout Tampering.Files) -> Void) -> [Tampering.Files] {
    var files = newer.files
    change(&files)
    return [files]
  }
  func withLog(_ change: (inout Tampering.Files) -> Void) -> [Tampering.Files] {
    var files = logged.files
    change(&files)
    return [files]
  }
}

// MARK: - What is tried

extension Tampering {
  private static let page = 4096
  private static let header = 72
  private static let frame = 4160

  static var scenarios: [Scenario] { keys + database + log + anchor + blobs + folders }

  private static var keys: [Scenario] {
    [
      Scenario("one copy of the locks damaged or missing") { it in
        it.now { $0["keys"]?[2000] ^= 1 } + it.now { $0["keys.bak"]?[100] ^= 1 }
          + it.now { $0["keys"] = nil } + it.now { $0["keys.bak"] = nil }
      },
      Scenario("both copies of the locks damaged") { it in
        it.now { files in
          files["keys"]?[2000] ^= 1
          files["keys.bak"]?[2000] ^= 1
        }
      },
      Scenario("both copies of the locks missing") { it in
        it.now { files in
          files["keys"] = nil
          files["keys.bak"] = nil
        }
      },
      Scenario("the locks of another vault") { it in
        it.now { files in
          files["keys"] = it.another.files["keys"]
          files["keys.bak"] = it.another.files["keys.bak"]
        }
      },
    ]
  }

  private static var database: [Scenario] {
    [
      Scenario("the database missing") { it in it.now { $0["vault.db"] = nil } },
      Scenario("the database of another vault") { it in
        it.now { $0["vault.db"] = it.another.files["vault.db"] }
      },
      Scenario("an older database, the anchor as it is") { it in
        it.now { $0["vault.db"] = it.older.files["vault.db"] }
      },
      Scenario("any page of the database flipped") { it in
        pages(of: it.newer).flatMap { number in
          it.now { $0["vault.db"]?[number * page + 1234] ^= 4 }
        }
      },
      Scenario("any page of the database zeroed") { it in
        pages(of: it.newer).flatMap { number in
          it.now { files in put([UInt8](repeating: 0, count: page), at: number, in: &files) }
        }
      },
      Scenario("any page replaced by its neighbour") { it in
        pages(of: it.newer).dropLast().flatMap { number in
          it.now { files in
            if let other = content(number + 1, of: it.newer) { put(other, at: number, in: &files) }
          }
        }
      },
      Scenario("any one page put back to its older content") { it in
        pages(of: it.newer).flatMap { number -> [Files] in
          guard let old = content(number, of: it.older), old != content(number, of: it.newer)
          else { return [] }
          return it.now { files in put(old, at: number, in: &files) }
        }
      },
      Scenario("the database cut at any page") { it in
        pages(of: it.newer).flatMap { number in
          it.now {
            $0["vault.db"] = it.newer.files["vault.db"].map { Array($0.prefix(number * page)) }
          }
        }
      },
      Scenario("pages added at the end of the database") { it in
        it.now { $0["vault.db"]? += [UInt8](repeating: 7, count: 3 * page) }
      },
    ]
  }

  private static var log: [Scenario] {
    [
      Scenario("the database’s log with its last commit removed", isLogged: true) { it in
        it.withLog { $0["vault.db-wal"] = nil }
      },
      Scenario("the log cut within or after any frame", isLogged: true) { it in
        let count = it.logged.files["vault.db-wal"]?.count ?? 0
        return stride(from: 0, to: count, by: frame / 2).flatMap { end in
          it.withLog {
            $0["vault.db-wal"] = it.logged.files["vault.db-wal"].map { Array($0.prefix(end)) }
          }
        }
      },
      Scenario("any frame of the log flipped", isLogged: true) { it in
        let count = it.logged.files["vault.db-wal"]?.count ?? 0
        return stride(from: header + 500, to: count, by: frame).flatMap { at in
          it.withLog { $0["vault.db-wal"]?[at] ^= 1 }
        }
      },
      Scenario("a log beside a later database") { it in
        it.now { $0["vault.db-wal"] = noise(3 * frame + header, seed: 5) }
      },
    ]
  }

  private static var anchor: [Scenario] {
    [
      Scenario("the anchor missing") { it in it.now { $0["anchor"] = nil } },
      Scenario("the anchor damaged") { it in it.now { $0["anchor"]?[60] ^= 1 } },
      Scenario("the anchor of another vault") { it in
        it.now { $0["anchor"] = it.another.files["anchor"] }
      },
      Scenario("an older anchor, the database as it is") { it in
        it.now { $0["anchor"] = it.older.files["anchor"] }
      },
    ]
  }

  private static var blobs: [Scenario] {
    [
      Scenario("an attachment’s file missing") { it in it.now { $0[it.blob(0)] = nil } },
      Scenario("an attachment’s file cut, or longer") { it in
        it.now { $0[it.blob(0)]?.removeLast(100) } + it.now { $0[it.blob(0)]?.append(0) }
      },
      Scenario("a byte of an attachment’s file flipped") { it in
        it.now { $0[it.blob(0)]?[70_000] ^= 1 } + it.now { $0[it.blob(1)]?[0] ^= 1 }
      },
      Scenario("two attachments’ files exchanged") { it in
        it.now { files in
          let first = files[it.blob(0)]
          files[it.blob(0)] = files[it.blob(1)]
          files[it.blob(1)] = first
        }
      },
      Scenario("an attachment’s file of another vault put in") { it in
        it.now { files in
          let other = it.another.files.first { $0.key.hasPrefix("blobs/") }?.value
          files[it.blob(0)] = other
        }
      },
    ]
  }

  private static var folders: [Scenario] {
    [
      Scenario("the whole folder copied or restored elsewhere", isMoved: true) { it in
        [it.newer.files]
      },
      Scenario("the whole folder put back to an older state, on the same disk") { it in
        // Attachments that came later may have stayed.
        [it.older.files, it.older.files.merging(it.newer.files) { old, _ in old }]
      },
    ]
  }

  // MARK: - Pages

  private static func pages(of moment: Moment) -> Range<Int> {
    0..<((moment.files["vault.db"]?.count ?? 0) / page)
  }

  private static func content(_ number: Int, of moment: Moment) -> [UInt8]? {
    guard let bytes = moment.files["vault.db"], (number + 1) * page <= bytes.count else {
      return nil
    }
    return Array(bytes[(number * page)..<((number + 1) * page)])
  }

  private static func put(_ new: [UInt8], at number: Int, in files: inout Files) {
    files["vault.db"]?.replaceSubrange((number * page)..<((number + 1) * page), with: new)
  }
}
