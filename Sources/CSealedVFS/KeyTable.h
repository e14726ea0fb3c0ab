// The keys of the databases that may be opened, by path. All functions are thread-safe.

#ifndef CAIRN_KEY_TABLE_H
#define CAIRN_KEY_TABLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "PageCipher.h"

/// One database's key, shared by all its open files.
struct cairn_key {
  /// In sodium_malloc memory, read-only.
  struct cairn_cipher *cipher;
  /// Set once a stored unit has opened under this key, or the first page was written to an empty
  /// file. Until then nothing that exists may be overwritten, cut or deleted: to a wrong key a WAL
  /// full of commits looks like a torn one, and SQLite deletes those when it closes.
  atomic_bool proven;
  /// The most pages that the database is known to have had since it was last cut: what page 1 said
  /// wherever it was met. 0 if none was.
  atomic_uint pages;

  // The table's own, under its mutex.
  struct cairn_key *next;
  char *path;
  int open_files;
  bool forgotten;
};

/// Both take the full path of the main database. See CSealedVFS.h for what they promise.
int cairn_keys_provide(const char *path, const uint8_t key[CAIRN_KEY_BYTES],
                       const uint8_t vault_id[CAIRN_VAULT_ID_BYTES]);
void cairn_keys_forget(const char *path);

/// The key for the main database whose full path is the first `length` bytes of `path`, counted as
/// one more open file; NULL if there is none. A forgotten key is given only when `also_forgotten`:
/// a WAL may be opened long after its database.
struct cairn_key *cairn_keys_acquire(const char *path, size_t length, bool also_forgotten);

/// See `proven`.
static inline void cairn_key_prove(struct cairn_key *key) {
  atomic_store_explicit(&key->proven, true, memory_order_relaxed);
}

static inline bool cairn_key_is_proven(struct cairn_key *key) {
  return atomic_load_explicit(&key->proven, memory_order_relaxed);
}

/// See `pages`.
void cairn_key_note_pages(struct cairn_key *key, uint32_t count);

/// Gives back what `cairn_keys_acquire` gave.
void cairn_keys_release(struct cairn_key *key);

#endif
