import Cryptography
import Support
import Testing
import VerifiableLog

@testable import CaseLog

private func cut(_ log: TestLog, at size: Int? = nil) -> Control {
  .cut(.init(position: log.position(size)))
}

extension Household {
  /// For which roots an evaluation asks, a list for each time, by log.
  fileprivate func asked(_ statements: [RootStatement]) -> [LogID: [[UInt64]]] {
    let logs = [first.seen(), other.seen(), hers.seen()]
    var asked: [LogID: [[UInt64]]] = [:]
    _ = CaseState(
      caseID: testCase.caseID, statements: [testCase.founding] + statements,
      logs: logs.map(\.member), contentLeaves: { _ in [] },
      roots: { (id, sizes) in
        asked[id, default: []].append(sizes)
        return logs.first { $0.member.position.logID == id }?.roots(sizes) ?? [:]
      })
    return asked
  }
}

@Suite struct CutTests {
  @Test func `the root alone makes a second device`() throws {
    let house = try Household()
    #expect(house.state().members.count == 3)
    #expect(house.state().member(house.other.logID)?.role == .survivor)
    let without = house.testCase.state([house.first.seen(), house.other.seen()])
    #expect(without.member(house.other.logID) == nil)
  }

  @Test func `a cut takes power and keeps what others saw`() throws {
    var house = try Household()
    let late = TestDevice(.advocate)
    try house.other.append(.admit(.init(card: try late.card, role: .advocate)))
    try house.other.append(.evidence)
    #expect(house.state().member(try late.card.logID(in: house.testCase.caseID)) != nil)
    try house.first.append(cut(house.other, at: 3))
    let state = house.state()
    #expect(state.member(house.other.logID)?.cut?.size == 3)
    #expect(state.member(house.other.logID)?.cut?.authors == [house.first.logID])
    #expect(state.member(try late.card.logID(in: house.testCase.caseID)) == nil)
    #expect(house.standing(house.other, 2, in: state) == .counted)
    #expect(house.standing(house.other, 4, in: state) == .setAside)
    // The advocate is a third; who cut, and who was cut, are none.
    #expect(
      house.standing(house.other, 4, in: state, witnesses: [house.hers.logID]) == .disputed)
    #expect(
      house.standing(
        house.other, 4, in: state, witnesses: [house.first.logID, house.other.logID])
        == .setAside)
  }

  @Test func `the lowest cut wins, whoever says it first`() throws {
    var house = try Household()
    try house.other.append(cut(house.hers, at: 2))
    try house.first.append(cut(house.hers, at: 1))
    try house.first.append(cut(house.hers, at: 3))
    #expect(house.state().member(house.hers.logID)?.cut?.size == 1)
  }

  @Test func `a cut that names other leaves, or more than there are, has no effect`() throws {
    var house = try Household()
    try house.first.append(
      .cut(.init(position: LogPosition(logID: house.hers.logID, size: 2, root: .random()))))
    try house.first.append(
      .cut(.init(position: LogPosition(logID: house.hers.logID, size: 9, root: .random()))))
    #expect(house.state().member(house.hers.logID)?.cut == nil)
  }

  @Test func `what a control entry that cannot be read has seen binds nobody`() throws {
    var house = try Household()
    let seen = [house.other.position(2)]
    try house.first.append(.erase, [Part(.control, [0xff])], acknowledging: seen)
    try house.first.append(cut(house.other, at: 1))
    let state = house.state()
    #expect(state.violations.map(\.sequence) == [4])
    #expect(state.member(house.other.logID)?.cut?.size == 1)
  }

  /// Whoever stole a device can name thousands of sizes in the logs of new keys of it.
  @Test func `leaves are read once, whatever sizes are named, and not for what cannot count`()
    throws
  {
    var house = try Household()
    for size in [2, 1, 2, 3] {
      try house.other.append(cut(house.hers, at: size))
      try house.first.append(
        .cut(.init(position: LogPosition(logID: house.hers.logID, size: 1, root: .random()))))
    }
    #expect(house.asked([house.admitsSecond]) == [house.hers.logID: [[1, 2]]])
    let limit = RootStatement.Limit(logID: house.other.logID, size: 4)
    let decision = try house.testCase.statement {
      RootStatement.decide(stays: house.first.logID, cut: [limit], root: $0)
    }
    // The entry before that size still counts.
    let asked = house.asked([house.admitsSecond, decision])
    #expect(asked == [house.hers.logID: [[1, 2]]])
    house.first = try TestLog(house.testCase.survivor, in: house.testCase)
    try house.first.append(.admit(.init(card: try house.advocate.card, role: .advocate)))
    let lower = RootStatement.Limit(logID: house.other.logID, size: 3)
    let settled = try house.testCase.statement {
      RootStatement.decide(stays: house.first.logID, cut: [lower], root: $0)
    }
    #expect(house.asked([house.admitsSecond, settled]) == [:])
  }

  @Test func `only the root cuts below what the cutter has acknowledged`() throws {
    var house = try Household()
    try house.first.append(
      .keep(EntryID(.random())), acknowledging: [house.other.position(3)])
    try house.first.append(cut(house.other, at: 2))
    #expect(house.state().member(house.other.logID)?.cut == nil)
    try house.first.append(cut(house.other, at: 3))
    #expect(house.state().member(house.other.logID)?.cut?.size == 3)
    let decision = try house.testCase.statement {
      RootStatement.decide(
        stays: house.first.logID, cut: [.init(logID: house.other.logID, size: 1)], root: $0)
    }
    #expect(house.state([decision]).member(house.other.logID)?.cut?.size == 1)
  }

  /// Row 17: in every order of delivery.
  @Test func `of two that cut each other the earlier stands, and in a cycle neither has power`()
    throws
  {
    var house = try Household()
    // The second device cuts the first below the first's own cut: so that one is void.
    try house.other.append(cut(house.first, at: 4))
    try house.first.append(cut(house.other, at: 4))
    let earlier = house.state()
    #expect(earlier.member(house.first.logID)?.cut?.size == 4)
    #expect(earlier.member(house.other.logID)?.cut == nil)

    var cycle = try Household()
    let (before, after) = (cycle.first, cycle.other)
    try cycle.first.append(cut(after, at: 3))
    try cycle.other.append(cut(before, at: 3))
    let state = cycle.state()
    for log in [cycle.first, cycle.other] {
      #expect(state.member(log.logID)?.cut?.size == 3)
      #expect(state.member(log.logID)?.cut?.isContested == true)
    }
    // The root decides.
    let decision = try cycle.testCase.statement {
      RootStatement.decide(
        stays: cycle.first.logID, cut: [.init(logID: cycle.other.logID, size: 3)], root: $0)
    }
    let decided = cycle.state([decision])
    #expect(decided.member(cycle.first.logID)?.cut == nil)
    #expect(decided.member(cycle.other.logID)?.cut?.isContested == false)
  }

  @Test func `the root lifts a cut, and a later one counts again`() throws {
    var house = try Household()
    try house.first.append(cut(house.other, at: 2))
    let lift = try house.testCase.statement {
      RootStatement.lift(.init(logID: house.other.logID, size: 2), root: $0)
    }
    #expect(house.state([lift]).member(house.other.logID)?.cut == nil)
    try house.first.append(cut(house.other, at: 3))
    #expect(house.state([lift]).member(house.other.logID)?.cut?.size == 3)
  }

  @Test func `an advocate cuts nobody`() throws {
    var house = try Household()
    try house.hers.append(cut(house.first, at: 0))
    let state = house.state()
    #expect(state.member(house.first.logID)?.cut == nil)
    #expect(state.violations.map(\.rule) == [.role])
  }

  @Test func `an epoch of somebody who was cut is used no more`() throws {
    var house = try Household()
    let all = [house.first.logID, house.other.logID, house.hers.logID].sorted()
    let old = try house.first.append(
      .epoch(.init(audience: .everyone, commitment: .random(), members: all)))
    #expect(house.state().usableEpochs(of: .everyone).map(\.id) == [old])
    try house.first.append(cut(house.hers))
    #expect(house.state().usableEpochs(of: .everyone).isEmpty)
    let new = try house.first.append(
      .epoch(
        .init(
          audience: .everyone, commitment: .random(),
          members: all.filter { $0 != house.hers.logID }, replaces: [old])))
    #expect(house.state().usableEpochs(of: .everyone).map(\.id) == [new])
    #expect(house.state().bindsTime(house.hers.logID) == false)
    // One that somebody began who is cut since is not used either, whoever it lists.
    try house.other.append(
      .epoch(
        .init(
          audience: .devices, commitment: .random(), members: [house.first.logID])))
    #expect(house.state().usableEpochs(of: .devices).count == 1)
    try house.first.append(cut(house.other))
    #expect(house.state().usableEpochs(of: .devices).isEmpty)
  }
}

