public import CaseLog
internal import Cryptography
public import VerifiableLog

/// Something to be kept: any number of files, and what is said of them.
public struct NewEntry: Sendable {
  public enum Source: Sendable {
    case file(path: String)
    /// A file that was come across and not named: its path as the file system has it, which need not be
    /// text. A link there is not followed.
    case found(path: [UInt8])
    /// An open descriptor, such as standard input; its name if it has one.
    case descriptor(Int32, name: String?)
  }

  /// Nil for what this role adds: evidence, or an advocate's note.
  public var kind: EntryKind?
  /// They become the attachments 0, 1, 2 and so on.
  public var sources: [Source]
  /// Keep hash, size and type of the files, and not the files themselves. Always so in an entry that shows
  /// or may show somebody under 18.
  public var isWithoutContent: Bool
  /// Address, words, times and so on; its attachments are made from `sources`.
  public var content: EntryContent
  public var audience = EntryAudience.allReaders

  public init(
    kind: EntryKind? = nil, sources: [Source] = [], isWithoutContent: Bool = false,
    content: EntryContent
  ) {
    self.kind = kind
    self.sources = sources
    self.isWithoutContent = isWithoutContent
    self.content = content
  }

  public init(source: Source?, isWithoutContent: Bool = false, content: EntryContent) {
    self.init(
      sources: source.map { [$0] } ?? [], isWithoutContent: isWithoutContent, content: content)
  }

  /// Neither files nor about another entry: what it says is all that it is.
  var isClaimOnly: Bool { kind == nil && sources.isEmpty && content.about.isEmpty }
}

/// How `add` goes about what is there already or cannot be read.
public struct AddOptions: Sendable {
  /// What the case holds already is not added again: the same bytes, or without a file the same address,
  /// time and words.
  public var skipsHeld = false
  /// A file that cannot be read does not stop the others.
  public var skipsUnreadable = false

  public init(skipsHeld: Bool = false, skipsUnreadable: Bool = false) {
    self.skipsHeld = skipsHeld
    self.skipsUnreadable = skipsUnreadable
  }
}

/// What became of a call to `add`: all that is in `saved` is on the medium, whatever happened then.
public struct AddOutcome: Sendable {
  public struct Saved: Hashable, Sendable {
    public let id: EntryID
    /// Entries of the case that hold the same already.
    public let sameContentAs: [EntryID]
    /// Its place among the entries that were to be added.
    public let index: Int
    /// The files were not kept, since the entry shows somebody under 18, or is about one that does.
    public let isMinor: Bool
  }
  public struct Held: Hashable, Sendable {
    public let index: Int
    public let sameContentAs: [EntryID]
    /// One of them also has the same title: the very thing, from an earlier run.
    public let hasSameTitle: Bool
  }

  public var saved: [Saved] = []
  /// Not added, because the case holds it already.
  public var held: [Held] = []
  /// Not added, because it could not be read.
  public var skipped: [(index: Int, error: VaultError)] = []
  /// Not saved, and not to be called lost: of a batch whose last step failed. After `.storedUnconfirmed` they are
  /// stored, after any other failure they may be.
  public var unconfirmed: [Int] = []
  /// How many members other than this device's owner can open what was saved.
  public var sharedWith = 0
  /// The index of the new entry at which it stopped, and why.
  public var failure: (index: Int, error: VaultError)?
}

// MARK: - Under way

/// A file of a new entry, read and perhaps sealed.
struct SealedFile {
  let digest: (size: UInt64, sha256: Bytes32)
  let mediaType: String
  let name: [UInt8]?
  /// Nil if only its hash is kept.
  let blob: NewBlobBox?

  func attachment(number: Int) -> Attachment {
    Attachment(
      number: UInt64(number), size: digest.size, sha256: digest.sha256, mediaType: mediaType,
      isWithoutContent: blob == nil, name: name,
      blob: blob.map { box in
        Attachment.Blob(root: box.blob.root, key: box.blob.key.withBytes { $0.copied() })
      })
  }
}

/// A new entry with its files read and sealed.
struct SealedAddition {
  let index: Int
  let entry: NewEntry
  let files: [SealedFile]

  /// The same is known by these; see `DuplicateTable`.
  var marks: [DuplicateTable.Mark] {
    if entry.isClaimOnly { return DuplicateTable.Mark(claimOf: entry.content).map { [$0] } ?? [] }
    return files.map { DuplicateTable.Mark(sha256: $0.digest.sha256) }
  }

  /// How large its files are: enough to know that the case holds none of them.
  var sizeMarks: [DuplicateTable.Mark] { files.map { DuplicateTable.Mark(size: $0.digest.size) } }

  /// Removes what was sealed, for an entry that is not kept.
  func discard(from store: BlobStore) {
    for file in files {
      guard let blob = file.blob, blob.blob.file != nil else { continue }
      store.discard(blob.blob)
      Folders.remove(store.path(of: blob.blob.root))
    }
  }
}

/// What is sealed and waits for its transaction.
struct AdditionBatch {
  private(set) var additions: [SealedAddition] = []
  private var bytes: UInt64 = 0
  /// Files that are open until they are saved.
  private var fileCount = 0

  /// Large enough that the cost of a commit vanishes, small enough that little is done twice after a crash.
  var isFull: Bool { additions.count >= 16_384 || fileCount >= 128 || bytes >= 256 << 20 }

  mutating func append(_ addition: SealedAddition) {
    additions.append(addition)
    bytes += UInt64(addition.entry.content.words?.utf8.count ?? 0)
    for file in addition.files {
      guard let blob = file.blob else { continue }
      bytes += blob.blob.sealedSize
      if blob.blob.file != nil { fileCount += 1 }
    }
  }

  /// Gives all files their names; if one cannot have its own, none is left.
  func commitBlobs(to store: BlobStore) throws(VaultError) {
    var roots: [BlobRoot] = []
    do throws(VaultError) {
      for file in additions.flatMap(\.files) {
        guard let blob = file.blob, blob.blob.file != nil else { continue }
        try store.commit(blob.blob)
        roots.append(blob.blob.root)
      }
      if !roots.isEmpty { try store.synchronizeFolders(of: roots) }
    } catch {
      discard(from: store)
      throw error
    }
  }

  /// Removes the files of a batch that was not saved.
  func discard(from store: BlobStore) {
    for addition in additions { addition.discard(from: store) }
  }
}

/// A sealed attachment in a collection, which cannot hold it bare.
final class NewBlobBox: Sendable {
  let blob: NewBlob
  init(_ blob: consuming NewBlob) { self.blob = blob }
}
