// What the suite's test program runs when SQLite initializes. The environment says over which VFS:
//
//   CAIRN_SUITE=plain            SQLite's own
//   CAIRN_SUITE=sealed           the sealed one, one key for every path
//   CAIRN_SUITE=twin             SQLite's own under all rules of the sealed one
//   CAIRN_SUITE=wal,reserve,...  under some of them

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "../SealedExtension/FixedKey.h"
#include "SealedFile.h"
#include "Twin.h"

static const struct {
  const char *name;
  int rules;
} names[] = {
    {"exclusive", TWIN_EXCLUSIVE},   {"wal", TWIN_WAL},
    {"page", TWIN_PAGE_SIZE},        {"reserve", TWIN_RESERVE},
    {"journal", TWIN_NO_JOURNAL},    {"attach", TWIN_NO_ATTACH},
    {"mapping", TWIN_NO_MAPPING},    {"twin", 127},
    {"sealed", 127},
};

static int rules;

static int run(sqlite3 *db, const char *sql) { return sqlite3_exec(db, sql, NULL, NULL, NULL); }

/// What the sealed VFS does for its own connections, here for every one: also for those of the twin,
/// and of the suite's VFSs that stand on top of either. Attached databases stay refused by their
/// files; the limit itself is the suite's, and VACUUM needs it.
static int prepare(sqlite3 *db, char **error, const sqlite3_api_routines *api) {
  (void)error;
  (void)api;
  sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 10);
  int rc = SQLITE_OK;
  if (rules & TWIN_NO_JOURNAL) rc = run(db, "PRAGMA temp_store = MEMORY");
  if (rc != SQLITE_OK) return rc;

  int is_empty = 0;
  rc = sqlite3_file_control(db, "main", CAIRN_FCNTL_ADMIT, &is_empty);
  if (rc == SQLITE_NOTFOUND || rc == SQLITE_ERROR) return SQLITE_OK;
  if (rc != SQLITE_OK) return rc;
  int is_new = is_empty && !sqlite3_db_readonly(db, "main");
  if ((rules & TWIN_PAGE_SIZE) && is_new) rc = run(db, "PRAGMA page_size = 4096");
  if (rc == SQLITE_OK && (rules & TWIN_WAL) && is_new) rc = run(db, "PRAGMA journal_mode = MEMORY");
  if (rc == SQLITE_OK && (rules & TWIN_RESERVE)) {
    int bytes = CAIRN_SEAL_BYTES;
    rc = sqlite3_file_control(db, "main", SQLITE_FCNTL_RESERVE_BYTES, &bytes);
  }
  if (rc == SQLITE_OK && (rules & TWIN_WAL) && is_new) rc = run(db, "PRAGMA journal_mode = WAL");
  return rc;
}

// MARK: The sealed VFS, without errors for pragmas

static int (*sealed_open)(sqlite3_vfs *, const char *, sqlite3_file *, int, int *);
static const sqlite3_io_methods *sealed_methods;
static sqlite3_io_methods lenient_methods;

static int lenient_control(sqlite3_file *file, int operation, void *argument) {
  if (operation == SQLITE_FCNTL_PRAGMA && twin_ignores(rules, argument)) return SQLITE_OK;
  return sealed_methods->xFileControl(file, operation, argument);
}

static int lenient_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags,
                        int *told) {
  int rc = sealed_open(vfs, path, file, flags, told);
  if (rc != SQLITE_OK || (flags & SQLITE_OPEN_MAIN_DB) == 0) return rc;
  sealed_methods = file->pMethods;
  lenient_methods = *sealed_methods;
  lenient_methods.xFileControl = lenient_control;
  file->pMethods = &lenient_methods;
  return rc;
}

static int register_sealed(void) {
  int rc = cairn_register_with_fixed_key();
  if (rc != SQLITE_OK) return rc;
  sqlite3_vfs *vfs = sqlite3_vfs_find("cairn-sealed");
  if (sealed_open == NULL) {
    sealed_open = vfs->xOpen;
    vfs->xOpen = lenient_open;
  }
  return sqlite3_vfs_register(vfs, 1);
}

int cairn_suite_init(const char *unused) {
  (void)unused;
  const char *asked = getenv("CAIRN_SUITE");
  if (asked == NULL || strcmp(asked, "plain") == 0) return SQLITE_OK;
  rules = 0;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (strstr(asked, names[i].name) != NULL) rules |= names[i].rules;
  }
  if (rules == 0) return SQLITE_ERROR;

  int rc = strcmp(asked, "sealed") == 0 ? register_sealed() : twin_register(rules);
  if (rc != SQLITE_OK) return rc;
  return sqlite3_auto_extension((void (*)(void))prepare);
}
