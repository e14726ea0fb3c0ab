"""Vectors of fork proofs that show where the histories of a log part, alone and in frames, folders and bundles."""

import writer
from writer import END, START, Case, encode, frame, hello, logs, seed


def prefix_proof(smaller: int, hashes: list) -> list:
    """As CaseLog.md defines it, from the leaf hashes of the larger tree."""
    if smaller == len(hashes):
        return [logs.root_of(hashes)]
    left = logs.split(len(hashes))
    if smaller <= left:
        return prefix_proof(smaller, hashes[:left]) + [logs.root_of(hashes[left:])]
    return prefix_proof(smaller - left, hashes[left:]) + [logs.root_of(hashes[:left])]


def peaks(hashes: list) -> list:
    """The hashes of the complete subtrees that make up a tree, the largest first."""
    if not hashes:
        return []
    size = 1 << len(hashes).bit_length() - 1
    return [logs.root_of(hashes[:size])] + peaks(hashes[size:])


def leaf_hashes(device) -> list:
    return [logs.leaf_hash(leaf.data) for leaf in device.log.leaves]


def branch(size: int, hashes: list) -> list:
    return [hashes[size], prefix_proof(size + 1, hashes) if size + 1 < len(hashes) else []]


def head(device, hashes: list) -> bytes:
    """Of whatever leaves, signed by this device."""
    return device.signed(device.checkpoint_text(len(hashes), logs.root_of(hashes)))


def parting(device, size: int, one: list, other: list) -> list:
    """The proof that two histories of these leaf hashes part at a size."""
    one, other = sorted([one, other], key=lambda hashes: (len(hashes), logs.root_of(hashes)))
    return [head(device, one), head(device, other), size, peaks(one[:size]), branch(size, one), branch(size, other)]


def another_history() -> Case:
    """The same first four entries, and others after them."""
    other = Case()
    for words in ("Another history.", "Another history still.", "And on."):
        other.survivor.append(2, 16, [("words", words)])
    return other


def forks(out, case: Case):
    survivor = case.survivor
    ours, theirs = leaf_hashes(survivor), leaf_hashes(another_history().survivor)
    good = parting(survivor, 4, ours, theirs)
    key = survivor.signing.public

    def add(name, what, expect, proof, size=4, **more):
        out.add("fork", name, what, expect, **({"case": case.id, "key": key} | more), size=size, input=encode(proof))

    def bad(name, what, at, value, **more):
        add(f"bad-parting-{name}", what, "unproven", good[:at] + [value] + good[at + 1:], **more)

    add("good-parting", "Two histories that part after four leaves, with six and seven.", "ok", good)
    add("good-parting-equal", "The same with six leaves each.", "ok", parting(survivor, 4, ours, theirs[:6]))
    add("good-parting-last", "The first leaf that differs is the last of one.", "ok", parting(survivor, 4, ours[:5], theirs))
    zero = [seed(9, i) for i in range(3)]
    add("good-parting-zero", "Nothing is common.", "ok", parting(survivor, 0, ours, zero), 0)
    add("good-parting-odd", "They part after five leaves: two subtrees.", "ok",
        parting(survivor, 5, ours, ours[:5] + theirs[5:]), 5)
    add("bad-parting-one", "Two heads of one history.", "unproven", parting(survivor, 4, ours[:5], ours))
    add("bad-parting-same", "The same head twice.", "unproven", [good[0], good[0], *good[2:4], good[4], good[4]])
    add("bad-parting-early", "They part later than it says.", "unproven", parting(survivor, 3, ours, theirs), 3)
    add("bad-parting-late", "They part earlier than it says.", "unproven", parting(survivor, 5, ours, theirs), 5)
    add("bad-parting-order", "The larger head first.", "unproven", [good[1], good[0], *good[2:4], good[5], good[4]])
    bad("peaks", "The hash of what is common is another.", 3, [seed(9)])
    bad("peak-count", "More hashes than the size has subtrees.", 3, [good[3][0], seed(9)])
    bad("size", "A size that the hashes do not belong to, with as many subtrees.", 2, 2)
    bad("leaf", "A leaf that does not lead to its head.", 4, [seed(9), good[4][1]])
    bad("path", "A path that does not lead to its head.", 4, [good[4][0], good[4][1][::-1]])
    bad("short", "A path without its last hash.", 4, [good[4][0], good[4][1][:-1]])
    bad("long", "A path with a hash too many.", 5, [good[5][0], [*good[5][1], seed(9)]])
    bad("65-hashes", "A path of 65 hashes.", 5, [good[5][0], [seed(9, i) for i in range(65)]])
    last = parting(survivor, 4, ours[:5], theirs)
    add("bad-parting-last", "A path where the leaf is the last.", "unproven", [*last[:4], [last[4][0], [ours[4]]], last[5]])
    bad("beyond", "A head that ends where the histories part.", 0, head(survivor, ours[:4]))
    bad("unsigned", "A head that the log did not sign.", 0, survivor.checkpoint(
        6, [(case.advocate, START)], is_signed=False))
    bad("receipt", "A head with another's signature on it.", 0, survivor.checkpoint(6, [(case.advocate, START)]))
    add("bad-parting-key", "Heads of another log.", "unproven", good, key=case.advocate.signing.public)
    add("bad-parting-five", "Neither of the two forms.", "unproven", good[:5])


