"""Vectors of what travels: frames, proofs, fork proofs."""

import cbor2

import mutate_folder
import writer
from vectors_of_forks import another_history, leaf_hashes
from writer import END, SURVIVOR, Case, Device, by_root, encode, frame, hello, keys, logs, seed


def summed_up(frames) -> bytes:
    """What frames come to that stand between a summary and the end."""
    return writer.domain_hash("head", *frames)


def frames(out, case: Case):
    survivor, advocate = case.survivor, case.advocate
    greeting = hello(case.id, survivor.id)
    epoch, key = case.epochs[(1, advocate.id)]
    slot = survivor.slot(4, (1, advocate.id), epoch, key)
    new = Device(30, case.id, SURVIVOR)
    row = lambda s, slots=(): [survivor.log.leaves[s].cls, survivor.log.leaves[s].commit, survivor.sealed[s][2],
                               [list(item) for item in slots]]
    ranged = {0: survivor.id, 1: 4, 2: [epoch], 3: [row(4, [(0, slot)]), row(5)], 4: survivor.checkpoint(), 5: []}
    box = writer.seal_box(advocate.box, key, 70)
    fork = forked(case)
    spans = [b"\1" * 65_552, b"\2" * 40]
    hashes = [keys.span_hash(span) for span in spans]
    root = logs.root_of(hashes)
    payloads = {
        "hello": None, "statements": (2, [cbor2.loads(case.founding)]),
        "heads": (3, [[survivor.signing.public, survivor.checkpoint(6)],
                      [survivor.signing.public, survivor.checkpoint(4, [(advocate, writer.START)])]]),
        "range": (4, ranged), "bodies": (5, [[survivor.id, 5, survivor.sealed[5][2]]]),
        "slots": (6, [[survivor.id, 4, epoch, slot]]), "wraps": (7, [[epoch, advocate.id, box], [epoch, None, box]]),
        "forks": (8, [[*fork, []]]), "blob": (9, {0: root, 1: 65_592, 2: b"".join(hashes)}),
        "span": (10, {0: root, 1: 1, 2: spans[1]}), "successions": (13, [cbor2.loads(survivor.succeeded_by(new))]),
    }

    def add(name, what, expect, *middle, start=greeting, stop=END):
        out.add("frame", name, what, expect, input=start + b"".join(frame(*one) for one in middle) + stop)

    _summaries(add, payloads["statements"], payloads["heads"])
    for name, payload in payloads.items():
        add(f"good-{name}", f"A stream with a frame of type {name}.", "ok", *([payload] if payload else []))
    add("newer", "A greeting of a later version.", "newer-version", start=frame(1, {0: 2, 1: b"whatever"}))
    add("newer-zero", "A greeting of version 0, which none was.", "newer-version", start=frame(1, {0: 0, 1: b"whatever"}))

    def change(kind: int, value, name: str, what: str):
        add(f"bad-{name}", what, "malformed", (kind, value))

    change(1, greeting[5:], "hello-twice", "A second greeting.")
    add("bad-no-hello", "No greeting.", "malformed", start=b"")
    add("bad-no-end", "No end.", "malformed", stop=b"")
    add("bad-after-end", "A frame after the end.", "malformed", stop=END + END)
    add("bad-end", "An end with a payload of its own.", "malformed", stop=frame(0x7F, 0))
    add("bad-cut", "A frame that is cut off.", "malformed", stop=frame(2, [])[:-1])
    add("bad-long-hello", "A greeting of 129 bytes.", "malformed", start=bytes([1, 0, 0, 0, 129]) + bytes(129))
    add("bad-length", "A length beyond 16 MiB.", "malformed", stop=bytes([5, 1, 0, 0, 1]))
    change(0x33, None, "type", "A type that is not known.")
    change(0x0B, [[survivor.id, 3], []], "want", "A type that is reserved.")
    change(2, [[b"\0" * 4090, bytes(64)]], "statement-long", "A statement of more than 4,096 bytes.")
    change(3, [[survivor.signing.public]], "heads", "A head without its note.")
    change(3, [[survivor.signing.public, b"x" * 16_385]], "note-long", "A note of more than 16 KiB.")
    _ranges(change, ranged, row, epoch, slot)
    add("good-range-last", "A range that ends with the last entry that a log may have.", "ok", (4, ranged | {1: (1 << 20) - 2}))
    change(5, [[survivor.id, 5]], "bodies", "A body without a ciphertext.")
    change(6, [[survivor.id, 4, epoch, slot + b"\0"]], "slots", "A slot of 49 bytes.")
    change(7, [[epoch, None, bytes(250)]], "wrap-long", "A wrap of more than 256 bytes.")
    change(8, [[*fork]], "forks", "A fork proof without its hashes.")
    change(9, {0: root, 1: 65_592, 2: hashes[0]}, "blob-hashes", "Fewer hashes than spans.")
    change(9, {0: root, 1: 65_560, 2: b"".join(hashes)}, "blob-length", "A length that ends within a tag.")
    change(10, {0: root, 1: 0, 2: spans[0] + b"\0"}, "span-long", "A span that is too long.")
    change(0x0D, [[b"\0" * 4090, bytes(64), bytes(64)]], "succession-long", "A succession of more than 4,096 bytes.")
    _items(add, change, epoch)


