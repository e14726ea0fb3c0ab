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

// MARK: signatures

// A copy verifies the same signatures thousands of times. Whether one is valid follows from its bytes alone, so
// that it is worked out once; half of the time goes into this otherwise.
enum { REMEMBERED = 1 << 16 };
static struct {
  unsigned char of[crypto_shorthash_siphashx24_BYTES];
  int result;
  bool is_known;
} verdicts[REMEMBERED];
static pthread_mutex_t remembering = PTHREAD_MUTEX_INITIALIZER;

#define REAL(function) \
  static __typeof__(function) *real; \
  if (real == NULL) real = (__typeof__(function) *)dlsym(RTLD_NEXT, #function)

static bool recall(const unsigned char of[crypto_shorthash_siphashx24_BYTES], int *result) {
  size_t place = (size_t)of[0] | (size_t)of[1] << 8;
  pthread_mutex_lock(&remembering);
  bool is_known = verdicts[place].is_known && memcmp(verdicts[place].of, of, sizeof verdicts[place].of) == 0;
  *result = verdicts[place].result;
  pthread_mutex_unlock(&remembering);
  return is_known;
}

static int remember(const unsigned char of[crypto_shorthash_siphashx24_BYTES], int result) {
  size_t place = (size_t)of[0] | (size_t)of[1] << 8;
  pthread_mutex_lock(&remembering);
  memcpy(verdicts[place].of, of, sizeof verdicts[place].of);
  verdicts[place].result = result;
  verdicts[place].is_known = true;
  pthread_mutex_unlock(&remembering);
  return result;
}

static void digest(unsigned char of[crypto_shorthash_siphashx24_BYTES], unsigned char what,
                   const unsigned char *signature, const unsigned char *message,
                   unsigned long long count, const unsigned char *key) {
  unsigned char head[1 + 64 + 32 + crypto_shorthash_siphashx24_BYTES] = {what};
  static const unsigned char none[crypto_shorthash_siphashx24_KEYBYTES];
  if (signature != NULL) memcpy(head + 1, signature, 64);
  memcpy(head + 65, key, 32);
  if (message != NULL) crypto_shorthash_siphashx24(head + 97, message, count, none);
  crypto_shorthash_siphashx24(of, head, sizeof head, none);
}

int crypto_sign_verify_detached(const unsigned char *signature, const unsigned char *message,
                                unsigned long long count, const unsigned char *key) {
  REAL(crypto_sign_verify_detached);
  unsigned char of[crypto_shorthash_siphashx24_BYTES];
  digest(of, 1, signature, message, count, key);
  int result;
  if (recall(of, &result)) return result;
  return remember(of, real(signature, message, count, key));
}

int crypto_core_ed25519_is_valid_point(const unsigned char *point) {
  REAL(crypto_core_ed25519_is_valid_point);
  unsigned char of[crypto_shorthash_siphashx24_BYTES];
  digest(of, 2, NULL, NULL, 0, point);
  int result;
  if (recall(of, &result)) return result;
  return remember(of, real(point));
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
