internal import CaseLog
internal import Cryptography
internal import VerifiableLog

/// What this copy of a vault signed last, and where it lives; outside the database, so that an older
/// database put back, or a copied folder, is noticed. Layout: `Protocol/VaultFiles.md`.
struct Anchor: Hashable {
  struct OwnLog: Hashable {
    let caseID: CaseID
    let position: LogPosition
  }

  let vaultID: [UInt8]
  /// Machine and database's file, hashed.
  let place: Bytes32
  /// By log id.
  var logs: [OwnLog]

  static let maximumByteCount = 1 << 20

  /// - Parameter file: what stays with the database's file, and a copy of it does not have.
  static func place(machine: [UInt8], file: UInt64) -> Bytes32 {
    var hash = DomainHasher(.anchor)
    hash.add(machine)
    hash.add(file)
    return hash.finalize()
  }

  func seal(key: borrowing SecretKey) -> [UInt8] {
    var out = CBOREncoder()
    out.encodeMap { map in
      map.field(0) { $0.encodeUInt(1) }
      map.field(1) { $0.encodeBytes(vaultID) }
      map.field(2) { $0.encodeBytes32(place) }
      map.field(3) { out in
        out.encodeArray(count: logs.count)
        for log in logs.sorted(by: { $0.position.logID < $1.position.logID }) {
          out.encodeArray(count: 4)
          out.encodeIdentifier(log.caseID)
          out.encodeIdentifier(log.position.logID)
          out.encodeUInt(log.position.size)
          out.encodeBytes32(log.position.root)
        }
      }
    }
    let nonce = Nonce24.random()
    return nonce.bytes
      + AEAD.seal(
        out.bytes, key: key, nonce: nonce,
        associatedData: Domain.anchor.bytes)
  }

  /// - Throws: `.databaseDamaged` when it is not what this vault sealed; `.newerVersion`.
  init(opening bytes: [UInt8], key: borrowing SecretKey) throws(VaultError) {
    var isNewer = false
    do {
      guard let nonce = Nonce24(Array(bytes.prefix(24))) else { throw CBORError.truncated }
      let plaintext = try AEAD.open(
        Array(bytes.dropFirst(24)), key: key, nonce: nonce,
        associatedData: Domain.anchor.bytes)
      var decoder = CBORDecoder(plaintext)
      // The version comes first: of a later one nothing else is known.
      let count = try decoder.readMap(max: 64)
      guard count > 0, try decoder.readUInt() == 0 else { throw CBORError.outOfRange }
      isNewer = try decoder.readUInt() != 1
      guard !isNewer, count == 4, try decoder.readUInt() == 1 else { throw CBORError.outOfRange }
      vaultID = try decoder.readBytes(count: 16)
      guard try decoder.readUInt() == 2 else { throw CBORError.outOfRange }
      place = try decoder.readBytes32()
      guard try decoder.readUInt() == 3 else { throw CBORError.outOfRange }
      logs = []
      for _ in 0..<(try decoder.readArray(max: 16_384)) {
        try decoder.readArray(count: 4)
        let caseID: CaseID = try decoder.readIdentifier()
        let position = LogPosition(
          logID: try decoder.readIdentifier(), size: try decoder.readUInt(),
          root: try decoder.readBytes32())
        logs.append(OwnLog(caseID: caseID, position: position))
      }
      try decoder.finish()
    } catch {
      throw VaultError(isNewer ? .newerVersion : .databaseDamaged)
    }
  }

  init(vaultID: [UInt8], place: Bytes32, logs: [OwnLog]) {
    self.vaultID = vaultID
    self.place = place
    self.logs = logs
  }
}
