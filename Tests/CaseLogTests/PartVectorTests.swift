import Cryptography
import Support
import Testing
import VerifiableLog

@testable import CaseLog

/// Vectors of `Protocol/Vectors` for what stands in content and notes, and for the slots of a share.
@Suite struct PartVectorTests {
  @Test(arguments: try ProtocolVector.all("content"))
  func content(_ vector: ProtocolVector) throws {
    let parts = try vector.field("parts", [[String]].self).map { part in
      let label = try #require(PartLabel(Array(part[0].utf8)))
      return Part(label, try Hex.decode(part[1]))
    }
    var found = "ok"
    do {
      _ = try EntryContent(parts: parts, isPartial: try vector.field("partial", Bool.self))
    } catch is CaseLogError {
      found = "unreadable"
    }
    #expect(found == vector.expected)
  }

  @Test(arguments: try ProtocolVector.all("batch"))
  func batch(_ vector: ProtocolVector) throws {
    let slots = try vector.field("slots", [[Any]].self).map { row in
      let log = try Hex.decode(try #require(row[0] as? String))
      return Slot(
        logID: try #require(LogID(log)), sequence: try #require(row[1] as? UInt64),
        epoch: EntryID(.zero), box: try Hex.decode(try #require(row[2] as? String)))
    }
    #expect(try Slot.batchHash(slots).bytes == vector.bytes("hash"))
    #expect(vector.expected == "ok")
  }
}
