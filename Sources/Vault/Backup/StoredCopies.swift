internal import Cryptography
internal import GRDB
internal import Synchronization
internal import VerifiableLog

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// Sealed files from one folder of them into another: each is hashed as it passes, synced under a temporary
/// name and then renamed. Needs no key, and two are copied at once.
enum StoredCopies {
  private static let bufferByteCount = 16 * BlobTree.spanByteCount

  /// - Parameter files: by their paths in `target`.
  /// - Returns: what each file was where it came from, in their order. A damaged one is copied where nothing is
  ///   in its place: most of it may still be read one day. Its copy has another size than it should, so that it
  ///   is never taken for a whole one, and gives way to one.
  /// - Throws: what keeps `target` from being written, and what `onBytes` throws.
  @concurrent
  static func copy(
    _ files: [StoredFile], from source: BlobStore, to target: BlobStore,
    onBytes: @escaping @Sendable (Int) throws(VaultError) -> Void
  ) async throws(VaultError) -> [StoredFile.State] {
    let results: [Work.Result]
    let work = Work(files: files, source: source, target: target)
    do {
      results = try await withThrowingTaskGroup(of: [(Int, Work.Result)].self) { group in
        var results = [Work.Result](
          repeating: Work.Result(state: .missing, isWritten: false), count: files.count)
        let cursor = Cursor(count: files.count)
        for _ in 0..<min(StoredFiles.taskCount, files.count) {
          group.addTask {
            var done: [(Int, Work.Result)] = []
            while !Task.isCancelled, let index = cursor.next() {
              done.append((index, try work.copy(index, onBytes)))
            }
            return done
          }
        }
        for try await done in group {
          for (index, result) in done { results[index] = result }
        }
        return results
      }
      try target.synchronizeFolders(
        of: zip(files, results).filter { $1.isWritten }.map(\.0.root))
    } catch {
      throw error as? VaultError ?? VaultError(.inputOutput)
    }
    guard !Task.isCancelled else { throw VaultError(.cancelled) }
    return results.map(\.state)
  }

  private struct Work: Sendable {
    let files: [StoredFile]
    let source: BlobStore
    let target: BlobStore

    struct Result: Sendable {
      /// Of the original.
      let state: StoredFile.State
      let isWritten: Bool
    }

    func copy(
      _ index: Int, _ onBytes: (Int) throws(VaultError) -> Void
    ) throws(VaultError) -> Result {
      let file = files[index]
      let original: OpenFile
      do throws(VaultError) {
        original = try OpenFile(reading: source.path(of: file.root), followingLinks: false)
      } catch {
        return Result(state: try StoredFile.State(error), isWritten: false)
      }
      let temporary = target.temporaryPath()
      do throws(VaultError) {
        let isWhole = try write(file, from: original, to: temporary, onBytes)
        if !isWhole, Folders.exists(file.path) {
          Folders.remove(temporary)
          return Result(state: .damaged, isWritten: false)
        }
        try Folders.make(Folders.parent(of: file.path))
        try Folders.rename(temporary, to: file.path)
        return Result(state: isWhole ? .whole : .damaged, isWritten: true)
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
      let isWhole = isReadable && position == file.size && tree.root == file.root.raw
      if !isWhole, position == file.size { try copy.write([0]) }
      try copy.synchronize()
      copy.forgetPages()
      return isWhole
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
      cached: """
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
