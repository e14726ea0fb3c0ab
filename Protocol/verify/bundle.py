"""A bundle, verified as Bundle.md says, in the order in which it says it."""

from dataclasses import dataclass, field
from pathlib import Path

import archive
import entries
import logs
import report
import statements
from content import first_second
from encoding import (DAY, MAX_PARTS, Malformed, Newer, Refused, array, ascending, b32, b64, bounded, decode, octets,
                      record, sha256, text, tuple_of, uint, versioned)
from state import State, Union

BLOCKING = ("unreadable", "not-a-bundle", "newer-version", "too-large")
REMARKS = (
    "fingerprint-not-given", "no-trusted-receipt", "violation", "disputed", "set-aside", "erased", "unknown-kind",
    "unknown-parts", "embedded-receipt-invalid", "clock-before-receipt", "clock-after-receipt",
    "claimed-after-receipt", "receipt-after-export",
)
MAX_LEAVES = 1 << 20
README = (Path(__file__).parent.parent / "bundle-readme.txt").read_bytes()
EXTENSIONS = {
    "image/jpeg": ".jpg", "image/png": ".png", "image/gif": ".gif", "image/webp": ".webp",
    "image/heic": ".heic", "image/avif": ".avif", "image/tiff": ".tif", "image/bmp": ".bmp",
    "application/pdf": ".pdf", "application/zip": ".zip", "text/plain": ".txt", "message/rfc822": ".eml",
    "video/mp4": ".mp4", "video/quicktime": ".mov", "video/webm": ".webm", "audio/mpeg": ".mp3",
    "audio/mp4": ".m4a", "audio/ogg": ".ogg", "audio/wav": ".wav",
}


@dataclass
class Trust:
    """What whoever asks knows from outside of the bundle."""

    case_id: bytes = None
    witnesses: tuple = ()


@dataclass
class Receipt:
    time: int
    name: str
    key: bytes
    size: int

    @property
    def place(self) -> tuple:
        """The earliest receipt is the first in this order (Bundle.md, "Verifying", step 7)."""
        return self.time, self.size, self.name.encode(), self.key


@dataclass
class Exhibit:
    number: int
    log_index: int
    entry: entries.Entry
    standing: str
    files: dict = field(default_factory=dict)   # file number: path
    after: Receipt = None                       # the newest that it embeds
    before: Receipt = None                      # the first that covers it


@dataclass
class Verdict:
    outcome: str = "cannot-check"
    findings: list = field(default_factory=list)
    since: int = None
    bundle: object = None

    def note(self, code: str, log=None, sequence=None):
        self.findings.append(Refused(code, log=log, sequence=sequence))


def verify(file, trust: Trust) -> Verdict:
    """The verdict on a bundle that is decrypted: a file opened for reading bytes."""
    verdict = Verdict()
    try:
        bundle = verdict.bundle = Bundle(archive.Archive(file), trust)
        bundle.check(verdict)
    except Refused as refusal:
        verdict.findings.append(refusal)
        verdict.outcome = "cannot-check" if refusal.code in BLOCKING else "changed"
        verdict.bundle = None
    return verdict


class _As:
    """Names what is malformed by the place where it was found."""

    def __init__(self, code: str, **where):
        self.code, self.where = code, where

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if isinstance(error, Malformed) or kind is Refused and error.code in ("violation", "fork-unproven"):
            raise Refused(self.code, error.why, **self.where) from error


