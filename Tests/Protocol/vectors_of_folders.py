"""Vectors of the folder in which members meet."""

import cbor2

import vectors_of_control
import vectors_of_forks
import vectors_of_shares
import vectors_of_sync
import writer
from writer import END, Case, Device, encode, frame, logs, seed


class Mailbox:
    """A folder in which the survivor's device and the advocate have written, file by file."""

    kit = seed(2)[:16].hex()

    def __init__(self, case: Case):
        self.case = case
        self.wraps = [[epoch, None, writer.seal_box(case.kit, key, 10 + i)]
                      for i, (epoch, key) in enumerate(case.epochs.values())]
        survivor, advocate = case.survivor, case.advocate
        self.files = {
            self.head(survivor): self.founding(survivor, survivor),
            self.run(survivor, 0, 6): self.of(survivor, self.ranged(survivor, 0, 6, hidden=(5,))),
            self.head(advocate): self.of(advocate, self.heads(advocate)),
            self.run(advocate, 0, 1): self.of(advocate, self.ranged(advocate, 0, 1)),
        }

    # Names

    def subfolder(self, owner: bytes) -> str:
        return f"{writer.b32(writer.domain_hash('mailbox', self.case.id))[:16]}-{writer.b32(owner)}"

    def head(self, device: Device) -> str:
        return f"{self.subfolder(device.id)}/head"

    def run(self, device: Device, first: int, last: int, carrier: Device = None) -> str:
        return f"{self.subfolder((carrier or device).id)}/r-{writer.b32(device.id)}-{first:010}-{last:010}"

    # Contents

    def of(self, device: Device, *middle: bytes) -> bytes:
        """A device's stream of these frames."""
        return writer.hello(self.case.id, device.id) + b"".join(middle) + END

    def heads(self, device: Device, history: Device = None) -> bytes:
        return frame(3, [[device.signing.public, (history or device).checkpoint()]])

    def founding(self, device: Device, history: Device) -> bytes:
        """The head of who founded the case; its log may be in another history."""
        return self.of(device, frame(2, [cbor2.loads(self.case.founding)]), self.heads(device, history), frame(7, self.wraps))

    def ranged(self, device: Device, first: int, last: int, proof=(), hidden=()) -> bytes:
        epochs, rows = [], []
        for sequence in range(first, last):
            slots = []
            for epoch, slot in self.case.slots.get((device.id, sequence), []) if sequence not in hidden else []:
                epochs += [epoch] if epoch not in epochs else []
                slots.append([epochs.index(epoch), slot])
            leaf = device.log.leaves[sequence]
            body = leaf.ciphertext_hash if sequence in hidden else device.sealed[sequence][2]
            rows.append([leaf.cls, leaf.commit, body, slots])
        return frame(4, {0: device.id, 1: first, 2: epochs, 3: rows, 4: device.checkpoint(), 5: list(proof)})

    def changed(self, files: dict) -> dict:
        """With these files; None for one that is not there."""
        return {path: data for path, data in (self.files | files).items() if data is not None}

    def state(self, files: dict) -> str:
        """The state hash of who reads it with these files."""
        import verify_vectors
        given = {"files": {path: data.hex() for path, data in self.changed(files).items()}, "kit": self.kit}
        return verify_vectors.read_folder(given).state_hash.hex()


def folders(out, case: Case):
    mailbox = Mailbox(case)

    def add(title, what, expect, changed, **more):
        given = {"kit": mailbox.kit, "sizes": [6, 1]} | more
        out.add("folder", title, what, expect, **given, files={p: d.hex() for p, d in mailbox.changed(changed).items()})

    add("good", "A mailbox of two devices. The survivor's private entry is there as a leaf only.", "ok", {},
        state=mailbox.state({}))
    _streams(add, mailbox)
    _ranges(add, mailbox)
    _statements(add, mailbox)
    _forks(add, mailbox)
    vectors_of_sync.summaries(add, mailbox.files, [mailbox.head(d) for d in (case.survivor, case.advocate)],
                              mailbox.run(case.survivor, 0, 6))
    vectors_of_forks.in_folder(add, mailbox)
    vectors_of_control.in_folder(add, mailbox)


