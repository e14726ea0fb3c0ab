import Cryptography
import Testing
import VerifiableLog

@testable import CaseLog

/// A second device of the survivor, which was removed and whose log goes on after its second entry.
private struct Removal {
  let testCase: TestCase
  let tablet = TestDevice(.survivor)
  let admission: RootStatement
  var phone: TestLog
  var log: TestLog

  init() throws {
    testCase = try TestCase()
    phone = try TestLog(testCase.survivor, in: testCase)
    log = try TestLog(tablet, in: testCase)
    let card = try tablet.card
    admission = try testCase.statement { RootStatement.admit(card, root: $0) }
    try phone.append(.evidence)
    for _ in 0..<2 { try log.append(.evidence) }
  }

  func decision(_ size: UInt64) throws -> RootStatement {
    let limit = RootStatement.Limit(logID: log.logID, size: size)
    return try testCase.statement {
      RootStatement.decide(stays: phone.logID, cut: [limit], root: $0)
    }
  }

  func lift(_ size: UInt64) throws -> RootStatement {
    let limit = RootStatement.Limit(logID: log.logID, size: size)
    return try testCase.statement { RootStatement.lift(limit, root: $0) }
  }

  /// As a copy that can open everything sees it, and as one that cannot open what the tablet wrote.
  func states(
    _ statements: [RootStatement], forkedAt: UInt64? = nil
  ) -> (open: CaseState, locked: CaseState) {
    let all = [admission] + statements
    let seen = log.seen(forkedAt: forkedAt)
    let hidden = SeenLog(
      member: MemberLog(
        position: seen.member.position, classes: seen.classes, control: [], forkedAt: forkedAt),
      classes: seen.classes, hashes: seen.hashes)
    return (
      testCase.state([phone.seen(), seen], statements: all),
      testCase.state([phone.seen(), hidden], statements: all)
    )
  }
}

@Suite struct `What stands where a log is settled` {
  @Test func `need not be opened behind a cut of the root`() throws {
    var removal = try Removal()
    try removal.log.append(.keep(EntryID(.random())))
    #expect(!removal.states([]).locked.opensAllControl)
    #expect(removal.states([try removal.decision(2)]).locked.opensAllControl)
    #expect(!removal.states([try removal.decision(3)]).locked.opensAllControl)
    let lifted = [try removal.decision(2), try removal.lift(2)]
    #expect(!removal.states(lifted).locked.opensAllControl)
  }

  @Test func `need not be opened behind a fork`() throws {
    var removal = try Removal()
    try removal.log.append(.keep(EntryID(.random())))
    #expect(removal.states([], forkedAt: 2).locked.opensAllControl)
    #expect(!removal.states([], forkedAt: 3).locked.opensAllControl)
  }

  @Test func `must be opened behind a cut of another member, which it may take back`() throws {
    var removal = try Removal()
    try removal.phone.append(.cut(.init(position: removal.log.position())))
    try removal.log.append(.cut(.init(position: removal.phone.position(1))))
    let (open, locked) = removal.states([])
    #expect(locked.member(removal.log.logID)?.cut?.isContested == false)
    #expect(open.member(removal.log.logID)?.cut?.isContested == true)
    #expect(!locked.opensAllControl)
  }

  /// Both could keep a case from being written in, or have its copies come to different states.
  @Test(arguments: [EntryKind(code: 13), .cut])
  func `stops nothing and breaks no rule`(kind: EntryKind) throws {
    var removal = try Removal()
    // A cut that says nothing cannot be read.
    try removal.log.append(kind, [Part(.control, [0xa0])])
    let (stopped, _) = removal.states([])
    #expect(stopped.isStoppedByNewerVersion || !stopped.violations.isEmpty)
    let (open, locked) = removal.states([try removal.decision(2)])
    #expect(!open.isStoppedByNewerVersion)
    #expect(open.violations == [])
    #expect(open.stateHash == locked.stateHash)
  }

  @Test func `begins at the first entry of newer keys of a device whose older ones are cut`() throws
  {
    let removal = try Removal()
    let newer = TestDevice(.survivor)
    let newLog = try TestLog(newer, in: removal.testCase)
    let succession = try Succession(
      decoding: Succession.sign(
        try newer.card, in: removal.testCase.caseID, with: removal.tablet.signing,
        and: newer.signing),
      caseID: removal.testCase.caseID)
    let state = removal.testCase.state(
      [removal.phone.seen(), removal.log.seen(), newLog.seen()],
      statements: [removal.admission, try removal.decision(2)], successions: [succession])
    #expect(state.member(removal.log.logID)?.settledFrom == 2)
    #expect(state.member(newLog.logID)?.settledFrom == 0)
    #expect(state.member(removal.phone.logID)?.settledFrom == nil)
  }
}
