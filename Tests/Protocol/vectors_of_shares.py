"""Vectors of what lies in a mailbox beside ranges: shares and blobs."""

import writer
from writer import START, Case, encode, entries, frame, logs, seed, u64

from encoding import domain_hash  # noqa: E402

FILE_KEY, CONTENT = seed(5), b"What the picture shows."


def blob() -> tuple:
    """Root and file of an attachment of one span."""
    padding = writer.keys.padme(len(CONTENT) + 8) - len(CONTENT) - 8
    span = writer.seal(writer.keys.derive(FILE_KEY, "blobspan", 1), bytes(23) + b"\1", b"", CONTENT + bytes(padding) + u64(len(CONTENT)))
    hashed = writer.keys.span_hash(span)
    return logs.root_of([hashed]), u64(len(span)) + hashed + span


def told() -> tuple:
    """A case in which what was private is shared later, and an entry has a file that is there."""
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
        ("file", {0: 0, 1: len(CONTENT), 2: writer.sha256(CONTENT), 3: "image/png", 4: False}),
        ("blob", {0: 0, 1: blob()[0], 2: FILE_KEY})], START + 700)
    case.give(survivor, 7, (1, advocate.id))
    return case, shared, [survivor.id, 5, epoch, slot]


def in_folder(out, Mailbox):
    case, shared, slot = told()
    mailbox, survivor = Mailbox(case), case.survivor
    body = survivor.sealed[5][2]
    del mailbox.files[mailbox.run(survivor, 0, 6)]
    mailbox.files[mailbox.run(survivor, 0, 8)] = mailbox.of(survivor, mailbox.ranged(survivor, 0, 8, hidden=(5,)))
    share, root = f"{mailbox.subfolder(survivor.id)}/s-{writer.b32(shared)}", blob()[0]
    attachment = f"{mailbox.subfolder(survivor.id)}/b-{writer.b32(root)}"
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
