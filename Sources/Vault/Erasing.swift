internal import CaseLog
internal import Cryptography
internal import GRDB
internal import Sync
public import VerifiableLog

/// What an erasure took away.
public struct EraseOutcome: Hashable, Sendable {
  /// Entries that are gone from this device, amendments and retractions of the chosen ones included.
  public let entries: [EntryID]
  /// Of these, those that nobody named.
  public let comingAlong: [EntryID]
  /// Named, and destroyed on this device before: they are not among the others.
  public let erasedBefore: [EntryID]
  public let fileCount: Int
  /// Of their files, those that stay since other entries name them too, such as one that was entered again.
  public let filesKept: Int
  /// Members beside the survivor's own devices who could open some of them.
  public let readers: Int
}

extension OpenVault {
  /// Seconds for which other copies hide an erased entry before they destroy it: time for another device,
  /// or for whoever holds the kit, to say that a thief erased it.
  public static let erasureGrace: UInt64 = 14 * 86_400
  /// Of the time between two openings or exchanges, no more than this counts, in seconds.
  public static let longestCounted: UInt64 = 7 * 86_400

  /// Erases entries of one case: hides them on every copy, and destroys them on this one now.
  ///
  /// - Parameter texts: ids or unique beginnings.
  /// - Throws: `.unknownEntry`, `.ambiguousEntry`, `.notAllowed` for an advocate, `.differentCases`.
  public func erase(_ texts: [String]) throws(VaultError) -> EraseOutcome {
    let outcome = try commit { db in
      var erasing = try Erasing(db, entries: texts)
      try erasing.leaveOutErased()
      let outcome = try erasing.outcome()
      guard !erasing.entries.isEmpty else { return outcome }
      let control = try CaseControl(
        db, of: erasing.row, keys: keys, surroundings: surroundings)
      for start in stride(from: 0, to: erasing.entries.count, by: Limits.references) {
        let end = min(start + Limits.references, erasing.entries.count)
        try control.append(.erase(Array(erasing.entries[start..<end])))
      }
      // Where another device or the root said that one stays, nothing may be destroyed.
      guard erasing.entries.allSatisfy({ control.state.isErased($0) }) else {
        throw VaultError(.keptByAnother)
      }
      try control.sign()
      for entry in erasing.entries {
        try ErasureTable.note(db, entry, in: erasing.row, at: surroundings.now())
        try ErasureTable.destroy(db, entry, in: erasing.row)
      }
      try ViewTable.compact(db)
      return outcome
    }
    try clearAway()
    return outcome
  }

  /// What an erasure of these entries would take away; nothing is written.
  public func previewErasure(_ texts: [String]) throws(VaultError) -> EraseOutcome {
    try read { db in
      var erasing = try Erasing(db, entries: texts)
      try erasing.leaveOutErased()
      return try erasing.outcome()
    }
  }

  /// Says on behalf of this device that an entry stays, whoever of the others erased it, and what was erased
  /// with it: its amendments and retractions.
  ///
  /// - Returns: what is kept, the entry first.
  /// - Throws: `.unknownEntry`, `.notAllowed`, `.notErased`; `.erasedHere` where this device itself erased it, or
  ///   destroyed it since.
  public func keep(_ text: String) throws(VaultError) -> [EntryID] {
    try commit { db in
      let erasing = try Erasing(db, entries: [text])
      let row = erasing.row
      let state = try CaseView.state(db, of: row)
      let canKeep = { (id: EntryID) in
        try !state.erasures(of: id).contains { $0.logID == row.logID }
          && !ErasureTable.isDestroyed(db, id, in: row)
      }
      guard state.isErased(erasing.entries[0]) else { throw VaultError(.notErased) }
      guard try canKeep(erasing.entries[0]) else { throw VaultError(.erasedHere) }
      let kept = try erasing.entries.filter { try state.isErased($0) && canKeep($0) }
      let control = try CaseControl(db, of: row, keys: keys, surroundings: surroundings)
      for id in kept {
        try control.append(.keep(id))
        try ErasureTable.forget(db, id, in: row)
      }
      try control.sign()
      return kept
    }
  }

  /// Destroys what was hidden long enough. To be called after opening; an exchange does it by itself.
  public func settleErasures() throws(VaultError) {
    let waiting = try read { db in
      try Int64.fetchSet(db, cached: "SELECT case_ref FROM erasure WHERE is_destroyed = 0")
    }
    if standing == .sound, !waiting.isEmpty {
      let now = surroundings.now()
      try database.write { db in try ErasureTable.count(db, until: now) }
      let due = try read { db in
        let refs = try Int64.fetchSet(
          db, cached: "SELECT case_ref FROM erasure WHERE is_destroyed = 0 AND seen <= ?",
          arguments: [Int64(bitPattern: now - min(now, Self.erasureGrace))])
        return refs.isEmpty ? [] : try CaseRow.all(db).filter { refs.contains($0.ref) }
      }
      for row in due { try settleErasures(of: row) }
    }
    if try hasDoomedFiles() { try clearAway() }
  }

  /// Takes note of a case's erasures, and destroys what was hidden long enough. Only a copy that may sign
  /// does so: an old one is no judge of what has its effect.
  func settleErasures(of row: CaseRow) throws(VaultError) {
    guard standing == .sound else { return }
    let now = surroundings.now()
    let isChanged = try database.write { db in
      try ErasureTable.count(db, until: now)
      let wanted = Set(try CaseView.state(db, of: row).erasures.map(\.entry))
      for entry in wanted { try ErasureTable.note(db, entry, in: row, at: now) }
      var isChanged = false
      for (entry, seen, isDestroyed) in try ErasureTable.all(db, in: row) {
        if !wanted.contains(entry) {
          // What was destroyed here may come again from a copy that has it.
          try ErasureTable.forget(db, entry, in: row)
        } else if !isDestroyed, now >= seen, now - seen >= Self.erasureGrace {
          try ErasureTable.destroy(db, entry, in: row)
          isChanged = true
        }
      }
      if isChanged { try ViewTable.compact(db) }
      return isChanged
    }
    if isChanged { try clearAway() }
  }

