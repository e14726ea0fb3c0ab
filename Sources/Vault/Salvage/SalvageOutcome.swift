public import CaseLog
public import VerifiableLog

/// An entry that was taken out of a damaged vault. Nothing of it was compared with what was signed.
public struct SalvagedEntry: Sendable {
  public enum Source: String, Sendable {
    /// Opened from its sealed form, which gives the commitment in its leaf.
    case sealed
    /// From what was laid out for showing; its sealed form is lost.
    case view
  }

  /// What became of one of its files.
  public struct File: Sendable {
    public enum State: Sendable, Hashable {
      case whole
      /// Written with zeros where bytes are lost: these, from the first.
      case damaged(missing: [Range<UInt64>])
      case lost
      /// The disk that it was to be written to takes no file of its size.
      case tooLarge
      /// There was no room left for it there.
      case noRoom
      /// That disk gave an error.
      case notWritten
      /// Only hash, size and type were ever kept.
      case hashOnly
    }
    /// The number of its entry.
    public let entry: Int
    public let attachment: Attachment
    public let state: State
    /// Below the folder; nil unless it was written.
    public let path: String?
    /// A whole one gives the SHA-256 that the entry names.
    public let givesHash: Bool
  }

  /// From 1, in the order in which entries came into this vault.
  public let number: Int
  /// Unknown where its leaf is lost.
  public let id: EntryID?
  public let source: Source
  /// It stood on an older copy of a page of which the newest is lost.
  public let isOld: Bool
  /// Another row that says it is this one says something else, and nothing tells which of them is the newer one.
  public let isDoubtful: Bool
  public let caseID: CaseID?
  public let caseName: String?
  public let author: LogID?
  public let authorName: String?
  public let kind: EntryKind
  /// Seconds since 1970 by the author's clock.
  public let clock: UInt64
  /// Nil for one that breaks the rules of its kind.
  public let content: EntryContent?
}

/// What was there to be read, and what was read.
public struct SalvageOutcome: Sendable, Hashable {
  public enum Locks: String, Sendable {
    case first, second
    /// No copy was whole; a lock in one of them opened all the same.
    case damaged
  }
  public struct Database: Sendable, Hashable {
    public var isMissing = false
    public var pages = 0
    /// No copy of them opens.
    public var pagesLost = 0
    /// An older copy had to do.
    public var pagesOld = 0
    /// The log beside it is there, and cannot be read at all.
    public var isLogUnreadable = false
    /// Of the log beside the database, and those of them that do not open in their place.
    public var frames = 0
    public var framesLost = 0
    /// Rows on pages that open, of which a part is lost.
    public var rowsLost = 0
  }
  public struct Files: Sendable, Hashable {
    public var whole = 0
    public var damaged = 0
    public var lost = 0
    public var tooLarge = 0
    public var noRoom = 0
    public var notWritten = 0
    public var hashOnly = 0
    public var bytes: UInt64 = 0
    /// Sealed files that no entry names which could be read: without the entry they stay sealed.
    public var nameless = 0
  }

  public var locks = Locks.first
  public var database = Database()
  public var files = Files()
  public var entries = 0
  /// Those of them that only the view had.
  public var entriesOfView = 0
  /// Those of them that stood on an older copy of a page.
  public var entriesOld = 0
  /// Those of them of which another row says something else.
  public var entriesDoubtful = 0
  /// Left out: erased here.
  public var erased = 0
  /// Left out unless asked for: erased by another device, and not destroyed here yet.
  public var erasedElsewhere = 0
  /// Known to be there, and not to be opened: not shared with this vault, or lost.
  public var unopened: [EntryID] = []
  /// They break the rules of their kind; what they say was left out.
  public var malformed = 0

  public init() {}

  /// Whether something that was in the vault did not come out whole.
  public var isIncomplete: Bool {
    database.isMissing || database.pagesLost + database.framesLost + database.rowsLost > 0
      || database.isLogUnreadable || malformed > 0
      || files.tooLarge + files.noRoom + files.notWritten > 0
      || database.pagesOld + entriesDoubtful > 0 || files.damaged + files.lost + files.nameless > 0
  }
}
