"""Vectors of receipts in bundles: which is the first, and what one that an entry embeds comes to."""

import writer
from writer import ADVOCATE, START, SURVIVOR, Case, Device, entries, logs


def of_one_second() -> Case:
    case = Case().tell()
    other = Device(21, case.id, ADVOCATE)
    case.survivor.append(1, entries.ADMIT, [("control", {0: other.card, 1: ADVOCATE})], START + 600)
    case.others.append(other)
    first, last = sorted([case.advocate, other], key=lambda d: logs.origin(d.id))
    case.receipts = [(case.survivor, 6, first, START + 1000), (case.survivor, 5, last, START + 1000),
                     (case.advocate, 1, other, START + 1000)]
    return case


def embedding(case: Case, of: Device, giver: Device) -> Case:
    """A further exhibit, which embeds a receipt."""
    receipt = of.checkpoint(receipts=[(giver, START + 450)], is_signed=False)
    case.survivor.append(2, entries.EVIDENCE, [("words", "Once more.")], START + 600, receipts=[receipt])
    return case


def earlier_by_own_device() -> Case:
    """The survivor's own second device gives a receipt, by whatever clock, before the advocate does."""
    case = Case().tell()
    tablet = Device(30, case.id, SURVIVOR)
    case.others.append(tablet)
    case.statements.append(case.root.statement({0: 2, 1: case.id, 2: tablet.card}))
    case.receipts = [(case.survivor, 5, tablet, START + 900)]
    return case


def in_bundle(out, files: dict, difference, fingerprint, witness):
    def add(name, what, case, given=(), **more):
        new = dict(case.bundle())
        out.add("bundle", name, what, "intact", fingerprint=fingerprint, witness=witness + list(given), **more,
                state=writer.state_hash(list(new.items())), files=difference(files, new))

    add("receipts-of-one-second", "Receipts of one second: the first is the one over the smaller head, whoever gave it, and of "
        "one head that with the lesser name.", of_one_second())
    add("time-by-other-key", "The report has an earlier time than the key that was given vouches for, by a receipt of a device of "
        "the exporter's own.", earlier_by_own_device(), findings=["time-by-other-key"])
    own = earlier_by_own_device()
    add("receipt-by-survivor", "The first key that was given is of a device of the survivor's own.", own,
        [own.others[0].witness_key()], findings=["receipt-by-survivor"])
    case, stranger = Case().tell(), Device(22, Case().id, ADVOCATE)
    add("embedded-of-stranger", "An entry embeds a receipt by a key that is no member's. The same key is given: that changes "
        "neither the finding nor the report.", embedding(case, case.survivor, stranger), [stranger.witness_key()],
        findings=["embedded-receipt-invalid"])
    case = Case().tell()
    add("embedded-of-author", "An entry embeds a receipt by its own author over another's log. It holds, and says nothing about "
        "when the entry was written.", embedding(case, case.advocate, case.survivor), findings=[])
    case = Case().tell()
    add("embedded", "An entry embeds a receipt by another member: it was written after that.",
        embedding(case, case.survivor, case.advocate), findings=[])
