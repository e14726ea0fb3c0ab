"""Who is a member, what counts: CaseLog.md, "State". A pure function of what it is given, in any order."""

from dataclasses import dataclass, field

import entries
import logs
from encoding import Newer, domain_hash, encode, sha256
from entries import ADMIT, CUT, EPOCH, ERASE, KEEP
from statements import ADVOCATE, SURVIVOR, Card

MAX_MEMBERS = 1024
MAX_EPOCHS = 4096
NEVER = 1 << 64


@dataclass
class Member:
    log: bytes
    role: int
    card: Card
    follows: bytes = None      # log of the older keys of the same device
    first: bytes = None        # log of its first keys


@dataclass
class Union:
    """All that an evaluation takes."""

    case_id: bytes
    statements: list = field(default_factory=list)
    successions: list = field(default_factory=list)
    logs: dict = field(default_factory=dict)       # log id: logs.Log with its control entries opened
    forks: dict = field(default_factory=dict)      # log id: least size from which on a fork is proven
    violations: set = field(default_factory=set)   # (log id, sequence) of entries that contradict their leaf

    def add_fork(self, log: bytes, size: int):
        """Of all that is proven, the least counts."""
        self.forks[log] = min(size, self.forks.get(log, size))


class State:
    """The evaluation, step by step as the text numbers them."""

    def __init__(self, union: Union):
        self.union = union
        self.members = {}
        self._first_members()
        self._stop_at_the_unknown()
        self.cuts = Cuts(self)
        self._admit()
        self._count_control()

    # 1: founding, further survivors, successions

    def _first_members(self):
        founding = min((s for s in self.union.statements if s.kind == 1), key=lambda s: sha256(s.body))
        self._add(founding.card, SURVIVOR)
        for statement in sorted((s for s in self.union.statements if s.kind == 2), key=lambda s: sha256(s.body)):
            if statement.card.role == SURVIVOR:
                self._add(statement.card, SURVIVOR)
        self._follow()

    def _add(self, card: Card, role: int, follows: bytes = None):
        log = logs.log_id(self.union.case_id, card.signing_key)
        if log not in self.members and len(self.members) < MAX_MEMBERS:
            first = self.members[follows].first if follows else log
            self.members[log] = Member(log, role, card, follows, first)

    def _follow(self):
        """Successions of the members so far, generation by generation."""
        waiting = list(self.members)
        while waiting:
            old = waiting.pop(0)
            member = self.members[old]
            found = sorted((s for s in self.union.successions
                            if s.old_key == member.card.signing_key and s.card.role == member.role),
                           key=lambda s: sha256(s.body))
            for succession in found[:4]:
                device = [m for m in self.members.values() if m.first == member.first]
                new = logs.log_id(self.union.case_id, succession.card.signing_key)
                if new not in self.members and len(device) < 32:
                    self._add(succession.card, member.role, old)
                    waiting.append(new)

    def _stop_at_the_unknown(self):
        if any(not 1 <= s.kind <= 5 for s in self.union.statements):
            raise Newer("a root statement that is not known")
        for log in self.logs_of(SURVIVOR):
            end = self.settled_from(log.id)
            for entry in log.entries.values():
                if entry.leaf.cls == logs.CONTROL and entry.control is None and entry.leaf.sequence < end:
                    raise Newer("a control entry of a later version")

    def logs_of(self, role: int) -> list:
        return [self.union.logs[m.log] for m in self.by_id(role) if m.log in self.union.logs]

    def by_id(self, role: int = None) -> list:
        return [m for _, m in sorted(self.members.items()) if role in (None, m.role)]

    def control(self, kind: int) -> list:
        """Control entries of survivors by (log id, sequence), without violations and what a newer version made."""
        found = []
        for log in self.logs_of(SURVIVOR):
            for sequence, entry in sorted(log.entries.items()):
                if entry.leaf.cls == logs.CONTROL and entry.kind == kind and entry.control is not None:
                    found.append(entry)
        return found

    def is_void(self, log: bytes, sequence: int) -> bool:
        cut = self.cuts.of(log)
        return cut is not None and cut.size <= sequence or self.is_forked(log, sequence)

    def settled_from(self, log: bytes) -> int:
        """From here on no control entry of a log can count, whatever it says: behind a proven fork, or a cut of the root."""
        device = {log} | self.older(log)
        cuts = [self.common(log, size) if target == log else 0 for target, size in self.root_cuts() if target in device]
        return min([self.union.forks.get(log, NEVER), *cuts])

    def root_cuts(self) -> list:
        return [(log, size) for s in self.union.statements if s.kind == 4 for log, size in s.cut
                if not self.is_lifted(log, size)]

    def is_lifted(self, log: bytes, size: int) -> bool:
        return any(s.kind == 3 and s.log == log and size <= s.size for s in self.union.statements)

    def older(self, log: bytes) -> set:
        """Logs of older keys of the same device."""
        found = set()
        while log in self.members and self.members[log].follows:
            log = self.members[log].follows
            found.add(log)
        return found

    def is_forked(self, log: bytes, sequence: int) -> bool:
        return sequence >= self.union.forks.get(log, NEVER)

    def common(self, log: bytes, size: int) -> int:
        """How many of so many leaves all histories of a log have."""
        return min(size, self.union.forks.get(log, size))

    # 3: advocates

    def _admit(self):
        for entry in self.control(ADMIT):
            if entry.control["role"] == ADVOCATE and not self.is_void(entry.log, entry.leaf.sequence):
                self._add(entry.control["card"], ADVOCATE)
        self._follow()

    # 4 to 6: violations, epochs, erasures

    def _count_control(self):
        union = self.union
        ends = {log: self.settled_from(log) for log, _ in union.violations}
        self.violations = {(log, sequence) for log, sequence in union.violations if log in self.members
                           and (union.logs[log].leaves[sequence].cls != logs.CONTROL or sequence < ends[log])}
        for member in self.by_id():
            log = union.logs.get(member.log)
            for leaf in log.leaves if log else []:
                if leaf.cls not in logs.CLASSES or member.role == ADVOCATE and leaf.cls != logs.NOTE:
                    self.violations.add((member.log, leaf.sequence))
        counting = lambda kind: [e for e in self.control(kind) if not self.is_void(e.log, e.leaf.sequence)]
        self.epochs = {entry.id: entry for entry in counting(EPOCH)[:MAX_EPOCHS]}
        kept = {statement.entry: None for statement in union.statements if statement.kind == 5}
        keeps = [(entry.log, entry.control["entry"]) for entry in counting(KEEP)]
        self.erasures = set()
        for entry in counting(ERASE):
            for erased in entry.control["entries"]:
                others = any(log != entry.log and kept_id == erased for log, kept_id in keeps)
                if erased not in kept and not others:
                    self.erasures.add((erased, entry.id))
        self.erased = {erased for erased, _ in self.erasures}

    def standing(self, log: bytes, leaf: logs.Leaf, receipts) -> str:
        """What an entry of content or a note comes to.

        - Parameter receipts: asked with (log, sequence), the logs of members with a valid receipt that covers it.
        """
        if log not in self.members:
            return "set-aside"
        if (log, leaf.sequence) in self.violations:
            return "violation"
        if leaf.cls != logs.CONTROL and leaf.entry_id(log) in self.erased:
            return "erased"
        cut = self.cuts.of(log)
        if cut is not None and cut.content_size <= leaf.sequence:
            witnesses = [w for w in receipts(log, leaf.sequence)
                         if w != log and self.cuts.of(w) is None and w not in cut.by]
            return "disputed" if witnesses else "set-aside"
        return "disputed" if self.is_forked(log, leaf.sequence) else "counted"


