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
    func number(_ bytes: ArraySlice<UInt8>) -> UInt32 { bytes.reduce(0) { $0 << 8 | UInt32($1) } }
    return KeyCost(memoryKiB: number(value[..<4]), passes: number(value[4...]))
  }

  static func write(_ db: Database, _ cost: KeyCost) throws {
    let value = [cost.memoryKiB, cost.passes].flatMap { number in
      [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
    }
    try db.execute(
      cached: "INSERT OR REPLACE INTO setting(name, value) VALUES (?, ?)",
      arguments: [setting, value.data])
  }
}
