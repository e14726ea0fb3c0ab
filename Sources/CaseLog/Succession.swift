public import Cryptography
public import VerifiableLog

/// New keys of a device that must not sign with its old ones any more, since its vault was copied,
/// restored or rolled back: certified by the old signing key, outside every log, and taken by the new
/// one, so that nobody can claim somebody else's card. Only verification makes one.
///
/// It gives the new keys what the old ones have, and no longer than they have it: with a cut of the old
/// log all that hangs from it goes too, so a thief gains nothing by it.
public struct Succession: Hashable, Sendable {
  /// As received.
  public let bytes: [UInt8]
  public let oldKey: VerifyingKey
  public let card: Card
  /// Of too many for one log the least count, whatever order they came in.
  public let order: Bytes32

  public init(decoding bytes: [UInt8], caseID: CaseID) throws(CaseLogError) {
    try self.init(bytes, caseID: caseID, isVerified: false)
  }

  /// A certificate that `init(decoding:caseID:)` made before, and that since then was only where nobody else
  /// writes. See `Card.init(verifiedBefore:)`.
  public init(verifiedBefore bytes: [UInt8], caseID: CaseID) throws(CaseLogError) {
    try self.init(bytes, caseID: caseID, isVerified: true)
  }

  private init(_ bytes: [UInt8], caseID: CaseID, isVerified: Bool) throws(CaseLogError) {
    guard bytes.count <= Limits.statement else { throw .malformed }
    let (body, byOld, byNew) = try decodeWhole(bytes) { (decoder) throws(CBORError) in
      try decoder.readArray(count: 3)
      return (
        try decoder.readBytes(max: Limits.statement), try decoder.readBytes(count: 64),
        try decoder.readBytes(count: 64)
      )
    }
    guard try version(of: body) == 1 else { throw .newerVersion }
    let fields = try decodeWhole(body) { (decoder) throws(CBORError) in
      try decoder.readMap(count: 4)
      try decoder.expectKey(0)
      _ = try decoder.readUInt()
      try decoder.expectKey(1)
      let statedCase = try decoder.readIdentifier(CaseID.self)
      try decoder.expectKey(2)
      let key = try decoder.readBytes32()
      try decoder.expectKey(3)
      return (statedCase, key, try decoder.readBytes(max: Limits.card))
    }
    guard fields.0 == caseID else { throw .otherCase }
    do {
      oldKey = isVerified ? VerifyingKey(checkedBefore: fields.1) : try VerifyingKey(fields.1)
    } catch {
      throw .badSignature
    }
    card = try Card(fields.2, isVerified: isVerified)
    guard card.signingKey != oldKey else { throw .malformed }
    guard let byOld = Signature(byOld), let byNew = Signature(byNew),
      isVerified
        || oldKey.isValid(byOld, for: body, in: .succession)
          && card.signingKey.isValid(byNew, for: body, in: .succession)
    else { throw .badSignature }
    order = SHA256Hash.hash(body)
    self.bytes = bytes
  }

  /// Certifies the card of the new keys with both.
  public static func sign(
    _ card: Card, in caseID: CaseID, with old: borrowing SigningKey, and new: borrowing SigningKey
  ) -> [UInt8] {
    let key = old.publicKey.bytes
    var body = CBOREncoder()
    body.encodeMap { map in
      map.field(0) { $0.encodeUInt(1) }
      map.field(1) { $0.encodeIdentifier(caseID) }
      map.field(2) { $0.encodeBytes(key) }
      map.field(3) { $0.encodeBytes(card.bytes) }
    }
    var succession = CBOREncoder()
    succession.encodeArray(count: 3)
    succession.encodeBytes(body.bytes)
    succession.encodeBytes(old.sign(body.bytes, in: .succession).bytes)
    succession.encodeBytes(new.sign(body.bytes, in: .succession).bytes)
    return succession.bytes
  }

  /// The log of the old keys.
  public func oldLogID(in caseID: CaseID) -> LogID { LogID(caseID: caseID.raw, key: oldKey) }
}
