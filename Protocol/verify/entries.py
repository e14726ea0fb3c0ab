"""What the objects of a case say: statements, cards, successions, entries and their parts (CaseLog.md)."""

import calendar
from dataclasses import dataclass, field

from nacl import bindings

import logs
from encoding import (Malformed, Refused, array, ascending, bounded, decode, octets,
                      record, sha256, text, tuple_of, u16, uint, versioned)

SURVIVOR, ADVOCATE = 1, 2
MAX_STATEMENT = 4096
MAX_ENTRIES = 1 << 32

ADMIT, EPOCH, SHARE, CUT, ERASE, KEEP = range(1, 7)
EVIDENCE, AMEND, RETRACT = 16, 17, 18
PLAIN_NOTE, TAKEDOWN, REQUEST = 32, 33, 34


# Cards ----------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Card:
    body: bytes
    signing_key: bytes
    receipt_key: bytes
    box_key: bytes
    role: int


def read_card(data: bytes) -> Card:
    body, by_signing, by_receipt = tuple_of(decode(data, 4096), 3)
    fields = record(versioned(decode(bounded(body, 4096), 4096)), (0, 1, 2, 3, 4))
    card = Card(body, octets(fields[1], 32), octets(fields[2], 32), octets(fields[3], 32), uint(fields[4]))
    if card.role not in (SURVIVOR, ADVOCATE):
        raise Malformed("a role that is not known")
    if card.signing_key == card.receipt_key or is_small_order(card.box_key):
        raise Malformed("a card whose keys are equal or weak")
    if not logs.is_signed("card", card.signing_key, body, octets(by_signing, 64)):
        raise Malformed("a card that its signing key did not sign")
    if not logs.is_signed("card", card.receipt_key, body, octets(by_receipt, 64)):
        raise Malformed("a card that its receipt key did not sign")
    return card


def is_small_order(key: bytes) -> bool:
    """Any scalar times such a key is zero, and the library refuses to answer that."""
    try:
        bindings.crypto_scalarmult(bytes(32), key)
    except RuntimeError:
        return True
    return False


# Root statements and successions --------------------------------------------------------------------

@dataclass(frozen=True)
class Statement:
    kind: int
    body: bytes
    signature: bytes
    card: Card = None           # 1 and 2
    root_key: bytes = None      # 1
    sealed_root: bytes = None   # 1
    log: bytes = None           # 3 and 4
    size: int = None            # 3
    cut: tuple = ()             # 4: (log id, size)
    entry: bytes = None         # 5


def read_statement(data: bytes, case_id: bytes) -> Statement:
    """Everything but the signature, which the root key of the founding statement checks."""
    body, signature = tuple_of(decode(data, MAX_STATEMENT), 2)
    octets(signature, 64)
    fields = decode(bounded(body, MAX_STATEMENT), MAX_STATEMENT)
    if type(fields) is not dict or not {0, 1} <= set(fields) or len(fields) > 16:
        raise Malformed("a statement that is no record")
    for key in fields:
        uint(key)
    kind = uint(fields[0])
    if octets(fields[1], 32) != case_id:
        raise Refused("statement-invalid", "a statement of another case")
    if kind == 1:
        fields = record(fields, (0, 1, 2, 3, 4))
        return Statement(kind, body, signature, card=read_card(bounded(fields[3], 4096)),
                         root_key=octets(fields[2], 32), sealed_root=octets(fields[4], 80))
    if kind == 2:
        fields = record(fields, (0, 1, 2))
        return Statement(kind, body, signature, card=read_card(bounded(fields[2], 4096)))
    if kind == 3:
        fields = record(fields, (0, 1, 2, 3))
        return Statement(kind, body, signature, log=octets(fields[2], 32),
                         size=uint(fields[3], MAX_ENTRIES + 1))
    if kind == 4:
        fields = record(fields, (0, 1, 2, 3, 4))
        cut = [octets(log, 32) for log in array(fields[3], 64)]
        sizes = [uint(size, MAX_ENTRIES + 1) for size in tuple_of(fields[4], len(cut))]
        if octets(fields[2], 32) in cut:
            raise Malformed("who stays is among those who are cut")
        return Statement(kind, body, signature, log=fields[2], cut=tuple(zip(cut, sizes)))
    if kind == 5:
        fields = record(fields, (0, 1, 2))
        return Statement(kind, body, signature, entry=octets(fields[2], 32))
    return Statement(kind, body, signature)


