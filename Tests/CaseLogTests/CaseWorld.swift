import Cryptography
import VerifiableLog

@testable import CaseLog

/// A generator that gives the same numbers for the same seed.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    // SplitMix64, by Sebastiano Vigna; public domain.
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

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
}

/// A member's log under construction.
struct TestLog {
  let caseID: CaseID
  let logID: LogID
  private(set) var tree = CompactRange()
  private(set) var classes: [UInt8] = []
  private(set) var control: [MemberLog.ControlEntry] = []

  init(_ device: TestDevice, in testCase: TestCase) throws {
    caseID = testCase.caseID
    logID = try device.card.logID(in: testCase.caseID)
  }

  @discardableResult
  mutating func append(_ kind: EntryKind, _ parts: [Part] = []) throws -> EntryID {
    let sealed = try SealedEntry(
      sealing: parts, kind: kind, context: EntryContext(clock: 1),
      at: EntryPlace(caseID: caseID, logID: logID, sequence: tree.size), key: SecretKey.random())
    let id = EntryID(log: logID, leaf: sealed.leaf)
    if sealed.leaf.entryClass == .control {
      let decoded: Result<Control, CaseLogError>
      do throws(CaseLogError) { decoded = .success(try Control(kind: kind, parts: parts)) } catch {
        decoded = .failure(error)
      }
      control.append(.init(sequence: tree.size, id: id, control: decoded))
    }
    tree.append(sealed.leaf.hash)
    classes.append(sealed.leaf.classByte)
    return id
  }

  @discardableResult
  mutating func append(_ value: Control) throws -> EntryID {
    try append(value.kind, [value.part])
  }

  /// The log as a copy sees it that holds the first `size` leaves.
  func seen(size: Int? = nil, forkedAt: UInt64? = nil) -> MemberLog {
    MemberLog(
      position: LogPosition(logID: logID, size: tree.size, root: tree.root), classes: classes,
      control: control, forkedAt: forkedAt)
  }
}
