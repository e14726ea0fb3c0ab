"""Receipts in a bundle: which hold, by whom, and how they bound the time of an entry (Bundle.md, "Verifying", 2 and 7)."""

from dataclasses import dataclass

import logs
from encoding import Malformed, Refused
from entries import Entry
from proof import Proof
from state import State


@dataclass(frozen=True)
class Receipt:
    time: int
    size: int      # of the head that it is over
    witness: logs.WitnessKey

    @property
    def place(self) -> tuple:
        """The earliest receipt is the first in this order."""
        return self.time, self.size, self.witness.name.encode(), self.witness.key


class Receipts:
    """
    - Parameter given: keys of witnesses that whoever asks knows from elsewhere.
    - Throws: `Refused("receipt-invalid")`, where one by a known key does not hold.
    """

    def __init__(self, proof: Proof, state: State, given: tuple):
        self._proof, self._state, self._given = proof, state, set(given)
        self._members = {logs.WitnessKey.of_member(m.log, m.card.receipt_key): m.log for m in state.members.values()}
        self._by_log = {log.id: [] for log in proof.logs}
        for path, log, head, note in proof.notes:
            for key in self._witnesses(log.id):
                for time, valid in key.receipts_in(note):
                    if not valid:
                        raise Refused("receipt-invalid", path=path)
                    receipt = Receipt(time, head.size, key)
                    if receipt not in self._by_log[log.id]:
                        self._by_log[log.id].append(receipt)

    def _witnesses(self, log: bytes) -> set:
        """Known keys that may witness a log: nobody witnesses herself."""
        return {key for key in self._members.keys() | self._given if self._members.get(key) != log}

    def giver(self, receipt: Receipt):
        """The log of the member who gave it, or None."""
        return self._members.get(receipt.witness)

    def given_by(self, member: bytes) -> int:
        return sum(self.giver(receipt) == member for found in self._by_log.values() for receipt in found)

    def later_than(self, moment: int) -> list:
        """The log of each that is."""
        return [log for log, found in self._by_log.items() for receipt in found if receipt.time > moment]

    def witnesses_of(self, log: bytes, sequence: int) -> list:
        """The logs of members with a receipt that covers an entry."""
        givers = [self.giver(receipt) for receipt in self._covering(log, sequence)]
        return [giver for giver in givers if giver is not None]

    def _covering(self, log: bytes, sequence: int) -> list:
        return [receipt for receipt in self._by_log[log] if receipt.size > sequence]

    # Of an entry

    def trusted(self, entry: Entry):
        """The first by a key that was given, whatever became of its member, or None."""
        return self._first(entry, lambda receipt: receipt.witness in self._given)

    def before(self, entry: Entry):
        """The first that bounds its time from above, or None."""
        return self._first(entry, lambda receipt: self._bounds(receipt, entry.log))

    def after(self, entry: Entry) -> tuple:
        """The last that it embeds and that bounds its time from below, or None; and how many it embeds that do not hold.

        Of which head they are does not matter: that the signature could not exist earlier is all they are used for.
        """
        found, broken = [], 0
        for data in entry.context["receipts"] if entry.context else ():
            try:
                found.append(self._read_embedded(data))
            except Malformed:
                broken += 1
        bounding = [receipt for receipt in found if self._bounds(receipt, entry.log)]
        return max(bounding, key=lambda receipt: receipt.time, default=None), broken

    def _first(self, entry: Entry, counts) -> Receipt:
        covering = self._covering(entry.log, entry.leaf.sequence)
        return min(filter(counts, covering), key=lambda receipt: receipt.place, default=None)

    def _bounds(self, receipt: Receipt, log: bytes) -> bool:
        """By another member, who is not cut."""
        giver = self.giver(receipt)
        return giver is not None and giver != log and self._state.cuts.of(giver) is None

    def _read_embedded(self, data: bytes) -> Receipt:
        note = logs.read_note(data)
        head = logs.read_checkpoint(note.text)
        log = self._proof.log_of(head.origin)
        for line in note.signatures if log else ():
            for key in (key for key, member in self._members.items() if member != log.id):
                for time, valid in key.receipts_in(logs.Note(note.text, (line,))):
                    if valid:
                        return Receipt(time, head.size, key)
                    raise Malformed("a receipt that does not hold")
        raise Malformed("no receipt by another member")
