import CaseLog
import Cryptography
import VerifiableLog

/// The keys of a case whose secrets the inputs' maker has: what stands behind a signature or a seal is decoded too,
/// so it is put behind one. All of them are the same in each run.
final class FuzzCase: Sendable {
  static let shared = FuzzCase()

  let root: SigningKey
  let caseID: CaseID
  let survivor: FuzzDevice
  let advocate: FuzzDevice

  private init() {
    root = FuzzCase.signingKey(1)
    caseID = CaseID(root: root.publicKey)
    survivor = FuzzDevice(seed: 10, caseID: caseID, role: .survivor)
    advocate = FuzzDevice(seed: 20, caseID: caseID, role: .advocate)
  }

  static func secretKey(_ seed: [UInt8]) -> SecretKey {
    do {
      return try SHA256Hash.hash(seed).withBytes { (bytes) throws(CryptographyError) in
        try SecretKey(copying: bytes)
      }
    } catch {
      preconditionFailure("32 bytes are a key")
    }
  }

  static func signingKey(_ seed: UInt8) -> SigningKey { SigningKey(seed: secretKey([seed])) }

  /// A statement of the root with this body.
  func statement(_ body: [UInt8]) -> [UInt8] {
    CBORTree.array([.bytes(body), .bytes(root.sign(body, in: .rootStatement).bytes)]).encoded
  }

  var founding: [UInt8] {
    RootStatement.found(
      root: root, card: survivor.card, sealedRoot: [UInt8](repeating: 7, count: 80))
  }
}

/// One device of the case.
final class FuzzDevice: Sendable {
  let signing: SigningKey
  let receipt: SigningKey
  let box: BoxKeyPair
  let card: Card
  let identity: LogIdentity
  var id: LogID { identity.id }
  var cosigner: NoteKey { id.cosigner(receipt.publicKey) }

  init(seed: UInt8, caseID: CaseID, role: Role) {
    signing = FuzzCase.signingKey(seed)
    receipt = FuzzCase.signingKey(seed + 1)
    box = BoxKeyPair(seed: FuzzCase.secretKey([seed, 2]))
    do {
      card = try Card(
        decoding: Card.make(
          signing: signing, receipt: receipt, box: box.publicKey, role: role))
    } catch {
      preconditionFailure("a card of our own verifies")
    }
    identity = LogIdentity(caseID: caseID.raw, key: card.signingKey)
  }

  func head(_ tree: CompactRange) -> VerifiedCheckpoint {
    VerifiedCheckpoint(signing: signing, of: identity, size: tree.size, root: tree.root)
  }
}
