"""Frames (Sync.md, "Frames"): a stream of bytes into payloads of their one form. Nothing is verified here."""

from dataclasses import dataclass

from encoding import (MAX_ENTRIES, Malformed, Newer, array, bounded, decode, domain_hash, encode, octets, record, tuple_of,
                      uint, versioned)
from forks import decode_fork_proof
from keys import SEALED_SPAN
from logs import MAX_NOTE

HELLO, STATEMENTS, HEADS, RANGE, BODIES, SLOTS, WRAPS, FORKS, BLOB, SPAN = range(1, 11)
SUCCESSIONS, SUMMARY, END = 0x0D, 0x0E, 0x7F
MAX_PAYLOAD = 16 << 20
MIN_ITEM = 100
# Of all frames of a kind in a stream together.
MAX_ITEMS = {STATEMENTS: 4096, SUCCESSIONS: 4096, HEADS: 4096, FORKS: 1024, WRAPS: 131_072}
LIMITS = {HELLO: 128, SPAN: 70_000, SUMMARY: 34, END: 1}
MAX_BLOB = 1 << 41
MAX_CIPHERTEXT = (1 << 20) + 1024


@dataclass(frozen=True)
class Hello:
    tag: bytes
    sender: bytes


@dataclass(frozen=True)
class Row:
    """An entry within a range."""

    cls: int
    commit: bytes
    ciphertext_hash: bytes
    ciphertext: bytes       # None where only its hash was sent
    slots: tuple            # (epoch id, slot)


@dataclass(frozen=True)
class Range:
    log: bytes
    first: int
    rows: tuple
    note: bytes
    proof: tuple


class Stream:
    """The frames of a file, as far as they are in their form; `problem` says why it stopped before `end`."""

    def __init__(self, data: bytes, kinds: set):
        self.frames, self.problem = [], None
        try:
            self._read(data, kinds)
        except (Malformed, Newer) as error:
            self.problem = error

    def _read(self, data: bytes, kinds: set):
        at, first, summary, summed, counts = 0, True, None, [], dict.fromkeys(MAX_ITEMS, 0)
        while True:
            if at + 5 > len(data):
                raise Malformed("it ends before its end")
            kind, length = data[at], int.from_bytes(data[at + 1:at + 5], "big")
            if length > LIMITS.get(kind, MAX_PAYLOAD) or at + 5 + length > len(data):
                raise Malformed("a frame that is too long, or cut")
            if first != (kind == HELLO) or kind not in kinds | {HELLO, END}:
                raise Malformed("a frame that does not belong here")
            if kind == SUMMARY and len(self.frames) != 1:
                raise Malformed("a summary that does not stand second")
            whole, payload = data[at:at + 5 + length], data[at + 5:at + 5 + length]
            at, first = at + 5 + length, False
            if kind == END:
                if payload != b"\xf6" or at != len(data):
                    raise Malformed("something after the end")
                if summary not in (None, domain_hash("head", *summed)):
                    raise Malformed("a summary of other frames")
                return
            value = decode(payload, MAX_PAYLOAD)
            if kind in MAX_ITEMS:
                counts[kind] += len(array(value, MAX_ITEMS[kind] - counts[kind]))
            self.frames.append((kind, READERS[kind](value)))
            if kind == SUMMARY:
                summary = self.frames[-1][1]
            elif kind != HELLO:
                summed.append(whole)


def _hello(value) -> Hello:
    fields = record(versioned(value), (0, 1, 2))
    return Hello(octets(fields[1], 32), octets(fields[2], 32))


def _summary(value) -> bytes:
    return octets(value, 32)


def _statements(value) -> list:
    """Each as its bytes: they stand in the frame as CBOR, of which there is one encoding."""
    items = [encode(item) for item in array(value, 4096)]
    if any(not MIN_ITEM <= len(item) <= 4096 for item in items):
        raise Malformed("a statement that is too short or too long")
    return items


