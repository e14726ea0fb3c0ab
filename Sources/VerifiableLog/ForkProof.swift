public import Cryptography

/// Why two checkpoints prove no fork.
public enum ForkProofError: Error, Hashable, Sendable {
  /// They are of different logs.
  case differentLogs
  /// They agree: the same size and root, or the smaller is the beginning of the larger.
  case consistent
  /// The path does not verify, so nothing follows about the smaller root. The fault of whoever
  /// supplied it, never of the log.
  case invalidPath(MerkleError)
  /// Not the encoding of a fork proof.
  case malformed
}

/// Proof that a log's owner signed two histories: two checkpoints that cannot both be of one
/// append-only log. Anybody can check it, and only the holder of the log's key can cause it.
///
/// Either both have the same size and different roots, and the path is empty; or the sizes differ,
/// and the path is a prefix proof that leads to the larger root and yields another root at the
/// smaller size. Being unable to show that two checkpoints are consistent is no proof: a mailbox
/// that withholds or garbles a path must not be able to frame an honest device.
public struct ForkProof: Sendable {
  /// The checkpoint of the smaller size; of equal sizes, the one with the smaller root.
  public let smaller: VerifiedCheckpoint
  /// The other.
  public let larger: VerifiedCheckpoint
  /// What leads from one to the other, or nothing.
  public let path: [Bytes32]

  /// The log that forked.
  public var log: LogIdentity { larger.log }

  /// Checks the proof. The order of the checkpoints does not matter.
  ///
  /// - Throws: `ForkProofError`.
  public init(
    _ one: VerifiedCheckpoint, _ other: VerifiedCheckpoint, path: [Bytes32] = []
  ) throws(ForkProofError) {
    guard one.log == other.log else { throw .differentLogs }
    let isInOrder = (one.size, one.root) < (other.size, other.root)
    smaller = isInOrder ? one : other
    larger = isInOrder ? other : one
    self.path = path
    if smaller.size == larger.size {
      guard path.isEmpty else { throw .invalidPath(.wrongProofLength) }
      guard smaller.root != larger.root else { throw .consistent }
    } else {
      let root: Bytes32
      do throws(MerkleError) {
        root = try MerkleTree.prefixRoot(
          of: smaller.size, in: larger.size, larger.root, proof: path)
      } catch {
        throw .invalidPath(error)
      }
      guard root != smaller.root else { throw .consistent }
    }
  }

  /// The proof as CBOR: an array of the smaller checkpoint's note, the larger's, and the array of
  /// hashes.
  public var bytes: [UInt8] {
    var encoder = CBOREncoder()
    encoder.encodeArray(count: 3)
    encoder.encodeBytes(smaller.minimalBytes)
    encoder.encodeBytes(larger.minimalBytes)
    encoder.encodeArray(path) { $0.encodeBytes32($1) }
    return encoder.bytes
  }

  /// The proof about `log` in `bytes`, checked.
  ///
  /// - Throws: `.malformed`, also for checkpoints that do not verify; else as the other
  ///   initialiser.
  public init(parsing bytes: [UInt8], of log: LogIdentity) throws(ForkProofError) {
    let notes: (smaller: [UInt8], larger: [UInt8])
    var path: [Bytes32] = []
    do throws(CBORError) {
      var decoder = CBORDecoder(bytes)
      try decoder.readArray(count: 3)
      notes.smaller = try decoder.readBytes(max: ForkProof.maximumNoteByteCount)
      notes.larger = try decoder.readBytes(max: ForkProof.maximumNoteByteCount)
      for _ in 0..<(try decoder.readArray(max: ForkProof.maximumPathLength)) {
        path.append(try decoder.readBytes32())
      }
      try decoder.finish()
    } catch {
      throw .malformed
    }
    let smaller: VerifiedCheckpoint
    let larger: VerifiedCheckpoint
    do throws(CheckpointError) {
      smaller = try VerifiedCheckpoint(verifying: notes.smaller, of: log)
      larger = try VerifiedCheckpoint(verifying: notes.larger, of: log)
    } catch {
      throw .malformed
    }
    try self.init(smaller, larger, path: path)
    // One encoding of a proof: its checkpoints in order, with no signatures but the log's.
    guard self.bytes == bytes else { throw .malformed }
  }

  /// Hashes; a log has at most 2^32 entries, so no path of one needs more.
  public static let maximumPathLength = 64
  /// Bytes of each of the two notes.
  public static let maximumNoteByteCount = 1024
}
