"""Vectors of the log beside a vault's database: SQLite's file format, each unit of it sealed (VaultFiles.md)."""

import sqlite3
import struct
import tempfile
from pathlib import Path

import writer
from vectors_of_vaults import MASTER, VAULT, u32
from writer import keys, seed

KEY = keys.derive(MASTER, "pagesdb_", 1)
PAGE, WAL_HEADER, FRAME_HEADER, WAL_PAGE = 1, 2, 3, 4
USABLE, RESERVED, FRAME_HEADER_LENGTH, FRAME = 4056, bytes(40), 64, 64 + 4096
SALTS, OTHER_SALTS = bytes(range(8)), bytes(range(8, 16))


def unit(kind: int, number: int, plain: bytes) -> bytes:
    nonce = seed(42, kind, number)[:24]
    sealed = writer.seal(KEY, nonce, VAULT + bytes([kind]) + u32(number), plain)
    return sealed[:-16] + nonce + sealed[-16:]


def opened(kind: int, number: int, sealed: bytes):
    """None where it does not open."""
    return keys.open_sealed(KEY, sealed[-40:-16], VAULT + bytes([kind]) + u32(number), sealed[:-40] + sealed[-16:])


# SQLite's own ---------------------------------------------------------------------------------------

def page(version: int) -> bytes:
    """The one page of a database without tables, whose `user_version` tells one copy of it from another."""
    header = b"SQLite format 3\0" + struct.pack(">HBBBBBB", 4096, 2, 2, len(RESERVED), 64, 32, 32)
    header += struct.pack(">12I", 1, 1, 0, 0, 0, 4, 0, 0, 1, version, 0, 0) + bytes(20) + struct.pack(">II", 1, 3_040_000)
    return (header + struct.pack(">BHHHB", 13, 0, 0, USABLE, 0)).ljust(USABLE, b"\0")


def summed(data: bytes, sums: tuple) -> tuple:
    first, second = sums
    words = struct.unpack(f">{len(data) // 4}I", data)
    for one, other in zip(words[::2], words[1::2]):
        first = (first + one + second) % (1 << 32)
        second = (second + other + first) % (1 << 32)
    return first, second


class Log:
    """Of one use: what carries its salts."""

    def __init__(self, salts: bytes = SALTS):
        start = struct.pack(">IIII", 0x377F0683, 3_007_000, 4096, 0) + salts
        self.salts, self.sums = salts, summed(start, (0, 0))
        self.header = start + struct.pack(">II", *self.sums)

    def frame(self, version: int, is_commit: bool = True) -> tuple:
        """Header and page of the next frame; all are copies of page 1."""
        begin, content = u32(1) + u32(int(is_commit)), page(version)
        self.sums = summed(begin + content + RESERVED, self.sums)
        return begin + self.salts + struct.pack(">II", *self.sums), content


def sealed(number: int, frame: tuple) -> bytes:
    return unit(FRAME_HEADER, number, frame[0]) + unit(WAL_PAGE, number, frame[1])


# The vectors ----------------------------------------------------------------------------------------

def flipped(data: bytes, at: int = -1) -> bytes:
    changed = bytearray(data)
    changed[at] ^= 1
    return bytes(changed)


def all_of(out, _):
    log = Log()
    frame = log.frame(2)
    header, first = unit(WAL_HEADER, 0, log.header), sealed(1, frame)
    frame_header, content = first[:FRAME_HEADER_LENGTH], first[FRAME_HEADER_LENGTH:]

    def add(name, what, data, version=2, salvaged=2, old=False):
        """`version`: what SQLite reads; `salvaged`: what salvage takes for the newest copy that opens, and whether it is old."""
        out.add("wal", name, what, "ok" if version == 2 else "locked", key=KEY, vault=VAULT, version=version, salvaged=salvaged,
                old=old, database=unit(PAGE, 1, page(1)), input=data)

    add("good", "One commit, of a new copy of page 1.", header + first)
    add("good-uncommitted", "Behind it another copy, without the commit that it belongs to.",
        header + first + sealed(2, log.frame(3, is_commit=False)))
    earlier = Log(OTHER_SALTS)
    earlier.frame(8)
    add("good-left-over", "Behind it a frame of an earlier use of the log, with the salts of that.", header + first + sealed(2, earlier.frame(9)))
    # Whose headers and frames SQLite takes, salvage reads as it finds them: a header says nothing that they do not.
    add("bad-header-kind", "The header is sealed as that of a frame.", unit(FRAME_HEADER, 0, log.header) + first, 1)
    add("bad-header-number", "The header is sealed under another number.", unit(WAL_HEADER, 1, log.header) + first, 1)
    add("bad-header-tag", "A bit of the header's tag is another one.", flipped(header) + first, 1)
    add("bad-frame-kind", "The header of the frame is sealed as a page of the log.", header + unit(WAL_PAGE, 1, frame[0]) + content, 1, 1)
    add("bad-frame-number", "The header of the frame is that of the second.", header + unit(FRAME_HEADER, 2, frame[0]) + content, 1, 1)
    add("bad-frame-tag", "A bit of the tag of the frame's header is another one.", header + flipped(frame_header) + content, 1, 1)
    add("bad-page-kind", "A page of the database in the place of a page of the log.",
        header + frame_header + unit(PAGE, 1, frame[1]), 1, 1, True)
    add("bad-page-number", "The page of another frame.", header + frame_header + unit(WAL_PAGE, 2, frame[1]), 1, 1, True)
    add("bad-page-tag", "A bit of the tag of the page is another one.", header + frame_header + flipped(content), 1, 1, True)
    add("bad-checksum", "All opens, and SQLite's checksum of the frame is that of other bytes. It proves nothing beside the tags.",
        header + sealed(1, (flipped(frame[0]), frame[1])), 1)


# As SQLite reads it ---------------------------------------------------------------------------------

def version_read(vector: dict) -> int:
    """What Python's own SQLite makes of both files in the clear; zeros stand for what does not open."""
    database, log = bytes.fromhex(vector["database"]), bytes.fromhex(vector["input"])
    header = opened(WAL_HEADER, 0, log[:72]) or bytes(32)
    plain = header
    for number, at in enumerate(range(72, len(log), FRAME), 1):
        frame = opened(FRAME_HEADER, number, log[at:at + FRAME_HEADER_LENGTH])
        content = opened(WAL_PAGE, number, log[at + FRAME_HEADER_LENGTH:at + FRAME])
        plain += frame + content + RESERVED if frame and content else bytes(24 + 4096)
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "database"
        path.write_bytes(opened(PAGE, 1, database) + RESERVED)
        Path(f"{path}-wal").write_bytes(plain)
        connection = sqlite3.connect(path)
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        connection.close()
    return version