def _heads(value) -> list:
    pairs = [tuple_of(item, 2) for item in array(value, 4096)]
    return [(octets(key, 32), bounded(note, MAX_NOTE)) for key, note in pairs]


def _range(value) -> Range:
    fields = record(value, (0, 1, 2, 3, 4, 5))
    epochs = [octets(epoch, 32) for epoch in array(fields[2], 4096)]
    rows, used = [], []
    for item in array(fields[3], 4096):
        cls, commit, body, slots = tuple_of(item, 4)
        pairs = []
        for slot in array(slots, 64):
            index, sealed = tuple_of(slot, 2)
            uint(index, len(epochs))
            used += [index] if index not in used else []
            pairs.append((epochs[index], octets(sealed, 48)))
        ciphertext = bounded(body, MAX_CIPHERTEXT) if type(body) is bytes and len(body) > 32 else None
        hashed = domain_hash("ciphertext", ciphertext) if ciphertext else octets(body, 32)
        rows.append(Row(uint(cls, 256), octets(commit, 32), hashed, ciphertext, tuple(pairs)))
    if not rows or used != list(range(len(epochs))) or len(set(epochs)) != len(epochs):
        raise Malformed("a range that is empty, or whose epochs are in another order")
    proof = tuple(octets(h, 32) for h in array(fields[5], 64))
    first = uint(fields[1], MAX_ENTRIES - len(rows) + 1)
    return Range(octets(fields[0], 32), first, tuple(rows), bounded(fields[4], MAX_NOTE), proof)


def _bodies(value) -> list:
    items = [tuple_of(item, 3) for item in array(value, 131_072)]
    return [(octets(log, 32), uint(sequence), bounded(body, MAX_CIPHERTEXT)) for log, sequence, body in items]


def _slots(value) -> list:
    items = [tuple_of(item, 4) for item in array(value, 131_072)]
    return [(octets(log, 32), uint(s), octets(epoch, 32), octets(slot, 48)) for log, s, epoch, slot in items]


def _wraps(value) -> list:
    """(epoch id, log id or None, sealed box) of those that have that form; others harm nobody."""
    wraps = []
    for item in array(value, 131_072):
        if not MIN_ITEM <= len(encode(item)) <= 256:
            raise Malformed("a wrap that is too short or too long")
        try:
            epoch, log, box = tuple_of(item, 3)
            wraps.append((octets(epoch, 32), None if log is None else octets(log, 32), octets(box, 80)))
        except Malformed:
            continue
    return wraps


def _forks(value) -> list:
    proofs = []
    for item in array(value, 1024):
        if len(encode(item)) > 8192:
            raise Malformed("a fork proof that is too long")
        proofs.append(decode_fork_proof(item))
    return proofs


def _blob(value) -> tuple:
    fields = record(value, (0, 1, 2))
    length, hashes = uint(fields[1], MAX_BLOB + 1), bounded(fields[2], MAX_PAYLOAD)
    whole, rest = divmod(length, SEALED_SPAN)
    # A last span is a tag and something, and a tag alone only where there is no other.
    if length < 16 or 0 < rest <= 16 and length > 16 or len(hashes) != 32 * (whole + (rest > 0)):
        raise Malformed("a blob that cannot have this length, or so many spans")
    return octets(fields[0], 32), length, tuple(hashes[i:i + 32] for i in range(0, len(hashes), 32))


def _span(value) -> tuple:
    fields = record(value, (0, 1, 2))
    return octets(fields[0], 32), uint(fields[1], MAX_BLOB + 1), bounded(fields[2], SEALED_SPAN)


READERS = {
    HELLO: _hello, STATEMENTS: _statements, HEADS: _heads, RANGE: _range, BODIES: _bodies, SLOTS: _slots,
    WRAPS: _wraps, FORKS: _forks, BLOB: _blob,
    SPAN: _span, SUCCESSIONS: _statements, SUMMARY: _summary,
}
