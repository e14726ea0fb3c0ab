internal import Cryptography
internal import GRDB

/// What a guess is to cost, as it was chosen when the vault was made. A keys file says it too, and who can write
/// there can say less.
enum KeptCost {
  private static let setting = "cost"

  static func read(_ db: Database) throws -> KeyCost? {
    let value = try Row.fetchOne(
      db, cached: "SELECT value FROM setting WHERE name = ?", arguments: [setting]
    ).map { $0.bytes("value") }
    guard let value, value.count == 8 else { return nil }
    return KeyCost(
      memoryKiB: UInt32(bigEndianBytes: value[..<4]), passes: UInt32(bigEndianBytes: value[4...]))
  }

  static func write(_ db: Database, _ cost: KeyCost) throws {
    let value = cost.memoryKiB.bigEndianBytes + cost.passes.bigEndianBytes
    try db.execute(
      cached: "INSERT OR REPLACE INTO setting(name, value) VALUES (?, ?)",
      arguments: [setting, value.data])
  }
}
