import CaseLog
import Cryptography
import Foundation
import GRDB
import Support
import Testing
import VerifiableLog

@testable import Vault

func entry(_ text: String, _ change: (inout EntryContent) -> Void = { _ in }) -> NewEntry {
  var content = EntryContent()
  content.words = text
  change(&content)
  return NewEntry(source: nil, content: content)
}

@Suite struct QueryTests {
  /// Words of the entries that fit.
  private func list(
    _ vault: OpenVault, _ scope: EntryQuery.Scope = .oneCase(nil),
    _ change: (inout EntryQuery) throws -> Void
  ) async throws -> [String] {
    var query = EntryQuery(scope)
    try change(&query)
    return try await vault.entries(matching: query).entries.map { $0.content?.words ?? "-" }
  }

  // MARK: - Times

  @Test func `what happened is found by every day that it can mean`() async throws {
    let fixture = try VaultFixture()
    let vault = try await fixture.create()
    let times = [
      "2024-05-31T23:30+02:00", "2024-05-31", "2024-05", "about 2024-06", "2024",
      "2024-04-20 to 2024-06-02", "2023-12-31",
    ]
    var new = times.map { text in entry(text) { $0.seen = ClaimedTime(typed: text) } }
    new.append(entry("unknown"))
    _ = try await vault.add(new, toCase: nil)
    func between(_ from: String?, _ to: String?) async throws -> [String] {
      try await list(vault) { query in
        query.happened = .init(
          from: from.flatMap(ClaimedTime.init(typed:)), to: to.flatMap(ClaimedTime.init(typed:)))
      }
    }
    #expect(
      try await between("2024-05-31", "2024-05-31") == [
        "2024-05-31T23:30+02:00", "2024-05-31", "2024-05", "2024", "2024-04-20 to 2024-06-02",
      ])
    #expect(
      try await between("2024-06", nil) == ["about 2024-06", "2024", "2024-04-20 to 2024-06-02"])
    #expect(try await between(nil, "2023") == ["2023-12-31"])
    #expect(
      try await list(vault) { $0.order = .happened } == [
        "2023-12-31", "2024", "2024-04-20 to 2024-06-02", "2024-05", "2024-05-31",
        "2024-05-31T23:30+02:00", "about 2024-06", "unknown",
      ])
    let backwards = try await list(vault) {
      $0.order = .happened
      $0.isNewestFirst = true
    }
    #expect(backwards.first == "about 2024-06")
    #expect(backwards.last == "unknown")
  }

  @Test func `the device's clock is another time than the claimed one`() async throws {
    let fixture = try VaultFixture()
    let vault = try await fixture.create()
    _ = try await vault.add(
      [entry("early") { $0.seen = ClaimedTime(typed: "2030") }], toCase: nil)
    fixture.clock.advance(1000)
    _ = try await vault.add([entry("late") { $0.seen = ClaimedTime(typed: "2001") }], toCase: nil)
    let second: Int64 = 1_700_001_000
    #expect(try await list(vault) { $0.entered.from = second } == ["late"])
    #expect(try await list(vault) { $0.entered.to = second - 1 } == ["early"])
    #expect(try await list(vault) { $0.entered = .init(from: second + 1, to: nil) } == [])
    #expect(try await list(vault) { $0.isNewestFirst = true } == ["late", "early"])
    #expect(try await list(vault) { $0.order = .happened } == ["late", "early"])
    let both = try await list(vault) {
      $0.order = .happened
      $0.entered.to = second
      $0.happened.from = 1_800_000_000
    }
    #expect(both == ["early"])
  }

  @Test func `the bracket comes from receipts, whichever arrives first`() async throws {
    let shared = try await SharedCase(before: [words("one")])
    try await shared.syncSurvivor()
    shared.advocate.clock.advance(100)
    try await shared.syncAdvocate()
    try await shared.syncSurvivor()
    _ = try await shared.hers.add([words("two"), words("three")], toCase: nil)
    func seen() async throws -> [UInt64?] {
      try await shared.hers.entries(ofCase: nil).map(\.existedBy)
    }
    #expect(try await seen() == [1_700_000_100, nil, nil])
    try await shared.syncSurvivor()
    shared.advocate.clock.advance(100)
    try await shared.syncAdvocate()
    try await shared.syncSurvivor()
    #expect(try await seen() == [1_700_000_100, 1_700_000_200, 1_700_000_200])
    #expect(
      try await list(shared.hers) {
        $0.order = .existedBy
        $0.isNewestFirst = true
      } == ["three", "two", "one"])
    let notBefore = try await shared.hers.entries(
      matching: {
        var query = EntryQuery(.oneCase(nil))
        query.order = .notBefore
        return query
      }()
    ).entries
    #expect(notBefore.map { $0.content?.words } == ["two", "one", "three"])
    #expect(notBefore.map(\.notBefore) == [1_700_000_100, nil, nil])
    // As each entry on its own is shown.
    for summary in notBefore {
      let detail = try await shared.hers.entry(summary.id.base32)
      #expect(detail.seenBy.map(\.time).min() == summary.existedBy)
    }
  }

  // MARK: - What it is

  @Test func `places, accounts, files and kinds`() async throws {
    let fixture = try VaultFixture()
    let vault = try await fixture.create()
    let file = try fixture.folder.file(
      "a.png", [0x89] + Array("PNG\r\n\u{1a}\n".utf8) + noise(50, seed: 1))
    var picture = EntryContent()
    picture.words = "picture"
    _ = try await vault.add(
      [
        entry("by url") { $0.url = "https://user@www.Example.org:8080/p?q#f" },
        entry("by place") {
          $0.place = "Example.org"
          $0.account = "@Somebody"
        },
        entry("other") { $0.url = "https://notexample.org/example.org" },
        NewEntry(source: .file(path: file), content: picture),
      ], toCase: nil)
    _ = try await vault.append(
      {
        var content = EntryContent()
        content.words = "a note"
        return content
      }(), as: .note, toCase: nil)
    #expect(try await list(vault) { $0.place = "example.ORG" } == ["by url", "by place"])
    #expect(try await list(vault) { $0.place = "example" } == ["by url"])
    #expect(try await list(vault) { $0.place = "www.example.org" } == ["by url"])
    #expect(try await list(vault) { $0.place = "org" } == [])
    #expect(try await list(vault) { $0.account = "somebody" } == ["by place"])
    #expect(try await list(vault) { $0.account = "@SOMEBODY" } == ["by place"])
    #expect(try await list(vault) { $0.hasFile = true } == ["picture"])
    #expect(try await list(vault) { $0.hasFile = false }.count == 4)
    #expect(try await list(vault) { $0.mediaType = "image" } == ["picture"])
    #expect(try await list(vault) { $0.mediaType = "video" } == [])
    #expect(try await list(vault) { $0.kinds = [.note] } == ["a note"])
    #expect(try await list(vault) { $0.kinds = [.note, .evidence] }.count == 5)
    #expect(try await list(vault) { $0.author = .own }.count == 5)
    #expect(try await list(vault) { $0.author = .role(.advocate) } == [])
    await #expect(throws: VaultError(.unknownMember)) {
      try await list(vault) { $0.author = .member("nobody") }
    }
  }

  @Test func `tags that an amendment adds count until it is taken back`() async throws {
    let fixture = try VaultFixture()
    let vault = try await fixture.create()
    let outcome = try await vault.add(
      [entry("one") { $0.tags = ["Threat", "night"] }, entry("two")], toCase: nil)
    #expect(outcome.failure == nil)
    let saved = outcome.saved.map(\.id)
    try #require(saved.count == 2)
    func about(_ id: EntryID, _ kind: EntryKind, tags: [String] = []) async throws -> EntryID {
      var content = EntryContent()
      content.about = [id]
      content.tags = tags
      return try await vault.append(content, as: kind, toCase: nil)
    }
    func tagged(_ tags: String...) async throws -> [String] {
      try await list(vault) {
        $0.tags = tags
        $0.kinds = [.evidence]
      }
    }
    #expect(try await tagged("threat") == ["one"])
    let amendment = try await about(saved[1], .amend, tags: ["threat", "day"])
    #expect(try await tagged("threat") == ["one", "two"])
    #expect(try await tagged("threat", "night") == ["one"])
    #expect(try await tagged("threat", "day") == ["two"])
    _ = try await about(saved[0], .note, tags: ["day"])
    #expect(try await tagged("day") == ["two"])
    _ = try await about(amendment, .retract)
    #expect(try await tagged("threat") == ["one"])
    #expect(try await tagged("no such tag") == [])

    _ = try await about(saved[0], .retract)
    #expect(try await list(vault) { $0.states = [.retracted] } == ["one", "-"])
    #expect(try await list(vault) { $0.states = [.retracted, .open] }.count == 6)
    let listed = try await vault.entries(ofCase: nil)
    #expect(listed.map(\.isRetracted) == [true, false, true, false, false, false])
  }

  @Test func `a retraction that is taken back takes back nothing`() async throws {
    let fixture = try VaultFixture()
    let vault = try await fixture.create()
    var last = try await vault.add([entry("one")], toCase: nil).saved[0].id
    for isRetracted in [true, false, true] {
      var content = EntryContent()
      content.about = [last]
      last = try await vault.append(content, as: .retract, toCase: nil)
      #expect(
        try await list(vault) {
          $0.states = [.retracted]
          $0.kinds = [.evidence]
        } == (isRetracted ? ["one"] : []))
      let listed = try await vault.entries(ofCase: nil)
      #expect(listed[0].isRetracted == isRetracted)
      let history = try await vault.history(of: listed[0].id.base32)
      #expect((history.entry.takenBackBy != nil) == isRetracted)
    }
  }

  @Test func `nothing is found by what an erased entry said, on any copy`() async throws {
    let shared = try await SharedCase(before: [
      entry("secretword") { $0.tags = ["hidden"] }, entry("stays") { $0.tags = ["hidden"] },
    ])
    try await shared.syncSurvivor()
    try await shared.syncAdvocate()
    let id = try await shared.hers.entries(ofCase: nil)[0].id
    _ = try await shared.hers.erase([id.base32])
    try await shared.syncSurvivor()
    try await shared.syncAdvocate()
    for (vault, name) in [(shared.hers, nil), (shared.theirs, "theirs")] {
      for scope in [EntryQuery.Scope.oneCase(name), .allCases] {
        #expect(
          try await list(vault, scope) { $0.text = try SearchWords(typed: "secretword") } == [])
        #expect(try await list(vault, scope) { $0.tags = ["hidden"] } == ["stays"])
        #expect(try await list(vault, scope) { $0.states = [.erased] } == ["-"])
        #expect(try await list(vault, scope) { $0.states = [.open] } == ["stays"])
      }
    }
    #expect(!(try await shared.hers.everythingIndexed().contains("secretword")))
  }

  // MARK: - Who

  @Test func `in a shared case: authors, audiences and states, on both copies`() async throws {
    let shared = try await SharedCase(before: [words("one")])
    try await shared.syncSurvivor()
    try await shared.syncAdvocate()
    _ = try await shared.theirs.add([words("her note")], toCase: "theirs")
    let first = try await shared.hers.entries(ofCase: nil)[0].id
    var forged = EntryContent()
    forged.about = [first]
    forged.tags = ["forged"]
    for kind in [EntryKind.amend, .retract] {
      _ = try await shared.theirs.append(forged, as: kind, toCase: "theirs")
    }
    try await shared.syncAdvocate()
    try await shared.syncSurvivor()
    for (vault, scope) in [
      (shared.hers, EntryQuery.Scope.oneCase(nil)), (shared.theirs, .oneCase("theirs")),
      (shared.hers, .allCases),
    ] {
      #expect(try await list(vault, scope) { $0.author = .role(.advocate) }.count == 3)
      #expect(try await list(vault, scope) { $0.author = .role(.survivor) } == ["one"])
      #expect(try await list(vault, scope) { $0.states = [.violation] } == ["-", "-"])
      #expect(try await list(vault, scope) { $0.states = [.retracted, .locked] } == [])
      #expect(try await list(vault, scope) { $0.states = [.open] } == ["one", "her note"])
      // Neither tags nor a retraction of somebody who may not write them.
      #expect(try await list(vault, scope) { $0.tags = ["forged"] } == ["-", "-"])
      #expect(
        try await list(vault, scope) { $0.author = .own }.count == (vault === shared.hers ? 1 : 3))
    }
    let advocate = try #require(
      try await shared.hers.entries(ofCase: nil).first { $0.author == .advocate }?.logID)
    #expect(
      try await list(shared.hers) {
        $0.author = .member(String(advocate.base32.prefix(6)))
        $0.states = [.open]
      } == ["her note"])
    #expect(
      try await list(shared.hers) {
        $0.audience = .member(advocate.base32)
        $0.states = [.open]
      } == ["one", "her note"])
    #expect(try await list(shared.hers) { $0.audience = .ownDevices } == [])
    let lonely = try VaultFixture()
    let alone = try await lonely.create()
    _ = try await alone.add([words("mine")], toCase: nil)
    #expect(try await list(alone) { $0.audience = .ownDevices } == ["mine"])
  }

  // MARK: - Pages

  @Test(arguments: EntryQuery.Order.all, [false, true])
  func `pages give each entry once, also where many have the same time`(
    order: EntryQuery.Order, isNewestFirst: Bool
  ) async throws {
    let fixture = try VaultFixture()
    let vault = try await fixture.create()
    for batch in 0..<4 {
      let new = (0..<10).map { number in
        entry("\(batch) \(number)") {
          if number % 3 > 0 { $0.seen = ClaimedTime(typed: "2024-0\(number % 3)") }
        }
      }
      _ = try await vault.add(new, toCase: nil)
      fixture.clock.advance(batch == 1 ? 5 : 0)
    }
    var query = EntryQuery(.allCases)
    query.order = order
    query.isNewestFirst = isNewestFirst
    let whole = try await vault.entries(matching: query)
    #expect(whole.next == nil)
    #expect(Set(whole.entries.map(\.id)).count == 40)
    for limit in [1, 3, 20, 40, 41] {
      query.limit = limit
      query.after = nil
      var paged: [EntrySummary] = []
      var pages = 0
      repeat {
        let page = try await vault.entries(matching: query)
        #expect(page.entries.count <= limit)
        paged += page.entries
        query.after = page.next
        pages += 1
      } while query.after != nil
      #expect(paged == whole.entries)
      #expect(pages == (40 + limit - 1) / limit)
    }
  }

  @Test func `a page goes on where the last one ended though entries were added`() async throws {
    let fixture = try VaultFixture()
    let vault = try await fixture.create()
    _ = try await vault.add((1...4).map { words("\($0)") }, toCase: nil)
    var query = EntryQuery(.oneCase(nil))
    query.isNewestFirst = true
    query.limit = 2
    let first = try await vault.entries(matching: query)
    _ = try await vault.add([words("5")], toCase: nil)
    query.after = first.next
    let second = try await vault.entries(matching: query)
    #expect(first.entries.map { $0.content?.words } == ["4", "3"])
    #expect(second.entries.map { $0.content?.words } == ["2", "1"])
    #expect(second.next == nil)
  }

  @Test func `a mark of another order, or no mark at all, is refused`() async throws {
    let fixture = try VaultFixture()
    let vault = try await fixture.create()
    _ = try await vault.add([words("1"), words("2")], toCase: nil)
    var query = EntryQuery(.oneCase(nil))
    query.limit = 1
    let mark = try #require(try await vault.entries(matching: query).next)
    for (after, order) in [
      (mark, EntryQuery.Order.happened), ("", .entered), ("nonsense", .entered),
      (mark + "a", .entered),
      (String(mark.dropLast()), .entered), ("\u{0}", .entered), ("AAAA", .entered),
    ] {
      query.after = after
      query.order = order
      await #expect(throws: VaultError(.cursorUnknown)) { try await vault.entries(matching: query) }
    }
    await #expect(throws: VaultError(.unknownCase)) {
      try await vault.entries(matching: EntryQuery(.oneCase("no such case")))
    }
  }

  /// Where a search begins is chosen by how many fit each condition, and is not to be seen in its answer.
  @Test(arguments: EntryQuery.Order.all, [false, true])
  func `many and few matches are found alike`(
    order: EntryQuery.Order, isNewestFirst: Bool
  ) async throws {
    let fixture = try VaultFixture()
    let vault = try await fixture.create()
    let ids = try await addVaried(to: vault, fixture.clock)
    for (kind, tags, target) in [(EntryKind.retract, [], 10), (.amend, ["odd"], 12)] {
      var content = EntryContent()
      content.about = [ids[target]]
      content.tags = tags
      _ = try await vault.append(content, as: kind, toCase: nil)
    }
    let changes: [(inout EntryQuery) throws -> Void] = [
      { $0.text = try SearchWords(typed: "common") }, { $0.text = try SearchWords(typed: "ra*") },
      { $0.text = try SearchWords(typed: "nowhere") }, { $0.tags = ["odd"] },
      { $0.place = "example.org" }, { $0.kinds = [.retract] }, { $0.kinds = [.evidence] },
      { $0.states = [.retracted] }, { $0.states = [.open] }, { $0.states = [.locked, .violation] },
      { $0.hasFile = true }, { $0.author = .own }, { $0.audience = .ownDevices },
      {
        $0.happened = .init(
          from: ClaimedTime(typed: "2024-02-03"), to: ClaimedTime(typed: "2024-02"))
      },
    ]
    for (first, second) in changes.indices.flatMap({ one in changes.indices.map { (one, $0) } })
    where first <= second {
      var query = EntryQuery(first % 2 == 0 ? .oneCase(nil) : .allCases)
      query.order = order
      query.isNewestFirst = isNewestFirst
      try changes[first](&query)
      try changes[second](&query)
      let whole = try await vault.entries(matching: query).entries.map(\.id)
      query.limit = 3
      for few in [0, 12, 4000] {
        var paged: [EntryID] = []
        query.after = nil
        repeat {
          let page = try await vault.entries(matching: query, beginningWithAtMost: few)
          paged += page.entries.map(\.id)
          query.after = page.next
        } while query.after != nil
        #expect(paged == whole, "conditions \(first) and \(second), beginning with \(few)")
      }
    }
  }

  private func addVaried(to vault: OpenVault, _ clock: TestClock) async throws -> [EntryID] {
    var ids: [EntryID] = []
    for batch in 0..<3 {
      let new = (0..<20).map { number in
        entry(number == 7 ? "common rare" : number % 4 > 0 ? "common \(number)" : "\(number)") {
          if number % 2 > 0 { $0.tags = ["odd"] }
          if number % 5 == 0 { $0.url = "https://example.org/\(number)" }
          if number % 3 > 0 {
            $0.seen = ClaimedTime(typed: ["2024-02-0\(number % 9 + 1)", "2024-02"][number % 2])
          }
        }
      }
      ids += try await vault.add(new, toCase: nil).saved.map(\.id)
      clock.advance(batch == 1 ? 5 : 0)
    }
    return ids
  }
}

extension EntryQuery.Order {
  static let all: [EntryQuery.Order] = [.entered, .happened, .notBefore, .existedBy]
}
