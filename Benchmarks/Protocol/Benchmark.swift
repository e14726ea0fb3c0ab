import CaseLog
import Cryptography
import Foundation
import Measuring
import Sync
import Vault
import VerifiableLog

/// What the protocol costs, for `Scripts/bench protocol`: `ProtocolBenchmark PART NUMBER`, where PART is
///
/// - `verify`: takes NUMBER entries out of range frames and verifies them against the tree and signed heads
/// - `signatures`: the same entries in a log that signs each, without a tree
/// - `sync`: a vault of NUMBER entries without words meets a new device in a folder: written, read, bytes, idle
///
/// Prints one JSON object. What it keeps on the disk is in a folder of its own under TMPDIR, which is removed.
@main
struct Benchmark {
  static func main() async throws {
    let (part, number) = Measured.asked(
      of: "ProtocolBenchmark", parts: ["verify", "signatures", "sync"])
    let figures =
      switch part {
      case "verify": try MeasuredLog().verify(entries: number)
      case "signatures": try MeasuredLog().verifySignatures(entries: number)
      default:
        try await Measured.inFolder("protocol") { folder in
          try await MeasuredSync.run(entries: number, in: folder)
        }
      }
    try Measured.tell(figures)
  }
}

/// A log of entries of the least length, each with one slot, as one advocate's device receives it.
struct MeasuredLog: ~Copyable {
  private static let ciphertextByteCount = 272
  private let key = SigningKey(seed: SecretKey.random())
  private let identity: LogIdentity
  private let epoch = EntryID(Domain.entry.hash([1]))
  private var random = SystemRandomNumberGenerator()

  init() { identity = LogIdentity(caseID: Domain.caseID.hash([1]), key: key.publicKey) }

  private mutating func entry() -> WireEntry {
    var body: [UInt8] = []
    body.reserveCapacity(Self.ciphertextByteCount)
    while body.count < Self.ciphertextByteCount {
      let word = random.next()
      for shift in stride(from: UInt64(0), to: 64, by: 8) {
        body.append(UInt8(truncatingIfNeeded: word >> shift))
      }
    }
    return WireEntry(
      classByte: 2, commitment: Domain.entry.hash(body), content: .ciphertext(body),
      slots: [WireSlot(epoch: epoch, box: Array(body.prefix(48)))])
  }

  /// Bytes of frames in, verified entries out; making them is not measured.
  consuming func verify(entries count: Int) throws -> [String: Double] {
    var verifier = RangeVerifier(HeldLog(identity: identity, receiptKey: identity.key))
    var tree = CompactRange()
    var (taken, bytes, verified) = (Duration.zero, 0, 0)
    while verified < count {
      let (first, number) = (UInt64(verified), min(4096, count - verified))
      let entries = (0..<number).map { _ in entry() }
      for (index, entry) in entries.enumerated() {
        tree.append(entry.leaf(sequence: first + UInt64(index)).hash)
      }
      let head = VerifiedCheckpoint(signing: key, of: identity, size: tree.size, root: tree.root)
      let range = Frame.range(
        RangeFrame(logID: identity.id, first: first, entries: entries, note: head.bytes))
      let hello = Frame.hello(Hello(tag: MailboxTag(caseID: .zero), logID: identity.id))
      let stream = hello.bytes + range.bytes + Frame.end.bytes
      bytes += range.bytes.count
      let start = ContinuousClock.now
      var reader = FrameReader()
      reader.feed(stream)
      while let frame = try reader.next() {
        guard case .range(let range) = frame else { continue }
        guard case .verified(let known) = verifier.verify(range, leaves: { _ in [] }) else {
          throw Broken()
        }
        verified += known.newEntries.count
      }
      taken += ContinuousClock.now - start
    }
    return [
      "perSecond": Double(count) / Measured.seconds(taken),
      "bytesOver": Double(bytes) / Double(count) - Double(Self.ciphertextByteCount),
    ]
  }

  /// What a signature for each entry would cost instead: no tree, and 64 bytes more.
  consuming func verifySignatures(entries count: Int) throws -> [String: Double] {
    var taken = Duration.zero
    for sequence in 0..<UInt64(count) {
      let entry = entry()
      let signature = entry.leaf(sequence: sequence).bytes.withBytes { key.sign($0) }
      let start = ContinuousClock.now
      let leaf = entry.leaf(sequence: sequence)
      guard leaf.bytes.withBytes({ identity.key.isValid(signature, for: $0) }) else {
        throw Broken()
      }
      taken += ContinuousClock.now - start
    }
    return ["perSecond": Double(count) / Measured.seconds(taken)]
  }

  private struct Broken: Error {}
}

/// Two devices of one survivor, and the folder in which they meet.
enum MeasuredSync {
  static func run(entries count: Int, in folder: String) async throws -> [String: Double] {
    let mailbox = folder + "/mailbox"
    try FileManager.default.createDirectory(atPath: mailbox, withIntermediateDirectories: false)
    let kit = try RecoveryKit.make()
    let first = try OpenVault.create(
      at: folder + "/first", passphrase: try Measured.passphrase(), kit: kit, cost: .light,
      surroundings: Measured.surroundings)
    _ = try await first.add((0..<count).map(entry), toCase: nil)
    let (written, writing) = try await met(first, mailbox)
    let range = try FileManager.default.subpathsOfDirectory(atPath: mailbox)
      .filter { $0.contains("/r-") }
      .map { try FileManager.default.attributesOfItem(atPath: mailbox + "/" + $0)[.size] as? Int }
      .reduce(0) { $0 + ($1 ?? 0) }

    let found = try OpenVault.findCase(in: mailbox, kit: kit)
    let second = try OpenVault.create(
      at: folder + "/second", passphrase: try Measured.passphrase(), kit: kit, cost: .light,
      recovering: found, named: "default", audience: .ownDevices,
      surroundings: Measured.surroundings)
    let (_, reading) = try await met(second, mailbox)
    let standing = try await second.recoveryStanding(ofCase: nil)
    guard standing.entries == count else { throw VaultError(.inputOutput) }
    for vault in [first, second, first, second] { _ = try await met(vault, mailbox) }
    let (idle, idling) = try await met(first, mailbox)
    guard idle.bytesWritten == 0 else { throw VaultError(.inputOutput) }
    try await first.close()
    try await second.close()
    return [
      "writeSeconds": writing, "readSeconds": reading, "bytesWritten": Double(written.bytesWritten),
      "bytesOver": Double(range) / Double(count) - 272, "idleBytes": Double(idle.bytesRead),
      "idleSeconds": idling,
    ]
  }

  private static func met(
    _ vault: OpenVault, _ mailbox: String
  ) async throws -> (SyncOutcome, Double) {
    let start = ContinuousClock.now
    let outcome = try await vault.sync(caseNamed: nil, mailbox: mailbox, audience: .ownDevices)
    return (outcome, Measured.seconds(ContinuousClock.now - start))
  }

  /// With a time and no word, so that there is nothing to index.
  private static func entry(_ number: Int) -> NewEntry {
    var content = EntryContent()
    content.seen = ClaimedTime(typed: "2024-05-\(10 + number % 20)")
    return NewEntry(source: nil, content: content)
  }
}
