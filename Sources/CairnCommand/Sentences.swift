import Vault

#if canImport(Glibc)
  import Glibc
#endif

/// Every sentence about something that could not be done, in one place: plain words, nobody's
/// fault, and never anything of the evidence. English for now; other languages come here.
enum Sentences {
  static let unchanged = "Nothing was changed."

  static func of(_ error: VaultError, subject: String? = nil) -> Sentence {
    ofVault(error.code, place: subject ?? "this place")
      ?? BackupSentences.of(error.code, it: subject ?? "there") ?? ofFiles(
        error, it: subject ?? "it")
      ?? ofCases(error.code) ?? ofMembers(error) ?? ofErasing(error.code)
      ?? ofPeople(error.code)
  }

  // MARK: - The vault itself

  private static func ofVault(_ code: VaultError.Code, place: String) -> Sentence? {
    switch code {
    case .noVault:
      return Sentence(
        "There is no vault at \(place) yet.", safe: unchanged,
        next:
          "Make one with “cairn init”. If yours is somewhere else, name its folder with --vault. If it is"
          + " gone, “cairn restore” brings it back from a backup, and “cairn recover” from a folder that it"
          + " was synced into.")
    case .vaultExists:
      return Sentence(
        "There is something at \(place) already.", safe: "It was not touched.",
        next: "Choose another folder with --vault, or use the vault that is there.")
    case .placeIsDisk:
      return Sentence(
        "A disk of its own begins at \(place), so that no vault can be put there in one piece.",
        safe: "Nothing was made.", next: "Name a new folder on it, for example one called “cairn”.")
    case .notAVault:
      return Sentence(
        "What is at \(place) is not a vault.", safe: "It was not touched.",
        next: "Check the folder that you named.")
    case .inUse:
      return Sentence(
        "The vault is open in another window or program.", safe: unchanged,
        next: "Close it there, or wait until it has finished, and try again.")
    case .wrongPassphrase:
      return Sentence(
        "That passphrase does not open this vault.",
        safe: "Nothing was changed, and everything in the vault is still there.",
        next: "You can try as often as you like. Caps Lock or another keyboard layout is the"
          + " usual reason. If it is lost, “cairn passphrase --kit” sets a new one with the twelve"
          + " words.")
    case .passphraseUnsuitable:
      return Sentence(
        "This cannot be used as a passphrase.", safe: unchanged,
        next: "Choose one that is not empty and has at most 1,024 characters.")
    case .kitMismatch:
      return Sentence(
        "The twelve words do not open this vault.", safe: unchanged,
        next: "Compare each word with the paper, in its order. They may be those of another vault.")
    case .newerVersion:
      return Sentence(
        "This was made by a newer version of Cairn.",
        safe: "Nothing was changed, and what is in it is still there.",
        next: "Use the newer version to open it.")
    case .cancelled:
      return Sentence(
        "Stopped, as you asked.", safe: "Whatever was saved before is safe; nothing is half done.",
        next: "Run the same command again to go on.")
    default: return ofDamage(code)
    }
  }

  private static let copyFirst =
    "Before anything else, make a copy of the whole vault folder, and delete nothing."

  private static let locksElsewhere =
    " If you have a backup of the folder, these two files can be taken from it. What was synced into a"
    + " folder comes back with the twelve words: “cairn recover --vault NEW-FOLDER”."

