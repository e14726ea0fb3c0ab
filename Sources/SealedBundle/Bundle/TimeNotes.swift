internal import CaseLog

extension BundleRecord {
  /// Clocks of honest devices differ; only what is beyond this is worth a remark.
  static let clockTolerance: UInt64 = 86_400

  /// Claims about time that receipts contradict. They are shown beside each other and never corrected.
  static func timeNotes(
    _ exhibits: [Exhibit], receipts: [BundleReceipt], exportedAt: UInt64
  ) -> [BundleFinding] {
    var notes: [BundleFinding] = []
    for exhibit in exhibits {
      let header = exhibit.entry.header
      func note(_ code: BundleFinding.Code) {
        notes.append(BundleFinding(code, logID: header.logID, sequence: header.sequence))
      }
      if let clock = exhibit.entry.context?.clock {
        if let after = exhibit.bracket.after, isLater(after.time, than: clock) {
          note(.clockBeforeReceipt)
        }
        if let before = exhibit.bracket.before, isLater(clock, than: before.time) {
          note(.clockAfterReceipt)
        }
      }
      if let seen = exhibit.content?.seen, let before = exhibit.bracket.before,
        seen.firstSecond > 0, isLater(UInt64(seen.firstSecond), than: before.time)
      {
        note(.claimedAfterReceipt)
      }
    }
    for receipt in receipts where isLater(receipt.time, than: exportedAt) {
      notes.append(BundleFinding(.receiptAfterExport, logID: receipt.logID))
    }
    return notes
  }

  private static func isLater(_ left: UInt64, than right: UInt64) -> Bool {
    left > right && left - right > clockTolerance
  }
}
