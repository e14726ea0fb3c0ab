internal import CaseLog
internal import Cryptography
internal import GRDB
public import VerifiableLog

/// A file that was written out of the vault.
public struct ExtractedFile: Hashable, Sendable {
  public let path: String
  public let size: UInt64
}

/// What `extract` did with each attachment of an entry.
public struct Extraction: Sendable {
  public var written: [ExtractedFile] = []
  /// Attachments kept as hash, size and type only.
  public var withoutContent: [UInt64] = []
  /// Attachments of which the bytes have not arrived.
  public var missing: [UInt64] = []
  /// Attachments that are damaged on this disk.
  public var damaged: [UInt64] = []
  /// Attachments of which the bytes were here, and this disk does not have them any more.
  public var lost: [UInt64] = []
  /// What additions to the entry brought, each in a folder of its own; only those with files.
  public var additions: [Addition] = []
  /// Additions with files that were taken back, and left out.
  public var takenBack: [EntryID] = []

  public struct Addition: Sendable {
    public let id: EntryID
    public let files: Extraction
  }

  /// The worst of what kept something from being written, here or in an addition; nil if all was.
  public var lack: VaultError.Code? {
    let all = [self] + additions.map(\.files)
    if all.contains(where: { !$0.damaged.isEmpty }) { return .contentDamaged }
    if all.contains(where: { !$0.lost.isEmpty }) { return .contentLost }
    return all.contains { !$0.missing.isEmpty } ? .contentMissing : nil
  }

  fileprivate var hasWritten: Bool {
    !written.isEmpty || additions.contains { !$0.files.written.isEmpty }
  }
}

extension OpenVault {
  /// Writes the attachments of an entry into a folder, under the names they had, made harmless; those of
  /// additions to it into a folder within it for each. A file that is there already is never touched; one that
  /// could not be written whole is removed again, and stops none of the others.
  ///
  /// - Throws: `.unknownEntry`, `.ambiguousEntry`, `.entryLocked`, `.entryErased`, `.outputInVault`, or what the
  ///   system says; `.contentDamaged` or `.contentLost` where nothing at all could be written.
  public func extract(
    _ text: String, to folder: String,
    onBytes: (Int) throws(VaultError) -> Void = { (_) throws(VaultError) in }
  ) throws(VaultError) -> Extraction {
    guard !files.contains(folder) else { throw VaultError(.outputInVault) }
    let history = try history(of: text)
    var result = try extract(history.entry.detail, to: folder, onBytes: onBytes)
    for item in history.later where item.summary.kind == .amend {
      guard item.summary.content?.attachments.isEmpty == false else { continue }
      if item.takenBackBy != nil {
        result.takenBack.append(item.summary.id)
        continue
      }
      let id = item.summary.id
      let place = try Self.freePath(in: folder, for: "addition-\(id.base32.prefix(10))")
      let files = try extract(item.detail, to: place, onBytes: onBytes)
      result.additions.append(.init(id: id, files: files))
    }
    if !result.hasWritten, let lack = result.lack, lack != .contentMissing {
      throw VaultError(lack)
    }
    return result
  }

  private func extract(
    _ detail: EntryDetail, to folder: String, onBytes: (Int) throws(VaultError) -> Void
  ) throws(VaultError) -> Extraction {
    guard let content = detail.summary.content else { throw VaultError(detail.summary.whyLocked) }
    var result = Extraction()
    if !content.attachments.isEmpty { try Folders.makeAll(folder) }
    for attachment in content.attachments {
      if attachment.isWithoutContent {
        result.withoutContent.append(attachment.number)
      } else if !detail.presentAttachments.contains(attachment.number) {
        result.missing.append(attachment.number)
      } else {
        let fallback = Base32.encode(detail.summary.id.bytes).prefix(8)
        let path = try Self.freePath(
          in: folder, for: SafeName.make(attachment.name, fallback: "entry-\(fallback)"))
        do throws(VaultError) {
          try write(attachment, to: path, onBytes: onBytes)
          result.written.append(ExtractedFile(path: path, size: attachment.size))
        } catch {
          switch error.code {
          case .contentDamaged: result.damaged.append(attachment.number)
          case .contentLost: result.lost.append(attachment.number)
          default: throw error
          }
        }
      }
    }
    if !result.written.isEmpty { try Folders.synchronize(folder) }
    return result
  }

