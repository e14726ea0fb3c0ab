"""A folder as a mailbox, verified as Sync.md says: first what needs no keys, then what the kit opens."""

import os
import re
import stat
from dataclasses import dataclass, field

import entries
import frames
import keys
import logs
import statements
from encoding import Malformed, Newer, Refused, b32, decode, domain_hash, from_b32
from state import State, Union

MAX_HEAD = 16 << 20
MAX_STREAM = 1 << 30
NAME = "[a-z2-7]{52}"
ALLOWED = {
    "head": {frames.SUMMARY, frames.STATEMENTS, frames.SUCCESSIONS, frames.HEADS, frames.FORKS, frames.WRAPS},
    "r": {frames.RANGE},
    "s": {frames.SLOTS, frames.BODIES},
}


@dataclass
class File:
    path: str
    kind: str            # head, r, s, b
    owner: bytes         # log id of the subfolder
    name: tuple          # r: log, first, end; s: entry; b: root
    frames: list = field(default_factory=list)


@dataclass
class Subfolder:
    name: str
    tag: str
    owner: bytes


class Folder:
    """Everything that a folder proves.

    - Parameters:
      - case_id: what whoever asks knows; else it is taken from the founding statement that fits the folder's tag.
      - kit: (public, secret), to open entries and so to know advocates and what counts.
    """

    def __init__(self, path: str, case_id: bytes = None, kit: tuple = None):
        self.path, self.case_id, self.kit = path, case_id, kit
        self.findings = []
        self.logs, self.notes, self.ciphertexts, self.slots, self.wraps = {}, {}, {}, {}, []
        self.files, self.subfolders, self.blobs, self.state = [], [], {}, None

    def verify(self):
        self._list()
        self._read_files()
        self._find_case()
        self._read_heads()
        found = list(self.findings)
        while True:
            self.findings = list(found)
            self._read_ranges()
            self._read_shares()
            self._compare_heads()
            if not self.kit or not self._open():
                break

    def _tell(self, code: str, path=None, log=None, sequence=None, why=""):
        self.findings.append(Refused(code, why, path=path, log=log, sequence=sequence))

    # Names

    def _list(self):
        try:
            names = sorted(os.listdir(self.path))
        except OSError as error:
            raise Refused("unreadable", "no such folder") from error
        for name in names:
            match = re.fullmatch(f"([a-z2-7]{{16}})-({NAME})", name)
            full = os.path.join(self.path, name)
            if match and stat.S_ISDIR(os.lstat(full).st_mode):
                try:
                    self.subfolders.append(Subfolder(name, match[1], from_b32(match[2], 32)))
                except Malformed:
                    continue
        if not self.subfolders:
            raise Refused("not-a-mailbox", "nothing in it has the name of a member's folder")

    def _names(self, sub: Subfolder):
        for name in sorted(os.listdir(os.path.join(self.path, sub.name))):
            path = f"{sub.name}/{name}"
            try:
                file = self._named(path, name, sub.owner)
            except Malformed:
                continue
            if not stat.S_ISREG(os.lstat(os.path.join(self.path, path)).st_mode):
                self._tell("file-damaged", path, why="a link, or no file at all")
                continue
            yield file

    @staticmethod
    def _named(path: str, name: str, owner: bytes) -> File:
        if name == "head":
            return File(path, "head", owner, ())
        if match := re.fullmatch(f"r-({NAME})-([0-9]{{10}})-([0-9]{{10}})", name):
            return File(path, "r", owner, (from_b32(match[1], 32), int(match[2]), int(match[3])))
        if match := re.fullmatch(f"([sb])-({NAME})", name):
            return File(path, match[1], owner, (from_b32(match[2], 32),))
        raise Malformed("a name that does not match")

    # Files

    def _read_files(self):
        for sub in self.subfolders:
            for file in self._names(sub):
                if file.kind == "b":
                    self._read_blob(file)
                else:
                    self._read_stream(file)
                self.files.append(file)

    def _read_stream(self, file: File):
        full = os.path.join(self.path, file.path)
        if os.path.getsize(full) > (MAX_HEAD if file.kind == "head" else MAX_STREAM):
            return self._tell("file-damaged", file.path, why="longer than its limit")
        with open(full, "rb") as opened:
            stream = frames.Stream(opened.read(), ALLOWED[file.kind])
        file.frames = stream.frames
        if stream.problem:
            code = "newer-version" if isinstance(stream.problem, Newer) else "file-damaged"
            self._tell(code, file.path, why=stream.problem.why)

    def _read_blob(self, file: File):
        """`u64 length ‖ span hashes ‖ sealed spans`, whatever key may open it."""
        with open(os.path.join(self.path, file.path), "rb") as opened:
            length = int.from_bytes(opened.read(8), "big")
            count = -(-length // (keys.SPAN + 16))
            if not 0 < count <= 1 << 24 or os.fstat(opened.fileno()).st_size < 8 + 32 * count + length:
                return self._tell("file-damaged", file.path, why="shorter than it says")
            hashes = [opened.read(32) for _ in range(count)]
            spans = [opened.read(min(keys.SPAN + 16, length - i * (keys.SPAN + 16))) for i in range(count)]
        if logs.root_of(hashes) != file.name[0] or [keys.span_hash(span) for span in spans] != hashes:
            return self._tell("file-damaged", file.path, why="not the attachment of its name")
        self.blobs[file.name[0]] = spans

    def _of(self, kind: int):
        """(file, payload) of all frames of a kind, in files that are of this case."""
        for file in self.files:
            for found, payload in file.frames:
                if found == kind:
                    yield file, payload

    # Which case

    def _find_case(self):
        """The case whose founding statement fits the tag of the folders."""
        tags = {sub.tag for sub in self.subfolders}
        if self.case_id is None:
            found = {case for _, items in self._of(frames.STATEMENTS) for item in items
                     if (case := self._claimed_case(item)) and self._short_tag(case) in tags}
            if len(found) != 1:
                raise Refused("case-unknown", "no founding statement, or of several cases: give the fingerprint")
            self.case_id = found.pop()
        self.tag = domain_hash("mailbox", self.case_id)
        if self._short_tag(self.case_id) not in tags:
            raise Refused("case-differs", "the folder belongs to another case")
        self.subfolders = [sub for sub in self.subfolders if sub.tag == self._short_tag(self.case_id)]
        ours = {sub.name for sub in self.subfolders}
        self.files = [file for file in self.files if file.path.split("/")[0] in ours]
        for file in self.files:
            hello = next((p for kind, p in file.frames if kind == frames.HELLO), None)
            if hello and (hello.tag, hello.sender) != (self.tag, file.owner):
                self._tell("file-damaged", file.path, why="a greeting of another case or device")
                file.frames = []

    @staticmethod
    def _short_tag(case_id: bytes) -> str:
        return b32(domain_hash("mailbox", case_id))[:16]

    @staticmethod
    def _claimed_case(item: bytes):
        try:
            body = decode(decode(item, 4096)[0], 4096)
            case = domain_hash("case-id", body[2])
            return case if body[0] == 1 and body[1] == case else None
        except (Refused, TypeError, KeyError, IndexError):
            return None

    # Heads

    def _read_heads(self):
        self.union = Union(self.case_id)
        items = {}
        for file, payload in self._of(frames.STATEMENTS):
            for item in payload:
                items.setdefault(item, file)
        self._keep_statements(items)
        items = {}
        for file, payload in self._of(frames.SUCCESSIONS):
            for item in payload:
                items.setdefault(item, file)
        for item, file in items.items():
            try:
                self.union.successions.append(statements.read_succession(item, self.case_id))
            except Refused as refusal:
                self._tell("file-damaged", file.path, why=refusal.why)
        for card in [s.card for s in self.union.statements + self.union.successions if s.card]:
            self._log(card.signing_key)
        for file, payload in self._of(frames.HEADS):
            for key, data in payload:
                self._keep_note(file, key, data)
        for file, payload in self._of(frames.FORKS):
            for proof in payload:
                self._keep_fork(file, proof)
        self.wraps = [wrap for _, payload in self._of(frames.WRAPS) for wrap in payload]

    def _keep_statements(self, items: dict):
        founding = [item for item in items if self._claimed_case(item) == self.case_id]
        if not founding:
            raise Refused("case-unknown", "no founding statement of this case")
        for item, file in items.items():
            try:
                read = statements.read_statements([item] + founding[:1], self.case_id)
                self.union.statements.append(read[0])
            except Newer:
                raise
            except Refused as refusal:
                self._tell("file-damaged", file.path, why=refusal.why)
        if not any(statement.kind == 1 for statement in self.union.statements):
            raise Refused("case-unknown", "no founding statement of this case that its root signed")

    def _log(self, key: bytes) -> logs.Log:
        identifier = logs.log_id(self.case_id, key)
        return self.logs.setdefault(identifier, logs.Log(identifier, key))

    def _keep_note(self, file: File, key: bytes, data: bytes):
        try:
            if not logs.is_signing_key(key):
                raise Malformed("a key that is none")
            log, note = logs.log_id(self.case_id, key), logs.read_note(data)
            head = logs.read_checkpoint(note.text)
            if head.origin != logs.origin(log) or not logs.note_is_signed_by(note, head.origin, key):
                raise Malformed("a head that its log did not sign")
        except Malformed as refusal:
            return self._tell("file-damaged", file.path, why=refusal.why)
        self._log(key)
        self.notes.setdefault(log, []).append((file, head, note))

    def _keep_fork(self, file: File, proof: list):
        try:
            log, size, _ = logs.read_fork_proof(proof, {log.id: log.key for log in self.logs.values()})
            self._fork(log, size)
        except (Malformed, Refused) as refusal:
            self._tell("file-damaged", file.path, why=refusal.why)

    def _fork(self, log: bytes, size: int):
        """Of all that is proven, the least counts."""
        self.union.forks[log] = min(size, self.union.forks.get(log, size))

    # Ranges

    def _read_ranges(self):
        """Appended log by log in the order of their first entries: a gap ends a log."""
        for log in self.logs.values():
            log.leaves, log.tree, log.entries = [], logs.Tree(), {}
        self.ciphertexts, self.slots = {}, {}
        for file in sorted((f for f in self.files if f.kind == "r"), key=lambda f: (f.name, f.owner)):
            covered = file.name[1]
            for kind, frame in file.frames:
                if kind != frames.RANGE:
                    continue
                log = self.logs.get(file.name[0])
                try:
                    if (frame.log, frame.first) != (file.name[0], covered):
                        raise Malformed("entries that its name does not cover")
                    covered += len(frame.rows)
                    if covered > file.name[2]:
                        raise Malformed("entries that its name does not cover")
                    if log is None:
                        raise Refused("log-unknown", "no head says whose log this is")
                    self._append(log, frame)
                except Refused as refusal:
                    code = refusal.code if refusal.code in ("log-unknown", "gap", "fork") else "file-damaged"
                    self._tell(code, file.path, file.name[0], why=refusal.why)
                    break
            else:
                if covered != file.name[2] and not any(f.path == file.path for f in self.findings):
                    self._tell("file-damaged", file.path, file.name[0], why="fewer entries than its name covers")

    def _append(self, log: logs.Log, frame: frames.Range):
        if frame.first > log.size:
            raise Refused("gap", "entries are missing before these")
        leaves = [logs.Leaf(frame.first + i, row.cls, row.commit, row.ciphertext_hash)
                  for i, row in enumerate(frame.rows)]
        for leaf in leaves[:log.size - frame.first]:
            if log.leaves[leaf.sequence] != leaf:
                self._part(log, frame, leaves, leaf.sequence)
        head = self._head_of(log, frame.note)
        trial = logs.Log(log.id, log.key)
        for leaf in log.leaves + leaves[log.size - frame.first:]:
            trial.append(leaf)
        if trial.size > log.size:
            self._check_head(trial, head, list(frame.proof))
        elif head.size < frame.first + len(leaves):
            raise Malformed("a checkpoint that does not reach the range's end")
        log.leaves, log.tree = trial.leaves, trial.tree
        for leaf, row in zip(leaves, frame.rows):
            if row.ciphertext is not None:
                self.ciphertexts[log.id, leaf.sequence] = row.ciphertext
            for epoch, slot in row.slots:
                self.slots.setdefault((log.id, leaf.sequence), {})[epoch, slot] = None

    def _part(self, log: logs.Log, frame: frames.Range, leaves: list, sequence: int):
        """A leaf differs: with the received leaves in the place of ours, only the log's owner can have signed that tree."""
        other = logs.Log(log.id, log.key)
        for leaf in log.leaves[:frame.first] + leaves:
            other.append(leaf)
        self._check_head(other, self._head_of(log, frame.note), list(frame.proof))
        self._fork(log.id, sequence)
        raise Refused("fork", "another history than the one that is known")

    def _head_of(self, log: logs.Log, data: bytes) -> logs.Checkpoint:
        note = logs.read_note(data)
        head = logs.read_checkpoint(note.text)
        if head.origin != logs.origin(log.id) or not logs.note_is_signed_by(note, head.origin, log.key):
            raise Malformed("a checkpoint that its log did not sign")
        return head

    @staticmethod
    def _check_head(log: logs.Log, head: logs.Checkpoint, proof: list):
        """The range ends at the head, or the proof leads from its end to the head."""
        if head.size < log.size:
            raise Malformed("a checkpoint that does not reach the range's end")
        if head.size == log.size:
            old, new = log.tree.root, log.tree.root
            if proof:
                raise Malformed("a proof where none is needed")
        else:
            old, new = logs.roots_by_consistency_proof(log.size, log.tree.root, head.size, proof)
        if old != log.tree.root or new != head.root:
            raise Malformed("entries that do not lead to the checkpoint")

    # Shares

    def _read_shares(self):
        for file, payload in self._of(frames.BODIES):
            for log, sequence, body in payload:
                known = self.logs.get(log)
                if known is None or sequence >= known.size:
                    continue
                if domain_hash("ciphertext", body) != known.leaves[sequence].ciphertext_hash:
                    self._tell("file-damaged", file.path, log, sequence, "a body that is another's")
                    continue
                self.ciphertexts[log, sequence] = body
        for _, payload in self._of(frames.SLOTS):
            for log, sequence, epoch, slot in payload:
                # As many as there are: of junk nothing is known before it was tried, and a good one may come last.
                self.slots.setdefault((log, sequence), {})[epoch, slot] = None

    def _compare_heads(self):
        """Signed heads against the leaves: behind is no fault, another root at a size we hold is a fork."""
        for log, notes in sorted(self.notes.items()):
            held = self.logs[log]
            for file, head, _ in notes:
                root = held.root_at(head.size)
                if root is not None and root != head.root:
                    self._fork(log, head.size)
                    self._tell("fork", file.path, log)
            if max(head.size for _, head, _ in notes) > held.size:
                self._tell("incomplete", log=log, why="a head promises more entries than are here")

    # What the kit opens

    def _open(self) -> bool:
        """Opens what the kit opens; whether that made members known whose logs were not read yet."""
        self.union.violations = set()
        self.union.logs = self.logs
        epoch_keys = {}
        for epoch, log, box in self.wraps:
            if log is None and (key := keys.open_box(*self.kit, box)) and len(key) == 32:
                epoch_keys.setdefault(epoch, []).append(key)
        self.epochs = {}
        while True:
            before = sum(len(log.entries) for log in self.logs.values())
            self._open_what_opens(epoch_keys)
            if sum(len(log.entries) for log in self.logs.values()) == before:
                break
        self.state = State(self.union)
        known = len(self.logs)
        for member in self.state.members.values():
            self._log(member.card.signing_key)
        return len(self.logs) > known

    def _open_what_opens(self, epoch_keys: dict):
        for log in self.logs.values():
            for leaf in log.leaves:
                place = (log.id, leaf.sequence)
                if leaf.sequence in log.entries or place not in self.ciphertexts:
                    continue
                if place in self.union.violations:
                    continue
                for epoch, slot in self.slots.get(place, ()):
                    if self._try(log, leaf, epoch, slot, epoch_keys):
                        break

    def _try(self, log: logs.Log, leaf: logs.Leaf, epoch: bytes, slot: bytes, epoch_keys: dict) -> bool:
        audience, commitment = self.epochs.get(epoch, (keys.EVERYONE, None))
        for key in epoch_keys.get(epoch, []):
            if commitment and keys.epoch_commitment(self.case_id, audience, key) != commitment:
                continue
            entry_key = keys.open_slot(self.case_id, log.id, leaf, audience, epoch, key, slot)
            if entry_key is None:
                continue
            try:
                entry = keys.open_entry(self.case_id, log.id, leaf, entry_key, self.ciphertexts[log.id, leaf.sequence])
            except (Malformed, Refused):
                self.union.violations.add((log.id, leaf.sequence))
                return True
            if entry is None:
                continue
            log.entries[leaf.sequence] = entry
            if entry.kind == entries.EPOCH and leaf.cls == logs.CONTROL:
                self.epochs[entry.id] = entry.control["audience"], entry.control["commitment"]
            return True
        return False
