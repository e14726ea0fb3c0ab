"""What is signed outside of logs: cards, root statements, successions (CaseLog.md, "Case and root", "Member, card", "New keys for
a device").
"""

from dataclasses import dataclass

from nacl import bindings

import logs
from encoding import (MAX_NAMED_SIZE, Malformed, Refused, array, bounded, decode, domain_hash, octets, record, tuple_of,
                      uint, versioned)

SURVIVOR, ADVOCATE = 1, 2
MAX_STATEMENT = 4096


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
    octets(by_signing, 64), octets(by_receipt, 64)
    fields = record(versioned(decode(bounded(body, 4096), 4096)), (0, 1, 2, 3, 4))
    card = Card(body, octets(fields[1], 32), octets(fields[2], 32), octets(fields[3], 32), uint(fields[4]))
    if card.role not in (SURVIVOR, ADVOCATE):
        raise Malformed("a role that is not known")
    if card.signing_key == card.receipt_key or is_small_order(card.box_key):
        raise Malformed("a card whose keys are equal or weak")
    if not logs.is_signed("card", card.signing_key, body, by_signing):
        raise Malformed("a card that its signing key did not sign")
    if not logs.is_signed("card", card.receipt_key, body, by_receipt):
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


def _split(data: bytes) -> tuple:
    """Body and signature."""
    body, signature = tuple_of(decode(data, MAX_STATEMENT), 2)
    return bounded(body, MAX_STATEMENT), octets(signature, 64)


def read_statement(data: bytes, case_id: bytes) -> Statement:
    """Everything but the signature, which the root key of the founding statement checks."""
    body, signature = _split(data)
    fields = decode(body, MAX_STATEMENT)
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
                         size=uint(fields[3], MAX_NAMED_SIZE + 1))
    if kind == 4:
        fields = record(fields, (0, 1, 2, 3, 4))
        cut = [octets(log, 32) for log in array(fields[3], 64)]
        sizes = [uint(size, MAX_NAMED_SIZE + 1) for size in tuple_of(fields[4], len(cut))]
        if octets(fields[2], 32) in cut:
            raise Malformed("who stays is among those who are cut")
        return Statement(kind, body, signature, log=fields[2], cut=tuple(zip(cut, sizes)))
    if kind == 5:
        fields = record(fields, (0, 1, 2))
        return Statement(kind, body, signature, entry=octets(fields[2], 32))
    return Statement(kind, body, signature)


def founded(data: bytes) -> tuple:
    """Case id and root key of what may be a founding statement, whoever signed it; else (None, None).

    The id follows from the key, so that nobody can give a case another root.
    """
    try:
        fields = decode(_split(data)[0], MAX_STATEMENT)
        case_id = domain_hash("case-id", fields[2])
        return (case_id, fields[2]) if (fields[0], fields[1]) == (1, case_id) else (None, None)
    except (Refused, TypeError, KeyError, IndexError):
        return None, None


def read_signed(data: bytes, case_id: bytes, root: bytes) -> Statement:
    """One that the root signed. What others signed says nothing, not even that it is of a newer version."""
    if not logs.is_signed("root-statement", root, *_split(data)):
        raise Refused("statement-invalid", "a statement that the root did not sign")
    statement = read_statement(data, case_id)
    if statement.root_key not in (None, root):
        raise Refused("statement-invalid", "a founding statement with another root")
    return statement


def read_statements(items: list, case_id: bytes) -> list:
    """Statements of this case that its root signed; without a founding statement that is of it, none."""
    root = dict(map(founded, items)).get(case_id)
    if root is None:
        raise Refused("statement-invalid", "no founding statement of this case")
    return [read_signed(item, case_id, root) for item in items]


@dataclass(frozen=True)
class Succession:
    body: bytes
    old_key: bytes
    card: Card


def read_succession(data: bytes, case_id: bytes) -> Succession:
    body, by_old, by_new = tuple_of(decode(data, 4096), 3)
    octets(by_old, 64), octets(by_new, 64)
    fields = record(versioned(decode(bounded(body, 4096), 4096)), (0, 1, 2, 3))
    card = read_card(bounded(fields[3], 4096))
    old_key = octets(fields[2], 32)
    if octets(fields[1], 32) != case_id or old_key == card.signing_key:
        raise Malformed("a succession of another case, or to the same key")
    if not logs.is_signed("succession", old_key, body, by_old):
        raise Malformed("a succession that the old key did not sign")
    if not logs.is_signed("succession", card.signing_key, body, by_new):
        raise Malformed("a succession that the new key did not sign")
    return Succession(body, old_key, card)
