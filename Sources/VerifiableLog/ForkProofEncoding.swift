internal import Cryptography

// A fork proof as CBOR: an array of three, or of six where it shows the parting. Both begin with the
// notes of the smaller checkpoint and of the larger.

extension ForkProof {
  /// Hashes of a list; no tree of any size needs more.
  public static let maximumPathLength = 64
  /// Bytes of each of the two notes.
  public static let maximumNoteByteCount = 1024

  /// The proof as CBOR.
  public var bytes: [UInt8] {
    var encoder = CBOREncoder()
    encoder.encodeArray(count: parting == nil ? 3 : 6)
    encoder.encodeBytes(smaller.minimalBytes)
    encoder.encodeBytes(larger.minimalBytes)
    guard let parting else {
      encoder.encodeArray(path) { $0.encodeBytes32($1) }
      return encoder.bytes
    }
    encoder.encodeUInt(parting.common.size)
    encoder.encodeArray(parting.common.hashes) { $0.encodeBytes32($1) }
    for branch in [parting.smaller, parting.larger] {
      encoder.encodeArray(count: 2)
      encoder.encodeBytes32(branch.leafHash)
      encoder.encodeArray(branch.path) { $0.encodeBytes32($1) }
    }
    return encoder.bytes
  }

  /// The proof about `log` in `bytes`, checked.
  ///
  /// - Throws: `.malformed`, also for checkpoints that do not verify; else as the other
  ///   initialisers.
  public init(parsing bytes: [UInt8], of log: LogIdentity) throws(ForkProofError) {
    let claim: Claim
    let smaller: VerifiedCheckpoint
    let larger: VerifiedCheckpoint
    do { claim = try Claim(decoding: bytes) } catch { throw .malformed }
    do throws(CheckpointError) {
      smaller = try VerifiedCheckpoint(verifying: claim.notes.smaller, of: log)
      larger = try VerifiedCheckpoint(verifying: claim.notes.larger, of: log)
    } catch {
      throw .malformed
    }
    switch claim.evidence {
    case .path(let path): try self.init(smaller, larger, path: path)
    case .parting(let parting):
      try self.init(
        (smaller, parting.smaller), (larger, parting.larger), common: parting.common)
    }
    // One encoding of a proof: its checkpoints in order, with no signatures but the log's.
    guard self.bytes == bytes else { throw .malformed }
  }

  /// Whether `bytes` have the form of a proof, whatever it proves.
  public static func isWellFormed(_ bytes: [UInt8]) -> Bool {
    do {
      _ = try Claim(decoding: bytes)
      return true
    } catch {
      return false
    }
  }

  /// The name of the log that a proof is said to be about.
  public static func origin(in bytes: [UInt8]) -> NoteKeyName? {
    let claim: Claim
    let note: SignedNote
    do throws(ForkProofError) { claim = try Claim(decoding: bytes) } catch { return nil }
    do throws(NoteError) { note = try SignedNote(parsing: claim.notes.smaller) } catch {
      return nil
    }
    do throws(CheckpointError) { return try Checkpoint(parsing: note.text).origin } catch {
      return nil
    }
  }

  /// What the bytes of a proof say, before any of it is checked.
  private struct Claim {
    enum Evidence {
      case path([Bytes32])
      case parting(Parting)
    }
    let notes: (smaller: [UInt8], larger: [UInt8])
    let evidence: Evidence

    init(decoding bytes: [UInt8]) throws(ForkProofError) {
      do throws(CBORError) {
        var decoder = CBORDecoder(bytes)
        let count = try decoder.readArray(max: 6)
        guard count == 3 || count == 6 else { throw .outOfRange }
        let smaller = try decoder.readBytes(max: ForkProof.maximumNoteByteCount)
        notes = (smaller, try decoder.readBytes(max: ForkProof.maximumNoteByteCount))
        if count == 3 {
          evidence = .path(try Claim.hashes(&decoder))
        } else {
          evidence = .parting(try Claim.parting(&decoder))
        }
        try decoder.finish()
      } catch {
        throw .malformed
      }
    }

    private static func parting(_ decoder: inout CBORDecoder) throws(CBORError) -> Parting {
      let size = try decoder.readUInt()
      let peaks = try hashes(&decoder)
      let common: CompactRange
      do throws(MerkleError) { common = try CompactRange(size: size, hashes: peaks) } catch {
        throw .outOfRange
      }
      let smaller = try branch(&decoder)
      return Parting(common: common, smaller: smaller, larger: try branch(&decoder))
    }

    private static func branch(_ decoder: inout CBORDecoder) throws(CBORError) -> Parting.Branch {
      try decoder.readArray(count: 2)
      let leafHash = try decoder.readBytes32()
      return Parting.Branch(leafHash: leafHash, path: try hashes(&decoder))
    }

    private static func hashes(_ decoder: inout CBORDecoder) throws(CBORError) -> [Bytes32] {
      var hashes: [Bytes32] = []
      for _ in 0..<(try decoder.readArray(max: ForkProof.maximumPathLength)) {
        hashes.append(try decoder.readBytes32())
      }
      return hashes
    }
  }
}
