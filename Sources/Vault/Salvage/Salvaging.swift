internal import CaseLog
public import Cryptography
internal import VerifiableLog

/// Takes out of a damaged vault what can still be read, page by page and span by span, and never stops at
/// what cannot. Nothing is written to the vault, and nothing that comes out was compared with what was signed.
public final class Salvage {
  private let files: VaultFiles
  private let keys: VaultKeys
  private let pages: SalvagedPages
  private let blobs: BlobStore
  private let lock: OpenFile
  /// As far as the run has come; also after one that was stopped.
  public private(set) var outcome = SalvageOutcome()
  private var index = SalvageIndex()
  private var epochs: [LoadedEpoch] = []
  private var named: Set<BlobRoot> = []
  private var written = 0

  /// - Throws: `.noVault`, `.notAVault`, `.inUse`, `.wrongPassphrase`, `.keysMissing`, `.keysDamaged`.
  public convenience init(
    of path: String, passphrase: borrowing LockedBytes
  ) throws(VaultError) {
    let found = try passphrase.withBytes { (bytes) throws(VaultError) in
      try SalvagedLocks.open(VaultFiles(folder: path)) { (file) throws(VaultError) in
        try file.unlock(passphrase: bytes)
      }
    }
    try self.init(found)
  }

  /// - Throws: as with a passphrase, and `.kitMismatch`.
  public convenience init(of path: String, kit: borrowing RecoveryKit) throws(VaultError) {
    let pair = try kit.keyPair()
    try self.init(
      try SalvagedLocks.open(VaultFiles(folder: path)) { (file) throws(VaultError) in
        try file.unlock(kit: pair)
      })
  }

  init(_ locks: consuming SalvagedLocks) throws(VaultError) {
    // The lock is on the folder and leaves nothing: no other program writes meanwhile.
    lock = try locks.files.takeLock()
    files = locks.files
    keys = locks.keys
    pages = try SalvagedPages(files: files, key: keys.database, vaultID: locks.vaultID)
    blobs = BlobStore(folder: files.blobs)
    outcome.locks = locks.state
  }

  /// About how many bytes are read in all.
  public func size() -> UInt64 {
    var total = pages.size
    for path in storedPaths {
      do {
        let size = try OpenFile(reading: path, followingLinks: false).status().size
        let (sum, isTooMuch) = total.addingReportingOverflow(size)
        total = isTooMuch ? .max : sum
      } catch {
        continue
      }
    }
    return total
  }

  /// A path into the vault is no place for what comes out of it.
  public func contains(_ path: String) -> Bool { files.contains(path) }

  /// - Parameters:
  ///   - folder: is there; files are written below `files/` in it, under names that say nothing.
  ///   - withErasedElsewhere: also entries that another device erased and that wait here for being destroyed.
  ///   - onBytes: told how many bytes were read since it was told last; may throw to stop.
  ///   - onEntry: told of each entry, all of them before the first file: whatever ends the run, words are few and
  ///     come first.
  ///   - onFile: told of each file of theirs, once it is on the medium.
  /// - Throws: what these throw, and what keeps the output from being written; never for damage. `outcome` says how
  ///   far it came.
  public func run(
    to folder: String, withErasedElsewhere: Bool = false,
    onBytes: (Int) throws(VaultError) -> Void = { (_) throws(VaultError) in },
    onEntry: (SalvagedEntry) throws(VaultError) -> Void,
    onFile: (SalvagedEntry.File) throws(VaultError) -> Void
  ) throws(VaultError) {
    try pages.readLog(onBytes)
    try scan(onBytes)
    loadEpochs()
    var withFiles: [(row: Int64, entry: Int)] = []
    for number in index.numbers {
      switch index.erasure(of: number) {
      case .here:
        outcome.erased += 1
        continue
      case .elsewhere where !withErasedElsewhere:
        outcome.erasedElsewhere += 1
        // Its files are not without a name.
        let attachments = find(number)?.content?.attachments ?? []
        named.formUnion(attachments.compactMap { $0.blob?.root })
        continue
      default: break
      }
      guard let found = find(number) else { continue }
      let entry = take(found)
      try onEntry(entry)
      if found.content?.attachments.isEmpty == false { withFiles.append((number, entry.number)) }
    }
    for (row, entry) in withFiles {
      // Read once more: the words of all entries may be more than memory holds.
      for attachment in find(row)?.content?.attachments ?? [] {
        try onFile(try take(attachment, of: entry, to: folder, onBytes))
      }
    }
    let names = Set(named.map { blobs.path(of: $0) })
    outcome.files.nameless = storedPaths.count { !names.contains($0) }
  }

  private var storedPaths: [String] {
    do { return try blobs.storedPaths() } catch { return [] }
  }

  // MARK: - Pages

