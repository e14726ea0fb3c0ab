#define _GNU_SOURCE

#include "CSealedVFS.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#ifdef __linux__
#include <sys/vfs.h>

// <linux/magic.h>: MSDOS_SUPER_MAGIC, EXFAT_SUPER_MAGIC.
enum { FAT = 0x4d44, EXFAT = 0x2011bab0 };

int cairn_file_identity(const char *path, uint64_t *identity) {
  struct statfs system;
  struct statx file;
  if (statfs(path, &system) != 0) return errno;
  if (statx(AT_FDCWD, path, 0, STATX_INO | STATX_BTIME, &file) != 0) return errno;
  int is_fat = system.f_type == FAT || system.f_type == EXFAT;
  if (is_fat && (file.stx_mask & STATX_BTIME) != 0) {
    *identity = (uint64_t)file.stx_btime.tv_sec * 1000000000u + file.stx_btime.tv_nsec;
  } else {
    *identity = file.stx_ino;
  }
  return 0;
}

#else

int cairn_file_identity(const char *path, uint64_t *identity) {
  struct stat file;
  if (stat(path, &file) != 0) return errno;
  *identity = file.st_ino;
  return 0;
}

#endif
