internal import CaseLog
internal import Cryptography
internal import Synchronization
internal import VerifiableLog

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// A sealed attachment that is a file of its own, as its row describes it.
struct StoredFile: Sendable {
  enum State: Sendable { case whole, damaged, missing }

  let root: BlobRoot
  let size: UInt64
  let path: String
  /// The first entry that names it.
  let entry: EntryID

  /// Whether there is a file of the right size; its bytes are not read.
  func presence() throws(VaultError) -> State { try State(at: path, size: size) }
}

extension StoredFile.State {
  /// Whether there is a file of that size; its bytes are not read.
  init(at path: String, size: UInt64) throws(VaultError) {
    do throws(VaultError) {
      let status = try OpenFile(reading: path, followingLinks: false).status()
      self = status.isRegular && status.size == size ? .whole : .damaged
    } catch {
      self = try StoredFile.State(error)
    }
  }

  /// What not being able to read a file says of it.
  init(_ error: VaultError) throws(VaultError) {
    switch error.code {
    case .fileMissing: self = .missing
    case .inputOutput, .fileUnreadable, .notAFile: self = .damaged
    default: throw error
    }
  }
}

/// Reads sealed files whole and compares them with their names. That needs neither key nor database, so it is done
/// outside of the vault's actor, and by several threads: also within a file, since the tree over its spans falls
/// into subtrees.
enum StoredFiles {
  /// Spans of one piece: a power of two, so that a piece is a subtree. 64 MiB.
  fileprivate static let spansOfPiece: UInt64 = 1024
  fileprivate static let pieceByteCount = spansOfPiece * UInt64(BlobTree.spanByteCount)
  /// Spans that are read at once, and so about the memory of a thread: 1 MiB.
  private static let spansAtOnce = 16

  /// As many as there are processors, and not more than a disk likes.
  static var taskCount: Int { min(4, max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

  /// What has become of each file, in their order.
  ///
  /// - Throws: what `onBytes` throws.
  @concurrent
  static func read(
    _ files: [StoredFile], tasks: Int = taskCount,
    onBytes: @escaping @Sendable (Int) throws(VaultError) -> Void
  ) async throws(VaultError) -> [StoredFile.State] {
    let reading = StoredReading(files)
    do {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<min(tasks, files.count) {
          group.addTask { try work(reading, onBytes) }
        }
        try await group.waitForAll()
      }
    } catch {
      throw error as? VaultError ?? VaultError(.inputOutput)
    }
    // Then not all were read.
    guard !Task.isCancelled else { throw VaultError(.cancelled) }
    return reading.states
  }

  private static func work(
    _ reading: StoredReading, _ onBytes: (Int) throws(VaultError) -> Void
  ) throws(VaultError) {
    var buffer = [UInt8](repeating: 0, count: spansAtOnce * BlobTree.spanByteCount)
    while !Task.isCancelled, let piece = reading.next() {
      do throws(VaultError) {
        let file = try OpenFile(reading: piece.file.path, followingLinks: false)
        guard try file.status().size == piece.file.size else { throw VaultError(.fileUnreadable) }
        reading.finish(piece, try root(of: piece.bytes, in: file, &buffer, onBytes))
      } catch {
        reading.finish(piece, as: try StoredFile.State(error))
      }
    }
  }

  /// The root over the spans in these bytes.
  static func root(
    of bytes: Range<UInt64>, in file: borrowing OpenFile, _ buffer: inout [UInt8],
    _ onBytes: (Int) throws(VaultError) -> Void
  ) throws(VaultError) -> Bytes32 {
    var tree = CompactRange()
    var position = bytes.lowerBound
    while position < bytes.upperBound {
      let wanted = Int(min(UInt64(buffer.count), bytes.upperBound - position))
      let count = try file.read(into: &buffer, at: position, count: wanted)
      guard count == wanted else { throw VaultError(.fileUnreadable) }
      append(buffer, count, to: &tree)
      position += UInt64(count)
      try onBytes(count)
    }
    return tree.root
  }

  /// The name of sealed bytes.
  static func root(of bytes: [UInt8]) -> BlobRoot {
    var tree = CompactRange()
    append(bytes, bytes.count, to: &tree)
    return BlobRoot(tree.root)
  }

  /// Adds the spans in the first `count` bytes.
  static func append(_ bytes: [UInt8], _ count: Int, to tree: inout CompactRange) {
    bytes.withBytes { bytes in
      for start in stride(from: 0, to: count, by: BlobTree.spanByteCount) {
        let end = min(start + BlobTree.spanByteCount, count)
        tree.append(BlobTree.leafHash(bytes.extracting(start..<end)))
      }
    }
  }
}

/// Files on their way: which piece is next, and what the pieces that were read came to.
private final class StoredReading: Sendable {
  struct Piece {
    let file: StoredFile
    let index: Int
    let number: Int
    let bytes: Range<UInt64>
  }

  private struct Progress {
    var roots: [Bytes32?]
    var left: Int
  }

  private struct State {
    var file = 0
    var piece = 0
    /// Of files of which some pieces were given out, and not all came back.
    var open: [Int: Progress] = [:]
    var states: [StoredFile.State]
  }

  private let files: [StoredFile]
  private let state: Mutex<State>

  init(_ files: [StoredFile]) {
    self.files = files
    state = Mutex(State(states: [StoredFile.State](repeating: .whole, count: files.count)))
  }

  var states: [StoredFile.State] { state.withLock { $0.states } }

  func next() -> Piece? {
    state.withLock { state in
      guard state.file < files.count else { return nil }
      let file = files[state.file]
      let count = Int(
        max(1, (file.size + StoredFiles.pieceByteCount - 1) / StoredFiles.pieceByteCount))
      let start = UInt64(state.piece) * StoredFiles.pieceByteCount
      let piece = Piece(
        file: file, index: state.file, number: state.piece,
        bytes: start..<min(file.size, start + StoredFiles.pieceByteCount))
      if state.piece == 0 {
        state.open[state.file] = Progress(
          roots: [Bytes32?](repeating: nil, count: count), left: count)
      }
      state.piece += 1
      if state.piece == count {
        state.file += 1
        state.piece = 0
      }
      return piece
    }
  }

  func finish(_ piece: Piece, _ root: Bytes32) {
    state.withLock { state in
      state.open[piece.index]?.roots[piece.number] = root
      settle(&state, piece)
    }
  }

  func finish(_ piece: Piece, as bad: StoredFile.State) {
    state.withLock { state in
      state.states[piece.index] = bad
      settle(&state, piece)
    }
  }

  private func settle(_ state: inout State, _ piece: Piece) {
    state.open[piece.index]?.left -= 1
    guard let progress = state.open[piece.index], progress.left == 0 else { return }
    state.open[piece.index] = nil
    guard state.states[piece.index] == .whole else { return }
    // Whole subtrees take the place of leaves: the tree over them has the same shape.
    var tree = CompactRange()
    for root in progress.roots.compactMap({ $0 }) { tree.append(root) }
    if tree.root != piece.file.root.raw { state.states[piece.index] = .damaged }
  }
}

extension BlobStore {
  /// The files of attachments that are there, by path.
  func storedPaths() throws(VaultError) -> [String] {
    var paths: [String] = []
    for name in try Folders.names(in: folder)
    where name.utf8.count == 2 && Folders.isReal(folder + "/" + name) {
      for file in try Folders.names(in: folder + "/" + name) {
        paths.append(folder + "/" + name + "/" + file)
      }
    }
    return paths
  }
}
