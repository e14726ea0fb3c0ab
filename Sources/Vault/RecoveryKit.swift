public import Cryptography

/// The recovery kit of a new vault: twelve words that open it when the passphrase is lost.
public struct RecoveryKit: ~Copyable, Sendable {
  private let seed: LockedBytes

  /// A new one. The vault keeps only its public half.
  public static func make() throws(VaultError) -> RecoveryKit {
    do {
      let random = SecretKey.random()
      return try RecoveryKit(
        seed: random.withBytes { (bytes) throws(CryptographyError) in
          try LockedBytes(copying: bytes.extracting(0..<KitWords.seedByteCount))
        })
    } catch {
      throw VaultError(.inputOutput)
    }
  }

  private init(seed: consuming LockedBytes) { self.seed = seed }

  /// From the words as typed.
  ///
  /// - Throws: what is wrong with the words.
  public init(words: RawSpan) throws(KitWordsError) {
    seed = try KitWords.decode(words)
  }

  /// The twelve words, for paper.
  public var words: [String] { seed.withBytes { KitWords.encode($0) } }

  /// Eight characters that are the same for the same twelve words, by which two papers can be compared, or a
  /// paper with a vault, without reading the words out. They help nobody to find the words.
  public func check() throws(VaultError) -> String { Self.check(of: try keyPair().publicKey) }

  static func check(of key: BoxPublicKey) -> String {
    var hash = DomainHasher(.kit)
    hash.add(Array("check".utf8))
    hash.add(key.raw.bytes)
    let text = Base32.encode(Array(hash.finalize().bytes.prefix(5)))
    return text.prefix(4) + "-" + text.dropFirst(4)
  }

  func keyPair() throws(VaultError) -> BoxKeyPair {
    var hash = DomainHasher(.kit)
    hash.add(Array("box".utf8))
    seed.withBytes { hash.add($0) }
    do {
      let digest = hash.finalize()
      return BoxKeyPair(
        seed: try digest.withBytes { (bytes) throws(CryptographyError) in
          try SecretKey(copying: bytes)
        })
    } catch {
      throw VaultError(.inputOutput)
    }
  }
}
