import Cryptography
import Sync
import VerifiableLog

/// The keys of a device in a test. Secrets have one owner, so they live in an object.
final class TestDevice: Sendable {
  let signingKey: SigningKey
  let receiptKey: SigningKey

  init(seed: UInt8) {
    signingKey = SigningKey(seed: testKey(seed, 1))
    receiptKey = SigningKey(seed: testKey(seed, 2))
  }

  func identity(in caseID: Bytes32) -> LogIdentity {
    LogIdentity(caseID: caseID, key: signingKey.publicKey)
  }
}

func testKey(_ seed: UInt8, _ use: UInt8) -> SecretKey {
  let bytes = [use] + [UInt8](repeating: seed, count: 31)
  return try! bytes.withBytes { (bytes) throws(CryptographyError) in
    try SecretKey(copying: bytes)
  }
}

/// A replica in memory, with a meaning of its own that is as simple as can be: the first byte of a
/// "ciphertext" says what an entry is. It is the second implementation of `Replica` beside the vault, and
/// does what the protocol asks in the plainest way.
struct MemoryReplica: Replica {
  enum Failure: Error, Hashable { case broken }

  enum Kind: UInt8 {
    case words = 0
    case admit, share, attachment
  }

  struct Log: Hashable {
    var held: HeldLog
    var leaves: [LeafData] = []
    var ciphertexts: [UInt64: [UInt8]] = [:]
    var slots: [UInt64: Set<Slot>] = [:]
    var receipts: [UInt64: [LogID: MemberReceipt]] = [:]
    var notes: [UInt64: [UInt8]] = [:]
  }

  let caseID: Bytes32
  let device: TestDevice
  let ownLog: LogID
  var stored: [LogID: Log] = [:]
  var knownStatements: Set<[UInt8]> = []
  var knownWraps: Set<[UInt8]> = []
  var knownForks: [LogID: ForkProof] = [:]
  var sealedBlobs: [BlobRoot: [UInt8]] = [:]
  var partialBlobs: [BlobRoot: [UInt8]] = [:]
  /// What may still stand in the mailbox.
  var erased: [ErasedItem] = []
  var attachments: [BlobRoot: UInt64] = [:]
  var ownBlobs: Set<BlobRoot> = []
  var knownShares: [EntryID: (log: LogID, sequences: [UInt64])] = [:]
  var privateEntries: Set<UInt64> = []
  var knownSuccessions: Set<[UInt8]> = []
  var clock: UInt64 = 1000
  /// Members that are none any more.
  var gone: Set<LogID> = []
  /// From here on every change fails, as of a store whose disk is full.
  var isBroken = false
  /// Counts how often statements, successions or wraps were handed over.
  var takings: Counter?
  /// Counts how often it was asked what is lacking of a log.
  var askings: Counter?
  /// Bytes of the longest blob for which there is room.
  var room = UInt64.max
  /// Entries handed out at once.
  var entriesAtOnce = 4096

  init(_ device: TestDevice, caseID: Bytes32, founder: TestDevice) {
    self.caseID = caseID
    self.device = device
    ownLog = device.identity(in: caseID).id
    admit(founder.signingKey.publicKey, founder.receiptKey.publicKey)
    admit(device.signingKey.publicKey, device.receiptKey.publicKey)
  }

  // MARK: What the tests do with it

  mutating func admit(_ key: VerifyingKey, _ receiptKey: VerifyingKey) {
    let identity = LogIdentity(caseID: caseID, key: key)
    if stored[identity.id] == nil {
      stored[identity.id] = Log(held: HeldLog(identity: identity, receiptKey: receiptKey))
    }
  }

  /// Appends entries to the own log and signs its new head once.
  mutating func append(_ ciphertexts: [[UInt8]], slots: Int = 1, isPrivate: Bool = false) {
    guard var log = stored[ownLog] else { return }
    for ciphertext in ciphertexts {
      let sequence = UInt64(log.leaves.count)
      let leaf = LeafData(
        sequence: sequence, classByte: ciphertext[0] == 0 ? 2 : 1,
        commitment: SHA256Hash.hash(ciphertext + [1]),
        ciphertextHash: WireEntry.hash(ciphertext: ciphertext))
      log.leaves.append(leaf)
      log.held.tree.append(leaf.hash)
      log.ciphertexts[sequence] = ciphertext
      if isPrivate { privateEntries.insert(sequence) }
      for number in 0..<slots {
        let slot = Slot(
          logID: ownLog, sequence: sequence, epoch: EntryID(SHA256Hash.hash([UInt8(number)])),
          box: [UInt8](repeating: UInt8(number), count: 48))
        log.slots[sequence, default: []].insert(slot)
      }
    }
    sign(&log)
    stored[ownLog] = log
    for index in (log.leaves.count - ciphertexts.count)..<log.leaves.count {
      interpret(
        log.leaves[index], ciphertexts[index - log.leaves.count + ciphertexts.count], of: ownLog)
    }
  }

