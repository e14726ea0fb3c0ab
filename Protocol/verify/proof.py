"""The proof in a bundle: its case, its logs with what is disclosed of them, receipts over their heads (Bundle.md, "Bag";
"Verifying", step 2). What was read here is signed and fits together; what counts of it, and whose receipts hold, is seen later.
"""

import entries
import logs
import statements
from archive import Archive
from encoding import (MAX_ENTRIES, MAX_PARTS, Malformed, Refused, array, ascending, bounded, decode, octets, record, text, told_as,
                      tuple_of, uint, versioned)
from forks import decode_fork_proof, read_fork_proof
from state import Union

CASE = "proof/case.cbor"
MAX_CASE = 32 << 20
MAX_DISCLOSED = 256 << 20
MAX_RECEIPTS = 1 << 16


def check_version(zipped: Archive):
    """Before anything is compared that belongs to a version."""
    for path in ("bagit.txt", CASE):
        if path not in zipped.members:
            raise Refused("not-a-bundle", path=path)
    data = zipped.content(CASE, MAX_CASE)
    try:
        versioned(decode(data, MAX_CASE))
    except Malformed:
        pass  # it is told when its turn comes


class Proof:
    """
    - Throws: the first thing that does not hold.
    """

    def __init__(self, zipped: Archive):
        self._zip = zipped
        self.logs, self.files = [], []    # files: (log index, sequence, file number, path)
        self.control_seen = set()         # (log id, sequence) of the control entries that are there
        self.notes = []                   # (path, log, checkpoint, note) of everything that may carry receipts
        self._read_case()
        self._read_logs()
        self._read_receipts()

    def paths(self) -> set:
        """The files that it consists of, and those that it names."""
        parts = {f"proof/logs/{index}.{end}" for index, log in enumerate(self.logs) if log.size > 0
                 for end in ("note", "leaves", "cbor")}
        return {CASE} | parts | {path for path, _, _, _ in self.notes} | {path for _, _, _, path in self.files}

    def log_of(self, origin: str):
        """The log of a checkpoint, or None where it is none of these."""
        return next((log for log in self.logs if logs.origin(log.id) == origin), None)

    # proof/case.cbor

    def _read_case(self):
        with told_as("proof-malformed", path=CASE):
            fields = record(versioned(decode(self._zip.content(CASE, MAX_CASE), MAX_CASE)), tuple(range(11)))
            self.case_id = octets(fields[1], 32)
            stated = [bounded(s, statements.MAX_STATEMENT) for s in array(fields[2], 4096)]
            self.exporter, self.exported_at = octets(fields[3], 32), uint(fields[4])
            self.scope = uint(fields[5], 2)
            self._list_logs(fields[6])
            self._list_files(fields[7])
            self.program = text(fields[8], 200)
            successions = [bounded(s, 4096) for s in array(fields[9], 1024)]
            forks = [bounded(f, 8192) for f in array(fields[10], 1024)]
        for log in self.logs:
            if log.id != logs.log_id(self.case_id, log.key):
                raise Refused("proof-malformed", "a log whose id is another's", path=CASE, log=log.id)
        with told_as("statement-invalid"):
            self.union = Union(self.case_id, statements.read_statements(stated, self.case_id))
            self.union.successions = [statements.read_succession(s, self.case_id) for s in successions]
        self.union.logs = {log.id: log for log in self.logs}
        for fork in forks:
            self._read_fork(fork)

    def _list_logs(self, items):
        self.logs = [logs.Log(octets(log, 32), octets(key, 32))
                     for log, key, _ in (tuple_of(item, 3) for item in array(items, 1024))]
        self._sizes = [uint(item[2], MAX_ENTRIES + 1) for item in items]
        ascending([log.id for log in self.logs])

    def _list_files(self, items):
        for item in array(items, 1 << 20):
            index, sequence, number, path = tuple_of(item, 4)
            self.files.append((uint(index, len(self.logs)), uint(sequence), uint(number), text(path, 255)))
        ascending([path.encode() for _, _, _, path in self.files])

    def _read_fork(self, data: bytes):
        """One that proves nothing, of these logs, harms nobody."""
        try:
            proof = decode_fork_proof(decode(data, 8192))
            log, size, _ = read_fork_proof(proof, {log.id: log.key for log in self.logs})
        except Refused:
            return
        self.union.add_fork(log, size)

    # proof/logs

    def _read_logs(self):
        for index, (log, size) in enumerate(zip(self.logs, self._sizes)):
            if size == 0:
                continue
            head = self._read_head(f"proof/logs/{index}.note", log, size)
            self._read_leaves(f"proof/logs/{index}.leaves", log, head)
            self._read_entries(f"proof/logs/{index}.cbor", log)

    def _read_head(self, path: str, log: logs.Log, size: int) -> logs.Checkpoint:
        with told_as("checkpoint-invalid", path=path, log=log.id):
            note, head = logs.read_head(self._zip.content(path, logs.MAX_NOTE), log.id, log.key)
            if head.size != size:
                raise Malformed("a checkpoint of another size")
        self.notes.append((path, log, head, note))
        return head

    def _read_leaves(self, path: str, log: logs.Log, head: logs.Checkpoint):
        data = self._zip.content(path, MAX_ENTRIES * logs.LEAF_LENGTH)
        with told_as("leaves-differ", path=path, log=log.id):
            if len(data) != head.size * logs.LEAF_LENGTH:
                raise Malformed("more or fewer leaves than the checkpoint's size")
            for at in range(0, len(data), logs.LEAF_LENGTH):
                leaf = logs.read_leaf(data[at:at + logs.LEAF_LENGTH])
                if leaf.sequence != log.size:
                    raise Malformed("a leaf at another place")
                log.append(leaf)
            if log.tree.root != head.root:
                raise Malformed("leaves that do not give the checkpoint's root")

    def _read_entries(self, path: str, log: logs.Log):
        with told_as("proof-malformed", path=path, log=log.id):
            items = array(decode(self._zip.content(path, MAX_DISCLOSED), MAX_DISCLOSED), log.size)
            pairs = [tuple_of(item, 2) for item in items]
            ascending([uint(sequence) for sequence, _ in pairs])
            read = [(sequence, *self._read_parts(parts)) for sequence, parts in pairs]
        for sequence, hashes, disclosed in read:
            if sequence >= log.size:
                raise Refused("entry-invalid", path=path, log=log.id, sequence=sequence)
            leaf = log.leaves[sequence]
            with told_as("entry-invalid", path=path, log=log.id, sequence=sequence):
                if not hashes or 0 not in disclosed or logs.root_of(hashes) != leaf.commit:
                    raise Malformed("parts that do not give the commitment")
                if leaf.cls != logs.CONTROL:
                    log.entries[sequence] = entries.read_entry(self.case_id, log.id, leaf, len(hashes), disclosed)
            if leaf.cls == logs.CONTROL:
                self._keep_control(log, leaf, len(hashes), disclosed)

    @staticmethod
    def _read_parts(items) -> tuple:
        """Hashes of all parts, and those that are disclosed by index."""
        hashes, disclosed = [], {}
        for index, item in enumerate(array(items, MAX_PARTS)):
            if type(item) is bytes:
                hashes.append(octets(item, 32))
                continue
            label, salt, data = tuple_of(item, 3)
            disclosed[index] = (entries.check_label(label), bounded(data, 1 << 20))
            hashes.append(entries.part_hash(index, label, octets(salt, 32), data))
        return hashes, disclosed

    def _keep_control(self, log: logs.Log, leaf: logs.Leaf, count: int, disclosed: dict):
        """Its parts are what the leaf commits to, so one that breaks a rule shows a violation."""
        if len(disclosed) != count:
            raise Refused("control-missing", "a part of it is withheld", log=log.id, sequence=leaf.sequence)
        self.control_seen.add((log.id, leaf.sequence))
        try:
            log.entries[leaf.sequence] = entries.read_entry(self.case_id, log.id, leaf, count, disclosed)
        except Refused:
            self.union.violations.add((log.id, leaf.sequence))

    # proof/receipts

    def _read_receipts(self):
        """Over earlier heads; the notes of the newest carry receipts as well."""
        earlier = []
        for index in range(MAX_RECEIPTS):
            path = f"proof/receipts/{index}.note"
            if path not in self._zip.members:
                break
            with told_as("proof-malformed", path=path):
                note = logs.read_note(self._zip.content(path, logs.MAX_NOTE))
                head = logs.read_checkpoint(note.text)
            log = self.log_of(head.origin)
            if log is None or log.root_at(head.size) != head.root:
                raise Refused("receipt-invalid", "a receipt over a head that is none of these logs", path=path)
            earlier.append((path, log, head, note))
        self.notes = earlier + self.notes
