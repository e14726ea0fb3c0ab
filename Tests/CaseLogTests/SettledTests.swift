import Cryptography
import Testing
import VerifiableLog

@testable import CaseLog

extension Household {
  /// The root's word that so many leaves of the other device's log count.
  fileprivate func decision(_ size: UInt64) throws -> RootStatement {
    let limit = RootStatement.Limit(logID: other.logID, size: size)
    return try testCase.statement {
      RootStatement.decide(stays: first.logID, cut: [limit], root: $0)
    }
  }

  fileprivate func lift(_ size: UInt64) throws -> RootStatement {
    let limit = RootStatement.Limit(logID: other.logID, size: size)
    return try testCase.statement { RootStatement.lift(limit, root: $0) }
  }

  /// As a copy that can open everything sees it, and as one that cannot open what the other device wrote.
  fileprivate func states(
    _ statements: [RootStatement], forkedAt: UInt64? = nil
  ) -> (open: CaseState, locked: CaseState) {
    let all = [admitsSecond] + statements
    let seen = other.seen(forkedAt: forkedAt)
    let hidden = SeenLog(
      member: MemberLog(
        position: seen.member.position, classes: seen.classes, control: [], forkedAt: forkedAt),
      classes: seen.classes, hashes: seen.hashes)
    return (
      testCase.state([first.seen(), seen, hers.seen()], statements: all),
      testCase.state([first.seen(), hidden, hers.seen()], statements: all)
    )
  }
}

/// The other device's log has three entries of content, and goes on.
@Suite struct `What stands where a log is settled` {
  @Test func `need not be opened behind a cut of the root`() throws {
    var house = try Household()
    try house.other.append(.keep(EntryID(.random())))
    #expect(!house.states([]).locked.opensAllControl)
    #expect(house.states([try house.decision(3)]).locked.opensAllControl)
    #expect(!house.states([try house.decision(4)]).locked.opensAllControl)
    let lifted = [try house.decision(3), try house.lift(3)]
    #expect(!house.states(lifted).locked.opensAllControl)
  }

  @Test func `need not be opened behind a fork`() throws {
    var house = try Household()
    try house.other.append(.keep(EntryID(.random())))
    #expect(house.states([], forkedAt: 3).locked.opensAllControl)
    #expect(!house.states([], forkedAt: 4).locked.opensAllControl)
  }

  @Test func `must be opened behind a cut of another member, which it may take back`() throws {
    var house = try Household()
    try house.first.append(.cut(.init(position: house.other.position())))
    try house.other.append(.cut(.init(position: house.first.position(1))))
    let (open, locked) = house.states([])
    #expect(locked.member(house.other.logID)?.cut?.isContested == false)
    #expect(open.member(house.other.logID)?.cut?.isContested == true)
    #expect(!locked.opensAllControl)
  }

  /// Both could keep a case from being written in, or have its copies come to different states.
  @Test(arguments: [EntryKind(code: 13), .cut])
  func `stops nothing and breaks no rule`(kind: EntryKind) throws {
    var house = try Household()
    // A cut that says nothing cannot be read.
    try house.other.append(kind, [Part(.control, [0xa0])])
    let (stopped, _) = house.states([])
    #expect(stopped.isStoppedByNewerVersion || !stopped.violations.isEmpty)
    let (open, locked) = house.states([try house.decision(3)])
    #expect(!open.isStoppedByNewerVersion)
    #expect(open.violations == [])
    #expect(open.stateHash == locked.stateHash)
  }

  @Test func `begins at the first entry of newer keys of a device whose older ones are cut`() throws
  {
    let house = try Household()
    let newer = TestDevice(.survivor)
    let newLog = try TestLog(newer, in: house.testCase)
    let succession = try Succession(
      decoding: Succession.sign(
        try newer.card, in: house.testCase.caseID, with: house.second.signing,
        and: newer.signing),
      caseID: house.testCase.caseID)
    let state = house.testCase.state(
      [house.first.seen(), house.other.seen(), newLog.seen()],
      statements: [house.admitsSecond, try house.decision(3)], successions: [succession])
    #expect(state.member(house.other.logID)?.settledFrom == 3)
    #expect(state.member(newLog.logID)?.settledFrom == 0)
    #expect(state.member(house.first.logID)?.settledFrom == nil)
  }
}
