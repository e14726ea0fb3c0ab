public import CaseLog
internal import Cryptography
internal import GRDB

/// An entry that was written out of the vault, and what became of its files.
public struct ExtractedEntry: Sendable {
  public enum FileState: String, Sendable {
    case written
    /// Only hash, size and type are kept.
    case hashOnly
    /// The bytes have not arrived here.
    case missing
    /// Or this disk does not have it any more.
    case damaged
    /// The disk that it was to be written to takes no file of its size.
    case tooLarge
  }
  public struct File: Sendable {
    public let attachment: Attachment
    public let state: FileState
    /// Below the folder; nil unless it was written.
    public let path: String?
  }

  /// From 1, in the order in which they were entered.
  public let number: Int
  public let item: EntryHistory.Item
  public let files: [File]
}

extension OpenVault {
  /// Writes all that this member can open of a case into a folder: attachments below `files/`, in plain, under
  /// the names they had made harmless, each with the number of its entry in front. Each is hashed as it is
  /// written; what is damaged or missing is told and stops nothing.
  ///
  /// - Parameters:
  ///   - onBytes: told how many bytes were written since it was told last; may throw to stop.
  ///   - onEntry: told of each entry once its files are on the medium.
  /// - Throws: `.unknownCase`, `.outputInVault`, `.diskFull`, what `onBytes` throws, or what the system says.
  ///   What `onEntry` was told of is there then, whole.
  public func extractAll(
    ofCase name: String?, to folder: String,
    onBytes: (Int) throws(VaultError) -> Void = { (_) throws(VaultError) in },
    onEntry: (ExtractedEntry) throws(VaultError) -> Void
  ) throws(VaultError) {
    guard !files.contains(folder) else { throw VaultError(.outputInVault) }
    let (row, leaves) = try read { db in
      let row = try CaseRow.find(db, name)
      let leaves = try Int64.fetchAll(
        db,
        cached: """
          SELECT l.id FROM leaf l JOIN log g ON g.id = l.log_ref JOIN entry e ON e.id = l.id
          WHERE g.case_ref = ? AND l.class <> 1 AND e.problem IS NULL ORDER BY e.clock, l.id
          """, arguments: [row.ref])
      return (row, leaves)
    }
    let state = try read { db in try CaseView.state(db, of: row) }
    let path = folder + "/files"
    var number = 0
    for leaf in leaves {
      let item = try read { db in
        try RelatedEntries(db: db, row: row, state: state).item(leaf: leaf)
      }
      guard let item, let content = item.summary.content else { continue }
      number += 1
      var files: [ExtractedEntry.File] = []
      for attachment in content.attachments {
        let written = try write(
          attachment, to: path, number: number, of: item.detail, onBytes: onBytes)
        files.append(
          .init(
            attachment: attachment, state: written.state,
            path: written.name.map { "files/" + $0 }))
      }
      if files.contains(where: { $0.path != nil }) { try Folders.synchronize(path) }
      try onEntry(ExtractedEntry(number: number, item: item, files: files))
    }
  }

  /// Bytes of all attachments that `extractAll` can write.
  public func extractableSize(ofCase name: String?) throws(VaultError) -> UInt64 {
    try read { db in
      let row = try CaseRow.find(db, name)
      let sealed = try Int64.fetchOne(
        db,
        cached: """
          SELECT coalesce(sum(b.sealed_size), 0) FROM attachment a JOIN blob b ON b.id = a.blob_ref
          JOIN entry e ON e.id = a.entry_ref WHERE e.case_ref = ? AND b.is_present = 1
          """, arguments: [row.ref])
      return UInt64(sealed ?? 0)
    }
  }

  private func write(
    _ attachment: Attachment, to folder: String, number: Int, of detail: EntryDetail,
    onBytes: (Int) throws(VaultError) -> Void
  ) throws(VaultError) -> (state: ExtractedEntry.FileState, name: String?) {
    if attachment.isWithoutContent { return (.hashOnly, nil) }
    guard detail.presentAttachments.contains(attachment.number) else { return (.missing, nil) }
    try Folders.makeAll(folder)
    let digits = String(number)
    let prefix = String(repeating: "0", count: max(0, 5 - digits.count)) + digits + "-"
    let name = prefix + SafeName.make(attachment.name, fallback: "file")
    let path = try Self.freePath(in: folder, for: name)
    do throws(VaultError) {
      try write(attachment, to: path, onBytes: onBytes)
    } catch {
      switch error.code {
      case .contentDamaged, .contentLost: return (.damaged, nil)
      case .contentMissing: return (.missing, nil)
      case .diskFull where error.isOfItsSize: return (.tooLarge, nil)
      default: throw error
      }
    }
    return (.written, String(path.dropFirst(folder.count + 1)))
  }
}