@Suite struct ErasureTests {
  @Test func `an erasure counts until another device or the root keeps the entry`() throws {
    var house = try Household()
    let entry = try house.first.append(.evidence)
    try house.first.append(.erase([entry]))
    #expect(house.state().isErased(entry))
    // Whoever erases cannot take it back: its own copy is gone.
    try house.first.append(.keep(entry))
    #expect(house.state().isErased(entry))
    var kept = house
    try kept.other.append(.keep(entry))
    #expect(!kept.state().isErased(entry))
    #expect(kept.state().keptErasures.map(\.entry) == [entry])
    let keep = try house.testCase.statement { RootStatement.keep(entry, root: $0) }
    #expect(!house.state([keep]).isErased(entry))
  }

  /// Row 33.
  @Test func `an erasure by an advocate or by a device that was cut has no effect`() throws {
    var house = try Household()
    let entry = try house.first.append(.evidence)
    try house.hers.append(.erase([entry]))
    #expect(!house.state().isErased(entry))
    try house.other.append(.erase([entry]))
    #expect(house.state().isErased(entry))
    try house.first.append(cut(house.other, at: 3))
    #expect(!house.state().isErased(entry))
  }
}

@Suite struct SuccessionTests {
  @Test func `new keys have what the old ones have, and no longer`() throws {
    var house = try Household()
    let renewed = TestDevice(.survivor)
    let succession = try Succession(
      decoding: Succession.sign(
        try renewed.card, in: house.testCase.caseID, with: house.second.signing,
        and: renewed.signing),
      caseID: house.testCase.caseID)
    let newLog = try TestLog(renewed, in: house.testCase)
    let state = house.state(successions: [succession])
    #expect(state.member(newLog.logID)?.role == .survivor)
    #expect(state.member(newLog.logID)?.origin == .succession(of: house.other.logID))
    #expect(state.member(newLog.logID)?.firstLogID == house.other.logID)
    try house.first.append(cut(house.other))
    #expect(house.state(successions: [succession]).member(newLog.logID)?.cut?.size == 0)
  }

