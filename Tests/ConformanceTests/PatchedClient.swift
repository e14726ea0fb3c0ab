import CaseLog
import Cryptography
import Foundation
import GRDB
import People
import SealedBundle
import Support
import Sync
import Testing
import VerifiableLog

@testable import Vault

/// What somebody can do with a patched program and the keys that she has.
extension OpenVault {
  /// Appends an entry of any kind to her own log, sealed to everyone, and signs it.
  @discardableResult
  func forge(_ kind: EntryKind, _ parts: [Part]) throws -> EntryID {
    let name = try theirName()
    return try commit { db in
      let control = try CaseControl(
        db, of: try CaseRow.find(db, name), keys: keys, surroundings: surroundings)
      let everyone = try control.current(.everyone)
      let entry = try control.appender.append([
        EntryDraft(kind: kind, parts: parts, epochs: [everyone])
      ])[0]
      try control.sign()
      return entry.id
    }
  }

  @discardableResult
  func forge(_ control: Control) throws -> EntryID { try forge(control.kind, [control.part]) }

  /// Appends somebody else's leaf to her own log, with ciphertext and key: as content, or as a note.
  func forgeLeaf(copying entry: EntryID, as entryClass: EntryClass) throws {
    let name = try theirName()
    try commit { db in
      let row = try CaseRow.find(db, name)
      let copied = try readable(entry, db, row)
      let leaf = { (sequence: UInt64) in
        LeafData(
          sequence: sequence, entryClass: entryClass, commitment: copied.leaf.commitment,
          ciphertextHash: copied.leaf.ciphertextHash)
      }
      try append(
        db, row, leaf, copied.record.bytes("ciphertext"),
        key: try copied.epoch.key.open(copied.slot, leaf: copied.leaf), copied.epoch)
    }
  }

