"""Signatures at the edges of Ed25519: made so that one or another way of verifying takes them, and the predicate of
Protocol/README.md takes none but the plain one.

    edges.py verdicts [FOLDER]   what Protocol/verify says of all of them, and of the published ones in a folder of vectors
    edges.py sign SEED TEXT      one of each kind by the key of a seed, over a text; both as hexadecimal digits
    edges.py keys KEY…           which verifier keys of witnesses Protocol/verify takes
"""

import hashlib
import json
import sys
from pathlib import Path

from nacl import bindings

from writer import logs
from encoding import Malformed

L = logs.GROUP_ORDER
NEUTRAL = bytes([1]) + bytes(31)
# The same point, with its number not reduced and with the sign of zero.
NEUTRAL_NOT_REDUCED = bytes([0xEE]) + bytes([0xFF]) * 30 + bytes([0x7F])
NEUTRAL_NEGATIVE = bytes([1]) + bytes(30) + bytes([0x80])
ORDER_8 = bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a")


def scalar(number: int) -> bytes:
    return (number % L).to_bytes(32, "little")


def times_base(number: int) -> bytes:
    return bindings.crypto_scalarmult_ed25519_base_noclamp(scalar(number))


def challenge(r: bytes, key: bytes, message: bytes) -> int:
    return int.from_bytes(hashlib.sha512(r + key + message).digest(), "little") % L


def edges(seed: bytes, message: bytes) -> dict:
    """Key and signature by name."""
    key, whole = bindings.crypto_sign_seed_keypair(seed)
    half = bytearray(hashlib.sha512(seed).digest()[:32])
    half[0] &= 248
    half[31] = half[31] & 127 | 64
    secret = int.from_bytes(half, "little") % L
    good = bindings.crypto_sign(message, whole)[:64]
    found = {"plain": (key, good),
             "large-s": (key, good[:32] + (int.from_bytes(good[32:], "little") + L).to_bytes(32, "little"))}

    def with_r(name, r, number):
        found[name] = (key, r + scalar(number + challenge(r, key, message) * secret))

    with_r("small-r", NEUTRAL, 0)
    with_r("r-of-order-8", ORDER_8, 0)
    with_r("r-not-reduced", NEUTRAL_NOT_REDUCED, 0)
    with_r("r-negative-zero", NEUTRAL_NEGATIVE, 0)
    with_r("mixed-r", bindings.crypto_core_ed25519_add(times_base(7), ORDER_8), 7)
    for name, other in ("small-key", NEUTRAL), ("key-not-reduced", NEUTRAL_NOT_REDUCED), ("key-negative-zero", NEUTRAL_NEGATIVE):
        found[name] = (other, times_base(9) + scalar(9))
    # With a multiple of the cofactor as challenge, also the equation without cofactor holds.
    mixed = bindings.crypto_core_ed25519_add(key, ORDER_8)
    for name, fits in ("mixed-key", lambda k: k % 8 == 0), ("mixed-key-cofactor-only", lambda k: k % 8 != 0):
        number = next(n for n in range(1, 1000) if fits(challenge(times_base(n), mixed, message)))
        r = times_base(number)
        found[name] = (mixed, r + scalar(number + challenge(r, mixed, message) * secret))
    return found


def published(folder: Path):
    """Name, key, message, signature and whether it is valid, of the vectors that others published."""
    for case in json.loads((folder / "ed25519/cctv.json").read_text()):
        yield (f"cctv {case['number']}", bytes.fromhex(case["key"]), case["msg"].encode(), bytes.fromhex(case["sig"]),
               not case["flags"])
    for number, case in enumerate(json.loads((folder / "ed25519/speccheck.json").read_text())):
        yield (f"speccheck {number}", *(bytes.fromhex(case[f]) for f in ("pub_key", "message", "signature")), False)
    for group in json.loads((folder / "wycheproof/ed25519_test.json").read_text())["testGroups"]:
        for case in group["tests"]:
            yield (f"wycheproof {case['tcId']}", bytes.fromhex(group["publicKey"]["pk"]), bytes.fromhex(case["msg"]),
                   bytes.fromhex(case["sig"]), case["result"] == "valid")


def verdicts(folder):
    message = b"An edge."
    cases = [(name, key, message, signature, name == "plain")
             for name, (key, signature) in edges(bytes(range(32)), message).items()]
    return [{"name": name, "key": key.hex(), "message": message.hex(), "signature": signature.hex(), "valid": valid,
             "verdict": logs.is_signature(key, message, signature)}
            for name, key, message, signature, valid in cases + list(published(folder) if folder else [])]


def is_taken(text: str) -> bool:
    try:
        logs.WitnessKey.parse(text)
        return True
    except Malformed:
        return False


def main(command, *given):
    if command == "verdicts":
        said = verdicts(Path(given[0]) if given else None)
    elif command == "sign":
        said = {name: signature.hex() for name, (_, signature) in edges(*(bytes.fromhex(text) for text in given)).items()}
    else:
        said = [is_taken(text) for text in given]
    print(json.dumps(said))


if __name__ == "__main__":
    main(*sys.argv[1:])
