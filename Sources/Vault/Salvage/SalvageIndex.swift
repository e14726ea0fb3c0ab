internal import CaseLog
internal import Cryptography
internal import VerifiableLog

/// What the rows of a damaged vault tell of each other: where the large ones stand, and all of the small ones.
struct SalvageIndex {
  struct Leaf {
    let place: RowPlace
    let log: Int64
    let id: EntryID
    let hasCiphertext: Bool
  }
  struct Entry {
    let place: RowPlace
    let caseRef: Int64
  }
  struct Epoch {
    let id: EpochID
    let caseRef: Int64
    let audience: [UInt8]
    let sealedKey: [UInt8]
  }
  enum Erasure {
    case none, elsewhere, here
  }

  private(set) var cases: [Int64: (id: CaseID, name: String)] = [:]
  private(set) var logs: [Int64: (id: LogID, caseRef: Int64)] = [:]
  private(set) var leaves: [Int64: Leaf] = [:]
  private(set) var entries: [Int64: Entry] = [:]
  private(set) var blobs: [BlobRoot: RowPlace] = [:]
  private(set) var slots: [Int64: [(epoch: EpochID, box: [UInt8])]] = [:]
  private(set) var epochs: [Epoch] = []
  private(set) var names: [LogID: String] = [:]
  /// By the newest copies of pages only.
  private var isListedOpen: [Int64: Bool] = [:]
  private var erasures: [EntryID: Bool] = [:]
  /// Leaves of which two newest pages have a row, and not the same.
  private(set) var doubtful: Set<Int64> = []
  /// Further rows of entries on newest pages, where there is one already.
  private(set) var rivals: [Int64: [RowPlace]] = [:]

  /// Newest copies win over older ones, and the first over a second.
  mutating func note(_ place: RowPlace, _ row: SalvagedRow) {
    switch row {
    case .aCase(let ref, let id, let name): add(&cases, ref, (id, name), place)
    case .log(let ref, let id, let caseRef): add(&logs, ref, (id, caseRef), place)
    case .leaf(let ref, let log, let id, let hasCiphertext):
      let leaf = Leaf(place: place, log: log, id: id, hasCiphertext: hasCiphertext)
      if !place.isOld, let other = leaves[ref], !other.place.isOld,
        other.id != id || other.hasCiphertext != hasCiphertext
      {
        doubtful.insert(ref)
      }
      if leaves[ref].map({ $0.place.isOld && !place.isOld }) ?? true { leaves[ref] = leaf }
    case .entry(let ref, let caseRef):
      let entry = Entry(place: place, caseRef: caseRef)
      if !place.isOld, entries[ref]?.place.isOld == false { rivals[ref, default: []].append(place) }
      if entries[ref].map({ $0.place.isOld && !place.isOld }) ?? true { entries[ref] = entry }
    case .listing(let ref, let isOpen): if !place.isOld { isListedOpen[ref] = isOpen }
    case .blob(let root): add(&blobs, root, place, place)
    case .slot(let leaf, let epoch, let box): slots[leaf, default: []].append((epoch, box))
    case .epoch(let id, let caseRef, let audience, let sealedKey):
      epochs.append(Epoch(id: id, caseRef: caseRef, audience: audience, sealedKey: sealedKey))
    case .erasure(let id, let isDestroyed):
      // Also an older copy tells of something that was erased; what lost its effect since is the rarer case.
      erasures[id] = isDestroyed || erasures[id] == true
    case .memberName(let id, let name): add(&names, id, name, place)
    }
  }

  private func add<Key: Hashable, Value>(
    _ table: inout [Key: Value], _ key: Key, _ value: Value, _ place: RowPlace
  ) {
    if !place.isOld || table[key] == nil { table[key] = value }
  }

  /// Rows of entries, in the order in which they came into the vault.
  var numbers: [Int64] { Set(leaves.keys).union(entries.keys).sorted() }

  /// Whether an entry was erased, as far as rows tell. Its words may still stand on an older copy of a page.
  func erasure(of number: Int64) -> Erasure {
    let leaf = leaves[number]
    if let leaf, let isDestroyed = erasures[leaf.id] { return isDestroyed ? .here : .elsewhere }
    let isGone =
      isListedOpen[number] == false || leaf.map { !$0.place.isOld && !$0.hasCiphertext } ?? false
    let isOld = leaf?.place.isOld == true || entries[number]?.place.isOld == true
    return isOld && isGone ? .here : .none
  }
}
