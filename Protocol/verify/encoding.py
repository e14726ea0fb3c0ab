"""Bytes into values: README.md, "Conventions", "CBOR" and "Limits".

Every reader here takes bytes from somebody who may be hostile, has a limit, and either returns a value
or raises `Refused`. Nothing is verified here beyond form.
"""

import base64
import hashlib
import re
from contextlib import contextmanager

import cbor2

DAY = 86_400
# Limits that more than one reader needs.
MAX_ENTRIES = 1 << 20       # of a log
MAX_NAMED_SIZE = 1 << 32    # that a statement or an entry gives a log
MAX_PARTS = 256


class Refused(Exception):
    """Something does not hold. The code is one of the findings in Bundle.md or Sync.md."""

    def __init__(self, code: str, why: str = "", *, path=None, log=None, sequence=None):
        super().__init__(why or code)
        self.code, self.why, self.path, self.log, self.sequence = code, why, path, log, sequence


class Malformed(Refused):
    """Bytes that are not in their one form."""

    def __init__(self, why: str):
        super().__init__("malformed", why)


class Newer(Refused):
    """Made by a newer version: nothing is wrong, and nothing may be concluded."""

    def __init__(self, why: str = ""):
        super().__init__("newer-version", why)


@contextmanager
def told_as(code: str, **where):
    """What is malformed within, or contradicts its leaf, is told as the finding of its place."""
    try:
        yield
    except Refused as error:
        if not isinstance(error, Malformed) and error.code != "violation":
            raise
        raise Refused(code, error.why, **where) from error


# Hashes ---------------------------------------------------------------------------------------------

def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def framed_domain(name: str) -> bytes:
    """u8 len(D) ‖ D."""
    domain = b"cairn/v1/" + name.encode()
    return bytes([len(domain)]) + domain


def domain_hash(name: str, *parts: bytes) -> bytes:
    """H[D](a, b, …)."""
    return sha256(framed_domain(name), *(u64(len(part)) + part for part in parts))


def signed_message(name: str, message: bytes) -> bytes:
    """What `Sign[D]` signs."""
    return framed_domain(name) + message


def u16(number: int) -> bytes:
    return number.to_bytes(2, "big")


def u64(number: int) -> bytes:
    return number.to_bytes(8, "big")


# Text -----------------------------------------------------------------------------------------------

def b32(data: bytes) -> str:
    return base64.b32encode(data).decode().lower().rstrip("=")


def from_b32(text: str, length: int) -> bytes:
    """Lower case, no padding, unused bits zero."""
    if not re.fullmatch("[a-z2-7]*", text):
        raise Malformed("not base32")
    try:
        data = base64.b32decode(text.upper() + "=" * (-len(text) % 8))
    except ValueError as error:
        raise Malformed("not base32") from error
    if len(data) != length or b32(data) != text:
        raise Malformed("not base32 in its one form")
    return data


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def from_b64(text: str) -> bytes:
    """With padding, unused bits zero."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise Malformed("not base64") from error
    if b64(data) != text:
        raise Malformed("not base64 in its one form")
    return data


def decimal(text: str) -> int:
    if not re.fullmatch("0|[1-9][0-9]{0,19}", text) or int(text) >= 1 << 64:
        raise Malformed("not a number in its one form")
    return int(text)


# CBOR -----------------------------------------------------------------------------------------------

MAX_DEPTH = 8


def decode(data: bytes, limit: int):
    """One CBOR item in the deterministic encoding, and nothing after it.

    A library decodes leniently. So types and depth are checked, the value is encoded again, and the bytes
    are compared: there is one encoding of each value, so what differs was in another form.
    """
    if len(data) > limit:
        raise Malformed("longer than its limit")
    try:
        value = cbor2.loads(data, max_depth=64, allow_indefinite=False, allow_duplicate_keys=False)
        _check_types(value, 0)
        again = cbor2.dumps(value, canonical=True)
    except Refused:
        raise
    except Exception as error:  # the library's own, and what it lets through of Python's
        raise Malformed("not CBOR") from error
    if again != data:
        raise Malformed("not in the deterministic encoding")
    return value


def _check_types(value, depth: int):
    kind = type(value)
    if kind in (list, dict):
        if depth == MAX_DEPTH:
            raise Malformed("nested too deep")
        for item in (list(value) + list(value.values()) if kind is dict else value):
            _check_types(item, depth + 1)
    elif kind is int:
        if not -(1 << 64) <= value < 1 << 64:
            raise Malformed("an integer of more than 64 bits")
    elif kind not in (bytes, str, bool, type(None)):
        raise Malformed("a type that is not used")


def encode(value) -> bytes:
    return cbor2.dumps(value, canonical=True)


def record(value, keys: tuple, optional: tuple = ()) -> dict:
    """A map with exactly these keys; those that may be absent come back as None."""
    if type(value) is not dict or any(type(key) is not int for key in value):
        raise Malformed("not a record")
    if not set(keys) <= set(value) <= set(keys) | set(optional):
        raise Malformed("a record lacks a key, or has one too many")
    return {key: value.get(key) for key in keys + optional}


def versioned(value) -> dict:
    """A record whose key 0 is a version: another one is told before anything else of it is looked at."""
    if type(value) is not dict or len(value) > 64:
        raise Malformed("not a record")
    for key in value:
        uint(key)
    if uint(value.get(0)) != 1:
        raise Newer()
    return value


def uint(value, below: int = 1 << 64) -> int:
    if type(value) is not int or not 0 <= value < below:
        raise Malformed("not an unsigned integer within its limit")
    return value


def octets(value, length: int) -> bytes:
    if type(value) is not bytes or len(value) != length:
        raise Malformed(f"not {length} bytes")
    return value


def bounded(value, limit: int) -> bytes:
    if type(value) is not bytes or len(value) > limit:
        raise Malformed("not bytes within their limit")
    return value


def text(value, limit: int) -> str:
    if type(value) is not str or len(value.encode()) > limit:
        raise Malformed("not a text within its limit")
    return value


def array(value, limit: int) -> list:
    if type(value) is not list or len(value) > limit:
        raise Malformed("not an array within its limit")
    return value


def tuple_of(value, length: int) -> list:
    if type(value) is not list or len(value) != length:
        raise Malformed(f"not an array of {length}")
    return value


def ascending(items: list) -> list:
    if any(not a < b for a, b in zip(items, items[1:])):
        raise Malformed("not in ascending order")
    return items
