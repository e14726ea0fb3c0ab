public import Cryptography
public import VerifiableLog

/// A statement signed by the root of a case. Only verification makes one.
public struct RootStatement: Hashable, Sendable {
  public enum Content: Hashable, Sendable {
    /// Starts the case: its first device, and the root's seed sealed to the recovery kit.
    case founding(root: VerifyingKey, card: Card, sealedRoot: [UInt8])
    /// A further device of the survivor.
    case admitDevice(Card)
    /// Cuts of this log at this size or below have no effect.
    case lift(LogID, size: UInt64)
    /// In a dispute one log stays: what the others cut of it has no effect, and they are cut themselves.
    case decide(stays: LogID, cut: [Limit])
    /// No erasure of this entry has an effect.
    case keep(EntryID)
    /// Of a type that this program does not know: evaluation stops there.
    case unknown(type: UInt64)
  }

  /// A log and how many of its leaves stand.
  public struct Limit: Hashable, Sendable {
    public let logID: LogID
    public let size: UInt64

    public init(logID: LogID, size: UInt64) {
      self.logID = logID
      self.size = size
    }
  }

  /// The whole statement as received.
  public let bytes: [UInt8]
  public let content: Content
  /// Fixed by the statement alone: of two founding statements, which only a dishonest root makes, the
  /// lesser counts.
  let order: Bytes32

  /// Decodes a statement and verifies it under the root of `caseID`.
  ///
  /// The root's public key is known from the founding statement itself, since the case id is its hash.
  public init(decoding bytes: [UInt8], caseID: CaseID, root: VerifyingKey) throws(CaseLogError) {
    try self.init(bytes, caseID: caseID, root: root, isVerified: false)
  }

  /// A statement that `init(decoding:caseID:root:)` made before, and that since then was only where nobody else writes.
  /// See `Card.init(verifiedBefore:)`.
  public init(
    verifiedBefore bytes: [UInt8], caseID: CaseID, root: VerifyingKey
  ) throws(CaseLogError) {
    try self.init(bytes, caseID: caseID, root: root, isVerified: true)
  }

  private init(
    _ bytes: [UInt8], caseID: CaseID, root: VerifyingKey, isVerified: Bool
  ) throws(CaseLogError) {
    guard bytes.count <= Limits.statement else { throw .malformed }
    let (body, signature) = try Self.split(bytes)
    // Before the signature: what is malformed costs no more than reading it.
    let (type, statedCase) = try Self.head(of: body)
    guard CaseID(root: root) == caseID else { throw .otherCase }
    guard let signature = Signature(signature),
      isVerified || root.isValid(signature, for: body, in: .rootStatement)
    else { throw .badSignature }
    self.bytes = bytes
    self.order = SHA256Hash.hash(body)
    guard statedCase == caseID else { throw .otherCase }
    switch type {
    case 1:
      let founding = try Self.founding(body)
      guard founding.root == root.bytes else { throw .otherCase }
      content = .founding(
        root: root, card: try Card(founding.card, isVerified: isVerified),
        sealedRoot: founding.sealedRoot)
    case 2: content = .admitDevice(try Card(try Self.card(body), isVerified: isVerified))
    case 3: content = try Self.lift(body)
    case 4: content = try Self.decision(body)
    case 5: content = try Self.keep(body)
    default: content = .unknown(type: type)
    }
  }

  /// The root key that a founding statement claims, to be believed only once its hash is the case id
  /// that was compared by voice or otherwise known.
  public static func claimedRoot(of bytes: [UInt8]) throws(CaseLogError) -> VerifyingKey {
    guard bytes.count <= Limits.statement else { throw .malformed }
    let founding = try founding(try split(bytes).body)
    do { return try VerifyingKey(founding.root) } catch { throw .badSignature }
  }
}

// MARK: - Signing

extension RootStatement {
  /// Signs the founding statement of a new case.
  public static func found(
    root: borrowing SigningKey, card: Card, sealedRoot: [UInt8]
  ) -> [UInt8] {
    let key = root.publicKey.bytes
    return sign(type: 1, with: root) { map in
      map.field(2) { $0.encodeBytes(key) }
      map.field(3) { $0.encodeBytes(card.bytes) }
      map.field(4) { $0.encodeBytes(sealedRoot) }
    }
  }

  /// Signs the admission of a further device of the survivor.
  public static func admit(_ card: Card, root: borrowing SigningKey) -> [UInt8] {
    sign(type: 2, with: root) { map in map.field(2) { $0.encodeBytes(card.bytes) } }
  }

