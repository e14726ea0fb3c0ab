import Cryptography
import VerifiableLog

/// A log with fixed keys, so that what it signs can be compared with other implementations.
struct LogFixture: ~Copyable {
  let key: SigningKey
  let log: LogIdentity

  static let caseID = Bytes32([UInt8](repeating: 0xCA, count: 32)) ?? .zero

  /// The log of the key whose seed is 0, 1, 2 … 31, with each byte raised by `offset`.
  init(offset: UInt8 = 0) throws {
    let seed = try (0..<32).map { $0 + offset }.withBytes { try SecretKey(copying: $0) }
    key = SigningKey(seed: seed)
    log = LogIdentity(caseID: Self.caseID, key: key.publicKey)
  }

  func checkpoint(size: UInt64, root: Bytes32) -> VerifiedCheckpoint {
    VerifiedCheckpoint(signing: key, of: log, size: size, root: root)
  }

  func checkpoint(_ tree: InMemoryTree) -> VerifiedCheckpoint {
    checkpoint(size: tree.size, root: tree.root)
  }
}
