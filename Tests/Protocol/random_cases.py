"""Makes cases by chance, with many devices that cut, fork, erase, keep and follow each other, and a bundle of each. Its report
is rendered from this side's evaluation, so another verifier finds every difference.
"""

import random

from writer import ADVOCATE, START, SURVIVOR, Device, Root, by_root, entries, finished, logs, seed
from encoding import Refused, decode, encode
from keys import EVERYONE
import statements
from forks import read_fork_proof
from state import State, Union


class RandomCase:
    def __init__(self, chance: random.Random, devices: int = None):
        self.chance, self.root = chance, Root(seed(1))
        self.id = self.root.case_id
        self.devices = [Device(10 + i, self.id, SURVIVOR) for i in range(devices or chance.randrange(1, 5))]
        first = self.devices[0]
        self.statements = [self.root.statement({0: 1, 1: self.id, 2: self.root.public, 3: first.card, 4: bytes(80)})]
        for device in self.devices[1:]:
            self.statements.append(self.root.statement({0: 2, 1: self.id, 2: device.card}))
        self.successions, self.forks, self.receipts = [], [], []
        self.number = 50
        self.tell()

    def tell(self):
        acts = [self.evidence, self.evidence, self.note, self.cut, self.cut, self.erase, self.keep, self.admit, self.lift,
                self.decide, self.keep_by_root, self.succeed, self.fork, self.receipt, self.receipt, self.stray, self.retract,
                self.request]
        for step in range(self.chance.randrange(3, 40)):
            self.clock = START + 600 * step
            self.chance.choice(acts)()

    # What may happen

    def somebody(self, role: int = None) -> Device:
        return self.chance.choice([d for d in self.devices if role in (None, d.role)] or self.devices)

    def entry(self) -> bytes:
        device = self.somebody()
        return device.entry_id(self.chance.randrange(device.log.size)) if device.log.size else seed(77)

    def heads(self, device: Device) -> list:
        return [d.head(self.chance.randrange(d.log.size + 1)) for d in self.devices if d is not device
                and self.chance.random() < 0.2]

    def append(self, device: Device, cls: int, kind: int, parts: list):
        device.append(cls, kind, parts, self.clock, heads=self.heads(device))

    def evidence(self):
        seen = self.chance.choice([{0: 1, 1: [1, 2026, 5]}, {0: 0, 1: [0, self.clock + 10**6, -90]}, {0: 2, 1: [1, 1999]}])
        self.append(self.somebody(SURVIVOR), 2, 16, [("words", "w"), ("seen", seen)])

    def note(self):
        self.append(self.somebody(), 3, 32, [("about", [self.entry()]), ("words", "n\r\n\u202e<")])

    def retract(self):
        self.append(self.somebody(SURVIVOR), 2, 18, [("about", [self.entry(), self.entry()])])

    def request(self):
        kind, part = self.chance.choice([(34, ("request", {0: self.chance.randrange(1, 4)})),
                                         (33, ("takedown", {0: self.chance.randrange(1, 6), 1: self.chance.choice("ab")}))])
        self.append(self.somebody(), 3, kind, [part, ("about", [self.entry() for _ in range(self.chance.randrange(3))])])

    def stray(self):
        """What a role may not write, or no class at all."""
        device = self.somebody()
        device.append(self.chance.choice([0, 1, 2, 4]), self.chance.choice([16, 32, 1]), [("words", "w")], self.clock)

    def cut(self):
        target = self.somebody()
        size = self.chance.randrange(target.log.size + 1)
        root = target.log.root_at(size) if self.chance.random() < 0.9 else seed(78)
        self.append(self.somebody(SURVIVOR), 1, entries.CUT, [("control", {0: target.id, 1: size, 2: root})])

    def erase(self):
        self.append(self.somebody(SURVIVOR), 1, entries.ERASE, [("control", {0: [self.entry(), self.entry()]})])

    def keep(self):
        self.append(self.somebody(SURVIVOR), 1, entries.KEEP, [("control", {0: self.entry()})])

    def admit(self):
        self.number += 1
        device = Device(self.number, self.id, ADVOCATE)
        self.devices.append(device)
        self.append(self.somebody(SURVIVOR), 1, entries.ADMIT, [("control", {0: device.card, 1: 2})])

    def lift(self):
        device = self.somebody()
        self.statements.append(self.root.statement(
            {0: 3, 1: self.id, 2: device.id, 3: self.chance.randrange(device.log.size + 2)}))

    def decide(self):
        stays = self.somebody(SURVIVOR)
        cut = [d for d in self.devices if d is not stays and self.chance.random() < 0.3]
        self.statements.append(self.root.statement({0: 4, 1: self.id, 2: stays.id, 3: [d.id for d in cut], 4: [
            self.chance.randrange(d.log.size + 1) for d in cut]}))

    def keep_by_root(self):
        self.statements.append(self.root.statement({0: 5, 1: self.id, 2: self.entry()}))

    def succeed(self):
        old = self.somebody()
        self.number += 1
        new = Device(self.number, self.id, old.role if self.chance.random() < 0.9 else 3 - old.role)
        self.devices.append(new)
        self.successions.append(old.succeeded_by(new))

    def fork(self):
        device = self.somebody()
        if device.log.size == 0 or self.chance.random() < 0.5:
            return
        size = self.chance.randrange(1, device.log.size + 1)
        other = device.signed(device.checkpoint_text(size, seed(79, size)))
        self.forks.append(encode([*by_root([device.checkpoint(size), other]), []]))

    def receipt(self):
        device, giver = self.somebody(), self.somebody()
        if device.log.size and giver is not device:
            # Often of one second, so that their order does not follow from their times.
            time = self.chance.choice([self.clock, START + 3000, START + 3000, self.clock - 200_000, self.clock + 200_000])
            self.receipts.append((device, self.chance.randrange(1, device.log.size + 1), giver, time))

    # The bundle

    def members(self) -> list:
        """Devices whose logs a bundle has: the evaluation's members."""
        union = Union(self.id, statements.read_statements(self.statements, self.id))
        union.successions = [statements.read_succession(s, self.id) for s in self.successions]
        for device in self.devices:
            log = union.logs[device.id] = device.log
            log.entries = {}
            for sequence, (_, parts, _) in enumerate(device.sealed):
                leaf = log.leaves[sequence]
                try:
                    read = entries.read_entry(self.id, device.id, leaf, len(parts), dict(enumerate(parts)))
                except Refused:
                    continue
                if leaf.cls == logs.CONTROL:
                    log.entries[sequence] = read
        proven = [decode(fork, 8192) for fork in self.forks]
        for proof in proven:
            log, size, _ = read_fork_proof(proof, {d.id: d.log.key for d in self.devices})
            union.add_fork(log, size)
        ids = set(State(union).members)
        return sorted((d for d in self.devices if d.id in ids), key=lambda d: d.id)

    def bundle(self) -> list:
        devices = self.members()
        exporter = self.chance.choice(devices)
        files = {"proof/case.cbor": encode({
            0: 1, 1: self.id, 2: self.statements, 3: exporter.id, 4: START + 10**6, 5: 1,
            6: [[d.id, d.signing.public, d.log.size] for d in devices], 7: [], 8: "chance", 9: self.successions,
            10: self.forks})}
        for i, device in enumerate(devices):
            if device.log.size == 0:
                continue
            hidden = {s for s, leaf in enumerate(device.log.leaves) if self.chance.random() < 0.1
                      and leaf.cls != logs.CONTROL or not self.is_openable(device, s)}
            files[f"proof/logs/{i}.note"] = device.checkpoint()
            files[f"proof/logs/{i}.leaves"] = b"".join(leaf.data for leaf in device.log.leaves)
            files[f"proof/logs/{i}.cbor"] = encode(device.disclosed(hidden))
        known = [r for r in self.receipts if r[0] in devices]
        for j, (device, size, giver, time) in enumerate(known):
            files[f"proof/receipts/{j}.note"] = device.checkpoint(size, [(giver, time)], is_signed=False)
        return finished(files, exporter)

    def is_openable(self, device: Device, sequence: int) -> bool:
        """Not one that contradicts its class, which has no place in a bundle unless it is control."""
        leaf, (_, parts, _) = device.log.leaves[sequence], device.sealed[sequence]
        if leaf.cls == logs.CONTROL:
            return True
        try:
            entries.read_entry(self.id, device.id, leaf, len(parts), dict(enumerate(parts)))
        except Refused:
            return False
        return True


class ManyMembers(RandomCase):
    """One more than may be: a device of the survivor's, what follows from it, and advocates, in the order in which they count."""

    def __init__(self, chance: random.Random):
        super().__init__(chance, devices=1_020)

    def tell(self):
        self.clock = START
        first, self.number = self.devices[0], 2_000
        for _ in range(3):
            self.number += 1
            self.devices.append(Device(self.number, self.id, SURVIVOR))
            self.successions.append(first.succeeded_by(self.devices[-1]))
        for _ in range(2):
            self.number += 1
            self.devices.append(Device(self.number, self.id, ADVOCATE))
            self.append(first, 1, entries.ADMIT, [("control", {0: self.devices[-1].card, 1: 2})])
        for device in self.devices[-5:]:
            self.append(device, 3, 32, [("words", "n")])


class ManyEpochs(RandomCase):
    """More epochs than count, in the logs of two devices."""

    def __init__(self, chance: random.Random):
        super().__init__(chance, devices=2)

    def tell(self):
        for number in range(4_100):
            fields = {0: list(EVERYONE), 1: seed(80, number % 256), 2: [], 3: []}
            self.devices[number % 2].append(1, entries.EPOCH, [("control", fields)], START)
