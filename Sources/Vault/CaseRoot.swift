internal import CaseLog
internal import Cryptography
internal import GRDB
internal import VerifiableLog

/// The root key of a case, which nobody keeps: opened from the founding statement by the kit, used, forgotten.
enum CaseRoot {
  static func open(
    _ sealed: [UInt8], of root: VerifyingKey, with kit: borrowing BoxKeyPair
  ) throws(VaultError) -> SigningKey {
    let seed: SecretKey
    do { seed = try SealedBox.openKey(sealed, with: kit) } catch { throw VaultError(.kitMismatch) }
    let key = SigningKey(seed: seed)
    // A founding statement with another seed than the root's opens nothing.
    guard key.publicKey == root else { throw VaultError(.kitMismatch) }
    return key
  }
}

extension CaseRoot {
  /// The root of a case that is held here.
  ///
  /// - Throws: `.kitMismatch`.
  static func open(
    _ db: Database, of row: CaseRow, with kit: borrowing BoxKeyPair
  ) throws -> SigningKey {
    for statement in try CaseView.statements(db, of: row) {
      guard case .founding(_, _, let sealed) = statement.content else { continue }
      do throws(VaultError) {
        return try open(sealed, of: row.root, with: kit)
      } catch {
        continue
      }
    }
    throw VaultError(.kitMismatch)
  }

  /// Stores a statement, which goes out with the next exchange.
  static func add(_ db: Database, _ statement: [UInt8], to row: CaseRow) throws {
    try db.execute(
      cached: "INSERT OR IGNORE INTO statement(case_ref, bytes) VALUES (?, ?)",
      arguments: [row.ref, statement.data])
  }
}
