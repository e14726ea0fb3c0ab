internal import Cryptography
internal import Dispatch
internal import Synchronization
internal import VerifiableLog

/// Seals attachments one after another, in bounded memory and on as many cores as there are.
///
/// A file passes in pieces of 1 MiB. A round takes one of them: it is hashed and its spans are sealed while the
/// piece before it is written and the piece after it is read. The jobs of a round are independent of each other.
final class BlobSealer {
  typealias Read = (inout [UInt8], Int) throws(VaultError) -> Int

  private let temporaryFolder: String
  /// The piece that is being sealed, and the one after it. Plaintext, so it is erased at the end.
  private var plain = room(for: Piece.byteCount)
  private var ahead = room(for: Piece.byteCount)
  private var touched = 0
  /// Where this round seals to, and what the round before sealed.
  private var sealed = room(for: Piece.sealedByteCount)
  private var waiting = room(for: Piece.sealedByteCount)
  private var leaves = [Bytes32](repeating: .zero, count: Piece.spanCount)

  init(temporaryFolder: String) { self.temporaryFolder = temporaryFolder }

  deinit {
    plain.erase(first: touched)
    ahead.erase(first: touched)
  }

  /// Memory that costs nothing until it is used: most attachments are far smaller than a piece.
  private static func room(for byteCount: Int) -> [UInt8] {
    unsafe [UInt8](unsafeUninitializedCapacity: byteCount) { _, count in count = byteCount }
  }

  /// Seals what `read` gives until it gives less than was asked for.
  ///
  /// A large blob is then under a temporary name and on its way to the medium: `BlobStore.commit` waits for it
  /// and gives it its own name.
  ///
  /// - Parameters:
  ///   - read: called once at a time, perhaps on another thread.
  ///   - onBytes: told how many bytes were read since it was told last; may throw to stop.
  func seal(
    _ read: Read, onBytes: (Int) throws(VaultError) -> Void
  ) throws(VaultError) -> NewBlob {
    var blob = BlobInWork()
    do throws(VaultError) {
      var piece = Piece(position: 0, contentCount: try read(&plain, Piece.byteCount))
      while true {
        blob.size += UInt64(piece.contentCount)
        touched = max(touched, piece.contentCount)
        guard blob.size <= 1 << 40 else { throw VaultError(.fileTooLarge) }
        try onBytes(piece.contentCount)
        piece.complete(&plain, ofContent: blob.size)
        let next = try run(piece, &blob, read)
        if piece.isLast { break }
        piece = Piece(after: piece, contentCount: next)
        swap(&plain, &ahead)
      }
      return try finish(&blob)
    } catch {
      if let file = blob.file { Folders.remove(file.path) }
      throw error
    }
  }

  /// One round; how many bytes it read ahead.
  private func run(
    _ piece: Piece, _ blob: inout BlobInWork, _ read: Read
  ) throws(VaultError) -> Int {
    if blob.waitingCount > 0, blob.file == nil { blob.file = try UnnamedFile(in: temporaryFolder) }
    var (hash, count) = (blob.hash, 0)
    var readFailure: VaultError?
    var writeFailure: VaultError?
    unsafe plain.withUnsafeBytes { plain in
      unsafe sealed.withUnsafeMutableBytes { sealed in
        unsafe leaves.withUnsafeMutableBufferPointer { leaves in
          Self.atOnce(3 + piece.spanCount) { job in
            switch job {
            case 0:
              guard !piece.endsContent else { return }
              do throws(VaultError) { count = try read(&ahead, Piece.byteCount) } catch {
                readFailure = error
              }
            case 1:
              do throws(VaultError) { try blob.write(waiting) } catch { writeFailure = error }
            case 2:
              unsafe hash.update(
                UnsafeRawBufferPointer(rebasing: plain[..<piece.contentCount]).bytes)
            default:
              let span = piece.span(job - 3)
              var output = unsafe UnsafeMutableRawBufferPointer(rebasing: sealed[span.sealed])
                .mutableBytes
              blob.cipher.seal(
                unsafe UnsafeRawBufferPointer(rebasing: plain[span.plain]).bytes, index: span.index,
                isLast: span.isLast, into: &output)
              unsafe leaves[job - 3] = BlobTree.leafHash(output.bytes)
            }
          }
        }
      }
    }
    if let failure = readFailure ?? writeFailure { throw failure }
    blob.hash = hash
    for leaf in leaves.prefix(piece.spanCount) { blob.tree.append(leafHash: leaf) }
    blob.waitingCount = piece.length + piece.spanCount * AEAD.tagByteCount
    blob.sealedSize += UInt64(blob.waitingCount)
    swap(&sealed, &waiting)
    return count
  }

  /// Does jobs 0 to `count - 1`, and returns when all are done.
  private static func atOnce(_ count: Int, _ job: (Int) -> Void) {
    // A piece of one span is done before another thread would wake up.
    guard count > 4 else { return (0..<count).forEach(job) }
    withoutActuallyEscaping(job) { job in
      // Whatever two jobs do at once is theirs alone; see where they are given.
      nonisolated(unsafe) let job = job
      DispatchQueue.concurrentPerform(iterations: count) { unsafe job($0) }
    }
  }