  private static func ofLocks(_ code: VaultError.Code) -> Sentence? {
    switch code {
    case .keysMissing:
      return Sentence(
        "The files with this vault's locks (“keys” and “keys.bak”) are missing.",
        safe: "The rest of the vault is there, and nothing was changed.",
        next: copyFirst + locksElsewhere)
    case .keysDamaged:
      return Sentence(
        "Both copies of this vault's locks (“keys” and “keys.bak”) are damaged.",
        safe: "The rest of the vault is there, and nothing was changed.",
        next: copyFirst + locksElsewhere
          + " And “cairn salvage” tries each single lock that is left in the two files.")
    case .keysOutdated:
      return Sentence(
        "The locks in this folder (“keys” and “keys.bak”) are older than its main file: they are from"
          + " before the passphrase was last changed with new keys.",
        safe: "The main file is there, and nothing was changed.",
        next: copyFirst + " The newer “keys” or “keys.bak” may be in a backup of the folder.")
    case .keysSuperseded:
      return Sentence(
        "The two files with this vault's locks (“keys” and “keys.bak”) are of different times, and what"
          + " you gave opens only the older one.",
        safe: "Nothing was changed, and what you gave is right for that one.",
        next:
          "If the passphrase was changed since, use the new one. If not, the newer file was put there by"
          + " something else: first copy the whole vault folder, then move “keys.bak” out of it and try"
          + " again; if that says that the passphrase is wrong, put it back and move “keys” out instead."
          + " The file that is gone is made again from the one that opens.")
    default: return nil
    }
  }

  private static func ofDamage(_ code: VaultError.Code) -> Sentence? {
    switch code {
    case .databaseOfAnother:
      return Sentence(
        "The main file in this folder is not the one that belongs to this vault's locks: it is another"
          + " vault's, or from before new keys, or nothing of it is whole.",
        safe: "The locks opened, and nothing was changed.",
        next: copyFirst
          + " If you put a file back from a backup, put back the whole folder of that day, into a"
          + " place of its own.")
    case .databaseMissing:
      return Sentence(
        "The main file of this vault (“vault.db” or “vault-2.db”) is missing.",
        safe: "The locks opened, and nothing was changed.",
        next: copyFirst + " A backup of the folder, or the copy of another member, may have the"
          + " entries.")
    case .databaseDamaged:
      return Sentence(
        "A part of this vault is damaged, or was changed by something other than Cairn.",
        safe: "Nothing was written to it.",
        next: copyFirst
          + " “cairn check” tells what it is. A backup comes back with “cairn restore”, what"
          + " another member has with “cairn recover”; without either, “cairn salvage” writes out all that"
          + " can be read.")
    case .rolledBack:
      return Sentence(
        "This vault is older than what it has signed already: an older copy seems to have been put"
          + " back.",
        safe: "Everything in it can be read. Nothing is added here, so that nobody can take the"
          + " two for one.",
        next:
          "If the newer folder still exists, use that one. If not, “cairn renew” gives this one keys"
          + " of its own, and a sync brings back what the mailbox has.")
    case .copied:
      return Sentence(
        "This vault is a copy, came from another machine, or lost its note of where it belongs.",
        safe: "Everything in it can be read. Nothing is added here, so that nobody can take the"
          + " two for one.",
        next:
          "Add new entries to the original. If this is to be a device of its own, or there is no other"
          + " any more, “cairn renew” gives it keys of its own.")
    default: return ofLocks(code)
    }
  }

  // MARK: - Files

  private static func ofFiles(_ error: VaultError, it: String) -> Sentence? {
    let notStored = "It was not added."
    let capital = it.prefix(1).uppercased() + it.dropFirst()
    switch error.code {
    case .fileMissing:
      return Sentence(
        "There is no file \(it).", safe: unchanged,
        next: "Check the spelling, and in which folder you are.")
    case .fileUnreadable where error.systemError == EIO:
      return Sentence(
        "\(capital) cannot be read to its end." + systemReason(error.systemError), safe: notStored,
        next: "The disk that it is on may be failing: copy the file from there as soon as you can.")
    case .fileUnreadable where error.systemError == ELOOP:
      return Sentence(
        "\(capital) cannot be read: it is a link that leads in a circle.", safe: unchanged,
        next: "Name the file itself, where it really lies.")
    case .fileUnreadable:
      return Sentence(
        "\(capital) cannot be read: this account has no permission.", safe: unchanged,
        next: "Ask whoever owns the file, or copy it to a folder of your own.")
    case .fileEmpty:
      return Sentence(
        "\(capital) is empty: it has 0 bytes.", safe: notStored,
        next: "Perhaps a download or a copy was not finished; look at the file where it came from.")
    case .fileChanged:
      return Sentence(
        "\(capital) changed while it was read.", safe: notStored,
        next: "Wait until no other program writes to it, and add it again.")
    case .notAFile:
      return Sentence(
        "\(capital) is not a file, but a folder or a device.", safe: unchanged,
        next: "Name the files that you mean, one after the other.")
    case .fileTooLarge:
      return Sentence(
        "\(capital) is too large.", safe: unchanged,
        next: "A file can have at most 1 TiB. Split it, and add the pieces.")
    default: return ofWriting(error, it: it)
    }
  }

