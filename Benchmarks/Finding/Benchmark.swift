import CaseLog
import Cryptography
import Foundation
import Measuring
import Vault

/// How long it takes to find entries: `swift run -c release FindingBenchmark [ENTRIES] [CASES]`.
///
/// Makes a vault of ENTRIES entries in one case (100,000 unless said) and one of CASES cases of a hundred (1,000
/// unless said), in the folder for temporary files, and prints medians. Opening is measured without the
/// derivation of the key, which is there to be slow: its median for the same cost is taken off.
@main
struct Benchmark {
  static func main() async throws {
    let numbers = CommandLine.arguments.dropFirst().compactMap { Int($0) }
    let entries = numbers.first ?? 100_000
    let cases = numbers.dropFirst().first ?? 1000
    try await Measured.inFolder("finding") { folder in
      try await oneLargeCase(at: folder + "/large", entries: entries)
      try await manyCases(at: folder + "/many", cases: cases, each: 100)
    }
  }

  // MARK: - The two vaults

  private static func oneLargeCase(at path: String, entries: Int) async throws {
    print("\(entries) entries in one case")
    let vault = try MeasuredVault(at: path)
    try await vault.measureAdding(entries)
    try await vault.measureOpening()
    let open = try vault.open()
    let page = try await measure("first page of 50") { try await open.page(.init(.oneCase(nil))) }
    var query = EntryQuery(.oneCase(nil))
    query.after = page.next
    query.limit = 50
    try await measure("next page of 50") { [query] in try await open.page(query) }
    try await measureQueries(open, .oneCase(nil))
    try await open.close()
  }

  private static func manyCases(at path: String, cases: Int, each: Int) async throws {
    print("\(cases) cases of \(each) entries")
    let vault = try MeasuredVault(at: path)
    var generator = Words(seed: 2)
    for number in 0..<cases {
      _ = try await vault.created.startCase(named: "case \(number)")
      let new = (0..<each).map { _ in generator.entry() }
      _ = try await vault.created.add(new, toCase: "case \(number)")
    }
    try await vault.measureOpening()
    let open = try vault.open()
    try await measure("list of cases", times: 3) { try await open.cases() }
    try await measure("first page of one case") {
      try await open.page(.init(.oneCase("case \(cases / 2)")))
    }
    try await measureQueries(open, .allCases)
    try await open.close()
  }

  private static func measureQueries(_ vault: OpenVault, _ scope: EntryQuery.Scope) async throws {
    let queries: [(String, (inout EntryQuery) throws -> Void)] = [
      ("order by when it happened", { $0.order = .happened }),
      ("order by when it is proven", { $0.order = .existedBy }),
      ("newest first", { $0.isNewestFirst = true }),
      ("a rare word", { $0.text = try SearchWords(typed: Words.rare) }),
      ("a word of 2 %", { $0.text = try SearchWords(typed: Words.of2Percent) }),
      ("a word of 50 %", { $0.text = try SearchWords(typed: Words.of50Percent) }),
      (
        "two words",
        { $0.text = try SearchWords(typed: "\(Words.of50Percent) \(Words.of2Percent)") }
      ),
      (
        "a phrase",
        { $0.text = try SearchWords(typed: "\"\(Words.of2Percent) \(Words.of50Percent)\"") }
      ),
      ("the beginning of a rare word", { $0.text = try SearchWords(typed: "harb*") }),
      ("the beginning of a word of 2 %", { $0.text = try SearchWords(typed: "threaten*") }),
      ("the beginning of every eighth word", { $0.text = try SearchWords(typed: "thre*") }),
      ("a word that nobody wrote", { $0.text = try SearchWords(typed: "nowhere") }),
      ("a common tag", { $0.tags = ["threat"] }),
      ("two tags", { $0.tags = ["threat", "night"] }),
      ("a place", { $0.place = "site7.example" }),
      (
        "a span of when it happened",
        {
          $0.happened = .init(
            from: ClaimedTime(typed: "2023-03"), to: ClaimedTime(typed: "2023-03"))
        }
      ),
      ("only open entries", { $0.states = [.open] }),
      ("only taken back, none", { $0.states = [.retracted] }),
      ("only notes, none", { $0.kinds = [.note] }),
      ("only one's own devices", { $0.audience = .ownDevices }),
      ("with a file, none", { $0.hasFile = true }),
      (
        "a word of 50 %, a tag and a place",
        {
          $0.text = try SearchWords(typed: Words.of50Percent)
          $0.tags = ["night"]
          $0.place = "site7.example"
        }
      ),
    ]
    for (name, change) in queries {
      var query = EntryQuery(scope)
      query.limit = 50
      try change(&query)
      try await measure(name) { [query] in try await vault.page(query) }
    }
  }
}

