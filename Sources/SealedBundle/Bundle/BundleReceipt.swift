internal import CaseLog
internal import Cryptography
public import VerifiableLog

/// Somebody's statement that a log had grown so far at a time by their clock. Its signature holds; whether
/// the time is to be believed is another question.
public struct BundleReceipt: Hashable, Sendable {
  /// The log that it is about.
  public let logID: LogID
  /// How far the log had grown.
  public let size: UInt64
  /// Seconds since 1970 by the giver's clock.
  public let time: UInt64
  /// The key that gave it.
  public let cosigner: NoteKey
  /// The member whose key it is; nil for a key from outside the case.
  public let giver: LogID?
}

extension BundleReceipt {
  /// Whether it is the earlier one: by its time, then by the smaller head, then by the key (Bundle.md,
  /// "Verifying", step 7).
  static func isEarlier(_ left: BundleReceipt, _ right: BundleReceipt) -> Bool {
    if left.time != right.time { return left.time < right.time }
    if left.size != right.size { return left.size < right.size }
    let (first, second) = (left.cosigner, right.cosigner)
    if first.name != second.name {
      return first.name.utf8.lexicographicallyPrecedes(second.name.utf8)
    }
    return first.publicKey < second.publicKey
  }
}

/// Receipts over one log, so that the first that covers an entry is found without a look at each.
struct CoveringReceipts {
  /// The heads' sizes, ascending.
  private var sizes: [UInt64] = []
  /// For each of them the earliest receipt of that size or more.
  private var earliest: [BundleReceipt] = []

  init(_ receipts: [BundleReceipt]) {
    for receipt in receipts.sorted(by: { $0.size > $1.size }) {
      let best = earliest.last.map { BundleReceipt.isEarlier($0, receipt) ? $0 : receipt }
      sizes.append(receipt.size)
      earliest.append(best ?? receipt)
    }
    sizes.reverse()
    earliest.reverse()
  }

  /// The earliest of those over a head that has this entry.
  func first(over sequence: UInt64) -> BundleReceipt? {
    var (low, high) = (0, sizes.count)
    while low < high {
      let middle = (low + high) / 2
      if sizes[middle] > sequence { high = middle } else { low = middle + 1 }
    }
    return low < earliest.count ? earliest[low] : nil
  }
}

/// Between which receipts an entry lies.
public struct TimeBracket: Hashable, Sendable {
  /// The newest receipt that the entry embeds: it was written after that.
  public var after: BundleReceipt?
  /// The first receipt that covers it: it was written before that.
  public var before: BundleReceipt?
}

/// The keys whose receipts count, and how to recognise their signatures.
struct ReceiptKeys {
  private var keys: [(key: NoteKey, giver: LogID?)] = []

  /// The receipt keys of all members, and keys that the asker trusts.
  init(members: [CaseState.Member], trusted: [NoteKey]) {
    keys = members.map { ($0.logID.cosigner($0.card.receiptKey), $0.logID) }
    for key in trusted
    where key.algorithm == .cosignatureV1 && !keys.contains(where: { $0.key == key }) {
      keys.append((key, nil))
    }
  }

  /// The receipt in a line of a note.
  ///
  /// - Returns: nil if the line is by nobody known, or by the log's own owner, who cannot witness herself.
  /// - Throws: if the line names a known key and does not verify.
  func receipt(
    _ line: NoteSignature, on checkpoint: Checkpoint, of logID: LogID
  ) throws(CosignatureError) -> BundleReceipt? {
    for (key, giver) in keys where key.id == line.keyID && key.name == line.keyName {
      guard giver != logID else { return nil }
      let receipt = try VerifiedReceipt(verifying: line, of: checkpoint, by: key)
      return BundleReceipt(
        logID: logID, size: checkpoint.size, time: receipt.time, cosigner: key, giver: giver)
    }
    return nil
  }
}
