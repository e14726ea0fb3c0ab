"""Vectors of what lies in a mailbox beside ranges: shares and blobs."""

import writer
from writer import START, Case, encode, entries, frame, logs, seed, u64

from encoding import domain_hash  # noqa: E402

FILE_KEY, CONTENT = seed(5), b"What the picture shows."


def blob(content: bytes = CONTENT) -> tuple:
    """Root and file of an attachment."""
    spans = writer.sealed_spans(FILE_KEY, content)
    return logs.root_of(map(writer.keys.span_hash, spans)), writer.blob_file(spans)


def told(root: bytes = blob()[0], key: bytes = FILE_KEY, size: int = len(CONTENT), hashed: bytes = writer.sha256(CONTENT)) -> tuple:
    """A case in which what was private is shared later, and an entry has a file that is there. What it says of that is as it is,
    where nothing else is given.
    """
    case = Case().tell()
    survivor, advocate = case.survivor, case.advocate
    epoch = case.epochs[1, advocate.id][0]
    case.give(survivor, 5, (1, advocate.id))
    slot = case.slots[survivor.id, 5].pop()[1]
    batch = domain_hash("slot-batch", survivor.id + u64(5) + slot)
    shared = survivor.append(1, entries.SHARE, [("control", {0: epoch, 1: [[survivor.id, 5, 1]], 2: batch})], START + 600)
    case.give(survivor, 6, writer.keys.EVERYONE)
    survivor.append(2, entries.EVIDENCE, [
        ("words", "It has a file."),
        ("file", {0: 0, 1: size, 2: hashed, 3: "image/png", 4: False}), ("blob", {0: 0, 1: root, 2: key})], START + 700)
    case.give(survivor, 7, (1, advocate.id))
    return case, shared, [survivor.id, 5, epoch, slot]


def written(mailbox, root: bytes) -> str:
    """Puts the longer log in the place of the shorter one. The name of an attachment there."""
    survivor = mailbox.case.survivor
    del mailbox.files[mailbox.run(survivor, 0, 6)]
    mailbox.files[mailbox.run(survivor, 0, 8)] = mailbox.of(survivor, mailbox.ranged(survivor, 0, 8, hidden=(5,)))
    return f"{mailbox.subfolder(survivor.id)}/b-{writer.b32(root)}"


def in_folder(out, Mailbox):
    case, shared, slot = told()
    mailbox, survivor = Mailbox(case), case.survivor
    body, attachment = survivor.sealed[5][2], written(mailbox, blob()[0])
    share = f"{mailbox.subfolder(survivor.id)}/s-{writer.b32(shared)}"
    good = {share: mailbox.of(survivor, frame(6, [slot]), frame(5, [[survivor.id, 5, body]])), attachment: blob()[1]}

    def add(name, what, expect, changed, readable, attachments):
        files = mailbox.changed(good | changed)
        out.add("folder", name, what, expect, kit=mailbox.kit, sizes=[8, 1], state=mailbox.state(good | changed), readable=readable,
                attachments=attachments, files={path: data.hex() for path, data in files.items()})

    # Four control entries of epochs and an admission, the share, two of evidence, a note; with the private one.
    add("share", "What was private is shared: its slot and its body. An entry has a file, whose blob is there.", "ok", {}, 9, 1)
    add("share-missing", "The same without the file of the share.", "ok", {share: None}, 8, 1)
    add("share-other-body", "The same with the body of another entry, which is not taken.", "file-damaged",
        {share: mailbox.of(survivor, frame(6, [slot]), frame(5, [[survivor.id, 5, survivor.sealed[4][2]]]))}, 8, 1)
    add("share-junk-slot", "A slot that opens nothing stands before the one that does.", "ok",
        {share: mailbox.of(survivor, frame(6, [[*slot[:3], seed(9) + bytes(16)], slot]), frame(5, [[survivor.id, 5, body]]))}, 9, 1)
    add("blob-altered", "A byte of the attachment is another one.", "file-damaged",
        {attachment: blob()[1][:-1] + bytes([blob()[1][-1] ^ 1])}, 9, 0)
    add("blob-cut", "The end of the attachment is lacking.", "file-damaged", {attachment: blob()[1][:-1]}, 9, 0)