def _items(add, change, epoch: bytes):
    """How short an item may be, and how many there may be in several frames."""
    change(2, [[bytes(30), bytes(64)]], "statement-short", "A statement of 99 bytes.")
    change(0x0D, [[bytes(30), bytes(64)]], "succession-short", "A succession of 99 bytes.")
    change(7, [[epoch, None, bytes(61)]], "wrap-short", "A wrap of 99 bytes.")
    add("good-wraps-least", "What is as short as a wrap may be, and none: that ends no stream.", "ok",
        (7, [[epoch, None, bytes(62)]]))
    fork = [b"", b"", []]
    add("good-forks-split", "As many fork proofs as a stream may have, in two frames.", "ok", (8, [fork] * 512), (8, [fork] * 512))
    add("bad-forks-split", "One more fork proof than a stream may have, in two frames.", "malformed",
        (8, [fork] * 512), (8, [fork] * 513))


def _ranges(change, ranged: dict, row, epoch: bytes, slot: bytes):
    change(4, ranged | {3: [], 2: []}, "range-empty", "A range without entries.")
    change(4, ranged | {2: [epoch, seed(9)]}, "epoch-unused", "An epoch that no slot names.")
    change(4, ranged | {2: [epoch, epoch], 3: [row(4, [(0, slot)]), row(5, [(1, slot)])]}, "epoch-twice", "An epoch twice.")
    change(4, ranged | {2: [seed(9), epoch], 3: [row(4, [(1, slot)]), row(5, [(0, slot)])]}, "epoch-order",
           "Epochs that are not in the order of their first use.")
    change(4, ranged | {3: [row(4, [(1, slot)])]}, "epoch-index", "A slot of an epoch that is not in the list.")
    change(4, ranged | {3: [row(4, [(0, slot[:47])])]}, "slot-short", "A slot of 47 bytes.")
    change(4, ranged | {2: [], 3: [[2, seed(8), seed(7)[:31], []]]}, "body-short", "A hash of 31 bytes.")
    change(4, ranged | {2: [], 3: [[256, seed(8), seed(7), []]]}, "class", "A class of more than a byte.")
    change(4, ranged | {1: (1 << 32) - 1}, "range-beyond", "A range that ends beyond 2^32 entries.")
    change(4, ranged | {1: (1 << 20) - 1}, "range-beyond-log", "A range that ends beyond 2^20 entries, which no log may have.")
    change(4, ranged | {5: [seed(9)] * 65}, "proof-long", "A proof of 65 hashes.")


