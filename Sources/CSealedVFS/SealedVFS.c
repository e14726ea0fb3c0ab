#include <sodium.h>
#include <sqlite3.h>
#include <string.h>

#include "CSealedVFS.h"
#include "KeyTable.h"
#include "SealedFile.h"

// "unix-excl" keeps the WAL index in the heap. With plain "unix" it would be a -shm file, page
// numbers in the clear; the price is that one process at a time has the database.
static const char BASE_NAME[] = "unix-excl";
static const char WAL_SUFFIX[] = "-wal";
static const char JOURNAL_SUFFIX[] = "-journal";

static sqlite3_vfs sealed_vfs;

static sqlite3_vfs *base_vfs(void) { return sealed_vfs.pAppData; }

static bool has_suffix(const char *path, const char *suffix) {
  size_t length = strlen(path), tail = strlen(suffix);
  return length > tail && strcmp(path + length - tail, suffix) == 0;
}

// MARK: Opening and deleting

/// The key of the database that `path` is the WAL of.
static struct cairn_key *acquire_wal_key(const char *path) {
  if (!has_suffix(path, WAL_SUFFIX)) return NULL;
  return cairn_keys_acquire(path, strlen(path) - strlen(WAL_SUFFIX), true);
}

/// Opens the base file and answers with the flags that SQLite is to be told.
///
/// A file asked for read-only is opened for writing all the same: on a read-only one unix-excl
/// takes no exclusive lock and puts the WAL index in a -shm file. SealedFile.c keeps it read-only.
static int open_base(struct cairn_file *file, const char *path, int flags, int *told) {
  sqlite3_file *base = cairn_base(file);
  int opened = 0;
  int asked = (flags & ~SQLITE_OPEN_READONLY) | SQLITE_OPEN_READWRITE;
  int rc = base_vfs()->xOpen(base_vfs(), path, base, asked, &opened);
  if (rc != SQLITE_OK) return rc;

  bool can_write = (opened & SQLITE_OPEN_READWRITE) != 0;
  // Without shared memory (nolock=1) a database cannot be in WAL mode.
  bool has_shared_memory = base->pMethods->iVersion >= 2 && base->pMethods->xShmMap != NULL;
  if (!can_write || ((flags & SQLITE_OPEN_MAIN_DB) != 0 && !has_shared_memory)) {
    base->pMethods->xClose(base);
    return SQLITE_CANTOPEN;
  }
  file->is_read_only = (flags & SQLITE_OPEN_READONLY) != 0;
  *told = file->is_read_only ? (opened & ~SQLITE_OPEN_READWRITE) | SQLITE_OPEN_READONLY : opened;
  return SQLITE_OK;
}

static int open_file(sqlite3_vfs *vfs, const char *path, sqlite3_file *sqlite, int flags,
                     int *out_flags) {
  (void)vfs;
  struct cairn_file *file = (struct cairn_file *)sqlite;
  memset(file, 0, sizeof *file);  // no methods: SQLite does not close what did not open

  // Journals and temporary files are refused: they would hold plaintext under other rules.
  bool is_database = (flags & SQLITE_OPEN_MAIN_DB) != 0;
  bool is_wal = (flags & SQLITE_OPEN_WAL) != 0;
  if (path == NULL || (!is_database && !is_wal)) return SQLITE_CANTOPEN;
  file->key = is_wal ? acquire_wal_key(path) : cairn_keys_acquire(path, strlen(path), false);
  if (file->key == NULL) return SQLITE_CANTOPEN;

  int told = 0;
  int rc = open_base(file, path, flags, &told);
  if (rc != SQLITE_OK) {
    cairn_keys_release(file->key);
    return rc;
  }
  if (out_flags != NULL) *out_flags = told;
  file->sqlite.pMethods = is_wal ? &cairn_wal_methods : &cairn_database_methods;
  return SQLITE_OK;
}

static int delete_file(sqlite3_vfs *vfs, const char *path, int sync_directory) {
  (void)vfs;
  struct cairn_key *key = acquire_wal_key(path);
  if (key == NULL) return SQLITE_IOERR_DELETE;
  int rc = SQLITE_IOERR_DELETE;
  if (cairn_key_is_proven(key)) rc = base_vfs()->xDelete(base_vfs(), path, sync_directory);
  cairn_keys_release(key);
  return rc;
}

static int access_file(sqlite3_vfs *vfs, const char *path, int flags, int *answer) {
  (void)vfs;
  // We never write a journal, so one that lies there is not ours and is not to be played back.
  if (has_suffix(path, JOURNAL_SUFFIX)) {
    *answer = 0;
    return SQLITE_OK;
  }
  return base_vfs()->xAccess(base_vfs(), path, flags, answer);
}

// MARK: Passed on as they are

static int full_pathname(sqlite3_vfs *vfs, const char *path, int capacity, char *out) {
  (void)vfs;
  return base_vfs()->xFullPathname(base_vfs(), path, capacity, out);
}

static void *open_library(sqlite3_vfs *vfs, const char *path) {
  (void)vfs;
  return base_vfs()->xDlOpen(base_vfs(), path);
}

static void library_error(sqlite3_vfs *vfs, int capacity, char *out) {
  (void)vfs;
  base_vfs()->xDlError(base_vfs(), capacity, out);
}

static void (*library_symbol(sqlite3_vfs *vfs, void *library, const char *name))(void) {
  (void)vfs;
  return base_vfs()->xDlSym(base_vfs(), library, name);
}

static void close_library(sqlite3_vfs *vfs, void *library) {
  (void)vfs;
  base_vfs()->xDlClose(base_vfs(), library);
}

