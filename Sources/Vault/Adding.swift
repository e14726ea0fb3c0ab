internal import CaseLog
internal import Cryptography
internal import GRDB
internal import VerifiableLog

extension OpenVault {
  /// Adds entries in order, and saves them in batches; stops at the first that cannot be added.
  ///
  /// - Parameters:
  ///   - name: of the case; nil for the default one.
  ///   - onBytes: told how many bytes were read since it was told last, and once more when an entry was read to its
  ///     end; may throw to stop, and then that entry is not kept.
  /// - Throws: only when nothing was begun: `.unknownCase`, `.copied`, `.rolledBack`; `.notAllowed` for a
  ///   kind that this role may not write, for a retraction of what an advocate wrote, and for readers that are
  ///   not the writer's to choose; `.unknownMember`; `.unknownEntry` when an entry is about one that this case
  ///   does not hold; `.entryTooLarge`.
  public func add(
    _ entries: [NewEntry], toCase name: String?, options: AddOptions = AddOptions(),
    onBytes: (Int) throws(VaultError) -> Void = { (_) throws(VaultError) in }
  ) throws(VaultError) -> AddOutcome {
    try requireSound()
    let row = try read { db in try CaseRow.find(db, name) }
    let entries = try checked(entries, in: row)
    try checkAudiences(of: entries, in: row)
    let ahead = SealingAhead(store: blobs)
    var next = 0
    var outcome = AddOutcome()
    var batch = AdditionBatch()
    var marks: Set<DuplicateTable.Mark> = []
    while true {
      while next < entries.count, !ahead.isFull {
        begin(entries[next], next, ahead, skipsHeld: options.skipsHeld, in: row, &outcome, onBytes)
        next += 1
      }
      guard let index = ahead.firstIndex else { break }
      do throws(VaultError) {
        let addition = try ahead.takeFirst(onBytes: onBytes)
        if options.skipsHeld {
          // The same may stand in this batch, where the database does not have it yet.
          if addition.marks.contains(where: marks.contains),
            !save(&batch, in: row, to: &outcome)
          {
            addition.discard(from: blobs)
            return outcome
          }
          guard try isNew(addition, in: row, to: &outcome) else { continue }
          marks.formUnion(addition.marks)
        }
        batch.append(addition)
      } catch {
        if options.skipsUnreadable, error.isOfOneFile {
          outcome.skipped.append((index, error))
          continue
        }
        outcome.failure = (index, error)
        break
      }
      if batch.isFull {
        if !save(&batch, in: row, to: &outcome) { return outcome }
        marks = []
      }
    }
    _ = save(&batch, in: row, to: &outcome)
    return outcome
  }

  /// Begins to seal an entry, unless the case holds it already.
  private func begin(
    _ entry: NewEntry, _ index: Int, _ ahead: SealingAhead, skipsHeld: Bool, in row: CaseRow,
    _ outcome: inout AddOutcome, _ onBytes: (Int) throws(VaultError) -> Void
  ) {
    do throws(VaultError) {
      if skipsHeld,
        try holdsBefore(sealing: entry, index, in: row, to: &outcome, onBytes: onBytes)
      {
        return
      }
      ahead.begin(entry, index)
    } catch {
      ahead.fail(entry, index, error)
    }
  }

  /// Entries that are not seen to be wrong before anything is read.
  private func checked(_ new: [NewEntry], in row: CaseRow) throws(VaultError) -> [NewEntry] {
    let checking = WorkAhead(count: new.count) { index in
      Result { () throws(VaultError) in try Self.checked(new[index], by: row.role) }
    }
    var entries = try new.map { (_) throws(VaultError) in try checking.take().get() }
    let related = entries.indices.filter { !entries[$0].content.about.isEmpty }
    guard !related.isEmpty else { return entries }
    try read { db in
      let state = try CaseView.state(db, of: row)
      for index in related { try Self.checkTargets(of: &entries[index], db, row, state) }
    }
    return entries
  }

  private static func checked(_ entry: NewEntry, by role: Role) throws(VaultError) -> NewEntry {
    var entry = entry
    let kind = entry.kind ?? role.ownKind
    guard let entryClass = kind.entryClass, entryClass != .control, role.mayWrite(entryClass)
    else { throw VaultError(.notAllowed) }
    let parts = entry.content.parts
    // Each file has up to three parts; header and context come before all.
    guard parts.count + entry.sources.count * 3 + 2 <= Limits.partsOfEntry else {
      throw VaultError(.entryTooLarge)
    }
    do { _ = try EntryContent(parts: parts) } catch { throw VaultError(.entryTooLarge) }
    if entry.content.showsMinor { entry.isWithoutContent = true }
    return entry
  }

