import Cryptography
import Foundation
import Mailboxes
import Support
import Sync
import Synchronization
import VerifiableLog

/// A folder that is gone when its owner lets go.
final class TemporaryFolder: Sendable {
  let path: String

  init() {
    path =
      FileManager.default.temporaryDirectory
      .appending(path: "cairn-sync-\(UUID().uuidString)").path
    try! FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// All regular files below, by path relative to the folder, in order.
  func files() -> [String] {
    let all = FileManager.default.enumerator(atPath: path)?.allObjects as? [String] ?? []
    return all.sorted().filter { relative in
      let attributes = try? FileManager.default.attributesOfItem(atPath: path + "/" + relative)
      return attributes?[.type] as? FileAttributeType == .typeRegular
    }
  }

  func read(_ relative: String) -> [UInt8] {
    [UInt8](FileManager.default.contents(atPath: path + "/" + relative) ?? Data())
  }

  func write(_ bytes: [UInt8], to relative: String) throws {
    let url = URL(filePath: path + "/" + relative)
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: url)
  }

  func remove(_ relative: String) throws {
    try FileManager.default.removeItem(atPath: path + "/" + relative)
  }

  var mailbox: FolderMailbox { FolderMailbox(path: path) }
}

/// One CBOR item, another for each number, as short as statements, successions and wraps may be.
func item(_ number: UInt8) -> [UInt8] { [0x58, 98] + [UInt8](repeating: number, count: 98) }

/// Counts across copies of a value.
final class Counter: Sendable {
  private let number = Mutex(0)
  var count: Int { number.withLock(\.self) }
  func add() { number.withLock { $0 += 1 } }
}

/// Copies of one case: a founder, and others whom she admitted.
struct World {
  var replicas: [MemoryReplica]
  var generator: SplitMix64
  static let caseID = SHA256Hash.hash([7])

  init(_ count: Int, seed: UInt64 = 1) {
    generator = SplitMix64(state: seed)
    let devices = (0..<count).map { TestDevice(seed: UInt8($0 + 1)) }
    replicas = devices.map { MemoryReplica($0, caseID: World.caseID, founder: devices[0]) }
    replicas[0].knownStatements = [item(1)]
    for device in devices.dropFirst() {
      replicas[0].admit(device)
      replicas[0].knownWraps.insert(item(100 + UInt8(replicas[0].knownWraps.count)))
    }
  }

  mutating func words(_ count: Int) -> [[UInt8]] {
    (0..<count).map { _ in [0] + generator.bytes(Int(generator.next() % 200) + 60) }
  }

  mutating func append(_ count: Int, to index: Int) {
    let entries = words(count)
    replicas[index].append(entries)
  }

  /// One exchange of one copy.
  @discardableResult
  mutating func exchange(_ index: Int, _ mailbox: some Mailbox) throws -> ExchangeReport {
    try mailbox.exchange(with: &replicas[index])
  }

  /// Every copy twice, so that what one left late reaches all.
  mutating func exchangeAll(_ mailbox: some Mailbox) throws {
    for _ in 0..<2 {
      for index in replicas.indices { try exchange(index, mailbox) }
    }
  }

  var digests: Set<[String]> { Set(replicas.map { $0.digest() }) }
}
