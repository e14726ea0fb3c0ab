internal import CaseLog
internal import Cryptography

/// The six words that two people compare by voice: of a card, and of a case's root. Slow on purpose, so
/// that nobody can search for another card or root with the same words.
public enum ComparedWords {
  /// - Throws: `.cardDamaged` when the text is not a card.
  public static func ofCard(_ text: [UInt8]) throws(VaultError) -> [String] {
    try of(card(text))
  }

  static func of(_ card: Card) throws(VaultError) -> [String] {
    try words(of: card.body, domain: .cardWords)
  }

  static func of(root: VerifyingKey) throws(VaultError) -> [String] {
    try words(of: root.bytes, domain: .caseWords)
  }

  /// Whether what somebody typed after hearing it is these words; case and spacing do not matter.
  static func match(_ typed: [String], _ words: [String]) -> Bool {
    let typed = typed.flatMap { $0.split(whereSeparator: { $0.isWhitespace || $0 == "," }) }
    return typed.map { $0.lowercased() } == words
  }

  static func card(_ text: [UInt8]) throws(VaultError) -> Card {
    do {
      return try Card(decoding: try Armor.card.decode(text, max: Limits.card))
    } catch {
      throw VaultError(error == .newerVersion ? .newerVersion : .cardDamaged)
    }
  }

  private static func words(of bytes: [UInt8], domain: Domain) throws(VaultError) -> [String] {
    let salt = Array(SHA256Hash.hash(domain.bytes).bytes.prefix(16))
    do {
      let derived = try bytes.withBytes { (bytes) throws(CryptographyError) in
        try salt.withBytes { (salt) throws(CryptographyError) in
          try Argon2id.deriveBytes(18, from: bytes, salt: salt, memoryKiB: 65_536, passes: 3)
        }
      }
      return derived.withBytes { WordList.words(from: $0, count: 6) }
    } catch {
      throw VaultError(.inputOutput)
    }
  }
}
