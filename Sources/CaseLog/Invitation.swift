public import Cryptography
public import VerifiableLog

/// What a joining device is handed: the case's root, its founding statement, and the keys of the epochs that
/// it may open, sealed to its card. To be believed only after the case's six words were compared by voice.
public struct Invitation: Hashable, Sendable {
  public let root: VerifyingKey
  public let founding: RootStatement
  public let inviter: LogID
  public let wraps: [Wrap]

  public var caseID: CaseID { CaseID(root: root) }

  public init(root: VerifyingKey, founding: RootStatement, inviter: LogID, wraps: [Wrap]) {
    self.root = root
    self.founding = founding
    self.inviter = inviter
    self.wraps = wraps
  }

  /// The bytes between the armor's lines.
  public func seal(to card: Card) throws(CaseLogError) -> [UInt8] {
    var out = CBOREncoder()
    out.encodeMap(count: 5)
    out.encodeUInt(0)
    out.encodeUInt(1)
    out.encodeUInt(1)
    out.encodeBytes(root.bytes)
    out.encodeUInt(2)
    out.encodeBytes(founding.bytes)
    out.encodeUInt(3)
    out.encodeIdentifier(inviter)
    out.encodeUInt(4)
    out.encodeArray(count: wraps.count)
    for wrap in wraps { out.encodeBytes(wrap.encoded) }
    do {
      return card.identifier.bytes + (try SealedBox.seal(out.bytes, to: card.boxKey))
    } catch {
      throw .malformed
    }
  }

  /// Which card an invitation is for; nil if it is too short to be one.
  public static func cardIdentifier(of bytes: [UInt8]) -> Bytes32? {
    bytes.count > 32 ? Bytes32(Array(bytes.prefix(32))) : nil
  }

  /// - Throws: `.notForThisKey` when the box key does not open it, which is damage once the card matches.
  public init(
    opening bytes: [UInt8], with keys: borrowing BoxKeyPair
  ) throws(CaseLogError) {
    guard bytes.count > 32, bytes.count <= Limits.invitation else { throw .malformed }
    let opened: [UInt8]
    do {
      opened = try SealedBox.open(Array(bytes.dropFirst(32)), with: keys)
    } catch {
      throw .notForThisKey
    }
    guard try version(of: opened) == 1 else { throw .newerVersion }
    let fields = try decodeWhole(opened) { (decoder) throws(CBORError) in
      try decoder.readMap(count: 5)
      try decoder.expectKey(0)
      _ = try decoder.readUInt()
      try decoder.expectKey(1)
      let root = try decoder.readBytes(count: 32)
      try decoder.expectKey(2)
      let founding = try decoder.readBytes(max: Limits.statement)
      try decoder.expectKey(3)
      let inviter: LogID = try decoder.readIdentifier()
      try decoder.expectKey(4)
      let wraps = try decoder.readEach(max: Limits.epochs) { (decoder) throws(CBORError) in
        try decoder.readBytes(max: 256)
      }
      return (root, founding, inviter, wraps)
    }
    do { root = try VerifyingKey(fields.0) } catch { throw .badSignature }
    founding = try RootStatement(
      decoding: fields.1, caseID: CaseID(root: root), root: root)
    guard case .founding = founding.content else { throw .malformed }
    inviter = fields.2
    var wraps: [Wrap] = []
    for bytes in fields.3 { wraps.append(try Wrap(decoding: bytes)) }
    self.wraps = wraps
  }
}