  private func sign(_ log: inout Log) {
    let head = VerifiedCheckpoint(
      signing: device.signingKey, of: log.held.identity, size: log.held.size,
      root: log.held.tree.root)
    log.held.head = HeldHead(size: head.size, note: head.minimalBytes)
    log.notes[head.size] = head.minimalBytes
  }

  mutating func admit(_ other: TestDevice) {
    let keys = other.signingKey.publicKey.bytes + other.receiptKey.publicKey.bytes
    append([[Kind.admit.rawValue] + keys])
  }

  /// Shares own entries that were private.
  mutating func share(_ sequences: [UInt64]) {
    append([
      [Kind.share.rawValue, UInt8(sequences.count)]
        + sequences.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] }
        + [UInt8](repeating: 0, count: 40)
    ])
  }

  mutating func attach(_ sealed: [UInt8]) -> BlobRoot {
    let root = Self.root(of: sealed)
    sealedBlobs[root] = sealed
    ownBlobs.insert(root)
    let size = stride(from: 56, through: 0, by: -8).map {
      UInt8(truncatingIfNeeded: sealed.count >> $0)
    }
    append([[Kind.attachment.rawValue] + root.bytes + size])
    return root
  }

  static func root(of sealed: [UInt8]) -> BlobRoot {
    var tree = BlobTree()
    for start in stride(from: 0, to: sealed.count, by: BlobTree.spanByteCount) {
      let end = min(start + BlobTree.spanByteCount, sealed.count)
      sealed.withBytes { tree.append($0.extracting(start..<end)) }
    }
    return tree.root
  }

  mutating func interpret(_ leaf: LeafData, _ ciphertext: [UInt8], of log: LogID) {
    switch Kind(rawValue: ciphertext[0]) {
    case .admit where ciphertext.count == 65:
      if let key = try? VerifyingKey(Bytes32(Array(ciphertext[1..<33]))!),
        let receiptKey = try? VerifyingKey(Bytes32(Array(ciphertext[33..<65]))!)
      {
        admit(key, receiptKey)
      }
    case .share:
      let sequences = (0..<Int(ciphertext[1])).map {
        UInt64(ciphertext[2 + 2 * $0]) << 8 | UInt64(ciphertext[3 + 2 * $0])
      }
      knownShares[EntryID(log: log, leaf: leaf)] = (log, sequences)
    case .attachment where ciphertext.count == 41:
      let size = ciphertext[33...].reduce(0) { $0 << 8 | UInt64($1) }
      attachments[BlobRoot(Bytes32(Array(ciphertext[1..<33]))!)] = size
    default: break
    }
  }

  /// The own log in base32, as names of files have it.
  var name: String {
    String(decoding: ownLog.origin.utf8.dropFirst("cairn/".utf8.count), as: UTF8.self)
  }

  /// What copies are compared by: everything that all of them should have in the end.
  func digest() -> [String] {
    var lines: [String] = []
    for log in stored.values.sorted(by: { $0.held.id < $1.held.id }) {
      lines.append(
        "\(log.held.id.hex.prefix(8)) \(log.held.size) \(log.held.tree.root.hex.prefix(16))")
      let bodies = log.ciphertexts.keys.filter { log.held.id != ownLog || !isHidden($0) }
      lines.append("bodies \(bodies.sorted())")
      lines.append("slots \(bodies.reduce(0) { $0 + (log.slots[$1]?.count ?? 0) })")
    }
    lines.append("statements \(knownStatements.count) wraps \(knownWraps.count)")
    lines.append("successions \(knownSuccessions.count)")
    lines.append("blobs \(sealedBlobs.keys.sorted().map { $0.hex.prefix(8) })")
    lines.append("forks \(knownForks.keys.sorted().map { $0.hex.prefix(8) })")
    return lines
  }

  func isHidden(_ sequence: UInt64) -> Bool {
    privateEntries.contains(sequence)
      && !knownShares.values.contains { $0.log == ownLog && $0.sequences.contains(sequence) }
  }
}
