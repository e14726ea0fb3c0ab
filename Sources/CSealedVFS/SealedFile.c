#include "SealedFile.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

int cairn_read_page(struct cairn_file *file, enum cairn_unit kind, uint32_t number,
                    sqlite3_int64 position, uint8_t *page) {
  sqlite3_file *base = cairn_base(file);
  int rc = base->pMethods->xRead(base, page, CAIRN_PAGE_BYTES, position);
  // SQLite takes a short read for a page of zeros; a page that should be there is damage.
  if (rc == SQLITE_IOERR_SHORT_READ) return SQLITE_IOERR_DATA;
  if (rc != SQLITE_OK) return rc;
  bool opened =
      cairn_cipher_open(file->key->cipher, kind, number, page, CAIRN_USABLE_BYTES, page) == 0;
  memset(page + CAIRN_USABLE_BYTES, 0, CAIRN_SEAL_BYTES);
  if (!opened) return SQLITE_IOERR_DATA;
  cairn_key_prove(file->key);
  return SQLITE_OK;
}

int cairn_write_page(struct cairn_file *file, enum cairn_unit kind, uint32_t number,
                     sqlite3_int64 position, const uint8_t *page) {
  int rc = cairn_check_writable(file, SQLITE_IOERR_WRITE);
  if (rc != SQLITE_OK) return rc;
  if (!sodium_is_zero(page + CAIRN_USABLE_BYTES, CAIRN_SEAL_BYTES)) {
    sqlite3_log(SQLITE_IOERR_WRITE, "cairn-sealed: a page without reserved bytes is refused");
    return SQLITE_IOERR_WRITE;
  }
  cairn_cipher_seal(file->key->cipher, &file->nonces, kind, number, page, CAIRN_USABLE_BYTES,
                    file->scratch);
  sqlite3_file *base = cairn_base(file);
  return base->pMethods->xWrite(base, file->scratch, CAIRN_PAGE_BYTES, position);
}

void cairn_note_page(struct cairn_file *file, const uint8_t *page) {
  // A page of the WAL comes without its number. No other page begins like this: it would be a page
  // number, or a type that there is not.
  if (memcmp(page, "SQLite format 3", 16) != 0) return;
  const uint8_t *count = page + 28;
  cairn_key_note_pages(file->key, (uint32_t)count[0] << 24 | (uint32_t)count[1] << 16 |
                                      (uint32_t)count[2] << 8 | count[3]);
}

int cairn_check_writable(struct cairn_file *file, int denied) {
  if (file->is_read_only) return SQLITE_READONLY;
  return cairn_key_is_proven(file->key) ? SQLITE_OK : denied;
}

static int close_file(sqlite3_file *sqlite) {
  struct cairn_file *file = (struct cairn_file *)sqlite;
  int rc = cairn_base(file)->pMethods->xClose(cairn_base(file));
  sodium_memzero(file->scratch, sizeof file->scratch);
  cairn_keys_release(file->key);
  file->key = NULL;
  return rc;
}

// MARK: Controls

static int refuse_pragma(char **answer, const char *why) {
  *answer = sqlite3_mprintf("cairn-sealed: %s", why);
  return SQLITE_ERROR;
}

// `pragma` is SQLite's: the answer to fill in, the name, the argument or NULL.
static int control_pragma(struct cairn_file *file, char **pragma) {
  const char *name = pragma[1], *argument = pragma[2];
  if (argument == NULL) return SQLITE_NOTFOUND;  // a question, SQLite's to answer

  if (sqlite3_stricmp(name, "page_size") == 0 && atoi(argument) != CAIRN_PAGE_BYTES) {
    return refuse_pragma(pragma, "the page size is fixed");
  }
  if (sqlite3_stricmp(name, "temp_store") == 0 && sqlite3_stricmp(argument, "memory") != 0 &&
      strcmp(argument, "2") != 0) {
    return refuse_pragma(pragma, "temporary tables stay in memory");
  }
  if (sqlite3_stricmp(name, "journal_mode") == 0 && sqlite3_stricmp(argument, "wal") != 0) {
    sqlite3_int64 size = 0;
    int rc = cairn_base(file)->pMethods->xFileSize(cairn_base(file), &size);
    if (rc != SQLITE_OK) return rc;
    if (size == 0) return SQLITE_NOTFOUND;  // our own hook, about to write page 1
    // SQLite's way of saying no to another mode is to answer with the one in force.
    pragma[0] = sqlite3_mprintf("wal");
    return pragma[0] != NULL ? SQLITE_OK : SQLITE_NOMEM;
  }
  return SQLITE_NOTFOUND;
}

static int admit(struct cairn_file *file, int *is_empty) {
  sqlite3_int64 size = 0;
  int rc = cairn_base(file)->pMethods->xFileSize(cairn_base(file), &size);
  if (rc != SQLITE_OK) return rc;
  *is_empty = size == 0;
  file->is_admitted = true;
  return SQLITE_OK;
}

