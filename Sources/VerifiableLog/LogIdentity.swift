public import Cryptography

/// The name of one member's log in one case: a hash of the case and the key that signs the log, so
/// the same key elsewhere, or another key here, is another log.
public struct LogID: Identifier32 {
  /// The identifier's bytes.
  public let raw: Bytes32
  /// The identifier with these bytes.
  public init(_ raw: Bytes32) { self.raw = raw }

  /// The log of `key` in a case: `Domain.logID` over the case's identifier and the key.
  public init(caseID: Bytes32, key: VerifyingKey) {
    var hasher = DomainHasher(.logID)
    hasher.add(caseID)
    hasher.add(key.raw)
    self.init(hasher.finalize())
  }

  /// `cairn/` and the identifier in base32: the first line of the log's checkpoints, and the name
  /// of its key.
  public var origin: NoteKeyName { NoteKeyName(ascii: "cairn/" + base32) }

  /// `cairn/`, the identifier in base32 and `/receipt`: the name under which the log's owner signs
  /// receipts for the logs of others.
  public var receiptName: NoteKeyName { NoteKeyName(ascii: "cairn/" + base32 + "/receipt") }

}

/// A log together with the key that its name commits to. Having one means that the two belong
/// together, so a checkpoint cannot be checked against the wrong key.
public struct LogIdentity: Hashable, Sendable {
  /// The log's name.
  public let id: LogID
  /// The key that signs its checkpoints.
  public let key: VerifyingKey
  /// The key as the log's checkpoints name it: the origin, for Ed25519.
  public let noteKey: NoteKey

  /// The identity of `key`'s log in a case.
  public init(caseID: Bytes32, key: VerifyingKey) {
    id = LogID(caseID: caseID, key: key)
    self.key = key
    noteKey = NoteKey(name: id.origin, algorithm: .ed25519, publicKey: key)
  }
}
