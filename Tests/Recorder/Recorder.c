// Stands between a program and the C library (LD_PRELOAD), for the torture tests: records what the
// program does to the files below one folder, with all bytes, and lets single calls fail or end the
// process. The program under test is the real one, unchanged; nothing in it knows of this.
//
//   CAIRN_RECORD_BELOW   the folder, an absolute path without links
//   CAIRN_RECORD_TO      the file that records are appended to, outside of the folder; nothing is
//                        recorded without it
//   CAIRN_FAULT          N:WHAT[:COUNT], from the Nth counted call on, for COUNT calls (1; 0: all):
//                        eio, enospc, short (half of a write), kill, kill-half (of a write),
//                        kill-after
//
// Counted calls are those on files below the folder, numbered from 1 in their order. Each record is
// a `struct cairn_record`, a byte string and another one. Sorts:
//
//   k  a counted call: number = its class (the letters of `enum class`)
//   c  a new file: first = path, number = its inode
//   w  a write: second = the bytes, number = inode, position = where
//   t  a new length: number = inode, position = length
//   s  the file's content was synced: number = inode
//   S  the folder's names were synced: first = path
//   m  a new folder; u  a removed file; d  a removed folder: first = path
//   r  renamed: first = old path, second = new one;  l  a second name: the same
//   o  bytes on standard output: second = the bytes
//
// Calls go to the kernel by number: there is no symbol to be looked up, and none to be missed.
// What gets past these functions (stdio, mmap) would be missing in the records: the harness compares
// what it rebuilds from them with the real files after each command.
#define _GNU_SOURCE
#include "CRecorder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum class {
  OPEN = 'o',
  CREATE = 'c',
  READ = 'r',
  WRITE = 'w',
  SYNC = 's',
  RENAME = 'n',
  REMOVE = 'u',
  MAKE = 'm',
  LENGTH = 't',
};

enum fault { NONE, EIO_FAULT, ENOSPC_FAULT, SHORT, KILL, KILL_HALF, KILL_AFTER };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static bool is_ready;
static const char *below;
static size_t below_length;
static int trace = -1;
static long calls, fault_at, fault_count = 1;
static enum fault fault;

// MARK: Set-up

static void read_fault(const char *text) {
  static const char *const names[] = {"", "eio", "enospc", "short", "kill", "kill-half", "kill-after"};
  char name[16] = "";
  fault_count = 1;
  if (text == NULL || sscanf(text, "%ld:%15[^:]:%ld", &fault_at, name, &fault_count) < 2) return;
  for (size_t index = 1; index < sizeof names / sizeof *names; index++) {
    if (strcmp(name, names[index]) == 0) fault = (enum fault)index;
  }
}

__attribute__((constructor)) static void prepare(void) {
  if (is_ready) return;
  is_ready = true;
  below = getenv("CAIRN_RECORD_BELOW");
  if (below == NULL) return;
  below_length = strlen(below);
  const char *to = getenv("CAIRN_RECORD_TO");
  if (to != NULL) {
    int opened = (int)syscall(SYS_openat, AT_FDCWD, to, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    // High up, so that the program's own files have the numbers that they would have.
    trace = (int)syscall(SYS_fcntl, opened, F_DUPFD_CLOEXEC, 700);
    syscall(SYS_close, opened);
    if (trace < 0) _exit(125);
  }
  read_fault(getenv("CAIRN_FAULT"));
}

// MARK: Records

static void put(const void *bytes, size_t length) {
  const char *from = bytes;
  while (length > 0) {
    long written = syscall(SYS_write, trace, from, length);
    if (written <= 0) _exit(125);
    from += written;
    length -= (size_t)written;
  }
}

static void record(uint8_t sort, const char *first, const void *second, size_t second_length,
                   int64_t number, int64_t position) {
  if (trace < 0) return;
  int error = errno;
  struct cairn_record head = {
    .sort = sort,
    .first_length = first != NULL ? (uint32_t)strlen(first) : 0,
    .second_length = (uint32_t)second_length,
    .number = number,
    .position = position,
  };
  put(&head, sizeof head);
  put(first, head.first_length);
  put(second, second_length);
  errno = error;
}

// MARK: Which files

static bool is_below(const char *path) {
  if (below == NULL) return false;
  return strncmp(path, below, below_length) == 0 && (path[below_length] == '/' || path[below_length] == 0);
}

/// The path of an open file; false if it is not below the folder.
static bool path_of(int file, char path[PATH_MAX]) {
  if (below == NULL || file < 0) return false;
  char link[32];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file);
  long length = syscall(SYS_readlinkat, AT_FDCWD, link, path, PATH_MAX - 1);
  if (length < 0) return false;
  path[length] = 0;
  return is_below(path);
}