  private static func ofWriting(_ error: VaultError, it: String) -> Sentence? {
    switch error.code {
    case .outputExists:
      return Sentence(
        "There is something at \(it) already.", safe: "It was not touched.",
        next: "Choose another name, or move it out of the way.")
    case .diskFull where error.isOfItsSize:
      return Sentence(
        "A file is larger than that disk can hold.",
        safe: "What was saved before is safe; of this one nothing was kept in part.",
        next: "Use a disk with another file system, and run the same command again.")
    case .diskFull:
      return Sentence(
        "The disk is full.",
        safe: "What was saved before is safe; what no longer fitted was not kept in part.",
        next: "Make some room, and run the same command again.")
    case .outputInVault:
      return Sentence(
        "\(it.prefix(1).uppercased() + it.dropFirst()) lies within the vault.", safe: unchanged,
        next: "Choose a place outside of the vault's folder.")
    case .notWritable:
      return Sentence(
        "The vault cannot be written to, which is needed even to look into it."
          + systemReason(error.systemError),
        safe: "Nothing was changed, and nothing in it is damaged by this.",
        next: "Check that its disk is not write-protected, and that the folder and the files in it"
          + " belong to your account. If it is to stay as it is, copy the whole folder to another disk: the"
          + " copy can be looked into with --vault.")
    case .inputOutput where isAboutPlace(error.systemError):
      return Sentence(
        "\(it == "it" ? "This place" : it.prefix(1).uppercased() + it.dropFirst()) cannot be written."
          + systemReason(error.systemError), safe: unchanged,
        next: "Check the folder's name, and that this account may write there.")
    case .storedUnconfirmed:
      return Sentence(
        "It is stored, but the last step, which confirms it, did not succeed."
          + systemReason(error.systemError),
        safe: "Nothing is lost: it stands in the vault, whole.",
        next:
          "Make sure that the disk has room, then look with “cairn list” before adding it again.")
    case .inputOutput where isAboutKind(error.systemError):
      return Sentence(
        "This disk or network folder cannot do what a vault needs, such as being locked, or saying when"
          + " something is written for sure." + systemReason(error.systemError),
        safe: "What was saved before is safe; nothing is half done.",
        next: "Use a place on another disk, best on one of this computer's own.")
    case .inputOutput:
      return Sentence(
        "The system could not read or write." + systemReason(error.systemError),
        safe: "What was saved before is safe; nothing is half done.",
        next: "Check that the disk is connected and in order, and try again.")
    default: return nil
    }
  }

  /// No second try helps with it.
  private static func isAboutKind(_ number: Int32?) -> Bool {
    number.map { [ENOLCK, ENOSYS, EOPNOTSUPP, EINVAL].contains($0) } ?? false
  }

  private static func isAboutPlace(_ number: Int32?) -> Bool {
    number.map { [ENOENT, ENOTDIR, EACCES, EPERM, EROFS, ENAMETOOLONG].contains($0) } ?? false
  }

  private static func systemReason(_ number: Int32?) -> String {
    // Larger numbers are those of SQLite.
    guard let number, number > 0, number < 134, let text = unsafe strerror(number) else {
      return ""
    }
    let reason = unsafe String(cString: text)
    return " It says: \(reason)."
  }

  // MARK: - What was asked for

