/// What a reader of frames accepts at most. The reasons stand in `Protocol/README.md`.
public enum SyncLimits {
  /// Bytes of one frame's payload.
  public static let payloadByteCount = 16 << 20
  /// Bytes of a `head`: what stands in it is held in memory until the exchange ends.
  public static let headFileByteCount = 16 << 20
  /// Entries of a log: no more than a bundle holds.
  public static let entriesOfLog: UInt64 = 1 << 20
  /// Entries of one range.
  public static let entriesOfRange = 4096
  /// Epochs that the slots of one range name.
  public static let epochsOfRange = 4096
  /// Slots of one entry.
  public static let slotsOfEntry = 64
  /// Bytes of an entry's ciphertext: 1 MiB of plaintext, and what sealing and padding add.
  public static let ciphertextByteCount = (1 << 20) + 1024
  /// Root statements of a case.
  public static let statements = 4096
  /// Bytes of a statement, succession or wrap at least; the shortest that can be in order has 107. Each takes memory
  /// beside its bytes for as long as it is held.
  public static let leastItemByteCount = 100
  /// Bytes of a root statement.
  public static let statementByteCount = 4096
  /// Certificates of new keys, each as long as a root statement at most.
  public static let successions = 4096
  /// Bytes of a checkpoint's note with 64 signatures.
  public static let noteByteCount = 16 << 10
  /// Members of a case.
  public static let members = 1024
  /// Heads in one frame: more than one of a log where receipts lie on older ones.
  public static let heads = 4096
  /// Hashes of a consistency proof.
  public static let proofHashes = 64
  /// Bytes of a wrap.
  public static let wrapByteCount = 256
  /// Bytes of a fork proof.
  public static let forkByteCount = 8192
  /// Items of frames whose items are small.
  public static let itemsOfFrame = 1 << 17
  /// Bytes of an attachment once sealed: 2^40, padded by up to 12 %, and 16 bytes a span.
  public static let blobByteCount: UInt64 = 1 << 41
}
