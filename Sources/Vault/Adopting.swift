internal import CaseLog
internal import Cryptography
internal import GRDB
public import VerifiableLog

/// An entry that stands for one that was set aside.
public struct Adoption: Hashable, Sendable {
  public let id: EntryID
  /// False where it was there before.
  public let isNew: Bool

  /// The entry by which a device of the survivor's entered another one again, unless that was taken back.
  static func find(
    _ db: Database, of entry: EntryID, in row: CaseRow, _ state: CaseState
  ) throws -> EntryID? {
    let records = try Row.fetchAll(
      db,
      cached: EntryTable.select + """
         JOIN about a ON a.entry_ref = l.id
        WHERE a.target = ? AND g.case_ref = ? AND l.class <> 1 AND e.kind = ? ORDER BY l.id
        """, arguments: [entry.bytes.data, row.ref, Int64(EntryKind.evidence.code)])
    for record in records {
      guard state.member(try record.identifier("log_id"))?.role == .survivor else { continue }
      let summary = try EntryTable.summary(db, record, of: row, in: state)
      if summary.standing == .open, !summary.isRetracted { return summary.id }
    }
    return nil
  }
}

extension OpenVault {
  /// Enters again, as this survivor's own, what was set aside or is disputed because its author was removed
  /// before; the new entry names the old one. Attachments are the same sealed files. What was entered again
  /// before is not entered a third time.
  ///
  /// - Throws: `.unknownEntry`, `.ambiguousEntry`, `.notAllowed`, `.notSetAside`.
  public func adopt(_ text: String) throws(VaultError) -> Adoption {
    let before = try read { db in
      let (row, entry) = try EntryTable.find(db, text)
      return try Adoption.find(
        db, of: try entry.identifier("entry_id"), in: row, try CaseView.state(db, of: row))
    }
    if let before { return Adoption(id: before, isNew: false) }
    return try commit { db in
      let (row, entry) = try EntryTable.find(db, text)
      guard row.role == .survivor else { throw VaultError(.notAllowed) }
      let summary = try EntryTable.summary(
        db, entry, of: row, in: try CaseView.state(db, of: row))
      guard summary.standing == .setAside || summary.standing == .disputed,
        var content = summary.content
      else { throw VaultError(.notSetAside) }
      content.about = [summary.id]
      content.takedown = nil
      let writer = try EntryWriter(db, of: row, keys: keys, surroundings: surroundings)
      let adopted = try writer.append(content, as: .evidence)
      for attachment in content.attachments {
        guard let blob = attachment.blob else { continue }
        try BlobTable.expect(
          db, blob.root, size: attachment.size, number: attachment.number, of: adopted.leafRef)
      }
      try writer.sign()
      return Adoption(id: adopted.id, isNew: true)
    }
  }
}
