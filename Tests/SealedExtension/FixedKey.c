// The sealed VFS for tests and measurements, with one key for every path: for nothing else, since the
// key is here for all to read. It is the code that the vault uses; only the key table is filled in.
//
//   S=Sources/CSealedVFS T=Tests/SealedExtension
//   cc -O2 -shared -fPIC -include $T/AsExtension.h -I$S/include $T/FixedKey.c $S/*.c -lsodium -o sealed.so
//
//   sqlite3 :memory: '.load ./sealed' '.open file:a.db?vfs=cairn-sealed' 'CREATE TABLE t(x)'
//
// Loaded once by any connection, the VFS stays for all that the process opens later, as
// `file:PATH?vfs=cairn-sealed` or by name with sqlite3_open_v2.

#include "FixedKey.h"

#include <sqlite3.h>
#include <stddef.h>

#include "CSealedVFS.h"

static const uint8_t fixed_key[32] = "the same for all, and no secret.";
static const uint8_t fixed_vault_id[16] = "of tests only...";

static int (*sealed_open)(sqlite3_vfs *, const char *, sqlite3_file *, int, int *);

static int open_with_fixed_key(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags,
                               int *out_flags) {
  if (path == NULL || (flags & SQLITE_OPEN_MAIN_DB) == 0) {
    return sealed_open(vfs, path, file, flags, out_flags);
  }
  // Forgotten again at once, or the table would grow with every path; an open file keeps its key. One
  // thread at a time, since another's forgetting would come between.
  sqlite3_mutex *mutex = sqlite3_mutex_alloc(SQLITE_MUTEX_STATIC_APP3);
  sqlite3_mutex_enter(mutex);
  int rc = cairn_sealed_provide_key(path, fixed_key, fixed_vault_id);
  if (rc == SQLITE_OK) {
    rc = sealed_open(vfs, path, file, flags, out_flags);
    cairn_sealed_forget_key(path);
  } else {
    file->pMethods = NULL;
  }
  sqlite3_mutex_leave(mutex);
  return rc;
}

int cairn_register_with_fixed_key(void) {
  int rc = cairn_sealed_register();
  if (rc != SQLITE_OK) return rc;
  sqlite3_vfs *vfs = sqlite3_vfs_find("cairn-sealed");
  if (sealed_open == NULL) {
    sealed_open = vfs->xOpen;
    vfs->xOpen = open_with_fixed_key;
  }
  return SQLITE_OK;
}

#ifdef SQLITE3EXT_H
SQLITE_EXTENSION_INIT1

int sqlite3_extension_init(sqlite3 *db, char **error, const sqlite3_api_routines *api) {
  (void)db;
  (void)error;
  SQLITE_EXTENSION_INIT2(api)
  int rc = cairn_register_with_fixed_key();
  return rc == SQLITE_OK ? SQLITE_OK_LOAD_PERMANENTLY : rc;
}
#endif
