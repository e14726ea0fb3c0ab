internal import Cryptography
internal import Sync
internal import VerifiableLog

// A blob's file: u64 length of the sealed blob ‖ span hashes ‖ sealed spans.

/// Where everything lies in a blob's file.
private struct BlobFileLayout {
  let blob: BlobLayout
  private static let headByteCount: UInt64 = 8

  init?(byteCount: UInt64) {
    guard let blob = BlobLayout(byteCount: byteCount) else { return nil }
    self.blob = blob
  }

  private var spansOffset: UInt64 {
    BlobFileLayout.headByteCount + blob.spanCount * UInt64(Bytes32.byteCount)
  }

  var fileByteCount: UInt64 { spansOffset + blob.byteCount }

  func hashes(_ run: Range<UInt64>) -> Range<UInt64> {
    let size = UInt64(Bytes32.byteCount)
    let start = BlobFileLayout.headByteCount + run.lowerBound * size
    return start..<(start + UInt64(run.count) * size)
  }

  func spans(_ run: Range<UInt64>) -> Range<UInt64> {
    let bytes = blob.bytes(of: run)
    return (spansOffset + bytes.lowerBound)..<(spansOffset + bytes.upperBound)
  }

  /// Spans that are read or written at once: 1 MiB.
  static let spansOfPiece: UInt64 = 16

  /// A run of spans in pieces.
  static func pieces(_ run: Range<UInt64>) -> [Range<UInt64>] {
    stride(from: run.lowerBound, to: run.upperBound, by: Int(spansOfPiece)).map {
      $0..<Swift.min($0 + spansOfPiece, run.upperBound)
    }
  }
}

extension File {
  fileprivate func read(_ place: Range<UInt64>) throws(MailboxError) -> [UInt8] {
    try read(at: place.lowerBound, count: Int(place.upperBound - place.lowerBound))
  }
}

// MARK: - Reading

extension FolderExchange {
  /// Takes in the blobs that are wanted, from whoever has them.
  mutating func readBlobs(_ root: borrowing Folder, into replica: inout R) throws(Failure) {
    let wanted: [WantedBlob]
    do { wanted = try replica.wantedBlobs() } catch { throw .replica(error) }
    for blob in wanted {
      let name = FileName.blob(blob.root)
      for index in parts.indices where parts[index].has(name) {
        let outcome = try read(blob, part: index, root, into: &replica)
        if outcome == .whole { blobsReceived += 1 }
        if outcome == .whole || outcome == .withoutRoom { break }
      }
    }
  }

  /// Takes in what a device has of a blob.
  private mutating func read(
    _ blob: WantedBlob, part index: Int, _ root: borrowing Folder, into replica: inout R
  ) throws(Failure) -> BlobOutcome {
    let device = parts[index].name.logID
    let file: File
    do throws(MailboxError) {
      file = try root.folder(parts[index].name.text).file(FileName.blob(blob.root).text)
    } catch {
      intake.note(.unreadable(.blob(blob.root)), of: device)
      return .unreadable
    }
    let outcome = try read(blob, file, into: &replica)
    switch outcome {
    // What was not kept was good as it came: it is still awaited, and the device that sent it has no part in that.
    case .whole, .notKept: return outcome
    case .withoutRoom:
      intake.note(.blobWithoutRoom(blob.root), of: ownLog)
      return outcome
    case .ofOtherLength:
      intake.note(.blobOfOtherLength(blob.root, claimed: blob.byteCount), of: device)
      return outcome
    case .unreadable: intake.note(.unreadable(.blob(blob.root)), of: device)
    case .damaged: intake.note(.damagedBlob(blob.root), of: device)
    case .damagedSpan(let span): intake.note(.damagedSpan(blob.root, index: span), of: device)
    }
    parts[index].damaged.insert(.blob(blob.root))
    return outcome
  }

  private enum BlobOutcome: Equatable {
    case whole
    case unreadable
    case damaged
    case damagedSpan(UInt64)
    /// The file is what its name says, and an entry says that it is longer or shorter.
    case ofOtherLength
    /// What is kept here is not what was read: nothing of it is left.
    case notKept
    /// The replica has no room for it.
    case withoutRoom
  }

