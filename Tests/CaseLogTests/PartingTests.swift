import Cryptography
import Testing
import VerifiableLog

@testable import CaseLog

/// A case in which one log has two histories, and the copies that hold the one or the other.
private struct Forked {
  let testCase: TestCase
  let admitsSecond: RootStatement
  var first: TestLog
  var hers: TestLog
  /// The second device's log, as one copy and as the other has it.
  var one: TestLog
  var other: TestLog
  /// Where they part.
  let common: UInt64

  init() throws {
    let house = try Household()
    testCase = house.testCase
    admitsSecond = house.admitsSecond
    first = house.first
    hers = house.hers
    one = house.other
    common = one.size
    other = one
    for _ in 0..<3 { try one.append(.evidence) }
    for _ in 0..<5 { try other.append(.evidence) }
  }

  /// What a copy makes of it that holds this history.
  func state(
    _ held: TestLog, proven size: UInt64? = nil, statements: [RootStatement] = []
  ) -> CaseState {
    testCase.state(
      [first.seen(), hers.seen(), held.seen(forkedAt: size ?? common)],
      statements: [admitsSecond] + statements)
  }

  /// The copies agree on all that every copy must; gives what both make of it.
  func agreed(_ statements: [RootStatement] = []) -> (one: CaseState, other: CaseState) {
    let states = (state(one, statements: statements), state(other, statements: statements))
    #expect(states.0.stateHash == states.1.stateHash)
    #expect(states.0.member(one.logID)?.cut?.size == states.1.member(one.logID)?.cut?.size)
    #expect(states.0.epochs == states.1.epochs && states.0.erasures == states.1.erasures)
    return states
  }

  func standing(_ sequence: UInt64, in state: CaseState, seenBy: [LogID] = [])
    -> CaseState
    .ContentStanding
  {
    state.standing(
      of: EntryID(.random()), in: one.logID, at: sequence, entryClass: .content, witnesses: seenBy)
  }
}

@Suite struct `Copies that hold different histories of a log` {
  @Test func `come to the same state, whatever stands where they part`() throws {
    var forked = try Forked()
    let friend = TestDevice(.advocate)
    try forked.one.append(.admit(.init(card: try friend.card, role: .advocate)))
    try forked.one.append(.erase([EntryID(.random())]))
    try forked.other.append(
      .epoch(.init(audience: .everyone, commitment: .random(), members: [])))
    let states = forked.agreed()
    #expect(states.one.member(try friend.card.logID(in: forked.testCase.caseID)) == nil)
    #expect(forked.standing(forked.common - 1, in: states.one) == .counted)
    #expect(forked.standing(forked.common, in: states.one) == .disputed)
    // Where only two sizes are known, what lies between counts on each copy, and they differ.
    let size = forked.one.size
    #expect(
      forked.state(forked.one, proven: size).stateHash
        != forked.state(forked.other, proven: size).stateHash)
  }

  @Test func `have the log as far as it is common, and nothing of one with nothing in common`()
    throws
  {
    let forked = try Forked()
    let short = forked.testCase.state(
      [forked.first.seen(), forked.hers.seen(), forked.one.seen(size: 3, forkedAt: 3)],
      statements: [forked.admitsSecond])
    #expect(short.stateHash == forked.agreed().one.stateHash)
    let none = forked.testCase.state(
      [forked.first.seen(), forked.hers.seen()], statements: [forked.admitsSecond])
    #expect(forked.state(forked.one, proven: 0).stateHash == none.stateHash)
    #expect(forked.state(forked.other, proven: 0).stateHash == none.stateHash)
  }

  @Test func `list violations of what is common, and show the others`() throws {
    var forked = try Forked()
    for _ in 0..<2 { try forked.hers.append(.evidence) }
    var other = forked.hers
    try forked.hers.append(.evidence)
    try other.append(.note)
    func state(_ hers: TestLog) -> CaseState {
      forked.testCase.state([forked.first.seen(), hers.seen(forkedAt: 5)])
    }
    #expect(state(forked.hers).stateHash == state(other).stateHash)
    #expect(state(forked.hers).violations.map(\.sequence) == [3, 4, 5])
    #expect(state(other).violations.map(\.sequence) == [3, 4])
  }

  @Test func `take a cut beyond the parting as one there, whichever history it names`() throws {
    for isOfOne in [true, false] {
      var forked = try Forked()
      let named = isOfOne ? forked.one : forked.other
      try forked.first.append(.cut(.init(position: named.position(5))))
      let states = forked.agreed()
      let (same, different) = isOfOne ? (states.one, states.other) : (states.other, states.one)
      #expect(same.member(forked.one.logID)?.cut?.size == forked.common)
      #expect(same.member(forked.one.logID)?.cut?.statedSize == 5)
      // What whoever cut left standing is in view where it is held; of the other history nothing was.
      #expect(forked.standing(4, in: same) == .disputed)
      #expect(forked.standing(5, in: same) == .setAside)
      #expect(forked.standing(4, in: different) == .setAside)
      #expect(forked.standing(4, in: different, seenBy: [forked.hers.logID]) == .disputed)
      #expect(forked.standing(2, in: different) == .counted)
    }
  }

  @Test func `weigh such a cut by the size that it names`() throws {
    var forked = try Forked()
    try forked.first.append(
      .keep(EntryID(.random())), acknowledging: [forked.other.position(8)])
    try forked.first.append(.cut(.init(position: forked.one.position(6))))
    #expect(forked.agreed().one.member(forked.one.logID)?.cut == nil)
    try forked.first.append(.cut(.init(position: forked.other.position(8))))
    let cut = forked.agreed().one.member(forked.one.logID)?.cut
    #expect(cut?.size == forked.common && cut?.authors == [forked.first.logID])
  }

  @Test func `lift it by that size, and lower cuts stay`() throws {
    var forked = try Forked()
    let log = forked.one.logID
    try forked.first.append(.cut(.init(position: forked.other.position(8))))
    func lift(_ size: UInt64) throws -> RootStatement {
      try forked.testCase.statement { RootStatement.lift(.init(logID: log, size: size), root: $0) }
    }
    #expect(forked.agreed([try lift(forked.common)]).one.member(log)?.cut != nil)
    #expect(forked.agreed([try lift(8)]).one.member(log)?.cut == nil)
    try forked.first.append(.cut(.init(position: forked.one.position(2))))
    let cut = forked.agreed().one.member(log)?.cut
    #expect(cut?.size == 2 && cut?.contentSize == 2)
  }

  @Test func `are not stopped by what a newer version may have said where they part`() throws {
    var forked = try Forked()
    try forked.one.append(EntryKind(code: 7), [Part(.control, [0xa0])])
    #expect(!forked.agreed().one.isStoppedByNewerVersion)
    #expect(forked.state(forked.one, proven: 9).isStoppedByNewerVersion)
  }
}
