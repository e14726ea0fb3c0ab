// The write-ahead log. SQLite's layout: a header of 32 bytes, then frames of a header of 24 bytes
// and a page. Headers hold page numbers, sizes and checksums of plaintext, so they are sealed as
// well, each as a unit of its own because SQLite rewrites headers alone and pages in place; this
// file maps SQLite's offsets to those of the sealed units.

#include <sodium.h>
#include <string.h>

#include "SealedFile.h"

/// Where a byte of SQLite's WAL lies.
struct place {
  uint32_t frame;          // from 1; 0 is the WAL header
  int within;              // offset in the unsealed frame or header
  sqlite3_int64 position;  // of the sealed frame or header on disk
};

static struct place place_of(sqlite3_int64 offset) {
  if (offset < CAIRN_WAL_HEADER_BYTES) return (struct place){.within = (int)offset};
  sqlite3_int64 past = offset - CAIRN_WAL_HEADER_BYTES;
  sqlite3_int64 index = past / CAIRN_FRAME_BYTES;
  return (struct place){
    .frame = (uint32_t)index + 1,
    .within = (int)(past % CAIRN_FRAME_BYTES),
    .position = CAIRN_SEALED_WAL_HEADER_BYTES + index * CAIRN_SEALED_FRAME_BYTES,
  };
}

/// Opens a header already read to the start of the scratch, into the same place.
static int open_header(struct cairn_file *file, uint32_t frame) {
  enum cairn_unit kind = frame == 0 ? CAIRN_UNIT_WAL_HEADER : CAIRN_UNIT_WAL_FRAME_HEADER;
  size_t length = frame == 0 ? CAIRN_WAL_HEADER_BYTES : CAIRN_FRAME_HEADER_BYTES;
  uint8_t *bytes = file->scratch;
  if (cairn_cipher_open(file->key->cipher, kind, frame, bytes, length, bytes) != 0) {
    return SQLITE_IOERR_DATA;
  }
  cairn_key_prove(file->key);
  return SQLITE_OK;
}

static int read_header(struct cairn_file *file, struct place place, int amount, uint8_t *out) {
  int sealed = place.frame == 0 ? CAIRN_SEALED_WAL_HEADER_BYTES : CAIRN_SEALED_FRAME_HEADER_BYTES;
  sqlite3_file *base = cairn_base(file);
  int rc = base->pMethods->xRead(base, file->scratch, sealed, place.position);
  if (rc == SQLITE_OK) rc = open_header(file, place.frame);
  if (rc == SQLITE_OK) memcpy(out, file->scratch + place.within, (size_t)amount);
  sodium_memzero(file->scratch, CAIRN_WAL_HEADER_BYTES);
  if (rc != SQLITE_OK) memset(out, 0, (size_t)amount);
  // Reading all of the WAL header is how recovery begins: a header torn by a crash reads as none.
  bool begins_recovery = amount == CAIRN_WAL_HEADER_BYTES;
  return rc == SQLITE_IOERR_DATA && begins_recovery ? SQLITE_OK : rc;
}

static int read_page_part(struct cairn_file *file, struct place place, int amount, uint8_t *out) {
  sqlite3_int64 position = place.position + CAIRN_SEALED_FRAME_HEADER_BYTES;
  if (amount == CAIRN_PAGE_BYTES) {
    int rc = cairn_read_page(file, CAIRN_UNIT_WAL_PAGE, place.frame, position, out);
    if (rc == SQLITE_OK) cairn_note_page(file, out);
    return rc;
  }
  int rc = cairn_read_page(file, CAIRN_UNIT_WAL_PAGE, place.frame, position, file->scratch);
  const uint8_t *from = file->scratch + (place.within - CAIRN_FRAME_HEADER_BYTES);
  if (rc == SQLITE_OK) memcpy(out, from, (size_t)amount);
  sodium_memzero(file->scratch, CAIRN_PAGE_BYTES);
  return rc;
}

/// A whole frame is read in recovery, where one that does not open is a torn one and must look so
/// (page number 0 ends recovery), and to rewrite the checksums of frames that this handle has just
/// written, where it is damage: zeros would be checksummed and committed.
static int read_frame(struct cairn_file *file, struct place place, uint8_t *out) {
  sqlite3_file *base = cairn_base(file);
  int rc = base->pMethods->xRead(base, file->scratch, CAIRN_SEALED_FRAME_BYTES, place.position);
  uint8_t *page = out + CAIRN_FRAME_HEADER_BYTES;
  if (rc == SQLITE_OK) rc = open_header(file, place.frame);
  if (rc == SQLITE_OK &&
      cairn_cipher_open(file->key->cipher, CAIRN_UNIT_WAL_PAGE, place.frame,
                        file->scratch + CAIRN_SEALED_FRAME_HEADER_BYTES, CAIRN_USABLE_BYTES,
                        page) != 0) {
    rc = SQLITE_IOERR_DATA;
  }
  if (rc == SQLITE_OK) {
    memcpy(out, file->scratch, CAIRN_FRAME_HEADER_BYTES);
    memset(page + CAIRN_USABLE_BYTES, 0, CAIRN_SEAL_BYTES);
  }
  sodium_memzero(file->scratch, CAIRN_FRAME_HEADER_BYTES);
  if (rc != SQLITE_OK) memset(out, 0, CAIRN_FRAME_BYTES);
  bool is_recovery = place.frame > file->written_frames;
  return rc == SQLITE_IOERR_DATA && is_recovery ? SQLITE_OK : rc;
}

