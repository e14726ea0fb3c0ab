"""What lies in a folder as a mailbox: subfolders, files by their names, the frames and blobs in them (Sync.md, "A folder as a
mailbox"). Whose they are, and what of them holds, is seen later.
"""

import os
import re
import stat
from dataclasses import dataclass, field

import frames
import keys
import logs
from encoding import Malformed, Newer, Refused, from_b32

MAX_HEAD = 16 << 20
MAX_STREAM = 1 << 30
NAME = "[a-z2-7]{52}"
ALLOWED = {
    "head": {frames.SUMMARY, frames.STATEMENTS, frames.SUCCESSIONS, frames.HEADS, frames.FORKS, frames.WRAPS},
    "r": {frames.RANGE},
    "s": {frames.SLOTS, frames.BODIES},
}


@dataclass
class Subfolder:
    name: str
    tag: str
    owner: bytes         # log id
    files: list = field(default_factory=list)


@dataclass
class File:
    path: str
    owner: bytes         # of its subfolder
    kind: str            # head, r, s, b
    name: tuple          # r: log, first, end; s: entry; b: root
    frames: list = field(default_factory=list)
    blob: "Blob" = None


@dataclass(frozen=True)
class Blob:
    """The file of an attachment: `u64 length ‖ span hashes ‖ sealed spans`. It may be larger than memory, so that each reading
    of it goes through the file.
    """

    path: str
    length: int          # of all sealed spans

    @property
    def _count(self) -> int:
        return keys.span_count(self.length)

    def hashes(self):
        with open(self.path, "rb") as file:
            file.seek(8)
            for _ in range(self._count):
                yield file.read(32)

    def spans(self):
        with open(self.path, "rb", buffering=0) as file:
            file.seek(8 + 32 * self._count)
            for index in range(self._count):
                yield file.read(min(keys.SEALED_SPAN, self.length - index * keys.SEALED_SPAN))


def read(folder: str, findings: list) -> list:
    """Subfolders with all files whose names match.

    - Parameter findings: takes what is damaged; what of such a file is in order is there all the same.
    """
    subfolders = _subfolders(folder)
    for sub in subfolders:
        for file in _named_files(folder, sub, findings):
            try:
                _read_content(os.path.join(folder, file.path), file)
            except Refused as refusal:
                code = "newer-version" if isinstance(refusal, Newer) else "file-damaged"
                findings.append(Refused(code, refusal.why, path=file.path))
            except OSError:
                findings.append(Refused("file-damaged", "it cannot be read", path=file.path))
            sub.files.append(file)
    return subfolders


# Names ----------------------------------------------------------------------------------------------

def _subfolders(folder: str) -> list:
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        raise Refused("unreadable", "no such folder") from error
    found = []
    for name in names:
        match = re.fullmatch(f"([a-z2-7]{{16}})-({NAME})", name)
        if match and stat.S_ISDIR(os.lstat(os.path.join(folder, name)).st_mode):
            try:
                found.append(Subfolder(name, match[1], from_b32(match[2], 32)))
            except Malformed:
                continue
    if not found:
        raise Refused("not-a-mailbox", "nothing in it has the name of a member's folder")
    return found


def _named_files(folder: str, sub: Subfolder, findings: list):
    try:
        names = sorted(os.listdir(os.path.join(folder, sub.name)))
    except OSError:
        findings.append(Refused("file-damaged", "it cannot be read", path=sub.name))
        names = []
    for name in names:
        try:
            file = _named(sub, name)
        except Malformed:
            continue
        if not stat.S_ISREG(os.lstat(os.path.join(folder, file.path)).st_mode):
            findings.append(Refused("file-damaged", "a link, or no file at all", path=file.path))
            continue
        yield file


def _named(sub: Subfolder, name: str) -> File:
    path = f"{sub.name}/{name}"
    if name == "head":
        return File(path, sub.owner, "head", ())
    if match := re.fullmatch(f"r-({NAME})-([0-9]{{10}})-([0-9]{{10}})", name):
        return File(path, sub.owner, "r", (from_b32(match[1], 32), int(match[2]), int(match[3])))
    if match := re.fullmatch(f"([sb])-({NAME})", name):
        return File(path, sub.owner, match[1], (from_b32(match[2], 32),))
    raise Malformed("a name that does not match")


# Contents -------------------------------------------------------------------------------------------

def _read_content(path: str, file: File):
    with open(path, "rb") as opened:
        length = os.fstat(opened.fileno()).st_size
        if file.kind == "b":
            file.blob = _read_blob(path, int.from_bytes(opened.read(8), "big"), length, file.name[0])
            return
        if length > (MAX_HEAD if file.kind == "head" else MAX_STREAM):
            raise Malformed("longer than its limit")
        stream = frames.Stream(opened.read(), ALLOWED[file.kind])
    file.frames = stream.frames
    if stream.problem:
        raise stream.problem


def _read_blob(path: str, length: int, size: int, root: bytes) -> Blob:
    """Whatever key may open it."""
    blob, count = Blob(path, length), keys.span_count(length)
    if not 0 < count <= 1 << 24 or size < 8 + 32 * count + length:
        raise Malformed("shorter than it says")
    if logs.root_of(blob.hashes()) != root:
        raise Malformed("not the attachment of its name")
    if any(keys.span_hash(span) != hashed for span, hashed in zip(blob.spans(), blob.hashes(), strict=True)):
        raise Malformed("a span that is another's")
    return blob