  private func finish(_ blob: inout BlobInWork) throws(VaultError) -> NewBlob {
    let isInline = blob.size <= BlobStore.inlineLimit
    if !isInline {
      if blob.file == nil { blob.file = try UnnamedFile(in: temporaryFolder) }
      try blob.write(waiting)
      blob.file?.beginToSynchronize()
    }
    return NewBlob(
      root: blob.tree.root, key: blob.key.copy(), size: blob.size, sha256: blob.hash.finalize(),
      sealedSize: blob.sealedSize,
      inline: isInline ? Array(waiting.prefix(blob.waitingCount)) : nil, file: blob.file)
  }
}

/// What has passed of a blob.
private struct BlobInWork: ~Copyable {
  let key: SecretKey
  let cipher: SpanCipher
  var hash = SHA256Hash()
  var tree = BlobTree()
  /// Bytes of the original.
  var size: UInt64 = 0
  var sealedSize: UInt64 = 0
  /// Bytes that are sealed and not written yet.
  var waitingCount = 0
  var file: UnnamedFile?

  init() {
    key = SecretKey.random()
    cipher = SpanCipher(key: key.derive(.blobSpans))
  }

  func write(_ waiting: [UInt8]) throws(VaultError) {
    guard waitingCount > 0 else { return }
    try waiting.withBytes { (bytes) throws(VaultError) in
      try file?.write(bytes.extracting(0..<waitingCount))
    }
  }
}

/// Sixteen spans of a blob's plaintext, or what is left of it: content, then zeros, then the content's length in eight
/// bytes (`Protocol/VaultFiles.md`, "Blobs").
private struct Piece {
  static let spanCount = 16
  static let byteCount = spanCount * SpanCipher.plaintextByteCount
  static let sealedByteCount = spanCount * SpanCipher.sealedByteCount

  let position: UInt64
  let contentCount: Int
  private(set) var length: Int
  private(set) var isLast = false

  /// A full piece is followed by more: at least by the length.
  var endsContent: Bool { contentCount < Piece.byteCount }
  var spanCount: Int { (length - 1) / SpanCipher.plaintextByteCount + 1 }

  init(position: UInt64, contentCount: Int) {
    self.position = position
    self.contentCount = contentCount
    length = contentCount
  }

  init(after piece: Piece, contentCount: Int) {
    self.init(position: piece.position + UInt64(piece.length), contentCount: contentCount)
  }

  /// Lays zeros and length behind the content's end, as far as they belong into this piece.
  mutating func complete(_ bytes: inout [UInt8], ofContent size: UInt64) {
    guard endsContent else { return }
    let end = Padme.paddedLength(size + 8) - position
    isLast = end <= UInt64(Piece.byteCount)
    length = Int(min(end, UInt64(Piece.byteCount)))
    for offset in contentCount..<length { bytes[offset] = 0 }
    for (index, byte) in zip(0..<8 as Range<UInt64>, size.bigEndianBytes)
    where end + index >= 8 && end + index - 8 < UInt64(length) {
      bytes[Int(end + index - 8)] = byte
    }
  }

  struct Span {
    let index: UInt64
    let isLast: Bool
    let plain: Range<Int>
    let sealed: Range<Int>
  }

  func span(_ number: Int) -> Span {
    let start = number * SpanCipher.plaintextByteCount
    let end = min(start + SpanCipher.plaintextByteCount, length)
    let sealedStart = number * SpanCipher.sealedByteCount
    return Span(
      index: position / UInt64(SpanCipher.plaintextByteCount) + UInt64(number),
      isLast: isLast && end == length, plain: start..<end,
      sealed: sealedStart..<(sealedStart + end - start + AEAD.tagByteCount))
  }
}

/// A file under construction, in a folder that is emptied at each opening. While it is brought to the medium, the next
/// one can be sealed.
final class UnnamedFile: Sendable {
  private static let queue = DispatchQueue(label: "synchronize")

  let path: String
  private let file: OpenFile
  private let group = DispatchGroup()
  private let failure = Mutex<VaultError?>(nil)

  init(in folder: String) throws(VaultError) {
    path = folder + "/" + Hex.encode(Randomness.bytes(8))
    file = try OpenFile(creating: path)
  }

  func write(_ bytes: RawSpan) throws(VaultError) { try file.write(bytes) }

  /// To be called once, after the last `write`.
  func beginToSynchronize() {
    Self.queue.async(group: group) {
      do throws(VaultError) { try self.file.synchronize() } catch {
        self.failure.withLock { $0 = error }
      }
    }
  }

  /// Returns once all of it is on the medium.
  func waitUntilSynchronized() throws(VaultError) {
    group.wait()
    if let failure = failure.withLock({ $0 }) { throw failure }
  }
}