static bool is_tracked(int file) {
  char path[PATH_MAX];
  int error = errno;
  bool tracked = path_of(file, path);
  errno = error;
  return tracked;
}

/// The absolute path of a name as a call was given it; false if it is not below the folder.
static bool resolve(int folder, const char *name, char path[PATH_MAX]) {
  prepare();
  if (below == NULL || name == NULL) return false;
  int error = errno;
  if (name[0] == '/') {
    snprintf(path, PATH_MAX, "%s", name);
  } else {
    char base[PATH_MAX];
    if (folder == AT_FDCWD) {
      if (syscall(SYS_getcwd, base, sizeof base) < 0) return false;
    } else if (!path_of(folder, base)) {
      errno = error;
      return false;
    }
    snprintf(path, PATH_MAX, "%.2047s/%.2047s", base, name);
  }
  errno = error;
  return is_below(path);
}

static int64_t inode_of(int file) {
  struct stat status;
  int error = errno;
  int64_t inode = fstat(file, &status) == 0 ? (int64_t)status.st_ino : -1;
  errno = error;
  return inode;
}

// MARK: Faults

static _Noreturn void die(void) {
  syscall(SYS_kill, getpid(), SIGKILL);
  for (;;) pause();
}

/// Counts a call, and says what is to happen to it. The mutex is held.
static enum fault next(enum class class) {
  calls++;
  record('k', NULL, NULL, 0, class, 0);
  if (fault == NONE || calls < fault_at) return NONE;
  if (fault_count != 0 && calls >= fault_at + fault_count) return NONE;
  bool takes_space = class == CREATE || class == WRITE || class == SYNC || class == MAKE ||
                     class == RENAME || class == LENGTH;
  if (fault == ENOSPC_FAULT && !takes_space) return NONE;
  if ((fault == SHORT || fault == KILL_HALF) && class != WRITE) return NONE;
  if (fault == KILL) die();
  return fault;
}

static bool fails(enum fault what) {
  if (what == EIO_FAULT) errno = EIO;
  if (what == ENOSPC_FAULT) errno = ENOSPC;
  return what == EIO_FAULT || what == ENOSPC_FAULT;
}

static void finish(enum fault what) {
  if (what == KILL_AFTER || what == KILL_HALF) die();
  pthread_mutex_unlock(&mutex);
}

/// A call that fails, or does all of its work: `call` is evaluated once, then `done` if it succeeded.
#define COUNTED(class, call, done)       \
  pthread_mutex_lock(&mutex);            \
  enum fault what = next(class);         \
  long result = -1;                      \
  if (!fails(what)) result = (call);     \
  if (result >= 0) {                     \
    done;                                \
  }                                      \
  finish(what);                          \
  return result

// MARK: Opening

static int open_any(int folder, const char *name, int flags, mode_t mode) {
  char path[PATH_MAX];
  if (!resolve(folder, name, path)) return (int)syscall(SYS_openat, folder, name, flags, mode);
  int error = errno;
  bool existed = syscall(SYS_faccessat, folder, name, F_OK) == 0;
  errno = error;
  bool creates = (flags & O_CREAT) != 0 && !existed;
  COUNTED(creates ? CREATE : OPEN, syscall(SYS_openat, folder, name, flags, mode), {
    if (creates) record('c', path, NULL, 0, inode_of((int)result), 0);
    if ((flags & O_TRUNC) != 0 && existed) record('t', NULL, NULL, 0, inode_of((int)result), 0);
  });
}

static mode_t mode_of(int flags, va_list list) {
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? (mode_t)va_arg(list, int) : 0;
}

#define OPENER(name)                                       \
  int name(const char *path, int flags, ...) {             \
    va_list list;                                          \
    va_start(list, flags);                                 \
    mode_t mode = mode_of(flags, list);                    \
    va_end(list);                                          \
    return open_any(AT_FDCWD, path, flags, mode);          \
  }
