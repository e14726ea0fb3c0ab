"""Vectors of what a removed device went on writing."""

import writer
from writer import START, SURVIVOR, Case, Device, encode, entries, keys, seed


def removed(by_root: bool) -> Case:
    """A second device of the survivor's is removed, and has begun an epoch that nobody else can open."""
    case = Case().tell()
    tablet = Device(30, case.id, SURVIVOR)
    case.others.append(tablet)
    case.statements.append(case.root.statement({0: 2, 1: case.id, 2: tablet.card}))
    fields = {0: list(keys.EVERYONE), 1: keys.epoch_commitment(case.id, keys.EVERYONE, seed(31)), 2: [tablet.id], 3: []}
    tablet.append(1, entries.EPOCH, [("control", fields)], START + 700)
    if by_root:
        case.statements.append(case.root.statement({0: 4, 1: case.id, 2: case.survivor.id, 3: [tablet.id], 4: [0]}))
    else:
        log, size, root = tablet.head(0)
        case.survivor.append(1, entries.CUT, [("control", {0: log, 1: size, 2: root})], START + 800)
    return case


def written_on(is_seen: bool) -> Case:
    """A second device of the survivor's wrote on after the first had removed it; the advocate saw it, or nobody did."""
    case = Case().tell()
    tablet = Device(30, case.id, SURVIVOR)
    case.others.append(tablet)
    case.statements.append(case.root.statement({0: 2, 1: case.id, 2: tablet.card}))
    log, size, root = tablet.head(0)
    case.survivor.append(1, entries.CUT, [("control", {0: log, 1: size, 2: root})], START + 800)
    title = "Unseen:\u2800\U0001bca0\U0001d159\U0001d17a."
    tablet.append(2, entries.EVIDENCE, [("title", title), ("about", [case.survivor.entry_id(4)])], START + 900)
    if is_seen:
        case.receipts = [(tablet, 1, case.advocate, START + 1000)]
    return case


def in_bundle(out, files: dict, difference, **given):
    def add(name, what, expect, case, changed, **more):
        new = dict(writer.sealed(writer.relisted(dict(case.bundle()) | changed), case.survivor))
        more |= {"state": writer.state_hash(list(new.items()))} if expect == "intact" else {}
        out.add("bundle", name, what, expect, **given, **more, files=difference(files, new))

    add("disputed", "What a removed device wrote on, and the advocate saw, is an exhibit that is called disputed wherever it is named; "
        "characters that cannot be seen are shown by their code point.", "intact", written_on(is_seen=True), {},
        findings=["disputed"])
    add("set-aside", "What a removed device wrote on, and nobody saw, is disclosed and no exhibit: the report counts it among those "
        "that are not shown.", "intact", written_on(is_seen=False), {}, findings=["set-aside"])
    settled, open_ = removed(by_root=True), removed(by_root=False)
    hidden = {f"proof/logs/{settled.devices().index(settled.others[0])}.cbor": encode([])}
    add("control-settled", "The root removed a device from its first entry on. What it wrote in its own name since nobody else "
        "can open, and nobody needs to.", "intact", settled, hidden)
    add("control-of-removed", "The same device, removed by another one, whose own removal the hidden entry could be.",
        "control-missing", open_, hidden)
