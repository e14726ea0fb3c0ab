"""Makes a ciphertext that opens under two keys, as anybody can who has both: XChaCha20-Poly1305 does not commit to its key.

Two blocks of a message are free. They are chosen so that Poly1305 gives one tag under both keys: two equations modulo
2^130 - 5, solved for another tag until both blocks fit into 128 bits.

    two_keys.py CASE LOG SEQUENCE KEY KEY TIME   a note that does, at a place in a case; all but numbers in hexadecimal digits
"""

import json
import struct
import sys

from writer import encode, entries, keys, logs, plaintext

P = (1 << 130) - 5
ASSOCIATED = b"cairn/v1/entry"


def _rounds(state: list) -> list:
    words = list(state)

    def quarter(a, b, c, d):
        for target, source, into, bits in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            words[target] = words[target] + words[source] & 0xFFFFFFFF
            mixed = words[into] ^ words[target]
            words[into] = (mixed << bits | mixed >> 32 - bits) & 0xFFFFFFFF

    for _ in range(10):
        for column in range(4):
            quarter(column, column + 4, column + 8, column + 12)
        for diagonal in range(4):
            quarter(diagonal, 4 + (diagonal + 1) % 4, 8 + (diagonal + 2) % 4, 12 + (diagonal + 3) % 4)
    return words


CONSTANTS = list(struct.unpack("<4I", b"expand 32-byte k"))


def keystream(key: bytes, blocks: int) -> list:
    """XChaCha20 (draft-irtf-cfrg-xchacha) under the nonce of zeros: 64 bytes a block, the first of them the one-time key."""
    words = _rounds(CONSTANTS + list(struct.unpack("<8I", key)) + [0] * 4)
    inner = words[:4] + words[12:]
    stream = []
    for counter in range(blocks):
        state = CONSTANTS + inner + [counter, 0, 0, 0]
        mixed = [a + b & 0xFFFFFFFF for a, b in zip(_rounds(state), state)]
        stream.append(struct.pack("<16I", *mixed))
    return stream


def collide(first: bytes, second: bytes, plain: bytes, free: tuple) -> bytes:
    """Seals `plain` under `first`, with two blocks of 16 bytes changed, so that `second` opens it too.

    - Parameter free: the offsets of the two blocks, multiples of 16.
    """
    streams = [keystream(key, 1 + -(-len(plain) // 64)) for key in (first, second)]
    cipher = bytearray(a ^ b for a, b in zip(plain, b"".join(streams[0][1:])))
    for offset in free:
        cipher[offset:offset + 16] = bytes(16)
    padded = ASSOCIATED + bytes(-len(ASSOCIATED) % 16) + bytes(cipher) + bytes(-len(cipher) % 16)
    padded += struct.pack("<QQ", len(ASSOCIATED), len(cipher))
    blocks = [int.from_bytes(padded[i:i + 16], "little") + (1 << 128) for i in range(0, len(padded), 16)]
    places = [1 + offset // 16 for offset in free]
    equations = []
    for stream in streams:
        r = int.from_bytes(stream[0][:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
        s = int.from_bytes(stream[0][16:32], "little")
        known = sum(block * pow(r, len(blocks) - i, P) for i, block in enumerate(blocks)) % P
        equations.append((s, known, *(pow(r, len(blocks) - place, P) for place in places)))
    for attempt in range(1 << 12):
        tag = attempt * 0x9E3779B97F4A7C15F39CC0605CEDC835 & (1 << 128) - 1
        found = _solved(equations, tag)
        if found:
            for offset, block in zip(free, found):
                cipher[offset:offset + 16] = block.to_bytes(16, "little")
            return bytes(cipher) + tag.to_bytes(16, "little")
    raise SystemExit("no two blocks give one tag")


def _solved(equations: list, tag: int):
    (s1, known1, a1, b1), (s2, known2, a2, b2) = equations
    inverse = pow((a1 * b2 - a2 * b1) % P, -1, P)
    for high1 in range(4):
        for high2 in range(4):
            t1 = ((tag - s1) % (1 << 128) + (high1 << 128) - known1) % P
            t2 = ((tag - s2) % (1 << 128) + (high2 << 128) - known2) % P
            x, y = (t1 * b2 - t2 * b1) * inverse % P, (a1 * t2 - a2 * t1) * inverse % P
            if x < 1 << 128 and y < 1 << 128:
                return x, y
    return None


def note(case_id: bytes, log: bytes, sequence: int, both: tuple, time: int) -> tuple:
    """A note's ciphertext, and the commitment to what the first of two keys makes of it."""
    head = {0: case_id, 1: log, 2: sequence, 3: entries.PLAIN_NOTE, 4: 4}
    free = bytes(80)
    parts = [("header", encode(head)), ("context", encode({0: time, 1: [], 2: []})), ("words", encode("Mine.")),
             ("free", encode(free))]
    plain = plaintext(parts)
    at = plain.index(parts[3][1])
    start = plain.index(free)
    start += -start % 16
    sealed = collide(*(keys.derive(k, "entrkey_", 1) for k in both), plain, (start, start + 16))
    opened = keys.open_sealed(keys.derive(both[0], "entrkey_", 1), bytes(24), ASSOCIATED, sealed)
    parts[3] = ("free", opened[at:at + len(parts[3][1])])
    return sealed, logs.root_of(keys.part_hashes(both[0], parts))


if __name__ == "__main__":
    case_id, log, first, second = (bytes.fromhex(sys.argv[i]) for i in (1, 2, 4, 5))
    made = note(case_id, log, int(sys.argv[3]), (first, second), int(sys.argv[6]))
    print(json.dumps([each.hex() for each in made]))