  public static func lift(_ limit: Limit, root: borrowing SigningKey) -> [UInt8] {
    sign(type: 3, with: root) { map in
      map.field(2) { $0.encodeIdentifier(limit.logID) }
      map.field(3) { $0.encodeUInt(limit.size) }
    }
  }

  public static func decide(
    stays: LogID, cut: [Limit], root: borrowing SigningKey
  ) -> [UInt8] {
    sign(type: 4, with: root) { map in
      map.field(2) { $0.encodeIdentifier(stays) }
      map.field(3) { out in
        out.encodeArray(count: cut.count)
        for limit in cut { out.encodeIdentifier(limit.logID) }
      }
      map.field(4) { out in
        out.encodeArray(count: cut.count)
        for limit in cut { out.encodeUInt(limit.size) }
      }
    }
  }

  public static func keep(_ entry: EntryID, root: borrowing SigningKey) -> [UInt8] {
    sign(type: 5, with: root) { map in map.field(2) { $0.encodeIdentifier(entry) } }
  }

  private static func sign(
    type: UInt64, with root: borrowing SigningKey,
    _ fields: (inout CBORMapEncoder) -> Void
  ) -> [UInt8] {
    let caseID = CaseID(root: root.publicKey)
    var body = CBOREncoder()
    body.encodeMap { map in
      map.field(0) { $0.encodeUInt(type) }
      map.field(1) { $0.encodeIdentifier(caseID) }
      fields(&map)
    }
    var statement = CBOREncoder()
    statement.encodeArray(count: 2)
    statement.encodeBytes(body.bytes)
    statement.encodeBytes(root.sign(body.bytes, in: .rootStatement).bytes)
    return statement.bytes
  }
}

// MARK: - Decoding

extension RootStatement {
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

  /// The fields of a body whose type and case id were looked at.
  private static func fields<Value>(
    _ body: [UInt8], count: Int, _ read: (inout CBORDecoder) throws(CBORError) -> Value?
  ) throws(CaseLogError) -> Value {
    try decodeWhole(body) { (decoder) throws(CBORError) in
      try decoder.readMap(count: count)
      try decoder.expectKey(0)
      _ = try decoder.readUInt()
      try decoder.expectKey(1)
      _ = try decoder.readBytes32()
      try decoder.expectKey(2)
      return try read(&decoder)
    }
  }

  private static func founding(_ body: [UInt8]) throws(CaseLogError) -> (
    root: [UInt8], card: [UInt8], sealedRoot: [UInt8]
  ) {
    guard try head(of: body).0 == 1 else { throw .malformed }
    return try fields(body, count: 5) { (decoder) throws(CBORError) in
      let root = try decoder.readBytes(count: 32)
      try decoder.expectKey(3)
      let card = try decoder.readBytes(max: Limits.card)
      try decoder.expectKey(4)
      return (root, card, try decoder.readBytes(count: 80))
    }
  }

  private static func card(_ body: [UInt8]) throws(CaseLogError) -> [UInt8] {
    try fields(body, count: 3) { (decoder) throws(CBORError) in
      try decoder.readBytes(max: Limits.card)
    }
  }

  private static func lift(_ body: [UInt8]) throws(CaseLogError) -> Content {
    try fields(body, count: 4) { (decoder) throws(CBORError) in
      let logID: LogID = try decoder.readIdentifier()
      try decoder.expectKey(3)
      return .lift(logID, size: try decoder.readUInt(max: Limits.namedSize))
    }
  }

  private static func decision(_ body: [UInt8]) throws(CaseLogError) -> Content {
    try fields(body, count: 5) { (decoder) throws(CBORError) in
      let stays: LogID = try decoder.readIdentifier()
      try decoder.expectKey(3)
      let logs = try decoder.readEach(max: Limits.cutsOfLog) { (decoder) throws(CBORError) in
        try decoder.readIdentifier(LogID.self)
      }
      try decoder.expectKey(4)
      let sizes = try decoder.readEach(max: Limits.cutsOfLog) { (decoder) throws(CBORError) in
        try decoder.readUInt(max: Limits.namedSize)
      }
      guard logs.count == sizes.count, !logs.contains(stays) else { return nil }
      return .decide(
        stays: stays, cut: zip(logs, sizes).map { Limit(logID: $0, size: $1) })
    }
  }

  private static func keep(_ body: [UInt8]) throws(CaseLogError) -> Content {
    .keep(
      try fields(body, count: 3) { (decoder) throws(CBORError) in
        try decoder.readIdentifier(EntryID.self)
      })
  }
}
