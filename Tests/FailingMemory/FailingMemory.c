#include "CFailingMemory.h"

#include <sqlite3.h>
#include <stdatomic.h>

static sqlite3_mem_methods real;
static atomic_long requests;
static atomic_long failing_from;
static atomic_bool keeps_failing;

static bool is_granted(void) {
  long number = atomic_fetch_add(&requests, 1) + 1;
  long first = atomic_load(&failing_from);
  if (first == 0 || number < first) return true;
  return number > first && !atomic_load(&keeps_failing);
}

static void *allocate(int count) { return is_granted() ? real.xMalloc(count) : NULL; }

static void *reallocate(void *memory, int count) {
  return is_granted() ? real.xRealloc(memory, count) : NULL;
}

int cairn_failing_memory_install(void) {
  int rc = sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real);
  if (rc != SQLITE_OK) return rc;
  if (real.xMalloc == NULL) return SQLITE_ERROR;
  static sqlite3_mem_methods failing;
  failing = real;
  failing.xMalloc = allocate;
  failing.xRealloc = reallocate;
  return sqlite3_config(SQLITE_CONFIG_MALLOC, &failing);
}

void cairn_failing_memory_set(long first, bool stays) {
  atomic_store(&failing_from, first);
  atomic_store(&keeps_failing, stays);
  atomic_store(&requests, 0);
}

long cairn_failing_memory_count(void) { return atomic_load(&requests); }
