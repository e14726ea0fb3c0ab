import Cryptography
import Support
import Testing
import VerifiableLog

@testable import CaseLog

/// Vectors of `Protocol/Vectors` for what members hand to each other (`Protocol/CaseLog.md`).
@Suite struct MemberVectorTests {
  @Test(arguments: try ProtocolVector.all("wrap"))
  func wrap(_ vector: ProtocolVector) throws {
    let keys = BoxKeyPair(seed: try secret(vector.bytes("box")))
    let audience = try Audience(decoding: try vector.bytes("audience"))
    let caseID = try identifier(vector, "case", CaseID.self)
    var found = "ok"
    do {
      let wrap = try Wrap(decoding: try vector.bytes("input"))
      let key = try wrap.open(with: keys)
      let said = EpochKey.commitment(caseID: caseID, audience: audience, key: key)
      if said.bytes != (try vector.bytes("commitment")) {
        found = "commitment-mismatch"
      } else {
        #expect(try key.withBytes { $0.copied() } == vector.bytes("key"))
      }
    } catch let error as CaseLogError {
      found = kind(of: error)
    }
    #expect(found == vector.expected)
  }

  @Test(arguments: try ProtocolVector.all("slot"))
  func slot(_ vector: ProtocolVector) throws {
    let leaf = try LeafData(parsing: try vector.bytes("leaf"))
    let epoch = EpochKey(
      id: try identifier(vector, "epoch", EntryID.self),
      caseID: try identifier(vector, "case", CaseID.self),
      audience: try Audience(decoding: try vector.bytes("audience")),
      key: try secret(vector.bytes("epoch-key")))
    let slot = Slot(
      logID: try identifier(vector, "log", LogID.self), sequence: leaf.sequence, epoch: epoch.id,
      box: try vector.bytes("input"))
    var found = "ok"
    do {
      let key = try epoch.open(slot, leaf: leaf)
      #expect(try key.withBytes { $0.copied() } == vector.bytes("key"))
      // There is one slot of a key for a place, so that making it again gives the same bytes.
      #expect(epoch.slot(for: key, leaf: leaf, logID: slot.logID) == slot)
    } catch let error as CaseLogError {
      found = kind(of: error)
    }
    #expect(found == vector.expected)
  }

  @Test(arguments: try ProtocolVector.all("succession"))
  func succession(_ vector: ProtocolVector) throws {
    let caseID = try identifier(vector, "case", CaseID.self)
    var found = "ok"
    do { _ = try Succession(decoding: try vector.bytes("input"), caseID: caseID) } catch let error
      as CaseLogError
    {
      found = error == .newerVersion ? "newer-version" : "malformed"
    }
    #expect(found == vector.expected)
  }

  @Test(arguments: try ProtocolVector.all("invitation"))
  func invitation(_ vector: ProtocolVector) throws {
    let input = try vector.bytes("input")
    let keys = BoxKeyPair(seed: try secret(vector.bytes("box")))
    let card = try Card(decoding: try vector.bytes("card"))
    var found = "ok"
    if Invitation.cardIdentifier(of: input) != card.identifier {
      found = "other-card"
    } else {
      do {
        let invitation = try Invitation(opening: input, with: keys)
        #expect(try invitation.caseID == identifier(vector, "case", CaseID.self))
        #expect(invitation.wraps.count == 2)
        for wrap in invitation.wraps { _ = try wrap.open(with: keys) }
      } catch let error as CaseLogError {
        found = kind(of: error)
      }
    }
    #expect(found == vector.expected)
  }

  @Test(arguments: try ProtocolVector.all("armor"))
  func armor(_ vector: ProtocolVector) throws {
    let text = Array(try vector.field("text", String.self).utf8)
    var found = "ok"
    do {
      #expect(try Armor.card.decode(text, max: Limits.card) == vector.bytes("card"))
    } catch is CaseLogError {
      found = "malformed"
    }
    #expect(found == vector.expected)
  }
}

private func kind(of error: CaseLogError) -> String {
  switch error {
  case .newerVersion: "newer-version"
  case .locked, .notForThisKey: "locked"
  default: "malformed"
  }
}

private func secret(_ bytes: [UInt8]) throws -> SecretKey {
  try bytes.withBytes { (bytes) throws(CryptographyError) in try SecretKey(copying: bytes) }
}

private func identifier<ID: Identifier32>(
  _ vector: ProtocolVector, _ field: String, _ type: ID.Type
) throws -> ID {
  ID(try #require(Bytes32(try vector.bytes(field))))
}
