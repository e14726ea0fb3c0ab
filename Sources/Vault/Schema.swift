internal import GRDB

/// The tables of the vault's database. They are the vault's own affair: what is shared or exported never
/// depends on them. Each migration stays as it is once it was released.
enum Schema {
  static func migrator() -> DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("1") { db in
      for statement in version1 { try db.execute(sql: statement) }
    }
    migrator.registerMigration("2") { db in
      for statement in version2 + finding { try db.execute(sql: statement) }
      // What a version-1 database holds already is laid into the new tables too.
      try ViewTable.indexAll(db)
    }
    return migrator
  }

  private static let version1 = [
    "CREATE TABLE setting(name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",

    // A case, and the keys of this device in it. A row without a case id is a card that waits for its invitation.
    """
    CREATE TABLE vault_case(
      id INTEGER PRIMARY KEY, case_id BLOB UNIQUE, name TEXT NOT NULL UNIQUE, is_default INTEGER NOT NULL,
      root BLOB, role INTEGER NOT NULL, card BLOB NOT NULL, log_id BLOB,
      signing_seed BLOB NOT NULL, receipt_seed BLOB NOT NULL, box_seed BLOB NOT NULL, mailbox TEXT)
    """,
    """
    CREATE TABLE statement(
      case_ref INTEGER NOT NULL REFERENCES vault_case, bytes BLOB NOT NULL,
      PRIMARY KEY(case_ref, bytes)) WITHOUT ROWID
    """,

    // Logs of admitted members. `frontier` is the compact range of the leaves held, `note` the newest checkpoint.
    """
    CREATE TABLE log(
      id INTEGER PRIMARY KEY, case_ref INTEGER NOT NULL REFERENCES vault_case, log_id BLOB NOT NULL,
      signing_key BLOB NOT NULL, size INTEGER NOT NULL, root BLOB NOT NULL, frontier BLOB NOT NULL,
      seen_size INTEGER NOT NULL DEFAULT 0, note BLOB, note_size INTEGER NOT NULL DEFAULT 0,
      forked_at INTEGER, UNIQUE(case_ref, log_id))
    """,
    """
    CREATE TABLE leaf(
      id INTEGER PRIMARY KEY, log_ref INTEGER NOT NULL REFERENCES log, sequence INTEGER NOT NULL,
      class INTEGER NOT NULL, data BLOB NOT NULL, entry_id BLOB NOT NULL, ciphertext BLOB,
      UNIQUE(log_ref, sequence))
    """,
    "CREATE UNIQUE INDEX leaf_by_entry ON leaf(entry_id)",
    """
    CREATE TABLE slot(
      leaf_ref INTEGER NOT NULL REFERENCES leaf, epoch BLOB NOT NULL, box BLOB NOT NULL,
      is_valid INTEGER NOT NULL, PRIMARY KEY(leaf_ref, epoch, box)) WITHOUT ROWID
    """,
    """
    CREATE TABLE wrap(
      case_ref INTEGER NOT NULL REFERENCES vault_case, epoch BLOB NOT NULL, bytes BLOB NOT NULL,
      PRIMARY KEY(case_ref, epoch, bytes)) WITHOUT ROWID
    """,
    // Epoch keys that this device holds, sealed under a subkey of the master key.
    """
    CREATE TABLE epoch(
      case_ref INTEGER NOT NULL REFERENCES vault_case, epoch BLOB NOT NULL, audience BLOB NOT NULL,
      sealed_key BLOB NOT NULL, UNIQUE(case_ref, epoch))
    """,
    """
    CREATE TABLE receipt(
      id INTEGER PRIMARY KEY, log_ref INTEGER NOT NULL REFERENCES log, size INTEGER NOT NULL,
      witness BLOB NOT NULL, time INTEGER NOT NULL, note BLOB NOT NULL, is_embedded INTEGER NOT NULL,
      UNIQUE(log_ref, size, witness))
    """,
    """
    CREATE TABLE fork(
      case_ref INTEGER NOT NULL REFERENCES vault_case, bytes BLOB NOT NULL,
      PRIMARY KEY(case_ref, bytes)) WITHOUT ROWID
    """,

    // The view: entries that this member can open. `problem` is set for violations, with `parts` empty.
    """
    CREATE TABLE entry(
      id INTEGER PRIMARY KEY REFERENCES leaf, case_ref INTEGER NOT NULL REFERENCES vault_case,
      kind INTEGER NOT NULL, clock INTEGER NOT NULL, problem TEXT,
      not_before INTEGER, not_before_witness BLOB,
      parts BLOB NOT NULL)
    """,
    "CREATE INDEX entry_by_case ON entry(case_ref, clock, id)",
    """
    CREATE TABLE attachment(
      entry_ref INTEGER NOT NULL REFERENCES entry, number INTEGER NOT NULL, blob_ref INTEGER REFERENCES blob,
      PRIMARY KEY(entry_ref, number)) WITHOUT ROWID
    """,
    // Sealed attachments; an entry may claim a wrong size, so that is part of the name. `content` holds small
    // ones; larger ones are files. `is_present` is 0 until the bytes came.
    """
    CREATE TABLE blob(
      id INTEGER PRIMARY KEY, root BLOB NOT NULL, sealed_size INTEGER NOT NULL, content BLOB,
      is_present INTEGER NOT NULL, UNIQUE(root, sealed_size))
    """,
    // Content that a case holds already, by keyed hash.
    """
    CREATE TABLE duplicate(
      case_ref INTEGER NOT NULL REFERENCES vault_case, hash BLOB NOT NULL, entry_ref INTEGER NOT NULL,
      PRIMARY KEY(case_ref, hash, entry_ref)) WITHOUT ROWID
    """,
  ]

  private static let version2 = [
    // Which entries of the view are about which: amendments, retractions, notes, takedown records, requests.
    """
    CREATE TABLE about(
      target BLOB NOT NULL, entry_ref INTEGER NOT NULL REFERENCES entry,
      PRIMARY KEY(target, entry_ref)) WITHOUT ROWID
    """,
    // Entries of others that could be opened here since the status was looked at: one whose leaf has long been
    // here may be shared much later.
    "CREATE TABLE unseen(entry_ref INTEGER PRIMARY KEY REFERENCES entry)",
    // How long others said that a log is.
    "ALTER TABLE log ADD COLUMN named_size INTEGER NOT NULL DEFAULT 0",
    // Certificates of new keys.
    """
    CREATE TABLE succession(
      case_ref INTEGER NOT NULL REFERENCES vault_case, bytes BLOB NOT NULL,
      PRIMARY KEY(case_ref, bytes)) WITHOUT ROWID
    """,
    // What a control entry acknowledges of other logs, and how far control entries have told of them.
    "ALTER TABLE entry ADD COLUMN frontier BLOB",
    "ALTER TABLE log ADD COLUMN told_size INTEGER NOT NULL DEFAULT 0",
    // Erased entries: when this copy learned of it, and whether they are destroyed yet.
    """
    CREATE TABLE erasure(
      case_ref INTEGER NOT NULL REFERENCES vault_case, entry BLOB NOT NULL, seen INTEGER NOT NULL,
      is_destroyed INTEGER NOT NULL, PRIMARY KEY(case_ref, entry)) WITHOUT ROWID
    """,
    // What was erased and may still stand in this device's files in a mailbox: 0 the shared one, 1 that of the
    // own devices. An entry by log and sequence, or a blob.
    """
    CREATE TABLE erased_item(
      case_ref INTEGER NOT NULL REFERENCES vault_case, mailbox INTEGER NOT NULL, log_id BLOB,
      sequence INTEGER, blob BLOB)
    """,
    // Files of destroyed attachments that are still to be removed.
    "CREATE TABLE doomed_blob(root BLOB PRIMARY KEY) WITHOUT ROWID",
    // A case is evaluated from its control entries and what is unusual, not from all its leaves.
    "CREATE INDEX leaf_by_class ON leaf(log_ref, class, sequence)",
    // Whether something of a size is there already can be told before it is read.
    "CREATE INDEX blob_by_size ON blob(sealed_size)",
    // Takedown records, requests and what is about other entries: few among many.
    "CREATE INDEX entry_by_kind ON entry(case_ref, kind) WHERE kind > 16",
    // The public half of the recovery kit that a survivor's case is sealed to; an advocate does not know it.
    "ALTER TABLE vault_case ADD COLUMN kit BLOB",
    """
    UPDATE vault_case SET kit = (SELECT value FROM setting WHERE name = 'kit')
    WHERE role = 1 AND case_id IS NOT NULL
    """,
    // The folder that only the survivor's own devices use, beside the shared one.
    "ALTER TABLE vault_case ADD COLUMN own_mailbox TEXT",

    // What the members are called here; a name never leaves the vault.
    """
    CREATE TABLE member_name(
      case_ref INTEGER NOT NULL REFERENCES vault_case, log_id BLOB NOT NULL, name TEXT NOT NULL,
      PRIMARY KEY(case_ref, log_id), UNIQUE(case_ref, name)) WITHOUT ROWID
    """,
    // Epoch keys that this device has wrapped for members itself: what others carry cannot be checked.
    """
    CREATE TABLE wrapped(
      case_ref INTEGER NOT NULL REFERENCES vault_case, epoch BLOB NOT NULL, log_id BLOB NOT NULL,
      PRIMARY KEY(case_ref, epoch, log_id)) WITHOUT ROWID
    """,
    // Own entries that were meant for fewer than all with whom the case is shared: by their author's word, or
    // by what they are about.
    "CREATE TABLE kept_back(leaf_ref INTEGER PRIMARY KEY REFERENCES leaf, by_word INTEGER NOT NULL)",
    "CREATE INDEX slot_unproven ON slot(epoch) WHERE is_valid = 0",
    // For whom a wrap is; NULL for the kit. So that nobody's junk keeps another's good one out.
    "ALTER TABLE wrap ADD COLUMN recipient BLOB",
    // Members that were there when the status was looked at.
    """
    CREATE TABLE member_seen(
      case_ref INTEGER NOT NULL REFERENCES vault_case, log_id BLOB NOT NULL,
      PRIMARY KEY(case_ref, log_id)) WITHOUT ROWID
    """,
    // CBOR: one byte of array, 34 of epoch id, then null or 34 of log id.
    "UPDATE wrap SET recipient = substr(bytes, 38, 32) WHERE substr(bytes, 36, 1) <> x'f6'",
  ]

  /// What entries are listed and found by. One row for each leaf of content or notes, locked ones too, small,
  /// so that a page is chosen without touching what the entries say.
  private static let finding = [
    "CREATE INDEX about_by_entry ON about(entry_ref)",
    // `state` is `ListingState`. Unknown is NULL: of a locked entry all that follows. Claimed time
    // (`happened`…), clock (`entered`) and bracket (`not_before`, `existed_by`) stay apart.
    """
    CREATE TABLE listing(
      id INTEGER PRIMARY KEY REFERENCES leaf, case_ref INTEGER NOT NULL, log_ref INTEGER NOT NULL,
      class INTEGER NOT NULL, state INTEGER NOT NULL, kind INTEGER, entered INTEGER,
      happened INTEGER, happened_until INTEGER, not_before INTEGER, existed_by INTEGER,
      files INTEGER NOT NULL DEFAULT 0)
    """,
    """
    INSERT INTO listing(id, case_ref, log_ref, class, state, existed_by)
    SELECT l.id, g.case_ref, g.id, l.class, 0,
      (SELECT min(time) FROM receipt r WHERE r.log_ref = g.id AND r.size > l.sequence)
    FROM leaf l JOIN log g ON g.id = l.log_ref WHERE l.class <> 1
    """,
    "CREATE INDEX listing_by_entered ON listing(case_ref, entered, id)",
    "CREATE INDEX listing_by_happened ON listing(case_ref, happened, id)",
    "CREATE INDEX listing_by_existed ON listing(case_ref, existed_by, id)",
    "CREATE INDEX listing_of_all ON listing(entered, id)",
    "CREATE INDEX listing_of_all_by_happened ON listing(happened, id)",
    """
    CREATE INDEX listing_of_long_claims ON listing(happened_until, happened)
    WHERE happened_until - happened > \(ViewTable.longClaim)
    """,
    "CREATE INDEX listing_with_files ON listing(case_ref) WHERE files > 0",
    "CREATE INDEX listing_not_open ON listing(case_ref) WHERE state <> 1",
    "CREATE INDEX listing_by_kind ON listing(kind, case_ref)",
    "DROP INDEX entry_by_case",

    // Whoever stores a receipt need not think of the listing.
    // Leaves that an earlier receipt covers have an earlier bound already.
    """
    CREATE TRIGGER receipt_listed AFTER INSERT ON receipt BEGIN
      UPDATE listing SET existed_by = NEW.time
      WHERE id IN (SELECT id FROM leaf WHERE log_ref = NEW.log_ref AND sequence < NEW.size
          AND sequence >= (SELECT ifnull(max(size), 0) FROM receipt
            WHERE log_ref = NEW.log_ref AND time <= NEW.time AND id <> NEW.id))
        AND (existed_by IS NULL OR existed_by > NEW.time);
    END
    """,

    // Values by which entries are chosen, folded as `FoldedText` does; `field` is `Facet.Field`.
    """
    CREATE TABLE facet(
      field INTEGER NOT NULL, value TEXT NOT NULL, entry_ref INTEGER NOT NULL REFERENCES entry,
      PRIMARY KEY(field, value, entry_ref)) WITHOUT ROWID
    """,
    "CREATE INDEX facet_by_entry ON facet(entry_ref)",

    search(named: "search"),
  ]

  /// The text of entries, as tokens of `SearchTokens`. The table keeps what it was given, so that a deletion
  /// takes out exactly that; see `ViewTable.remove` for what else erasing needs.
  static func search(named name: String) -> String {
    """
    CREATE VIRTUAL TABLE \(name) USING fts5(
      tokens, tokenize = "unicode61 remove_diacritics 2 categories 'L* N* Co M*'")
    """
  }
}
