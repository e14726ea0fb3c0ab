public import VerifiableLog

/// How far a check looks; each looks at all that the one before it does.
public enum CheckDepth: String, Sendable, CaseIterable {
  /// Locks, SQLite's quick check, the signed heads of logs, and whether each attachment is there in its size.
  case quick
  /// Also SQLite's whole check, every row against the log that signed it, and all that is shown and found against
  /// what was sealed.
  case full
  /// Also every byte of every attachment.
  case deep
}

/// What a check of the whole vault found.
public struct CheckOutcome: Sendable {
  public enum Finding: Hashable, Sendable {
    /// One of the two copies of the locks is missing or damaged, or they differ.
    case keysFile
    /// So they were when the vault was opened for this check, and are not any more.
    case locks(LocksCondition)
    /// SQLite's own check of the database failed.
    case database
    /// The folder is a copy, or was restored: nothing may be signed here.
    case copied
    /// The database is older than what was signed.
    case rolledBack
    /// Leaves of this log do not give the head that was signed.
    case log(LogID)
    /// The stored ciphertext of this entry is not the one in its leaf.
    case ciphertext(EntryID)
    /// What is shown of this entry is not what its ciphertext says.
    case view(EntryID)
    /// The index of words is not that of the entries; `rebuildSearch` makes it anew.
    case search
    /// The rows by which this entry is listed and found are not those that follow from it.
    case index(EntryID)
    /// The key of an epoch, named by its entry, is missing though it was here.
    case caseKey(EntryID)
    /// This entry was destroyed here, and some of it is there again.
    case erasure(EntryID)
    /// The bytes of this entry's attachment are missing though they were stored.
    case contentMissing(EntryID)
    /// The bytes of this entry's attachment are damaged.
    case contentDamaged(EntryID)
    /// The bytes of this entry's attachment are here, and are taken for missing: an exchange was interrupted at
    /// its very end, or an older row was put back.
    case contentUnlisted(EntryID)
    /// Files that no entry names; harmless.
    case strayFiles(Int)
    /// A database that is not in force lies in the vault's folder: it opens by the locks of its day.
    case otherDatabase
    /// An entry that its author may not write; kept aside.
    case violation(LogID, sequence: UInt64)
    /// A member signed two histories.
    case fork(LogID)
    /// A case was written to by a newer version.
    case newerVersion

    /// Whether this vault lost or mixed up something, in contrast to others' doings and to dust.
    public var isDamage: Bool {
      switch self {
      case .locks, .strayFiles, .otherDatabase, .contentUnlisted, .violation, .fork, .newerVersion,
        .copied:
        return false
      default: return true
      }
    }
  }

  /// How far it looked.
  public let depth: CheckDepth
  public var findings: [Finding] = []
  public var caseCount = 0
  public var entryCount = 0
  public var fileCount = 0
  public var fileBytes: UInt64 = 0
  /// Attachments that have not come yet.
  public var filesAwaited = 0
  /// Cases about which there is something to know besides what is in `findings`.
  public var troubled: [CaseStatus] = []

  init(_ depth: CheckDepth) { self.depth = depth }

  /// Once, however often it shows.
  mutating func note(_ finding: Finding) {
    if !findings.contains(finding) { findings.append(finding) }
  }
}
