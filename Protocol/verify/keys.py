"""What keys open: Keys.md; CaseLog.md, "Entry" and "Audiences, epochs, slots, wraps"; VaultFiles.md, "Blobs" and "The paper of
a kit".
"""

import hashlib
import re
from pathlib import Path

from nacl import bindings
from nacl.exceptions import CryptoError

import entries
import logs
from encoding import (MAX_PARTS, Malformed, array, bounded, decode, domain_hash, encode, framed_domain, sha256, tuple_of, u64)

MAX_PAPER = 32_768
WORDS = Path(__file__).parent.parent / "words.txt"
SPAN = 65_536
SEALED_SPAN = SPAN + 16


def derive(key: bytes, context: str, index: int) -> bytes:
    """libsodium's `crypto_kdf_derive_from_key`, 32 bytes. Its index is little-endian."""
    return hashlib.blake2b(b"", digest_size=32, key=key, salt=index.to_bytes(8, "little"),
                           person=context.encode()).digest()


def open_sealed(key: bytes, nonce: bytes, associated: bytes, sealed: bytes):
    """XChaCha20-Poly1305; None if it does not open."""
    try:
        return bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(sealed, associated, nonce, key)
    except CryptoError:
        return None


def open_box(public: bytes, secret: bytes, sealed: bytes):
    try:
        return bindings.crypto_box_seal_open(sealed, public, secret)
    except CryptoError:
        return None


# The kit --------------------------------------------------------------------------------------------

def words_of_paper(data: bytes) -> list:
    """What stands for words in a file to be printed: a text or a page (VaultFiles.md, "The paper of a kit")."""
    if len(data) > MAX_PAPER:
        raise Malformed("longer than its limit")
    data = data.removeprefix(b"\xef\xbb\xbf")
    if data.startswith(b"<"):
        lists = re.findall(rb"<ol.*?(?=</ol|\Z)", data, re.DOTALL)
        return words_of(b" ".join(re.sub(b"<[^>]*>?", b" ", one) for one in lists))
    lines = [line for line in data.split(b"\n") if not re.match(rb"[\0- ]*#", line)]
    return words_of(re.sub(b"[0-9.]", b" ", b" ".join(lines)))


def words_of(data: bytes) -> list:
    """Of text as typed, in lower case. What is not ASCII is in no word of the list, and stays what it is."""
    return [word.decode("latin-1") for word in re.split(rb"[\0- ]+", data.lower()) if word]


def seed_of_words(words: list) -> bytes:
    """The 16 bytes that twelve words, in lower case, stand for (README.md, "Words")."""
    numbers = {word: i for i, word in enumerate(WORDS.read_text().split())}
    if len(words) != 12 or any(word not in numbers for word in words):
        raise Malformed("not twelve words of the list")
    number = 0
    for word in words:
        number = number * 7776 + numbers[word]
    seed, check = divmod(number, 1 << 27)
    if number >= 1 << 155:
        raise Malformed("words that stand for no seed")
    seed = seed.to_bytes(16, "big")
    if int.from_bytes(domain_hash("kit", seed)[:4], "big") >> 5 != check:
        raise Malformed("words with a mistake in them")
    return seed


def kit_keys(seed: bytes) -> tuple:
    """(public, secret) of a kit."""
    return bindings.crypto_box_seed_keypair(domain_hash("kit", b"box", seed))


# Epochs, slots, entries -----------------------------------------------------------------------------

EVERYONE = (2, None)


def epoch_commitment(case_id: bytes, audience: tuple, key: bytes) -> bytes:
    return domain_hash("epoch-commitment", case_id, encode(list(audience)), key)


def open_slot(case_id: bytes, log: bytes, leaf: logs.Leaf, audience: tuple, epoch: bytes, key: bytes, slot: bytes):
    """The entry's key, or None. It counts only once it opened the ciphertext and gave the commitment."""
    nonce = domain_hash("slot-nonce", case_id, log, u64(leaf.sequence), leaf.commit, encode(list(audience)), epoch)
    return open_sealed(derive(key, "slotkey_", 1), nonce[:24], b"cairn/v1/slot", slot)


def part_hashes(key: bytes, parts) -> list:
    """Of all parts of an entry by its key; each (label, bytes)."""
    return [entries.part_hash(i, label, derive(key, "partsalt", i), data) for i, (label, data) in enumerate(parts)]


def padme(length: int) -> int:
    if length < 2:
        return length
    exponent = length.bit_length() - 1
    bits = exponent - exponent.bit_length()
    return -(-length >> bits) << bits


def open_entry(case_id: bytes, log: bytes, leaf: logs.Leaf, key: bytes, ciphertext: bytes):
    """The entry, or None where the key is not this entry's.

    - Throws: `Malformed` or `Refused` where it opens, and what it holds breaks a rule.
    """
    if domain_hash("ciphertext", ciphertext) != leaf.ciphertext_hash:
        return None
    plain = open_sealed(derive(key, "entrkey_", 1), bytes(24), b"cairn/v1/entry", ciphertext)
    if plain is None:
        return None
    length = int.from_bytes(plain[:4], "big")
    if len(plain) != max(256, padme(4 + length)) or any(plain[4 + length:]) or len(plain) > 1 << 20:
        return None
    try:
        pairs = [tuple_of(pair, 2) for pair in array(decode(plain[4:4 + length], 1 << 20), MAX_PARTS)]
        parts = {i: (entries.check_label(label), bounded(data, 1 << 20)) for i, (label, data) in enumerate(pairs)}
    except Malformed:
        return None
    if not parts or logs.root_of(part_hashes(key, parts.values())) != leaf.commit:
        return None
    return entries.read_entry(case_id, log, leaf, len(parts), parts)


# Attachments ----------------------------------------------------------------------------------------

def span_hash(sealed: bytes) -> bytes:
    return sha256(b"\0", framed_domain("blob-span"), sealed)


def span_count(length: int) -> int:
    """Of a blob of so many bytes, sealed."""
    return -(-length // SEALED_SPAN)


def content_hash(key: bytes, spans, length: int, size: int):
    """SHA-256 of what is in an attachment, or None where it does not open, or is not `size` bytes and their padding.

    - Parameters:
      - spans: its sealed spans, one at a time, which were found to give its root.
      - length: of all of them.
    """
    span_key, count, left = derive(key, "blobspan", 1), span_count(length), size
    hashed, behind = hashlib.sha256(), b""
    if length - 16 * count != padme(size + 8):
        return None
    for index, span in enumerate(spans):
        opened = open_sealed(span_key, bytes(15) + u64(index) + bytes([index == count - 1]), b"", span)
        if opened is None:
            return None
        hashed.update(opened[:left])
        behind += opened[left:]
        left -= min(left, len(opened))
        if behind[:-8].strip(b"\0"):
            return None
        behind = behind[-8:]
    return hashed.digest() if behind == u64(size) else None
