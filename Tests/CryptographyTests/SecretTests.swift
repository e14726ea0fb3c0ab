import Cryptography
import Support
import Testing

private func key(_ bytes: some Sequence<UInt8>) throws -> SecretKey {
  try [UInt8](bytes).withBytes { try SecretKey(copying: $0) }
}

struct SecretKeyTests {
  @Test func `has 32 bytes or does not exist`() throws {
    #expect(try key(0..<32).withBytes { $0.copied() } == [UInt8](0..<32))
    for count in [0, 31, 33, 64] {
      #expect(throws: CryptographyError.invalidLength) {
        _ = try key([UInt8](repeating: 1, count: count)).copy()
      }
    }
  }

  @Test func `two random keys differ, a copy does not`() {
    let one = SecretKey()
    let (isOther, isCopy) = (one.isEqual(to: SecretKey()), one.isEqual(to: one.copy()))
    #expect(!isOther)
    #expect(isCopy)
  }

  @Test func `memory comes back zeroed, wherever it was before`() {
    // More than one slab, so that slots are certainly used again.
    for _ in 0..<600 {
      let fresh = SecretKey(writing: { _ in })
      #expect(fresh.withBytes { $0.copied() } == [UInt8](repeating: 0, count: 32))
      _ = SigningKey(seed: SecretKey())
    }
  }

  @Test func `twenty thousand live at once, where sodium_malloc alone gives out`() {
    final class Holder: Sendable {
      let key = SecretKey()
    }
    let holders = (0..<20_000).map { _ in Holder() }
    // No two share memory: every one still has its own value.
    var seen = Set<Bytes32>()
    for holder in holders {
      guard let bytes = holder.key.withBytes({ Bytes32($0) }) else { continue }
      seen.insert(bytes)
    }
    #expect(seen.count == 20_000)
  }

  @Test func `many threads take and return slots without meeting`() async {
    let sound = await withTaskGroup(of: Bool.self) { group in
      for task in 0..<8 {
        group.addTask {
          (0..<5_000).allSatisfy { round in
            let value = UInt8(truncatingIfNeeded: task &* 31 &+ round)
            let key = SecretKey(writing: { span in
              for offset in 0..<32 {
                span.storeBytes(of: value, toByteOffset: offset, as: UInt8.self)
              }
            })
            return key.withBytes { $0.copied() } == [UInt8](repeating: value, count: 32)
          }
        }
      }
      return await group.reduce(true) { $0 && $1 }
    }
    #expect(sound)
  }

  @Test func `a key that failed to be made returns its slot`() {
    let sealed = [UInt8](repeating: 0, count: 48)
    let key = SecretKey()
    // Were slots lost, this would take 640 MB of locked memory.
    for _ in 0..<10_000 {
      let error = sealed.withBytes { sealed in
        do throws(CryptographyError) {
          _ = try AEAD.openKey(sealed, key: key, nonce: .zero).copy()
          return CryptographyError?.none
        } catch {
          return error
        }
      }
      guard error == .authenticationFailed else {
        Issue.record("junk opened as a key")
        return
      }
    }
  }

  // BLAKE2b(digest 32, key, salt = number in 16 bytes, personalisation = context in 16 bytes), from
  // Python's hashlib.
  @Test func `derives as crypto_kdf is specified`() throws {
    let master = try key(0..<32)
    #expect(
      master.derive(.slot).withBytes { $0.copied() }
        == hex("7dceb8733d6732471073e09fcf734ea63e0635a68480293010ea4a3edb426012"))
    #expect(
      master.derive(.partSalts, 258).withBytes { $0.copied() }
        == hex("324fc9af4a6c0db87c45e62c61eeb7583ed1b1b42991198ce583f9edd4edf97a"))
  }

  @Test func `contexts are all different`() {
    let all: [KeyContext] = [
      .databasePages, .anchor, .duplicates, .caseKeys, .entryCipher, .partSalts, .slot,
      .blobSpans,
    ]
    #expect(Set(all).count == all.count)
  }
}

struct LockedBytesTests {
  @Test func `grows byte by byte to its capacity and no further`() throws {
    var text = try LockedBytes(capacity: 3)
    text.removeLast()
    for byte in [UInt8](97...99) { try text.append(byte) }
    #expect(text.withBytes { $0.copied() } == [97, 98, 99])
    var refused: CryptographyError?
    do { try text.append(100) } catch { refused = error }
    #expect(refused == .invalidLength)
    text.removeLast()
    #expect(text.withBytes { $0.copied() } == [97, 98])
    #expect(text.count == 2)
  }

  @Test func `compares by content`() throws {
    let one = try [UInt8]("abc".utf8).withBytes { try LockedBytes(copying: $0) }
    let same = try [UInt8]("abc".utf8).withBytes { try LockedBytes(copying: $0) }
    let other = try [UInt8]("abd".utf8).withBytes { try LockedBytes(copying: $0) }
    let empty = try LockedBytes(copying: RawSpan())
    let verdicts = [one.isEqual(to: same), one.isEqual(to: other), one.isEqual(to: empty)]
    #expect(verdicts == [true, false, false])
    let emptyCount = empty.count
    #expect(emptyCount == 0)
  }