  private static func ofCases(_ code: VaultError.Code) -> Sentence? {
    switch code {
    case .unknownEntry:
      return Sentence(
        "No entry has an id that begins like this.", safe: unchanged,
        next: "“cairn list” shows the ids. The first characters are enough, at least four.")
    case .ambiguousEntry:
      return Sentence(
        "More than one entry has an id that begins like this.", safe: unchanged,
        next: "Give a few more of its characters; “cairn list --json” shows whole ids.")
    case .unknownCase:
      return Sentence(
        "There is no case of this name.", safe: unchanged,
        next: "“cairn case list” shows the names. “cairn case new NAME” starts a case.")
    case .ambiguousCase:
      return Sentence(
        "More than one case begins like this.", safe: unchanged,
        next: "Give its whole name, as “cairn case list” shows it.")
    case .caseExists:
      return Sentence(
        "There is a case of this name already.", safe: unchanged,
        next: "Choose another name, or use the case that is there.")
    case .caseHeldAlready:
      return Sentence(
        "This case is in this vault already.", safe: unchanged,
        next: "“cairn sync” brings what is new. A further device needs a vault of its own.")
    case .logFull:
      return Sentence(
        "This device has written as many entries into this case as it may under one name.",
        safe: "It was not added. Everything that is there stays.",
        next:
          "That is no sign of anything wrong. “cairn renew --somebody-has-a-copy” gives it new keys,"
          + " under which it goes on; nobody needs to have a copy for that.")
    case .entryTooLarge:
      return Sentence(
        "This is more than one entry holds.", safe: "It was not added.",
        next: "Words can have up to 512 KiB; save a longer text as a file, and add the file. Of"
          + " files, one entry holds about eighty.")
    default: return ofContent(code)
    }
  }

  private static func ofContent(_ code: VaultError.Code) -> Sentence? {
    switch code {
    case .entryLocked:
      return Sentence(
        "This entry cannot be opened here: it was not shared with this copy, or its key has not"
          + " arrived yet.", safe: unchanged,
        next: "Sync again, or ask the member who made it.")
    case .contentMissing:
      return Sentence(
        "The file of this entry has not arrived here yet.",
        safe: "The entry itself is complete.", next: "Sync again, and then repeat this.")
    case .contentLost:
      return Sentence(
        "The file of this entry was here, and this disk does not have it any more.",
        safe: "The entry itself is complete.",
        next: "If another copy of the case has it, “cairn sync” brings it back; a backup has it,"
          + " too. If you still have the original, add it again.")
    case .contentDamaged:
      return Sentence(
        "The file of this entry is damaged on this disk, or was changed.",
        safe: "No part of it was written out.",
        next: "Another member's copy, or a backup, may still have it. Delete nothing here.")
    case .decisionsLocked:
      return Sentence(
        "Some decisions of this case cannot be opened here, so nobody could verify a bundle of it.",
        safe: "Nothing was written. All that is open here stays open.",
        next:
          "Sync and repeat this, or export from another device of the case. If a device that was removed"
          + " went on writing, say with the recovery kit that it has no word any more: “cairn decide"
          + " --cut MEMBER:NUMBER”, with how many of its records count, as “cairn members” shows it."
          + " Whoever was removed from a case can take out all that is open here: “cairn extract --all"
          + " --case NAME --output FOLDER”.")
    case .exportFailed:
      return Sentence(
        "The bundle was written, but did not verify when it was read back.",
        safe: "It was removed again; the vault is unchanged.",
        next: "Try it again. If it happens again, the disk may be failing: run “cairn check”.")
    default: return nil
    }
  }

  // MARK: - Other people

