"""A folder as a mailbox, verified as Sync.md says: first what needs no keys, then what the kit opens."""

import frames
import keys
import logs
import mailbox_files
import opening
import ranges
import statements
from encoding import Malformed, Newer, Refused, b32, domain_hash
from forks import read_fork_proof
from mailbox_files import File
from state import State, Union


class Folder:
    """Everything that a folder proves.

    - Parameters:
      - case_id: what whoever asks knows; else it is taken from the founding statement that fits the folder's tag.
      - kit: (public, secret), to open entries and so to know advocates and what counts.
    """

    def __init__(self, path: str, case_id: bytes = None, kit: tuple = None):
        self.path, self.case_id, self.kit = path, case_id, kit
        self.findings = []
        self.logs, self.heads = {}, {}              # by log id: logs.Log; (file, checkpoint) of what it signed
        self.ciphertexts, self.slots = {}, {}       # by (log id, sequence): ciphertext; {(epoch id, slot): None}
        self.wraps, self.blobs, self.state = [], {}, None
        self.attachments = {}                       # by root, of those that open entries name: whether it is here and what they say
        self._files, self._hashes = [], {}

    def verify(self):
        subfolders = mailbox_files.read(self.path, self.findings)
        self._files = [file for sub in subfolders for file in sub.files]
        self.blobs = {file.name[0]: file.blob for file in self._files if file.blob is not None}
        self._find_case(subfolders)
        self._read_heads()
        found = list(self.findings)
        while True:
            self.findings = list(found)
            self._read_ranges()
            self._read_shares()
            self._compare_heads()
            if not self.kit or not self._open():
                break
        if self.state:
            self._open_attachments()

    @property
    def is_damaged(self) -> bool:
        """By somebody's fault, and not only incomplete."""
        return any(found.code in ("file-damaged", "fork", "attachment-differs") for found in self.findings)

    def _tell(self, code: str, path=None, log=None, sequence=None, why=""):
        self.findings.append(Refused(code, why, path=path, log=log, sequence=sequence))

    def _of(self, kind: int):
        """(file, payload) of all frames of a kind, in files that are of this case."""
        for file in self._files:
            for found, payload in file.frames:
                if found == kind:
                    yield file, payload

    # Which case

    def _find_case(self, subfolders: list):
        """The case whose founding statement fits the tag of the folders; of these only the files count."""
        tags = {sub.tag for sub in subfolders}
        if self.case_id is None:
            found = {case for _, items in self._of(frames.STATEMENTS) for item in items
                     if (case := statements.founded(item)[0]) and self._short_tag(case) in tags}
            if len(found) != 1:
                raise Refused("case-unknown", "no founding statement, or of several cases: give the fingerprint")
            self.case_id = found.pop()
        tag, short = domain_hash("mailbox", self.case_id), self._short_tag(self.case_id)
        if short not in tags:
            raise Refused("case-differs", "the folder belongs to another case")
        self._files = [file for sub in subfolders if sub.tag == short for file in sub.files]
        for file in self._files:
            hello = next((p for kind, p in file.frames if kind == frames.HELLO), None)
            if hello and (hello.tag, hello.sender) != (tag, file.owner):
                self._tell("file-damaged", file.path, why="a greeting of another case or device")
                file.frames = []

    @staticmethod
    def _short_tag(case_id: bytes) -> str:
        return b32(domain_hash("mailbox", case_id))[:16]

    # Heads

    def _read_heads(self):
        self.union = Union(self.case_id)
        self._keep_statements(self._firsts(frames.STATEMENTS))
        for item, file in self._firsts(frames.SUCCESSIONS).items():
            try:
                self.union.successions.append(statements.read_succession(item, self.case_id))
            except Refused as refusal:
                self._tell("file-damaged", file.path, why=refusal.why)
        for card in [s.card for s in self.union.statements + self.union.successions if s.card]:
            self._log(card.signing_key)
        for file, payload in self._of(frames.HEADS):
            for key, data in payload:
                self._keep_head(file, key, data)
        for file, payload in self._of(frames.FORKS):
            for proof in payload:
                self._keep_fork(file, proof)
        self.wraps = [wrap for _, payload in self._of(frames.WRAPS) for wrap in payload]

    def _firsts(self, kind: int) -> dict:
        """What frames of a kind list, each once, with the first file that has it."""
        found = {}
        for file, items in self._of(kind):
            for item in items:
                found.setdefault(item, file)
        return found

    def _keep_statements(self, items: dict):
        root = dict(map(statements.founded, items)).get(self.case_id)
        if root is None:
            raise Refused("case-unknown", "no founding statement of this case")
        for item, file in items.items():
            try:
                self.union.statements.append(statements.read_signed(item, self.case_id, root))
            except Newer:
                raise
            except Refused as refusal:
                self._tell("file-damaged", file.path, why=refusal.why)
        if not any(statement.kind == 1 for statement in self.union.statements):
            raise Refused("case-unknown", "no founding statement of this case that its root signed")

    def _log(self, key: bytes) -> logs.Log:
        identifier = logs.log_id(self.case_id, key)
        return self.logs.setdefault(identifier, logs.Log(identifier, key))

    def _keep_head(self, file: File, key: bytes, data: bytes):
        try:
            if not logs.is_signing_key(key):
                raise Malformed("a key that is none")
            _, head = logs.read_head(data, logs.log_id(self.case_id, key), key)
        except Malformed as refusal:
            return self._tell("file-damaged", file.path, why=refusal.why)
        self.heads.setdefault(self._log(key).id, []).append((file, head))

    def _keep_fork(self, file: File, proof: list):
        try:
            log, size, _ = read_fork_proof(proof, {log.id: log.key for log in self.logs.values()})
            self.union.add_fork(log, size)
        except Refused as refusal:
            self._tell("file-damaged", file.path, why=refusal.why)

    # Ranges

    def _read_ranges(self):
        """Appended log by log in the order of their first entries: a gap ends a log."""
        for log in self.logs.values():
            log.leaves, log.tree, log.entries = [], logs.Tree(), {}
        self.ciphertexts, self.slots = {}, {}
        for file in sorted((f for f in self._files if f.kind == "r"), key=lambda f: (f.name, f.owner)):
            try:
                self._read_range_file(file)
            except Refused as refusal:
                code = refusal.code if refusal.code in ("log-unknown", "gap", "fork") else "file-damaged"
                self._tell(code, file.path, file.name[0], why=refusal.why)

    def _read_range_file(self, file: File):
        identifier, covered, end = file.name
        for kind, frame in file.frames:
            if kind != frames.RANGE:
                continue
            if (frame.log, frame.first) != (identifier, covered) or covered + len(frame.rows) > end:
                raise Malformed("entries that its name does not cover")
            covered += len(frame.rows)
            if identifier not in self.logs:
                raise Refused("log-unknown", "no head says whose log this is")
            self._take_range(self.logs[identifier], frame)
        if covered != end and not any(f.path == file.path for f in self.findings):
            raise Malformed("fewer entries than its name covers")

    def _take_range(self, log: logs.Log, frame: frames.Range):
        try:
            ranges.append(log, frame)
        except Refused as refusal:
            if refusal.code == "fork":
                self.union.add_fork(log.id, refusal.sequence)
            raise
        for sequence, row in enumerate(frame.rows, frame.first):
            if row.ciphertext is not None:
                self.ciphertexts[log.id, sequence] = row.ciphertext
            for epoch, slot in row.slots:
                self.slots.setdefault((log.id, sequence), {})[epoch, slot] = None

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
        for log, heads in sorted(self.heads.items()):
            held = self.logs[log]
            for file, head in heads:
                root = held.root_at(head.size)
                if root is not None and root != head.root:
                    self.union.add_fork(log, head.size)
                    self._tell("fork", file.path, log)
            if max(head.size for _, head in heads) > held.size:
                self._tell("incomplete", log=log, why="a head promises more entries than are here")

    # What the kit opens

    def _open(self) -> bool:
        """Opens what the kit opens; whether that made members known whose logs were not read yet."""
        self.union.logs = self.logs
        self.union.violations = opening.Opening(self.case_id, self.kit, self.wraps).open(
            self.logs, self.ciphertexts, self.slots)
        self.state = State(self.union)
        known = len(self.logs)
        for member in self.state.members.values():
            self._log(member.card.signing_key)
        return len(self.logs) > known

    def _open_attachments(self):
        """What is in an attachment has to be what each entry of a member says that names it."""
        for member in self.state.by_id():
            for sequence, entry in sorted(self.logs[member.log].entries.items()):
                for number, named in (entry.content or {"blob": {}})["blob"].items():
                    blob, said = self.blobs.get(named["root"]), entry.content["file"][number]
                    is_right = blob is not None and self._is_content(blob, named["key"], said["size"], said["sha256"])
                    if blob is not None and not is_right:
                        self._tell("attachment-differs", f"b-{b32(named['root'])}", member.log, sequence,
                                   "it does not open, or is not what its entry says")
                    self.attachments[named["root"]] = is_right and self.attachments.get(named["root"], True)

    def _is_content(self, blob: mailbox_files.Blob, key: bytes, size: int, sha256: bytes) -> bool:
        """Many entries may name one attachment, in the same words."""
        question = blob.path, key, size
        if question not in self._hashes:
            try:
                self._hashes[question] = keys.content_hash(key, blob.spans(), blob.length, size)
            except OSError:
                self._hashes[question] = None
        return self._hashes[question] == sha256
