"""Vectors of what a case comes to: CaseLog.md, "State". Each is about one rule, and what it must come to is said beside it."""

import states
import vectors_of_forks
import writer
from writer import ADVOCATE, SURVIVOR, Device, SigningKey, entries, logs, seed, sha256

from encoding import Newer, decode, domain_hash, encode  # noqa: E402
from state import agreed  # noqa: E402

NOTE = entries.PLAIN_NOTE


class Story:
    """A case of a survivor's devices, named by letters, of which each has begun with two entries of evidence."""

    def __init__(self, names: str, begun: int = 2):
        self.root = SigningKey(seed(1))
        self.id = domain_hash("case-id", self.root.public)
        self.statements, self.successions, self.forks, self.receipts = [], [], [], []
        self.devices = {}
        for name in names:
            device = self.device(name)
            if len(self.devices) == 1:
                self.say({0: 1, 2: self.root.public, 3: device.card, 4: bytes(80)})
            else:
                self.say({0: 2, 2: device.card})
            for _ in range(begun):
                self.evidence(name)

    def __getitem__(self, name: str) -> Device:
        return self.devices[name]

    def device(self, name: str, wish: int = SURVIVOR) -> Device:
        return self.devices.setdefault(name, Device(100 + len(self.devices), self.id, wish))

    def say(self, body: dict):
        """A root statement."""
        data = encode(dict(sorted((body | {1: self.id}).items())))
        self.statements.append(encode([data, self.root.sign_in("root-statement", data)]))

    def decide(self, stays: str, **cut):
        self.say({0: 4, 2: self[stays].id, 3: [self[name].id for name in cut], 4: list(cut.values())})

    def lift(self, of: str, size: int):
        self.say({0: 3, 2: self[of].id, 3: size})

    def write(self, by: str, kind: int, control: dict, heads=()) -> bytes:
        return self[by].append(logs.CONTROL, kind, [("control", control)], heads=heads)

    def evidence(self, by: str) -> bytes:
        return self[by].append(logs.CONTENT, entries.EVIDENCE, [("words", "w")])

    def note(self, by: str) -> bytes:
        return self[by].append(logs.NOTE, NOTE, [("words", "n")])

    def admit(self, by: str, name: str, role: int = ADVOCATE, wish: int = ADVOCATE) -> bytes:
        return self.write(by, entries.ADMIT, {0: self.device(name, wish).card, 1: role})

    def cut(self, by: str, of: str, size: int, root: bytes = None, heads=()) -> bytes:
        held, size, own = self[of].head(size)
        return self.write(by, entries.CUT, {0: held, 1: size, 2: root or own}, heads)

    def succeed(self, old: str, name: str, wish: int = SURVIVOR) -> bytes:
        """Returns what decides the order: H(body)."""
        body = encode({0: 1, 1: self.id, 2: self[old].signing.public, 3: self.device(name, wish).card})
        signed = [key.sign_in("succession", body) for key in (self[old].signing, self[name].signing)]
        self.successions.append(encode([body, *signed]))
        return sha256(body)

    def fork(self, of: str, size: int, parting: bool = True):
        """Another history of a log, of as many entries: with the parting, or only two heads."""
        device = self[of]
        ours = vectors_of_forks.leaf_hashes(device)
        theirs = ours[:size] + [seed(9, i) for i in range(len(ours) - size)]
        proof = vectors_of_forks.parting(device, size, ours, theirs)
        self.forks.append(encode(proof if parting else [*proof[:2], []]))

    def receipt(self, of: str, size: int, by: str):
        self.receipts.append((self[of], size, self[by]))

    def written(self) -> dict:
        return states.written(self.id, self.statements, self.successions, self.devices.values(), self.forks, self.receipts)


class Told:
    """Adds vectors, and holds what a case comes to against what the text wants of it."""

    def __init__(self, out):
        self.out = out

    def __call__(self, name: str, what: str, story: Story, members: str = None, cuts: dict = {}, **wanted):
        """- Parameters:
          - members: letters of those who must be members, all devices if it is not given.
          - cuts: where the power of logs must end, and whether it is contested.
          - wanted: `epochs` and `erased`, entry ids; `violations`, (letter, sequence, rule); `view`, standings by letter.
        """
        vector = story.written()
        state = states.read(vector)
        found = agreed(state)
        ids = {device.id: letter for letter, device in story.devices.items()}
        letters = lambda items: sorted((ids[item[0]], *item[1:]) for item in items)
        assert sorted(ids[m] for m, _ in found[1]) == sorted(members or story.devices), name
        assert letters(found[5]) == sorted((letter, *cut) for letter, cut in cuts.items()), name
        assert letters(found[4]) == sorted(wanted.get("violations", [])), name
        assert found[3] == sorted(wanted.get("epochs", [])), name
        assert sorted(e for e, _ in found[6]) == sorted(wanted.get("erased", [])), name
        view = states.view(vector, state)
        for letter, standings in wanted.get("view", {}).items():
            assert [s for log, _, s in view if log == story[letter].id.hex()] == standings.split(), (name, letter)
        self.out.add("state", name, what, "ok", **vector, view=view, c=encode(found), state=domain_hash("state", encode(found)))

    def newer(self, name: str, what: str, story: Story):
        """One that stops the evaluation."""
        vector = story.written()
        try:
            states.read(vector)
        except Newer:
            return self.out.add("state", name, what, "newer-version", **vector)
        raise AssertionError(name)


