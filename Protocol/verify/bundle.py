"""A bundle, verified as Bundle.md says, in the order in which it says it."""

from dataclasses import dataclass, field

import archive
import logs
import report
from encoding import DAY, Malformed, Refused, b32, b64, from_b32, sha256, told_as
from exhibits import Exhibits
from proof import Proof, check_version
from receipts import Receipts
from state import State
from statements import SURVIVOR

BLOCKING = ("unreadable", "not-a-bundle", "newer-version", "too-large")
REMARKS = (
    "fingerprint-not-given", "no-trusted-receipt", "receipt-by-survivor", "time-by-other-key", "violation", "disputed", "set-aside", "erased", "unknown-kind",
    "unknown-parts", "embedded-receipt-invalid", "clock-before-receipt", "clock-after-receipt",
    "claimed-after-receipt", "receipt-after-export",
)


@dataclass
class Trust:
    """What whoever asks knows from outside of the bundle."""

    case_id: bytes = None
    witnesses: tuple = ()

    @staticmethod
    def parse(fingerprint: str, witnesses: list):
        """A fingerprint, if it is known, and receipt keys, as people have them."""
        return Trust(from_b32(fingerprint, 32) if fingerprint else None,
                     tuple(logs.WitnessKey.parse(key) for key in witnesses))


@dataclass
class Verdict:
    outcome: str = "cannot-check"
    findings: list = field(default_factory=list)
    since: int = None
    bundle: object = None      # where it was not refused


def verify(file, trust: Trust) -> Verdict:
    """The verdict on a bundle that is decrypted: a file opened for reading bytes."""
    verdict = Verdict()
    try:
        zipped = archive.Archive(file)
        check_version(zipped)
        payload = archive.check_bag(zipped)
        archive.check_fixed(zipped)
        proof = Proof(zipped)
        archive.check_places(zipped, proof.paths())
        bundle = Bundle(proof, trust)
        bundle.check_signature(zipped)
        bundle.show(zipped, payload, verdict.findings)
        bundle.check_report(zipped, verdict.findings)
        bundle.decide(verdict)
        verdict.bundle = bundle
    except Refused as refusal:
        verdict.findings.append(refusal)
        verdict.outcome = "cannot-check" if refusal.code in BLOCKING else "changed"
    return verdict


class Bundle:
    """What a proof comes to: who is a member, what counts, which receipts hold, and what is shown."""

    def __init__(self, proof: Proof, trust: Trust):
        self.proof, self.trust = proof, trust
        self.state = State(proof.union)
        self._check_members()
        self.receipts = Receipts(proof, self.state, trust.witnesses)

    # 3: evaluation

    def _check_members(self):
        for log in self.state.logs_of(SURVIVOR):
            for leaf in log.leaves[:self.state.settled_from(log.id)]:
                if leaf.cls == logs.CONTROL and (log.id, leaf.sequence) not in self.proof.control_seen:
                    raise Refused("control-missing", log=log.id, sequence=leaf.sequence)
        if set(self.proof.union.logs) != set(self.state.members):
            raise Refused("members-differ")
        if self.trust.case_id not in (None, self.proof.case_id):
            raise Refused("case-differs")
        if self.proof.exporter not in self.state.members:
            raise Refused("exporter-unknown")

    def check_signature(self, zipped: archive.Archive):
        with told_as("signature-invalid", path=archive.SIGNATURE):
            note = logs.read_note(zipped.content(archive.SIGNATURE, logs.MAX_NOTE))
            tags = zipped.content(archive.TAGS, archive.MAX_MANIFEST)
            text = f"cairn-bundle/v1\n{b32(self.proof.case_id)}\n{b64(sha256(tags))}\n".encode()
            name, key = logs.origin(self.proof.exporter), self.state.members[self.proof.exporter].card.signing_key
            if note.text != text or len(note.signatures) != 1 or not logs.note_is_signed_by(note, name, key):
                raise Malformed("not the exporter's signature over this bundle")

    # 4 to 7: exhibits, report, times

    def show(self, zipped: archive.Archive, payload: dict, findings: list):
        self.exhibits = Exhibits(self.proof, self.state, self.receipts, findings)
        self.exhibits.take_files(self.proof, zipped, payload, findings)
        self.exhibits.tell_times(self.receipts, findings)

    def check_report(self, zipped: archive.Archive, findings: list):
        rendered = report.render(self, findings)
        if archive.REPORT not in zipped.members:
            raise Refused("file-missing", path=archive.REPORT)
        size = zipped.members[archive.REPORT].size
        if size != len(rendered) or zipped.content(archive.REPORT, size) != rendered:
            findings.append(Refused("report-differs", path=archive.REPORT))

    # The verdict

    def decide(self, verdict: Verdict):
        findings = verdict.findings
        if self.trust.case_id is None:
            findings.append(Refused("fingerprint-not-given"))
        content = [exhibit for exhibit in self.exhibits if exhibit.entry.leaf.cls == logs.CONTENT]
        to_cover = content or self.exhibits
        for exhibit in to_cover:
            if not exhibit.trusted:
                findings.append(Refused("no-trusted-receipt", **exhibit.where))
                continue
            giver = self.state.members.get(self.receipts.giver(exhibit.trusted))
            if giver and giver.role == self.state.members[exhibit.entry.log].role == SURVIVOR:
                findings.append(Refused("receipt-by-survivor", **exhibit.where))
            if exhibit.before and exhibit.before.time < exhibit.trusted.time:
                findings.append(Refused("time-by-other-key", **exhibit.where))
        findings += [Refused("receipt-after-export", log=log)
                     for log in self.receipts.later_than(self.proof.exported_at + DAY)]
        is_intact = self.trust.case_id is not None and to_cover and all(exhibit.trusted for exhibit in to_cover)
        verdict.outcome = "intact" if is_intact else "consistent"
        if any(f.code not in REMARKS for f in findings):
            verdict.outcome = "changed"
        elif is_intact:
            verdict.since = max(exhibit.trusted.time for exhibit in self.exhibits if exhibit.trusted)