  /// An entry as it lies here, and a slot of it that this device can open.
  private func readable(
    _ entry: EntryID, _ db: Database, _ row: CaseRow
  ) throws -> (record: GRDB.Row, leaf: LeafData, slot: Slot, epoch: LoadedEpoch) {
    let record = try #require(
      try GRDB.Row.fetchOne(
        db,
        sql: """
          SELECT l.*, g.log_id FROM leaf l JOIN log g ON g.id = l.log_ref WHERE l.entry_id = ?
          """, arguments: [entry.bytes.data]))
    let leaf = try LeafData(parsing: record.bytes("data"))
    let slots = try GRDB.Row.fetchAll(
      db, sql: "SELECT epoch, box FROM slot WHERE leaf_ref = ?",
      arguments: [record["id"] as Int64])
    for epoch in try LoadedEpoch.all(db, of: row, keys: keys) {
      for slot in slots where try slot.identifier("epoch") == epoch.key.id {
        let slot = Slot(
          logID: try record.identifier("log_id"), sequence: leaf.sequence, epoch: epoch.key.id,
          box: slot.bytes("box"))
        return (record, leaf, slot, epoch)
      }
    }
    throw CocoaError(.coderValueNotFound)
  }

  /// Appends a note that opens under two keys. Everyone gets the one of these that is named.
  func forge(_ note: TwoKeyedNote, givingFirst: Bool) throws {
    let name = try theirName()
    try commit { db in
      let row = try CaseRow.find(db, name)
      let epochs = try LoadedEpoch.all(db, of: row, keys: keys)
      let everyone = try #require(epochs.last { $0.key.audience == .everyone })
      let key = givingFirst ? note.first : note.second
      try append(
        db, row, { _ in note.leaf }, note.sealed.ciphertext, key: try secret(key), everyone)
    }
  }

  /// A slot for everyone, as whoever holds the epoch's key can make it for whatever key.
  func slot(for key: [UInt8], leaf: LeafData, in log: LogID) throws -> Slot {
    let name = try theirName()
    return try read { db in
      let epochs = try LoadedEpoch.all(db, of: try CaseRow.find(db, name), keys: keys)
      let everyone = try #require(epochs.last { $0.key.audience == .everyone })
      return everyone.key.slot(for: try secret(key), leaf: leaf, logID: log)
    }
  }

  /// What somebody who reads an entry makes of it anew: other words at its place, under its own key or another one.
  func sealedAgain(
    _ entry: EntryID, saying text: String, under otherKey: [UInt8]? = nil
  ) throws -> (old: LeafData, new: SealedEntry, slot: Slot) {
    let name = try theirName()
    return try read { db in
      let row = try CaseRow.find(db, name)
      let (_, leaf, slot, epoch) = try readable(entry, db, row)
      let place = EntryPlace(caseID: row.caseID, logID: slot.logID, sequence: leaf.sequence)
      var content = EntryContent()
      content.words = text
      let key = try Self.key(otherKey, epoch, slot, of: leaf)
      let sealed = try SealedEntry(
        sealing: content.parts, kind: .evidence, context: EntryContext(clock: 1), at: place,
        key: key)
      // Under its own key it opens at the AEAD; the leaf alone says that it is another.
      #expect(throws: CaseLogError.otherCiphertext) {
        try SealedEntry(leaf: leaf, ciphertext: sealed.ciphertext).open(at: place, key: key)
      }
      return (leaf, sealed, epoch.key.slot(for: key, leaf: leaf, logID: slot.logID))
    }
  }

  /// The key of these bytes, or the one that a slot gives.
  private static func key(
    _ bytes: [UInt8]?, _ epoch: LoadedEpoch, _ slot: Slot, of leaf: LeafData
  ) throws -> SecretKey {
    if let bytes { return try secret(bytes) }
    return try epoch.key.open(slot, leaf: leaf)
  }

  /// Appends a leaf of whatever content to this device's log, and signs.
  private func append(
    _ db: Database, _ row: CaseRow, _ makeLeaf: (UInt64) -> LeafData, _ ciphertext: [UInt8],
    key: borrowing SecretKey, _ epoch: LoadedEpoch
  ) throws {
    let own = try #require(
      try GRDB.Row.fetchOne(
        db, sql: "SELECT * FROM log WHERE case_ref = ? AND log_id = ?",
        arguments: [row.ref, row.logID.bytes.data]))
    var tree = try CompactRange(row: own)
    let leaf = makeLeaf(tree.size)
    try db.execute(
      sql: """
        INSERT INTO leaf(log_ref, sequence, class, data, entry_id, ciphertext)
        VALUES (?, ?, ?, ?, ?, ?)
        """,
      arguments: [
        own["id"] as Int64, Int64(tree.size), Int64(leaf.classByte), leaf.bytes.data,
        EntryID(log: row.logID, leaf: leaf).bytes.data, ciphertext.data,
      ])
    try db.execute(
      sql: "INSERT INTO slot(leaf_ref, epoch, box, is_valid) VALUES (?, ?, ?, 1)",
      arguments: [
        db.lastInsertedRowID, epoch.key.id.bytes.data,
        epoch.key.slot(for: key, leaf: leaf, logID: row.logID).box.data,
      ])
    tree.append(leaf.hash)
    let device = try DeviceKeys.load(db, case: row.ref, keys: keys)
    let head = VerifiedCheckpoint(
      signing: device.signing, of: row.logIdentity, size: tree.size, root: tree.root)
    try db.execute(
      sql: """
        UPDATE log SET size = ?1, note_size = ?1, root = ?2, frontier = ?3, note = ?4 WHERE id = ?5
        """,
      arguments: [
        Int64(tree.size), tree.root.bytes.data, tree.encoded.data, head.bytes.data,
        own["id"] as Int64,
      ])
  }

  /// Signs what only the root may: that a card is a further device of the survivor's.
  func forgedAdmission(of card: Card) throws -> [UInt8] {
    let name = try theirName()
    return try read { db in
      let row = try CaseRow.find(db, name)
      return RootStatement.admit(
        card, root: try DeviceKeys.load(db, case: row.ref, keys: keys).signing)
    }
  }

  /// So many entries are held of each log.
  func sizes() throws -> [LogID: UInt64] {
    let name = try theirName()
    return try read { db in
      let row = try CaseRow.find(db, name)
      let logs = try GRDB.Row.fetchAll(
        db, sql: "SELECT log_id, size FROM log WHERE case_ref = ?", arguments: [row.ref])
      var sizes: [LogID: UInt64] = [:]
      for log in logs { sizes[try log.identifier("log_id")] = log.number("size") }
      return sizes
    }
  }

  /// How many slots are kept of each entry.
  func slotCounts() throws -> [Int] {
    try read { db in try Int.fetchAll(db, sql: "SELECT count(*) FROM slot GROUP BY leaf_ref") }
  }

  /// The leaves of a log as this copy holds them.
  func position(of log: LogID) throws -> LogPosition {
    let name = try theirName()
    return try read { db in
      let row = try CaseRow.find(db, name)
      let found = try #require(
        try GRDB.Row.fetchOne(
          db, sql: "SELECT size, root FROM log WHERE case_ref = ? AND log_id = ?",
          arguments: [row.ref, log.bytes.data]))
      return LogPosition(
        logID: log, size: found.number("size"), root: try found.bytes32("root"))
    }
  }
}

