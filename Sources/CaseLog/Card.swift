public import Cryptography
public import VerifiableLog

/// The public keys of one device in one case, signed by themselves. Only decoding and verification make one.
public struct Card: Hashable, Sendable {
  /// The whole card as received; what `admit` carries.
  public let bytes: [UInt8]
  /// The signed part, over which the six words are computed.
  public let body: [UInt8]
  public let signingKey: VerifyingKey
  public let receiptKey: VerifyingKey
  public let boxKey: BoxPublicKey
  public let role: Role

  /// Decodes, then verifies both signatures and every key.
  public init(decoding bytes: [UInt8]) throws(CaseLogError) {
    guard bytes.count <= Limits.card else { throw .malformed }
    let parts = try decodeWhole(bytes) { (decoder) throws(CBORError) in
      try decoder.readArray(count: 3)
      return (
        try decoder.readBytes(max: Limits.card), try decoder.readBytes(count: 64),
        try decoder.readBytes(count: 64)
      )
    }
    guard try version(of: parts.0) == 1 else { throw .newerVersion }
    let keys = try decodeWhole(parts.0) { (decoder) throws(CBORError) in
      try decoder.readMap(count: 5)
      try decoder.expectKey(0)
      _ = try decoder.readUInt()
      try decoder.expectKey(1)
      let signing = try decoder.readBytes(count: 32)
      try decoder.expectKey(2)
      let receipt = try decoder.readBytes(count: 32)
      try decoder.expectKey(3)
      let box = try decoder.readBytes(count: 32)
      try decoder.expectKey(4)
      return (signing, receipt, box, try decoder.readUInt())
    }
    guard keys.0 != keys.1, let role = Role(rawValue: keys.3) else { throw .malformed }
    guard let box = BoxPublicKey(keys.2), let bySigning = Signature(parts.1),
      let byReceipt = Signature(parts.2)
    else { throw .malformed }
    do {
      signingKey = try VerifyingKey(keys.0)
      receiptKey = try VerifyingKey(keys.1)
      // Sealing is what refuses the few points under which everybody could open.
      _ = try SealedBox.seal([], to: box)
    } catch {
      throw .badSignature
    }
    guard signingKey.isValid(bySigning, for: parts.0, in: .card),
      receiptKey.isValid(byReceipt, for: parts.0, in: .card)
    else { throw .badSignature }
    boxKey = box
    self.role = role
    self.bytes = bytes
    self.body = parts.0
  }

  /// Makes the card of a device from its keys.
  public static func make(
    signing: borrowing SigningKey, receipt: borrowing SigningKey, box: BoxPublicKey, role: Role
  ) -> [UInt8] {
    var body = CBOREncoder()
    body.encodeMap(count: 5)
    body.encodeUInt(0)
    body.encodeUInt(1)
    body.encodeUInt(1)
    body.encodeBytes(signing.publicKey.bytes)
    body.encodeUInt(2)
    body.encodeBytes(receipt.publicKey.bytes)
    body.encodeUInt(3)
    body.encodeBytes(box.bytes)
    body.encodeUInt(4)
    body.encodeUInt(role.rawValue)
    var card = CBOREncoder()
    card.encodeArray(count: 3)
    card.encodeBytes(body.bytes)
    card.encodeBytes(signing.sign(body.bytes, in: .card).bytes)
    card.encodeBytes(receipt.sign(body.bytes, in: .card).bytes)
    return card.bytes
  }

  /// The log that this device writes in the case.
  public func logID(in caseID: CaseID) -> LogID {
    LogID(caseID: caseID.raw, key: signingKey)
  }

  /// Names the card in an invitation.
  public var identifier: Bytes32 { Domain.invitation.hash(body) }
}
