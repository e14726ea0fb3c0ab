// Many threads and connections over a few sealed databases, with keys that come and go, and then with
// faults of the file system and of memory. Built under the sanitizers, which watch while it runs:
//
//   stress FOLDER SECONDS [SEED [VFS]]
//
// Over another VFS than "cairn-sealed", such as "unix-excl", it shows what is SQLite's own doing.
// It ends with 0 if at the end of each part every database is whole, money neither came nor went, and
// every commit that SQLite acknowledged is there.

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "CSealedVFS.h"
#include "Faults.h"

enum { DATABASES = 3, WORKERS = 6, ACCOUNTS = 20, MONEY = 100 };

static const char *folder, *vfs = "cairn-sealed";
static atomic_bool is_over;
static atomic_long statements, errors, wrong;
/// What was acknowledged, for each worker and database; its worker writes, the end of a part reads.
static int acknowledged[WORKERS][DATABASES];

struct worker {
  pthread_t thread;
  int number;
  unsigned long long random;
};

static unsigned draw(struct worker *worker, unsigned below) {
  worker->random += 0x9E3779B97F4A7C15ull;
  unsigned long long mixed = worker->random;
  mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9ull;
  mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBull;
  return (unsigned)((mixed ^ (mixed >> 31)) % below);
}

static void path_of(char path[512], int database) {
  snprintf(path, 512, "%s/stress-%d.db", folder, database);
}

static int provide(int database, int is_right) {
  char path[512];
  path_of(path, database);
  uint8_t key[32], vault_id[16];
  memset(key, is_right ? database + 1 : 99, sizeof key);
  memset(vault_id, database, sizeof vault_id);
  return cairn_sealed_provide_key(path, key, vault_id);
}

static void tell(const char *what, int database, const char *detail) {
  fprintf(stderr, "stress: database %d: %s: %s\n", database, what, detail);
  atomic_fetch_add(&wrong, 1);
}

// MARK: SQL

static int run(sqlite3 *db, const char *sql) {
  atomic_fetch_add(&statements, 1);
  int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
  if (rc != SQLITE_OK) atomic_fetch_add(&errors, 1);
  return rc;
}

/// The first column of the first row, as text of at most 99 bytes.
static int ask(sqlite3 *db, const char *sql, char answer[100]) {
  atomic_fetch_add(&statements, 1);
  answer[0] = 0;
  sqlite3_stmt *statement = NULL;
  int rc = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
  if (rc == SQLITE_OK && (rc = sqlite3_step(statement)) == SQLITE_ROW) {
    const unsigned char *text = sqlite3_column_text(statement, 0);
    if (text != NULL) snprintf(answer, 100, "%s", (const char *)text);
    rc = text != NULL ? SQLITE_OK : SQLITE_NOMEM;
  }
  sqlite3_finalize(statement);
  if (rc != SQLITE_OK) atomic_fetch_add(&errors, 1);
  return rc;
}

static sqlite3 *open_database(int database, int flags) {
  char path[512];
  path_of(path, database);
  sqlite3 *db = NULL;
  if (sqlite3_open_v2(path, &db, flags, vfs) != SQLITE_OK) {
    sqlite3_close(db);
    return NULL;
  }
  sqlite3_busy_timeout(db, 20);
  if (run(db, "PRAGMA synchronous = NORMAL; PRAGMA cache_size = 20; PRAGMA journal_mode = WAL") != SQLITE_OK) {
    sqlite3_close(db);
    return NULL;
  }
  return db;
}