def members(add):
    story = Story("ab")
    story.say({0: 1, 2: story.root.public, 3: story.device("c").card, 4: bytes(80)})
    least = min((body for body, _ in map(split, story.statements) if decode(body, 4096)[0] == 1), key=sha256)
    story.say({0: 2, 2: story.device("d", ADVOCATE).card})
    add("founding", "Of two founding statements that with the least H(body) counts. A device's card that asks for the role of an "
        "advocate makes no member.", story, "ab" if story["a"].card in least else "bc")

    story = Story("ab")
    story.admit("a", "v")
    story.admit("b", "v")
    story.admit("a", "w", role=SURVIVOR, wish=SURVIVOR)
    story.admit("a", "x", wish=SURVIVOR)
    story.write("a", entries.ADMIT, {0: story["b"].card, 1: ADVOCATE})
    for letter in "vwx":
        story.note(letter)
    add("admitted", "An advocate admitted twice is one member. An entry that admits with role 1 has no effect; what her card asks "
        "for is ignored; a survivor's device that is admitted stays one.", story, "abvx",
        view={"v": "counted", "w": "set-aside", "x": "counted"})

    story = Story("ab")
    story.cut("a", "b", 2)
    story.admit("b", "v")
    story.note("v")
    add("admitted-behind-cut", "An admission behind a cut is void, and the log of who is no member is set aside.", story, "ab",
        {"b": (2, False)}, view={"v": "set-aside"})

    story = Story("ab")
    order = {name: story.succeed("a", name) for name in "cdefg"}
    first, last = sorted("cdefg", key=order.get)[:4], max("cdefg", key=order.get)
    add("successions-five", "Five successions of one log: the four with the least H(body) count.", story, "ab" + "".join(first))
    story = Story("ab")
    order = {name: story.succeed("a", name) for name in "cdefg"}
    story.say({0: 2, 2: story[min(order, key=order.get)].card})
    order["h"] = story.succeed("a", "h", ADVOCATE)
    add("successions-to-member", "One of the four leads to a key that is a member already, and is one of the four all the same. "
        "One whose card asks for another role is none of them.", story, "ab" + "".join(first))
    succession_limit(add)


def split(statement: bytes) -> list:
    return decode(statement, 4096)


def succession_limit(add):
    story, names = Story("a", begun=0), [f"{i:02}" for i in range(40)]
    waiting, taken, count = ["a"], ["a"], 0
    while count < 36:
        old = waiting.pop(0)
        new = names[count:count + 4]
        count += 4
        order = {name: story.succeed(old, name) for name in new}
        for name in sorted(new, key=order.get):
            waiting.append(name)
            taken += [name] * (len(taken) < 32)
    add("successions-32", "Of one device 32 members: generation by generation, in one by the order in which the old keys became "
        "members, of one old key by H(body). Further keys are none, and nothing follows from them.", story, taken)