  /// The same, by the entries that it is about.
  private static func checkTargets(
    of entry: inout NewEntry, _ db: Database, _ row: CaseRow, _ state: CaseState
  ) throws {
    for id in entry.content.about {
      let target = try EntryTable.target(db, id, of: row, in: state)
      if entry.kind == .retract, target.author == .advocate { throw VaultError(.notAllowed) }
      // What is said of such an entry may show the same, so no file of it is kept either.
      guard target.content?.showsMinor == true else { continue }
      entry.content.showsMinor = true
      entry.isWithoutContent = true
    }
  }

  /// The order of a durable write: blobs have their names and folders are synced before the transaction
  /// that refers to them; the anchor follows it.
  ///
  /// - Returns: whether it succeeded; if not, `outcome` says why, and what no entry refers to is gone.
  private func save(
    _ batch: inout AdditionBatch, in row: CaseRow, to outcome: inout AddOutcome
  ) -> Bool {
    guard let first = batch.additions.first else { return true }
    let additions = batch.additions
    var isCommitting = false
    do throws(VaultError) {
      try batch.commitBlobs(to: blobs)
      isCommitting = true
      let (saved, sharedWith) = try commit { db in
        let writer = try EntryWriter(db, of: row, keys: keys, surroundings: surroundings)
        let saved = try writer.write(additions)
        try writer.sign()
        return (saved, writer.readerCount)
      }
      outcome.saved += saved
      outcome.sharedWith = sharedWith
      batch = AdditionBatch()
      return true
    } catch {
      // A commit that failed for another reason than space may still turn out to be durable: then its files
      // are referred to. A stray file is harmless, a missing one is not.
      switch error.code {
      case .storedUnconfirmed, .inputOutput, .databaseDamaged:
        if isCommitting { outcome.unconfirmed = additions.map(\.index) }
      default: batch.discard(from: blobs)
      }
      outcome.failure = (first.index, error)
      return false
    }
  }
}

// MARK: - What is there already

extension OpenVault {
  /// Whether the case holds the one file of an entry already, as far as that can be told without sealing it:
  /// a tree that is added again is read and not written.
  private func holdsBefore(
    sealing entry: NewEntry, _ index: Int, in row: CaseRow, to outcome: inout AddOutcome,
    onBytes: (Int) throws(VaultError) -> Void
  ) throws(VaultError) -> Bool {
    guard entry.sources.count == 1 else { return false }
    if case .descriptor = entry.sources[0] { return false }
    let reader = try SourceReader(entry.sources[0])
    guard let size = reader.size,
      try read({ db in try DuplicateTable(db, of: row, keys: keys).mayHold(fileOf: size) })
    else { return false }
    let digest = try reader.digest { (_) throws(VaultError) in try onBytes(0) }
    let file = SealedFile(digest: digest, mediaType: "", name: nil, blob: nil)
    let isHeld = try holds(
      SealedAddition(index: index, entry: entry, files: [file]), in: row, to: &outcome)
    // Bytes that are read again when they are sealed count then.
    if isHeld { try onBytes(Int(size)) }
    return isHeld
  }

  /// Whether the case lacks something of a sealed entry. If not, and if it does not come out, what was sealed is
  /// gone.
  private func isNew(
    _ addition: SealedAddition, in row: CaseRow, to outcome: inout AddOutcome
  ) throws(VaultError) -> Bool {
    var isKept = false
    defer { if !isKept { addition.discard(from: blobs) } }
    isKept = try !holds(addition, in: row, to: &outcome)
    return isKept
  }

  /// Whether the case holds all that an entry consists of; then `outcome` says where.
  private func holds(
    _ addition: SealedAddition, in row: CaseRow, to outcome: inout AddOutcome
  ) throws(VaultError) -> Bool {
    let marks = addition.marks
    guard !marks.isEmpty else { return false }
    let held = try read { db -> AddOutcome.Held? in
      let table = DuplicateTable(db, of: row, keys: keys)
      let authors = try CaseAuthors(db, of: row)
      let isKept = !addition.entry.sources.isEmpty && !addition.entry.isWithoutContent
      var holders: [EntryID] = []
      for mark in marks {
        let found = try table.standingHolders(
          of: mark, withBytesIn: isKept ? blobs : nil, in: authors)
        if found.isEmpty { return nil }
        holders += found
      }
      let title = addition.entry.content.title
      return AddOutcome.Held(
        index: addition.index, sameContentAs: holders,
        hasSameTitle: try holders.contains { holder in
          try EntryTable.content(db, holder, of: row)?.title == title
        })
    }
    if let held { outcome.held.append(held) }
    return held != nil
  }
}

extension VaultError {
  /// It concerns the file that was read and none of the others.
  fileprivate var isOfOneFile: Bool {
    switch code {
    case .fileMissing, .fileUnreadable, .fileEmpty, .fileChanged, .notAFile, .fileTooLarge: true
    default: false
    }
  }
}