  @Test func `nobody gets another role, or keys for somebody who is no member`() throws {
    let house = try Household()
    let promoted = TestDevice(.survivor)
    let stranger = TestDevice(.advocate)
    let friend = TestDevice(.advocate)
    let successions = try [
      Succession.sign(
        try promoted.card, in: house.testCase.caseID, with: house.advocate.signing,
        and: promoted.signing),
      Succession.sign(
        try friend.card, in: house.testCase.caseID, with: stranger.signing, and: friend.signing),
    ].map { try Succession(decoding: $0, caseID: house.testCase.caseID) }
    #expect(house.state(successions: successions).members.count == 3)
  }

  /// Whoever holds a stolen key must not make somebody else's device hang from it.
  @Test func `nobody certifies a card without its key`() throws {
    let house = try Household()
    let honest = TestDevice(.survivor)
    let thief = TestDevice(.survivor)
    let claimed = Succession.sign(
      try honest.card, in: house.testCase.caseID, with: house.testCase.survivor.signing,
      and: thief.signing)
    #expect(throws: CaseLogError.badSignature) {
      try Succession(decoding: claimed, caseID: house.testCase.caseID)
    }
  }

  /// A chain of keys upon keys leaves everybody else a member.
  @Test func `the keys that follow from one device are bounded`() throws {
    let house = try Household()
    var successions: [Succession] = []
    var old = house.second
    for _ in 0..<60 {
      let new = TestDevice(.survivor)
      successions.append(
        try Succession(
          decoding: Succession.sign(
            try new.card, in: house.testCase.caseID, with: old.signing, and: new.signing),
          caseID: house.testCase.caseID))
      old = new
    }
    let state = house.state(successions: successions)
    #expect(
      state.members.count { $0.firstLogID == house.other.logID } == Limits.keysOfDevice)
    #expect(state.member(house.hers.logID) != nil)
  }

  @Test func `a succession altered in any byte is none`() throws {
    let house = try Household()
    let device = TestDevice(.survivor)
    let bytes = Succession.sign(
      try device.card, in: house.testCase.caseID, with: house.second.signing, and: device.signing)
    for index in bytes.indices {
      var altered = bytes
      altered[index] ^= 1
      #expect(throws: CaseLogError.self) {
        try Succession(decoding: altered, caseID: house.testCase.caseID)
      }
    }
    #expect(throws: CaseLogError.otherCase) {
      try Succession(decoding: bytes, caseID: CaseID(.random()))
    }
  }
}

