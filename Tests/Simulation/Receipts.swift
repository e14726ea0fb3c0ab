import Cryptography
import Sync
import VerifiableLog

/// Heads that members signed for, as they stand in what devices leave for others.
struct Receipts {
  struct Given: Hashable {
    let size: UInt64
    let root: Bytes32
  }

  struct Pair: Hashable {
    /// Log id of who gave the receipt, in base32.
    let witness: String
    let log: String
  }

  private(set) var given: [Pair: Set<Given>] = [:]

  mutating func add(_ receipt: Given, _ pair: Pair) { given[pair, default: []].insert(receipt) }

  /// Reads the file `head` of a device that keeps to the format.
  mutating func add(in head: [UInt8], fail: (String) -> Void) {
    var reader = FrameReader()
    reader.feed(head)
    do {
      while let frame = try reader.next() {
        guard case .heads(let heads) = frame else { continue }
        for head in heads { try add(head) }
      }
      try reader.finish()
    } catch {
      fail("leaves a head that cannot be read: \(error)")
    }
  }

  private mutating func add(_ head: SignedHead) throws {
    let note = try SignedNote(parsing: head.note)
    let checkpoint = try Checkpoint(parsing: note.text)
    let log = Self.log(in: checkpoint.origin.string)
    for line in note.signatures where line.keyName.string.hasSuffix("/receipt") {
      add(
        Given(size: checkpoint.size, root: checkpoint.root),
        Pair(witness: Self.log(in: line.keyName.string), log: log))
    }
  }

  /// `cairn/<log>` and `cairn/<log>/receipt` are names of keys.
  private static func log(in name: String) -> String {
    let parts = name.split(separator: "/")
    return parts.count > 1 ? String(parts[1]) : ""
  }
}
