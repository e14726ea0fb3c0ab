import Cryptography
import Support
import VerifiableLog

@testable import CaseLog

/// The keys of a device, for tests.
final class TestDevice {
  let signing = SigningKey(seed: SecretKey.random())
  let receipt = SigningKey(seed: SecretKey.random())
  let box = BoxKeyPair(seed: SecretKey.random())
  let role: Role

  init(_ role: Role) { self.role = role }

  var cardBytes: [UInt8] {
    Card.make(signing: signing, receipt: receipt, box: box.publicKey, role: role)
  }
  var card: Card { get throws { try Card(decoding: cardBytes) } }
}

/// A case with its root, a survivor and her log, built entry by entry.
final class TestCase {
  let rootSeed = SecretKey.random()
  let root: VerifyingKey
  let caseID: CaseID
  let founding: RootStatement
  let survivor: TestDevice

  init() throws {
    let key = SigningKey(seed: rootSeed)
    root = key.publicKey
    caseID = CaseID(root: key.publicKey)
    survivor = TestDevice(.survivor)
    let bytes = RootStatement.found(
      root: key, card: try survivor.card, sealedRoot: [UInt8](repeating: 7, count: 80))
    founding = try RootStatement(decoding: bytes, caseID: caseID, root: key.publicKey)
  }

  /// A case of others, whose root says nothing here.
  init(root: VerifyingKey, founding: RootStatement) {
    self.root = root
    caseID = CaseID(root: root)
    survivor = TestDevice(.survivor)
    self.founding = founding
  }
}

/// A log as a copy of the case holds it.
struct SeenLog: Hashable {
  let member: MemberLog
  let classes: [UInt8]
  let hashes: [Bytes32]

  func roots(_ sizes: [UInt64]) -> [UInt64: Bytes32] {
    var roots: [UInt64: Bytes32] = [:]
    for size in sizes {
      var tree = CompactRange()
      for hash in hashes.prefix(Int(size)) { tree.append(hash) }
      roots[size] = tree.root
    }
    return roots
  }
}

/// A member's log under construction.
struct TestLog {
  let caseID: CaseID
  let logID: LogID
  private(set) var hashes: [Bytes32] = []
  private(set) var classes: [UInt8] = []
  private(set) var control: [MemberLog.ControlEntry] = []

  init(_ device: TestDevice, in testCase: TestCase) throws {
    caseID = testCase.caseID
    logID = try device.card.logID(in: testCase.caseID)
  }

  var size: UInt64 { UInt64(hashes.count) }

  @discardableResult
  mutating func append(
    _ kind: EntryKind, _ parts: [Part] = [], acknowledging: [LogPosition] = []
  ) throws -> EntryID {
    let acknowledged = acknowledging.sorted { $0.logID < $1.logID }
    let sealed = try SealedEntry(
      sealing: parts, kind: kind, context: EntryContext(clock: 1, frontier: acknowledged),
      at: EntryPlace(caseID: caseID, logID: logID, sequence: size), key: SecretKey.random())
    let id = EntryID(log: logID, leaf: sealed.leaf)
    if sealed.leaf.entryClass == .control {
      let decoded: Result<Control, CaseLogError>
      do throws(CaseLogError) { decoded = .success(try Control(kind: kind, parts: parts)) } catch {
        decoded = .failure(error)
      }
      control.append(
        .init(sequence: size, id: id, control: decoded, acknowledged: acknowledged))
    }
    hashes.append(sealed.leaf.hash)
    classes.append(sealed.leaf.classByte)
    return id
  }

  @discardableResult
  mutating func append(
    _ value: Control, acknowledging: [LogPosition] = []
  ) throws -> EntryID {
    try append(value.kind, [value.part], acknowledging: acknowledging)
  }

  /// The first `size` leaves, as a cut or a context names them; nil for all.
  func position(_ size: Int? = nil) -> LogPosition {
    var tree = CompactRange()
    for hash in hashes.prefix(size ?? hashes.count) { tree.append(hash) }
    return LogPosition(logID: logID, size: tree.size, root: tree.root)
  }

  /// The log as a copy sees it that holds the first `size` leaves.
  func seen(size: Int? = nil, forkedAt: UInt64? = nil) -> SeenLog {
    let count = size ?? hashes.count
    let known = Array(classes.prefix(count))
    return SeenLog(
      member: MemberLog(
        position: position(count), classes: known,
        control: control.filter { $0.sequence < UInt64(count) }, forkedAt: forkedAt),
      classes: known, hashes: Array(hashes.prefix(count)))
  }
}

extension TestCase {
  /// The state of a case that consists of these.
  func state(
    _ logs: [SeenLog], statements: [RootStatement] = [], successions: [Succession] = []
  ) -> CaseState {
    CaseState(
      caseID: caseID, statements: [founding] + statements, successions: successions,
      logs: logs.map(\.member),
      contentLeaves: { id in
        let log = logs.first { $0.member.position.logID == id }
        return (log?.classes ?? []).indices.filter { log?.classes[$0] == 2 }.map { UInt64($0) }
      },
      roots: { (id, sizes) in logs.first { $0.member.position.logID == id }?.roots(sizes) ?? [:] })
  }

  /// Says something with the root's key.
  func statement(_ sign: (borrowing SigningKey) throws -> [UInt8]) throws -> RootStatement {
    try RootStatement(
      decoding: try sign(SigningKey(seed: rootSeed)), caseID: caseID, root: root)
  }
}

/// A case with two devices of the survivor and an advocate, each with some entries.
struct Household {
  let testCase: TestCase
  let second = TestDevice(.survivor)
  let advocate = TestDevice(.advocate)
  let admitsSecond: RootStatement
  var first: TestLog
  var other: TestLog
  var hers: TestLog

  init() throws {
    testCase = try TestCase()
    first = try TestLog(testCase.survivor, in: testCase)
    other = try TestLog(second, in: testCase)
    hers = try TestLog(advocate, in: testCase)
    let card = try second.card
    admitsSecond = try testCase.statement { RootStatement.admit(card, root: $0) }
    try first.append(.admit(.init(card: try advocate.card, role: .advocate)))
    for _ in 0..<3 {
      try first.append(.evidence)
      try other.append(.evidence)
      try hers.append(.note)
    }
  }

  func state(
    _ statements: [RootStatement] = [], successions: [Succession] = []
  ) -> CaseState {
    testCase.state(
      [first.seen(), other.seen(), hers.seen()], statements: [admitsSecond] + statements,
      successions: successions)
  }

  func standing(
    _ log: TestLog, _ sequence: UInt64, in state: CaseState, witnesses: [LogID] = []
  ) -> CaseState.ContentStanding {
    state.standing(
      of: EntryID(.random()), in: log.logID, at: sequence, entryClass: .note,
      witnesses: witnesses)
  }
}