def cuts(add):
    story = Story("abc")
    story.cut("a", "b", 1)
    story.receipt("b", 2, "c")
    add("cut", "A cut that stands. What is behind it is in view where a member gave a receipt who is neither its author nor cut "
        "nor cuts.", story, cuts={"b": (1, False)}, view={"b": "counted disputed"})
    story = Story("abc")
    story.cut("a", "b", 1)
    story.cut("a", "c", 2)
    story.receipt("b", 2, "a")
    story.receipt("b", 2, "c")
    add("cut-receipts", "A receipt by who cuts keeps nothing in view, nor one by who is cut.", story,
        cuts={"b": (1, False), "c": (2, False)}, view={"b": "counted set-aside"})

    story = Story("ab")
    story.cut("a", "b", 1, root=seed(9))
    story.cut("a", "b", 3, root=seed(9))
    story.cut("b", "b", 1)
    add("cut-no-effect", "Cuts without effect: one that names another root, one of more leaves than there are, one of the own log.",
        story)

    story = Story("ab")
    story.write("a", entries.KEEP, {0: seed(9)}, heads=[story["b"].head(2)])
    story.cut("a", "b", 1)
    story.cut("a", "b", 2)
    add("cut-acknowledged", "A cut below a size that its author's control entries acknowledged has no effect, at that size it has.",
        story, cuts={"b": (2, False)})
    story = Story("ab")
    story.cut("a", "b", 1, heads=[story["b"].head(2)])
    add("cut-acknowledges", "A cut whose own context acknowledges more than it leaves standing has no effect.", story)

    story = Story("abc")
    story.cut("b", "c", 1)
    story.cut("a", "b", 2)
    add("cut-falls", "A cut that stands behind a cut that stands falls.", story, cuts={"b": (2, False)})
    story = Story("abc")
    story.cut("a", "b", 1)
    story.cut("b", "a", 1)
    add("cycle", "Two devices that cut each other: contested, and both take power.", story,
        cuts={"a": (1, True), "b": (1, True)}, view={"a": "counted set-aside"})
    story = Story("abc")
    story.cut("a", "b", 1)
    story.cut("b", "a", 1)
    story.cut("c", "a", 2)
    add("cycle-decided", "A cycle, and a third cuts one of the two before its cut: what she had cut falls, and the other's stands.",
        story, cuts={"a": (1, False)})
    story = Story("abc")
    story.cut("a", "b", 1)
    story.cut("b", "c", 1)
    story.cut("c", "a", 1)
    story.decide("b", a=3)
    add("cycle-root", "A cycle of three that the root decides: what the one who is cut had cut of the one who stays has no effect, "
        "and the lower cut of her falls.", story, cuts={"a": (3, False), "c": (1, False)})

    story = Story("abc")
    for size in (0, 1, 2):
        story.cut("a", "b", size)
    story.lift("b", 1)
    story.decide("c", a=1)
    story.lift("a", 1)
    add("lift", "A lift takes the effect of cuts at its size and smaller ones, the root's own included.", story,
        cuts={"b": (2, False)})

    story = Story("ab", begun=1)
    for _ in range(64):
        story.cut("a", "b", 1, root=seed(9))
    story.cut("a", "b", 1)
    add("cuts-65", "Of the cuts in one log that have all but the root the first 64 count, so the one with the right root does not.",
        story)
    story = Story("abc", begun=1)
    story.lift("c", 0)
    for _ in range(64):
        story.write("a", entries.CUT, {0: story["c"].id, 1: 0, 2: logs.EMPTY_ROOT})
    story.cut("a", "b", 1)
    add("cuts-65-lifted", "Cuts that a lift takes the effect from use up none of the 64.", story, cuts={"b": (1, False)})

    story = Story("ab")
    story.succeed("b", "c")
    story.evidence("c")
    story.cut("c", "b", 1)
    add("cut-by-newer-keys", "Newer keys cut nothing of older ones of their device.", story)
    story.cut("a", "b", 2)
    add("cut-old-keys", "A cut of older keys at whatever size cuts the newer ones of their device at 0.", story, cuts={"b": (2, False), "c": (0, False)}, view={"b": "counted counted", "c": "set-aside"})


def forks(add):
    story = Story("ab")
    for letter in "vw":
        story.admit("a", letter)
    story.fork("a", 3)
    add("fork", "Control from where the histories of a log part is void, content disputed; of its leaves only those before count.",
        story, "abv", view={"a": "counted counted"})
    story = Story("ab")
    story.admit("a", "v")
    story.evidence("a")
    story.fork("a", 3, parting=False)
    story.fork("a", 2)
    add("fork-two-proofs", "A proof that shows no parting, and one that does, at a smaller size: the least counts.", story, "ab",
        view={"a": "counted counted disputed"})
    story = Story("ab")
    story.fork("a", 0)
    add("fork-zero", "Histories that part at the first leaf: of that log the state has nothing.", story,
        view={"a": "disputed disputed"})
    for name, root, wanted in (("", None, "counted disputed disputed set-aside"),
                               ("-other", seed(9), "counted set-aside set-aside set-aside")):
        story = Story("ab", begun=4)
        story.fork("b", 1)
        story.cut("a", "b", 3, root)
        add(f"cut-beyond-parting{name}", "A cut beyond the parting ends the power of the log there, whatever root it names. "
            + ("Content stands up to its size, since it names the root of this history." if root is None else
               "Content stands up to the parting, since it names the root of another history."), story,
            cuts={"b": (1, False)}, view={"b": wanted})
    story = Story("ab", begun=4)
    story.fork("b", 1)
    story.decide("a", b=3)
    add("cut-beyond-parting-root", "A cut by the root names no root, and stands for content at its size.", story,
        cuts={"b": (1, False)}, view={"b": "counted disputed disputed set-aside"})


