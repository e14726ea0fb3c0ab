import CaseLog
import Cryptography
import VerifiableLog

@testable import Sync

/// A copy of the case that keeps what an exchange tells it to, and holds each thing it is told to what was promised
/// of it: a range that connects, a body that its leaf names, spans of a blob in their order.
struct FuzzReplica: Replica {
  typealias Failure = Broken

  static let share = EntryID(SHA256Hash.hash([3]))
  static let sealed = [UInt8](repeating: 5, count: 100)
  static let blob: WantedBlob = {
    var tree = BlobTree()
    tree.append(sealed)
    return WantedBlob(root: tree.root, byteCount: UInt64(sealed.count))
  }()
  static let body: [UInt8] = [UInt8](repeating: 1, count: 60)

  let caseID = FuzzCase.shared.caseID.raw
  let ownLog = FuzzCase.shared.survivor.id
  var heldLogs: [LogID: HeldLog] = [:]
  var leaves: [LogID: [LeafData]] = [:]
  private var spans: [UInt8] = []
  private var items: Set<[UInt8]> = []
  private var knownForks: [LogID: ForkProof] = [:]
  private var received: Set<Body> = []

  /// Each member has three entries, and signed for them.
  init() {
    for device in [FuzzCase.shared.survivor, FuzzCase.shared.advocate] {
      var log = HeldLog(identity: device.identity, receiptKey: device.receipt.publicKey)
      leaves[device.id] = (0..<3).map { sequence in
        LeafData(
          sequence: UInt64(sequence), classByte: 3, commitment: SHA256Hash.hash([UInt8(sequence)]),
          ciphertextHash: WireEntry.hash(ciphertext: FuzzReplica.body))
      }
      for leaf in leaves[device.id] ?? [] { log.tree.append(leaf.hash) }
      log.head = HeldHead(size: log.size, note: device.head(log.tree).minimalBytes)
      heldLogs[device.id] = log
    }
  }

  func logs() throws(Broken) -> [HeldLog] { heldLogs.values.sorted { $0.id < $1.id } }

  func leaves(of log: LogID, in run: Range<UInt64>) throws(Broken) -> [LeafData] {
    let held = leaves[log] ?? []
    try hold(run.upperBound <= UInt64(held.count), "only leaves that are held are asked for")
    return Array(held[Int(run.lowerBound)..<Int(run.upperBound)])
  }

  func entries(
    of log: LogID, in run: Range<UInt64>, byteBudget: Int
  ) throws(Broken) -> [WireEntry] {
    try leaves(of: log, in: run).map { leaf in
      WireEntry(
        classByte: leaf.classByte, commitment: leaf.commitment, content: .hash(leaf.ciphertextHash))
    }
  }

  func passableSize(of log: LogID) throws(Broken) -> UInt64 { heldLogs[log]?.size ?? 0 }

  mutating func accept(_ range: VerifiedRange) throws(Broken) -> Bool {
    guard var log = heldLogs[range.logID], let held = leaves[range.logID] else {
      throw Broken(promise: "only a member's log")
    }
    try hold(range.sizeBefore == log.size, "from where the log ends")
    for (leaf, next) in zip(range.entries, range.entries.dropFirst()) {
      try hold(leaf.leaf.sequence + 1 == next.leaf.sequence, "without a gap")
    }
    for entry in range.entries {
      if entry.leaf.sequence < log.size {
        try hold(held[Int(entry.leaf.sequence)] == entry.leaf, "what is held stays")
      }
      guard let bytes = entry.ciphertext else { continue }
      try hold(WireEntry.hash(ciphertext: bytes) == entry.leaf.ciphertextHash, "as its leaf says")
    }
    let grown = held + range.newEntries.map(\.leaf)
    var tree = CompactRange()
    for leaf in grown { tree.append(leaf.hash) }
    try hold(tree == range.tree, "the tree is that of its leaves")
    guard !range.newEntries.isEmpty else { return false }
    try hold(range.checkpoint.map { $0.log.id == range.logID } ?? false, "and it is signed")
    leaves[range.logID] = grown
    log.tree = tree
    if let head = range.head { log.head = HeldHead(size: head.size, note: head.minimalBytes) }
    heldLogs[range.logID] = log
    return true
  }

  func lacking(of log: LogID) throws(Broken) -> [Range<UInt64>] { [0..<SyncLimits.entriesOfLog] }