OPENER(open)
OPENER(open64)
#define OPENER_AT(name)                                    \
  int name(int folder, const char *path, int flags, ...) { \
    va_list list;                                          \
    va_start(list, flags);                                 \
    mode_t mode = mode_of(flags, list);                    \
    va_end(list);                                          \
    return open_any(folder, path, flags, mode);            \
  }
OPENER_AT(openat)
OPENER_AT(openat64)

int creat(const char *path, mode_t mode) {
  return open_any(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode);
}
int creat64(const char *path, mode_t mode) { return creat(path, mode); }
int __open_2(const char *path, int flags) { return open_any(AT_FDCWD, path, flags, 0); }
int __open64_2(const char *path, int flags) { return open_any(AT_FDCWD, path, flags, 0); }
int __openat_2(int folder, const char *path, int flags) { return open_any(folder, path, flags, 0); }
int __openat64_2(int folder, const char *path, int flags) { return open_any(folder, path, flags, 0); }

// MARK: Reading and writing

static ssize_t counted_read(int file, void *bytes, size_t count, off_t at) {
  COUNTED(READ, at < 0 ? syscall(SYS_read, file, bytes, count) : syscall(SYS_pread64, file, bytes, count, at), {});
}

ssize_t read(int file, void *bytes, size_t count) {
  prepare();
  if (!is_tracked(file)) return syscall(SYS_read, file, bytes, count);
  return counted_read(file, bytes, count, -1);
}

ssize_t pread(int file, void *bytes, size_t count, off_t at) {
  prepare();
  if (!is_tracked(file)) return syscall(SYS_pread64, file, bytes, count, at);
  return counted_read(file, bytes, count, at);
}
ssize_t pread64(int file, void *bytes, size_t count, off64_t at) { return pread(file, bytes, count, at); }

static ssize_t counted_write(int file, const void *bytes, size_t count, off_t at) {
  pthread_mutex_lock(&mutex);
  enum fault what = next(WRITE);
  long result = -1;
  size_t part = (what == SHORT || what == KILL_HALF) && count > 1 ? count / 2 : count;
  if (!fails(what)) {
    result = at < 0 ? syscall(SYS_write, file, bytes, part) : syscall(SYS_pwrite64, file, bytes, part, at);
  }
  if (result > 0) {
    // The place after the write is right for appending too.
    off_t from = at >= 0 ? at : lseek(file, 0, SEEK_CUR) - result;
    record('w', NULL, bytes, (size_t)result, inode_of(file), from);
  }
  finish(what);
  return result;
}

ssize_t write(int file, const void *bytes, size_t count) {
  prepare();
  if (is_tracked(file)) return counted_write(file, bytes, count, -1);
  if (file != 1) return syscall(SYS_write, file, bytes, count);
  pthread_mutex_lock(&mutex);
  // Recorded before it is said: whatever comes later was done with it known.
  if (below != NULL) record('o', NULL, bytes, count, file, 0);
  long result = syscall(SYS_write, file, bytes, count);
  pthread_mutex_unlock(&mutex);
  return result;
}

ssize_t pwrite(int file, const void *bytes, size_t count, off_t at) {
  prepare();
  if (!is_tracked(file)) return syscall(SYS_pwrite64, file, bytes, count, at);
  return counted_write(file, bytes, count, at);
}
ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t at) { return pwrite(file, bytes, count, at); }

// A short result is within their promise, so the first piece will do.
ssize_t writev(int file, const struct iovec *pieces, int count) {
  prepare();
  if (!is_tracked(file) || count < 1) return syscall(SYS_writev, file, pieces, count);
  return counted_write(file, pieces[0].iov_base, pieces[0].iov_len, -1);
}

// Their callers fall back to reading and writing.
ssize_t copy_file_range(int from, off64_t *at, int to, off64_t *where, size_t count, unsigned flags) {
  prepare();
  if (!is_tracked(to)) return syscall(SYS_copy_file_range, from, at, to, where, count, flags);
  errno = ENOSYS;
  return -1;
}
ssize_t sendfile(int to, int from, off_t *at, size_t count) {
  prepare();
  if (!is_tracked(to)) return syscall(SYS_sendfile, to, from, at, count);
  errno = EINVAL;
  return -1;
}
ssize_t sendfile64(int to, int from, off64_t *at, size_t count) { return sendfile(to, from, at, count); }

// MARK: Lengths

