internal import Cryptography
public import VerifiableLog

/// What entries do to each other: amendments, retractions, takedown records, requests and their answers
/// (`Protocol/CaseLog.md`, "Entry"). A pure function of the entries that it is given, whatever their order;
/// nothing in it removes anything.
public struct EntryRelations: Sendable {
  /// One entry of the view: open, and no violation.
  public struct Entry: Hashable, Sendable {
    public let id: EntryID
    public let logID: LogID
    public let sequence: UInt64
    public let kind: EntryKind
    /// By the author's device.
    public let clock: UInt64
    public let author: Role
    public let content: EntryContent
    /// In view, and without effect on others.
    public let isDisputed: Bool

    public init(
      id: EntryID, logID: LogID, sequence: UInt64, kind: EntryKind, clock: UInt64, author: Role,
      content: EntryContent, isDisputed: Bool = false
    ) {
      self.id = id
      self.logID = logID
      self.sequence = sequence
      self.kind = kind
      self.clock = clock
      self.author = author
      self.content = content
      self.isDisputed = isDisputed
    }

    fileprivate var place: (LogID, UInt64) { (logID, sequence) }

    /// Which of two comes later, as far as clocks can tell.
    fileprivate func isLater(than other: Entry) -> Bool {
      (clock, logID, sequence) > (other.clock, other.logID, other.sequence)
    }
  }

  /// How far it has come to have one entry taken down at one place.
  public struct Takedown: Hashable, Sendable {
    /// Nil for a record that names no entry.
    public let about: EntryID?
    public let recipient: String?
    /// The record that tells the state.
    public let last: Entry
    public let step: EntryContent.Takedown.Step
    /// The newest that any record of it gave.
    public let reference: String?
    public let recordCount: Int
  }

  /// A request, and the answer that ended it.
  public struct Request: Hashable, Sendable {
    public let request: Entry
    public let answer: Entry?

    public var state: EntryContent.Request { answer?.content.request ?? .asked }
  }

  /// By (log id, sequence).
  public let entries: [Entry]
  private let indexes: [EntryID: Int]
  private let aboutEach: [EntryID: [Int]]
  /// The retraction that counts, for each entry that is taken back.
  private let retractions: [EntryID: Int]

  public init(_ unsorted: [Entry]) {
    let entries = unsorted.sorted { $0.place < $1.place }
    var indexes: [EntryID: Int] = [:]
    var aboutEach: [EntryID: [Int]] = [:]
    for (index, entry) in entries.enumerated() {
      indexes[entry.id] = index
      for target in entry.content.about where aboutEach[target]?.last != index {
        aboutEach[target, default: []].append(index)
      }
    }
    self.entries = entries
    self.indexes = indexes
    self.aboutEach = aboutEach
    retractions = Self.retractions(entries, indexes)
  }

  /// All that is directly about an entry, by (log id, sequence).
  public func entries(about id: EntryID) -> [Entry] {
    (aboutEach[id] ?? []).map { entries[$0] }
  }

  /// The retraction by which an entry is taken back; nil while it stands.
  public func retraction(of id: EntryID) -> Entry? { retractions[id].map { entries[$0] } }

  private func stands(_ entry: Entry) -> Bool {
    !entry.isDisputed && retractions[entry.id] == nil
  }

  // MARK: - Retractions

  /// An entry names others by their hash, so none can be about a later one: those that nothing takes back
  /// count, and what they take back does not count, and so on. Without recursion, since a chain can be long.
  private static func retractions(_ entries: [Entry], _ indexes: [EntryID: Int]) -> [EntryID: Int] {
    var targets = [[Int]](repeating: [], count: entries.count)
    var open = [Int](repeating: 0, count: entries.count)
    for (index, entry) in entries.enumerated() where entry.kind == .retract && !entry.isDisputed {
      for id in entry.content.about {
        guard let target = indexes[id], entries[target].author == .survivor,
          !targets[index].contains(target)
        else { continue }
        targets[index].append(target)
        open[target] += 1
      }
    }
    var result: [EntryID: Int] = [:]
    var settled = entries.indices.filter { open[$0] == 0 }
    while let index = settled.popLast() {
      let counts = result[entries[index].id] == nil
      for target in targets[index] {
        let id = entries[target].id
        if counts, result[id].map({ index < $0 }) ?? true { result[id] = index }
        open[target] -= 1
        if open[target] == 0 { settled.append(target) }
      }
    }
    return result
  }

  // MARK: - Takedowns

  /// The state at each place, for each entry, by the place of the first record.
  public var takedowns: [Takedown] {
    var places: [Place: Int] = [:]
    var records: [(place: Place, entries: [Entry])] = []
    for entry in entries where entry.kind == .takedown && stands(entry) {
      guard let takedown = entry.content.takedown else { continue }
      let about = entry.content.about.isEmpty ? [nil] : entry.content.about.map(Optional.some)
      for target in about {
        let place = Place(about: target, recipient: takedown.recipient)
        if let index = places[place] {
          if records[index].entries.last?.id != entry.id { records[index].entries.append(entry) }
        } else {
          places[place] = records.count
          records.append((place, [entry]))
        }
      }
    }
    return records.compactMap { place, entries in
      let byTime = entries.sorted { $1.isLater(than: $0) }
      guard let last = byTime.last, let step = last.content.takedown?.step else { return nil }
      var reference: String?
      for record in byTime { reference = record.content.takedown?.reference ?? reference }
      return Takedown(
        about: place.about, recipient: place.recipient, last: last, step: step,
        reference: reference, recordCount: byTime.count)
    }
  }

  private struct Place: Hashable {
    let about: EntryID?
    let recipient: String?
  }

  // MARK: - Requests

  /// All requests that stand, in the order of (log id, sequence).
  public var requests: [Request] {
    entries.compactMap { entry in
      guard entry.isRequest, stands(entry) else { return nil }
      let answers = entries(about: entry.id).filter { $0.isAnswer && stands($0) }
      return Request(request: entry, answer: answers.max { $1.isLater(than: $0) })
    }
  }
}

extension EntryRelations.Entry {
  /// Asks for something.
  public var isRequest: Bool { kind == .request && (content.request ?? .asked) == .asked }

  /// Says what became of a request.
  public var isAnswer: Bool { kind == .request && !isRequest }
}
