public import CaseLog
internal import Cryptography
internal import GRDB
internal import VerifiableLog

/// A case that this device joined.
public struct JoinOutcome: Hashable, Sendable {
  public let caseID: CaseID
  public let caseName: String
}

extension OpenVault {
  /// Whether an invitation is for a card of this vault and can be opened; nothing is believed yet.
  ///
  /// - Returns: what the case is called here, if this vault is a member of it already.
  /// - Throws: `.invitationDamaged`, `.invitationForSomebodyElse`, `.cardUsed`.
  public func checkInvitation(_ text: [UInt8]) throws(VaultError) -> String? {
    try read { db in try Self.name(of: try openInvitation(text, db).0.caseID, db) }
  }

  private static func name(of caseID: CaseID, _ db: Database) throws -> String? {
    try String.fetchOne(
      db, cached: "SELECT name FROM vault_case WHERE case_id = ?", arguments: [caseID.bytes.data])
  }

  /// Joins the case of an invitation, after its six words were compared by voice.
  ///
  /// - Parameters:
  ///   - words: the case's six words, as heard from whoever shares it.
  ///   - name: what this vault calls the case.
  /// - Throws: as `checkInvitation`, and `.wrongWords`, `.caseHeldAlready`, `.caseExists`.
  public func join(
    _ text: [UInt8], words: [String], name: String?
  ) throws(VaultError) -> JoinOutcome {
    try requireSound()
    let (invitation, cardRef) = try read { db in try openInvitation(text, db) }
    let heldAs = try read { db in try Self.name(of: invitation.caseID, db) }
    guard heldAs == nil else { throw VaultError(.caseHeldAlready) }
    guard ComparedWords.match(words, try ComparedWords.of(root: invitation.root)) else {
      throw VaultError(.wrongWords)
    }
    let caseID = invitation.caseID
    let name = name ?? "shared " + caseID.fingerprint.prefix(8)
    try commit { db in
      try CaseRow.requireFree(name: name, db)
      try accept(invitation, card: cardRef, name: name, db)
    }
    return JoinOutcome(caseID: caseID, caseName: name)
  }

  private func accept(
    _ invitation: Invitation, card ref: Int64, name: String, _ db: Database
  ) throws {
    let caseID = invitation.caseID
    guard
      let record = try Row.fetchOne(
        db, cached: "SELECT card FROM vault_case WHERE id = ?", arguments: [ref]),
      case .founding(_, let founder, _) = invitation.founding.content
    else { throw VaultError(.databaseDamaged) }
    let own = try Card(decoding: record.bytes("card"))
    try db.execute(
      cached: "UPDATE vault_case SET case_id = ?, name = ?, root = ?, log_id = ? WHERE id = ?",
      arguments: [
        caseID.bytes.data, name, invitation.root.bytes.data,
        own.logID(in: caseID).bytes.data, ref,
      ])
    try db.execute(
      cached: "INSERT INTO statement(case_ref, bytes) VALUES (?, ?)",
      arguments: [ref, invitation.founding.bytes.data])
    for card in [own, founder] {
      try LogTable.addLog(db, case: ref, logID: card.logID(in: caseID), key: card.signingKey)
    }
    for wrap in invitation.wraps {
      try WrapTable.store(db, wrap, case: ref)
    }
  }

  private func openInvitation(_ text: [UInt8], _ db: Database) throws -> (Invitation, Int64) {
    let bytes: [UInt8]
    do {
      bytes = try Armor.invitation.decode(text, max: Limits.invitation)
    } catch {
      throw VaultError(.invitationDamaged)
    }
    guard let wanted = Invitation.cardIdentifier(of: bytes) else {
      throw VaultError(.invitationDamaged)
    }
    for record in try Row.fetchAll(db, cached: "SELECT * FROM vault_case") {
      guard try Card(decoding: record.bytes("card")).identifier == wanted else { continue }
      let device = try DeviceKeys(record, keys: keys)
      let invitation: Invitation
      do {
        invitation = try Invitation(opening: bytes, with: device.box)
      } catch {
        throw VaultError(error == .newerVersion ? .newerVersion : .invitationDamaged)
      }
      let used = record.bytesIfAny("case_id")
      guard used == nil || used == invitation.caseID.bytes else { throw VaultError(.cardUsed) }
      return (invitation, record["id"])
    }
    throw VaultError(.invitationForSomebodyElse)
  }
}