  private func hasDoomedFiles() throws(VaultError) -> Bool {
    try read { db in try Row.fetchOne(db, cached: "SELECT 1 FROM doomed_blob LIMIT 1") != nil }
  }

  /// Removes the files of what was destroyed, and its traces in index and log. A crash before the end leaves
  /// the list of files, and the next opening goes on.
  func clearAway() throws(VaultError) {
    let roots = try read { db in
      try Row.fetchAll(
        db,
        cached: """
          SELECT root FROM doomed_blob d
          WHERE NOT EXISTS (SELECT 1 FROM blob b WHERE b.root = d.root)
          """
      ).map { try $0.identifier("root") as BlobRoot }
    }
    // Small attachments stand in the database and have no file; others may have come only in part.
    for root in roots {
      for path in try [blobs.path(of: root)] + blobs.partialPaths(of: root)
      where Folders.exists(path) {
        try Folders.removeFile(path)
        try Folders.synchronize(Folders.parent(of: path))
      }
    }
    do {
      // What was deleted still stands in the log of the database until that is cut.
      try database.queue.writeWithoutTransaction { db in
        _ = try db.checkpoint(.truncate)
      }
      try database.queue.write { db in try db.execute(cached: "DELETE FROM doomed_blob") }
    } catch {
      throw .ofDatabase(error)
    }
  }
}

/// Entries about to be erased, of one case.
private struct Erasing {
  let row: CaseRow
  /// The chosen ones, and the survivor's amendments and retractions of them.
  private(set) var entries: [EntryID]
  private let named: Set<EntryID>
  private var erasedBefore: [EntryID] = []
  private let db: Database

  init(_ db: Database, entries texts: [String]) throws {
    var found: [EntryID] = []
    var seen: Set<EntryID> = []
    var ofCase: CaseRow?
    for text in texts {
      let (row, entry) = try EntryTable.find(db, text)
      guard ofCase == nil || ofCase == row else { throw VaultError(.differentCases) }
      ofCase = row
      let id: EntryID = try entry.identifier("entry_id")
      if seen.insert(id).inserted { found.append(id) }
    }
    named = Set(found)
    guard let row = ofCase else { throw VaultError(.unknownEntry) }
    guard row.role == .survivor else { throw VaultError(.notAllowed) }
    var index = 0
    while index < found.count {
      let about = try Row.fetchAll(
        db,
        cached: """
          SELECT l.entry_id FROM about a JOIN entry e ON e.id = a.entry_ref JOIN leaf l ON l.id = e.id
          WHERE a.target = ? AND e.case_ref = ? AND e.kind IN (?, ?) ORDER BY l.id
          """,
        arguments: [
          found[index].bytes.data, row.ref, Int64(EntryKind.amend.code),
          Int64(EntryKind.retract.code),
        ])
      for entry in about {
        let id: EntryID = try entry.identifier("entry_id")
        if seen.insert(id).inserted { found.append(id) }
      }
      index += 1
    }
    self.db = db
    self.row = row
    entries = found
  }

  /// What is erased, and destroyed here already, is not erased again.
  mutating func leaveOutErased() throws {
    let state = try CaseView.state(db, of: row)
    let before = try Set(
      entries.filter {
        try state.isErased($0) && ErasureTable.isDestroyed(db, $0, in: row)
      })
    erasedBefore = entries.filter { before.contains($0) && named.contains($0) }
    entries.removeAll(where: before.contains)
  }

  func outcome() throws -> EraseOutcome {
    var (files, kept): (Set<Int64>, Set<Int64>) = ([], [])
    var readers: Set<[UInt8]> = []
    let erased = Set(entries)
    for entry in entries {
      let namers = try Row.fetchAll(
        db,
        cached: """
          SELECT a.blob_ref, m.entry_id FROM attachment a JOIN leaf l ON l.id = a.entry_ref
          JOIN attachment o ON o.blob_ref = a.blob_ref JOIN leaf m ON m.id = o.entry_ref
          WHERE l.entry_id = ?
          """, arguments: [entry.bytes.data])
      for namer in namers {
        files.insert(namer["blob_ref"])
        if try !erased.contains(namer.identifier("entry_id")) { kept.insert(namer["blob_ref"]) }
      }
      let audiences = try Row.fetchAll(
        db,
        cached: """
          SELECT DISTINCT p.audience FROM slot s JOIN leaf l ON l.id = s.leaf_ref
          JOIN epoch p ON p.epoch = s.epoch AND p.case_ref = ? WHERE l.entry_id = ?
          """, arguments: [row.ref, entry.bytes.data])
      for audience in audiences where try audience.audience() != .devices {
        readers.insert(audience.bytes("audience"))
      }
    }
    return EraseOutcome(
      entries: entries, comingAlong: entries.filter { !named.contains($0) },
      erasedBefore: erasedBefore, fileCount: files.count - kept.count, filesKept: kept.count,
      readers: readers.count)
  }
}

extension EntrySummary {
  /// Of one's own, nothing is locked but what was destroyed here, though its erasure may be withdrawn.
  public var isDestroyedHere: Bool { isOwn && standing == .locked }

  /// What is wrong with an entry whose content is not here.
  var whyLocked: VaultError.Code {
    standing == .erased || isDestroyedHere ? .entryErased : .entryLocked
  }
}

extension Row {
  fileprivate func audience() throws -> Audience { try Audience(decoding: bytes("audience")) }
}