static int control(sqlite3_file *sqlite, int operation, void *argument) {
  struct cairn_file *file = (struct cairn_file *)sqlite;
  switch (operation) {
    case CAIRN_FCNTL_ADMIT:
      return admit(file, argument);
    case SQLITE_FCNTL_PRAGMA:
      return control_pragma(file, argument);
    case SQLITE_FCNTL_MMAP_SIZE:
      *(sqlite3_int64 *)argument = 0;  // what is mapped is ciphertext
      return SQLITE_OK;
    case SQLITE_FCNTL_CHUNK_SIZE:  // would leave pages of zeros at the end of the file
    case SQLITE_FCNTL_SIZE_HINT:
    case SQLITE_FCNTL_BEGIN_ATOMIC_WRITE:
    case SQLITE_FCNTL_COMMIT_ATOMIC_WRITE:
    case SQLITE_FCNTL_ROLLBACK_ATOMIC_WRITE:
      return SQLITE_NOTFOUND;
    default:
      break;
  }
  sqlite3_file *base = cairn_base(file);
  int rc = base->pMethods->xFileControl(base, operation, argument);
  if (rc == SQLITE_OK && operation == SQLITE_FCNTL_VFSNAME) {
    char **name = argument;
    *name = sqlite3_mprintf("cairn-sealed/%z", *name);
  }
  return rc;
}

static int device_characteristics(sqlite3_file *file) {
  // Without POWERSAFE_OVERWRITE SQLite writes a WAL page in two pieces around a sync. Promises of
  // atomic or partial writes are the base's to make, and a sealed page cannot keep them.
  (void)file;
  return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static int lock(sqlite3_file *sqlite, int level) {
  struct cairn_file *file = (struct cairn_file *)sqlite;
  // Or a read-only connection, being the last to close, would checkpoint and delete the WAL.
  if (file->is_read_only && level > SQLITE_LOCK_SHARED) return SQLITE_READONLY;
  sqlite3_file *base = cairn_base(file);
  return base->pMethods->xLock(base, level);
}

// MARK: Passed on as they are

static int sync_file(sqlite3_file *file, int flags) {
  sqlite3_file *base = cairn_base((struct cairn_file *)file);
  return base->pMethods->xSync(base, flags);
}

static int unlock(sqlite3_file *file, int level) {
  sqlite3_file *base = cairn_base((struct cairn_file *)file);
  return base->pMethods->xUnlock(base, level);
}

static int check_reserved_lock(sqlite3_file *file, int *is_reserved) {
  sqlite3_file *base = cairn_base((struct cairn_file *)file);
  return base->pMethods->xCheckReservedLock(base, is_reserved);
}

static int sector_size(sqlite3_file *file) {
  sqlite3_file *base = cairn_base((struct cairn_file *)file);
  return base->pMethods->xSectorSize(base);
}

static int shm_map(sqlite3_file *file, int region, int size, int extend, void volatile **memory) {
  sqlite3_file *base = cairn_base((struct cairn_file *)file);
  return base->pMethods->xShmMap(base, region, size, extend, memory);
}

static int shm_lock(sqlite3_file *file, int offset, int count, int flags) {
  sqlite3_file *base = cairn_base((struct cairn_file *)file);
  return base->pMethods->xShmLock(base, offset, count, flags);
}

static void shm_barrier(sqlite3_file *file) {
  sqlite3_file *base = cairn_base((struct cairn_file *)file);
  base->pMethods->xShmBarrier(base);
}

static int shm_unmap(sqlite3_file *file, int delete_it) {
  sqlite3_file *base = cairn_base((struct cairn_file *)file);
  return base->pMethods->xShmUnmap(base, delete_it);
}

// Version 2 has shared memory (in the heap, by unix-excl) and no xFetch: no memory mapping at all.
#define CAIRN_IO_METHODS(read, write, truncate, size)                                             \
  {                                                                                               \
    .iVersion = 2, .xClose = close_file, .xRead = (read), .xWrite = (write),                      \
    .xTruncate = (truncate), .xSync = sync_file, .xFileSize = (size), .xLock = lock,              \
    .xUnlock = unlock, .xCheckReservedLock = check_reserved_lock, .xFileControl = control,        \
    .xSectorSize = sector_size, .xDeviceCharacteristics = device_characteristics,                 \
    .xShmMap = shm_map, .xShmLock = shm_lock, .xShmBarrier = shm_barrier, .xShmUnmap = shm_unmap, \
  }

const sqlite3_io_methods cairn_database_methods = CAIRN_IO_METHODS(
    cairn_database_read, cairn_database_write, cairn_database_truncate, cairn_database_size);

const sqlite3_io_methods cairn_wal_methods =
    CAIRN_IO_METHODS(cairn_wal_read, cairn_wal_write, cairn_wal_truncate, cairn_wal_size);
