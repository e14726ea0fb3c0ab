public import Cryptography

/// Why a text is not a checkpoint, or a note not one of the log's.
public enum CheckpointError: Error, Hashable, Sendable {
  /// The note that carries it is refused.
  case note(NoteError)
  /// Not exactly three lines. Extension lines are refused: nothing that checks a log can check
  /// them.
  case malformed
  /// The first line is not a name, or names another log.
  case wrongOrigin
  /// Not a decimal number below 2^64 without leading zeros.
  case invalidSize
  /// Not canonical base64 of 32 bytes, or not the empty root at size 0.
  case invalidRoot
}

/// The head of a log (C2SP tlog-checkpoint): so many leaves, with this root. A claim, until it
/// comes as a `VerifiedCheckpoint`.
///
///     cairn/5vsixprf…
///     20852163
///     CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
public struct Checkpoint: Hashable, Sendable {
  /// The log's name, the first line.
  public let origin: NoteKeyName
  /// The number of leaves.
  public let size: UInt64
  /// The root of the tree of that many leaves.
  public let root: Bytes32

  /// The checkpoint with these fields; at size 0 the root must be the empty one.
  public init(origin: NoteKeyName, size: UInt64, root: Bytes32) {
    precondition(size > 0 || root == MerkleTree.emptyRoot, "the tree without leaves has one root")
    self.origin = origin
    self.size = size
    self.root = root
  }

  /// The checkpoint that `text` spells, which must be all of it and end in a newline.
  ///
  /// - Throws: `CheckpointError`.
  public init(parsing text: [UInt8]) throws(CheckpointError) {
    let lines = text.split(separator: newline, omittingEmptySubsequences: false)
    // Three lines, and nothing after the last newline.
    guard lines.count == 4, lines[3].isEmpty else { throw .malformed }
    do throws(NoteError) {
      origin = try NoteKeyName(utf8: [UInt8](lines[0]))
    } catch {
      throw .wrongOrigin
    }
    guard let size = Decimal.parse(lines[1]) else { throw .invalidSize }
    let rootBytes: [UInt8]
    do throws(TextCodingError) { rootBytes = try Base64.decode([UInt8](lines[2])) } catch {
      throw .invalidRoot
    }
    guard let root = Bytes32(rootBytes), size > 0 || root == MerkleTree.emptyRoot else {
      throw .invalidRoot
    }
    self.size = size
    self.root = root
  }

  /// The text: three lines, each with its newline.
  public var text: [UInt8] {
    origin.utf8 + [newline] + Decimal.text(size) + [newline]
      + root.withBytes { Base64.encodeBytes($0) } + [newline]
  }
}

/// A checkpoint that the log's own key signed. Only signing and verification make one.
public struct VerifiedCheckpoint: Sendable {
  /// What was signed.
  public let checkpoint: Checkpoint
  /// The log, with the key that signed.
  public let log: LogIdentity
  /// The note as it was received, with whatever signatures of others it came with.
  public let bytes: [UInt8]
  private let signature: NoteSignature

  /// The number of leaves.
  public var size: UInt64 { checkpoint.size }
  /// The root of the tree of that many leaves.
  public var root: Bytes32 { checkpoint.root }

  /// The checkpoint in `bytes`, a signed note of which the log's key must have signed the text.
  ///
  /// - Throws: `CheckpointError`.
  public init(
    verifying bytes: [UInt8], of log: LogIdentity, limits: NoteLimits = NoteLimits()
  ) throws(CheckpointError) {
    let note: SignedNote
    // The cheap checks first; a signature is looked at only on what would be a checkpoint of this
    // log.
    do throws(NoteError) { note = try SignedNote(parsing: bytes, limits: limits) } catch {
      throw .note(error)
    }
    checkpoint = try Checkpoint(parsing: note.text)
    guard checkpoint.origin == log.noteKey.name else { throw .wrongOrigin }
    do throws(NoteError) { try note.verify(by: log.noteKey) } catch { throw .note(error) }
    guard let signature = note.signatures.first(where: { log.noteKey.isNamed(in: $0) }) else {
      throw .note(.notSigned)
    }
    self.signature = signature
    self.log = log
    self.bytes = bytes
  }

  /// Signs the head of our own log. `key` must be the log's.
  ///
  /// Whoever calls this must never have signed another root at this size, nor a larger size: a
  /// second one is a fork, with this signature as its proof.
  public init(
    signing key: borrowing SigningKey, of log: LogIdentity, size: UInt64, root: Bytes32
  ) {
    precondition(key.publicKey == log.key, "a log is signed with its own key")
    checkpoint = Checkpoint(origin: log.noteKey.name, size: size, root: root)
    let text = checkpoint.text
    signature = NoteSignature(
      keyName: log.noteKey.name, keyID: log.noteKey.id,
      signature: text.withBytes { key.sign($0) }.bytes)
    self.log = log
    bytes = SignedNote(text: text, signatures: [signature]).bytes
  }

  /// The note with the log's signature only: the same bytes whoever passed it on.
  public var minimalBytes: [UInt8] {
    SignedNote(text: checkpoint.text, signatures: [signature]).bytes
  }
}

/// Decimal numbers as checkpoints spell them.
enum Decimal {
  /// The number in ASCII digits without leading zeros; nil for anything else, or 2^64 and above.
  static func parse(_ digits: ArraySlice<UInt8>) -> UInt64? {
    guard let first = digits.first, digits.count <= 20 else { return nil }
    guard first != UInt8(ascii: "0") || digits.count == 1 else { return nil }
    var value: UInt64 = 0
    for digit in digits {
      guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
      let (product, overflows) = value.multipliedReportingOverflow(by: 10)
      let (sum, carries) = product.addingReportingOverflow(UInt64(digit - UInt8(ascii: "0")))
      guard !overflows, !carries else { return nil }
      value = sum
    }
    return value
  }

  /// The number in ASCII digits.
  static func text(_ value: UInt64) -> [UInt8] { [UInt8](String(value).utf8) }
}