  func write(
    _ attachment: Attachment, to path: String, onBytes: (Int) throws(VaultError) -> Void
  ) throws(VaultError) {
    let reader = try reader(of: attachment)
    let temporary = Folders.temporaryPath(beside: path)
    let file = try OpenFile(creating: temporary)
    var hash = SHA256Hash()
    do throws(VaultError) {
      try reader.forEachPiece { (bytes) throws(VaultError) in
        hash.update(bytes)
        try file.write(bytes)
        try onBytes(bytes.byteCount)
      }
      guard hash.finalize() == attachment.sha256 else { throw VaultError(.contentDamaged) }
      try file.synchronize()
      guard !Folders.isThere(path) else { throw VaultError(.outputExists) }
      try Folders.rename(temporary, to: path)
    } catch {
      Folders.remove(temporary)
      throw error
    }
  }

  /// - Throws: `.contentMissing`, `.contentLost`, `.contentDamaged`.
  func reader(of attachment: Attachment) throws(VaultError) -> BlobReader {
    guard let blob = attachment.blob else { throw VaultError(.contentMissing) }
    let inline = try read { db -> [UInt8]? in
      guard
        let row = try Row.fetchOne(
          db, cached: "SELECT content FROM blob WHERE root = ? AND is_present = 1",
          arguments: [blob.root.bytes.data])
      else { throw VaultError(.contentMissing) }
      return row.hasNull(atIndex: 0) ? nil : row.bytes("content")
    }
    do {
      let key = try blob.key.withBytes { (bytes) throws(CryptographyError) in
        try SecretKey(copying: bytes)
      }
      return try BlobReader(
        inline: inline, path: blobs.path(of: blob.root), key: key, size: attachment.size)
    } catch let error as VaultError {
      throw error.code == .fileMissing ? VaultError(.contentLost) : error
    } catch {
      throw VaultError(.contentDamaged)
    }
  }

  static func freePath(in folder: String, for name: String) throws(VaultError) -> String {
    guard Folders.isThere(folder + "/" + name) else { return folder + "/" + name }
    let dot = name.dropFirst().lastIndex(of: ".") ?? name.endIndex
    for number in 2...9999 {
      let path = folder + "/" + name[..<dot] + "-\(number)" + name[dot...]
      if !Folders.isThere(path) { return path }
    }
    throw VaultError(.outputExists)
  }
}

/// Makes a name from somewhere else harmless for file systems and for eyes: no separators, no control characters,
/// nothing that turns the direction of text, no leading dot, a bounded length; nor what the file system of a stick
/// does not take.
enum SafeName {
  private static let longest = 200

  static func make(_ bytes: [UInt8]?, fallback: String) -> String {
    let text = String(decoding: bytes ?? [], as: UTF8.self)
    var name = ""
    for scalar in text.unicodeScalars {
      name.unicodeScalars.append(isHarmless(scalar) ? scalar : "_")
    }
    if name.utf8.count > longest { name = cut(name) }
    if name.hasPrefix(".") { name = "_" + name.dropFirst() }
    if name.hasSuffix(".") || name.hasSuffix(" ") { name = name.dropLast() + "_" }
    return name.isEmpty ? fallback : name
  }

  /// Its ending stays, by which other programs know what it is.
  private static func cut(_ name: String) -> String {
    let ending = name.lastIndex(of: ".").map { name[$0...] } ?? ""
    let kept = ending.utf8.count <= 16 ? ending : ""
    var rest = name.dropLast(kept.count)
    while rest.utf8.count + kept.utf8.count > longest { rest.removeLast() }
    return String(rest + kept)
  }

  private static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate,
      .unassigned:
      return false
    default: return !"/\\:*?\"<>|\u{fffd}".unicodeScalars.contains(scalar)
    }
  }
}
