import Cryptography
import Foundation
import Support
import Testing
import VerifiableLog

@testable import CaseLog

/// Vectors of `Protocol/Vectors/state`: what a case comes to, each about one rule (`Protocol/CaseLog.md`, "State").
@Suite struct StateVectorTests {
  @Test(arguments: try ProtocolVector.all("state"))
  func state(_ vector: ProtocolVector) throws {
    let statements = try vector.list("statements")
    let claimed = statements.compactMap { bytes -> VerifyingKey? in
      do { return try RootStatement.claimedRoot(of: bytes) } catch { return nil }
    }
    let root = try #require(claimed.first)
    let caseID = CaseID(root: root)
    #expect(try vector.bytes("case") == caseID.raw.bytes)
    let read = try statements.map {
      try RootStatement(decoding: $0, caseID: caseID, root: root)
    }
    let logs = try vector.field("logs", [[String: Any]].self).map {
      try WrittenLog($0, caseID, forks: try vector.list("forks"))
    }
    let successions = try vector.list("successions").map {
      try Succession(decoding: $0, caseID: caseID)
    }
    let founding = try #require(read.first)
    let state = TestCase(root: root, founding: founding).state(
      logs.map(\.seen), statements: read, successions: successions)
    #expect(state.isStoppedByNewerVersion == (vector.expected == "newer-version"))
    if state.isStoppedByNewerVersion { return }
    #expect(state.stateHash == Domain.state.hash(try vector.bytes("c")))
    #expect(state.stateHash.hex == (try vector.field("state", String.self)))
    let receipts = try vector.field("receipts", [[Any]].self).map(WrittenReceipt.init)
    let view = try logs.flatMap { try $0.view(in: state, receipts) }
    let wanted = try vector.field("view", [[Any]].self).map { row in
      row.map { "\($0)" }
    }
    #expect(view == wanted)
    #expect(vector.expected == "ok")
  }
}

private struct WrittenReceipt {
  let logID: String
  let size: Int
  let giver: LogID

  init(_ row: [Any]) throws {
    logID = try #require(row[0] as? String)
    size = try #require(row[1] as? Int)
    let bytes = try Hex.decode(try #require(row[2] as? String))
    giver = try #require(LogID(bytes))
  }
}

/// A log as a vector has it: its leaves, and its control entries opened.
private struct WrittenLog {
  let seen: SeenLog
  private let leaves: [LeafData]
  private var logID: LogID { seen.member.position.logID }

  init(_ fields: [String: Any], _ caseID: CaseID, forks: [[UInt8]]) throws {
    let key = try VerifyingKey(try Hex.decode(try #require(fields["key"] as? String)))
    let identity = LogIdentity(caseID: caseID.raw, key: key)
    let place = identity.id
    let leaves = try #require(fields["leaves"] as? [String]).map {
      try LeafData(parsing: try Hex.decode($0))
    }
    var tree = CompactRange()
    for leaf in leaves { tree.append(leaf.hash) }
    let control = try #require(fields["control"] as? [[String: Any]]).map { entry in
      let leaf = leaves[try #require(entry["sequence"] as? Int)]
      return try WrittenLog.opened(
        leaf, EntryPlace(caseID: caseID, logID: place, sequence: leaf.sequence),
        try #require(entry["parts"] as? [[String]]))
    }
    // A proof of another log is none of this one.
    let forkedAt = forks.compactMap { bytes -> UInt64? in
      do { return try ForkProof(parsing: bytes, of: identity).forkedAt } catch { return nil }
    }.min()
    let classes = leaves.map(\.classByte)
    let position = LogPosition(logID: place, size: tree.size, root: tree.root)
    seen = SeenLog(
      member: MemberLog(position: position, classes: classes, control: control, forkedAt: forkedAt),
      classes: classes, hashes: leaves.map(\.hash))
    self.leaves = leaves
  }

  private static func opened(
    _ leaf: LeafData, _ place: EntryPlace, _ parts: [[String]]
  ) throws -> MemberLog.ControlEntry {
    let disclosed = try parts.enumerated().map { index, part in
      let label = try #require(PartLabel(Array(part[0].utf8)))
      let bytes = try Hex.decode(part[1])
      let salt = try #require(Bytes32(bytes))
      return PartDisclosure.disclosed(Part(label, try Hex.decode(part[2])), salt: salt)
    }
    #expect(PartDisclosure.commit(disclosed) == leaf.commitment)
    let id = EntryID(log: place.logID, leaf: leaf)
    do throws(CaseLogError) {
      let entry = try OpenedEntry(leaf: leaf, parts: disclosed, at: place)
      return MemberLog.ControlEntry(
        sequence: leaf.sequence, id: id, control: .success(try Control(of: entry)),
        acknowledged: entry.context?.frontier ?? [])
    } catch {
      return MemberLog.ControlEntry(sequence: leaf.sequence, id: id, control: .failure(error))
    }
  }

  /// What each leaf that is not control comes to.
  func view(in state: CaseState, _ receipts: [WrittenReceipt]) throws -> [[String]] {
    leaves.filter { $0.entryClass != .control }.map { leaf in
      let standing = state.standing(
        of: EntryID(log: logID, leaf: leaf), in: logID, at: leaf.sequence,
        entryClass: leaf.entryClass,
        witnesses: receipts.filter { $0.logID == logID.hex && $0.size > leaf.sequence }
          .map(\.giver))
      return [logID.hex, "\(leaf.sequence)", name(of: standing)]
    }
  }

  private func name(of standing: CaseState.ContentStanding) -> String {
    switch standing {
    case .counted: "counted"
    case .disputed: "disputed"
    case .setAside: "set-aside"
    case .erased: "erased"
    case .violation: "violation"
    }
  }
}