  private func scan(_ onBytes: (Int) throws(VaultError) -> Void) throws(VaultError) {
    outcome.database.isMissing = !pages.hasFile
    outcome.database.pages = pages.count
    outcome.database.frames = Int(pages.logFrameCount)
    outcome.database.framesLost = pages.frames.damagedHeaders
    outcome.database.isLogUnreadable = pages.frames.isUnreadable
    let rows = SalvagedRows(pages)
    try pages.forEachNumber { (number) throws(VaultError) in
      try onBytes(SalvagedPages.pageByteCount)
      guard let page = pages.page(number) else {
        outcome.database.pagesLost += 1
        return
      }
      if page.isOld { outcome.database.pagesOld += 1 }
      outcome.database.rowsLost += rows.forEach(on: page, number) { index.note($0, $1) }
    }
  }

  private func loadEpochs() {
    for epoch in index.epochs {
      guard let found = index.cases[epoch.caseRef] else { continue }
      do {
        epochs.append(
          LoadedEpoch(
            EpochKey(
              id: epoch.id, caseID: found.id, audience: try Audience(decoding: epoch.audience),
              key: try keys.open(epoch.sealedKey))))
      } catch {
        outcome.database.rowsLost += 1
      }
    }
  }

  // MARK: - Entries

  /// An entry as one of its two forms gives it.
  private struct Found {
    let number: Int64
    let source: SalvagedEntry.Source
    let isOld: Bool
    var isDoubtful = false
    let kind: EntryKind
    let clock: UInt64
    let content: EntryContent?
  }

  /// Nil for what holds no words or files, and for what cannot be opened, which is counted.
  private func find(_ number: Int64) -> Found? {
    let leaf = index.leaves[number]
    if let leaf, leaf.hasCiphertext, let opened = open(number, leaf) {
      guard opened.entryClass != .control else { return nil }
      return Found(
        number: number, source: .sealed, isOld: leaf.place.isOld,
        isDoubtful: index.doubtful.contains(number), kind: opened.header.kind,
        clock: opened.context?.clock ?? 0, content: content(of: opened.disclosedParts))
    }
    let rows = SalvagedRows(pages)
    if let entry = index.entries[number], let values = rows.values(at: entry.place),
      let kind = values[2].integer, let clock = values[3].integer, let parts = values[7].blob
    {
      let kind = EntryKind(code: UInt64(bitPattern: kind))
      guard kind.entryClass != .control else { return nil }
      do {
        let parts = values[4].isNull ? try PartList.decode(parts) : []
        return Found(
          number: number, source: .view, isOld: entry.place.isOld,
          isDoubtful: index.rivals[number]?.contains { rows.values(at: $0) != values } ?? false,
          kind: kind,
          clock: UInt64(bitPattern: clock),
          content: values[4].isNull ? content(of: parts) : nil)
      } catch {
        outcome.database.rowsLost += 1
      }
    }
    // What came of others' entries and was never shared here has no ciphertext, and is nobody's loss.
    if let leaf, leaf.hasCiphertext { outcome.unopened.append(leaf.id) }
    return nil
  }

  /// The sealed form: the leaf's row, with a key from its slots. It is proven by the leaf's commitment, so
  /// nothing of another row can have got into it.
  private func open(_ number: Int64, _ leaf: SalvageIndex.Leaf) -> OpenedEntry? {
    guard let log = index.logs[leaf.log], let inCase = index.cases[log.caseRef],
      let slots = index.slots[number], let values = SalvagedRows(pages).values(at: leaf.place),
      let data = values[4].blob, let ciphertext = values[6].blob
    else { return nil }
    for slot in slots {
      guard
        let epoch = epochs.first(where: { $0.key.id == slot.epoch && $0.key.caseID == inCase.id })
      else { continue }
      do {
        let leaf = try LeafData(parsing: data)
        let key = try epoch.key.open(
          Slot(logID: log.id, sequence: leaf.sequence, epoch: slot.epoch, box: slot.box),
          leaf: leaf)
        return try SealedEntry(leaf: leaf, ciphertext: ciphertext).open(
          at: EntryPlace(caseID: inCase.id, logID: log.id, sequence: leaf.sequence), key: key)
      } catch {
        continue
      }
    }
    return nil
  }

  private func content(of parts: [Part]) -> EntryContent? {
    do {
      return try EntryContent(parts: parts)
    } catch {
      outcome.malformed += 1
      return nil
    }
  }