def _summaries(add, stated: tuple, headed: tuple):
    """Around a frame of statements and one of heads."""
    summary = lambda *summed: (14, encode(summed_up(frame(*one) for one in summed)))
    add("good-summary", "A summary of two frames.", "ok", summary(stated, headed), stated, headed)
    add("good-summary-empty", "A summary of no frames.", "ok", summary())
    add("bad-summary", "A summary of the same frames in another order.", "malformed", summary(headed, stated), stated, headed)
    add("bad-summary-twice", "A second summary, of what comes after it.", "malformed", summary(stated), summary(stated), stated)
    add("bad-summary-late", "A summary that does not stand second.", "malformed", stated, summary(headed), headed)
    add("bad-summary-first", "A summary and no greeting.", "malformed", summary(stated), stated, start=b"")
    add("bad-summary-short", "A summary of 31 bytes.", "malformed", (14, encode(summed_up([])[:31])), stated)
    add("bad-summary-long", "A summary of 33 bytes.", "malformed", (14, encode(summed_up([]) + b"\0")), stated)
    add("bad-summary-joined", "A summary of the frames joined into one.", "malformed",
        (14, encode(summed_up([frame(*stated) + frame(*headed)]))), stated, headed)


def summaries(add, good: dict, heads: list, ranged: str):
    """Files as they are, with a summary at one place or another."""
    def put(path: str, place: int, of=slice(1, -1)) -> bytes:
        found = mutate_folder.split(good[path])
        whole = [frame(*one) for one in found]
        whole.insert(place, frame(14, encode(summed_up(whole[of]))))
        return b"".join(whole)

    with_summary = {path: put(path, 1) for path in heads}
    late = with_summary[heads[0]][:-len(END)] + frame(14, encode(summed_up([]))) + END
    add("summary", "Heads with a summary.", "ok", with_summary)
    add("summary-other", "A head with the summary of other frames. What stands in it counts.", "file-damaged",
        {heads[0]: put(heads[0], 1, slice(2, -1))})
    add("summary-twice", "A second summary, last. What comes before it counts.", "file-damaged", {heads[0]: late})
    add("summary-late", "A summary that does not stand second.", "file-damaged", {heads[0]: put(heads[0], -1, slice(0))})
    add("summary-of-range", "A summary in a file that is no head.", "file-damaged", {ranged: put(ranged, 1)}, sizes=[0, 1])


def forked(case: Case) -> list:
    """Two heads of one size and different roots by the survivor's device, in their order."""
    return by_root([case.survivor.checkpoint(6), another_history().survivor.checkpoint(6)])


def proofs(out, case: Case):
    """Of a tree over seven leaves; its inner hashes by height."""
    leaves = [logs.leaf_hash(bytes([i])) for i in range(7)]
    pairs = [logs.node(*leaves[i:i + 2]) for i in (0, 2, 4)]
    four, three = logs.node(*pairs[:2]), logs.node(pairs[2], leaves[6])
    root = logs.node(four, three)
    assert root == logs.root_of(leaves)

    def consistency(name, what, expect, smaller, size, proof, smaller_root=None, larger_root=root):
        out.add("proof", f"consistency-{name}", what, expect, smaller=smaller, size=size, root=larger_root,
                smaller_root=smaller_root or logs.root_of(leaves[:smaller]), proof=[h.hex() for h in proof])

    good = [leaves[2], leaves[3], pairs[0], three]
    consistency("good", "From 3 to 7 leaves.", "ok", 3, 7, good)
    consistency("good-power", "From 4 to 7: the first hash is left out.", "ok", 4, 7, [three])
    consistency("good-equal", "From 7 to 7: no hash.", "ok", 7, 7, [])
    consistency("bad-first", "From 4 to 7 with the hash that is left out.", "unproven", 4, 7, [four, three])
    consistency("bad-order", "Two hashes exchanged.", "unproven", 3, 7, [good[1], good[0], *good[2:]])
    consistency("bad-short", "A hash is missing.", "unproven", 3, 7, good[:-1])
    consistency("bad-long", "A hash too many.", "unproven", 3, 7, [*good, seed(9)])
    consistency("bad-root", "Another larger root.", "unproven", 3, 7, good, larger_root=seed(9))
    consistency("bad-smaller-root", "Another smaller root.", "unproven", 3, 7, good, smaller_root=seed(9))
    consistency("bad-equal", "Equal sizes and different roots.", "unproven", 7, 7, [], smaller_root=seed(9))

    def prefix(name, what, expect, smaller, size, proof):
        out.add("proof", f"prefix-{name}", what, expect, smaller=smaller, size=size, root=root,
                smaller_root=logs.root_of(leaves[:smaller]), proof=[h.hex() for h in proof])

    prefix("good", "From 3 to 7 leaves: as a consistency proof.", "ok", 3, 7, good)
    prefix("good-power", "From 4 to 7: the first hash stands here, too.", "ok", 4, 7, [four, three])
    prefix("bad-left-out", "From 4 to 7 without the first hash.", "unproven", 4, 7, [three])
    prefix("bad-empty", "No hashes.", "unproven", 4, 7, [])


