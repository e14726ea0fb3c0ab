"""Writes age files (C2SP age) from fixed keys, for vectors. Two runs make the same bytes."""

import base64
import hashlib
import hmac

from nacl import bindings

CHUNK = 65_536
BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def hkdf(key: bytes, salt: bytes, info: bytes) -> bytes:
    pseudorandom = hmac.digest(salt or bytes(32), key, "sha256")
    return hmac.digest(pseudorandom, info + b"\1", "sha256")


def sealed(key: bytes, nonce: bytes, plain: bytes) -> bytes:
    return bindings.crypto_aead_chacha20poly1305_ietf_encrypt(plain, b"", nonce, key)


def plain64(data: bytes) -> str:
    return base64.b64encode(data).decode().rstrip("=")


def stanza(arguments: list, body: bytes) -> str:
    text = plain64(body)
    lines = [text[i:i + 64] for i in range(0, len(text) + 1, 64)]
    return "-> " + " ".join(arguments) + "\n" + "\n".join(lines) + "\n"


def to_key(secret: bytes, file_key: bytes, one_time: bytes) -> str:
    """A stanza for the owner of an X25519 secret, with a one-time secret that is fixed."""
    public, share = (bindings.crypto_scalarmult_base(key) for key in (secret, one_time))
    wrap = hkdf(bindings.crypto_scalarmult(one_time, public), share + public, b"age-encryption.org/v1/X25519")
    return stanza(["X25519", plain64(share)], sealed(wrap, bytes(12), file_key))


def to_passphrase(passphrase: bytes, file_key: bytes, salt: bytes, work: int, stated: str = None) -> str:
    wrap = hashlib.scrypt(passphrase, salt=b"age-encryption.org/v1/scrypt" + salt, n=1 << work, r=8, p=1, dklen=32,
                          maxmem=1 << 30)
    return stanza(["scrypt", plain64(salt), stated or str(work)], sealed(wrap, bytes(12), file_key))


def file(stanzas: list, file_key: bytes, nonce: bytes, plain: bytes) -> bytes:
    head = "age-encryption.org/v1\n" + "".join(stanzas) + "---"
    mac = hmac.digest(hkdf(file_key, b"", b"header"), head.encode(), "sha256")
    return f"{head} {plain64(mac)}\n".encode() + nonce + payload(hkdf(file_key, nonce, b"payload"), plain)


def payload(key: bytes, plain: bytes) -> bytes:
    chunks = [plain[i:i + CHUNK] for i in range(0, len(plain), CHUNK)] or [b""]
    return b"".join(sealed(key, i.to_bytes(11, "big") + bytes([i == len(chunks) - 1]), chunk)
                    for i, chunk in enumerate(chunks))


def identity(secret: bytes) -> str:
    """The secret key as age writes it."""
    values = _five_bits(secret)
    prefix = "age-secret-key-"
    spread = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    check = _polymod(spread + values + [0] * 6) ^ 1
    digits = values + [check >> 5 * (5 - i) & 31 for i in range(6)]
    return (prefix + "1" + "".join(BECH32[d] for d in digits)).upper()


def _five_bits(data: bytes) -> list:
    bits = "".join(f"{byte:08b}" for byte in data)
    bits += "0" * (-len(bits) % 5)
    return [int(bits[i:i + 5], 2) for i in range(0, len(bits), 5)]


def _polymod(values: list) -> int:
    check = 1
    for value in values:
        top, check = check >> 25, (check & 0x1FFFFFF) << 5 ^ value
        for i, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= generator if top >> i & 1 else 0
    return check
