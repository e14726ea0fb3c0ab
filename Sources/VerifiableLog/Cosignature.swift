public import Cryptography

/// Why bytes are not a cosignature, or not a valid one.
public enum CosignatureError: Error, Hashable, Sendable {
  /// Not 8 bytes of time and 64 of signature, or a time of 2^63 and above.
  case malformed
  /// Not a signature by this key over this checkpoint at this time.
  case invalidSignature
}

/// A detached cosignature, `cosignature/v1` of C2SP tlog-cosignature: somebody's statement, at a
/// time by their clock, that this is the largest consistent head of the log they have seen. A
/// claim, until it comes as a `VerifiedReceipt`.
public struct Cosignature: Hashable, Sendable {
  /// Seconds since 1970 UTC by the cosigner's clock, below 2^63.
  public let time: UInt64
  /// The signature over time and checkpoint.
  public let signature: Signature

  /// The number of bytes, 72.
  public static let byteCount = 8 + Signature.byteCount
  /// The latest time that the format allows.
  public static let maximumTime = UInt64(Int64.max)

  /// The cosignature in 72 bytes: time, u64 big-endian ‖ signature.
  ///
  /// - Throws: `.malformed`.
  public init(parsing bytes: [UInt8]) throws(CosignatureError) {
    guard bytes.count == Cosignature.byteCount, let signature = Signature([UInt8](bytes[8...]))
    else { throw .malformed }
    time = bytes.withBytes { $0.bigEndianUInt64(at: 0) }
    self.signature = signature
    guard time <= Cosignature.maximumTime else { throw .malformed }
  }

  private init(time: UInt64, signature: Signature) {
    self.time = time
    self.signature = signature
  }

  /// Signs a checkpoint at a time, which must be below 2^63. `key` must be used for nothing else:
  /// what is signed does not name the signer.
  public static func sign(
    _ checkpoint: Checkpoint, time: UInt64, with key: borrowing SigningKey
  ) -> Cosignature {
    precondition(time <= maximumTime, "a time below 2^63")
    let message = message(checkpoint, time: time)
    return Cosignature(time: time, signature: message.withBytes { key.sign($0) })
  }

  /// The 72 bytes.
  public var bytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.appendBigEndian(time)
    return bytes + signature.bytes
  }

  /// The cosignature as a line of a note, for tools that expect it there.
  public func noteSignature(by cosigner: NoteKey) -> NoteSignature {
    precondition(cosigner.algorithm == .cosignatureV1, "a key for cosignatures")
    return NoteSignature(keyName: cosigner.name, keyID: cosigner.id, signature: bytes)
  }

  /// What is signed: two lines, then the checkpoint's text.
  fileprivate static func message(_ checkpoint: Checkpoint, time: UInt64) -> [UInt8] {
    [UInt8]("cosignature/v1\ntime ".utf8) + Decimal.text(time) + [newline] + checkpoint.text
  }
}

/// A cosignature that verified. Only verification makes one.
///
/// What it proves is that the cosigner's key signed this head. That the time is true rests on the
/// cosigner's clock and word.
public struct VerifiedReceipt: Hashable, Sendable {
  /// The head that was signed for.
  public let checkpoint: Checkpoint
  /// Who signed.
  public let cosigner: NoteKey
  /// The cosignature.
  public let cosignature: Cosignature
  /// Seconds since 1970 UTC by the cosigner's clock.
  public var time: UInt64 { cosignature.time }

  /// Checks a cosignature over a checkpoint. `cosigner` must be a key for cosignatures.
  ///
  /// - Throws: `.invalidSignature`.
  public init(
    verifying cosignature: Cosignature, of checkpoint: Checkpoint, by cosigner: NoteKey
  ) throws(CosignatureError) {
    precondition(cosigner.algorithm == .cosignatureV1, "a key for cosignatures")
    let message = Cosignature.message(checkpoint, time: cosignature.time)
    guard
      message.withBytes({ cosigner.publicKey.isValid(cosignature.signature, for: $0) })
    else { throw .invalidSignature }
    self.checkpoint = checkpoint
    self.cosigner = cosigner
    self.cosignature = cosignature
  }

  /// Checks a receipt that came as a note: a checkpoint's text with one line, the cosignature.
  ///
  /// - Throws: `.malformed`, also for a line that names another key; `.invalidSignature`.
  public init(verifying note: [UInt8], by cosigner: NoteKey) throws(CosignatureError) {
    let parsed: SignedNote
    do throws(NoteError) { parsed = try SignedNote(parsing: note) } catch { throw .malformed }
    let checkpoint: Checkpoint
    do throws(CheckpointError) { checkpoint = try Checkpoint(parsing: parsed.text) } catch {
      throw .malformed
    }
    guard parsed.signatures.count == 1 else { throw .malformed }
    try self.init(verifying: parsed.signatures[0], of: checkpoint, by: cosigner)
  }

  /// The receipt as a note of its own: the checkpoint's text and the cosignature.
  public var note: SignedNote {
    SignedNote(text: checkpoint.text, signatures: [cosignature.noteSignature(by: cosigner)])
  }

  /// Checks a cosignature that came as a line of a note.
  ///
  /// - Throws: `.malformed`, also for a line that names another key; `.invalidSignature`.
  public init(
    verifying line: NoteSignature, of checkpoint: Checkpoint, by cosigner: NoteKey
  ) throws(CosignatureError) {
    guard cosigner.isNamed(in: line) else { throw .malformed }
    try self.init(
      verifying: try Cosignature(parsing: line.signature), of: checkpoint, by: cosigner)
  }
}

extension LogID {
  /// The key under which this log's owner gives receipts.
  public func cosigner(_ receiptKey: VerifyingKey) -> NoteKey {
    NoteKey(name: receiptName, algorithm: .cosignatureV1, publicKey: receiptKey)
  }
}