// MARK: - Measuring

/// Prints the median of several runs; what the last one gave.
@discardableResult
func measure<Result>(
  _ name: String, times: Int = 9, _ body: () async throws -> Result
) async throws -> Result {
  var taken: [Duration] = []
  var result = try await body()
  for _ in 0..<times {
    let start = ContinuousClock.now
    result = try await body()
    taken.append(ContinuousClock.now - start)
  }
  show(name, taken.sorted()[times / 2])
  return result
}

func show(_ name: String, _ duration: Duration) {
  let (seconds, attoseconds) = duration.components
  let milliseconds = Double(seconds) * 1e3 + Double(attoseconds) / 1e15
  let number = String(format: "%9.2f ms", milliseconds)
  print("  " + name.padding(toLength: 36, withPad: " ", startingAt: 0) + number)
}

extension OpenVault {
  func page(_ query: EntryQuery) throws -> EntryPage {
    var query = query
    query.limit = query.limit ?? 50
    return try entries(matching: query)
  }
}

struct MeasuredVault {
  private let path: String
  let created: OpenVault

  init(at path: String) throws {
    self.path = path
    created = try OpenVault.create(
      at: path, passphrase: try Measured.passphrase(), kit: try RecoveryKit.make(), cost: .light,
      surroundings: Measured.surroundings)
  }

  func open() throws -> OpenVault {
    try OpenVault(
      opening: path, passphrase: try Measured.passphrase(), surroundings: Measured.surroundings)
  }

  func measureAdding(_ count: Int) async throws {
    var generator = Words(seed: 1)
    let start = ContinuousClock.now
    for first in stride(from: 0, to: count, by: 1000) {
      let new = (first..<min(first + 1000, count)).map { _ in generator.entry() }
      if let failure = try await created.add(new, toCase: nil).failure { throw failure.error }
    }
    show("adding one entry, in batches", (ContinuousClock.now - start) / count)
  }

  /// Opens the vault several times: until it is open, and until the first page is there.
  func measureOpening() async throws {
    try await created.close()
    var derivation: [Duration] = []
    var opening: [Duration] = []
    var firstPage: [Duration] = []
    for _ in 0..<5 {
      // A wrong passphrase costs the derivation and nothing else.
      let start = ContinuousClock.now
      do {
        _ = try OpenVault(
          opening: path, passphrase: try Measured.passphrase("another"),
          surroundings: Measured.surroundings)
      } catch let error as VaultError where error.code == .wrongPassphrase {}
      let middle = ContinuousClock.now
      let vault = try open()
      let opened = ContinuousClock.now
      _ = try await vault.page(.init(.oneCase(nil)))
      let end = ContinuousClock.now
      derivation.append(middle - start)
      opening.append(opened - middle)
      firstPage.append(end - opened)
      try await vault.close()
    }
    let key = derivation.sorted()[2]
    show("derivation of the key, taken off", key)
    show("opening", opening.sorted()[2] - key)
    show("opening and first page", opening.sorted()[2] - key + firstPage.sorted()[2])
  }
}

/// Entries as people keep them: words by Zipf's law, addresses of some sites, tags, times of some years. The same
/// in each run.
struct Words {
  static let of50Percent = "because"
  static let of2Percent = "threatened"
  static let rare = "harbour"
  private var state: UInt64

  init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

  private mutating func below(_ limit: Int) -> Int {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return Int((state >> 20) % UInt64(limit))
  }

  /// One of 20,000, the first ones far more often.
  private mutating func word() -> String {
    let limit = [20, 200, 2000, 20_000][below(4)]
    var number = below(limit) + 1
    var text = ""
    while number > 0 {
      text += ["ra", "ne", "thre", "so", "li", "mu", "ka", "do"][number % 8]
      number /= 8
    }
    return text
  }

  mutating func entry() -> NewEntry {
    var words = (0..<(5 + below(40))).map { _ in word() }
    if below(50) == 0 { words.append(Self.of2Percent) }
    if below(2) == 0 { words.append(Self.of50Percent) }
    if below(5000) == 0 { words.append(Self.rare) }
    var content = EntryContent()
    content.words = words.joined(separator: " ")
    if below(2) == 0 {
      content.url = "https://www.site\(below(40)).example/posts/\(below(1_000_000))?from=\(word())"
    }
    if below(3) == 0 { content.account = "@\(word())\(below(100))" }
    for tag in ["threat", "night", "work", "doxing"] where below(6) == 0 {
      content.tags.append(tag)
    }
    if below(4) > 0 {
      content.seen = ClaimedTime(
        typed: "202\(below(5))-\(10 + below(3))-\(10 + below(19))T1\(below(10)):\(10 + below(50))Z")
    }
    return NewEntry(source: nil, content: content)
  }
}
