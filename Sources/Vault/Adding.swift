public import CaseLog
internal import Cryptography
internal import GRDB
public import VerifiableLog

/// Something to be kept: at most one file, and what is known of it.
public struct NewEntry: Sendable {
  public enum Source: Sendable {
    case file(path: String)
    /// An open descriptor, such as standard input; its name if it has one.
    case descriptor(Int32, name: String?)
  }

  public var source: Source?
  /// Keep hash, size and type of the file, and not the file itself.
  public var isWithoutContent: Bool
  /// Address, words, times and so on; its attachments are made from `source`.
  public var content: EntryContent
  public var audience = EntryAudience.allReaders

  public init(source: Source?, isWithoutContent: Bool = false, content: EntryContent) {
    self.source = source
    self.isWithoutContent = isWithoutContent
    self.content = content
  }
}

/// What became of a call to `add`: all that is in `saved` is on the medium, whatever happened then.
public struct AddOutcome: Sendable {
  public struct Saved: Hashable, Sendable {
    public let id: EntryID
    /// Entries of the case that hold the same bytes already.
    public let sameContentAs: [EntryID]
  }
  public var saved: [Saved] = []
  /// How many members other than this device's owner can open what was saved.
  public var sharedWith = 0
  /// The index of the new entry at which it stopped, and why.
  public var failure: (index: Int, error: VaultError)?
}

extension OpenVault {
  /// Adds entries in order, and saves them in batches; stops at the first that cannot be added.
  ///
  /// - Parameters:
  ///   - name: of the case; nil for the default one.
  ///   - onBytes: told how many bytes were read since it was told last; may throw to stop.
  /// - Throws: only when nothing was begun: `.unknownCase`, `.copied`, `.rolledBack`; for a choice of readers
  ///   that is not the writer's, `.notAllowed`, `.unknownMember`.
  public func add(
    _ entries: [NewEntry], toCase name: String?,
    onBytes: (Int) throws(VaultError) -> Void = { (_) throws(VaultError) in }
  ) throws(VaultError) -> AddOutcome {
    try requireSoundStanding()
    let row = try read { db in try CaseRow.find(db, name) }
    try checkAudiences(of: entries, in: row)
    var outcome = AddOutcome()
    var batch = AdditionBatch()
    for (index, entry) in entries.enumerated() {
      do throws(VaultError) {
        batch.append(try seal(entry, onBytes: onBytes))
      } catch {
        outcome.failure = (index, error)
        break
      }
      if batch.isFull, !save(&batch, in: row, to: &outcome) { return outcome }
    }
    _ = save(&batch, in: row, to: &outcome)
    return outcome
  }

  /// Appends an entry of a kind of the caller's choice, also one that this role may not write: what somebody
  /// with a patched program can do. Tests show by it that every other copy sets such an entry aside.
  package func append(
    _ content: EntryContent, as kind: EntryKind, toCase name: String?
  ) throws(VaultError) -> EntryID {
    let row = try read { db in try CaseRow.find(db, name) }
    return try commit { db in
      let writer = try EntryWriter(db, of: row, keys: keys, surroundings: surroundings)
      let entry = try writer.append(content, as: kind)
      try writer.sign()
      return entry.id
    }
  }

  /// Reads, hashes and seals the file of an entry, if it has one.
  private func seal(
    _ entry: NewEntry, onBytes: (Int) throws(VaultError) -> Void
  ) throws(VaultError) -> SealedAddition {
    guard let source = entry.source else { return SealedAddition(entry: entry, blob: nil) }
    let reader = try SourceReader(source)
    if entry.isWithoutContent {
      let digest = try reader.digest(onBytes: onBytes)
      return SealedAddition(
        entry: entry, mediaType: reader.mediaType, name: reader.name, digest: digest)
    }
    let blob = try blobs.seal(
      { (buffer, count) throws(VaultError) in try reader.read(into: &buffer, count: count) },
      onBytes: onBytes)
    do throws(VaultError) {
      try reader.checkUnchanged(size: blob.size)
    } catch {
      blobs.discard(blob)
      throw error
    }
    return SealedAddition(
      entry: entry, mediaType: reader.mediaType, name: reader.name, blob: NewBlobBox(blob))
  }

  /// The order of a durable write: blobs have their names and folders are synced before the transaction
  /// that refers to them; the anchor follows it.
  ///
  /// - Returns: whether it succeeded; if not, `outcome` says why, and what no entry refers to is gone.
  private func save(
    _ batch: inout AdditionBatch, in row: CaseRow, to outcome: inout AddOutcome
  ) -> Bool {
    guard !batch.additions.isEmpty else { return true }
    do throws(VaultError) {
      try batch.commitBlobs(to: blobs)
      let additions = batch.additions
      let (saved, sharedWith) = try commit { db in
        let writer = try EntryWriter(db, of: row, keys: keys, surroundings: surroundings)
        let saved = try additions.map { addition in try writer.write(addition) }
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
      case .storedUnconfirmed, .inputOutput, .databaseDamaged: break
      default: batch.discard(from: blobs)
      }
      outcome.failure = (outcome.saved.count, error)
      return false
    }
  }
}

/// What is sealed and waits for its transaction.
struct AdditionBatch {
  private(set) var additions: [SealedAddition] = []
  private var bytes: UInt64 = 0

  /// Large enough that the cost of a commit vanishes, small enough that little is done twice after a crash.
  var isFull: Bool { additions.count >= 256 || bytes >= 256 << 20 }

  mutating func append(_ addition: SealedAddition) {
    additions.append(addition)
    bytes += addition.blob?.blob.sealedSize ?? 0
  }

  func commitBlobs(to store: BlobStore) throws(VaultError) {
    var roots: [BlobRoot] = []
    for addition in additions {
      guard let blob = addition.blob, blob.blob.temporary != nil else { continue }
      try store.commit(blob.blob)
      roots.append(blob.blob.root)
    }
    if !roots.isEmpty { try store.synchronizeFolders(of: roots) }
  }

  /// Removes the files of a batch that was not saved.
  func discard(from store: BlobStore) {
    for addition in additions {
      guard let blob = addition.blob, blob.blob.temporary != nil else { continue }
      store.discard(blob.blob)
      Folders.remove(store.path(of: blob.blob.root))
    }
  }
}

/// A sealed attachment in a collection, which cannot hold it bare.
final class NewBlobBox: Sendable {
  let blob: NewBlob
  init(_ blob: consuming NewBlob) { self.blob = blob }
}

/// A new entry with its file read and sealed.
struct SealedAddition {
  let entry: NewEntry
  var mediaType = MediaType.unknown
  var name: [UInt8]?
  var digest: (size: UInt64, sha256: Bytes32)?
  let blob: NewBlobBox?

  init(
    entry: NewEntry, mediaType: String = MediaType.unknown, name: [UInt8]? = nil,
    digest: (size: UInt64, sha256: Bytes32)? = nil, blob: NewBlobBox? = nil
  ) {
    self.entry = entry
    self.mediaType = mediaType
    self.name = name
    self.digest = blob.map { ($0.blob.size, $0.blob.sha256) } ?? digest
    self.blob = blob
  }

  /// The attachment as the entry names it.
  var attachment: Attachment? {
    guard let digest else { return nil }
    return Attachment(
      number: 0, size: digest.size, sha256: digest.sha256, mediaType: mediaType,
      isWithoutContent: blob == nil, name: name,
      blob: blob.map { box in
        Attachment.Blob(root: box.blob.root, key: box.blob.key.withBytes { $0.copied() })
      })
  }
}
