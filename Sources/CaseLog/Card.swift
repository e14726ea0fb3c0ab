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
    let fields = try Fields(bytes)
    guard fields.signing != fields.receipt else { throw .malformed }
    let signing: VerifyingKey
    let receipt: VerifyingKey
    do {
      signing = try VerifyingKey(fields.signing)
      receipt = try VerifyingKey(fields.receipt)
      // Sealing is what refuses the few points under which everybody could open.
      _ = try SealedBox.seal([], to: fields.box)
    } catch {
      throw .badSignature
    }
    guard signing.isValid(fields.bySigning, for: fields.body, in: .card),
      receipt.isValid(fields.byReceipt, for: fields.body, in: .card)
    else { throw .badSignature }
    self.init(bytes, fields, signing: signing, receipt: receipt)
  }

  /// A card that `init(decoding:)` made before, and that since then was only where nobody else writes, as in a
  /// vault's sealed database. Verifying takes a millisecond, which a list of a thousand cases would feel.
  public init(verifiedBefore bytes: [UInt8]) throws(CaseLogError) {
    let fields = try Fields(bytes)
    self.init(
      bytes, fields, signing: VerifyingKey(checkedBefore: fields.signing),
      receipt: VerifyingKey(checkedBefore: fields.receipt))
  }

  /// One inside a statement or a certificate, which is verified with it or was before.
  init(_ bytes: [UInt8], isVerified: Bool) throws(CaseLogError) {
    if isVerified { try self.init(verifiedBefore: bytes) } else { try self.init(decoding: bytes) }
  }

  private init(
    _ bytes: [UInt8], _ fields: Fields, signing: VerifyingKey, receipt: VerifyingKey
  ) {
    self.bytes = bytes
    body = fields.body
    signingKey = signing
    receiptKey = receipt
    boxKey = fields.box
    role = fields.role
  }

  /// What a card says, before anything of it is believed.
  private struct Fields {
    let body: [UInt8]
    let signing: Bytes32
    let receipt: Bytes32
    let box: BoxPublicKey
    let role: Role
    let bySigning: Signature
    let byReceipt: Signature

    init(_ bytes: [UInt8]) throws(CaseLogError) {
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
      guard let signing = Bytes32(keys.0), let receipt = Bytes32(keys.1),
        let box = BoxPublicKey(keys.2), let role = Role(rawValue: keys.3),
        let bySigning = Signature(parts.1), let byReceipt = Signature(parts.2)
      else { throw .malformed }
      body = parts.0
      self.signing = signing
      self.receipt = receipt
      self.box = box
      self.role = role
      self.bySigning = bySigning
      self.byReceipt = byReceipt
    }
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
