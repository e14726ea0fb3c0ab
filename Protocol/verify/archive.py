"""The containers of a bundle: ZIP and BagIt (Bundle.md, "ZIP profile" and "Bag")."""

import hashlib
import re
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

from encoding import Refused

MAX_MEMBERS = 1 << 20
ALL_ONES = 0xFFFFFFFF
DATE = 0x0021
CHUNK = 1 << 20


@dataclass(frozen=True)
class Member:
    path: str
    offset: int      # of its content
    size: int
    crc: int


def damaged(why: str) -> Refused:
    return Refused("archive-damaged", why)


class Archive:
    """A file that is a ZIP archive of the one form, its members' headers checked."""

    def __init__(self, file):
        self.file = file
        file.seek(0, 2)
        self.length = file.tell()
        self.members = {member.path: member for member in self._read()}
        self._seen = {}      # path: digest of what was read of it

    def at(self, offset: int, count: int) -> bytes:
        if offset < 0 or offset + count > self.length:
            raise damaged("it ends too early")
        self.file.seek(offset)
        return self.file.read(count)

    def content(self, path: str, limit: int) -> bytes:
        member = self.members.get(path)
        if member is None:
            raise Refused("file-missing", path=path)
        if member.size > limit:
            raise Refused("too-large", path=path)
        data = self.at(member.offset, member.size)
        self._is_as_before(path, hashlib.sha256(data).hexdigest())
        return data

    def _is_as_before(self, path: str, digest: str):
        """On a stick or a share somebody can write to it while it is read."""
        if self._seen.setdefault(path, digest) != digest:
            raise Refused("file-differs", "it changed while it was read", path=path)

    def digest(self, path: str) -> str:
        """SHA-256 of a member's content, whose CRC-32 is checked on the way."""
        member, hashed, crc = self.members[path], hashlib.sha256(), 0
        for start in range(0, member.size, CHUNK):
            piece = self.at(member.offset + start, min(CHUNK, member.size - start))
            hashed.update(piece)
            crc = zlib.crc32(piece, crc)
        if crc != member.crc:
            raise Refused("archive-damaged", "a CRC-32 that is another's", path=path)
        self._is_as_before(path, hashed.hexdigest())
        return hashed.hexdigest()

    # The one form: from names, sizes and CRCs every other byte follows, so it is made again and compared.

    def _read(self) -> list:
        if self.length < 22 or self.at(0, 2) != b"PK":
            raise Refused("not-a-bundle", "not an archive")
        if self.at(self.length - 22, 4) != b"PK\5\6":
            raise Refused("not-a-bundle", "no end record where it has to be: cut off, or with bytes after it")
        count, size, start, tail = self._end()
        if count > MAX_MEMBERS:
            raise Refused("too-large", "too many members")
        if size > count * 400 or start + size + len(tail) != self.length or self.at(start + size, len(tail)) != tail:
            raise damaged("the end of the archive is not in its one form")
        directory = self.at(start, size)
        members, at, position = [], 0, 0
        for _ in range(count):
            member, at = self._member(directory, at, position)
            members.append(member)
            position = member.offset + member.size
        if at != len(directory) or position != start:
            raise damaged("the directory does not follow the members")
        check_names([member.path for member in members])
        return members

    def _end(self) -> tuple:
        """Members, length and offset of the directory, and the bytes that have to follow it."""
        end = self.at(self.length - 22, 22)
        count, size, start = struct.unpack_from("<HII", end, 10)
        if count == 0xFFFF or size == ALL_ONES or start == ALL_ONES:
            large = self.at(self.length - 98, 56)
            count, size, start = struct.unpack_from("<QQQ", large, 32)
        return count, size, start, self._tail(count, size, start)

    @staticmethod
    def _tail(count: int, size: int, start: int) -> bytes:
        is_large = count >= 0xFFFF or size >= ALL_ONES or start >= ALL_ONES
        tail = b""
        if is_large:
            tail = struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, start)
            tail += struct.pack("<4sIQI", b"PK\6\7", 0, start + size, 1)
        short = min(count, 0xFFFF)
        return tail + struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, short, short, min(size, ALL_ONES),
                                  min(start, ALL_ONES), 0)

    def _member(self, directory: bytes, at: int, position: int) -> tuple:
        """The member that a header of the directory tells of, and where the next header begins."""
        if at + 46 > len(directory):
            raise damaged("the directory ends too early")
        crc, size = struct.unpack_from("<II", directory, at + 16)[0], struct.unpack_from("<I", directory, at + 24)[0]
        name_length, extra_length = struct.unpack_from("<HH", directory, at + 28)
        name = directory[at + 46:at + 46 + name_length]
        extra = directory[at + 46 + name_length:at + 46 + name_length + extra_length]
        if size == ALL_ONES and len(extra) >= 20:
            size = struct.unpack_from("<Q", extra, 4)[0]
        if directory[at:at + 46 + name_length + extra_length] != _directory_header(name, crc, size, position):
            raise damaged("a header of the directory is not in its one form")
        local = _local_header(name, crc, size)
        if self.at(position, len(local)) != local:
            raise damaged("a local header differs from the directory")
        try:
            path = name.decode("ascii")
        except UnicodeDecodeError as error:
            raise damaged("a name that is not ASCII") from error
        return (Member(path, position + len(local), size, crc), at + 46 + name_length + extra_length)


