"""Ranges of a log's entries, each verified whole before any of it counts (Sync.md, "Frames")."""

import logs
from encoding import Malformed, Refused
from frames import Range


def append(log: logs.Log, frame: Range):
    """Takes the leaves of a range into a log that it goes on, or lies within.

    - Throws: `Refused("gap")`; `Refused("fork")` with the sequence where its history parts from the one that is known;
      `Malformed`, where it does not verify.
    """
    if frame.first > log.size:
        raise Refused("gap", "entries are missing before these")
    leaves = [logs.Leaf(frame.first + i, row.cls, row.commit, row.ciphertext_hash) for i, row in enumerate(frame.rows)]
    _, head = logs.read_head(frame.note, log.id, log.key)
    for leaf in leaves[:log.size - frame.first]:
        if log.leaves[leaf.sequence] != leaf:
            # Anybody can make up a leaf: with these in the place of ours, only the log's owner can have signed that tree.
            _check_leads_to(head, _grown(log, log.leaves[:frame.first] + leaves), frame.proof)
            raise Refused("fork", "another history than the one that is known", log=log.id, sequence=leaf.sequence)
    before = log.size
    for leaf in leaves[before - frame.first:]:
        log.append(leaf)
    try:
        if log.size > before:
            _check_leads_to(head, log, frame.proof)
        elif head.size < frame.first + len(leaves):
            raise Malformed("a checkpoint that does not reach the range's end")
    except Refused:
        log.cut_back(before)
        raise


def _grown(log: logs.Log, leaves: list) -> logs.Log:
    other = logs.Log(log.id, log.key)
    for leaf in leaves:
        other.append(leaf)
    return other


def _check_leads_to(head: logs.Checkpoint, log: logs.Log, proof: tuple):
    """The log ends at the head, or the proof leads from its end to the head."""
    if head.size < log.size:
        raise Malformed("a checkpoint that does not reach the range's end")
    if head.size == log.size:
        old, new = log.tree.root, log.tree.root
        if proof:
            raise Malformed("a proof where none is needed")
    else:
        old, new = logs.roots_by_consistency_proof(log.size, log.tree.root, head.size, list(proof))
    if old != log.tree.root or new != head.root:
        raise Malformed("entries that do not lead to the checkpoint")