  func awaitedDevices() throws(Broken) -> Set<LogID> { Set(try logs().map(\.id)) }

  func heads() throws(Broken) -> [SignedHead] {
    try logs().compactMap { log in
      log.head.map { SignedHead(signingKey: log.identity.key.raw, note: $0.note) }
    }
  }

  mutating func accept(_ head: VerifiedHead) throws(Broken) -> Bool {
    let id = head.checkpoint.log.id
    let root = accepted {
      try InMemoryTree((leaves[id] ?? []).map(\.hash)).root(size: head.checkpoint.size)
    }
    try hold(root == head.checkpoint.root, "a head is of the tree that is held")
    for receipt in head.receipts {
      try hold(receipt.receipt.checkpoint == head.checkpoint.checkpoint, "with receipts on it")
    }
    return false
  }

  mutating func giveReceipts() throws(Broken) {}
  func forks() throws(Broken) -> [ForkProof] { knownForks.values.sorted { $0.log.id < $1.log.id } }

  mutating func accept(_ fork: ForkProof) throws(Broken) -> Bool {
    try hold(fork.log.id != ownLog, "who signs one history is not shown to have forked")
    let known = knownForks[fork.log.id]
    guard known.map(fork.isBetter) ?? true else { return false }
    knownForks[fork.log.id] = fork
    return true
  }

  func erasedItems() throws(Broken) -> [ErasedItem] { [] }
  func statements() throws(Broken) -> [[UInt8]] { [] }
  mutating func accept(statements: [[UInt8]]) throws(Broken) -> StatementOutcome {
    StatementOutcome(changed: try add(statements, 4096), hasForged: false)
  }
  func successions() throws(Broken) -> [[UInt8]] { [] }
  mutating func accept(successions: [[UInt8]]) throws(Broken) -> Bool {
    try add(successions, 4096)
  }
  func wraps(atMost count: Int) throws(Broken) -> [[UInt8]] { [] }
  mutating func accept(wrapsOfStranger wraps: [[UInt8]]) throws(Broken) -> Bool {
    try add(wraps, 256)
  }
  mutating func accept(wraps: [[UInt8]]) throws(Broken) -> Bool { try add(wraps, 256) }

  private mutating func add(_ new: [[UInt8]], _ limit: Int) throws(Broken) -> Bool {
    try hold(new.allSatisfy { $0.count <= limit && CBORTree($0) != nil }, "each is one small item")
    let before = items.count
    items.formUnion(new)
    return items.count > before
  }

  func shares() throws(Broken) -> [HeldShare] { [] }
  func wantedShares() throws(Broken) -> [EntryID] { [FuzzReplica.share] }

  func content(
    of share: EntryID, from index: Int, byteBudget: Int
  ) throws(Broken) -> ShareContent {
    ShareContent(slots: [], bodies: [], nextIndex: nil)
  }

  mutating func accept(slots: [Slot]) throws(Broken) -> Bool {
    for slot in slots {
      try hold(slot.sequence < heldLogs[slot.logID]?.size ?? 0, "a slot is of a leaf that is held")
      try hold(slot.box.count == Slot.byteCount, "and has its length")
    }
    return false
  }

  mutating func accept(bodies: [Body]) throws(Broken) -> Bool {
    let before = received.count
    for body in bodies {
      let leaf = try leaves(of: body.logID, in: body.sequence..<(body.sequence + 1)).first
      try hold(
        leaf?.ciphertextHash == WireEntry.hash(ciphertext: body.ciphertext),
        "a body is the one that its leaf names")
    }
    received.formUnion(bodies)
    return received.count > before
  }

  func blobs() throws(Broken) -> [HeldBlob] { [] }
  func wantedBlobs() throws(Broken) -> [WantedBlob] { [FuzzReplica.blob] }
  func spans(_ run: Range<UInt64>, of blob: BlobRoot) throws(Broken) -> [UInt8]? { [] }
  func heldSpans(of blob: WantedBlob) throws(Broken) -> UInt64 { spans.isEmpty ? 0 : 1 }

  mutating func append(_ spans: VerifiedSpans) throws(Broken) -> Bool {
    try hold(spans.first == 0 && self.spans.isEmpty, "spans come in their order")
    self.spans = spans.bytes
    return true
  }

  mutating func finish(_ blob: WantedBlob) throws(Broken) -> Bool {
    try hold(spans == FuzzReplica.sealed, "a blob is whole when it is said to be")
    spans = []
    return true
  }
}
