"""Entries and their parts: header, context, and what changes a case (CaseLog.md, "Entry")."""

from dataclasses import dataclass, field

import logs
from content import read_content
from encoding import (MAX_NAMED_SIZE, MAX_PARTS, Malformed, Newer, Refused, array, ascending, bounded, decode, framed_domain, octets, record,
                      sha256, tuple_of, u16, uint)
from statements import ADVOCATE, SURVIVOR, read_card

ADMIT, EPOCH, SHARE, CUT, ERASE, KEEP = range(1, 7)
EVIDENCE, AMEND, RETRACT = 16, 17, 18
PLAIN_NOTE, TAKEDOWN, REQUEST = 32, 33, 34
# Of content and notes, as they are told.
KINDS = {EVIDENCE: "evidence", AMEND: "amend", RETRACT: "retract", PLAIN_NOTE: "note", TAKEDOWN: "takedown", REQUEST: "request"}


@dataclass
class Entry:
    """An entry of which at least part 0 is known."""

    log: bytes
    leaf: logs.Leaf
    kind: int = 0
    part_count: int = 0
    parts: dict = field(default_factory=dict)      # index: (label, bytes)
    context: dict = None                           # clock, heads, receipts
    control: dict = None                           # of a control entry; None where a newer version made it
    content: dict = None                           # label: value; of content and notes
    has_unknown_parts: bool = False                # or such as cannot be read

    @property
    def id(self) -> bytes:
        return self.leaf.entry_id(self.log)


def part_hash(index: int, label: str, salt: bytes, data: bytes) -> bytes:
    return sha256(b"\0", framed_domain("entry-part"), u16(index), bytes([len(label)]), label.encode(), salt, data)


def check_label(label) -> str:
    if type(label) is not str or not 1 <= len(label) <= 32 or not all(c in "abcdefghijklmnopqrstuvwxyz-" for c in label):
        raise Malformed("a label that is none")
    return label


def read_entry(case_id: bytes, log: bytes, leaf: logs.Leaf, count: int, parts: dict) -> Entry:
    """Looks into parts that were found to give the leaf's commitment.

    - Throws: `Refused("violation")` where part 0 contradicts the leaf or a kind its class.
    """
    if not 2 <= count <= MAX_PARTS or parts.get(0, ("", b""))[0] != "header":
        raise Malformed("an entry without its first part")
    head = record(decode(parts[0][1], 256), (0, 1, 2, 3, 4))
    entry = Entry(log, leaf, uint(head[3]), count, parts)
    place = (octets(head[0], 32), octets(head[1], 32), uint(head[2]), uint(head[4]))
    if place != (case_id, log, leaf.sequence, count):
        raise Refused("violation", "part 0 names another place")
    if entry.kind not in {logs.CONTROL: range(1, 16), logs.CONTENT: range(16, 32),
                          logs.NOTE: range(32, 48)}.get(leaf.cls, ()):
        raise Refused("violation", "a kind under another class")
    if 1 in parts:
        if parts[1][0] != "context":
            raise Malformed("part 1 is the context")
        entry.context = read_context(parts[1][1])
    if leaf.cls == logs.CONTROL:
        if count != 3 or parts.get(2, ("", b""))[0] != "control":
            raise Refused("violation", "a control entry has one further part")
        try:
            entry.control = read_control(entry.kind, parts[2][1])
        except Malformed as error:
            raise Refused("violation", "a control entry that cannot be read") from error
        except Newer:
            pass  # what that means for the case depends on where it stands
    else:
        try:
            entry.content, unknown = read_content([parts[i] for i in sorted(parts) if i > 1], len(parts) == count)
            entry.has_unknown_parts = unknown != set()
        except Malformed:
            entry.has_unknown_parts = True
    return entry


def read_context(data: bytes) -> dict:
    fields = record(decode(data, 1 << 20), (0, 1, 2))
    heads = []
    for item in array(fields[1], 1024):
        log, size, root = tuple_of(item, 3)
        heads.append((octets(log, 32), uint(size), octets(root, 32)))
    ascending([head[0] for head in heads])
    receipts = [bounded(note, logs.MAX_NOTE) for note in array(fields[2], 1024)]
    return {"clock": uint(fields[0]), "heads": heads, "receipts": receipts}


def read_control(kind: int, data: bytes) -> dict:
    if kind > KEEP:
        raise Newer("a control entry of a kind that is not known")
    value = decode(data, 1 << 20)
    if kind == ADMIT:
        fields = record(value, (0, 1), (2,))
        if uint(fields[1]) not in (SURVIVOR, ADVOCATE):
            raise Malformed("a role that is not known")
        return {"card": read_card(bounded(fields[0], 4096)), "role": fields[1],
                "until": None if fields[2] is None else uint(fields[2])}
    if kind == EPOCH:
        fields = record(value, (0, 1, 2, 3))
        return {"audience": read_audience(fields[0]), "commitment": octets(fields[1], 32),
                "members": [octets(m, 32) for m in array(fields[2], 1024)],
                "replaces": [octets(e, 32) for e in array(fields[3], 4096)]}
    if kind == SHARE:
        fields = record(value, (0, 1, 2))
        ranges = []
        for item in array(fields[1], 16_384):
            log, first, count = tuple_of(item, 3)
            ranges.append((octets(log, 32), uint(first, MAX_NAMED_SIZE + 1), uint(count, MAX_NAMED_SIZE + 1)))
        return {"epoch": octets(fields[0], 32), "ranges": ranges, "batch": octets(fields[2], 32)}
    if kind == CUT:
        fields = record(value, (0, 1, 2))
        return {"log": octets(fields[0], 32), "size": uint(fields[1], MAX_NAMED_SIZE + 1), "root": octets(fields[2], 32)}
    if kind == ERASE:
        return {"entries": [octets(e, 32) for e in array(record(value, (0,))[0], 4096)]}
    return {"entry": octets(record(value, (0,))[0], 32)}


def read_audience(value) -> tuple:
    kind, subject = tuple_of(value, 2)
    if uint(kind) not in (0, 1, 2):
        raise Malformed("an audience that is not known")
    return kind, octets(subject, 32) if kind == 1 else require_null(subject)


def require_null(value):
    if value is not None:
        raise Malformed("not null")
    return None
