internal import SealedBundle
internal import VerifiableLog

/// Chooses the receipts of a bundle, of which it holds a bounded number: whoever can write in a case can give
/// any number of them.
///
/// Of each log and each of its witnesses those that are the first to cover something that is disclosed; the
/// others bound no time. Where even these are too many, each device that gave some has the same share, so that
/// none takes another's place, and of a device each pair of log and witness. What is left out then lies between
/// receipts that stay: everything is still covered, by a later one.
struct ReceiptChoice {
  /// A receipt in the database.
  struct Receipt: Hashable {
    let row: Int64
    /// Of the head that it is over.
    let size: UInt64
    let time: UInt64
  }

  /// What one witness has to say of one log.
  private struct Pair {
    let log: LogID
    let device: LogID
    let receipts: [Receipt]
  }

  /// Of one log, those by its first witnesses stand on the newest head itself.
  private var onHead: [LogID: Int] = [:]
  private var pairs: [Pair] = []

  /// - Parameters:
  ///   - receipts: ascending by size.
  ///   - device: the log of the first keys of the witness.
  ///   - size: of the newest head. Receipts over that one stand in its own note as far as there is room.
  ///   - shown: the sequences of what is disclosed of the log, ascending.
  mutating func offer(
    _ receipts: [Receipt], by witness: LogID, of device: LogID, over log: LogID, size: UInt64,
    bounding shown: [UInt64]
  ) {
    var first = Self.first(of: receipts, covering: shown)
    if receipts.last?.size == size {
      let place = onHead[log] ?? 0
      onHead[log] = place + 1
      if place < Receipts.mostOnNote { first.removeAll { $0.size == size } }
    }
    if !first.isEmpty { pairs.append(Pair(log: log, device: device, receipts: first)) }
  }

  /// The receipts that get a file of their own, by log.
  func files() -> [LogID: [Receipt]] {
    var files: [LogID: [Receipt]] = [:]
    let devices = Dictionary(grouping: pairs) { $0.device }.sorted { $0.key < $1.key }
    let wanted = devices.map { $0.value.reduce(0) { $0 + $1.receipts.count } }
    for (device, share) in zip(devices, Self.shares(of: BundleLimits.receipts, among: wanted)) {
      let counts = Self.shares(of: share, among: device.value.map(\.receipts.count))
      for (pair, count) in zip(device.value, counts) {
        files[pair.log, default: []] += Self.spread(pair.receipts, over: count)
      }
    }
    return files
  }

  /// Those that are the first, by time and then by size, over a head that has one of the entries.
  private static func first(of receipts: [Receipt], covering shown: [UInt64]) -> [Receipt] {
    var found: [Receipt] = []
    var best: Receipt?
    var rest = receipts[...]
    for sequence in shown.reversed() {
      while let last = rest.last, last.size > sequence {
        if best.map({ last.time <= $0.time }) ?? true { best = last }
        rest.removeLast()
      }
      if let best, found.last != best { found.append(best) }
    }
    return found.reversed()
  }

  /// So many of them, the last among them, which covers what all of them cover.
  private static func spread(_ receipts: [Receipt], over count: Int) -> [Receipt] {
    guard count > 0 else { return [] }
    return (1...count).map { receipts[$0 * receipts.count / count - 1] }
  }

  /// Shares of a number that may be too small for all: whoever wants less than the others leaves them the rest.
  private static func shares(of total: Int, among wanted: [Int]) -> [Int] {
    var shares = wanted
    var left = total
    let modest = wanted.indices.sorted { (wanted[$0], $0) < (wanted[$1], $1) }
    for (place, index) in modest.enumerated() {
      shares[index] = min(wanted[index], left / (wanted.count - place))
      left -= shares[index]
    }
    return shares
  }
}
