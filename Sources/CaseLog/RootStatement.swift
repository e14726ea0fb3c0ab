public import Cryptography

/// A statement signed by the root of a case. Only verification makes one.
public struct RootStatement: Hashable, Sendable {
  public enum Content: Hashable, Sendable {
    /// Starts the case: its first device, and the root's seed sealed to the recovery kit.
    case founding(root: VerifyingKey, card: Card, sealedRoot: [UInt8])
    /// Of a type that this program does not know: evaluation stops there.
    case unknown(type: UInt64)
  }

  /// The whole statement as received.
  public let bytes: [UInt8]
  public let content: Content
  /// Decides between two founding statements, which only a dishonest root makes: the lesser counts.
  let order: Bytes32

  /// Decodes a statement and verifies it under the root of `caseID`.
  ///
  /// The root's public key is known from the founding statement itself, since the case id is its hash.
  public init(decoding bytes: [UInt8], caseID: CaseID, root: VerifyingKey) throws(CaseLogError) {
    guard bytes.count <= Limits.statement else { throw .malformed }
    let (body, signature) = try Self.split(bytes)
    guard CaseID(root: root) == caseID else { throw .otherCase }
    guard let signature = Signature(signature),
      root.isValid(signature, for: body, in: .rootStatement)
    else { throw .badSignature }
    self.bytes = bytes
    self.order = SHA256Hash.hash(body)
    let (type, statedCase) = try Self.head(of: body)
    guard statedCase == caseID else { throw .otherCase }
    guard type == 1 else {
      self.content = .unknown(type: type)
      return
    }
    let founding = try Self.founding(body)
    guard founding.root == root.bytes else { throw .otherCase }
    self.content = .founding(
      root: root, card: try Card(decoding: founding.card), sealedRoot: founding.sealedRoot)
  }

  /// The root key that a founding statement claims, to be believed only once its hash is the case id
  /// that was compared by voice or otherwise known.
  public static func claimedRoot(of bytes: [UInt8]) throws(CaseLogError) -> VerifyingKey {
    guard bytes.count <= Limits.statement else { throw .malformed }
    let founding = try founding(try split(bytes).body)
    do { return try VerifyingKey(founding.root) } catch { throw .badSignature }
  }

  /// Signs the founding statement of a new case.
  public static func found(
    root: borrowing SigningKey, card: Card, sealedRoot: [UInt8]
  ) -> [UInt8] {
    var body = CBOREncoder()
    body.encodeMap(count: 5)
    body.encodeUInt(0)
    body.encodeUInt(1)
    body.encodeUInt(1)
    body.encodeIdentifier(CaseID(root: root.publicKey))
    body.encodeUInt(2)
    body.encodeBytes(root.publicKey.bytes)
    body.encodeUInt(3)
    body.encodeBytes(card.bytes)
    body.encodeUInt(4)
    body.encodeBytes(sealedRoot)
    var statement = CBOREncoder()
    statement.encodeArray(count: 2)
    statement.encodeBytes(body.bytes)
    statement.encodeBytes(
      root.sign(body.bytes, in: .rootStatement).bytes)
    return statement.bytes
  }

  private static func split(_ bytes: [UInt8]) throws(CaseLogError) -> (
    body: [UInt8], signature: [UInt8]
  ) {
    try decodeWhole(bytes) { (decoder) throws(CBORError) in
      try decoder.readArray(count: 2)
      return (try decoder.readBytes(max: Limits.statement), try decoder.readBytes(count: 64))
    }
  }

  /// Type and case id, whatever else the statement holds.
  private static func head(of body: [UInt8]) throws(CaseLogError) -> (UInt64, CaseID) {
    try decodeWhole(body) { (decoder) throws(CBORError) in
      let count = try decoder.readMap(max: 16)
      guard count >= 2 else { return nil }
      try decoder.expectKey(0)
      let type = try decoder.readUInt()
      try decoder.expectKey(1)
      let caseID = try decoder.readIdentifier(CaseID.self)
      for _ in 2..<count {
        _ = try decoder.readUInt()
        try decoder.skip()
      }
      return (type, caseID)
    }
  }

  private static func founding(_ body: [UInt8]) throws(CaseLogError) -> (
    root: [UInt8], card: [UInt8], sealedRoot: [UInt8]
  ) {
    try decodeWhole(body) { (decoder) throws(CBORError) in
      try decoder.readMap(count: 5)
      try decoder.expectKey(0)
      guard try decoder.readUInt() == 1 else { return nil }
      try decoder.expectKey(1)
      _ = try decoder.readBytes32()
      try decoder.expectKey(2)
      let root = try decoder.readBytes(count: 32)
      try decoder.expectKey(3)
      let card = try decoder.readBytes(max: Limits.card)
      try decoder.expectKey(4)
      return (root, card, try decoder.readBytes(count: 80))
    }
  }
}
