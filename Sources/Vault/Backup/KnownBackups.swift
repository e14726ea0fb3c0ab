internal import Cryptography
internal import GRDB
internal import VerifiableLog

/// Backups of which a vault knows that it has all that is in them: it made them, or was about to, or was restored from
/// them. Once the vault has another master key it cannot look into them any more.
enum KnownBackups {
  private static let setting = "known-backups"
  private static let longest = 256

  /// Of a backup's database as it stands: its first page was sealed under a nonce of its own, and is another one
  /// with the next.
  static func mark(ofDatabase path: String) throws(VaultError) -> Bytes32 {
    SHA256Hash.hash(
      try OpenFile(reading: path, followingLinks: false)
        .read(at: 0, count: SealedPages.pageByteCount))
  }

  static func note(_ db: Database, _ mark: Bytes32) throws {
    guard try !holds(db, mark) else { return }
    let marks = try all(db).suffix(longest - 1) + [mark.bytes]
    try db.execute(
      cached: "INSERT OR REPLACE INTO setting(name, value) VALUES (?, ?)",
      arguments: [setting, Array(marks.joined()).data])
  }

  static func holds(_ db: Database, _ mark: Bytes32) throws -> Bool {
    try all(db).contains(mark.bytes)
  }

  private static func all(_ db: Database) throws -> [[UInt8]] {
    let value = try Row.fetchOne(
      db, cached: "SELECT value FROM setting WHERE name = ?", arguments: [setting]
    ).map { $0.bytes("value") }
    guard let value else { return [] }
    return stride(from: 0, to: value.count / 32 * 32, by: 32).map { Array(value[$0..<$0 + 32]) }
  }
}
