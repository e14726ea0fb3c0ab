internal import Dispatch
internal import Synchronization

/// Reads, hashes and seals the files of entries ahead of their saving, two entries at once: while one waits for
/// its disk, the other computes, and while some are saved, the next are sealed. What comes out is in the order in
/// which it was begun.
final class SealingAhead {
  /// Entries that were begun and not taken: what keeps two cores busy for as long as saving takes.
  private static let width = 32

  /// Seals one entry after another, in the same memory: nothing but its queue's work uses the sealer.
  private final class Lane: @unchecked Sendable {
    private let sealer: BlobSealer
    private let queue = DispatchQueue(label: "seal")

    init(temporaryFolder: String) { sealer = BlobSealer(temporaryFolder: temporaryFolder) }

    func run(_ work: SealingInWork) {
      queue.async(group: work.group) { work.run(self.sealer) }
    }
  }

  private let store: BlobStore
  private let lanes: [Lane]
  private var lane = 0
  /// Signalled whenever more was read, and whenever one is done.
  private let news = DispatchSemaphore(value: 0)
  private var pending: [SealingInWork] = []

  init(store: BlobStore) {
    self.store = store
    lanes = (0..<2).map { _ in Lane(temporaryFolder: store.temporaryFolder) }
  }

  // What was begun and is not wanted any more leaves nothing behind.
  deinit {
    for work in pending { work.isStopped.store(true, ordering: .relaxed) }
    for work in pending {
      if case .success(let addition) = work.wait() { addition.discard(from: store) }
    }
  }

  var isFull: Bool { pending.count >= Self.width }
  /// Of the entry that comes out next.
  var firstIndex: Int? { pending.first?.index }

  /// An entry that was found to be impossible before it was begun: it comes out in its turn.
  func fail(_ entry: NewEntry, _ index: Int, _ error: VaultError) {
    pending.append(SealingInWork(entry, index, store: store, news: news, failure: error))
  }

  func begin(_ entry: NewEntry, _ index: Int) {
    let work = SealingInWork(entry, index, store: store, news: news)
    pending.append(work)
    // Text alone is sealed where it is saved.
    guard !entry.sources.isEmpty else { return work.finishWithoutFiles() }
    lanes[lane].run(work)
    lane = (lane + 1) % lanes.count
  }

  /// The first of those that were begun, once it is sealed.
  ///
  /// - Parameter onBytes: told how many bytes were read since it was told last, of this entry and of the next; may
  ///   throw to stop. It is asked once more when the entry was read to its end: that of a stream may be no true one.
  func takeFirst(
    onBytes: (Int) throws(VaultError) -> Void
  ) throws(VaultError) -> SealedAddition {
    let work = pending[0]
    while !work.isDone.load(ordering: .acquiring) {
      news.wait()
      try tell(onBytes)
    }
    try tell(onBytes)
    try onBytes(0)
    pending.removeFirst()
    let result = work.wait()
    return try result.get()
  }

  private func tell(_ onBytes: (Int) throws(VaultError) -> Void) throws(VaultError) {
    for work in pending {
      let count = work.bytes.exchange(0, ordering: .relaxed)
      if count > 0 { try onBytes(count) }
    }
  }
}

/// The sealing of one entry, on whatever thread. That thread alone writes the result, which is read once it has left
/// `group`.
private final class SealingInWork: @unchecked Sendable {
  let group = DispatchGroup()
  let isDone: Atomic<Bool>
  let bytes = Atomic<Int>(0)
  let isStopped = Atomic<Bool>(false)
  private let entry: NewEntry
  let index: Int
  private let store: BlobStore
  private let news: DispatchSemaphore
  private var result: Result<SealedAddition, VaultError>

  /// - Parameter failure: of one that is not to be run.
  init(
    _ entry: NewEntry, _ index: Int, store: BlobStore, news: DispatchSemaphore,
    failure: VaultError? = nil
  ) {
    result = .failure(failure ?? VaultError(.cancelled))
    isDone = Atomic(failure != nil)
    self.news = news
    self.entry = entry
    self.index = index
    self.store = store
  }

  func wait() -> Result<SealedAddition, VaultError> {
    group.wait()
    return result
  }

  func finishWithoutFiles() {
    result = .success(SealedAddition(index: index, entry: entry, files: []))
    isDone.store(true, ordering: .releasing)
    news.signal()
  }

  func run(_ sealer: BlobSealer) {
    var files: [SealedFile] = []
    do throws(VaultError) {
      if isStopped.load(ordering: .relaxed) { throw VaultError(.cancelled) }
      for source in entry.sources { files.append(try seal(source, sealer)) }
      result = .success(SealedAddition(index: index, entry: entry, files: files))
    } catch {
      // What was sealed is gone again if one fails.
      SealedAddition(index: index, entry: entry, files: files).discard(from: store)
      result = .failure(error)
    }
    isDone.store(true, ordering: .releasing)
    news.signal()
  }

  private func seal(
    _ source: NewEntry.Source, _ sealer: BlobSealer
  ) throws(VaultError) -> SealedFile {
    let reader = try SourceReader(source)
    if entry.isWithoutContent {
      let digest = try reader.digest(onBytes: tell)
      return SealedFile(
        digest: digest, mediaType: reader.mediaType, name: reader.name, blob: nil)
    }
    let blob = try sealer.seal(
      { (buffer, count) throws(VaultError) in try reader.read(into: &buffer, count: count) },
      onBytes: tell)
    do throws(VaultError) {
      try reader.checkUnchanged(size: blob.size)
    } catch {
      store.discard(blob)
      throw error
    }
    return SealedFile(
      digest: (blob.size, blob.sha256), mediaType: reader.mediaType, name: reader.name,
      blob: NewBlobBox(blob))
  }

  private func tell(_ count: Int) throws(VaultError) {
    bytes.add(count, ordering: .relaxed)
    news.signal()
    if isStopped.load(ordering: .relaxed) { throw VaultError(.cancelled) }
  }
}
