// A SQLite VFS, "cairn-sealed".
#ifndef CAIRN_SEALED_VFS_H
#define CAIRN_SEALED_VFS_H

#include <stdint.h>

int cairn_sealed_register(void);
int cairn_sealed_provide_key(const char *path, const uint8_t key[32], const uint8_t vault_id[16]);
void cairn_sealed_forget_key(const char *path);

#endif
