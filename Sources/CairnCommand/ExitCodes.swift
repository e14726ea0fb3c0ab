import Vault

/// What the program's exit code says: the one table, also printed by `cairn --help`.
///
/// Scripts rely on these numbers; they are added to and never change their meaning.
enum ExitStatus: Int32, CaseIterable {
  case done = 0
  case other = 1
  case noVault = 10
  case inUse = 11
  case wrongPassphrase = 12
  case notAllowed = 13
  case tampered = 20
  case warnings = 21
  case cannotCheck = 22
  case usage = 64
  case mailboxUnreachable = 69
  case interrupted = 130

  var meaning: String {
    switch self {
    case .done: return "done"
    case .other: return "not done, for a reason that has no number of its own"
    case .noVault: return "there is no vault at that place"
    case .inUse: return "the vault is in use by another process"
    case .wrongPassphrase: return "wrong passphrase, key or kit"
    case .notAllowed: return "not allowed for your role in the case"
    case .tampered: return "damaged, or changed by somebody"
    case .warnings: return "verified, with warnings"
    case .cannotCheck: return "cannot be checked"
    case .usage: return "the command was not understood"
    case .mailboxUnreachable: return "the mailbox cannot be reached"
    case .interrupted: return "interrupted"
    }
  }

  /// For the help: one line a code.
  static var table: String {
    allCases.map { status in
      let number = String(status.rawValue)
      return String(repeating: " ", count: 5 - number.count) + number + "  " + status.meaning
    }.joined(separator: "\n")
  }

  init(_ code: VaultError.Code) {
    switch code {
    case .noVault, .notAVault: self = .noVault
    case .inUse: self = .inUse
    case .wrongPassphrase, .kitMismatch: self = .wrongPassphrase
    case .notAllowed, .notAMember, .removed: self = .notAllowed
    case .keysMissing, .keysDamaged, .backupRefused, .backupDamaged, .notKept,
      .keysOutdated, .keysSuperseded, .databaseMissing, .databaseOfAnother,
      .databaseDamaged, .rolledBack,
      .contentDamaged, .mailboxDamaged:
      self = .tampered
    case .newerVersion: self = .cannotCheck
    case .passphraseUnsuitable, .mailboxUnknown, .cursorUnknown, .searchTooLong, .timePassed:
      self = .usage
    case .mailboxUnreachable: self = .mailboxUnreachable
    case .cancelled: self = .interrupted
    case .vaultExists, .placeIsDisk, .copied, .fileMissing, .fileUnreadable, .fileEmpty,
      .fileChanged, .notAFile,
      .fileTooLarge, .diskFull, .inputOutput, .outputExists, .outputInVault,
      .notABackup, .backupOfAnother, .backupIsNewer, .backupUnknown, .notWritable,
      .storedUnconfirmed,
      .unknownEntry,
      .ambiguousEntry,
      .unknownCase, .ambiguousCase, .caseExists, .entryTooLarge, .logFull, .entryLocked,
      .contentMissing, .contentLost,
      .exportFailed, .decisionsLocked, .cardDamaged, .cardUsed, .invitationDamaged,
      .invitationForSomebodyElse,
      .alreadyMember, .wrongWords, .mailboxOfAnotherCase, .mailboxFull,
      .mailboxEmpty, .mailboxOfOthers, .mailboxOfOwnDevices, .mailboxInVault, .entryErased,
      .caseHeldAlready, .cutWithoutEffect,
      .notCut, .notSyncedYet, .notErased, .erasedHere, .keptByAnother, .notSetAside,
      .differentCases, .unknownMember, .ambiguousMember, .memberNameTaken, .notAnAdvocate,
      .ownMember, .alreadyRemoved, .removalWithoutEffect:
      self = .other
    }
  }
}