extension Person {
  /// What this person would hand over of the case, taken out of its seal, and what its reader knows from elsewhere.
  func bundle(witnessedBy witnesses: [String] = []) async throws -> BundleAttempt {
    let identity = AgeIdentity(secretKey: SecretKey.random())
    guard let recipient = identity.recipient else { throw CocoaError(.coderInvalidValue) }
    let file = path("bundle-\(UUID().uuidString)")
    let caseID = try await opened { vault in
      let name = try await vault.theirName()
      _ = try await vault.export(
        caseNamed: name, entries: nil, to: file, seal: .recipients([recipient]), program: "test",
        includesPrivate: true)
      return try await vault.cases().first { name == nil || $0.name == name }?.caseID
    }
    let sealed = [UInt8](try Data(contentsOf: URL(filePath: file)))
    var source = try AgeSource(MemorySource(sealed), identity: identity)
    return BundleAttempt(
      archive: try source.read(at: 0, count: Int(source.byteCount)),
      trust: BundleTrust(
        caseID: caseID, witnesses: try witnesses.map { try NoteKey(verifierKey: $0) }))
  }

  /// Entries by their words, as the program lists them, with their standing.
  func standings(inCase name: String? = nil) async throws -> [String: String] {
    var found: [String: String] = [:]
    for entry in try await entries(inCase: name) {
      if let words = entry["words"] as? String { found[words] = entry["standing"] as? String }
    }
    return found
  }
}

func secret(_ bytes: [UInt8]) throws -> SecretKey {
  try bytes.withBytes { (bytes) throws(CryptographyError) in try SecretKey(copying: bytes) }
}

/// A note of which the ciphertext opens under two keys, while its leaf commits to what the first of them shows.
struct TwoKeyedNote: Sendable {
  let place: EntryPlace
  let first = [UInt8](repeating: 70, count: 32)
  let second = [UInt8](repeating: 71, count: 32)
  let sealed: SealedEntry
  var leaf: LeafData { sealed.leaf }

  init(at place: EntryPlace) async throws {
    self.place = place
    let script = Table.project.appending(path: "Tests/Protocol/two_keys.py").path
    let made = try await Verifiers.python(
      [
        script, Hex.encode(place.caseID.bytes), Hex.encode(place.logID.bytes),
        "\(place.sequence)", Hex.encode(first), Hex.encode(second), "1780000000",
      ], in: Table.project.path)
    #expect(made.status == 0, "\(made.all)")
    let parts = try JSONDecoder().decode([String].self, from: Data(made.output.utf8))
    let ciphertext = hex(parts[0])
    sealed = SealedEntry(
      leaf: LeafData(
        sequence: place.sequence, entryClass: .note,
        commitment: try #require(Bytes32(hex(parts[1]))),
        ciphertextHash: WireEntry.hash(ciphertext: ciphertext)), ciphertext: ciphertext)
  }
}