int cairn_wal_read(sqlite3_file *sqlite, void *out, int amount, sqlite3_int64 offset) {
  struct cairn_file *file = (struct cairn_file *)sqlite;
  struct place place = place_of(offset);
  int header = place.frame == 0 ? CAIRN_WAL_HEADER_BYTES : CAIRN_FRAME_HEADER_BYTES;
  int end = place.within + amount;
  if (end <= header) return read_header(file, place, amount, out);
  if (place.frame == 0 || end > CAIRN_FRAME_BYTES) return SQLITE_IOERR_READ;
  if (place.within >= header) return read_page_part(file, place, amount, out);
  if (amount == CAIRN_FRAME_BYTES) return read_frame(file, place, out);
  return SQLITE_IOERR_READ;
}

static int write_header(struct cairn_file *file, struct place place, const uint8_t *header) {
  int rc = cairn_check_writable(file, SQLITE_IOERR_WRITE);
  if (rc != SQLITE_OK) return rc;
  enum cairn_unit kind = place.frame == 0 ? CAIRN_UNIT_WAL_HEADER : CAIRN_UNIT_WAL_FRAME_HEADER;
  int length = place.frame == 0 ? CAIRN_WAL_HEADER_BYTES : CAIRN_FRAME_HEADER_BYTES;
  cairn_cipher_seal(file->key->cipher, &file->nonces, kind, place.frame, header, (size_t)length,
                    file->scratch);
  if (place.frame == 0) file->written_frames = 0;
  sqlite3_file *base = cairn_base(file);
  return base->pMethods->xWrite(base, file->scratch, length + CAIRN_SEAL_BYTES, place.position);
}

int cairn_wal_write(sqlite3_file *sqlite, const void *data, int amount, sqlite3_int64 offset) {
  struct cairn_file *file = (struct cairn_file *)sqlite;
  struct place place = place_of(offset);
  int header = place.frame == 0 ? CAIRN_WAL_HEADER_BYTES : CAIRN_FRAME_HEADER_BYTES;
  if (place.within == 0 && amount == header) return write_header(file, place, data);
  // With POWERSAFE_OVERWRITE reported and a page size of 4096 SQLite writes nothing but units.
  // A VFS on top of this one that hides the former makes it write pages in pieces.
  if (place.within != CAIRN_FRAME_HEADER_BYTES || amount != CAIRN_PAGE_BYTES) {
    sqlite3_log(SQLITE_IOERR_WRITE, "cairn-sealed: a part of a page cannot be written");
    return SQLITE_IOERR_WRITE;
  }
  int rc = cairn_write_page(file, CAIRN_UNIT_WAL_PAGE, place.frame,
                            place.position + CAIRN_SEALED_FRAME_HEADER_BYTES, data);
  if (rc == SQLITE_OK) cairn_note_page(file, data);
  if (rc == SQLITE_OK && place.frame > file->written_frames) file->written_frames = place.frame;
  return rc;
}

int cairn_wal_truncate(sqlite3_file *sqlite, sqlite3_int64 size) {
  struct cairn_file *file = (struct cairn_file *)sqlite;
  int rc = cairn_check_writable(file, SQLITE_IOERR_TRUNCATE);
  if (rc != SQLITE_OK) return rc;
  struct place end = place_of(size);
  sqlite3_int64 sealed = end.position;
  // A size within a unit (journal_size_limit) keeps that unit whole.
  if (end.within > 0) {
    sealed += end.frame == 0 ? CAIRN_SEALED_WAL_HEADER_BYTES : CAIRN_SEALED_FRAME_BYTES;
  }
  file->written_frames = 0;
  return cairn_base(file)->pMethods->xTruncate(cairn_base(file), sealed);
}

int cairn_wal_size(sqlite3_file *sqlite, sqlite3_int64 *size) {
  struct cairn_file *file = (struct cairn_file *)sqlite;
  sqlite3_int64 sealed = 0;
  int rc = cairn_base(file)->pMethods->xFileSize(cairn_base(file), &sealed);
  if (rc != SQLITE_OK) return rc;
  // A torn frame at the end counts as none: SQLite would be told of bytes that cannot be read.
  sqlite3_int64 frames = (sealed - CAIRN_SEALED_WAL_HEADER_BYTES) / CAIRN_SEALED_FRAME_BYTES;
  *size = sealed < CAIRN_SEALED_WAL_HEADER_BYTES
              ? 0
              : CAIRN_WAL_HEADER_BYTES + frames * CAIRN_FRAME_BYTES;
  return SQLITE_OK;
}