int ftruncate(int file, off_t length) {
  prepare();
  if (!is_tracked(file)) return (int)syscall(SYS_ftruncate, file, length);
  COUNTED(LENGTH, syscall(SYS_ftruncate, file, length), {
    record('t', NULL, NULL, 0, inode_of(file), length);
  });
}
int ftruncate64(int file, off64_t length) { return ftruncate(file, length); }

int truncate(const char *name, off_t length) {
  int file = open(name, O_WRONLY | O_CLOEXEC);
  if (file < 0) return -1;
  int result = ftruncate(file, length);
  close(file);
  return result;
}
int truncate64(const char *name, off64_t length) { return truncate(name, length); }

int fallocate(int file, int mode, off_t from, off_t length) {
  prepare();
  if (!is_tracked(file)) return (int)syscall(SYS_fallocate, file, mode, from, length);
  errno = EOPNOTSUPP;
  return -1;
}
int fallocate64(int file, int mode, off64_t from, off64_t length) { return fallocate(file, mode, from, length); }
int posix_fallocate(int file, off_t from, off_t length) {
  prepare();
  if (is_tracked(file)) return EOPNOTSUPP;
  return syscall(SYS_fallocate, file, 0, from, length) == 0 ? 0 : errno;
}
int posix_fallocate64(int file, off64_t from, off64_t length) { return posix_fallocate(file, from, length); }

// MARK: Syncing

static int sync_any(int file, long number) {
  char path[PATH_MAX];
  prepare();
  int error = errno;
  bool tracked = path_of(file, path);
  errno = error;
  if (!tracked) return (int)syscall(number, file);
  struct stat status;
  bool is_folder = fstat(file, &status) == 0 && S_ISDIR(status.st_mode);
  COUNTED(SYNC, syscall(number, file), {
    if (is_folder) record('S', path, NULL, 0, 0, 0);
    else record('s', NULL, NULL, 0, (int64_t)status.st_ino, 0);
  });
}

int fsync(int file) { return sync_any(file, SYS_fsync); }
int fdatasync(int file) { return sync_any(file, SYS_fdatasync); }

// MARK: Names

int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags) {
  char old[PATH_MAX], new[PATH_MAX];
  bool from_below = resolve(from_folder, from, old), to_below = resolve(to_folder, to, new);
  if (!from_below && !to_below) {
    return (int)syscall(SYS_renameat2, from_folder, from, to_folder, to, flags);
  }
  COUNTED(RENAME, syscall(SYS_renameat2, from_folder, from, to_folder, to, flags), {
    record('r', old, new, strlen(new), 0, 0);
  });
}
int renameat(int from_folder, const char *from, int to_folder, const char *to) {
  return renameat2(from_folder, from, to_folder, to, 0);
}
int rename(const char *from, const char *to) { return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0); }

int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags) {
  char old[PATH_MAX], new[PATH_MAX];
  bool from_below = resolve(from_folder, from, old), to_below = resolve(to_folder, to, new);
  if (!from_below && !to_below) {
    return (int)syscall(SYS_linkat, from_folder, from, to_folder, to, flags);
  }
  COUNTED(RENAME, syscall(SYS_linkat, from_folder, from, to_folder, to, flags), {
    record('l', old, new, strlen(new), 0, 0);
  });
}
int link(const char *from, const char *to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }

int unlinkat(int folder, const char *name, int flags) {
  char path[PATH_MAX];
  if (!resolve(folder, name, path)) return (int)syscall(SYS_unlinkat, folder, name, flags);
  COUNTED(REMOVE, syscall(SYS_unlinkat, folder, name, flags), {
    record((flags & AT_REMOVEDIR) != 0 ? 'd' : 'u', path, NULL, 0, 0, 0);
  });
}
int unlink(const char *name) { return unlinkat(AT_FDCWD, name, 0); }
int rmdir(const char *name) { return unlinkat(AT_FDCWD, name, AT_REMOVEDIR); }
int remove(const char *name) {
  int result = unlink(name);
  return result != 0 && (errno == EISDIR || errno == EPERM) ? rmdir(name) : result;
}

int mkdirat(int folder, const char *name, mode_t mode) {
  char path[PATH_MAX];
  if (!resolve(folder, name, path)) return (int)syscall(SYS_mkdirat, folder, name, mode);
  COUNTED(MAKE, syscall(SYS_mkdirat, folder, name, mode), { record('m', path, NULL, 0, 0, 0); });
}
int mkdir(const char *name, mode_t mode) { return mkdirat(AT_FDCWD, name, mode); }
