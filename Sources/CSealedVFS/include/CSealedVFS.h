// "cairn-sealed": a SQLite VFS that lets nothing but ciphertext reach the disk.
//
// A database opened through it works as any other in WAL mode, with full-text search, indexes and
// the backup API. Every page of the main file and every page and header of the WAL is sealed with
// XChaCha20-Poly1305. What a reader without the key learns is the sizes of the two files and which
// parts of them change. What sealing cannot tell is an old state put back: a page, a cut WAL or
// both files whole. Whoever needs to know compares the contents with something kept elsewhere.
//
//   cairn_sealed_register();
//   cairn_sealed_provide_key("/vault/vault.db", key, vault_id);
//   sqlite3_open_v2("file:/vault/vault.db?vfs=cairn-sealed", &db,
//                   SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI, NULL);
//   sqlite3_exec(db, "PRAGMA synchronous = FULL", NULL, NULL, NULL);
//   ...
//   sqlite3_close(db);
//   cairn_sealed_forget_key("/vault/vault.db");
//
// # Rules of use
//
// - A database is in WAL mode from its first page, which opening an empty file writes. That page
//   alone goes without a log: make a database under a temporary name, close it, and rename it.
// - One process at a time has a database, from its first read or write until its last connection
//   closes; another gets SQLITE_BUSY. Within the process there may be many connections.
// - While a database is open, do not open its file by other means in the same process: POSIX drops
//   the process's locks when any descriptor of the file is closed.
// - Not across fork(), as ever with SQLite.
//
// # What is refused
//
// - Rollback journals, statement journals and temporary files: SQLITE_CANTOPEN. None is needed:
//   connections are given temp_store = MEMORY. A journal that lies beside a database is ignored.
// - Files that this process may not write (SQLITE_CANTOPEN), also for SQLITE_OPEN_READONLY: a WAL
//   index in the heap needs the exclusive lock. A read-only connection changes nothing.
// - ATTACH: connections start with SQLITE_LIMIT_ATTACHED 0, and a database that is attached all the
//   same (here, or to a connection of another VFS) reads and writes as SQLITE_CANTOPEN.
// - VACUUM, which needs ATTACH. A caller who wants it raises the limit to 1 for the time being;
//   it then runs in memory (and is how PRAGMA auto_vacuum is set, the first page being there).
//   VACUUM INTO stays refused: copy with the backup API.
// - PRAGMA page_size other than 4096, and temp_store other than memory: SQLITE_ERROR. PRAGMA
//   journal_mode answers "wal" whatever is asked. Memory mapping, chunk sizes and size hints have
//   no effect.
//
// # Errors
//
//   SQLITE_CANTOPEN     no key for this path, or a file that is refused
//   SQLITE_NOTADB       nothing tried opens under this key: a wrong key or vault id
//   SQLITE_IOERR_DATA   a page is damaged, missing or not this database's, the key being right
//   SQLITE_IOERR_WRITE  a page that uses the reserved bytes, a database out of WAL mode, or a write
//                       under a key that has opened nothing (SQLITE_IOERR_TRUNCATE and
//                       SQLITE_IOERR_DELETE likewise)
//
// Damage within the WAL looks like a commit that a crash cut short, as in any SQLite: recovery
// drops that commit and those after it.
//
// # Format
//
// Integers are big endian. A *unit* is `length` bytes of plaintext sealed as
//
//   ciphertext (length) || nonce (24) || tag (16)
//
// with crypto_aead_xchacha20poly1305_ietf, the key as provided, a random nonce for each write, and
// 21 bytes of associated data:
//
//   vault id (16) || kind (1) || number (4)
//
//   kind                  number                 length
//   1  database page      page number, from 1      4056
//   2  WAL header         0                          32
//   3  WAL frame header   frame number, from 1       24
//   4  WAL page           frame number, from 1     4056
//
// The main file: the page with number n is at (n - 1) * 4096, 4096 bytes. SQLite's page has 4056
// usable and 40 reserved bytes (byte 20 of its header is 40); the reserved bytes are zero in memory
// and in SQLite's checksums, and on disk hold nonce and tag. The page that holds the byte at
// 0x40000000 is never written and may be a hole; no other page may be. Past the end of the file only
// what a transaction adds reads as zeros, as SQLite expects; a page that was cut off is damage.
//
// The WAL: the sealed header is at 0, 72 bytes. Frame n is at 72 + (n - 1) * 4160: its sealed
// header, 64 bytes, and its sealed page, 4096. Their plaintext is SQLite's WAL format with a page
// of 4096 bytes (offsets 32 + (n - 1) * 4120); bytes after the last whole frame are ignored. Frames
// are rewritten in place, and the WAL starts over at its beginning: the nonce is new each time.

#ifndef CAIRN_SEALED_VFS_H
#define CAIRN_SEALED_VFS_H

#include <stdint.h>

/// Registers the VFS "cairn-sealed", not as the default, and the automatic extension that sets up
/// each connection opened through it before sqlite3_open returns. Call it before the functions
/// below and again after sqlite3_reset_auto_extension; otherwise once is enough, more does no harm.
///
/// Returns SQLITE_OK; SQLITE_NOTFOUND if this SQLite has no VFS "unix-excl"; SQLITE_ERROR if
/// libsodium cannot be initialized; or what SQLite answers.
int cairn_sealed_register(void);

/// Lets the database at `path` be opened, or made, under `key`. It must be a key for this purpose
/// and this vault only. The path may be relative or lead through symbolic links. The key is copied
/// to memory that is locked where the system allows it, and nothing is written or checked: a wrong
/// key shows when the database is first read.
///
/// Returns SQLITE_OK, also if this path already has this very key; SQLITE_BUSY if it has another
/// and files are open under that; SQLITE_NOMEM if there is no memory for it; SQLITE_MISUSE
/// before `cairn_sealed_register`; or why the path cannot be resolved.
int cairn_sealed_provide_key(const char *path, const uint8_t key[32], const uint8_t vault_id[16]);

/// Forgets the key of `path`: no further connection opens, and the key is zeroed once no file that
/// uses it is open. Does nothing if there is none.
void cairn_sealed_forget_key(const char *path);

/// What stays with a file for as long as it lies where it is, and a copy of it does not have: its
/// inode number; on FAT and exFAT, where inodes get new numbers each time that the disk is mounted,
/// the nanosecond in which the file was made. The file is not opened.
///
/// Returns 0, or errno.
int cairn_file_identity(const char *path, uint64_t *identity);

#endif