def forks(out, case: Case):
    survivor, other = case.survivor, another_history()
    equal = forked(case)
    # The path in the other history from 6 to 7 leaves: what our own leaves do not lead to.
    hashes = leaf_hashes(other.survivor)
    pairs = [logs.node(*hashes[i:i + 2]) for i in (0, 2, 4)]
    path = [pairs[2], hashes[6], logs.node(*pairs[:2])]
    longer = [survivor.checkpoint(6), other.survivor.checkpoint(7)]
    head = logs.read_checkpoint(logs.read_note(longer[1]).text)
    assert logs.roots_by_prefix_proof(6, 7, path)[1] == head.root

    def add(name, what, expect, notes, proof=(), **more):
        out.add("fork", name, what, expect, **({"case": case.id, "key": survivor.signing.public} | more),
                input=encode([*notes, list(proof)]))

    add("good-equal", "Two heads of one size and different roots.", "ok", equal, size=6)
    add("good-path", "A larger head, and a path that leads from it to another root at the smaller size.", "ok", longer, path,
        size=6)
    add("bad-consistent", "A path between two heads of one history.", "unproven",
        [other.survivor.checkpoint(6), other.survivor.checkpoint(7)], path)
    add("bad-path", "A path that does not lead to the larger root proves nothing.", "unproven", longer, path[::-1])
    add("bad-no-path", "No path.", "unproven", longer)
    add("bad-order", "The head with the larger root first.", "unproven", equal[::-1])
    add("bad-same", "The same head twice.", "unproven", [equal[0], equal[0]])
    add("bad-receipt", "A head with another's signature on it: there is one encoding of a proof.", "unproven", [
        survivor.checkpoint(6, [(case.advocate, writer.START)]), longer[1]], path)
    add("bad-unsigned", "A head that the log did not sign.", "unproven",
        [survivor.checkpoint(6, [(case.advocate, writer.START)], is_signed=False), longer[1]], path)
    add("bad-key", "Heads of another log.", "unproven", equal, key=case.advocate.signing.public)
    _long_path(add, survivor)


def _long_path(add, device: Device):
    """A path that holds arithmetically, over more hashes than a tree of 2^32 leaves has levels for."""
    size, proof = (1 << 64) - 1, [seed(9, i) for i in range(65)]
    smaller, larger = logs.roots_by_prefix_proof(1, size, proof)
    head = lambda count, root: device.signed(device.checkpoint_text(count, root))
    add("bad-65-hashes", "A path of 65 hashes, one more than a tree can need.", "unproven",
        [head(1, seed(8)), head(size, larger)], proof)


def all_of(out, case: Case):
    frames(out, case)
    proofs(out, case)
    forks(out, case)