@Suite struct UnionTests {
  /// Row 40 in small: whatever happened, and in whatever order it arrived.
  @Test(arguments: 0..<60)
  func `devices, cuts, erasures and the root's word give one state`(seed: Int) throws {
    var random = SplitMix64(state: UInt64(seed))
    let testCase = try TestCase()
    let devices = [testCase.survivor, TestDevice(.survivor), TestDevice(.survivor)]
    let advocates = [TestDevice(.advocate), TestDevice(.advocate)]
    var logs = try (devices + advocates).map { try TestLog($0, in: testCase) }
    var statements = try devices.dropFirst().map { device in
      let card = try device.card
      return try testCase.statement { RootStatement.admit(card, root: $0) }
    }
    var entries: [EntryID] = []
    for _ in 0..<40 {
      let writer = Int.random(in: 0..<logs.count, using: &random)
      let target = logs[Int.random(in: 0..<logs.count, using: &random)]
      let some = target.position(Int.random(in: 0...Int(target.size), using: &random))
      switch Int.random(in: 0..<10, using: &random) {
      case 0...3: entries.append(try logs[writer].append(writer < 3 ? .evidence : .note))
      case 4:
        let card = try advocates[Int.random(in: 0..<2, using: &random)].card
        try logs[writer].append(
          .admit(.init(card: card, role: .advocate)), acknowledging: [some])
      case 5, 6: try logs[writer].append(.cut(.init(position: some)))
      case 7:
        guard let entry = entries.randomElement(using: &random) else { continue }
        try logs[writer].append(.erase([entry]))
      case 8:
        guard let entry = entries.randomElement(using: &random) else { continue }
        try logs[writer].append(.keep(entry))
      default:
        let limit = RootStatement.Limit(logID: some.logID, size: some.size)
        guard Bool.random(using: &random) else { continue }
        statements.append(try testCase.statement { RootStatement.lift(limit, root: $0) })
      }
    }
    let renewed = TestDevice(.survivor)
    let successions = [
      try Succession(
        decoding: Succession.sign(
          try renewed.card, in: testCase.caseID, with: devices[1].signing, and: renewed.signing),
        caseID: testCase.caseID)
    ]
    let seen = logs.map { $0.seen() }
    let expected = testCase.state(seen, statements: statements, successions: successions)
    for _ in 0..<5 {
      let other = testCase.state(
        seen.shuffled(using: &random), statements: statements.shuffled(using: &random),
        successions: successions + successions)
      #expect(other == expected, "seed \(seed)")
    }
    // No advocate has power, whatever was tried.
    #expect(expected.erasures.allSatisfy { expected.member($0.logID)?.role == .survivor })
    // The first device is a member for ever, and no cut that counts is below what its author acknowledged.
    #expect(expected.member(logs[0].logID) != nil)
  }
}
