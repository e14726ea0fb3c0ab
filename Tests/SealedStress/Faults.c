// A file system and an allocator that fail at random. The file system is a VFS named "unix-excl" in
// front of SQLite's own, which the sealed VFS takes for its base.

#include "Faults.h"

#include <sqlite3.h>
#include <stdatomic.h>
#include <stddef.h>

/// Lies behind the base VFS's own file.
struct extra {
  sqlite3_io_methods methods;
  const sqlite3_io_methods *base;
};

static sqlite3_vfs faulty_vfs;
static sqlite3_vfs *base_vfs;
static sqlite3_mem_methods base_memory;
static atomic_uint files_one_in, memory_one_in, turn;
static atomic_long made;

static int fails(atomic_uint *one_in) {
  unsigned odds = atomic_load(one_in);
  if (odds == 0) return 0;
  unsigned mixed = atomic_fetch_add(&turn, 1) * 2654435761u;
  mixed = (mixed ^ (mixed >> 15)) * 2246822519u;
  if ((mixed ^ (mixed >> 13)) % odds != 0) return 0;
  atomic_fetch_add(&made, 1);
  return 1;
}

static const sqlite3_io_methods *base_of(sqlite3_file *file) {
  return ((struct extra *)((char *)file + base_vfs->szOsFile))->base;
}

static int faulty_read(sqlite3_file *file, void *out, int amount, sqlite3_int64 offset) {
  if (fails(&files_one_in)) return SQLITE_IOERR_READ;
  return base_of(file)->xRead(file, out, amount, offset);
}

static int faulty_write(sqlite3_file *file, const void *data, int amount, sqlite3_int64 offset) {
  if (fails(&files_one_in)) {
    // As a full disk does: a part is there.
    int part = amount / 3;
    int rc = part > 0 ? base_of(file)->xWrite(file, data, part, offset) : SQLITE_OK;
    return rc == SQLITE_OK ? SQLITE_FULL : rc;
  }
  return base_of(file)->xWrite(file, data, amount, offset);
}

static int faulty_truncate(sqlite3_file *file, sqlite3_int64 size) {
  if (fails(&files_one_in)) return SQLITE_IOERR_TRUNCATE;
  return base_of(file)->xTruncate(file, size);
}

static int faulty_sync(sqlite3_file *file, int flags) {
  if (fails(&files_one_in)) return SQLITE_IOERR_FSYNC;
  return base_of(file)->xSync(file, flags);
}

static int faulty_size(sqlite3_file *file, sqlite3_int64 *size) {
  if (fails(&files_one_in)) return SQLITE_IOERR_FSTAT;
  return base_of(file)->xFileSize(file, size);
}

static int faulty_shm_map(sqlite3_file *file, int region, int size, int extend,
                          void volatile **memory) {
  if (fails(&files_one_in)) return SQLITE_IOERR_SHMMAP;
  return base_of(file)->xShmMap(file, region, size, extend, memory);
}

static int faulty_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags,
                       int *told) {
  (void)vfs;
  file->pMethods = NULL;
  if (fails(&files_one_in)) return SQLITE_CANTOPEN;
  int rc = base_vfs->xOpen(base_vfs, path, file, flags, told);
  if (file->pMethods == NULL) return rc;
  struct extra *extra = (struct extra *)((char *)file + base_vfs->szOsFile);
  *extra = (struct extra){.methods = *file->pMethods, .base = file->pMethods};
  extra->methods.xRead = faulty_read;
  extra->methods.xWrite = faulty_write;
  extra->methods.xTruncate = faulty_truncate;
  extra->methods.xSync = faulty_sync;
  extra->methods.xFileSize = faulty_size;
  extra->methods.xShmMap = faulty_shm_map;
  file->pMethods = &extra->methods;
  return rc;
}

static void *faulty_malloc(int size) {
  return fails(&memory_one_in) ? NULL : base_memory.xMalloc(size);
}

static void *faulty_realloc(void *old, int size) {
  return fails(&memory_one_in) ? NULL : base_memory.xRealloc(old, size);
}

int faults_install(void) {
  int rc = sqlite3_config(SQLITE_CONFIG_GETMALLOC, &base_memory);
  if (rc != SQLITE_OK) return rc;
  sqlite3_mem_methods faulty = base_memory;
  faulty.xMalloc = faulty_malloc;
  faulty.xRealloc = faulty_realloc;
  rc = sqlite3_config(SQLITE_CONFIG_MALLOC, &faulty);
  if (rc == SQLITE_OK) rc = sqlite3_initialize();
  if (rc != SQLITE_OK) return rc;

  base_vfs = sqlite3_vfs_find("unix-excl");
  if (base_vfs == NULL) return SQLITE_NOTFOUND;
  faulty_vfs = *base_vfs;
  faulty_vfs.pNext = NULL;
  faulty_vfs.szOsFile += (int)sizeof(struct extra);
  faulty_vfs.xOpen = faulty_open;
  // The default is found first by its name.
  return sqlite3_vfs_register(&faulty_vfs, 1);
}

void faults_of_files(unsigned one_in) { atomic_store(&files_one_in, one_in); }
void faults_of_memory(unsigned one_in) { atomic_store(&memory_one_in, one_in); }
long faults_made(void) { return atomic_load(&made); }
