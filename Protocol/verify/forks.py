"""Fork proofs: two checkpoints that a log signed, and what shows that no one log has both (CaseLog.md, "Log")."""

from encoding import Malformed, Refused, array, bounded, octets, tuple_of, uint
from logs import Checkpoint, node, note_is_signed_by, origin, read_checkpoint, read_note, roots_by_prefix_proof


def decode_fork_proof(item) -> list:
    """One of the two forms, with nothing of it proven: notes and hashes, or notes and where the histories part."""
    if type(item) is not list or len(item) not in (3, 6):
        raise Malformed("a fork proof of another form")
    hashes = lambda value: [octets(h, 32) for h in array(value, 64)]
    notes = [bounded(item[0], 1024), bounded(item[1], 1024)]
    if len(item) == 3:
        return [*notes, hashes(item[2])]
    size, peaks = uint(item[2]), hashes(item[3])
    if len(peaks) != size.bit_count():
        raise Malformed("not one hash for each complete subtree")
    branches = [tuple_of(branch, 2) for branch in item[4:]]
    return [*notes, size, peaks, *([octets(leaf, 32), hashes(path)] for leaf, path in branches)]


def read_fork_proof(item: list, keys: dict) -> tuple:
    """(log id, size from which on the fork is proven, whether its histories part exactly there).

    - Parameters:
      - item: as `decode_fork_proof` gives it.
      - keys: signing keys by log id, of the logs that may be forked.
    """
    notes = [read_note(note) for note in item[:2]]
    heads = [read_checkpoint(note.text) for note in notes]
    log = next((log for log in keys if origin(log) == heads[0].origin), None)
    if log is None or heads[1].origin != heads[0].origin:
        raise Refused("fork-unproven", "a fork of a log that is not known")
    for note in notes:
        if len(note.signatures) != 1 or not note_is_signed_by(note, heads[0].origin, keys[log]):
            raise Refused("fork-unproven", "a checkpoint that its log did not sign")
    smaller, larger = heads
    if len(item) == 6:
        if not (smaller.size, smaller.root) < (larger.size, larger.root) or item[4][0] == item[5][0]:
            raise Refused("fork-unproven", "one history, or in another order")
        for head, (leaf, path) in zip(heads, item[4:]):
            _check_branch(item[2], item[3], leaf, path, head)
        return log, item[2], True
    if smaller.size == larger.size:
        if item[2] or not smaller.root < larger.root:
            raise Refused("fork-unproven", "the same head twice, or in another order")
    else:
        if not 0 < smaller.size < larger.size:
            raise Refused("fork-unproven", "not the smaller head first")
        old, new = roots_by_prefix_proof(smaller.size, larger.size, item[2])
        if new != larger.root or old == smaller.root:
            raise Refused("fork-unproven", "a proof that proves nothing")
    return log, smaller.size, False


def _check_branch(size: int, peaks: list, leaf: bytes, path: list, head: Checkpoint):
    """The common leaves and one more are the beginning of what was signed."""
    if size >= head.size:
        raise Refused("fork-unproven", "a head that ends before the histories part")
    root = root_with(size, peaks, leaf)
    if size + 1 == head.size:
        found = (root, root) if not path else None
    else:
        found = roots_by_prefix_proof(size + 1, head.size, path)
    if found != (root, head.root):
        raise Refused("fork-unproven", "a leaf that does not lead to the head")


def root_with(size: int, peaks: list, leaf: bytes) -> bytes:
    """The root over so many leaves, of which the complete subtrees have these hashes, and one more."""
    peaks, last = list(peaks), leaf
    while size & 1:
        last, size = node(peaks.pop(), last), size >> 1
    for peak in reversed(peaks):
        last = node(peak, last)
    return last
