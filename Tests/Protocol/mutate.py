"""Changes bundles in many ways: their bytes, members, contents and headers; values and forms of the proof, with the lists made
again; and, by somebody who has the keys, what was signed.
"""

import io
import struct

import cbor2

import writer
from writer import archive
from encoding import Refused

# Archives as lists of (path, content), written in the one form ---------------------------------------

def unpack(data: bytes) -> list:
    opened = archive.Archive(io.BytesIO(data))
    return [(m.path, opened.content(m.path, 1 << 32)) for m in opened.members.values()]


# Changes: each takes a bundle and a source of chance, and gives the changed bytes and what was done ------

def flip(data: bytes, chance) -> tuple:
    at, bit = chance.randrange(len(data)), chance.randrange(8)
    return data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1:], f"bit {bit} of byte {at}"


def cut(data: bytes, chance) -> tuple:
    at = chance.randrange(len(data))
    return data[:at], f"cut at {at}"


def append(data: bytes, chance) -> tuple:
    extra = chance.randbytes(chance.randrange(1, 40))
    return (extra + data, "bytes before") if chance.random() < 0.5 else (data + extra, "bytes after")


def members(data: bytes, chance) -> tuple:
    """Members in another order, twice, left out, added, exchanged, renamed."""
    files = unpack(data)
    i, j = chance.randrange(len(files)), chance.randrange(len(files))
    what = chance.choice(["order", "twice", "out", "added", "exchanged", "renamed", "folded"])
    if what == "order":
        files[i], files[j] = files[j], files[i]
    elif what == "twice":
        files.append(files[i])
    elif what == "out":
        files.pop(i)
    elif what == "added":
        files.append((chance.choice(["data/x", "proof/x.txt", "x", "../x", "/x", "data/exhibits/9-9.png"]), b"x"))
    elif what == "exchanged":
        files[i], files[j] = (files[i][0], files[j][1]), (files[j][0], files[i][1])
    elif what == "renamed":
        files[i] = (files[i][0] + chance.choice(["x", "/y", "/", "."]), files[i][1])
    else:
        files.append((files[i][0].upper(), b"x"))
    if chance.random() < 0.5:
        try:
            files = list(writer.relisted(dict(files)).items())
            what += ", lists made again"
        except KeyError:
            pass
    return writer.packed(files), f"{what} {files[min(i, len(files) - 1)][0]}"


def content(data: bytes, chance) -> tuple:
    """A flip, cut or addition within one file, the lists made again: only the proof can tell."""
    files = unpack(data)
    choices = [i for i, (path, _) in enumerate(files) if "manifest" not in path]
    i = chance.choice(choices)
    path, before = files[i]
    change = chance.choice([flip, flip, flip, cut, append])
    after, what = change(before, chance) if before else (b"x", "a byte")
    files[i] = path, after
    return writer.packed(list(writer.relisted(dict(files)).items())), f"{path}: {what}, lists made again"


def value(data: bytes, chance) -> tuple:
    """One value within the CBOR of the proof is another one, in the one encoding, and the lists are made again."""
    files = unpack(data)
    i = chance.choice([i for i, (path, _) in enumerate(files) if path.endswith(".cbor")])
    path, before = files[i]
    tree = cbor2.loads(before)
    where = change_value(tree, chance)
    files[i] = path, cbor2.dumps(tree, canonical=True)
    return writer.packed(list(writer.relisted(dict(files)).items())), f"{path}: {where}"


def change_value(tree, chance) -> str:
    """Walks down by chance and changes what it comes to."""
    keys = list(tree) if isinstance(tree, dict) else list(range(len(tree)))
    if not keys:
        tree.append(0)
        return "added to an empty array"
    key = chance.choice(keys)
    inner = tree[key]
    if isinstance(inner, (list, dict)) and chance.random() < 0.85:
        return f"[{key}]" + change_value(inner, chance)
    what = chance.choice(["other", "removed", "doubled", "exchanged"])
    if what == "removed":
        del tree[key]
    elif what == "doubled" and isinstance(tree, list):
        tree.insert(key, inner)
    elif what == "exchanged" and isinstance(tree, list):
        other = chance.choice(keys)
        tree[key], tree[other] = tree[other], tree[key]
    else:
        tree[key] = other_value(inner, chance)
    return f"[{key}] {what}"


def other_value(old, chance):
    if type(old) is int:
        return chance.choice([old + 1, max(old - 1, 0), 0, 1 << 63, -1, (1 << 64) - 1, True, None, b"", "x", [], {}])
    if type(old) is bytes and old:
        inner = chance.random()
        if inner < 0.5:
            try:
                tree = cbor2.loads(old)
                if isinstance(tree, (list, dict)):
                    change_value(tree, chance)
                    return cbor2.dumps(tree, canonical=True)
            except Exception:
                pass
        return chance.choice([flip(old, chance)[0], old[:-1], old + b"\0", b"", chance.randbytes(len(old)), 0, "x"])
    if type(old) is str:
        return chance.choice([old + "x", old[:-1], "", old.encode(), old.upper(), 0])
    return chance.choice([0, b"", None, True, [], {}])


