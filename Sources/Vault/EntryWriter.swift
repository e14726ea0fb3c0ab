internal import CaseLog
internal import Cryptography
internal import GRDB
internal import VerifiableLog

/// Writes content and notes into a case, sealed for those who are to read them.
final class EntryWriter {
  private let db: Database
  private let row: CaseRow
  private let control: CaseControl
  private let duplicates: DuplicateTable
  /// Members beside the writer's own devices who can open what was written last.
  private(set) var readerCount = 0

  /// - Throws: `.notSyncedYet`, `.removed`, `.newerVersion`.
  init(
    _ db: Database, of row: CaseRow, keys: VaultKeys, surroundings: Surroundings
  ) throws {
    self.db = db
    self.row = row
    control = try CaseControl(db, of: row, keys: keys, surroundings: surroundings)
    duplicates = DuplicateTable(db, of: row, keys: keys)
  }

  /// Writes entries and what belongs to them, in their order.
  func write(_ additions: [SealedAddition]) throws -> [AddOutcome.Saved] {
    let entries = try append(
      additions.map { addition in
        var content = addition.entry.content
        content.attachments = addition.files.enumerated().map { $1.attachment(number: $0) }
        return Message(
          content: content, kind: addition.entry.kind ?? row.role.ownKind,
          audience: addition.entry.audience)
      })
    for (addition, entry) in zip(additions, entries) {
      for (number, file) in addition.files.enumerated() {
        guard let box = file.blob else { continue }
        try BlobTable.insert(db, box, entry: entry.leafRef, number: number)
      }
    }
    let holders = try insertMarks(of: additions, entries)
    return zip(additions, entries).map { addition, entry in
      AddOutcome.Saved(
        id: entry.id, sameContentAs: holders[entry.leafRef] ?? [], index: addition.index,
        isMinor: addition.entry.content.showsMinor)
    }
  }

  /// - Returns: by entry, the others that held the same before.
  private func insertMarks(
    of additions: [SealedAddition], _ entries: [LogAppender.Appended]
  ) throws -> [Int64: [EntryID]] {
    let marking = WorkAhead(count: additions.count) { [hashing = duplicates.hashing] in
      let addition = additions[$0]
      return (
        marks: addition.marks.map(hashing.hash), sizes: addition.sizeMarks.map(hashing.hash)
      )
    }
    var marks: [DuplicateTable.Holding] = []
    var sizes: [DuplicateTable.Holding] = []
    for entry in entries {
      let hashes = marking.take()
      marks += hashes.marks.map { .init(hash: $0, entry: entry.leafRef) }
      sizes += hashes.sizes.map { .init(hash: $0, entry: entry.leafRef) }
    }
    var result: [Int64: [EntryID]] = [:]
    for (holding, holders) in zip(marks, try duplicates.insertAll(marks)) where !holders.isEmpty {
      for holder in holders where result[holding.entry]?.contains(holder) != true {
        result[holding.entry, default: []].append(holder)
      }
    }
    try duplicates.insert(sizes)
    return result
  }

  /// Something that is said, and to whom.
  struct Message {
    let content: EntryContent
    let kind: EntryKind
    var audience = EntryAudience.allReaders
  }

  /// Appends entries of any kind: whether the role may write them is the caller's to know.
  ///
  /// - Throws: `.notAllowed`, `.unknownMember` for an audience that is not this writer's to choose.
  func append(_ messages: [Message]) throws -> [LogAppender.Appended] {
    let choice = ReaderChoice(control)
    // An epoch that begins here has an entry of its own, so all are there before the first place is given.
    var known: [EntryAudience: [LoadedEpoch]] = [:]
    let epochs = try messages.map { message in
      let isAlone = message.content.about.isEmpty
      if isAlone, let epochs = known[message.audience] { return epochs }
      let epochs = try choice.epochs(
        for: message.audience, as: message.kind, about: message.content.about)
      if isAlone { known[message.audience] = epochs }
      return epochs
    }
    let entries = try control.appender.append(
      zip(messages, epochs).map { message, epochs in
        EntryDraft(kind: message.kind, parts: message.content.parts, epochs: epochs)
      })
    for (entry, (message, epochs)) in zip(entries, zip(messages, epochs)) {
      guard try isKeptBack(message.audience, epochs: epochs, about: message.content.about)
      else { continue }
      try KeptBack.mark(db, entry.leafRef, byWord: message.audience != .allReaders)
    }
    readerCount = epochs.last?.count { $0.key.audience != .devices } ?? 0
    return entries
  }

  func append(_ content: EntryContent, as kind: EntryKind) throws -> LogAppender.Appended {
    try append([Message(content: content, kind: kind)])[0]
  }

  /// Whether an entry is meant for fewer than all: by what was said, because somebody who reads the case
  /// now is left out, or because it is about what is meant for fewer. Who comes later is not to have it
  /// unless it is named.
  private func isKeptBack(
    _ audience: EntryAudience, epochs: [LoadedEpoch], about targets: [EntryID]
  ) throws -> Bool {
    guard row.role == .survivor else { return false }
    if audience != .allReaders { return true }
    guard !targets.isEmpty else { return false }
    let chosen = epochs.map { $0.key.audience }
    guard control.advocates.allSatisfy(chosen.contains) else { return true }
    let keptBack = try KeptBack(db, of: row, in: control.state)
    return try targets.contains { try keptBack.contains($0) }
  }

  func sign() throws { try control.sign() }
}

extension Role {
  /// What this role adds when it says nothing else.
  var ownKind: EntryKind { self == .survivor ? .evidence : .note }
}