@dataclass(frozen=True)
class Cut:
    size: int              # where the power of the log ends
    content_size: int      # where the content that is here is behind it
    by: frozenset          # logs of those who cut
    is_contested: bool


class Cuts:
    """2: which cuts stand, which fall, which nobody but the root can decide."""

    def __init__(self, state: State):
        self.state, self.statements = state, state.union.statements
        standing, open_cuts = self._of_the_root(), self._weighed()
        while True:
            stands = self._index(standing)
            fallen = [c for c in open_cuts if self._hit(stands, c.entry)]
            open_cuts = [c for c in open_cuts if c not in fallen]
            all_left = self._index(standing + open_cuts)
            sure = [c for c in open_cuts if not self._hit(all_left, c.entry)]
            if not fallen and not sure:
                break
            standing += sure
            open_cuts = [c for c in open_cuts if c not in sure]
        self._effective = standing + open_cuts
        self._cuts = self._index(self._effective)
        self._standing = self._index(standing)

    def of(self, log: bytes):
        """The lowest cut of a log that has not fallen, with who made one, or None."""
        found = self._found(self._cuts, log)
        if not found:
            return None
        size = min(size for size, _ in found)
        content = min((c.content_end for c in self._effective if c.target == log), default=size)
        lowest = [by for own_size, by in self._cuts.get(log, []) if own_size == size]
        standing = [by for own_size, by in self._standing.get(log, []) if own_size == size]
        return Cut(size, content if lowest else size, frozenset(by for by in lowest if by), lowest != [] and standing == [])

    def _found(self, index: dict, log: bytes) -> list:
        """(size, by whom) of all cuts of a log, those of older keys of its device at 0."""
        older = [(0, by) for old in self.state.older(log) for _, by in index.get(old, [])]
        return index.get(log, []) + older

    def _hit(self, index: dict, entry) -> bool:
        return any(size <= entry.leaf.sequence for size, _ in self._found(index, entry.log))

    @staticmethod
    def _index(cuts: list) -> dict:
        index = {}
        for cut in cuts:
            index.setdefault(cut.target, []).append((cut.end, cut.entry.log if cut.entry else None))
        return index

    def _of_the_root(self) -> list:
        return [Weighed(log, self.state.common(log, size), size, None) for log, size in self.state.root_cuts()]

    def _weighed(self) -> list:
        found = []
        for log in self.state.logs_of(SURVIVOR):
            cuts, acknowledged = 0, {}
            for sequence, entry in sorted(log.entries.items()):
                if entry.leaf.cls != logs.CONTROL or self.state.is_forked(log.id, sequence):
                    continue
                for other, size, _ in entry.context["heads"]:
                    acknowledged[other] = max(size, acknowledged.get(other, 0))
                if entry.kind != CUT or cuts == 64 or not self._has_form(entry, acknowledged):
                    continue
                cuts += 1
                target, size = entry.control["log"], entry.control["size"]
                end, is_of_held = self.state.common(target, size), self._is_of_held(entry.control)
                # Beyond the place where histories part nobody can check the root of the other one.
                if is_of_held or end < size:
                    found.append(Weighed(target, end, size if is_of_held else end, entry))
        return found

    def _is_of_held(self, cut: dict) -> bool:
        """The leaves that it leaves standing are those that we hold."""
        log = self.state.union.logs.get(cut["log"])
        return cut["root"] == (logs.EMPTY_ROOT if cut["size"] == 0 else log and log.root_at(cut["size"]))

    def _has_form(self, entry, acknowledged: dict) -> bool:
        target, size = entry.control["log"], entry.control["size"]
        own = {entry.log} | self.state.older(entry.log)
        decided = any(s.kind == 4 and s.log == target and entry.log in dict(s.cut) for s in self.statements)
        return (target not in own and size >= acknowledged.get(target, 0)
                and not self.state.is_lifted(target, size) and not decided)


