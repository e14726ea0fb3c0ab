/// What `cairn` alone says: one page, written for the person who meets it first.
enum RootHelp {
  static let abstract = "Keeps evidence of online abuse, encrypted, on your own device."

  static func isAskedFor(by arguments: [String]) -> Bool {
    [[], ["help"], ["--help"], ["-h"]].contains(arguments)
  }

  static let text = """
    \(abstract)

    Keep
      cairn init                 make a new vault, with passphrase and twelve words
      cairn add FILE…            keep files or whole folders, as they are
      cairn add                  keep an address or your own words; it asks for them
      cairn import TABLE         take in a table (CSV) of addresses

    Add to what is there
      cairn amend ENTRY          add words, files or an address to an entry
      cairn retract ENTRY        take back what you entered; it stays, marked so
      cairn note [ENTRY]         write a note, also in a case of somebody else
      cairn tag ENTRY TAG…       put words on an entry, to find it by
      cairn takedown ENTRY       record what a platform was asked, and what it did
      cairn request [ENTRY]      ask the others for something, or answer
      cairn erase ENTRY…         take entries away from every copy
      cairn keep ENTRY           keep one that another of your devices erased
      cairn adopt ENTRY          enter again what was set aside

    Look
      cairn status               what is new, what waits, what needs attention
      cairn list                 what a case holds
      cairn search WORDS…        find entries by words in them
      cairn show ENTRY           all that is known of one entry
      cairn extract ENTRY        get the file out again; --all for everything
      cairn case new | list      keep things apart that are shared apart

    Share
      cairn card                 make a card, to be given a case that is not yours
      cairn share CASE           share a case with the maker of a card
      cairn join INVITATION      join a case that is shared with you
      cairn sync                 exchange what is new, through a folder; --all cases
      cairn members              who is a member, and since when
      cairn remove MEMBER        share nothing more with somebody

    Hand over
      cairn export CASE          write a sealed bundle, for police or a court
      cairn open BUNDLE          check a bundle, and take its files out of it
      cairn verify BUNDLE        check a bundle

    Look after it
      cairn passphrase           change it, or replace a lost one with the kit
      cairn recover              bring a case back with the twelve words
      cairn renew                let a copied or restored vault write again
      cairn decide               cut a lost or stolen device, with the twelve words
      cairn reinstate MEMBER     undo that
      cairn check                check that everything in the vault is whole
      cairn backup FOLDER        make a copy of the vault, or bring it up to date
      cairn restore BACKUP       put a backup back as a vault
      cairn salvage              write out all that can be read of a damaged vault
      cairn version              say which version this is

    Every command
      --vault FOLDER             the vault, if it is not in ~/.local/share/cairn
      --passphrase-file FILE     instead of a question (or CAIRN_PASSPHRASE_FILE)
      --json                     one JSON object, for scripts
      --no-input                 never ask anything
      --help                     what this command can do

    On a terminal it asks for what it needs, so that nothing has to stand in the
    history of your shell. ENTRY is an id as “cairn list” shows it.

    Exit codes
    \(ExitStatus.table)
    """
}
