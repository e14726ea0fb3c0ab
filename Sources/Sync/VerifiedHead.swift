public import VerifiableLog

/// A checkpoint of a held tree, signed by the log's key, with the receipts of members that lie on it. Only
/// verification makes one.
public struct VerifiedHead: Sendable {
  /// The checkpoint.
  public let checkpoint: VerifiedCheckpoint
  /// The receipts, each with the log of the member who gave it.
  public let receipts: [MemberReceipt]
}

/// A member's receipt, verified.
public struct MemberReceipt: Hashable, Sendable {
  /// The log of the member who gave it.
  public let member: LogID
  /// What was signed, and when by the member's clock.
  public let receipt: VerifiedReceipt

  /// A receipt and who gave it. `receipt` must be by the member's key for receipts.
  public init(member: LogID, receipt: VerifiedReceipt) {
    self.member = member
    self.receipt = receipt
  }
}

/// The members whose receipts count, by the name that their receipts carry.
struct ReceiptKeys: Sendable {
  private var members: [NoteKeyName: (LogID, NoteKey)] = [:]

  init(_ logs: [HeldLog]) {
    for log in logs {
      members[log.id.receiptName] = (log.id, log.id.cosigner(log.receiptKey))
    }
  }

  /// The valid receipts among a note's signatures. Lines of others and invalid ones are passed over: anybody
  /// can add one.
  func receipts(on checkpoint: VerifiedCheckpoint) -> [MemberReceipt] {
    let note: SignedNote
    do throws(NoteError) { note = try SignedNote(parsing: checkpoint.bytes) } catch { return [] }
    var receipts: [MemberReceipt] = []
    for line in note.signatures {
      guard let (member, key) = members[line.keyName] else { continue }
      do throws(CosignatureError) {
        let receipt = try VerifiedReceipt(
          verifying: line, of: checkpoint.checkpoint, by: key)
        receipts.append(MemberReceipt(member: member, receipt: receipt))
      } catch {
        continue
      }
    }
    return receipts
  }
}
