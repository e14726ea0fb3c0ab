// An open file of the VFS, and what its two kinds (SealedDatabase.c, SealedWAL.c) share.

#ifndef CAIRN_SEALED_FILE_H
#define CAIRN_SEALED_FILE_H

#include <sqlite3.h>

#include "KeyTable.h"
#include "PageCipher.h"

enum {
  CAIRN_PAGE_BYTES = 4096,
  /// What SQLite may use of a page, and what is encrypted of it; the seal takes the rest.
  CAIRN_USABLE_BYTES = CAIRN_PAGE_BYTES - CAIRN_SEAL_BYTES,

  CAIRN_WAL_HEADER_BYTES = 32,
  CAIRN_FRAME_HEADER_BYTES = 24,
  CAIRN_FRAME_BYTES = CAIRN_FRAME_HEADER_BYTES + CAIRN_PAGE_BYTES,
  CAIRN_SEALED_WAL_HEADER_BYTES = CAIRN_WAL_HEADER_BYTES + CAIRN_SEAL_BYTES,
  CAIRN_SEALED_FRAME_HEADER_BYTES = CAIRN_FRAME_HEADER_BYTES + CAIRN_SEAL_BYTES,
  // A page carries its seal within itself.
  CAIRN_SEALED_FRAME_BYTES = CAIRN_SEALED_FRAME_HEADER_BYTES + CAIRN_PAGE_BYTES,
};

/// A file control of our own: the connection was set up by our hook and may use this database. The
/// argument is an `int *`, set to whether the file is empty. A database that did not get it, being
/// ATTACHed or opened without the hook, would not reserve the 40 bytes: it is refused instead.
enum { CAIRN_FCNTL_ADMIT = 0x43414952 };

struct cairn_file {
  sqlite3_file sqlite;  ///< first, as SQLite wants it; the base VFS's own file follows this struct
  struct cairn_key *key;
  bool is_admitted;
  bool is_read_only;
  /// WAL only: how many frames this handle has written since it last wrote the WAL's header.
  uint32_t written_frames;
  struct cairn_nonces nonces;
  /// Sealed bytes on their way out or in. Plaintext is here only within one call.
  uint8_t scratch[CAIRN_SEALED_FRAME_BYTES];
};

static inline sqlite3_file *cairn_base(struct cairn_file *file) {
  return (sqlite3_file *)(file + 1);
}

/// Reads and opens one page at `position` of the disk into CAIRN_PAGE_BYTES of `page`, its reserved
/// bytes zero. SQLITE_IOERR_DATA if it is not there whole or not authentic.
int cairn_read_page(struct cairn_file *file, enum cairn_unit kind, uint32_t number,
                    sqlite3_int64 position, uint8_t *page);

/// Seals and writes one page. Refuses one that has content where the seal goes, and any write under
/// a key that has proven nothing or to a file that is read-only.
int cairn_write_page(struct cairn_file *file, enum cairn_unit kind, uint32_t number,
                     sqlite3_int64 position, const uint8_t *page);

/// Notes how many pages the database has if `page`, just read or written, is its first.
void cairn_note_page(struct cairn_file *file, const uint8_t *page);

/// SQLITE_OK if what the file holds may be changed; `denied` if the key has proven nothing.
int cairn_check_writable(struct cairn_file *file, int denied);

extern const sqlite3_io_methods cairn_database_methods;
extern const sqlite3_io_methods cairn_wal_methods;

int cairn_database_read(sqlite3_file *, void *out, int amount, sqlite3_int64 offset);
int cairn_database_write(sqlite3_file *, const void *data, int amount, sqlite3_int64 offset);
int cairn_database_truncate(sqlite3_file *, sqlite3_int64 size);
int cairn_database_size(sqlite3_file *, sqlite3_int64 *size);

int cairn_wal_read(sqlite3_file *, void *out, int amount, sqlite3_int64 offset);
int cairn_wal_write(sqlite3_file *, const void *data, int amount, sqlite3_int64 offset);
int cairn_wal_truncate(sqlite3_file *, sqlite3_int64 size);
int cairn_wal_size(sqlite3_file *, sqlite3_int64 *size);

#endif