class Bundle:
    def __init__(self, zipped: archive.Archive, trust: Trust):
        self.zip, self.trust = zipped, trust

    def check(self, verdict: Verdict):
        self._check_version()
        payload = archive.check_bag(self.zip)
        self._check_fixed()
        self._read_case()
        self._read_logs()
        self._read_receipts()
        self._check_layout()
        self._evaluate()
        self._check_signature()
        self._make_exhibits(verdict)
        self._check_files(payload, verdict)
        self._tell_times(verdict)
        self._check_report(verdict)
        self._decide(verdict)

    # proof/case.cbor

    CASE = "proof/case.cbor"

    def _check_version(self):
        """Before anything is compared that belongs to a version."""
        for path in ("bagit.txt", self.CASE):
            if path not in self.zip.members:
                raise Refused("not-a-bundle", path=path)
        data = self.zip.content(self.CASE, 32 << 20)
        try:
            versioned(decode(data, 32 << 20))
        except Malformed:
            pass  # it is told when its turn comes

    def _read_case(self):
        with _As("proof-malformed", path=self.CASE):
            fields = record(versioned(decode(self.zip.content(self.CASE, 32 << 20), 32 << 20)), tuple(range(11)))
            self.case_id = octets(fields[1], 32)
            stated = [bounded(s, statements.MAX_STATEMENT) for s in array(fields[2], 4096)]
            self.exporter, self.exported_at = octets(fields[3], 32), uint(fields[4])
            self.scope = uint(fields[5], 2)
            self.logs = [logs.Log(octets(log, 32), octets(key, 32))
                         for log, key, _ in (tuple_of(item, 3) for item in array(fields[6], 1024))]
            self.sizes = [uint(item[2], MAX_LEAVES + 1) for item in fields[6]]
            ascending([log.id for log in self.logs])
            self.files = []
            for item in array(fields[7], 1 << 20):
                index, sequence, number, path = tuple_of(item, 4)
                self.files.append((uint(index, len(self.logs)), uint(sequence), uint(number), text(path, 255)))
            ascending([path.encode() for _, _, _, path in self.files])
            self.program = text(fields[8], 200)
            successions = [bounded(s, 4096) for s in array(fields[9], 1024)]
            forks = [bounded(f, 8192) for f in array(fields[10], 1024)]
        for log in self.logs:
            if log.id != logs.log_id(self.case_id, log.key):
                raise Refused("proof-malformed", "a log whose id is another's", path=self.CASE, log=log.id)
        with _As("statement-invalid"):
            self.union = Union(self.case_id, statements.read_statements(stated, self.case_id))
            self.union.successions = [statements.read_succession(s, self.case_id) for s in successions]
        self.union.logs = {log.id: log for log in self.logs}
        for fork in forks:
            self._read_fork(fork)

    def _read_fork(self, data: bytes):
        """One that proves nothing, of these logs, harms nobody."""
        try:
            proof = logs.decode_fork_proof(decode(data, 8192))
            log, size, _ = logs.read_fork_proof(proof, {log.id: log.key for log in self.logs})
        except Refused:
            return
        self.union.forks[log] = min(size, self.union.forks.get(log, size))

    # proof/logs

    def _read_logs(self):
        self.heads, self.control_seen = {}, set()
        for index, log in enumerate(self.logs):
            if self.sizes[index] == 0:
                continue
            self._read_head(f"proof/logs/{index}.note", log, self.sizes[index])
            self._read_leaves(f"proof/logs/{index}.leaves", log)
            self._read_entries(f"proof/logs/{index}.cbor", log)

    def _read_head(self, path: str, log: logs.Log, size: int):
        with _As("checkpoint-invalid", path=path, log=log.id):
            note = logs.read_note(self.zip.content(path, logs.MAX_NOTE))
            head = logs.read_checkpoint(note.text)
            if (head.origin, head.size) != (logs.origin(log.id), size):
                raise Malformed("a checkpoint of another log or size")
            if not logs.note_is_signed_by(note, head.origin, log.key):
                raise Malformed("a checkpoint that its log did not sign")
        self.heads[log.id] = note, head

    def _read_leaves(self, path: str, log: logs.Log):
        data, head = self.zip.content(path, MAX_LEAVES * logs.LEAF_LENGTH), self.heads[log.id][1]
        with _As("leaves-differ", path=path, log=log.id):
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
        limit = 256 << 20
        with _As("proof-malformed", path=path, log=log.id):
            items = array(decode(self.zip.content(path, limit), limit), log.size)
            pairs = [tuple_of(item, 2) for item in items]
            ascending([uint(sequence) for sequence, _ in pairs])
            read = [(sequence, *self._read_parts(parts)) for sequence, parts in pairs]
        for sequence, hashes, disclosed in read:
            if sequence >= log.size:
                raise Refused("entry-invalid", path=path, log=log.id, sequence=sequence)
            leaf = log.leaves[sequence]
            with _As("entry-invalid", path=path, log=log.id, sequence=sequence):
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
        except Newer:
            raise
        except Refused:
            self.union.violations.add((log.id, leaf.sequence))

    # Receipts

    def _read_receipts(self):
        self.receipt_notes = []
        for index in range(1 << 16):
            path = f"proof/receipts/{index}.note"
            if path not in self.zip.members:
                break
            with _As("proof-malformed", path=path):
                note = logs.read_note(self.zip.content(path, logs.MAX_NOTE))
                head = logs.read_checkpoint(note.text)
            log = next((log for log in self.logs if logs.origin(log.id) == head.origin), None)
            if log is None or log.root_at(head.size) != head.root:
                raise Refused("receipt-invalid", "a receipt over a head that is none of these logs", path=path)
            self.receipt_notes.append((path, log, head, note))
        for index, log in enumerate(self.logs):
            if log.id in self.heads:
                note, head = self.heads[log.id]
                self.receipt_notes.append((f"proof/logs/{index}.note", log, head, note))

    def _collect_receipts(self):
        """Valid receipts of each log, by keys of members and by keys given."""
        self.witness_of = {logs.WitnessKey.of_member(m.log, m.card.receipt_key): m.log
                           for m in self.state.members.values()}
        self.receipts = {log.id: [] for log in self.logs}
        for path, log, head, note in self.receipt_notes:
            for key in set(self.witness_of) | set(self.trust.witnesses):
                if self.witness_of.get(key) == log.id:
                    continue  # nobody witnesses herself
                for time, valid in key.receipts_in(note):
                    if not valid:
                        raise Refused("receipt-invalid", path=path)
                    receipt = Receipt(time, key.name, key.key, head.size)
                    if receipt not in self.receipts[log.id]:
                        self.receipts[log.id].append(receipt)

    # What there is, and nothing else

    def _check_fixed(self):
        """Files of which this version leaves no byte open."""
        payload = [m for m in self.zip.members.values() if m.path.startswith("data/")]
        oxum = f"Payload-Oxum: {sum(m.size for m in payload)}.{len(payload)}\n".encode()
        for path, content in (("bagit.txt", archive.BAGIT), ("bag-info.txt", oxum), ("proof/README.txt", README)):
            if self.zip.content(path, logs.MAX_NOTE) != content:
                raise Refused("file-differs", path=path)

    def _check_layout(self):
        expected = {"bagit.txt", "bag-info.txt", archive.PAYLOAD, archive.TAGS, archive.SIGNATURE,
                    "proof/README.txt", self.CASE, "data/report.html"}
        for index, size in enumerate(self.sizes):
            if size > 0:
                expected |= {f"proof/logs/{index}.{end}" for end in ("note", "leaves", "cbor")}
        expected |= {path for path, _, _, _ in self.receipt_notes}
        expected |= {path for _, _, _, path in self.files}
        for path in self.zip.members:
            if path not in expected:
                raise Refused("file-unexpected", path=path)

    # 3: evaluation

    def _evaluate(self):
        self.state = State(self.union)
        for log in self.state.logs_of(statements.SURVIVOR):
            end = self.state.settled_from(log.id)
            for leaf in log.leaves[:end]:
                if leaf.cls == logs.CONTROL and (log.id, leaf.sequence) not in self.control_seen:
                    raise Refused("control-missing", log=log.id, sequence=leaf.sequence)
        if set(self.union.logs) != set(self.state.members):
            raise Refused("members-differ")
        if self.trust.case_id not in (None, self.case_id):
            raise Refused("case-differs")
        if self.exporter not in self.state.members:
            raise Refused("exporter-unknown")
        self._collect_receipts()

    def _check_signature(self):
        path = archive.SIGNATURE
        name = logs.origin(self.exporter)
        with _As("signature-invalid", path=path):
            note = logs.read_note(self.zip.content(path, logs.MAX_NOTE))
            tags = self.zip.content(archive.TAGS, archive.MAX_MANIFEST)
            text = f"cairn-bundle/v1\n{b32(self.case_id)}\n{b64(sha256(tags))}\n".encode()
            key = self.state.members[self.exporter].card.signing_key
            if note.text != text or len(note.signatures) != 1 or not logs.note_is_signed_by(note, name, key):
                raise Malformed("not the exporter's signature over this bundle")

    # 4 and 5: entries and exhibits

    def covering(self, log: bytes, sequence: int) -> list:
        return [r for r in self.receipts[log] if r.size > sequence]

    def _member_receipts(self, log: bytes, sequence: int) -> list:
        return [self.witness_of[key] for r in self.covering(log, sequence)
                if (key := logs.WitnessKey(r.name, r.key)) in self.witness_of]

    def _make_exhibits(self, verdict: Verdict):
        self.exhibits, self.withheld, self.erased = [], 0, 0
        found = []
        for index, log in enumerate(self.logs):
            for leaf in log.leaves:
                standing = self.state.standing(log.id, leaf, self._member_receipts)
                entry = log.entries.get(leaf.sequence)
                if standing == "violation" or standing != "counted" and entry and leaf.cls != logs.CONTROL:
                    verdict.note(standing, log.id, leaf.sequence)
                if entry is None and leaf.cls != logs.CONTROL:
                    self.erased += standing == "erased"
                    self.withheld += standing != "erased"
                elif leaf.cls != logs.CONTROL and standing in ("counted", "disputed"):
                    found.append((leaf.cls, index, leaf.sequence, entry, standing))
        for number, (_, index, _, entry, standing) in enumerate(sorted(found, key=lambda f: f[:3]), 1):
            self.exhibits.append(Exhibit(number, index, entry, standing))

    def _check_files(self, payload: dict, verdict: Verdict):
        """What is not found at its entry ends it; of the others each is told."""
        by_place = {(e.log_index, e.entry.leaf.sequence): e for e in self.exhibits}
        for index, sequence, number, path in self.files:
            exhibit = by_place.get((index, sequence))
            content = exhibit.entry.content if exhibit else None
            described = next((f for f in content["file"] if f["number"] == number), None) if content else None
            if described is None or number in exhibit.files or path != \
                    f"data/exhibits/{exhibit.number}-{number}{EXTENSIONS.get(described['type'], '')}":
                raise Refused("exhibit-unnamed", path=path)
            exhibit.files[number] = path
            where = {"path": path, "log": exhibit.entry.log, "sequence": sequence}
            if path not in payload or self.zip.members[path].size != described["size"] \
                    or payload[path] != described["sha256"].hex():
                verdict.findings.append(Refused("exhibit-differs", **where))
            if described["without"] or content.get("minor"):
                verdict.findings.append(Refused("exhibit-forbidden", **where))

    def _check_report(self, verdict: Verdict):
        path = "data/report.html"
        rendered = report.render(self, verdict.findings)
        if path not in self.zip.members:
            raise Refused("file-missing", path=path)
        size = self.zip.members[path].size
        if size != len(rendered) or self.zip.content(path, size) != rendered:
            verdict.findings.append(Refused("report-differs", path=path))

    # 7: times

    def _tell_times(self, verdict: Verdict):
        for exhibit in self.exhibits:
            entry = exhibit.entry
            where = entry.log, entry.leaf.sequence
            upper = [r for r in self.covering(*where) if self._bounds(r, entry.log)]
            exhibit.before = min(upper, key=lambda r: r.place, default=None)
            exhibit.after = max(self._embedded(entry, verdict), key=lambda r: r.time, default=None)
            if entry.kind not in (16, 17, 18, 32, 33, 34):
                verdict.note("unknown-kind", *where)
            if entry.unknown_labels:
                verdict.note("unknown-parts", *where)
            self._compare_times(exhibit, verdict)

    @staticmethod
    def _compare_times(exhibit: Exhibit, verdict: Verdict):
        """Claims that receipts contradict by more than a day."""
        entry, after, before = exhibit.entry, exhibit.after, exhibit.before
        where = entry.log, entry.leaf.sequence
        if entry.context:
            clock = entry.context["clock"]
            if after and after.time > clock + DAY:
                verdict.note("clock-before-receipt", *where)
            if before and clock > before.time + DAY:
                verdict.note("clock-after-receipt", *where)
        seen = entry.content and entry.content.get("seen")
        if seen and before and first_second(seen["moments"][0]) > before.time + DAY:
            verdict.note("claimed-after-receipt", *where)

    def _bounds(self, receipt: Receipt, log: bytes) -> bool:
        """A receipt of another member that is not cut."""
        witness = self.witness_of.get(logs.WitnessKey(receipt.name, receipt.key))
        return witness is not None and witness != log and self.state.cuts.of(witness) is None

    def _embedded(self, entry: entries.Entry, verdict: Verdict) -> list:
        """Times of the receipts that an entry embeds, by members who bound times.

        Of which head they are does not matter: that the signature could not exist earlier is all they are used for.
        """
        found = []
        for data in entry.context["receipts"] if entry.context else ():
            try:
                found.append(self._embedded_receipt(data))
            except Malformed:
                verdict.note("embedded-receipt-invalid", entry.log, entry.leaf.sequence)
        return [r for r in found if self._bounds(r, entry.log)]

    def _embedded_receipt(self, data: bytes) -> Receipt:
        note = logs.read_note(data)
        head = logs.read_checkpoint(note.text)
        log = next((log.id for log in self.logs if logs.origin(log.id) == head.origin), None)
        for line in note.signatures if log else ():
            for key in set(self.witness_of) | set(self.trust.witnesses):
                if (line.name, line.key_id) == (key.name, logs.key_id(key.name, 4, key.key)) \
                        and self.witness_of.get(key) != log:
                    [(time, valid)] = key.receipts_in(logs.Note(note.text, (line,)))
                    if valid:
                        return Receipt(time, key.name, key.key, head.size)
                    raise Malformed("a receipt that does not hold")
        raise Malformed("no receipt by anybody known")

    # The verdict

    def _decide(self, verdict: Verdict):
        if self.trust.case_id is None:
            verdict.note("fingerprint-not-given")
        has_content = any(e.entry.leaf.cls == logs.CONTENT for e in self.exhibits)
        given = {(w.name, w.key) for w in self.trust.witnesses}
        firsts = []
        self.coverage = {}
        for exhibit in self.exhibits:
            entry = exhibit.entry
            by_given = [r for r in self.covering(entry.log, entry.leaf.sequence) if (r.name, r.key) in given]
            first = min(by_given, key=lambda r: r.place, default=None)
            self.coverage[exhibit.number] = first
            if has_content and entry.leaf.cls != logs.CONTENT:
                continue
            firsts.append(first)
            if first is None:
                verdict.note("no-trusted-receipt", entry.log, entry.leaf.sequence)
        for log, receipts in self.receipts.items():
            for receipt in receipts:
                if receipt.time > self.exported_at + DAY:
                    verdict.note("receipt-after-export", log)
        is_intact = self.trust.case_id is not None and firsts and all(firsts)
        verdict.outcome = "intact" if is_intact else "consistent"
        if any(f.code not in REMARKS for f in verdict.findings):
            verdict.outcome = "changed"
        elif is_intact:
            verdict.since = max(r.time for r in self.coverage.values() if r)