  @Test func `constant-time comparison says what ordinary comparison says`() {
    let bytes: [UInt8] = [1, 2, 3]
    for (other, expected) in [([UInt8]([1, 2, 3]), true), ([1, 2, 4], false), ([1, 2], false)] {
      #expect(
        bytes.withBytes { left in other.withBytes { constantTimeEquals(left, $0) } } == expected)
    }
  }
}

struct PasswordHashingTests {
  private let salt = [UInt8](0..<16)
  private let passphrase = [UInt8]("correct horse".utf8)

  // From the reference implementation, by way of argon2-cffi: 64 MiB, one lane.
  @Test func `Argon2id gives the reference's key`() throws {
    let key = try passphrase.withBytes { passphrase in
      try salt.withBytes {
        try Argon2id.derive(passphrase: passphrase, salt: $0, memoryKiB: 65_536, passes: 2)
      }
    }
    #expect(
      key.withBytes { $0.copied() }
        == hex("9aab5a81db651bf866ff7b6169794d2ad9bb00f3d95177925a5fca692a34dbd1"))
    let words = try passphrase.withBytes { passphrase in
      try salt.withBytes {
        try Argon2id.deriveBytes(18, from: passphrase, salt: $0, memoryKiB: 65_536, passes: 1)
      }
    }
    #expect(words == hex("b9e2c030e80f7e536e1a28df27f64a6928b0"))
  }

  @Test(arguments: [(65_535, 3), (2_097_153, 3), (65_536, 0), (65_536, 21), (.max, .max)])
  func `Argon2id refuses parameters outside its limits`(memoryKiB: UInt32, passes: UInt32) {
    #expect(throws: CryptographyError.parametersRefused) {
      _ = try passphrase.withBytes { passphrase in
        try salt.withBytes {
          try Argon2id.derive(
            passphrase: passphrase, salt: $0, memoryKiB: memoryKiB, passes: passes)
        }
      }.copy()
    }
  }

  @Test func `Argon2id refuses another salt or too long an output`() {
    #expect(throws: CryptographyError.invalidLength) {
      _ = try Argon2id.derive(
        passphrase: RawSpan(), salt: RawSpan(), memoryKiB: 65_536, passes: 1
      ).copy()
    }
    #expect(throws: CryptographyError.invalidLength) {
      try salt.withBytes {
        try Argon2id.deriveBytes(1025, from: RawSpan(), salt: $0, memoryKiB: 65_536, passes: 1)
      }
    }
  }

  // RFC 7914 section 12, third vector, of which we take the first 32 bytes.
  @Test func `scrypt gives RFC 7914's key`() throws {
    let key = try [UInt8]("pleaseletmein".utf8).withBytes { passphrase in
      try [UInt8]("SodiumChloride".utf8).withBytes {
        try Scrypt.derive(passphrase: passphrase, salt: $0, logN: 14)
      }
    }
    #expect(
      key.withBytes { $0.copied() }
        == hex("7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"))
  }

  @Test(arguments: [0, -1, 21, 31, 64, .max])
  func `scrypt refuses costs outside its limits`(logN: Int) {
    #expect(throws: CryptographyError.parametersRefused) {
      _ = try Scrypt.derive(passphrase: RawSpan(), salt: RawSpan(), logN: logN).copy()
    }
  }
}

struct SealedBoxTests {
  private func keys() throws -> BoxKeyPair {
    BoxKeyPair(seed: try key(0..<32))
  }

  // From PyNaCl.
  @Test func `opens what libsodium elsewhere sealed`() throws {
    let keys = try keys()
    #expect(
      keys.publicKey.bytes
        == hex("4701d08488451f545a409fb58ae3e58581ca40ac3f7f114698cd71deac73ca01"))
    let sealed = hex(
      "c9e639fd6576c2d572837350f714da2d990a13c61f6893a3e454d919ed613263"
        + "db473df5406f0bb552786149f38961f15e36e01795653164cf59")
    let opened = try sealed.withBytes { try SealedBox.open($0, with: keys) }
    #expect(opened == [UInt8]("to the kit".utf8))
  }

  @Test func `opens for its recipient only, and only unaltered`() throws {
    let keys = BoxKeyPair()
    let secret = SecretKey()
    var sealed = try SealedBox.seal(secret, to: keys.publicKey)
    #expect(sealed.count == 80)
    #expect(try sealed.withBytes { try SealedBox.openKey($0, with: keys) }.isEqual(to: secret))
    var errors: [CryptographyError] = []
    do { _ = try sealed.withBytes { try SealedBox.openKey($0, with: BoxKeyPair()) } } catch {
      if let error = error as? CryptographyError { errors.append(error) }
    }
    sealed[79] ^= 1
    do { _ = try sealed.withBytes { try SealedBox.openKey($0, with: keys) } } catch {
      if let error = error as? CryptographyError { errors.append(error) }
    }
    #expect(errors == [.authenticationFailed, .authenticationFailed])
  }

  @Test func `does not seal to a point of small order`() {
    #expect(throws: CryptographyError.invalidPublicKey) {
      try SealedBox.seal(RawSpan(), to: BoxPublicKey(.zero))
    }
  }
}
