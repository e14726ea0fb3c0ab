import CaseLog
import Cryptography
import Foundation
import GRDB
import People
import SealedBundle
import Support
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
      let copied = try #require(
        try GRDB.Row.fetchOne(
          db,
          sql: """
            SELECT l.*, g.log_id FROM leaf l JOIN log g ON g.id = l.log_ref WHERE l.entry_id = ?
            """, arguments: [entry.bytes.data]))
      let original = try LeafData(parsing: copied.bytes("data"))
      let slots = try GRDB.Row.fetchAll(
        db, sql: "SELECT epoch, box FROM slot WHERE leaf_ref = ?",
        arguments: [copied["id"] as Int64])
      for epoch in try LoadedEpoch.all(db, of: row, keys: keys) {
        for slot in slots where try slot.identifier("epoch") == epoch.key.id {
          let key = try epoch.key.open(
            Slot(
              logID: try copied.identifier("log_id"), sequence: original.sequence,
              epoch: epoch.key.id, box: slot.bytes("box")), leaf: original)
          let leaf = { (sequence: UInt64) in
            LeafData(
              sequence: sequence, entryClass: entryClass, commitment: original.commitment,
              ciphertextHash: original.ciphertextHash)
          }
          try append(db, row, leaf, copied.bytes("ciphertext"), key: key, epoch)
          return
        }
      }
      Issue.record("nothing to copy")
    }
  }

  /// Appends a note whose leaf commits to other words than its ciphertext holds, under the same key.
  func forgeUncommitted() throws {
    let name = try theirName()
    try commit { db in
      let row = try CaseRow.find(db, name)
      let epochs = try LoadedEpoch.all(db, of: row, keys: keys)
      let everyone = try #require(epochs.last { $0.key.audience == .everyone })
      let key = SecretKey.random()
      func sealed(_ words: String, _ sequence: UInt64) throws -> SealedEntry {
        var content = EntryContent()
        content.words = words
        return try SealedEntry(
          sealing: content.parts, kind: .note, context: EntryContext(clock: 1),
          at: row.place(sequence), key: key)
      }
      let sequence = try UInt64(
        Int64.fetchOne(
          db, sql: "SELECT size FROM log WHERE case_ref = ? AND log_id = ?",
          arguments: [row.ref, row.logID.bytes.data]) ?? 0)
      let (shown, other) = (try sealed("shown", sequence), try sealed("other", sequence))
      let leaf = { (sequence: UInt64) in
        LeafData(
          sequence: sequence, entryClass: .note, commitment: shown.leaf.commitment,
          ciphertextHash: other.leaf.ciphertextHash)
      }
      try append(db, row, leaf, other.ciphertext, key: key, everyone)
    }
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
  func open(at time: UInt64) throws -> OpenVault {
    try OpenVault(
      opening: vault, passphrase: try locked(Person.passphrase),
      surroundings: Surroundings(now: { time }, machine: Person.surroundings.machine))
  }

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