def in_frames(out, case: Case):
    start = hello(case.id, case.survivor.id)
    good = parting(case.survivor, 4, leaf_hashes(case.survivor), leaf_hashes(another_history().survivor))
    for name, what, expect, proof in (
            ("good-forks-parting", "A fork proof that shows where the histories part.", "ok", good),
            ("bad-forks-parting", "One with five elements, which is neither form.", "malformed", good[:5]),
            ("bad-forks-peaks", "One with more hashes of what is common than there are subtrees.", "malformed",
             [*good[:3], good[3] * 2, *good[4:]]),
            ("bad-forks-long", "One of more than 8,192 bytes.", "malformed", [
                b"x" * 1024, b"x" * 1024, (1 << 64) - 1, [seed(9)] * 64, [seed(8), [seed(9)] * 64], [seed(7), [seed(9)] * 64]])):
        out.add("frame", name, what, expect, input=start + frame(8, [proof]) + END)


def in_folder(add, mailbox):
    """One case on copies that hold different histories of a log: all come to one state.

    - Parameter add: makes a vector of a folder from what differs from the good one.
    """
    survivor, advocate, other = mailbox.case.survivor, mailbox.case.advocate, another_history().survivor
    proof = parting(survivor, 4, leaf_hashes(survivor), leaf_hashes(other))
    telling = lambda proof: {mailbox.head(advocate): mailbox.of(advocate, mailbox.heads(advocate), frame(8, [proof]))}
    of_other = mailbox.ranged(other, 0, 7, hidden=(4, 5, 6))
    one = telling(proof)
    two = one | {mailbox.head(survivor): mailbox.founding(survivor, other), mailbox.run(survivor, 0, 6): None,
                 mailbox.run(survivor, 0, 7): mailbox.of(survivor, of_other)}
    both = {mailbox.run(survivor, 0, 7, carrier=advocate): mailbox.of(advocate, of_other)}
    state = mailbox.state(one)
    assert mailbox.state(two) == mailbox.state(both) == state, "one case, one state"
    add("fork-parting", "A proof of where the histories of a log part, beside the one history.", "fork", one, state=state)
    add("fork-parting-other", "The same proof beside the other history: the same state.", "fork", two, sizes=[7, 1], state=state)
    add("fork-parting-seen", "Both histories and no proof, which follows from them: the same state.", "fork", both, state=state)
    add("fork-parting-unproven", "A proof that does not lead to its heads.", "file-damaged",
        telling([*proof[:3], [seed(9)], *proof[4:]]))


def in_bundle(out, files: dict, difference, **given):
    forked = Case().tell()
    forked.forks = [encode(parting(forked.survivor, 4, leaf_hashes(forked.survivor), leaf_hashes(another_history().survivor)))]
    new = dict(forked.bundle())
    out.add("bundle", "fork-parting", "A proof that the survivor's log has another history after its fourth entry: what comes "
            "after is disputed.", "intact", **given, state=writer.state_hash(list(new.items())),
            files=difference(files, new))


def all_of(out, case: Case):
    forks(out, case)
    in_frames(out, case)
