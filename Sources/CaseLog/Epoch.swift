public import Cryptography
public import VerifiableLog

/// Who can open an entry.
public enum Audience: Hashable, Sendable {
  /// The survivor's own devices.
  case devices
  /// The survivor's own devices and the advocate who writes this log.
  case advocate(LogID)
  /// Every member: control entries.
  case everyone

  func encode(to out: inout CBOREncoder) {
    out.encodeArray(count: 2)
    switch self {
    case .devices:
      out.encodeUInt(0)
      out.encodeNull()
    case .advocate(let logID):
      out.encodeUInt(1)
      out.encodeIdentifier(logID)
    case .everyone:
      out.encodeUInt(2)
      out.encodeNull()
    }
  }

  public var encoded: [UInt8] {
    var out = CBOREncoder()
    encode(to: &out)
    return out.bytes
  }

  static func decode(_ decoder: inout CBORDecoder) throws(CBORError) -> Audience {
    try decoder.readArray(count: 2)
    switch try decoder.readUInt() {
    case 0:
      try decoder.readNull()
      return .devices
    case 1: return .advocate(try decoder.readIdentifier())
    case 2:
      try decoder.readNull()
      return .everyone
    default: throw .outOfRange
    }
  }

  public init(decoding bytes: [UInt8]) throws(CaseLogError) {
    self = try decodeWhole(bytes) { (decoder) throws(CBORError) in try Audience.decode(&decoder) }
  }
}

/// The key of an audience for a time. Its id is that of the entry that begins it.
public struct EpochKey: ~Copyable, Sendable {
  public let id: EpochID
  public let caseID: CaseID
  public let audience: Audience
  let key: SecretKey

  /// Takes a key that was checked against the commitment in its epoch entry, or that is about to begin.
  public init(id: EpochID, caseID: CaseID, audience: Audience, key: consuming SecretKey) {
    self.id = id
    self.caseID = caseID
    self.audience = audience
    self.key = key
  }

  /// What an epoch entry says of the key, so that nobody can be given another one.
  public static func commitment(
    caseID: CaseID, audience: Audience, key: borrowing SecretKey
  ) -> Bytes32 {
    var hash = DomainHasher(.epochCommitment)
    hash.add(caseID)
    hash.add(audience.encoded)
    key.withBytes { hash.add($0) }
    return hash.finalize()
  }

  /// Wraps the key for one member (or, with the kit's key, for the recovery kit).
  ///
  /// - Throws: `.malformed` for a box key to which nothing can be sealed.
  public func wrap(
    for recipient: LogID?, boxKey: BoxPublicKey
  ) throws(CaseLogError) -> Wrap {
    do {
      return Wrap(epoch: id, recipient: recipient, box: try SealedBox.seal(key, to: boxKey))
    } catch {
      throw .malformed
    }
  }

  /// Seals an entry's key for this audience.
  public func slot(for entryKey: borrowing SecretKey, leaf: LeafData, logID: LogID) -> Slot {
    let box = AEAD.seal(
      entryKey, key: key.derive(.slot), nonce: nonce(leaf: leaf, logID: logID),
      associatedData: Domain.slot.bytes)
    return Slot(logID: logID, sequence: leaf.sequence, epoch: id, box: box)
  }

  /// The entry key in a slot.
  ///
  /// - Throws: `.locked` for a slot that is not of this epoch, not of this leaf, or junk.
  public func open(_ slot: Slot, leaf: LeafData) throws(CaseLogError) -> SecretKey {
    guard slot.epoch == id else { throw .locked }
    do {
      return try AEAD.openKey(
        slot.box, key: key.derive(.slot),
        nonce: nonce(leaf: leaf, logID: slot.logID),
        associatedData: Domain.slot.bytes)
    } catch {
      throw .locked
    }
  }

  /// Fixed by what is sealed and for whom: one commit belongs to one key, so no nonce seals two.
  private func nonce(leaf: LeafData, logID: LogID) -> Nonce24 {
    var hash = DomainHasher(.slotNonce)
    hash.add(caseID)
    hash.add(logID)
    hash.add(leaf.sequence)
    hash.add(leaf.commitment)
    hash.add(audience.encoded)
    hash.add(id)
    return Nonce24(truncating: hash.finalize())
  }
}

extension Slot {
  /// The hash by which a share names its slots, in its order.
  public static func batchHash(_ slots: [Slot]) -> Bytes32 {
    var hash = DomainHasher(.slotBatch)
    for slot in slots {
      hash.add(slot.logID.raw.bytes + slot.sequence.bigEndianBytes + slot.box)
    }
    return hash.finalize()
  }
}

/// An epoch key, sealed to one member or to the recovery kit.
public struct Wrap: Hashable, Sendable {
  public static let byteCount = 80
  public let epoch: EpochID
  /// Nil: the recovery kit.
  public let recipient: LogID?
  /// A sealed box of 80 bytes.
  public let box: [UInt8]

  public init(epoch: EpochID, recipient: LogID?, box: [UInt8]) {
    self.epoch = epoch
    self.recipient = recipient
    self.box = box
  }

  /// The key inside, to be believed once its commitment is that of the epoch entry.
  public func open(with keys: borrowing BoxKeyPair) throws(CaseLogError) -> SecretKey {
    do { return try SealedBox.openKey(box, with: keys) } catch { throw .notForThisKey }
  }

  /// CBOR: [epoch id, log id or null, sealed box].
  public var encoded: [UInt8] {
    var out = CBOREncoder()
    out.encodeArray(count: 3)
    out.encodeIdentifier(epoch)
    if let recipient { out.encodeIdentifier(recipient) } else { out.encodeNull() }
    out.encodeBytes(box)
    return out.bytes
  }

  public init(decoding bytes: [UInt8]) throws(CaseLogError) {
    self = try decodeWhole(bytes) { (decoder) throws(CBORError) in
      try decoder.readArray(count: 3)
      let epoch: EpochID = try decoder.readIdentifier()
      var recipient: LogID?
      if try !decoder.readIfNull() { recipient = try decoder.readIdentifier() }
      return Wrap(
        epoch: epoch, recipient: recipient, box: try decoder.readBytes(count: Wrap.byteCount))
    }
  }
}