static int randomness(sqlite3_vfs *vfs, int count, char *out) {
  (void)vfs;
  return base_vfs()->xRandomness(base_vfs(), count, out);
}

static int sleep_for(sqlite3_vfs *vfs, int microseconds) {
  (void)vfs;
  return base_vfs()->xSleep(base_vfs(), microseconds);
}

static int current_time(sqlite3_vfs *vfs, double *julian_day) {
  (void)vfs;
  return base_vfs()->xCurrentTime(base_vfs(), julian_day);
}

static int last_error(sqlite3_vfs *vfs, int capacity, char *out) {
  (void)vfs;
  return base_vfs()->xGetLastError(base_vfs(), capacity, out);
}

static int current_time_milliseconds(sqlite3_vfs *vfs, sqlite3_int64 *julian_milliseconds) {
  (void)vfs;
  return base_vfs()->xCurrentTimeInt64(base_vfs(), julian_milliseconds);
}

// MARK: Set-up of connections

static int reserve(sqlite3 *db) {
  int bytes = CAIRN_SEAL_BYTES;
  return sqlite3_file_control(db, "main", SQLITE_FCNTL_RESERVE_BYTES, &bytes);
}

/// Writes page 1 of an empty database, in WAL mode. The switch to WAL is itself a transaction of
/// the mode before, and of those only MEMORY needs no file.
static int begin_database(sqlite3 *db) {
  const char *memory = "PRAGMA page_size = 4096; PRAGMA journal_mode = MEMORY";
  int rc = sqlite3_exec(db, memory, NULL, NULL, NULL);
  if (rc == SQLITE_OK) rc = reserve(db);
  if (rc == SQLITE_OK) rc = sqlite3_exec(db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
  return rc;
}

/// Runs at the end of every sqlite3_open in the process, before the opener has the connection, and
/// does nothing to one that has its main database elsewhere.
static int prepare_connection(sqlite3 *db, char **error, const sqlite3_api_routines *api) {
  (void)error;
  (void)api;
  sqlite3_vfs *vfs = NULL;
  int rc = sqlite3_file_control(db, "main", SQLITE_FCNTL_VFS_POINTER, &vfs);
  if (rc != SQLITE_OK || vfs != &sealed_vfs) return SQLITE_OK;

  sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
  rc = sqlite3_exec(db, "PRAGMA temp_store = MEMORY", NULL, NULL, NULL);
  if (rc != SQLITE_OK) return rc;

  int is_empty = 0;
  rc = sqlite3_file_control(db, "main", CAIRN_FCNTL_ADMIT, &is_empty);
  if (rc == SQLITE_NOTFOUND) return SQLITE_OK;  // ":memory:", which has no file
  if (rc != SQLITE_OK) return rc;
  if (is_empty && !sqlite3_db_readonly(db, "main")) return begin_database(db);
  return reserve(db);
}

// MARK: Public

int cairn_sealed_register(void) {
  if (sodium_init() < 0) return SQLITE_ERROR;
  sqlite3_vfs *base = sqlite3_vfs_find(BASE_NAME);
  if (base == NULL) return SQLITE_NOTFOUND;

  sqlite3_mutex *mutex = sqlite3_mutex_alloc(SQLITE_MUTEX_STATIC_APP2);
  sqlite3_mutex_enter(mutex);
  if (sealed_vfs.zName == NULL) {
    sealed_vfs = (sqlite3_vfs){
      .iVersion = 2,
      .szOsFile = (int)sizeof(struct cairn_file) + base->szOsFile,
      .mxPathname = base->mxPathname,
      .zName = "cairn-sealed",
      .pAppData = base,
      .xOpen = open_file,
      .xDelete = delete_file,
      .xAccess = access_file,
      .xFullPathname = full_pathname,
      .xDlOpen = open_library,
      .xDlError = library_error,
      .xDlSym = library_symbol,
      .xDlClose = close_library,
      .xRandomness = randomness,
      .xSleep = sleep_for,
      .xCurrentTime = current_time,
      .xGetLastError = last_error,
      .xCurrentTimeInt64 = current_time_milliseconds,
    };
  }
  sqlite3_mutex_leave(mutex);

  int rc = sqlite3_vfs_register(&sealed_vfs, 0);
  if (rc != SQLITE_OK) return rc;
  return sqlite3_auto_extension((void (*)(void))prepare_connection);
}

/// `path` as SQLite will hand it to xOpen. The caller frees it; NULL if it cannot be.
static char *resolve(const char *path, int *rc) {
  sqlite3_vfs *base = base_vfs();
  *rc = SQLITE_MISUSE;
  if (base == NULL) return NULL;
  char *full = sqlite3_malloc(base->mxPathname + 1);
  *rc = SQLITE_NOMEM;
  if (full == NULL) return NULL;
  *rc = base->xFullPathname(base, path, base->mxPathname + 1, full);
  // A path through a symbolic link gives OK_SYMLINK, and is resolved.
  if ((*rc & 0xff) == SQLITE_OK) return full;
  sqlite3_free(full);
  return NULL;
}

int cairn_sealed_provide_key(const char *path, const uint8_t key[CAIRN_KEY_BYTES],
                             const uint8_t vault_id[CAIRN_VAULT_ID_BYTES]) {
  int rc = SQLITE_OK;
  char *full = resolve(path, &rc);
  if (full == NULL) return rc;
  rc = cairn_keys_provide(full, key, vault_id);
  sqlite3_free(full);
  return rc;
}

void cairn_sealed_forget_key(const char *path) {
  int rc = SQLITE_OK;
  char *full = resolve(path, &rc);
  if (full == NULL) return;
  cairn_keys_forget(full);
  sqlite3_free(full);
}
