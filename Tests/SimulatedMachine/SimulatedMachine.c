#define _GNU_SOURCE
#include "CSimulatedMachine.h"

#include <dlfcn.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

// MARK: randomness

static pthread_mutex_t drawing = PTHREAD_MUTEX_INITIALIZER;
static unsigned char stream_key[crypto_stream_chacha20_KEYBYTES];
static uint64_t draws;

static const char *name(void) { return "simulated"; }

static void draw(void *const bytes, const size_t count) {
  unsigned char nonce[crypto_stream_chacha20_NONCEBYTES];
  pthread_mutex_lock(&drawing);
  memcpy(nonce, &draws, sizeof nonce);
  draws++;
  crypto_stream_chacha20(bytes, count, nonce, stream_key);
  pthread_mutex_unlock(&drawing);
}

static uint32_t draw_number(void) {
  uint32_t number;
  draw(&number, sizeof number);
  return number;
}

static struct randombytes_implementation simulated = {
    .implementation_name = name, .random = draw_number, .buf = draw};

void cairn_simulated_seed(uint64_t seed, uint64_t stream) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  void install(void);
  pthread_mutex_lock(&drawing);
  memset(stream_key, 0, sizeof stream_key);
  memcpy(stream_key, &seed, sizeof seed);
  memcpy(stream_key + sizeof seed, &stream, sizeof stream);
  draws = 0;
  pthread_mutex_unlock(&drawing);
  pthread_once(&once, install);
}

void install(void) { randombytes_set_implementation(&simulated); }

// MARK: passphrases

// In place of Argon2id, whose cost is its purpose: a simulation opens and compares words thousands of times.
int crypto_pwhash(unsigned char *const out, unsigned long long out_count, const char *const text,
                  unsigned long long text_count, const unsigned char *const salt,
                  unsigned long long passes, size_t memory, int algorithm) {
  (void)passes, (void)memory, (void)algorithm;
  return crypto_generichash(out, out_count, (const unsigned char *)text, text_count, salt,
                            crypto_pwhash_SALTBYTES);
}

// MARK: changes of files

static atomic_bool counts;
static atomic_long steps;
static long stop_before;
static void (*stopped)(void);

void cairn_simulated_stop_before(long step, void (*then)(void)) {
  stop_before = step;
  stopped = then;
  atomic_store(&steps, 0);
  atomic_store(&counts, true);
}

long cairn_simulated_steps(void) {
  atomic_store(&counts, false);
  return atomic_load(&steps);
}

static void step(void) {
  if (!atomic_load(&counts)) return;
  long number = atomic_fetch_add(&steps, 1) + 1;
  if (number != stop_before || stopped == NULL) return;
  // What it does to files itself is none of the steps.
  atomic_store(&counts, false);
  stopped();
  atomic_store(&counts, true);
}

#define REAL(function) \
  static __typeof__(function) *real; \
  if (real == NULL) real = (__typeof__(function) *)dlsym(RTLD_NEXT, #function)

int fsync(int file) {
  REAL(fsync);
  step();
  return real(file);
}

int fdatasync(int file) {
  REAL(fdatasync);
  step();
  return real(file);
}

ssize_t pwrite(int file, const void *bytes, size_t count, off_t offset) {
  REAL(pwrite);
  step();
  return real(file, bytes, count, offset);
}

ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t offset);
ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t offset) {
  REAL(pwrite64);
  step();
  return real(file, bytes, count, offset);
}

ssize_t write(int file, const void *bytes, size_t count);
ssize_t write(int file, const void *bytes, size_t count) {
  REAL(write);
  step();
  return real(file, bytes, count);
}

int ftruncate64(int file, off64_t count);
int ftruncate64(int file, off64_t count) {
  REAL(ftruncate64);
  step();
  return real(file, count);
}

int rename(const char *old, const char *new) {
  REAL(rename);
  step();
  return real(old, new);
}

int renameat(int old_folder, const char *old, int new_folder, const char *new) {
  REAL(renameat);
  step();
  return real(old_folder, old, new_folder, new);
}

int unlink(const char *path);
int unlink(const char *path) {
  REAL(unlink);
  step();
  return real(path);
}

int unlinkat(int folder, const char *name, int flags);
int unlinkat(int folder, const char *name, int flags) {
  REAL(unlinkat);
  step();
  return real(folder, name, flags);
}
