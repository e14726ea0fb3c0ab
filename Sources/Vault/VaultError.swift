public import CaseLog

/// What went wrong at the vault's edge: a code, and at most numbers. Never a key, a name, a path or a
/// text of evidence; whoever shows it knows what was being done and says so in a sentence.
public struct VaultError: Error, Hashable, Sendable {
  public enum Code: String, Sendable {
    // The vault itself.
    case noVault, vaultExists, notAVault, inUse, wrongPassphrase, keysMissing, keysDamaged
    /// Where a vault is to be made another file system begins, so that nothing can be moved there whole.
    case placeIsDisk
    /// The locks that are there are from before the vault was sealed under new keys.
    case keysOutdated
    /// Only the older of the two copies of the locks opened, and no stopped change left them so.
    case keysSuperseded
    /// The database was not sealed under this vault's keys, or nothing of it is whole.
    case databaseOfAnother
    case databaseMissing, databaseDamaged, rolledBack, copied, newerVersion, kitMismatch
    case passphraseUnsuitable
    // Files and devices.
    case fileMissing, fileUnreadable, fileEmpty, fileChanged, notAFile, fileTooLarge, diskFull
    case inputOutput, outputExists
    /// What is to be written outside of the vault would lie within it.
    case outputInVault
    /// Of the folder for a backup: it holds something else, or the backup of another vault; what it holds is newer
    /// than the vault; and a vault that is not sound enough to take the place of a backup that was.
    case notABackup, backupOfAnother, backupIsNewer, backupRefused
    /// The former backup is damaged, so that it cannot be told whether it is older than the vault.
    case backupDamaged
    /// The former backup was sealed under an earlier master key, and is none that this vault knows to hold nothing more
    /// than it does.
    case backupUnknown
    /// What was written to a disk without an error does not come back from it.
    case notKept
    /// The vault's folder, its disk or one of its files may be read only.
    case notWritable
    /// It is stored, but the last step that confirms it failed.
    case storedUnconfirmed
    // What is asked for.
    case unknownEntry, ambiguousEntry, unknownCase, ambiguousCase, caseExists, entryTooLarge
    case caseHeldAlready
    /// This device's keys have written as many entries as one log may have.
    case logFull
    case notErased, erasedHere, entryErased, notSetAside, keptByAnother
    case differentCases, entryLocked, contentMissing, contentDamaged, exportFailed
    /// The file of an entry was here, and this disk does not have it any more.
    case contentLost
    /// A bundle of the case could not be verified: this copy cannot open every decision of its survivors.
    case decisionsLocked
    /// Where a list is to go on is not what an earlier page of it gave; more is searched for than is typed.
    case cursorUnknown, searchTooLong
    // Other people's things.
    case notAllowed, cardDamaged, cardUsed, invitationDamaged, invitationForSomebodyElse
    case notAMember, notSyncedYet, alreadyMember, wrongWords
    // Members by name or id, and their standing.
    case unknownMember, ambiguousMember, memberNameTaken, notAnAdvocate, ownMember, alreadyRemoved
    case removalWithoutEffect, timePassed
    /// This member was removed from the case, or is in dispute: what it writes would not count.
    case removed
    /// A cut that is none: of the member who stays, twice, or lifted before; and a member who is not cut.
    case cutWithoutEffect, notCut
    // A mailbox.
    case mailboxUnreachable, mailboxOfAnotherCase, mailboxUnknown, mailboxFull
    /// There is no case in it, or none of which enough can be read.
    case mailboxEmpty, mailboxDamaged
    /// Others meet where only the survivor's own devices should, or the other way round.
    case mailboxOfOthers, mailboxOfOwnDevices
    /// The vault's own folder, or one within it.
    case mailboxInVault
    case cancelled
  }

  public let code: Code
  /// `errno` where the system gave one.
  public let systemError: Int32?
  /// Of whoever was refused, where what there is to do next differs with it.
  public let role: Role?

  public init(_ code: Code, systemError: Int32? = nil, role: Role? = nil) {
    self.code = code
    self.systemError = systemError
    self.role = role
  }
}
