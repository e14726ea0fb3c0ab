import Cryptography
import Support
import Testing
import VerifiableLog

@testable import CaseLog

@Suite struct StateTests {
  let testCase: TestCase
  init() throws { testCase = try TestCase() }

  private func state(_ logs: [SeenLog]) -> CaseState { testCase.state(logs) }

  /// A case with one survivor and `count` advocates, some of whom break the rules.
  private func randomCase(
    advocates count: Int, _ random: inout SplitMix64
  ) throws -> [SeenLog] {
    var survivor = try TestLog(testCase.survivor, in: testCase)
    try survivor.append(
      .epoch(.init(audience: .everyone, commitment: .random(), members: [survivor.logID])))
    var logs: [SeenLog] = []
    for _ in 0..<count {
      let advocate = TestDevice(.advocate)
      try survivor.append(.admit(.init(card: try advocate.card, role: .advocate)))
      var log = try TestLog(advocate, in: testCase)
      for _ in 0..<Int.random(in: 0...5, using: &random) {
        let kinds: [EntryKind] = [.note, .note, .takedown, .evidence, .admit, .erase]
        try log.append(kinds.randomElement(using: &random) ?? .note)
      }
      logs.append(log.seen())
      for _ in 0..<Int.random(in: 0...3, using: &random) { try survivor.append(.evidence) }
    }
    // Somebody whom nobody admitted.
    var stranger = try TestLog(TestDevice(.advocate), in: testCase)
    try stranger.append(.note)
    return logs + [survivor.seen(), stranger.seen()]
  }

  @Test(arguments: 0..<40)
  func `the state does not depend on the order in which logs arrive`(seed: Int) throws {
    var random = SplitMix64(state: UInt64(seed))
    let logs = try randomCase(advocates: Int.random(in: 0...6, using: &random), &random)
    let expected = state(logs)
    for _ in 0..<10 {
      let shuffled = testCase.state(
        logs.shuffled(using: &random), statements: [testCase.founding])
      #expect(shuffled == expected, "seed \(seed)")
    }
    // Grouping: what one copy knows of some logs and another of the rest is, together, what one knows of all.
    let cut = Int.random(in: 0...logs.count, using: &random)
    let halves = Array(Set(logs[..<cut]).union(logs[cut...]).union(logs[..<cut]))
    #expect(state(halves).stateHash == expected.stateHash, "seed \(seed)")
  }

  @Test func `advocates are members by the survivor's word, and write notes only`() throws {
    let advocate = TestDevice(.advocate)
    var survivor = try TestLog(testCase.survivor, in: testCase)
    var theirs = try TestLog(advocate, in: testCase)
    try theirs.append(.note)
    try theirs.append(.evidence)
    #expect(state([survivor.seen(), theirs.seen()]).members.count == 1)
    let id = try survivor.append(.admit(.init(card: try advocate.card, role: .advocate)))
    let joined = state([survivor.seen(), theirs.seen()])
    #expect(joined.member(theirs.logID)?.role == .advocate)
    #expect(joined.member(theirs.logID)?.origin == .entry(id))
    #expect(
      joined.violations == [.init(logID: theirs.logID, sequence: 1, rule: .role)])
  }

  /// Rows 13 and 15: nobody but a survivor admits, and no admission makes a survivor.
  @Test func `an advocate admits nobody, and nobody becomes a survivor by an entry`() throws {
    let advocate = TestDevice(.advocate)
    let friend = TestDevice(.advocate)
    let other = TestDevice(.survivor)
    var survivor = try TestLog(testCase.survivor, in: testCase)
    try survivor.append(.admit(.init(card: try advocate.card, role: .advocate)))
    try survivor.append(.admit(.init(card: try other.card, role: .survivor)))
    var theirs = try TestLog(advocate, in: testCase)
    try theirs.append(.admit(.init(card: try friend.card, role: .advocate)))
    let state = state([survivor.seen(), theirs.seen()])
    #expect(state.members.map(\.logID).sorted() == [survivor.logID, theirs.logID].sorted())
    #expect(state.violations.map(\.rule) == [.role])
  }

  @Test func `an unknown control kind stops the evaluation, an unknown note does not`() throws {
    var survivor = try TestLog(testCase.survivor, in: testCase)
    try survivor.append(EntryKind(code: 40))
    try survivor.append(EntryKind(code: 25))
    #expect(!state([survivor.seen()]).isStoppedByNewerVersion)
    try survivor.append(EntryKind(code: 7), [Part(.control, [0xa0])])
    #expect(state([survivor.seen()]).isStoppedByNewerVersion)
  }

  @Test func `control beyond a fork is void, what was before it stands`() throws {
    let before = TestDevice(.advocate)
    let after = TestDevice(.advocate)
    var survivor = try TestLog(testCase.survivor, in: testCase)
    try survivor.append(.admit(.init(card: try before.card, role: .advocate)))
    try survivor.append(.admit(.init(card: try after.card, role: .advocate)))
    let forked = state([survivor.seen(forkedAt: 1)])
    #expect(forked.member(try before.card.logID(in: testCase.caseID)) != nil)
    #expect(forked.member(try after.card.logID(in: testCase.caseID)) == nil)
  }

  @Test func `locked control entries are counted and not guessed`() throws {
    var survivor = try TestLog(testCase.survivor, in: testCase)
    try survivor.append(
      .epoch(.init(audience: .everyone, commitment: .random(), members: [])))
    let seen = survivor.seen()
    let locked = SeenLog(
      member: MemberLog(position: seen.member.position, classes: seen.classes, control: []),
      classes: seen.classes, hashes: seen.hashes)
    #expect(state([locked]).lockedControlEntries == 1)
    #expect(state([seen]).lockedControlEntries == 0)
  }
}
