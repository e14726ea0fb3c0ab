internal import CaseLog
internal import Cryptography
internal import GRDB
public import VerifiableLog

extension OpenVault {
  /// Enters again, as this survivor's own, what was set aside or is disputed because its author was removed
  /// before; the new entry names the old one. Attachments are the same sealed files.
  ///
  /// - Throws: `.unknownEntry`, `.ambiguousEntry`, `.notAllowed`, `.notSetAside`.
  public func adopt(_ text: String) throws(VaultError) -> EntryID {
    try commit { db in
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
      return adopted.id
    }
  }
}
