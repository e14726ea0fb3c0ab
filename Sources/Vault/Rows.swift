internal import CaseLog
internal import Cryptography
internal import Foundation
internal import GRDB
internal import VerifiableLog

extension [UInt8] {
  /// For SQLite, which takes its blobs as `Data`.
  var data: Data { Data(self) }
}

extension Row {
  func bytes(_ column: String) -> [UInt8] {
    let data: Data = self[column]
    return [UInt8](data)
  }

  func hasValue(_ column: String) -> Bool {
    let value: DatabaseValue = self[column]
    return !value.isNull
  }

  func bytesIfAny(_ column: String) -> [UInt8]? {
    let data: Data? = self[column]
    return data.map { [UInt8]($0) }
  }

  func bytes32(_ column: String) throws -> Bytes32 {
    guard let value = Bytes32(bytes(column)) else { throw VaultError(.databaseDamaged) }
    return value
  }

  func identifier<ID: Identifier32>(_ column: String) throws -> ID { ID(try bytes32(column)) }

  func number(_ column: String) -> UInt64 {
    let value: Int64 = self[column]
    return UInt64(bitPattern: value)
  }
}

extension VaultError {
  /// What SQLite or one of our own libraries threw, as the vault's own error.
  static func ofDatabase(_ error: any Error) -> VaultError {
    switch error {
    case let error as VaultError: return error
    case let error as DatabaseError:
      switch error.resultCode {
      case .SQLITE_BUSY, .SQLITE_LOCKED: return VaultError(.inUse)
      case .SQLITE_FULL: return VaultError(.diskFull)
      // Aborted: an earlier statement of the same transaction found what it could not read.
      case .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_ABORT: return VaultError(.databaseDamaged)
      case .SQLITE_READONLY, .SQLITE_PERM: return VaultError(.notWritable)
      case .SQLITE_IOERR where !Self.tellsOfWriting(error): return VaultError(.databaseDamaged)
      // Its codes are none of the system's.
      default: return VaultError(.inputOutput)
      }
    case is CancellationError: return VaultError(.cancelled)
    case is CaseLogError, is CBORError, is CryptographyError: return VaultError(.databaseDamaged)
    default: return VaultError(.inputOutput)
    }
  }

  /// Of a disk that takes nothing more, or is gone, nobody may be told that her vault is damaged.
  private static func tellsOfWriting(_ error: DatabaseError) -> Bool {
    switch error.extendedResultCode {
    case .SQLITE_IOERR_WRITE, .SQLITE_IOERR_FSYNC, .SQLITE_IOERR_DIR_FSYNC, .SQLITE_IOERR_TRUNCATE,
      .SQLITE_IOERR_FSTAT, .SQLITE_IOERR_DELETE, .SQLITE_IOERR_CLOSE:
      true
    default: false
    }
  }
}

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

/// The secret halves of this device's keys in one case.
struct DeviceKeys: ~Copyable {
  let signing: SigningKey
  let receipt: SigningKey
  let box: BoxKeyPair

  init(_ row: Row, keys: VaultKeys) throws {
    let signingSeed = try keys.open(row.bytes("signing_seed"))
    let receiptSeed = try keys.open(row.bytes("receipt_seed"))
    let boxSeed = try keys.open(row.bytes("box_seed"))
    signing = SigningKey(seed: signingSeed)
    receipt = SigningKey(seed: receiptSeed)
    box = BoxKeyPair(seed: boxSeed)
  }

  consuming func takeSigning() -> SigningKey { signing }

  static func load(
    _ db: Database, case ref: Int64, keys: VaultKeys
  ) throws -> DeviceKeys {
    guard
      let row = try Row.fetchOne(
        db, cached: "SELECT signing_seed, receipt_seed, box_seed FROM vault_case WHERE id = ?",
        arguments: [ref])
    else { throw VaultError(.unknownCase) }
    return try DeviceKeys(row, keys: keys)
  }
}

/// An epoch key in use, for collections, which cannot hold it bare.
final class LoadedEpoch: Sendable {
  let key: EpochKey
  init(_ key: consuming EpochKey) { self.key = key }

  /// All that this device holds of a case, newest last.
  static func all(
    _ db: Database, of row: CaseRow, keys: VaultKeys
  ) throws -> [LoadedEpoch] {
    let rows = try Row.fetchAll(
      db, cached: "SELECT epoch, audience, sealed_key FROM epoch WHERE case_ref = ? ORDER BY rowid",
      arguments: [row.ref])
    return try rows.map { epoch in
      LoadedEpoch(
        EpochKey(
          id: try epoch.identifier("epoch"), caseID: row.caseID,
          audience: try Audience(decoding: epoch.bytes("audience")),
          key: try keys.open(epoch.bytes("sealed_key"))))
    }
  }
}
