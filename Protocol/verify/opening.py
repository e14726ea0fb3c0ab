"""What the kit opens of a folder: wraps to it, then slots, then entries (Sync.md, "What a reader without a vault can verify")."""

import entries
import keys
import logs
from encoding import Refused


class Opening:
    """
    - Parameters:
      - kit: (public, secret)
      - wraps: (epoch id, log id or None, sealed box)
    """

    def __init__(self, case_id: bytes, kit: tuple, wraps: list):
        self._case_id, self._violations = case_id, set()
        self._epochs = {}       # epoch id: audience and commitment, as its entry says
        self._epoch_keys = {}   # epoch id: what wraps give, of which any may be a stranger's
        for epoch, log, box in wraps:
            if log is None and (key := keys.open_box(*kit, box)) and len(key) == 32:
                self._epoch_keys.setdefault(epoch, []).append(key)

    def open(self, known: dict, ciphertexts: dict, slots: dict) -> set:
        """Puts into their logs what opens, until nothing new does: an epoch's entry comes before what that epoch opens.

        Returns (log id, sequence) of those that open, and break a rule.
        """
        before = None
        while (count := sum(len(log.entries) for log in known.values())) != before:
            before = count
            for log in known.values():
                for leaf in log.leaves:
                    place = log.id, leaf.sequence
                    if place in ciphertexts and place not in self._violations and leaf.sequence not in log.entries:
                        self._open_entry(log, leaf, ciphertexts[place], slots.get(place, ()))
        return self._violations

    def _open_entry(self, log: logs.Log, leaf: logs.Leaf, ciphertext: bytes, slots):
        for epoch, slot in slots:
            for key in self._entry_keys(log, leaf, epoch, slot):
                try:
                    entry = keys.open_entry(self._case_id, log.id, leaf, key, ciphertext)
                except Refused:
                    self._violations.add((log.id, leaf.sequence))
                    return
                if entry is None:
                    continue
                log.entries[leaf.sequence] = entry
                if entry.kind == entries.EPOCH and leaf.cls == logs.CONTROL:
                    self._epochs[entry.id] = entry.control["audience"], entry.control["commitment"]
                return

    def _entry_keys(self, log: logs.Log, leaf: logs.Leaf, epoch: bytes, slot: bytes):
        """What a slot gives under the keys of its epoch. The audience of one whose entry is not open yet can only be everyone."""
        audience, commitment = self._epochs.get(epoch, (keys.EVERYONE, None))
        for key in self._epoch_keys.get(epoch, ()):
            if commitment and keys.epoch_commitment(self._case_id, audience, key) != commitment:
                continue
            entry_key = keys.open_slot(self._case_id, log.id, leaf, audience, epoch, key, slot)
            if entry_key is not None:
                yield entry_key
