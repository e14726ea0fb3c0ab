public import Cryptography
internal import GRDB

/// What is on the medium after each step of a change of passphrase or keys, in this order.
enum KeyChangeStep: Hashable, CaseIterable {
  // Only where the vault is sealed anew.
  case databaseCopied, secretsSealed, databaseVerified, anchorWritten
  // In both. After the first of these, the change has happened.
  case keysReplaced, secondKeysReplaced
  // Only where the vault was sealed anew.
  case oldRemoved
}

typealias AfterStep = (KeyChangeStep) throws(VaultError) -> Void

extension OpenVault {
  /// Replaces the passphrase: a new lock of the same master key, in both copies of the locks, read back before
  /// this returns. The kit stays the same. Whoever copied the old keys file before can still open that copy by
  /// the old passphrase, and with it the database: see `sealAnew`.
  ///
  /// After a failure the old passphrase opens the vault, or the new one.
  ///
  /// - Throws: `.diskFull`, `.inputOutput`, `.keysOutdated`.
  public func changePassphrase(to passphrase: borrowing LockedBytes) throws(VaultError) {
    try changePassphrase(to: passphrase) { (_) throws(VaultError) in }
  }

  func changePassphrase(
    to passphrase: borrowing LockedBytes, afterStep: AfterStep
  ) throws(VaultError) {
    let locks = try newLocks(
      passphrase, master: keys.master, generation: files.generation)
    try replaceKeys(with: locks, passphrase, master: keys.master, afterStep: afterStep)
  }

  /// Locks for a master key: one for this passphrase, and one for the kit that opens the vault now.
  func newLocks(
    _ passphrase: borrowing LockedBytes, master: borrowing SecretKey, generation: UInt32
  ) throws(VaultError) -> KeysFile {
    // Locks that are newer than this vault's own must not be lost.
    let pair = try KeysPair(of: files)
    guard [pair.first, pair.second].allSatisfy({ $0?.generation ?? 0 <= files.generation }) else {
      throw VaultError(.keysOutdated)
    }
    let kit = try read { try Self.kitKey($0) }
    return try passphrase.withBytes { (bytes) throws(VaultError) in
      try KeysFile(
        master: master, passphrase: bytes, kit: kit, cost: cost, vaultID: vaultID,
        generation: generation)
    }
  }

  /// Replaces both copies of the locks, and opens what was written.
  func replaceKeys(
    with locks: KeysFile, _ passphrase: borrowing LockedBytes, master: borrowing SecretKey,
    afterStep: AfterStep
  ) throws(VaultError) {
    try Folders.replace(files.keys, with: locks.bytes, in: files.folder)
    try afterStep(.keysReplaced)
    try Folders.replace(files.secondKeys, with: locks.bytes, in: files.folder)
    try afterStep(.secondKeysReplaced)
    let written = try KeysPair(of: files)
    let isRight = try passphrase.withBytes { (bytes) throws(VaultError) in
      try written.first?.unlock(passphrase: bytes).isEqual(to: master) ?? false
    }
    guard written.agrees, isRight else { throw VaultError(.keysDamaged) }
  }

  /// What somebody sees who compares two papers, or a paper with this vault: see `RecoveryKit.check`.
  public func kitCheck() throws(VaultError) -> String {
    RecoveryKit.check(of: try read { try Self.kitKey($0) })
  }
}
