#ifndef CAIRN_TWIN_H
#define CAIRN_TWIN_H

/// What the sealed VFS asks of a database or refuses, each by itself over SQLite's own VFS.
enum twin_rule {
  TWIN_EXCLUSIVE = 1 << 0,    ///< "unix-excl": one process at a time
  TWIN_WAL = 1 << 1,          ///< WAL mode from the first page on, written when a file is opened
  TWIN_PAGE_SIZE = 1 << 2,    ///< pages of 4096 bytes
  TWIN_RESERVE = 1 << 3,      ///< 40 bytes of each page reserved, and zero
  TWIN_NO_JOURNAL = 1 << 4,   ///< no journals, no temporary files
  TWIN_NO_ATTACH = 1 << 5,    ///< no database but the main one has a file
  TWIN_NO_MAPPING = 1 << 6,   ///< no memory mapping, no size hints, no promises of the device
};

/// Registers the twin as the default VFS, under these rules.
int twin_register(int rules);

/// Whether a pragma that the sealed VFS refuses goes without effect in the suite, here and over the
/// sealed VFS: many files of tests begin with one, and end where it fails. `pragma` is SQLite's.
int twin_ignores(int rules, char *const *pragma);

#endif
