// One AEAD over every unit that reaches the disk. Knows nothing of SQLite.

#ifndef CAIRN_PAGE_CIPHER_H
#define CAIRN_PAGE_CIPHER_H

#include <stddef.h>
#include <stdint.h>

enum {
  CAIRN_KEY_BYTES = 32,
  CAIRN_VAULT_ID_BYTES = 16,
  CAIRN_NONCE_BYTES = 24,
  CAIRN_TAG_BYTES = 16,
  /// What sealing adds to a unit; in a page these are SQLite's reserved bytes.
  CAIRN_SEAL_BYTES = CAIRN_NONCE_BYTES + CAIRN_TAG_BYTES,
};

/// What a unit is. Part of the associated data, so that one kind is never taken for another.
enum cairn_unit {
  CAIRN_UNIT_PAGE = 1,              ///< a page of the database; number = page number, from 1
  CAIRN_UNIT_WAL_HEADER = 2,        ///< the WAL header; number = 0
  CAIRN_UNIT_WAL_FRAME_HEADER = 3,  ///< a WAL frame header; number = frame number, from 1
  CAIRN_UNIT_WAL_PAGE = 4,          ///< a page in a WAL frame; number = frame number, from 1
};

struct cairn_cipher {
  uint8_t key[CAIRN_KEY_BYTES];
  uint8_t vault_id[CAIRN_VAULT_ID_BYTES];
};

/// Random nonces drawn ahead, since a call to the kernel for each would cost a tenth of sealing a
/// page. Each open file has its own: SQLite lets one thread at a time use a file and forbids using
/// one across fork(), so no nonce is handed out twice.
struct cairn_nonces {
  unsigned left;
  uint8_t bytes[32 * CAIRN_NONCE_BYTES];
};

/// Seals `length` bytes of `plain` into `length + CAIRN_SEAL_BYTES` bytes of `sealed`, under a
/// fresh random nonce: ciphertext, nonce, tag. The two must not overlap.
void cairn_cipher_seal(const struct cairn_cipher *cipher, struct cairn_nonces *nonces,
                       enum cairn_unit kind, uint32_t number, const uint8_t *plain, size_t length,
                       uint8_t *sealed);

/// Opens `length + CAIRN_SEAL_BYTES` bytes of `sealed` into `length` bytes of `plain`, which may be
/// the same memory. Returns 0, or -1 if the unit is not authentic; `plain` is then all zeros.
int cairn_cipher_open(const struct cairn_cipher *cipher, enum cairn_unit kind, uint32_t number,
                      const uint8_t *sealed, size_t length, uint8_t *plain);

#endif
