internal import Cryptography

/// A vault's master key and its subkeys. They are zeroed with the last reference.
final class VaultKeys: Sendable {
  let master: SecretKey
  let database: SecretKey
  let anchor: SecretKey
  let duplicates: SecretKey
  /// Seals the keys of cases within the database, so that no array ever holds one.
  let cases: SecretKey

  /// - Parameter duplicates: the key under which the database marks what it holds, where that is not derived
  ///   from this master key but came over from an earlier one.
  init(master: borrowing SecretKey, duplicates carried: consuming SecretKey? = nil) {
    self.master = master.copy()
    database = master.derive(.databasePages)
    anchor = master.derive(.anchor)
    duplicates = carried ?? master.derive(.duplicates)
    cases = master.derive(.caseKeys)
  }

  func seal(_ secret: borrowing SecretKey) -> [UInt8] {
    let nonce = Nonce24.random()
    return nonce.bytes + AEAD.seal(secret, key: cases, nonce: nonce)
  }

  func open(_ sealed: [UInt8]) throws(VaultError) -> SecretKey {
    do {
      guard let nonce = Nonce24(Array(sealed.prefix(24))) else {
        throw CryptographyError.invalidLength
      }
      return try AEAD.openKey(Array(sealed.dropFirst(24)), key: cases, nonce: nonce)
    } catch {
      throw VaultError(.databaseDamaged)
    }
  }
}