@dataclass(frozen=True)
class Succession:
    body: bytes
    old_key: bytes
    card: Card


def read_succession(data: bytes, case_id: bytes) -> Succession:
    body, by_old, by_new = tuple_of(decode(data, 4096), 3)
    fields = record(versioned(decode(bounded(body, 4096), 4096)), (0, 1, 2, 3))
    card = read_card(bounded(fields[3], 4096))
    old_key = octets(fields[2], 32)
    if octets(fields[1], 32) != case_id or old_key == card.signing_key:
        raise Malformed("a succession of another case, or to the same key")
    if not logs.is_signed("succession", old_key, body, octets(by_old, 64)):
        raise Malformed("a succession that the old key did not sign")
    if not logs.is_signed("succession", card.signing_key, body, octets(by_new, 64)):
        raise Malformed("a succession that the new key did not sign")
    return Succession(body, old_key, card)


# Entries --------------------------------------------------------------------------------------------

MAX_PARTS = 256


@dataclass
class Entry:
    """An entry of which at least part 0 is known."""

    log: bytes
    leaf: logs.Leaf
    kind: int = 0
    part_count: int = 0
    parts: dict = field(default_factory=dict)      # index: (label, bytes)
    context: dict = None                           # clock, heads, receipts
    control: dict = None                           # of a control entry
    content: dict = None                           # label: value; of content and notes
    unknown_labels: list = field(default_factory=list)

    @property
    def id(self) -> bytes:
        return self.leaf.entry_id(self.log)


def part_hash(index: int, label: str, salt: bytes, data: bytes) -> bytes:
    domain = b"cairn/v1/entry-part"
    return sha256(b"\0", bytes([len(domain)]), domain, u16(index), bytes([len(label)]), label.encode(),
                  salt, data)


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
    else:
        try:
            read_content(entry, [parts[i] for i in sorted(parts) if i > 1], len(parts) == count)
        except Malformed:
            entry.unknown_labels.append("unreadable")
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
            ranges.append((octets(log, 32), uint(first, MAX_ENTRIES + 1), uint(count, MAX_ENTRIES + 1)))
        return {"epoch": octets(fields[0], 32), "ranges": ranges, "batch": octets(fields[2], 32)}
    if kind == CUT:
        fields = record(value, (0, 1, 2))
        return {"log": octets(fields[0], 32), "size": uint(fields[1], MAX_ENTRIES + 1), "root": octets(fields[2], 32)}
    if kind == ERASE:
        return {"entries": [octets(e, 32) for e in array(record(value, (0,))[0], 4096)]}
    if kind == KEEP:
        return {"entry": octets(record(value, (0,))[0], 32)}
    return {}


def read_audience(value) -> tuple:
    kind, subject = tuple_of(value, 2)
    if uint(kind) not in (0, 1, 2):
        raise Malformed("an audience that is not known")
    return kind, octets(subject, 32) if kind == 1 else require_null(subject)


def require_null(value):
    if value is not None:
        raise Malformed("not null")
    return None


# Content and notes ----------------------------------------------------------------------------------

KIB = 1024


def read_content(entry: Entry, parts: list, is_whole: bool):
    """Into `entry.content`, which is there only if all of it could be read."""
    content = {"file": [], "name": {}, "blob": {}}
    for label, data in parts:
        if label not in READERS:
            if label in entry.unknown_labels:
                raise Malformed("a label twice")
            entry.unknown_labels.append(label)
            continue
        value = READERS[label](decode(data, 1 << 20))
        if label == "file":
            content["file"].append(value)
        elif label in ("name", "blob"):
            if value["number"] in content[label]:
                raise Malformed("two names, or two keys, of one file")
            content[label][value["number"]] = value
        else:
            if label in content:
                raise Malformed("a label twice")
            content[label] = value
    if [file["number"] for file in content["file"]] != list(range(len(content["file"]))):
        raise Malformed("files whose numbers are not in order")
    described = {file["number"]: file for file in content["file"]}
    if not is_whole:
        content["name"] = {number: name for number, name in content["name"].items() if number in described}
    if not set(content["name"]) | set(content["blob"]) <= set(described):
        raise Malformed("a name or key without its file")
    if content["blob"] and content.get("minor") or any(described[n]["without"] for n in content["blob"]):
        raise Malformed("a picture that must not be kept")
    entry.content = content