static int make(int database) {
  if (provide(database, 1) != SQLITE_OK) return 1;
  sqlite3 *db = open_database(database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  if (db == NULL) return 1;
  char sql[1000];
  snprintf(sql, sizeof sql,
           "BEGIN; CREATE TABLE account(id INTEGER PRIMARY KEY, money INT);"
           "CREATE TABLE done(worker INT, number INT, words BLOB, PRIMARY KEY(worker, number));"
           "CREATE VIRTUAL TABLE search USING fts5(words);"
           "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
           "INSERT INTO account SELECT i, %d FROM n; COMMIT",
           ACCOUNTS, MONEY);
  int rc = run(db, sql);
  sqlite3_close(db);
  return rc;
}

// MARK: What a worker does

static void check_money(sqlite3 *db, int database) {
  char answer[100], right[100];
  snprintf(right, sizeof right, "%d", ACCOUNTS * MONEY);
  if (ask(db, "SELECT sum(money) FROM account", answer) != SQLITE_OK) return;
  if (strcmp(answer, right) != 0) tell("money came or went", database, answer);
}

static void transfer(struct worker *worker, sqlite3 *db, int database) {
  int *number = &acknowledged[worker->number][database];
  char sql[700];
  snprintf(sql, sizeof sql,
           "UPDATE account SET money = money - %u WHERE id = %u;"
           "UPDATE account SET money = money + %u WHERE id = %u;"
           "INSERT OR REPLACE INTO done VALUES(%d, %d, randomblob(%u));"
           "INSERT INTO search VALUES('word%u word%u')",
           7u, 1 + draw(worker, ACCOUNTS), 7u, 1 + draw(worker, ACCOUNTS), worker->number,
           *number + 1, draw(worker, 9000), draw(worker, 50), draw(worker, 50));
  if (run(db, "BEGIN IMMEDIATE") != SQLITE_OK) return;
  int rc = run(db, sql);
  // A transfer to an account twice is fine, half of one is not: only all of it is committed.
  if (rc == SQLITE_OK && draw(worker, 8) > 0) rc = run(db, "COMMIT");
  else rc = SQLITE_ABORT;
  if (rc == SQLITE_OK) (*number)++;
  if (!sqlite3_get_autocommit(db)) run(db, "ROLLBACK");
}

static void copy(sqlite3 *db, int database) {
  sqlite3 *other = NULL;
  if (sqlite3_open_v2(":memory:", &other, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK) {
    sqlite3_backup *backup = sqlite3_backup_init(other, "main", db, "main");
    if (backup != NULL && sqlite3_backup_step(backup, -1) == SQLITE_DONE) {
      sqlite3_backup_finish(backup);
      check_money(other, database);
    } else if (backup != NULL) {
      sqlite3_backup_finish(backup);
    }
  }
  sqlite3_close(other);
}

static void use(struct worker *worker, sqlite3 *db, int database, int may_write) {
  char answer[100];
  for (unsigned turns = 1 + draw(worker, 12); turns > 0; turns--) {
    unsigned what = draw(worker, 20);
    if (what < 9 && may_write) transfer(worker, db, database);
    else if (what < 13) check_money(db, database);
    else if (what == 13 && may_write) run(db, "PRAGMA wal_checkpoint(PASSIVE)");
    else if (what == 14 && may_write) run(db, "PRAGMA wal_checkpoint(TRUNCATE)");
    else if (what == 15) ask(db, "SELECT count(*) FROM search('word7')", answer);
    else if (what == 16) ask(db, "SELECT sum(length(words)) FROM done", answer);
    else if (what == 17 && may_write) run(db, "DELETE FROM search WHERE rowid % 3 = 0");
    else if (what == 18) copy(db, database);
    else if (may_write) run(db, "SAVEPOINT s; UPDATE account SET money = 0; ROLLBACK TO s; RELEASE s");
    if (!sqlite3_get_autocommit(db)) run(db, "ROLLBACK");
  }
}

static void *work(void *argument) {
  struct worker *worker = argument;
  while (!atomic_load(&is_over)) {
    int database = (int)draw(worker, DATABASES);
    int may_write = draw(worker, 5) > 0;
    provide(database, 1);
    sqlite3 *db =
        open_database(database, may_write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY);
    if (db == NULL) continue;
    use(worker, db, database, may_write);
    if (sqlite3_close(db) != SQLITE_OK) tell("did not close", database, sqlite3_errmsg(db));
  }
  return NULL;
}

/// Forgets keys, and provides wrong ones, while others open and read.
static void *change_keys(void *argument) {
  struct worker *worker = argument;
  while (!atomic_load(&is_over)) {
    int database = (int)draw(worker, DATABASES);
    char path[512];
    path_of(path, database);
    if (draw(worker, 2) == 0) {
      cairn_sealed_forget_key(path);
    } else if (provide(database, 0) == SQLITE_OK) {
      sqlite3 *db = open_database(database, SQLITE_OPEN_READWRITE);
      if (db != NULL) check_money(db, database);
      sqlite3_close(db);
      cairn_sealed_forget_key(path);
    }
    sqlite3_sleep(1 + (int)draw(worker, 3));
  }
  return NULL;
}

// MARK: Parts

static void expect_whole(int database, int had_faults) {
  char answer[100], sql[100];
  provide(database, 1);
  sqlite3 *db = open_database(database, SQLITE_OPEN_READWRITE);
  if (db == NULL) {
    tell("does not open", database, "at the end of a part");
    return;
  }
  check_money(db, database);
  if (ask(db, "PRAGMA integrity_check", answer) != SQLITE_OK || strcmp(answer, "ok") != 0) {
    tell("is not whole", database, answer);
  }
  // SQLite 3.40.1 can leave a full-text index that differs from its rows when a statement fails half
  // way, over its own VFS as well: after faults it is made anew from the rows.
  const char *rebuild = "INSERT INTO search(search) VALUES('rebuild')";
  if (had_faults && run(db, rebuild) != SQLITE_OK) tell("no index", database, sqlite3_errmsg(db));
  if (run(db, "INSERT INTO search(search) VALUES('integrity-check')") != SQLITE_OK) {
    tell("index is not whole", database, sqlite3_errmsg(db));
  }
  for (int worker = 0; worker < WORKERS; worker++) {
    int number = acknowledged[worker][database];
    snprintf(sql, sizeof sql, "SELECT count(*) FROM done WHERE worker = %d AND number <= %d",
             worker, number);
    if (ask(db, sql, answer) != SQLITE_OK || atoi(answer) != number) {
      tell("lost an acknowledged commit", database, answer);
    }
  }
  sqlite3_close(db);
}

static void part(const char *name, int seconds, unsigned long long seed) {
  struct worker workers[WORKERS + 1];
  long before[] = {atomic_load(&statements), atomic_load(&errors), faults_made()};
  atomic_store(&is_over, false);
  for (int i = 0; i <= WORKERS; i++) {
    workers[i] = (struct worker){.number = i, .random = seed * 1000 + (unsigned)i};
    if (pthread_create(&workers[i].thread, NULL, i < WORKERS ? work : change_keys, &workers[i])) {
      abort();
    }
  }
  sqlite3_sleep(seconds * 1000);
  atomic_store(&is_over, true);
  for (int i = 0; i <= WORKERS; i++) pthread_join(workers[i].thread, NULL);
  faults_of_files(0);
  faults_of_memory(0);
  int had_faults = faults_made() > before[2];
  for (int database = 0; database < DATABASES; database++) expect_whole(database, had_faults);
  printf("%-22s %8ld statements, %7ld of them errors, %6ld faults\n", name,
         atomic_load(&statements) - before[0], atomic_load(&errors) - before[1],
         faults_made() - before[2]);
  fflush(stdout);
}

int main(int count, char **arguments) {
  if (count < 3) {
    fprintf(stderr, "stress FOLDER SECONDS [SEED [VFS]]\n");
    return 2;
  }
  folder = arguments[1];
  int seconds = atoi(arguments[2]) / 3 + 1;
  unsigned long long seed = count > 3 ? strtoull(arguments[3], NULL, 10) : 1;
  if (count > 4) vfs = arguments[4];
  if (faults_install() != SQLITE_OK || cairn_sealed_register() != SQLITE_OK) return 2;
  for (int database = 0; database < DATABASES; database++) {
    if (make(database) != SQLITE_OK) return 2;
  }
  part("no faults", seconds, seed);
  faults_of_files(200);
  part("faults of files", seconds, seed + 1);
  faults_of_memory(2000);
  part("faults of memory", seconds, seed + 2);

  char path[512];
  for (int database = 0; database < DATABASES; database++) {
    path_of(path, database);
    cairn_sealed_forget_key(path);
  }
  if (sqlite3_shutdown() != SQLITE_OK) return 2;
  printf("%ld wrong\n", atomic_load(&wrong));
  return atomic_load(&wrong) == 0 ? 0 : 1;
}
