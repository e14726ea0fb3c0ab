internal import Cryptography
internal import GRDB
internal import Synchronization
internal import VerifiableLog

#if canImport(Glibc)
  internal import Glibc
#endif

/// Sealed files from one folder of them into another: each is hashed as it passes, synced under a temporary
/// name and then renamed. Needs no key, and two are copied at once.
enum StoredCopies {
  private static let bufferByteCount = 16 * BlobTree.spanByteCount

  /// - Parameter files: by their paths in `target`.
  /// - Returns: what each file was where it came from, in their order. A damaged one is copied where nothing is
  ///   in its place: most of it may still be read one day.
  /// - Throws: what keeps `target` from being written, and what `onBytes` throws.
  @concurrent
  static func copy(
    _ files: [StoredFile], from source: BlobStore, to target: BlobStore,
    onBytes: @escaping @Sendable (Int) throws(VaultError) -> Void
  ) async throws(VaultError) -> [StoredFile.State] {
    let states: [StoredFile.State]
    let work = Work(files: files, source: source, target: target)
    do {
      states = try await withThrowingTaskGroup(of: [(Int, StoredFile.State)].self) { group in
        var states = [StoredFile.State](repeating: .whole, count: files.count)
        let cursor = Cursor(count: files.count)
        for _ in 0..<min(StoredFiles.taskCount, files.count) {
          group.addTask {
            var done: [(Int, StoredFile.State)] = []
            while !Task.isCancelled, let index = cursor.next() {
              done.append((index, try work.copy(index, onBytes)))
            }
            return done
          }
        }
        for try await done in group {
          for (index, state) in done { states[index] = state }
        }
        return states
      }
      try target.synchronizeFolders(
        of: zip(files, states).filter { $1 != .missing }.map(\.0.root))
    } catch {
      throw error as? VaultError ?? VaultError(.inputOutput)
    }
    return states
  }

  private struct Work: Sendable {
    let files: [StoredFile]
    let source: BlobStore
    let target: BlobStore

    func copy(
      _ index: Int, _ onBytes: (Int) throws(VaultError) -> Void
    ) throws(VaultError) -> StoredFile.State {
      let file = files[index]
      let original: OpenFile
      do throws(VaultError) {
        original = try OpenFile(reading: source.path(of: file.root), followingLinks: false)
      } catch {
        return try StoredFile.State(error)
      }
      let temporary = target.temporaryPath()
      do throws(VaultError) {
        let isWhole = try write(file, from: original, to: temporary, onBytes)
        if !isWhole, Folders.exists(file.path) {
          Folders.remove(temporary)
          return .damaged
        }
        try Folders.make(Folders.parent(of: file.path))
        try Folders.rename(temporary, to: file.path)
        return isWhole ? .whole : .damaged
      } catch {
        Folders.remove(temporary)
        throw error
      }
    }

    /// Whether all came that the name stands for.
    private func write(
      _ file: StoredFile, from original: borrowing OpenFile, to path: String,
      _ onBytes: (Int) throws(VaultError) -> Void
    ) throws(VaultError) -> Bool {
      let copy = try OpenFile(creating: path)
      var tree = CompactRange()
      var buffer = [UInt8](repeating: 0, count: StoredCopies.bufferByteCount)
      var position: UInt64 = 0
      var isReadable = true
      while position < file.size {
        let wanted = Int(min(UInt64(buffer.count), file.size - position))
        let count: Int
        do throws(VaultError) {
          count = try original.read(into: &buffer, at: position, count: wanted)
        } catch {
          // A place that the disk does not give: what is before it is kept.
          isReadable = false
          break
        }
        StoredFiles.append(buffer, count, to: &tree)
        try buffer.withBytes { (bytes) throws(VaultError) in
          try copy.write(bytes.extracting(0..<count))
        }
        position += UInt64(count)
        try onBytes(count)
        if count < wanted { break }
      }
      try copy.synchronize()
      copy.forgetPages()
      return isReadable && position == file.size && tree.root == file.root.raw
    }
  }

  private final class Cursor: Sendable {
    private let count: Int
    private let index = Atomic(0)
    init(count: Int) { self.count = count }

    func next() -> Int? {
      let (index, _) = index.add(1, ordering: .relaxed)
      return index < count ? index : nil
    }
  }

  /// The attachments that a database says are files of their own and are there, by their paths in `blobs`.
  static func named(by db: Database, in blobs: BlobStore) throws -> [StoredFile] {
    try Row.fetchAll(
      db,
      sql: """
        SELECT b.root, b.sealed_size, min(l.entry_id) AS entry_id FROM blob b
        JOIN attachment a ON a.blob_ref = b.id JOIN leaf l ON l.id = a.entry_ref
        WHERE b.content IS NULL AND b.is_present = 1 GROUP BY b.id
        """
    ).map { row in
      let root: BlobRoot = try row.identifier("root")
      return StoredFile(
        root: root, size: row.number("sealed_size"), path: blobs.path(of: root),
        entry: try row.identifier("entry_id"))
    }
  }
}

extension OpenFile {
  /// So that reading it back asks the disk, as far as the system does what it is asked.
  func forgetPages() {
    #if os(Linux)
      _ = posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED)
    #endif
  }
}