@dataclass(frozen=True, eq=False)
class Weighed:
    target: bytes
    end: int
    content_end: int
    entry: entries.Entry


# The state hash -------------------------------------------------------------------------------------

def state_hash(state: State) -> bytes:
    return domain_hash("state", encode(agreed(state)))


def agreed(state: State) -> list:
    """The array that is hashed: what all copies come to."""
    union = state.union
    members = state.by_id()
    # Of a log with two histories only what they have in common: copies hold different ones.
    shared = [(log.id, size, log.root_at(size)) for m in members if (log := union.logs.get(m.log))
              and (size := state.common(m.log, log.size)) > 0]
    cuts = [(m.log, state.cuts.of(m.log)) for m in members]
    violations = []
    for log, sequence in sorted(state.violations):
        if state.is_forked(log, sequence):
            continue
        leaf = union.logs[log].leaves[sequence]
        if leaf.cls not in logs.CLASSES:
            rule = 2
        elif state.members[log].role == ADVOCATE and leaf.cls != logs.NOTE:
            rule = 1
        elif leaf.cls == logs.CONTROL:
            rule = 3
        else:
            continue
        violations.append([log, sequence, rule])
    return [
        union.case_id,
        [[m.log, m.role] for m in members],
        [list(position) for position in shared],
        sorted(state.epochs),
        violations,
        [[log, cut.size, cut.is_contested] for log, cut in cuts if cut],
        [list(pair) for pair in sorted(state.erasures)],
    ]