def _read_tags(value):
    return [text(tag, KIB) for tag in array(value, 64)]


def _read_file(value):
    fields = record(value, (0, 1, 2, 3, 4))
    if type(fields[4]) is not bool:
        raise Malformed("not a truth")
    return {"number": uint(fields[0], MAX_PARTS), "size": uint(fields[1], (1 << 40) + 1),
            "sha256": octets(fields[2], 32), "type": text(fields[3], 127), "without": fields[4]}


def _read_name(value):
    fields = record(value, (0, 1))
    name = text(fields[1], KIB) if type(fields[1]) is str else bounded(fields[1], KIB)
    return {"number": uint(fields[0], MAX_PARTS), "name": name}


def _read_blob(value):
    fields = record(value, (0, 1, 2))
    return {"number": uint(fields[0], MAX_PARTS), "root": octets(fields[1], 32), "key": octets(fields[2], 32)}


def _read_takedown(value):
    fields = record(value, (0,), (1, 2))
    step = uint(fields[0])
    if not 1 <= step <= 5:
        raise Malformed("a step that is not known")
    return {"step": step, "where": None if fields[1] is None else text(fields[1], KIB),
            "reference": None if fields[2] is None else text(fields[2], KIB)}


def _read_request(value):
    state = uint(record(value, (0,))[0])
    if not 1 <= state <= 3:
        raise Malformed("a state that is not known")
    return state


def _read_minor(value):
    if value is not True:
        raise Malformed("not true")
    return True


READERS = {
    "url": lambda value: text(value, 8 * KIB),
    "seen": lambda value: read_seen(value),
    "words": lambda value: text(value, 512 * KIB),
    "title": lambda value: text(value, KIB),
    "place": lambda value: text(value, KIB),
    "account": lambda value: text(value, KIB),
    "tags": _read_tags,
    "file": _read_file,
    "name": _read_name,
    "blob": _read_blob,
    "about": lambda value: [octets(e, 32) for e in array(value, 4096)],
    "takedown": _read_takedown,
    "request": _read_request,
    "minor": _read_minor,
}


# Claimed times --------------------------------------------------------------------------------------

EXACT, DATE, ABOUT, RANGE = range(4)


def read_seen(value) -> dict:
    form = uint(value.get(0) if type(value) is dict else None)
    if form > RANGE:
        raise Malformed("a form of time that is not known")
    fields = record(value, (0, 1, 2) if form == RANGE else (0, 1))
    moments = [read_moment(fields[key]) for key in sorted(fields) if key > 0]
    for moment in moments:
        if form == EXACT and moment[0] != 0 or form in (DATE, ABOUT) and moment[0] != 1:
            raise Malformed("a moment of another kind")
    if form == RANGE and first_second(moments[1]) < first_second(moments[0]):
        raise Malformed("a range that ends before it begins")
    return {"form": form, "moments": moments}


def read_moment(value) -> list:
    kind = uint((array(value, 4) or [None])[0])
    if kind == 0:
        _, seconds, minutes = tuple_of(value, 3)
        if type(seconds) is not int or not -62_135_510_400 <= seconds <= 253_402_214_399:
            raise Malformed("a second outside of the years that have a name")
        if type(minutes) is not int or not -1439 <= minutes <= 1439:
            raise Malformed("minutes east of UTC that do not exist")
    elif kind == 1 and 2 <= len(value) <= 4:
        numbers = [uint(part) for part in value[1:]]
        year, month, day = (numbers + [1, 1])[:3]
        if not 1 <= year <= 9999 or not 1 <= month <= 12 or not 1 <= day <= days_in(year, month):
            raise Malformed("a day that does not exist")
    else:
        raise Malformed("a moment that is none")
    return value


def days_in(year: int, month: int) -> int:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


def first_second(moment: list) -> int:
    """The first second that a moment can mean, in UTC."""
    if moment[0] == 0:
        return moment[1]
    year, month, day = (moment[1:] + [1, 1])[:3]
    # calendar.timegm refuses nothing, but counts only from year 1 on as we do.
    return calendar.timegm((year, month, day, 0, 0, 0))