  private func take(_ found: Found) -> SalvagedEntry {
    written += 1
    outcome.entries += 1
    if found.source == .view { outcome.entriesOfView += 1 }
    if found.isOld { outcome.entriesOld += 1 }
    if found.isDoubtful { outcome.entriesDoubtful += 1 }
    let leaf = index.leaves[found.number]
    let log = leaf.flatMap { index.logs[$0.log] }
    let ref = index.entries[found.number]?.caseRef ?? log?.caseRef
    let inCase = ref.flatMap { index.cases[$0] }
    return SalvagedEntry(
      number: written, id: leaf?.id, source: found.source, isOld: found.isOld,
      isDoubtful: found.isDoubtful, caseID: inCase?.id, caseName: inCase?.name, author: log?.id,
      authorName: log.flatMap { index.names[$0.id] }, kind: found.kind, clock: found.clock,
      content: found.content)
  }

  // MARK: - Attachments

  private func take(
    _ attachment: Attachment, of entry: Int, to folder: String,
    _ onBytes: (Int) throws(VaultError) -> Void
  ) throws(VaultError) -> SalvagedEntry.File {
    func file(
      _ state: SalvagedEntry.File.State, _ path: String? = nil, givesHash: Bool = false
    ) -> SalvagedEntry.File {
      SalvagedEntry.File(
        entry: entry, attachment: attachment, state: state, path: path, givesHash: givesHash)
    }
    if attachment.isWithoutContent {
      outcome.files.hashOnly += 1
      return file(.hashOnly)
    }
    guard let blob = attachment.blob, let source = try source(of: blob.root) else {
      outcome.files.lost += 1
      return file(.lost)
    }
    let temporary = folder + "/files/." + Hex.encode(Randomness.bytes(8))
    do throws(VaultError) {
      try Folders.make(folder + "/files")
      let result = try write(attachment, blob, source, to: temporary, onBytes)
      let lost = result.missing.reduce(0) { $0 + UInt64($1.count) }
      guard lost < attachment.size else {
        Folders.remove(temporary)
        outcome.files.lost += 1
        return file(.lost)
      }
      let name = name(of: attachment, in: entry, isWhole: lost == 0)
      try Folders.rename(temporary, to: folder + "/files/" + name)
      outcome.files.bytes += attachment.size - lost
      guard lost == 0 else {
        outcome.files.damaged += 1
        return file(.damaged(missing: result.missing), "files/" + name)
      }
      outcome.files.whole += 1
      return file(.whole, "files/" + name, givesHash: result.sha256 == attachment.sha256)
    } catch {
      Folders.remove(temporary)
      // The next one may be smaller, or meet a better place.
      switch error.code {
      case .diskFull where error.isOfItsSize:
        outcome.files.tooLarge += 1
        return file(.tooLarge)
      case .diskFull:
        outcome.files.noRoom += 1
        return file(.noRoom)
      case .inputOutput:
        outcome.files.notWritten += 1
        return file(.notWritten)
      default: throw error
      }
    }
  }

  private func write(
    _ attachment: Attachment, _ blob: Attachment.Blob, _ source: borrowing SealedSource,
    to path: String, _ onBytes: (Int) throws(VaultError) -> Void
  ) throws(VaultError) -> SpanSalvage.Result {
    let file = try OpenFile(creating: path)
    let result: SpanSalvage.Result
    do {
      result = try SpanSalvage(key: blob.key, size: attachment.size).write(
        source, to: file, onBytes: onBytes)
    } catch let error as VaultError {
      throw error
    } catch {
      // A key of another length: nothing opens with it.
      return SpanSalvage.Result(missing: [0..<attachment.size])
    }
    try file.synchronize()
    return result
  }

  /// The row's content where it holds one, else the file.
  private func source(of root: BlobRoot) throws(VaultError) -> SealedSource? {
    named.insert(root)
    if let place = index.blobs[root], let content = SalvagedRows(pages).values(at: place)?[3].blob {
      return .inline(content)
    }
    do throws(VaultError) {
      return .file(try OpenFile(reading: blobs.path(of: root), followingLinks: false))
    } catch {
      guard [.fileMissing, .fileUnreadable, .notAFile, .inputOutput].contains(error.code) else {
        throw error
      }
      return nil
    }
  }

  /// Says what kind of file it is, and nothing else.
  private func name(of attachment: Attachment, in entry: Int, isWhole: Bool) -> String {
    let digits = String(entry)
    var name = String(repeating: "0", count: max(0, 5 - digits.count)) + digits
    name += "-\(attachment.number + 1)" + (isWhole ? "" : "-INCOMPLETE")
    let original = attachment.name ?? []
    if let dot = original.lastIndex(of: UInt8(ascii: ".")), dot > 0 {
      let ending = original[(dot + 1)...]
      let isPlain = ending.allSatisfy {
        (0x30...0x39).contains($0) || (0x41...0x5a).contains($0) || (0x61...0x7a).contains($0)
      }
      if isPlain, (1...5).contains(ending.count) {
        name += "." + String(decoding: ending, as: UTF8.self).lowercased()
      }
    }
    return name
  }
}