def the_rest(add):
    story = Story("ab")
    target, others = story["a"].entry_id(0), story["a"].entry_id(1)
    story.write("a", entries.ERASE, {0: [target, target, others]})
    story.write("a", entries.KEEP, {0: target})
    story.write("b", entries.KEEP, {0: others})
    add("keep", "An entry named twice in one order is erased once. A `keep` counts in another log than the order's own.", story,
        erased=[target], view={"a": "erased counted"})
    story = Story("ab")
    target, cut = story["a"].entry_id(0), story.cut("a", "b", 2)
    story.write("b", entries.KEEP, {0: target})
    story.write("a", entries.ERASE, {0: [target, cut, story["a"].entry_id(1)]})
    story.say({0: 5, 2: story["a"].entry_id(1)})
    add("keep-behind-cut", "A `keep` behind a cut is void, one by the root counts. Of a control entry an erasure is listed, and "
        "takes nothing from it.", story, cuts={"b": (2, False)}, erased=[target, cut])
    story = Story("ab")
    epoch = lambda by, number: story.write(by, entries.EPOCH, {
        0: [2, None], 1: seed(number), 2: [story["a"].id], 3: []})
    epochs = [epoch("a", 4), epoch("b", 5), epoch("a", 6), epoch("a", 7)]
    story.cut("a", "b", 3)
    epoch("b", 8)
    add("epochs", "Epochs count but for one behind a cut. They ascend by id.", story, cuts={"b": (3, False)}, epochs=epochs)

    story = Story("a", begun=1)
    story.admit("a", "v")
    story.write("v", entries.KEEP, {0: seed(9)})
    story.evidence("v")
    story.note("v")
    story["a"].append(4, NOTE, [("words", "n")])
    story["a"].append(logs.CONTROL, NOTE, [("words", "n")])
    story.write("a", entries.ERASE, {0: "no array"})
    add("violations", "Rules 1, 2 and 3: classes that an advocate may not write, a class that does not exist, a kind under another "
        "class, a control entry that cannot be read.", story,
        violations=[("v", 0, 1), ("v", 1, 1), ("a", 2, 2), ("a", 3, 3), ("a", 4, 3)],
        view={"v": "violation counted", "a": "counted violation"})
    story = Story("a", begun=1)
    for _ in range(2):
        story["a"].append(4, NOTE, [("words", "n")])
    story.write("a", entries.ERASE, {0: "no array"})
    story.fork("a", 2)
    add("violation-behind-parting", "Violations behind the parting are in no copy's state.", story, violations=[("a", 1, 2)])


def newer(add):
    story = Story("a")
    story.say({0: 9, 2: seed(9)})
    add.newer("newer-statement", "A root statement of a type that is not known.", story)
    unknown = lambda by: story.write(by, 9, {0: seed(9)})
    story = Story("ab")
    unknown("b")
    add.newer("newer-control", "A control entry of a kind that is not known in a survivor's log.", story)
    story = Story("ab")
    unknown("b")
    story.cut("a", "b", 2)
    add.newer("newer-control-cut", "The same behind a cut by a member, which it could answer.", story)
    story.decide("a", b=2)
    add("newer-control-settled", "The same where the root has cut the log: nothing there could count.", story, cuts={"b": (2, False)})
    story = Story("ab")
    story.write("b", entries.ADMIT, {0: writer.newer_card(), 1: ADVOCATE})
    story.fork("b", 2)
    add("newer-card-settled", "An admission with a card of a later version, behind the parting of its log's histories.", story)
    story = Story("a")
    story.admit("a", "v")
    unknown("v")
    add("newer-control-of-advocate", "A control entry of a kind that is not known in an advocate's log, where none counts: a "
        "violation like any other.", story, violations=[("v", 0, 1)])


def settled(add):
    story = Story("abc")
    story.cut("b", "c", 1)
    story.write("b", entries.ERASE, {0: "no array"})
    story.cut("b", "a", 2)
    story.decide("a", b=3)
    add("settled", "The root cuts a log between its decisions: that before counts, and of those behind not even one that cannot be "
        "read is a violation.", story, cuts={"b": (3, False), "c": (1, False)})
    story = Story("ab")
    story.succeed("b", "c")
    story.write("c", entries.ERASE, {0: "no array"})
    story.cut("c", "a", 2)
    story.decide("a", b=2)
    add("settled-newer-keys", "The root cuts the older keys of a device: all control under its newer ones is settled.", story,
        cuts={"b": (2, False), "c": (0, False)})


def all_of(out, case):
    add = Told(out)
    for part in (members, cuts, forks, the_rest, newer, settled):
        part(add)
