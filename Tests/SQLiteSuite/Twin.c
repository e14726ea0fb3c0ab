// A VFS that keeps the sealed one's rules and seals nothing: SQLite's own "unix" or "unix-excl", with a
// few answers changed. Where SQLite behaves over the two alike, its tests fail over them alike, and
// what remains is the sealing. One rule at a time shows which of them a test does not expect.

#include "Twin.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "SealedFile.h"

/// Lies behind the base VFS's own file.
struct extra {
  sqlite3_io_methods methods;
  const sqlite3_io_methods *base;
  int is_admitted;
  int is_database;
};

static sqlite3_vfs twin_vfs;
static sqlite3_vfs *base_vfs;
static int twin_rules;

static int has(int rule) { return (twin_rules & rule) != 0; }

static struct extra *extra_of(sqlite3_file *file) {
  return (struct extra *)((char *)file + base_vfs->szOsFile);
}

static int is_refused(sqlite3_file *file, int is_first_page) {
  struct extra *extra = extra_of(file);
  return has(TWIN_NO_ATTACH) && extra->is_database && !extra->is_admitted && !is_first_page;
}

static int twin_read(sqlite3_file *file, void *out, int amount, sqlite3_int64 offset) {
  if (is_refused(file, offset < CAIRN_PAGE_BYTES && amount < CAIRN_PAGE_BYTES)) {
    return SQLITE_CANTOPEN;
  }
  return extra_of(file)->base->xRead(file, out, amount, offset);
}

static int is_sound(const uint8_t *page, int amount, sqlite3_int64 offset) {
  if (has(TWIN_PAGE_SIZE) && amount != CAIRN_PAGE_BYTES) return 0;
  if (offset == 0 && has(TWIN_WAL) && (page[18] != 2 || page[19] != 2)) return 0;
  if (offset == 0 && has(TWIN_RESERVE) && page[20] != CAIRN_SEAL_BYTES) return 0;
  if (!has(TWIN_RESERVE)) return 1;
  for (int i = amount - CAIRN_SEAL_BYTES; i < amount; i++) {
    if (page[i] != 0) return 0;
  }
  return 1;
}

static int twin_write(sqlite3_file *file, const void *data, int amount, sqlite3_int64 offset) {
  if (is_refused(file, 0)) return SQLITE_CANTOPEN;
  if (extra_of(file)->is_database && !is_sound(data, amount, offset)) return SQLITE_IOERR_WRITE;
  return extra_of(file)->base->xWrite(file, data, amount, offset);
}

static int twin_pragma(sqlite3_file *file, char **pragma) {
  const char *name = pragma[1], *argument = pragma[2];
  if (argument == NULL || !has(TWIN_WAL) || sqlite3_stricmp(name, "journal_mode") != 0 ||
      sqlite3_stricmp(argument, "wal") == 0) {
    return SQLITE_NOTFOUND;
  }
  sqlite3_int64 size = 0;
  int rc = extra_of(file)->base->xFileSize(file, &size);
  if (rc != SQLITE_OK) return rc;
  if (size == 0) return SQLITE_NOTFOUND;
  pragma[0] = sqlite3_mprintf("wal");
  return SQLITE_OK;
}

static int twin_control(sqlite3_file *file, int operation, void *argument) {
  struct extra *extra = extra_of(file);
  switch (operation) {
    case CAIRN_FCNTL_ADMIT: {
      sqlite3_int64 size = 0;
      int rc = extra->base->xFileSize(file, &size);
      *(int *)argument = size == 0;
      if (rc == SQLITE_OK) extra->is_admitted = 1;
      return rc;
    }
    case SQLITE_FCNTL_PRAGMA: {
      if (twin_ignores(twin_rules, argument)) return SQLITE_OK;
      int rc = twin_pragma(file, argument);
      if (rc != SQLITE_NOTFOUND) return rc;
      break;
    }
    case SQLITE_FCNTL_MMAP_SIZE:
      if (!has(TWIN_NO_MAPPING)) break;
      *(sqlite3_int64 *)argument = 0;
      return SQLITE_OK;
    case SQLITE_FCNTL_CHUNK_SIZE:
    case SQLITE_FCNTL_SIZE_HINT:
      if (has(TWIN_NO_MAPPING)) return SQLITE_NOTFOUND;
      break;
    default:
      break;
  }
  return extra->base->xFileControl(file, operation, argument);
}

static int powersafe_only(sqlite3_file *file) {
  (void)file;
  return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static int twin_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *told) {
  (void)vfs;
  int is_ours = (flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)) != 0;
  if (has(TWIN_NO_JOURNAL) && (path == NULL || !is_ours)) {
    file->pMethods = NULL;
    return SQLITE_CANTOPEN;
  }
  int rc = base_vfs->xOpen(base_vfs, path, file, flags, told);
  if (file->pMethods == NULL) return rc;
  struct extra *extra = extra_of(file);
  *extra = (struct extra){.methods = *file->pMethods, .base = file->pMethods};
  extra->is_database = (flags & SQLITE_OPEN_MAIN_DB) != 0;
  extra->methods.xRead = twin_read;
  extra->methods.xWrite = twin_write;
  extra->methods.xFileControl = twin_control;
  if (has(TWIN_NO_MAPPING)) {
    if (extra->methods.iVersion > 2) extra->methods.iVersion = 2;
    extra->methods.xDeviceCharacteristics = powersafe_only;
  }
  file->pMethods = &extra->methods;
  return rc;
}

int twin_ignores(int rules, char *const *pragma) {
  const char *name = pragma[1], *argument = pragma[2];
  if (argument == NULL) return 0;
  if ((rules & TWIN_PAGE_SIZE) && sqlite3_stricmp(name, "page_size") == 0) {
    return atoi(argument) != CAIRN_PAGE_BYTES;
  }
  if ((rules & TWIN_NO_JOURNAL) && sqlite3_stricmp(name, "temp_store") == 0) {
    return sqlite3_stricmp(argument, "memory") != 0 && strcmp(argument, "2") != 0;
  }
  return 0;
}

static int twin_access(sqlite3_vfs *vfs, const char *path, int flags, int *answer) {
  (void)vfs;
  static const char suffix[] = "-journal";
  size_t length = strlen(path), tail = strlen(suffix);
  if (has(TWIN_NO_JOURNAL) && length > tail && strcmp(path + length - tail, suffix) == 0) {
    *answer = 0;
    return SQLITE_OK;
  }
  return base_vfs->xAccess(base_vfs, path, flags, answer);
}

int twin_register(int rules) {
  twin_rules = rules;
  base_vfs = sqlite3_vfs_find(has(TWIN_EXCLUSIVE) ? "unix-excl" : "unix");
  if (base_vfs == NULL) return SQLITE_NOTFOUND;
  // SQLite's suite counts on some names; the methods get the base VFS's data by this copy.
  if (twin_vfs.zName == NULL) {
    twin_vfs = *base_vfs;
    twin_vfs.pNext = NULL;
    twin_vfs.zName = "twin";
    twin_vfs.szOsFile += (int)sizeof(struct extra);
    twin_vfs.xOpen = twin_open;
    twin_vfs.xAccess = twin_access;
  }
  return sqlite3_vfs_register(&twin_vfs, 1);
}
