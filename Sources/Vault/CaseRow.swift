internal import CaseLog
internal import Cryptography
internal import GRDB
internal import VerifiableLog

/// A case as the vault keeps it.
struct CaseRow: Hashable {
  let ref: Int64
  let caseID: CaseID
  let name: String
  let isDefault: Bool
  let root: VerifyingKey
  let role: Role
  let card: Card
  /// The folder that all members share.
  let mailbox: String?
  /// The folder for the survivor's own devices.
  let ownMailbox: String?
  /// The recovery kit that the case is sealed to; nil where this vault is an advocate's.
  let kit: BoxPublicKey?

  /// This device's own log in the case.
  let logIdentity: LogIdentity
  var logID: LogID { logIdentity.id }

  /// A place in that log.
  func place(_ sequence: UInt64) -> EntryPlace {
    EntryPlace(caseID: caseID, logID: logID, sequence: sequence)
  }

  init(_ row: Row) throws {
    ref = row["id"]
    caseID = try row.identifier("case_id")
    name = row["name"]
    isDefault = row["is_default"]
    root = VerifyingKey(checkedBefore: try row.bytes32("root"))
    guard let role = Role(rawValue: row.number("role")) else {
      throw VaultError(.databaseDamaged)
    }
    self.role = role
    card = try Card(verifiedBefore: row.bytes("card"))
    logIdentity = LogIdentity(caseID: caseID.raw, key: card.signingKey)
    mailbox = row["mailbox"]
    ownMailbox = row["own_mailbox"]
    kit = row.bytesIfAny("kit").flatMap { BoxPublicKey($0) }
  }

  /// The kit that new epochs of the case are wrapped to: the case's, whatever kit opens this vault.
  func requireKit() throws -> BoxPublicKey {
    guard let kit else { throw VaultError(.databaseDamaged) }
    return kit
  }

  static func all(_ db: Database) throws -> [CaseRow] {
    try Row.fetchAll(
      db, cached: "SELECT * FROM vault_case WHERE case_id IS NOT NULL ORDER BY id"
    ).map(CaseRow.init)
  }

  /// The case with this name, or whose fingerprint begins so; the default one without either. Of many cases,
  /// only the one that is meant is read in full.
  static func find(_ db: Database, _ text: String?) throws -> CaseRow {
    guard let text else {
      guard let row = try one(db, "is_default = 1", []) else { throw VaultError(.unknownCase) }
      return row
    }
    if let row = try one(db, "name = ?", [text]) { return row }
    let wanted = text.lowercased()
    guard wanted.count >= 4 else { throw VaultError(.unknownCase) }
    let matches = try Row.fetchAll(
      db, cached: "SELECT id, case_id FROM vault_case WHERE case_id IS NOT NULL"
    ).filter { CaseID(try $0.bytes32("case_id")).fingerprint.hasPrefix(wanted) }
    guard matches.count <= 1 else { throw VaultError(.ambiguousCase) }
    guard let match = matches.first else { throw VaultError(.unknownCase) }
    return try of(db, match["id"])
  }

  /// A name is given once in a vault.
  ///
  /// - Throws: `.caseExists`.
  static func requireFree(name: String, _ db: Database) throws {
    let taken = try Row.fetchOne(
      db, cached: "SELECT 1 FROM vault_case WHERE name = ?", arguments: [name])
    guard taken == nil else { throw VaultError(.caseExists) }
  }

  static func of(_ db: Database, _ ref: Int64) throws -> CaseRow {
    guard let row = try one(db, "id = ?", [ref]) else { throw VaultError(.databaseDamaged) }
    return row
  }

  private static func one(
    _ db: Database, _ condition: String, _ arguments: StatementArguments
  ) throws -> CaseRow? {
    try Row.fetchOne(
      db, cached: "SELECT * FROM vault_case WHERE case_id IS NOT NULL AND \(condition) ORDER BY id",
      arguments: arguments
    ).map(CaseRow.init)
  }
}
