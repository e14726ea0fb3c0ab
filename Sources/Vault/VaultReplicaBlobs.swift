internal import CaseLog
internal import Cryptography
internal import GRDB
internal import Sync
internal import VerifiableLog

// Sealed attachments of a case in an exchange. They need no key to be checked, so they are sent, resumed and
// verified as they are.

extension VaultReplica {
  func blobs() throws(VaultError) -> [HeldBlob] {
    try read { db in
      let records = try Row.fetchAll(
        db,
        cached: """
          SELECT DISTINCT b.root, b.sealed_size, l.id AS leaf, l.data, g.log_id FROM blob b
          JOIN attachment a ON a.blob_ref = b.id JOIN entry e ON e.id = a.entry_ref
          JOIN leaf l ON l.id = e.id JOIN log g ON g.id = l.log_ref
          WHERE e.case_ref = ? AND b.is_present = 1 ORDER BY e.id
          """, arguments: [row.ref])
      var privacies: [LogID: EntryPrivacy] = [:]
      return try records.compactMap { record in
        let log: LogID = try record.identifier("log_id")
        let privacy =
          try privacies[log]
          ?? EntryPrivacy(db, of: row, log: log, in: audience, keys: keys)
        privacies[log] = privacy
        let leaf = try LeafData(parsing: record.bytes("data"))
        guard try privacy.maySend(leaf, record["leaf"], db) else { return nil }
        return HeldBlob(
          root: try record.identifier("root"), byteCount: record.number("sealed_size"),
          isOwn: log == ownLog)
      }
    }
  }

  /// Those that have not come yet, and those of which this disk has lost the file: another copy may have it.
  func wantedBlobs() throws(VaultError) -> [WantedBlob] {
    let named = try read { db in
      try Row.fetchAll(
        db,
        cached: """
          SELECT DISTINCT b.root, b.sealed_size, b.is_present FROM blob b
          JOIN attachment a ON a.blob_ref = b.id JOIN entry e ON e.id = a.entry_ref
          WHERE e.case_ref = ? AND b.content IS NULL ORDER BY b.id
          """, arguments: [row.ref]
      ).map { record in
        let blob = WantedBlob(
          root: try record.identifier("root"), byteCount: record.number("sealed_size"))
        return (blob: blob, isPresent: record["is_present"] as Bool)
      }
    }
    var wanted: [WantedBlob] = []
    for (blob, isPresent) in named {
      let path = store.path(of: blob.root)
      if isPresent, try StoredFile.State(at: path, size: blob.byteCount) == .whole { continue }
      wanted.append(blob)
    }
    return wanted
  }

  func spans(_ run: Range<UInt64>, of blob: BlobRoot) throws(VaultError) -> [UInt8]? {
    do throws(VaultError) {
      return try storedSpans(run, of: blob)
    } catch {
      switch error.code {
      case .contentMissing, .contentDamaged, .fileMissing, .fileUnreadable, .notAFile, .inputOutput:
        return nil
      default: throw error
      }
    }
  }

  private func storedSpans(
    _ run: Range<UInt64>, of blob: BlobRoot
  ) throws(VaultError) -> [UInt8] {
    let record = try read { db in
      guard
        let record = try Row.fetchOne(
          db, cached: "SELECT sealed_size, content FROM blob WHERE root = ? AND is_present = 1",
          arguments: [blob.bytes.data])
      else { throw VaultError(.contentMissing) }
      return (size: record.number("sealed_size"), content: record.bytesIfAny("content"))
    }
    guard let layout = BlobLayout(byteCount: record.size) else {
      throw VaultError(.contentDamaged)
    }
    let bytes = layout.bytes(of: run)
    if let content = record.content {
      guard bytes.upperBound <= UInt64(content.count) else { throw VaultError(.contentDamaged) }
      return Array(content[Int(bytes.lowerBound)..<Int(bytes.upperBound)])
    }
    let count = Int(bytes.upperBound - bytes.lowerBound)
    let read = try OpenFile(reading: store.path(of: blob), followingLinks: false)
      .read(at: bytes.lowerBound, count: count)
    guard read.count == count else { throw VaultError(.contentDamaged) }
    return read
  }

  /// What was kept is counted in whole spans; a piece of one, from a crash, is written again.
  func heldSpans(of blob: WantedBlob) throws(VaultError) -> UInt64 {
    let path = store.partialPath(of: blob.root, size: blob.byteCount)
    guard Folders.exists(path), let layout = BlobLayout(byteCount: blob.byteCount) else { return 0 }
    let size = try OpenFile(reading: path, followingLinks: false).status().size
    return size >= blob.byteCount
      ? layout.spanCount : min(layout.spanCount, size / UInt64(BlobTree.spanByteCount))
  }

  /// A file that does not fit must keep nothing else from being exchanged, and must not take what room there is: the
  /// vault itself needs some, if only to go on being written in.
  mutating func append(_ spans: VerifiedSpans) throws(VaultError) -> Bool {
    let start = spans.first * UInt64(BlobTree.spanByteCount)
    guard store.hasRoom(for: spans.blob.byteCount - start) else { return false }
    let path = store.partialPath(of: spans.blob.root, size: spans.blob.byteCount)
    do throws(VaultError) {
      try store.makeFolders()
      let file = try OpenFile(continuing: path)
      try file.write(spans.bytes, at: start)
      return true
    } catch {
      guard error.code == .diskFull else { throw error }
      Folders.remove(path)
      return false
    }
  }

  mutating func finish(_ blob: WantedBlob) throws(VaultError) -> Bool {
    let path = store.partialPath(of: blob.root, size: blob.byteCount)
    guard try root(of: path, byteCount: blob.byteCount) == blob.root else {
      Folders.remove(path)
      return false
    }
    let content = try store.adopt(blob.root, sealedSize: blob.byteCount)
    try write { db in
      try db.execute(
        cached: "UPDATE blob SET is_present = 1, content = ? WHERE root = ? AND sealed_size = ?",
        arguments: [content?.data, blob.root.bytes.data, Int64(blob.byteCount)])
    }
    if content != nil { Folders.remove(path) }
    return true
  }

  private func root(of path: String, byteCount: UInt64) throws(VaultError) -> BlobRoot? {
    let file = try OpenFile(reading: path, followingLinks: false)
    guard try file.status().size == byteCount, let layout = BlobLayout(byteCount: byteCount) else {
      return nil
    }
    var tree = BlobTree()
    for index in 0..<layout.spanCount {
      let bytes = layout.bytes(of: index..<index + 1)
      let span = try file.read(
        at: bytes.lowerBound, count: Int(bytes.upperBound - bytes.lowerBound))
      span.withBytes { tree.append($0) }
    }
    return tree.root
  }
}
