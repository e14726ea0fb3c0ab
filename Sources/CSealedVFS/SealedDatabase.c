// The main database file: page n is sealed in place, at the offset SQLite knows it by.

#include <sodium.h>
#include <string.h>

#include "SealedFile.h"

// SQLite never uses the page that holds the byte at 1 GiB, where some systems keep its locks. On
// disk it is a hole of zeros, the only page that may be.
enum { LOCK_PAGE = 0x40000000 / CAIRN_PAGE_BYTES + 1 };

static sqlite3_int64 position_of(uint32_t number) {
  return (sqlite3_int64)(number - 1) * CAIRN_PAGE_BYTES;
}

/// Tells a wrong key from a damaged page 1: the right key opens other pages.
static bool opens_another_page(struct cairn_file *file) {
  enum { TRIES = 8 };
  bool opened = false;
  for (uint32_t number = 2; number < 2 + TRIES && !opened; number++) {
    opened = cairn_read_page(file, CAIRN_UNIT_PAGE, number, position_of(number), file->scratch) ==
             SQLITE_OK;
  }
  sodium_memzero(file->scratch, CAIRN_PAGE_BYTES);
  return opened;
}

// A transaction that adds pages may read one of them before it is written anywhere (a new table's root
// in an auto-vacuum database), and takes what is past the end for zeros. A page that the database had
// when it was committed is there or in the WAL, or it was cut off.
static bool is_new_page(struct cairn_file *file, uint32_t number) {
  unsigned known = atomic_load(&file->key->pages);
  if (known == 0 || number <= known) return false;
  sqlite3_int64 size = 0;
  int rc = cairn_base(file)->pMethods->xFileSize(cairn_base(file), &size);
  return rc == SQLITE_OK && position_of(number) >= size;
}

static int read_whole(struct cairn_file *file, uint32_t number, uint8_t *page) {
  if (!file->is_admitted) return SQLITE_CANTOPEN;
  if (number == LOCK_PAGE) {
    memset(page, 0, CAIRN_PAGE_BYTES);
    return SQLITE_OK;
  }
  int rc = cairn_read_page(file, CAIRN_UNIT_PAGE, number, position_of(number), page);
  if (rc == SQLITE_OK && number == 1) cairn_note_page(file, page);
  if (rc != SQLITE_IOERR_DATA) return rc;
  if (is_new_page(file, number)) {
    memset(page, 0, CAIRN_PAGE_BYTES);
    return SQLITE_OK;
  }
  bool key_is_right = cairn_key_is_proven(file->key) || (number == 1 && opens_another_page(file));
  if (!key_is_right) rc = SQLITE_NOTADB;
  sqlite3_log(rc, "cairn-sealed: page %u does not open", number);
  return rc;
}

// SQLite reads parts of page 1 when it opens a file (100 bytes) and to see whether another
// connection wrote (16 bytes), and newer versions read parts of overflow pages directly.
static int read_part(struct cairn_file *file, uint32_t number, int within, int amount,
                     uint8_t *out) {
  if (!file->is_admitted && number != 1) return SQLITE_CANTOPEN;
  int rc = cairn_read_page(file, CAIRN_UNIT_PAGE, number, position_of(number), file->scratch);
  if (rc == SQLITE_OK) memcpy(out, file->scratch + within, (size_t)amount);
  sodium_memzero(file->scratch, CAIRN_PAGE_BYTES);
  if (rc == SQLITE_IOERR_DATA && number == 1) {
    // SQLite has not recovered the WAL yet, and the WAL may hold what a crash tore here: an error
    // would make the tear permanent. Zeros tell SQLite nothing, and it reads the whole page later.
    memset(out, 0, (size_t)amount);
    rc = SQLITE_OK;
  }
  return rc;
}

int cairn_database_read(sqlite3_file *sqlite, void *out, int amount, sqlite3_int64 offset) {
  struct cairn_file *file = (struct cairn_file *)sqlite;
  uint32_t number = (uint32_t)(offset / CAIRN_PAGE_BYTES) + 1;
  int within = (int)(offset % CAIRN_PAGE_BYTES);
  if (within + amount > CAIRN_PAGE_BYTES) return SQLITE_IOERR_READ;
  if (amount < CAIRN_PAGE_BYTES) return read_part(file, number, within, amount, out);
  return read_whole(file, number, out);
}

// Bytes 18 and 19 are 2 in WAL mode; 20 is how much of each page the connection holds for reserved.
// In any other mode a crash would lose more than a commit, and SQLite leaves pages that it frees at
// once unwritten: holes, which would be damage to us.
static bool is_sound_header(const uint8_t *page) {
  return page[18] == 2 && page[19] == 2 && page[20] == CAIRN_SEAL_BYTES;
}

int cairn_database_write(sqlite3_file *sqlite, const void *data, int amount,
                         sqlite3_int64 offset) {
  struct cairn_file *file = (struct cairn_file *)sqlite;
  if (!file->is_admitted) return SQLITE_CANTOPEN;
  if (amount != CAIRN_PAGE_BYTES || offset % CAIRN_PAGE_BYTES != 0) return SQLITE_IOERR_WRITE;
  uint32_t number = (uint32_t)(offset / CAIRN_PAGE_BYTES) + 1;
  const uint8_t *page = data;
  if (number == 1 && !is_sound_header(page)) {
    sqlite3_log(SQLITE_IOERR_WRITE, "cairn-sealed: not in WAL mode, or without reserved bytes");
    return SQLITE_IOERR_WRITE;
  }

  if (!cairn_key_is_proven(file->key)) {
    sqlite3_int64 size = 0;
    int rc = cairn_base(file)->pMethods->xFileSize(cairn_base(file), &size);
    if (rc != SQLITE_OK) return rc;
    if (size == 0) cairn_key_prove(file->key);  // it is this key that makes the database
  }
  if (number == 1) cairn_note_page(file, page);
  return cairn_write_page(file, CAIRN_UNIT_PAGE, number, offset, page);
}

int cairn_database_truncate(sqlite3_file *sqlite, sqlite3_int64 size) {
  struct cairn_file *file = (struct cairn_file *)sqlite;
  int rc = cairn_check_writable(file, SQLITE_IOERR_TRUNCATE);
  if (rc != SQLITE_OK) return rc;
  rc = cairn_base(file)->pMethods->xTruncate(cairn_base(file), size);
  // At the end of a checkpoint, when all of the WAL is in the database and this is its size.
  if (rc == SQLITE_OK) atomic_store(&file->key->pages, (unsigned)(size / CAIRN_PAGE_BYTES));
  return rc;
}

int cairn_database_size(sqlite3_file *sqlite, sqlite3_int64 *size) {
  sqlite3_file *base = cairn_base((struct cairn_file *)sqlite);
  return base->pMethods->xFileSize(base, size);
}
