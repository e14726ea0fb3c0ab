internal import CaseLog
internal import Cryptography
internal import GRDB
internal import VerifiableLog

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