  private static func ofPeople(_ code: VaultError.Code) -> Sentence {
    switch code {
    case .notAllowed:
      return Sentence(
        "Your role in this case does not include this.", safe: unchanged,
        next: "Ask the person whose case it is.")
    case .notAMember:
      return Sentence(
        "This vault is not a member of that case.", safe: unchanged,
        next: "Ask the person whose case it is for an invitation.")
    case .notSyncedYet:
      return Sentence(
        "This case is empty here until the first sync.", safe: unchanged,
        next: "Run “cairn sync CASE --mailbox FOLDER” first, with the folder of the case.")
    case .alreadyMember:
      return Sentence(
        "The case is shared with this card already.", safe: unchanged,
        next:
          "“cairn sync” brings them what is new. If the invitation was lost, ask for a new card.")
    case .cardDamaged:
      return Sentence(
        "This card is not complete, or not a card.", safe: "Nothing was shared.",
        next: "Ask for the card again, and copy all of its text.")
    case .cardUsed:
      return Sentence(
        "This card was used for another case.", safe: "Nothing was shared.",
        next: "Ask for a new card: each is for one case.")
    case .invitationDamaged:
      return Sentence(
        "This invitation is not complete, or not an invitation.", safe: unchanged,
        next: "Ask for it again, and copy all of its text.")
    case .invitationForSomebodyElse:
      return Sentence(
        "This invitation was made for another card.", safe: unchanged,
        next: "Use the vault that made the card, or send a new card and ask for a new invitation.")
    case .wrongWords:
      return Sentence(
        "The six words are not the same on both sides.", safe: "Nothing was shared or joined.",
        next: "Say them to each other again, by voice. If they still differ, somebody may have"
          + " exchanged the text on its way: send it another way.")
    default: return ofMailboxes(code)
    }
  }

  private static func ofMailboxes(_ code: VaultError.Code) -> Sentence {
    switch code {
    case .mailboxUnreachable:
      return Sentence(
        "The mailbox cannot be reached.", safe: "Everything in the vault is safe.",
        next: "Check that its disk or folder is connected, and sync again.")
    case .mailboxOfAnotherCase:
      return Sentence(
        "This mailbox belongs to another case.", safe: "Nothing was written to it.",
        next: "Choose the folder of this case, or an empty one.")
    case .mailboxUnknown:
      return Sentence(
        "This case has no mailbox yet.", safe: unchanged,
        next: "Name its folder once with --mailbox; it is remembered.")
    case .cutWithoutEffect:
      return Sentence(
        "This would have no effect: it names the member that stays, one member twice, or a size that was"
          + " reinstated before.", safe: unchanged,
        next: "“cairn members” shows them. Name another member or size.")
    case .notCut:
      return Sentence(
        "This member was not removed: what they write counts.", safe: unchanged, next: "")
    case .mailboxEmpty:
      return Sentence(
        "There is no case in this folder.", safe: unchanged,
        next: "Name the folder itself in which the members of the case meet, not one above or"
          + " inside it.")
    case .mailboxDamaged:
      return Sentence(
        "What is in this folder is damaged, or was changed: the case's beginning cannot be read from"
          + " it.", safe: unchanged,
        next: "Let another member sync into it once more, or use another folder of the case.")
    case .mailboxOfOthers:
      return Sentence(
        "Others meet in this folder, so it cannot be the one for your own devices alone.",
        safe: "Nothing was written to it.", next: "Choose another folder, or an empty one.")
    case .mailboxOfOwnDevices:
      return Sentence(
        "This folder is the one for your own devices alone.", safe: "Nothing was written to it.",
        next: "Choose another one to meet others in, or sync without --mailbox.")
    case .mailboxInVault:
      return Sentence(
        "This folder is the vault itself, or lies within it.", safe: "Nothing was written to it.",
        next: "Choose a folder outside of the vault, or make an empty one, to meet others in.")
    case .mailboxFull:
      return Sentence(
        "The mailbox is full.", safe: "Everything in the vault is safe.",
        next: "Make room on its disk, and sync again.")
    default: return ofFinding(code)
    }
  }

  private static func ofFinding(_ code: VaultError.Code) -> Sentence {
    switch code {
    case .cursorUnknown:
      return Sentence(
        "What stands after --after is not where a list in this order ended.", safe: unchanged,
        next: "Copy it again from the end of that list, or begin without --after.")
    case .searchTooLong:
      return Sentence(
        "This is more than can be searched for at once.", safe: unchanged,
        next: "A few words find more than many: leave some out.")
    default:
      return Sentence(
        "This could not be done.", safe: unchanged, next: "Try it again.")
    }
  }
}
