"""Logs that anybody can check: signatures, notes, checkpoints, receipts, trees, leaves.

README.md, "Cryptographic primitives"; CaseLog.md, "Log" and "Receipts"; and the published formats that these
name: RFC 6962, C2SP signed-note, tlog-checkpoint, tlog-cosignature.
"""

from dataclasses import dataclass

from nacl import bindings
from nacl.exceptions import BadSignatureError

from encoding import Malformed, b32, b64, decimal, domain_hash, from_b64, sha256, signed_message, u64

GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493
MAX_NOTE = 16 * 1024
MAX_SIGNATURES = 64
# Algorithms of keys that sign notes.
ED25519, COSIGNATURE = 1, 4


# Signatures -----------------------------------------------------------------------------------------

def is_signing_key(key: bytes) -> bool:
    """Canonical, and a point of prime order: libsodium's own test says exactly that."""
    return len(key) == 32 and bindings.crypto_core_ed25519_is_valid_point(key)


def is_signature(key: bytes, message: bytes, signature: bytes) -> bool:
    """The Ed25519 predicate of README.md."""
    if len(signature) != 64 or not is_signing_key(key):
        return False
    if int.from_bytes(signature[32:], "little") >= GROUP_ORDER or not is_signing_key(signature[:32]):
        return False
    try:
        bindings.crypto_sign_open(signature + message, key)
    except BadSignatureError:
        return False
    return True


def is_signed(domain: str, key: bytes, message: bytes, signature: bytes) -> bool:
    return is_signature(key, signed_message(domain, message), signature)


# Notes ----------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class NoteSignature:
    name: str
    key_id: bytes
    body: bytes


@dataclass(frozen=True)
class Note:
    text: bytes
    signatures: tuple

    def by(self, name: str, key_id: bytes) -> list:
        return [s for s in self.signatures if (s.name, s.key_id) == (name, key_id)]


def read_note(data: bytes) -> Note:
    if len(data) > MAX_NOTE:
        raise Malformed("a note that is too long")
    try:
        whole = data.decode()
    except UnicodeDecodeError as error:
        raise Malformed("a note that is not UTF-8") from error
    if any(ord(c) < 0x20 and c != "\n" for c in whole):
        raise Malformed("a control character in a note")
    body, blank, lines = whole.rpartition("\n\n")
    if not blank or not lines.endswith("\n"):
        raise Malformed("a note without signatures")
    signatures = [_read_signature(line) for line in lines[:-1].split("\n")]
    if len(signatures) > MAX_SIGNATURES:
        raise Malformed("a note with too many signatures")
    return Note((body + "\n").encode(), tuple(signatures))


def _read_signature(line: str) -> NoteSignature:
    dash, name, encoded = (line.split(" ") + ["", ""])[:3]
    if dash != "\u2014" or line != f"{dash} {name} {encoded}" or not is_key_name(name):
        raise Malformed("a line that is no signature")
    body = from_b64(encoded)
    if len(body) < 5:
        raise Malformed("a signature that is too short")
    return NoteSignature(name, body[:4], body[4:])


def is_key_name(name: str) -> bool:
    return name != "" and "+" not in name and not any(c.isspace() for c in name)


def key_id(name: str, algorithm: int, key: bytes) -> bytes:
    return sha256(name.encode(), b"\n", bytes([algorithm]), key)[:4]


def note_is_signed_by(note: Note, name: str, key: bytes) -> bool:
    """By an Ed25519 key: at least one signature under its name and id, and each of these valid."""
    found = note.by(name, key_id(name, ED25519, key))
    return found != [] and all(is_signature(key, note.text, line.body) for line in found)


# Checkpoints and receipts ---------------------------------------------------------------------------

def log_id(case_id: bytes, signing_key: bytes) -> bytes:
    return domain_hash("log-id", case_id, signing_key)


def origin(log: bytes) -> str:
    return "cairn/" + b32(log)


@dataclass(frozen=True)
class Checkpoint:
    origin: str
    size: int
    root: bytes


def read_checkpoint(note_text: bytes) -> Checkpoint:
    lines = note_text.decode().split("\n")
    if len(lines) != 4 or lines[3] != "":
        raise Malformed("a checkpoint has three lines")
    root = from_b64(lines[2])
    size = decimal(lines[1])
    if len(root) != 32 or size == 0 and root != EMPTY_ROOT or not is_key_name(lines[0]):
        raise Malformed("a checkpoint's root or origin")
    return Checkpoint(lines[0], size, root)


def read_head(data: bytes, log: bytes, key: bytes) -> tuple:
    """Note and checkpoint of a log, which it signed."""
    note = read_note(data)
    head = read_checkpoint(note.text)
    if head.origin != origin(log) or not note_is_signed_by(note, head.origin, key):
        raise Malformed("a checkpoint that its log did not sign")
    return note, head