  private func read(
    _ blob: WantedBlob, _ file: borrowing File, into replica: inout R
  ) throws(Failure) -> BlobOutcome {
    guard let layout = BlobFileLayout(byteCount: blob.byteCount),
      var verifier = BlobVerifier(blob)
    else { return .damaged }
    do throws(MailboxError) {
      guard try Self.byteCount(in: file) == blob.byteCount else {
        return try Self.isSound(file, blob.root) ? .ofOtherLength : .damaged
      }
      guard try Self.checkHashes(in: file, layout, &verifier) else { return .damaged }
    } catch {
      return .unreadable
    }
    let outcome = try readSpans(blob, file, layout, verifier, into: &replica)
    // An earlier exchange was cut off, and a power cut left gaps in what it had gathered: from the beginning.
    guard case .notKept = outcome else { return outcome }
    return try readSpans(blob, file, layout, verifier, into: &replica)
  }

  /// How long a blob's file says that the blob is.
  private static func byteCount(in file: borrowing File) throws(MailboxError) -> UInt64 {
    UInt64(bigEndianBytes: try file.read(at: 0, count: 8))
  }

  /// Whether the hashes in a blob's file lead to its name.
  private static func checkHashes(
    in file: borrowing File, _ layout: BlobFileLayout, _ verifier: inout BlobVerifier
  ) throws(MailboxError) -> Bool {
    for run in 0..<verifier.runCount {
      verifier.add(run: try file.read(layout.hashes(verifier.indices(ofRun: run))))
    }
    return verifier.check()
  }

  /// Whether a file is the one that its name says, as long as it says itself: its hashes lead to its name, and its last
  /// span, on which its length hangs, to the last of them.
  private static func isSound(
    _ file: borrowing File, _ root: BlobRoot
  ) throws(MailboxError) -> Bool {
    let byteCount = try byteCount(in: file)
    guard let layout = BlobFileLayout(byteCount: byteCount),
      var verifier = BlobVerifier(WantedBlob(root: root, byteCount: byteCount)),
      layout.fileByteCount <= file.byteCount, try checkHashes(in: file, layout, &verifier)
    else { return false }
    let run = verifier.runCount - 1
    let last = layout.blob.spanCount - 1
    let joined = try file.read(layout.hashes(verifier.indices(ofRun: run)))
    guard let hashes = verifier.hashes(ofRun: run, joined) else { return false }
    let span = try file.read(layout.spans(last..<last + 1))
    return verifier.verify(span, first: last, hashes: hashes).spans?.count == 1
  }

  /// Adds the spans that are lacking, up to the first that is damaged.
  private func readSpans(
    _ blob: WantedBlob, _ file: borrowing File, _ layout: BlobFileLayout, _ verifier: BlobVerifier,
    into replica: inout R
  ) throws(Failure) -> BlobOutcome {
    var held: UInt64
    do { held = try replica.heldSpans(of: blob) } catch { throw .replica(error) }
    let first = held / BlobVerifier.runLength
    for run in first..<max(first, verifier.runCount) {
      let indices = verifier.indices(ofRun: run)
      let joined: [UInt8]
      do throws(MailboxError) { joined = try file.read(layout.hashes(indices)) } catch {
        return .unreadable
      }
      guard let hashes = verifier.hashes(ofRun: run, joined) else { return .damaged }
      for piece in BlobFileLayout.pieces(max(held, indices.lowerBound)..<indices.upperBound) {
        try goOn(.reading)
        let bytes: [UInt8]
        do throws(MailboxError) { bytes = try file.read(layout.spans(piece)) } catch {
          return .unreadable
        }
        let (spans, _) = verifier.verify(bytes, first: piece.lowerBound, hashes: hashes)
        do {
          if let spans, try !replica.append(spans) { return .withoutRoom }
        } catch {
          throw .replica(error)
        }
        held = piece.lowerBound + (spans?.count ?? 0)
        guard held == piece.upperBound else { return .damagedSpan(held) }
      }
    }
    do { return try replica.finish(blob) ? .whole : .notKept } catch { throw .replica(error) }
  }
}

// MARK: - Writing