def _local_header(name: bytes, crc: int, size: int) -> bytes:
    extra = struct.pack("<HHQQ", 1, 16, size, size) if size >= ALL_ONES else b""
    short = min(size, ALL_ONES)
    return struct.pack("<4sHHHHHIIIHH", b"PK\3\4", 45 if extra else 10, 0, 0, 0, DATE, crc, short, short,
                       len(name), len(extra)) + name + extra


def _directory_header(name: bytes, crc: int, size: int, offset: int) -> bytes:
    wide = struct.pack("<QQ", size, size) if size >= ALL_ONES else b""
    wide += struct.pack("<Q", offset) if offset >= ALL_ONES else b""
    extra = struct.pack("<HH", 1, len(wide)) + wide if wide else b""
    version, short = 45 if extra else 10, min(size, ALL_ONES)
    return struct.pack("<4sHHHHHHIIIHHHHHII", b"PK\1\2", version, version, 0, 0, 0, DATE, crc, short, short,
                       len(name), len(extra), 0, 0, 0, 0, min(offset, ALL_ONES)) + name + extra


def check_names(paths: list):
    """Relative, plain, no two alike, none the folder of another."""
    seen, folders = set(), set()
    for path in paths:
        parts = path.lower().split("/")
        if not re.fullmatch("[A-Za-z0-9._/-]{1,255}", path) or any(part in ("", ".", "..") for part in parts):
            raise damaged("a name outside of the profile")
        if path.lower() in seen:
            raise damaged("a name twice")
        seen.add(path.lower())
        folders.update("/".join(parts[:i]) for i in range(1, len(parts)))
    if seen & folders:
        raise damaged("a name that is a folder of another")


# BagIt ----------------------------------------------------------------------------------------------

MAX_MANIFEST = 256 << 20
PAYLOAD, TAGS = "manifest-sha256.txt", "tagmanifest-sha256.txt"
SIGNATURE, REPORT = "proof/signature.note", "data/report.html"
BAGIT = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
README = (Path(__file__).parent.parent / "bundle-readme.txt").read_bytes()
MAX_FIXED = 16 * 1024


def read_manifest(data: bytes, path: str) -> dict:
    """Path to digest, its lines ascending by path."""
    listed, last = {}, b""
    if data and not data.endswith(b"\n"):
        raise Refused("manifest-malformed", "no end of a line", path=path)
    for line in data.split(b"\n")[:-1]:
        match = re.fullmatch(rb"([0-9a-f]{64})  ([A-Za-z0-9._/-]{1,255})", line)
        if not match or match[2] <= last:
            raise Refused("manifest-malformed", "a line that is not in its one form", path=path)
        last = match[2]
        listed[last.decode()] = match[1].decode()
    return listed


def check_bag(archive: Archive) -> dict:
    """Every file is listed once, none is missing, and each is the one that was listed."""
    payload = read_manifest(archive.content(PAYLOAD, MAX_MANIFEST), PAYLOAD)
    tags = read_manifest(archive.content(TAGS, MAX_MANIFEST), TAGS)
    for path in payload:
        if not path.startswith("data/"):
            raise Refused("manifest-malformed", "a file of another list", path=PAYLOAD)
    for path in tags:
        if path.startswith("data/") or path in (TAGS, SIGNATURE):
            raise Refused("manifest-malformed", "a file of another list", path=TAGS)
    listed = {**payload, **tags}
    for path in sorted(listed):
        if path not in archive.members:
            raise Refused("file-missing", path=path)
    for path in sorted(archive.members):
        if path not in listed and path not in (TAGS, SIGNATURE):
            raise Refused("file-unlisted", path=path)
    for path in archive.members:
        digest = archive.digest(path)
        if digest != listed.get(path, digest):
            raise Refused("file-differs", path=path)
    return payload


def check_fixed(archive: Archive):
    """Files of which this version leaves no byte open."""
    payload = [member for member in archive.members.values() if member.path.startswith("data/")]
    oxum = f"Payload-Oxum: {sum(member.size for member in payload)}.{len(payload)}\n".encode()
    for path, content in (("bagit.txt", BAGIT), ("bag-info.txt", oxum), ("proof/README.txt", README)):
        if archive.content(path, MAX_FIXED) != content:
            raise Refused("file-differs", path=path)


def check_places(archive: Archive, named: set):
    """There are no files but those of every bundle and those that the proof names."""
    known = named | {"bagit.txt", "bag-info.txt", PAYLOAD, TAGS, SIGNATURE, "proof/README.txt", REPORT}
    for path in archive.members:
        if path not in known:
            raise Refused("file-unexpected", path=path)