@dataclass(frozen=True)
class WitnessKey:
    """A receipt key under its name, as a C2SP verifier key says it: `name+id+base64(4 ‖ key)`."""

    name: str
    key: bytes

    @staticmethod
    def of_member(log: bytes, receipt_key: bytes):
        return WitnessKey(origin(log) + "/receipt", receipt_key)

    @property
    def id(self) -> bytes:
        return key_id(self.name, COSIGNATURE, self.key)

    @property
    def text(self) -> str:
        return f"{self.name}+{self.id.hex()}+{b64(bytes([COSIGNATURE]) + self.key)}"

    @staticmethod
    def parse(line: str):
        name, _, rest = line.partition("+")
        identifier, _, encoded = rest.partition("+")
        data = from_b64(encoded)
        if not is_key_name(name) or len(data) != 33 or data[0] != COSIGNATURE or not is_signing_key(data[1:]):
            raise Malformed("not a receipt key")
        key = WitnessKey(name, data[1:])
        if identifier != key.id.hex():
            raise Malformed("a receipt key whose id is another's")
        return key

    def receipts_in(self, note: Note) -> list:
        """(time, is valid) of each signature line that claims to be by this key."""
        found = []
        for line in note.by(self.name, self.id):
            time = int.from_bytes(line.body[:8], "big")
            message = b"cosignature/v1\ntime %d\n" % time + note.text
            valid = len(line.body) == 72 and time < 1 << 63 and is_signature(self.key, message, line.body[8:])
            found.append((time, valid))
        return found


# Trees ----------------------------------------------------------------------------------------------

EMPTY_ROOT = sha256()


def leaf_hash(data: bytes) -> bytes:
    return sha256(b"\0", data)


def node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\1", left, right)


def split(size: int) -> int:
    """The largest power of two below a size of two or more."""
    return 1 << (size - 1).bit_length() - 1


class Tree:
    """A tree that grows leaf by leaf and knows its root at every size it ever had."""

    def __init__(self):
        self.levels = [[]]  # levels[h][i]: hash of the complete subtree over leaves i·2^h … (i+1)·2^h
        self.roots = [EMPTY_ROOT]

    @property
    def size(self) -> int:
        return len(self.levels[0])

    @property
    def root(self) -> bytes:
        return self.roots[-1]

    def append(self, hashed: bytes):
        self.levels[0].append(hashed)
        height = 0
        while len(self.levels[height]) % 2 == 0:
            if height + 1 == len(self.levels):
                self.levels.append([])
            self.levels[height + 1].append(node(*self.levels[height][-2:]))
            height += 1
        tops = [level[-1] for level in self.levels if len(level) % 2 == 1]
        root = tops[0]
        for left in tops[1:]:
            root = node(left, root)
        self.roots.append(root)

    def cut_back(self, size: int):
        """To what it was at a smaller size."""
        for height, level in enumerate(self.levels):
            del level[size >> height:]
        del self.roots[size + 1:]


def root_of(hashes) -> bytes:
    """Of any number of leaves, of which only the complete subtrees so far are kept."""
    peaks = []  # (height, hash), the largest first
    for hashed in hashes:
        height = 0
        while peaks and peaks[-1][0] == height:
            hashed = node(peaks.pop()[1], hashed)
            height += 1
        peaks.append((height, hashed))
    if not peaks:
        return EMPTY_ROOT
    root = peaks.pop()[1]
    while peaks:
        root = node(peaks.pop()[1], root)
    return root


def roots_by_prefix_proof(smaller: int, larger: int, proof: list) -> tuple:
    """The roots at both sizes that a prefix proof leads to (CaseLog.md, "Log")."""
    if smaller == larger:
        if len(proof) != 1:
            raise Malformed("a proof of another length")
        return proof[0], proof[0]
    if not proof:
        raise Malformed("a proof of another length")
    left = split(larger)
    if smaller <= left:
        old, new = roots_by_prefix_proof(smaller, left, proof[:-1])
        return old, node(new, proof[-1])
    old, new = roots_by_prefix_proof(smaller - left, larger - left, proof[:-1])
    return node(proof[-1], old), node(proof[-1], new)


def roots_by_consistency_proof(smaller: int, root: bytes, larger: int, proof: list) -> tuple:
    """The roots at both sizes that a proof of RFC 6962 §2.1.2 leads to, from a root that is known.

    It is a prefix proof without its first hash where that is the known root itself.
    """
    if smaller & (smaller - 1) == 0:
        proof = [root] + proof
    return roots_by_prefix_proof(smaller, larger, proof)


# Leaves ---------------------------------------------------------------------------------------------

LEAF_LENGTH = 74
CLASSES = CONTROL, CONTENT, NOTE = 1, 2, 3


@dataclass(frozen=True)
class Leaf:
    sequence: int
    cls: int
    commit: bytes
    ciphertext_hash: bytes

    @property
    def data(self) -> bytes:
        return b"\1" + u64(self.sequence) + bytes([self.cls]) + self.commit + self.ciphertext_hash

    def entry_id(self, log: bytes) -> bytes:
        return domain_hash("entry-id", log, self.data)


def read_leaf(data: bytes) -> Leaf:
    if len(data) != LEAF_LENGTH or data[0] != 1:
        raise Malformed("not a leaf")
    return Leaf(int.from_bytes(data[1:9], "big"), data[9], data[10:42], data[42:])


class Log:
    """The leaves of one log, and the entries of it that are known."""

    def __init__(self, identifier: bytes, key: bytes):
        self.id, self.key = identifier, key
        self.leaves, self.tree = [], Tree()
        self.entries = {}  # sequence: entries.Entry

    @property
    def size(self) -> int:
        return len(self.leaves)

    def append(self, leaf: Leaf):
        self.leaves.append(leaf)
        self.tree.append(leaf_hash(leaf.data))

    def cut_back(self, size: int):
        """To what it was at a smaller size."""
        del self.leaves[size:]
        self.tree.cut_back(size)

    def root_at(self, size: int):
        return self.tree.roots[size] if size <= self.size else None
