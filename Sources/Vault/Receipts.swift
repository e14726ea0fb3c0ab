internal import CaseLog
internal import Cryptography
internal import VerifiableLog

/// Receipts as notes: stored with the log's own signature, embedded in entries without it.
enum Receipts {
  /// How many stand on one note beside the log's own signature.
  static let mostOnNote = 63

  /// The note with its cosignature alone.
  static func bare(_ note: [UInt8]) throws -> [UInt8] {
    let signed = try SignedNote(parsing: note)
    return SignedNote(text: signed.text, signatures: signed.signatures.suffix(1)).bytes
  }

  /// A checkpoint's note with one more line: a member's receipt.
  static func note(of checkpoint: VerifiedCheckpoint, with receipt: VerifiedReceipt) throws
    -> [UInt8]
  {
    let signed = try SignedNote(parsing: checkpoint.minimalBytes)
    let line = receipt.cosignature.noteSignature(by: receipt.cosigner)
    return SignedNote(text: signed.text, signatures: signed.signatures + [line]).bytes
  }

  /// One note with the receipts of several notes over the same checkpoint.
  static func merge(_ note: [UInt8], _ receipts: [[UInt8]]) throws -> [UInt8] {
    let signed = try SignedNote(parsing: note)
    let lines = try receipts.flatMap { try SignedNote(parsing: $0).signatures.suffix(1) }
    return SignedNote(
      text: signed.text,
      signatures: Array(signed.signatures.prefix(1)) + Array(lines.prefix(mostOnNote))
    ).bytes
  }

  /// The time of a member's receipt over a head of `log`, if the note carries one that is valid.
  static func time(
    of note: [UInt8], over log: LogIdentity, by member: CaseState.Member
  ) -> UInt64? {
    do {
      let signed = try SignedNote(parsing: note)
      let checkpoint = try Checkpoint(parsing: signed.text)
      guard checkpoint.origin == log.noteKey.name else { return nil }
      let key = member.logID.cosigner(member.card.receiptKey)
      for line in signed.signatures where line.keyName == key.name {
        return try VerifiedReceipt(verifying: line, of: checkpoint, by: key).time
      }
      return nil
    } catch {
      return nil
    }
  }
}