extension FolderExchange {
  /// Writes own blobs that the own subfolder lacks, and others' that no subfolder has. One that cannot be
  /// written, since the medium is too small for it or this device has lost it, is noted; the rest goes on.
  mutating func writeBlobs(
    _ folder: borrowing Folder, _ replica: R
  ) throws(Failure) -> Bool {
    var written = false
    for blob in try pendingBlobs(replica) {
      guard let layout = BlobFileLayout(byteCount: blob.byteCount) else { continue }
      var obstacle: Finding.Kind?
      do throws(Failure) {
        if try !write(blob, layout, folder, replica) { obstacle = .blobLost(blob.root) }
      } catch {
        guard case .mailbox(.full) = error else { throw error }
        obstacle = .blobNotWritten(blob.root)
      }
      if let obstacle {
        intake.note(obstacle, of: ownLog)
        try Failure.mailbox { () throws(MailboxError) in
          try folder.remove(FileName.blob(blob.root).temporaryText)
        }
      } else {
        blobsSent += 1
        written = true
      }
    }
    return written
  }

  /// Whether a blob's file is as long as its first bytes say, and has its end: a file that a power cut left with its
  /// length, and with zeros where its content was to come, has none.
  static func isWholeBlob(_ file: borrowing File) throws(MailboxError) -> Bool {
    guard let layout = BlobFileLayout(byteCount: try byteCount(in: file)),
      layout.fileByteCount == file.byteCount
    else { return false }
    // No sealed span ends like that.
    return try file.read(at: file.byteCount - 16, count: 16).contains { $0 != 0 }
  }

  /// The blobs that are to be written, each once, however many entries name it.
  func pendingBlobs(_ replica: R) throws(Failure) -> [HeldBlob] {
    let blobs: [HeldBlob]
    do { blobs = try replica.blobs() } catch { throw .replica(error) }
    var pending: Set<BlobRoot> = []
    return blobs.filter { blob in
      let name = FileName.blob(blob.root)
      let isThere =
        blob.isOwn ? parts[own].hasWhole(name) : parts.contains { $0.hasWhole(name) }
      return !isThere && pending.insert(blob.root).inserted
    }
  }

  /// Writes a blob, or what an interrupted exchange left to write of it: what is there already is
  /// compared and kept.
  ///
  /// - Returns: false if what is held here is not the blob any more: then it gets no name.
  private func write(
    _ blob: HeldBlob, _ layout: BlobFileLayout, _ folder: borrowing Folder, _ replica: R
  ) throws(Failure) -> Bool {
    let name = FileName.blob(blob.root)
    let file = try Failure.mailbox { () throws(MailboxError) in
      let file = try folder.writable(name.temporaryText, isNew: false)
      guard file.byteCount > layout.fileByteCount else { return file }
      try folder.remove(name.temporaryText)
      return try folder.writable(name.temporaryText, isNew: true)
    }
    var tree = CompactRange()
    var hashes: [UInt8] = []
    var written: UInt64 = 0
    try put(blob.byteCount.bigEndianBytes, at: 0, file)
    for piece in BlobFileLayout.pieces(0..<layout.blob.spanCount) {
      try goOn(.writing)
      let spans: [UInt8]?
      do { spans = try replica.spans(piece, of: blob.root) } catch { throw .replica(error) }
      guard let spans else { return false }
      try put(spans, at: layout.spans(piece).lowerBound, file)
      for hash in Self.spanHashes(of: spans) {
        tree.append(hash)
        hashes += hash.bytes
      }
      if hashes.count >= 1 << 16 || piece.upperBound == layout.blob.spanCount {
        try put(hashes, at: layout.hashes(written..<piece.upperBound).lowerBound, file)
        written = piece.upperBound
        hashes.removeAll(keepingCapacity: true)
      }
    }
    guard tree.root == blob.root.raw else { return false }
    try Failure.mailbox { () throws(MailboxError) in
      try file.synchronize()
      try folder.rename(name.temporaryText, to: name.text)
    }
    return true
  }

  /// Writes bytes that are not there yet.
  private func put(
    _ bytes: [UInt8], at offset: UInt64, _ file: borrowing File
  ) throws(Failure) {
    try Failure.mailbox { () throws(MailboxError) in
      guard try file.read(at: offset, count: bytes.count) != bytes else { return }
      try file.write(bytes, at: offset)
    }
  }

  private static func spanHashes(of bytes: [UInt8]) -> [Bytes32] {
    stride(from: 0, to: bytes.count, by: BlobTree.spanByteCount).map { start in
      let end = min(start + BlobTree.spanByteCount, bytes.count)
      return bytes.withBytes { BlobTree.leafHash($0.extracting(start..<end)) }
    }
  }
}
