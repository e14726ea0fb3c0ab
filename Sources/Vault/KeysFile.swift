internal import Cryptography

/// The locks of a vault: 4096 bytes that do not tell how many of its eight locks are in use.
///
/// Layout and rules: `Protocol/VaultFiles.md`.
struct KeysFile {
  static let byteCount = 4096
  private static let magic = Array("cairnkey".utf8)
  private static let headerByteCount = 64
  private static let lockByteCount = 500
  private static let lockCount = 8
  private static let digestOffset = 4064
  private static let generationOffset = 52
  private static let changeOffset = 56

  let bytes: [UInt8]

  var vaultID: [UInt8] { Array(bytes[20..<36]) }
  /// How often the vault was sealed under a new master key; the names of its database and anchor follow from it.
  var generation: UInt32 { Self.uint32(bytes, at: Self.generationOffset) }
  /// How often the locks were replaced; of two files the one with the higher number is newer.
  var change: UInt64 {
    UInt64(bigEndianBytes: bytes[Self.changeOffset..<Self.changeOffset + 8])
  }
  var cost: KeyCost {
    KeyCost(memoryKiB: Self.uint32(bytes, at: 12), passes: Self.uint32(bytes, at: 16))
  }
  private var header: [UInt8] { Array(bytes[0..<Self.headerByteCount]) }

  /// Checks all but the locks.
  ///
  /// - Throws: `.keysDamaged`, `.newerVersion`.
  init(decoding bytes: [UInt8]) throws(VaultError) {
    guard bytes.count == Self.byteCount, Array(bytes[0..<8]) == Self.magic,
      Domain.keysFile.hash(Array(bytes[0..<Self.digestOffset])).bytes
        == Array(bytes[Self.digestOffset...])
    else { throw VaultError(.keysDamaged) }
    guard Self.uint32(bytes, at: 8) == 1 else { throw VaultError(.newerVersion) }
    guard Argon2id.Limits.memoryKiB.contains(Self.uint32(bytes, at: 12)),
      Argon2id.Limits.passes.contains(Self.uint32(bytes, at: 16))
    else { throw VaultError(.keysDamaged) }
    self.bytes = bytes
  }

  /// New locks: one for the passphrase, under a salt of its own, and one for the kit.
  init(
    master: borrowing SecretKey, passphrase: RawSpan, kit: BoxPublicKey, cost: KeyCost,
    vaultID: [UInt8], generation: UInt32 = 0, change: UInt64 = 0
  ) throws(VaultError) {
    var header = Self.magic
    for number in [1, cost.memoryKiB, cost.passes] { header.appendBigEndian(number) }
    let salt = Randomness.bytes(16)
    header += vaultID + salt + generation.bigEndianBytes + change.bigEndianBytes
    do {
      let key = try Self.derive(passphrase, salt: salt, cost: cost)
      let nonce = Nonce24.random()
      let sealed = AEAD.seal(
        master, key: key, nonce: nonce, associatedData: Domain.keysFile.bytes + header)
      var locks: [[UInt8]] = [
        try Self.lock(passphraseHalf: nonce.bytes + sealed),
        try Self.lock(kitHalf: try SealedBox.seal(master, to: kit)),
      ]
      while locks.count < Self.lockCount { locks.append(try Self.lock()) }
      var bytes = header + locks.joined()
      bytes += Domain.keysFile.hash(bytes).bytes
      self.bytes = bytes
    } catch {
      throw VaultError(.inputOutput)
    }
  }

  func isNewer(than other: KeysFile) -> Bool {
    (generation, change) > (other.generation, other.change)
  }

  /// The master key, by the passphrase.
  ///
  /// - Throws: `.wrongPassphrase`.
  func unlock(passphrase: RawSpan) throws(VaultError) -> SecretKey {
    let key: SecretKey
    do {
      key = try Self.derive(passphrase, salt: Array(bytes[36..<52]), cost: cost)
    } catch {
      throw VaultError(.inputOutput)
    }
    let associated = Domain.keysFile.bytes + header
    for index in 0..<Self.lockCount {
      let start = Self.headerByteCount + index * Self.lockByteCount
      guard let nonce = Nonce24(Array(bytes[start..<start + 24])) else { continue }
      do {
        return try AEAD.openKey(
          Array(bytes[start + 24..<start + 72]), key: key, nonce: nonce,
          associatedData: associated)
      } catch {
        continue
      }
    }
    throw VaultError(.wrongPassphrase)
  }

  /// The master key, by the recovery kit.
  ///
  /// - Throws: `.kitMismatch`.
  func unlock(kit: borrowing BoxKeyPair) throws(VaultError) -> SecretKey {
    for index in 0..<Self.lockCount {
      let start = Self.headerByteCount + index * Self.lockByteCount
      do {
        return try SealedBox.openKey(Array(bytes[start + 72..<start + 152]), with: kit)
      } catch {
        continue
      }
    }
    throw VaultError(.kitMismatch)
  }

  private static func derive(
    _ passphrase: RawSpan, salt: [UInt8], cost: KeyCost
  ) throws(CryptographyError) -> SecretKey {
    try salt.withBytes { (salt) throws(CryptographyError) in
      try Argon2id.derive(
        passphrase: passphrase, salt: salt, memoryKiB: cost.memoryKiB, passes: cost.passes)
    }
  }

  /// One lock; a half that is not in use is made so that it looks as if it were.
  private static func lock(
    passphraseHalf: [UInt8]? = nil, kitHalf: [UInt8]? = nil
  ) throws(CryptographyError) -> [UInt8] {
    var lock = passphraseHalf ?? Randomness.bytes(72)
    if let kitHalf {
      lock += kitHalf
    } else {
      lock += try SealedBox.seal(SecretKey.random(), to: BoxKeyPair().publicKey)
    }
    return lock + Randomness.bytes(lockByteCount - lock.count)
  }

  private static func uint32(_ bytes: [UInt8], at offset: Int) -> UInt32 {
    UInt32(bigEndianBytes: bytes[offset..<offset + 4])
  }
}

extension KeysFile {
  /// What is left of the locks, cut or filled up to their length; nil if no cost can be read that is within
  /// the limits.
  init?(damaged bytes: [UInt8]) {
    var bytes = Array(bytes.prefix(Self.byteCount))
    guard bytes.count > 64 else { return nil }
    bytes += [UInt8](repeating: 0, count: Self.byteCount - bytes.count)
    guard Argon2id.Limits.memoryKiB.contains(Self.uint32(bytes, at: 12)),
      Argon2id.Limits.passes.contains(Self.uint32(bytes, at: 16))
    else { return nil }
    self.bytes = bytes
  }
}
