#include "PageCipher.h"

#include <sodium.h>
#include <string.h>

_Static_assert(CAIRN_KEY_BYTES == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "key size");
_Static_assert(CAIRN_NONCE_BYTES == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, "nonce size");
_Static_assert(CAIRN_TAG_BYTES == crypto_aead_xchacha20poly1305_ietf_ABYTES, "tag size");

enum { ASSOCIATED_BYTES = CAIRN_VAULT_ID_BYTES + 1 + 4 };

// vault id (16) || kind (1) || number (4, big endian)
static void associate(uint8_t out[ASSOCIATED_BYTES], const struct cairn_cipher *cipher,
                      enum cairn_unit kind, uint32_t number) {
  memcpy(out, cipher->vault_id, CAIRN_VAULT_ID_BYTES);
  uint8_t *rest = out + CAIRN_VAULT_ID_BYTES;
  rest[0] = (uint8_t)kind;
  rest[1] = (uint8_t)(number >> 24);
  rest[2] = (uint8_t)(number >> 16);
  rest[3] = (uint8_t)(number >> 8);
  rest[4] = (uint8_t)number;
}

static void take_nonce(struct cairn_nonces *nonces, uint8_t nonce[CAIRN_NONCE_BYTES]) {
  if (nonces->left == 0) {
    randombytes_buf(nonces->bytes, sizeof nonces->bytes);
    nonces->left = sizeof nonces->bytes / CAIRN_NONCE_BYTES;
  }
  nonces->left--;
  memcpy(nonce, nonces->bytes + nonces->left * CAIRN_NONCE_BYTES, CAIRN_NONCE_BYTES);
}

void cairn_cipher_seal(const struct cairn_cipher *cipher, struct cairn_nonces *nonces,
                       enum cairn_unit kind, uint32_t number, const uint8_t *plain, size_t length,
                       uint8_t *sealed) {
  uint8_t associated[ASSOCIATED_BYTES];
  associate(associated, cipher, kind, number);
  uint8_t *nonce = sealed + length;
  take_nonce(nonces, nonce);
  crypto_aead_xchacha20poly1305_ietf_encrypt_detached(
      sealed, nonce + CAIRN_NONCE_BYTES, NULL, plain, length, associated, sizeof associated, NULL,
      nonce, cipher->key);
}

int cairn_cipher_open(const struct cairn_cipher *cipher, enum cairn_unit kind, uint32_t number,
                      const uint8_t *sealed, size_t length, uint8_t *plain) {
  uint8_t associated[ASSOCIATED_BYTES];
  associate(associated, cipher, kind, number);
  const uint8_t *nonce = sealed + length;
  if (crypto_aead_xchacha20poly1305_ietf_decrypt_detached(
          plain, NULL, sealed, length, nonce + CAIRN_NONCE_BYTES, associated, sizeof associated,
          nonce, cipher->key) == 0) {
    return 0;
  }
  // libsodium checks the tag first and then leaves zeros; promised here whatever its version does.
  memset(plain, 0, length);
  return -1;
}
