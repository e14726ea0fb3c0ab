public import Cryptography
internal import GRDB

/// What is on the medium after each step of a change of passphrase or keys, in this order.
enum KeyChangeStep: Hashable, CaseIterable {
  // Only where the vault is sealed anew.
  case databaseCopied, secretsSealed, databaseVerified, anchorWritten, databaseNamed
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
  /// - Throws: `.diskFull`, `.inputOutput`, `.keysSuperseded`.
  public func changePassphrase(to passphrase: borrowing LockedBytes) throws(VaultError) {
    try changePassphrase(to: passphrase) { (_) throws(VaultError) in }
  }

  func changePassphrase(
    to passphrase: borrowing LockedBytes, afterStep: AfterStep
  ) throws(VaultError) {
    let locks = try newLocks(
      passphrase, master: keys.master, generation: files.generation)
    try files.prepare(locks)
    try replaceKeys(with: locks, passphrase, master: keys.master, afterStep: afterStep)
    locksInForce = locks
  }

  /// Locks for a master key: one for this passphrase, and one for the kit that opens the vault now.
  func newLocks(
    _ passphrase: borrowing LockedBytes, master: borrowing SecretKey, generation: UInt32
  ) throws(VaultError) -> KeysFile {
    // Locks that are newer than this vault's own must not be lost.
    let present = try KeysPair(of: files).inOrder
    guard present.allSatisfy({ $0.generation <= files.generation }) else {
      throw VaultError(.keysSuperseded)
    }
    // A number at its end was written by somebody else; what matters is only that the two copies differ by it.
    let change = (present.map(\.change).max() ?? 0) &+ 1
    let kit = try read { try Self.kitKey($0) }
    return try passphrase.withBytes { (bytes) throws(VaultError) in
      try KeysFile(
        master: master, passphrase: bytes, kit: kit, cost: cost, vaultID: vaultID,
        generation: generation, change: change)
    }
  }

  /// Replaces both copies of the locks by what was prepared, and opens what was written.
  func replaceKeys(
    with locks: KeysFile, _ passphrase: borrowing LockedBytes, master: borrowing SecretKey,
    afterStep: AfterStep
  ) throws(VaultError) {
    try files.putInForce(files.keys)
    try afterStep(.keysReplaced)
    try files.putInForce(files.secondKeys)
    try afterStep(.secondKeysReplaced)
    let written = try KeysPair(of: files)
    let isRight = try passphrase.withBytes { (bytes) throws(VaultError) in
      try written.first?.unlock(passphrase: bytes).isEqual(to: master) ?? false
    }
    guard written.agrees, written.first?.bytes == locks.bytes, isRight else {
      throw VaultError(.keysDamaged)
    }
  }

  /// Whether this is the vault's passphrase now. It costs as much as opening.
  ///
  /// - Returns: false too where the two copies of the locks differ: then any passphrase is worth setting.
  public func isPassphrase(_ passphrase: borrowing LockedBytes) throws(VaultError) -> Bool {
    let pair = try KeysPair(of: files)
    guard pair.agrees, let locks = pair.first else { return false }
    do throws(VaultError) {
      let master = try passphrase.withBytes { (bytes) throws(VaultError) in
        try locks.unlock(passphrase: bytes)
      }
      return master.isEqual(to: keys.master)
    } catch {
      guard error.code == .wrongPassphrase else { throw error }
      return false
    }
  }

  /// What somebody sees who compares two papers, or a paper with this vault: see `RecoveryKit.check`.
  public func kitCheck() throws(VaultError) -> String {
    RecoveryKit.check(of: try read { try Self.kitKey($0) })
  }
}