def _streams(add, mailbox: Mailbox):
    survivor, advocate = mailbox.case.survivor, mailbox.case.advocate
    first, good = mailbox.run(survivor, 0, 6), mailbox.ranged(survivor, 0, 6, hidden=(5,))
    add("no-end", "A range without its last frame. What came before counts.", "file-damaged",
        {first: mailbox.of(survivor, good)[:-len(END)]}, sizes=[6, 1])
    add("after-end", "Something follows the last frame.", "file-damaged", {first: mailbox.of(survivor, good) + b"\0"},
        sizes=[6, 1])
    add("other-hello", "A file that greets as another device.", "file-damaged",
        {first: mailbox.of(advocate, good)}, sizes=[0, 1])
    add("unknown-frame", "A frame that is not known ends the reading of a file.", "file-damaged",
        {first: mailbox.of(survivor, frame(0x33, None), good)}, sizes=[0, 1])
    add("other-name", "A range under a name that does not cover it.", "file-damaged",
        {first: None, mailbox.run(survivor, 0, 5): mailbox.of(survivor, good)}, sizes=[0, 1])


def _ranges(add, mailbox: Mailbox):
    survivor = mailbox.case.survivor
    first = mailbox.run(survivor, 0, 6)
    written = lambda *given, **more: mailbox.of(survivor, mailbox.ranged(survivor, *given, **more))
    fields = cbor2.loads(mailbox.ranged(survivor, 0, 6, hidden=(5,))[5:])
    rows = fields[3]
    add("entries-swapped", "Two entries of a range are exchanged.", "file-damaged",
        {first: mailbox.of(survivor, frame(4, fields | {3: [rows[1], rows[0]] + rows[2:]}))}, sizes=[0, 1])
    add("entry-dropped", "The last entry of a range is left out.", "file-damaged",
        {first: mailbox.of(survivor, frame(4, fields | {3: rows[:-1]}))}, sizes=[0, 1])
    add("range-back", "A file whose second range begins before the end of the first, with the same entries.", "file-damaged",
        {first: mailbox.of(survivor, mailbox.ranged(survivor, 0, 6, hidden=(5,)), mailbox.ranged(survivor, 4, 6, hidden=(5,)))},
        sizes=[6, 1])
    add("gap", "A range that begins beyond what is there.", "gap",
        {first: None, mailbox.run(survivor, 3, 6): written(3, 6, hidden=(5,))}, sizes=[0, 1])
    hashes = vectors_of_forks.leaf_hashes(survivor)
    proof = [logs.node(hashes[2], hashes[3]), logs.root_of(hashes[4:6])]
    add("two-ranges", "A range that ends before its checkpoint, with a proof, and one that continues it.", "ok",
        {first: None, mailbox.run(survivor, 0, 2): written(0, 2, proof=proof),
         mailbox.run(survivor, 2, 6): written(2, 6, hidden=(5,))})
    later = cbor2.loads(mailbox.ranged(survivor, 2, 6, hidden=(5,))[5:])
    add("range-again", "A range whose entries are exchanged, and as it should be in another member's folder: that one counts.",
        "file-damaged", {
            first: None, mailbox.run(survivor, 0, 2): written(0, 2, proof=proof),
            mailbox.run(survivor, 2, 6): mailbox.of(survivor, frame(4, later | {3: later[3][1::-1] + later[3][2:]})),
            mailbox.run(survivor, 2, 6, mailbox.case.advocate): mailbox.of(mailbox.case.advocate, frame(4, later))})
    add("bad-proof", "A proof that does not lead to the checkpoint: the fault of the mailbox, and no fork.", "file-damaged",
        {first: None, mailbox.run(survivor, 0, 2): written(0, 2, proof=proof[::-1])}, sizes=[0, 1])


def _statements(add, mailbox: Mailbox):
    case, stranger = mailbox.case, bytes(32)

    def forged(card: bytes) -> dict:
        body = encode({0: 1, 1: case.id, 2: case.root.public, 3: card, 4: bytes(80)})
        return {f"{mailbox.subfolder(stranger)}/head":
                writer.hello(case.id, stranger) + frame(2, [[body, bytes(64)]]) + END}

    add("statement-forged", "A stranger's founding statement, which the root did not sign, where it is read before the good one.",
        "file-damaged", forged(case.survivor.card))
    add("statement-forged-newer", "The same with a card of a later version.", "file-damaged", forged(writer.newer_card()))


def _forks(add, mailbox: Mailbox):
    """The device signs another history of the same size."""
    advocate, fork = mailbox.case.advocate, vectors_of_sync.forked(mailbox.case)
    told = lambda *notes: {mailbox.head(advocate): mailbox.of(advocate, mailbox.heads(advocate), frame(8, [[*notes, []]]))}
    add("fork", "Two heads of one size and different roots, signed by one log.", "fork", told(*fork))
    add("fork-unordered", "The same, not in the order of their roots: no proof.", "file-damaged", told(*fork[::-1]))


def all_of(out, case: Case):
    folders(out, case)
    vectors_of_shares.in_folder(out, Mailbox)
