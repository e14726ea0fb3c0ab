"""Vectors of control entries that cannot be read, or that a newer version made."""

import writer
from writer import START, SURVIVOR, Case, Device, encode, entries, seed

NOT_CBOR = b"\xff"


def append_raw(device: Device, kind: int, control: bytes, clock: int, heads=()):
    """A control entry whose third part holds these bytes."""
    header = {0: device.case_id, 1: device.id, 2: device.log.size, 3: kind, 4: 3}
    context = {0: clock, 1: [list(head) for head in sorted(heads)], 2: []}
    device.append_parts(1, seed(device.number, 100, device.log.size), [
        ("header", encode(header)), ("context", encode(context)), ("control", control)])


def with_tablet() -> tuple:
    """A second device of the survivor's, with three entries that keep something."""
    case = Case().tell()
    tablet = Device(30, case.id, SURVIVOR)
    case.others.append(tablet)
    case.statements.append(case.root.statement({0: 2, 1: case.id, 2: tablet.card}))
    for number in range(3):
        tablet.append(1, entries.KEEP, [("control", {0: seed(40, number)})], START + 600)
    return case, tablet


def decision(case: Case, tablet: Device) -> bytes:
    """The root's word that the tablet's log counts up to its third entry."""
    return case.root.statement({0: 4, 1: case.id, 2: case.survivor.id, 3: [tablet.id], 4: [3]})


def in_bundle(out, files: dict, difference, **given):
    def add(name, what, expect, new):
        more = {"state": writer.state_hash(list(new.items()))} if expect == "intact" else {}
        out.add("bundle", name, what, expect, **given, **more, files=difference(files, new))

    case, tablet = with_tablet()
    append_raw(case.survivor, entries.ERASE, NOT_CBOR, START + 700, [tablet.head(2)])
    log, size, root = tablet.head(1)
    case.survivor.append(1, entries.CUT, [("control", {0: log, 1: size, 2: root})], START + 800)
    add("context-of-violation", "A control entry that cannot be read says how far it had seen another log. The cut after it "
        "is smaller than that, and has an effect all the same.", "intact", dict(case.bundle()))

    for name, kind, control, what in (
            ("newer-card", entries.ADMIT, encode({0: writer.newer_card(), 1: 2}), "An admission with a card of version 2"),
            ("newer-kind", 9, NOT_CBOR, "A control entry of kind 9, whose part holds what version 9 may put there and no CBOR")):
        case, tablet = with_tablet()
        append_raw(tablet, kind, control, START + 700)
        case.statements.append(decision(case, tablet))
        settled = dict(case.bundle())
        add(f"{name}-settled", f"{what}, where the root has cut its log: nothing there could count.", "intact", settled)
        # As it is but for the root's word: who goes on must not.
        case.statements.pop()
        exhibits = entries.decode(settled["proof/case.cbor"], 1 << 20)[7]
        changed = writer.relisted(settled | {"proof/case.cbor": encode(case.case_file(exhibits))})
        add(name, f"{what}.", "newer-version", writer.sealed(changed, case.survivor))


def in_folder(add, mailbox):
    """What somebody signed who is no member, sealed to the case's epoch: it breaks a rule, and is no violation of the case."""
    stranger = Device(50, mailbox.case.id, SURVIVOR)
    append_raw(stranger, entries.ERASE, NOT_CBOR, START + 600)
    mailbox.case.give(stranger, 0, writer.keys.EVERYONE)
    files = {mailbox.head(stranger): mailbox.of(stranger, mailbox.heads(stranger)),
             mailbox.run(stranger, 0, 1): mailbox.of(stranger, mailbox.ranged(stranger, 0, 1))}
    add("stranger-violation", "An entry that cannot be read in the log of somebody who is no member.", "ok", files,
        strangers=[1], state=mailbox.state(files))
