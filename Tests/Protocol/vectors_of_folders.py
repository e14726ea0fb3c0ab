"""Vectors of the folder in which members meet."""

import cbor2

import vectors_of_forks
import vectors_of_sync
import writer
from writer import END, Case, frame, logs, seed


def folders(out, case: Case):
    survivor, advocate = case.survivor, case.advocate
    tag = writer.domain_hash("mailbox", case.id)
    hello = lambda device: writer.hello(case.id, device.id)
    name = lambda device: f"{writer.b32(tag)[:16]}-{writer.b32(device.id)}"
    run = lambda device, first, last: f"{name(device)}/r-{writer.b32(device.id)}-{first:010}-{last:010}"

    def ranged(device, first, last, note=None, proof=(), hidden=()):
        epochs, rows = [], []
        for sequence in range(first, last):
            slots = []
            for epoch, slot in case.slots.get((device.id, sequence), []) if sequence not in hidden else []:
                epochs += [epoch] if epoch not in epochs else []
                slots.append([epochs.index(epoch), slot])
            leaf = device.log.leaves[sequence]
            body = leaf.ciphertext_hash if sequence in hidden else device.sealed[sequence][2]
            rows.append([leaf.cls, leaf.commit, body, slots])
        return frame(4, {0: device.id, 1: first, 2: epochs, 3: rows, 4: note or device.checkpoint(), 5: list(proof)})

    wraps = [[epoch, None, writer.seal_box(case.kit, key, 10 + i)]
             for i, (epoch, key) in enumerate(case.epochs.values())]
    heads = [[d.signing.public, d.checkpoint()] for d in (survivor, advocate)]
    good = {
        f"{name(survivor)}/head": hello(survivor) + frame(2, [cbor2.loads(case.founding)]) + frame(3, heads[:1])
        + frame(7, wraps) + END,
        run(survivor, 0, 6): hello(survivor) + ranged(survivor, 0, 6, hidden=(5,)) + END,
        f"{name(advocate)}/head": hello(advocate) + frame(3, heads[1:]) + END,
        run(advocate, 0, 1): hello(advocate) + ranged(advocate, 0, 1) + END,
    }
    state = {"kit": seed(2)[:16].hex(), "sizes": [6, 1]}

    def add(title, what, expect, changed, **more):
        files = {p: changed.get(p, d) for p, d in (good | changed).items() if changed.get(p, d) is not None}
        out.add("folder", title, what, expect, **(state | more), files={p: d.hex() for p, d in files.items()})

    add("good", "A mailbox of two devices. The survivor's private entry is there as a leaf only.", "ok", {},
        state=out_state(good, state["kit"]))
    first = run(survivor, 0, 6)
    swap = ranged(survivor, 0, 6, hidden=(5,))
    rows = cbor2.loads(swap[5:])
    swapped = rows | {3: [rows[3][1], rows[3][0]] + rows[3][2:]}
    dropped = rows | {3: rows[3][:-1]}
    add("entries-swapped", "Two entries of a range are exchanged.", "file-damaged",
        {first: hello(survivor) + frame(4, swapped) + END}, sizes=[0, 1])
    add("entry-dropped", "The last entry of a range is left out.", "file-damaged",
        {first: hello(survivor) + frame(4, dropped) + END}, sizes=[0, 1])
    add("no-end", "A range without its last frame. What came before counts.", "file-damaged",
        {first: hello(survivor) + swap}, sizes=[6, 1])
    add("after-end", "Something follows the last frame.", "file-damaged", {first: hello(survivor) + swap + END + b"\0"},
        sizes=[6, 1])
    add("other-hello", "A file that greets as another device.", "file-damaged",
        {first: hello(advocate) + swap + END}, sizes=[0, 1])
    add("unknown-frame", "A frame that is not known ends the reading of a file.", "file-damaged",
        {first: hello(survivor) + frame(0x33, None) + swap + END}, sizes=[0, 1])
    add("other-name", "A range under a name that does not cover it.", "file-damaged",
        {first: None, run(survivor, 0, 5): hello(survivor) + swap + END}, sizes=[0, 1])
    add("gap", "A range that begins beyond what is there.", "gap",
        {first: None, run(survivor, 3, 6): hello(survivor) + ranged(survivor, 3, 6, hidden=(5,)) + END}, sizes=[0, 1])

    def forged(card: bytes) -> dict:
        stranger = bytes(32)
        body = writer.encode({0: 1, 1: case.id, 2: case.root.public, 3: card, 4: bytes(80)})
        return {f"{writer.b32(tag)[:16]}-{writer.b32(stranger)}/head": writer.hello(case.id, stranger)
                + frame(2, [[body, bytes(64)]]) + END}

    add("statement-forged", "A stranger's founding statement, which the root did not sign, where it is read before the good one.",
        "file-damaged", forged(survivor.card))
    add("statement-forged-newer", "The same with a card of a later version.",
        "file-damaged", forged(writer.newer_card()))
    hashes = [logs.leaf_hash(leaf.data) for leaf in survivor.log.leaves]
    proof = [logs.node(hashes[2], hashes[3]), logs.root_of(hashes[4:6])]
    add("two-ranges", "A range that ends before its checkpoint, with a proof, and one that continues it.", "ok",
        {first: None, run(survivor, 0, 2): hello(survivor) + ranged(survivor, 0, 2, proof=proof) + END,
         run(survivor, 2, 6): hello(survivor) + ranged(survivor, 2, 6, hidden=(5,)) + END})
    add("bad-proof", "A proof that does not lead to the checkpoint: the fault of the mailbox, and no fork.", "file-damaged",
        {first: None, run(survivor, 0, 2): hello(survivor) + ranged(survivor, 0, 2, proof=proof[::-1]) + END}, sizes=[0, 1])
    vectors_of_sync.summaries(add, good, [f"{name(device)}/head" for device in (survivor, advocate)], first)
    _forks(add, case, name, hello, good)

    def founder_head(device, other) -> bytes:
        return (hello(device) + frame(2, [cbor2.loads(case.founding)])
                + frame(3, [[device.signing.public, other.checkpoint()]]) + frame(7, wraps) + END)

    def state_of(changed: dict) -> str:
        new = {p: d for p, d in (good | changed).items() if d is not None}
        return out_state(new, state["kit"])

    vectors_of_forks.in_folder(add, case, {
        "hello": hello, "ranged": ranged, "name": name, "run": run, "head": founder_head,
    }, state_of)


def out_state(files: dict, kit: str) -> str:
    import verify_vectors
    return verify_vectors.read_folder({"files": {p: d.hex() for p, d in files.items()}, "kit": kit}).state_hash.hex()


def _forks(add, case: Case, name, hello, good):
    """The device signs another history of the same size."""
    fork = vectors_of_sync.forked(case)
    path = f"{name(case.advocate)}/head"
    heads = [[case.advocate.signing.public, case.advocate.checkpoint()]]
    add("fork", "Two heads of one size and different roots, signed by one log.", "fork",
        {path: hello(case.advocate) + frame(3, heads) + frame(8, [[*fork, []]]) + END})
    add("fork-unordered", "The same, not in the order of their roots: no proof.", "file-damaged",
        {path: hello(case.advocate) + frame(3, heads) + frame(8, [[*fork[::-1], []]]) + END})


def all_of(out, case: Case):
    folders(out, case)