def form(data: bytes, chance) -> tuple:
    """The same values in another encoding: longer heads, indefinite lengths, tags, floats, keys in another order."""
    files = unpack(data)
    i = chance.choice([i for i, (path, _) in enumerate(files) if path.endswith(".cbor")])
    path, before = files[i]
    what = chance.choice(["tag", "indefinite", "trailing", "long head", "float", "order", "deep"])
    if what == "tag":
        after = b"\xd9\xd9\xf7" + before
    elif what == "trailing":
        after = before + b"\0"
    elif what == "deep":
        after = b"\x81" * chance.choice([7, 8, 9, 500, 100_000]) + before
    elif what == "float":
        after = cbor2.dumps(1.5)
    elif what == "order":
        tree = cbor2.loads(before)
        after = cbor2.dumps(dict(reversed(tree.items())) if isinstance(tree, dict) else tree[::-1])
    elif what == "indefinite" and before[0] >> 5 in (4, 5):
        head = 1 if before[0] & 31 < 24 else 1 + (1 << (before[0] & 31) - 24)
        after = bytes([before[0] & 0xE0 | 31]) + before[head:] + b"\xff"
    else:
        count = before[0] & 31
        after = bytes([before[0] & 0xE0 | 24, count]) + before[1:] if count < 24 else before + b"\xf6"
    files[i] = path, after
    return writer.packed(list(writer.relisted(dict(files)).items())), f"{path}: {what}"


def headers(data: bytes, chance) -> tuple:
    """A field of a header of the archive."""
    kinds = [b"PK\3\4", b"PK\1\2", b"PK\5\6"]
    starts = [i for kind in kinds for i in range(len(data) - 22) if data.startswith(kind, i)] + [len(data) - 22]
    at = chance.choice(starts) + chance.randrange(22)
    at = min(at, len(data) - 2)
    return data[:at] + struct.pack("<H", chance.choice([0, 1, 8, 0x800, 0xFFFF])) + data[at + 2:], f"header field {at}"


CHANGES = [flip, cut, append, members, members, content, content, content, value, value, value, form, headers]


# Changes by somebody who has the keys: the case of writer.py, which is written again around the change -----

def signed_again(chance) -> tuple:
    """A value within a proof file is another one, and the exporter signs the bundle again."""
    case = writer.Case().tell()
    files = dict(case.bundle())
    path = chance.choice([p for p in files if p.endswith(".cbor")])
    tree = cbor2.loads(files[path])
    what = change_value(tree, chance)
    files = writer.relisted(files | {path: cbor2.dumps(tree, canonical=True)})
    return case, list(writer.sealed(files, case.survivor).items()), f"{path}: {what}"


def authored(chance) -> tuple:
    """One part of one entry is another one, and its author commits to it: tree, heads, receipts, report follow."""
    target, count, said = chance.randrange(7), [0], []
    plain = writer.Device.append_parts

    def changed(device, cls, key, parts):
        if count[0] == target:
            i = chance.randrange(len(parts))
            label, data = parts[i]
            tree = [cbor2.loads(data)]
            what = change_value(tree, chance)
            said.append(f"{label}: {what}")
            parts = [*parts]
            parts[i] = (label, cbor2.dumps(tree[0] if tree else None, canonical=True))
            if chance.random() < 0.2:
                j = chance.randrange(len(parts))
                parts[i], parts[j] = parts[j], parts[i]
            if chance.random() < 0.1:
                cls = chance.choice([0, 1, 2, 3, 4])
        count[0] += 1
        return plain(device, cls, key, parts)

    writer.Device.append_parts = changed
    try:
        case = writer.Case().tell()
    finally:
        writer.Device.append_parts = plain
    try:
        files = case.bundle()
    except Refused:  # there is no report of what does not hold
        rendered, writer.rendered = writer.rendered, lambda files: b""
        try:
            files = case.bundle()
        finally:
            writer.rendered = rendered
    return case, files, f"entry {target}, {' '.join(said)}"


def make(chance, bases: list) -> tuple:
    """(bytes, what is known from elsewhere, what was done)

    - Parameter bases: each (name, bytes, what is known from elsewhere).
    """
    if chance.random() < 0.3:
        change = chance.choice([signed_again, authored, authored])
        case, files, what = change(chance)
        data, known = writer.packed(files), (case.id, [case.advocate.witness_key()])
    else:
        change = chance.choice(CHANGES)
        name, base, known = chance.choice(bases)
        data, what = change(base, chance)
        what = f"{name}: {what}"
    return data, known, f"{change.__name__}, {what}"
