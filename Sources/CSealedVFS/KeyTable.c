#include "KeyTable.h"

#include <sodium.h>
#include <sqlite3.h>
#include <string.h>

// At most one entry a path, so that a database and its WAL can never be given different keys.
static struct cairn_key *first;

static sqlite3_mutex *lock_table(void) {
  // A static mutex needs no set-up, and is NULL (a no-op) in a single-threaded SQLite.
  sqlite3_mutex *mutex = sqlite3_mutex_alloc(SQLITE_MUTEX_STATIC_APP1);
  sqlite3_mutex_enter(mutex);
  return mutex;
}

static struct cairn_key *find(const char *path, size_t length) {
  for (struct cairn_key *key = first; key != NULL; key = key->next) {
    if (strlen(key->path) == length && memcmp(key->path, path, length) == 0) return key;
  }
  return NULL;
}

static void discard_if_unused(struct cairn_key *key) {
  if (!key->forgotten || key->open_files > 0) return;
  struct cairn_key **link = &first;
  while (*link != key) link = &(*link)->next;
  *link = key->next;
  sodium_free(key->cipher);  // zeroes it
  sqlite3_free(key->path);
  sqlite3_free(key);
}

static int add(const char *path, const struct cairn_cipher *cipher) {
  struct cairn_key *key = sqlite3_malloc(sizeof *key);
  if (key == NULL) return SQLITE_NOMEM;
  *key = (struct cairn_key){
    .cipher = sodium_malloc(sizeof *cipher),
    .path = sqlite3_mprintf("%s", path),
    .next = first,
  };
  if (key->cipher == NULL || key->path == NULL) {
    sodium_free(key->cipher);
    sqlite3_free(key->path);
    sqlite3_free(key);
    return SQLITE_NOMEM;
  }
  memcpy(key->cipher, cipher, sizeof *cipher);
  sodium_mprotect_readonly(key->cipher);
  first = key;
  return SQLITE_OK;
}

int cairn_keys_provide(const char *path, const uint8_t key[CAIRN_KEY_BYTES],
                       const uint8_t vault_id[CAIRN_VAULT_ID_BYTES]) {
  struct cairn_cipher cipher;
  memcpy(cipher.key, key, sizeof cipher.key);
  memcpy(cipher.vault_id, vault_id, sizeof cipher.vault_id);

  int rc = SQLITE_OK;
  sqlite3_mutex *mutex = lock_table();
  struct cairn_key *known = find(path, strlen(path));
  if (known != NULL && sodium_memcmp(known->cipher, &cipher, sizeof cipher) == 0) {
    known->forgotten = false;
  } else if (known != NULL && known->open_files > 0) {
    rc = SQLITE_BUSY;
  } else {
    if (known != NULL) {
      known->forgotten = true;
      discard_if_unused(known);
    }
    rc = add(path, &cipher);
  }
  sqlite3_mutex_leave(mutex);
  sodium_memzero(&cipher, sizeof cipher);
  return rc;
}

void cairn_keys_forget(const char *path) {
  sqlite3_mutex *mutex = lock_table();
  struct cairn_key *key = find(path, strlen(path));
  if (key != NULL) {
    key->forgotten = true;
    discard_if_unused(key);
  }
  sqlite3_mutex_leave(mutex);
}

struct cairn_key *cairn_keys_acquire(const char *path, size_t length, bool also_forgotten) {
  sqlite3_mutex *mutex = lock_table();
  struct cairn_key *key = find(path, length);
  if (key != NULL && key->forgotten && !also_forgotten) key = NULL;
  if (key != NULL) key->open_files++;
  sqlite3_mutex_leave(mutex);
  return key;
}

void cairn_key_note_pages(struct cairn_key *key, uint32_t count) {
  unsigned known = atomic_load(&key->pages);
  while (count > known && !atomic_compare_exchange_weak(&key->pages, &known, count)) continue;
}

void cairn_keys_release(struct cairn_key *key) {
  sqlite3_mutex *mutex = lock_table();
  key->open_files--;
  // Whoever opens it next may find another database there.
  if (key->open_files == 0) atomic_store(&key->pages, 0);
  discard_if_unused(key);
  sqlite3_mutex_leave(mutex);
}
