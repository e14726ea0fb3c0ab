"""Holds notes, checkpoints, cosignatures and Merkle proofs to implementations that are not ours.

    outside.py ANSWERS [--go ORACLE] [--count N] [--seed S]

ANSWERS is the program of Tests/Answers, ORACLE the one in `go` (golang.org/x/mod/sumdb: notes, trees). tlog-scales, a Python
package, verifies checkpoints, cosignatures and consistency proofs, and signs checkpoints. The independent verifier in
Protocol/verify answers beside them. Each side makes what the others verify, good and broken. Ends with 1 where two differ.
"""

import argparse
import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Protocol"))

import asking  # noqa: E402
from writer import logs  # noqa: E402
from encoding import Malformed  # noqa: E402

from tlog_scales.signing import PlainEd25519Signer, Vkey  # noqa: E402
from tlog_scales.tlog import Checkpoint, ConsistencyProof, ConsistencyProofInvalid  # noqa: E402

# Published: a checkpoint of a public log of certificates, with the cosignature of a public witness, and their keys.
REAL = """arche2025h1.staging.ct.transparency.dev
1432088532
U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=

\u2014 arche2025h1.staging.ct.transparency.dev ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=
\u2014 remora.n621.de 2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0WBxtqB0DrAWfBw==
"""
REAL_KEYS = ("arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f",
             "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2")


class Differ(Exception):
    pass


def same(what: str, answers: dict):
    if len(set(answers.values())) != 1:
        raise Differ(f"{what}: {answers}")


# Notes ----------------------------------------------------------------------------------------------

def by_verifier(note: bytes, key: str) -> bool:
    """Protocol/verify: a checkpoint that this key signed."""
    name, _, rest = key.partition("+")
    data = logs.from_b64(rest.partition("+")[2])
    try:
        read = logs.read_note(note)
        head = logs.read_checkpoint(read.text)
        if data[0] == 1:
            return head.origin == name and logs.note_is_signed_by(read, name, data[1:])
        found = logs.WitnessKey.parse(key).receipts_in(read)
        return found != [] and all(valid for _, valid in found)
    except Malformed:
        return False


def by_scales(note: bytes, key: str) -> bool:
    try:
        Checkpoint.from_text(note.decode()).verify(Vkey.from_string(key))
        return True
    except Exception:
        return False


def has_form(note: bytes) -> bool:
    """tlog-scales does not look at the form of a note: what is no note at all it may well read."""
    try:
        logs.read_checkpoint(logs.read_note(note).text)
        return True
    except Malformed:
        return False


class Notes:
    def __init__(self, swift, go):
        self.swift, self.go, self.checked = swift, go, 0

    def check(self, note: bytes, key: str, good: bool = None):
        """All agree on what is a note in its one form, and nobody accepts what ours refuse in it."""
        self.checked += 1
        asked = {"note": note.hex(), "witnesses": [key]}
        swift = self.swift("note", **asked)["found"] == "ok"
        same(f"note {note!r}", {"swift": swift, "verify": by_verifier(note, key)} | ({} if good is None else {"it": good}))
        if has_form(note):
            same(f"note {note!r}", {"swift": swift, "scales": by_scales(note, key) and is_checkpoint(note, key)})
        if self.go:
            said = self.go("note", **asked)
            form = bytes.fromhex(said.get("note", ""))
            theirs = said["found"] == "ok" and is_checkpoint(note, key)
            # x/mod also reads what is not in a note's one form, but says what that form is.
            if swift != theirs and (swift or form == note):
                raise Differ(f"x/mod says {said['found']} of {note!r}")


def is_checkpoint(note: bytes, key: str) -> bool:
    """What is signed is a checkpoint, and of the log whose key it is, unless it is a key for receipts."""
    try:
        origin = logs.read_checkpoint(note.rpartition(b"\n\n")[0] + b"\n").origin
        return origin == key.partition("+")[0] or key_type(key) == 4
    except Malformed:
        return False


def key_type(key: str) -> int:
    return logs.from_b64(key.split("+", 2)[2])[0]


def broken(note: bytes, chance) -> bytes:
    at = chance.randrange(len(note))
    lines = note.split(b"\n")
    kind = chance.randrange(8)
    if kind < 3:
        return note[:at] + bytes([note[at] ^ 1 << chance.randrange(8)]) + note[at + 1:]
    if kind == 3:
        return note[:at] + note[at + 1:]
    if kind == 4:
        return note[:at] + chance.choice([b"\n", b" ", b"\r", b"=", b"A", b"0"]) + note[at:]
    i = chance.randrange(len(lines))
    if kind == 5:
        lines.pop(i)
    elif kind == 6:
        lines.insert(i, chance.choice([b"", b"extension", lines[chance.randrange(len(lines))]]))
    else:
        j = chance.randrange(len(lines))
        lines[i], lines[j] = lines[j], lines[i]
    return b"\n".join(lines)


def notes(swift, go, chance, count: int) -> int:
    checks = Notes(swift, go)
    for key in REAL_KEYS:
        checks.check(REAL.encode(), key, True)
        checks.check(REAL.replace("1432088532", "1432088533").encode(), key, False)
    for number in range(count):
        case, seeds = chance.randbytes(32), [chance.randbytes(32), chance.randbytes(32)]
        size, time = chance.choice([0, 1, 5, 1 << 40, (1 << 63) - 1]), chance.choice([0, 1, 1_780_000_000, (1 << 63) - 1])
        root = chance.randbytes(32) if size else logs.EMPTY_ROOT
        given = {"seeds": [seed.hex() for seed in seeds], "size": size, "time": time, "root": root.hex()}
        made = [swift("sign", caseID=case.hex(), **given)]
        names = [key.partition("+")[0] for key in made[0]["keys"]]
        if go:
            made.append(go("sign", names=names, **given))
            same("what is signed", {i: (one["note"], *one["keys"]) for i, one in enumerate(made)})
        ours = PlainEd25519Signer(names[0], seeds[0])
        same("a key", {"swift": made[0]["keys"][0], "scales": ours.vkey.serialize()})
        other = Checkpoint.make_signed(names[0], size, root, [ours]).serialize().encode()
        checks.check(other, made[0]["keys"][0], True)
        note = bytes.fromhex(made[0]["note"])
        for key in made[0]["keys"]:
            checks.check(note, key, True)
            for _ in range(4):
                checks.check(broken(note, chance), key)
    return checks.checked


# Trees ----------------------------------------------------------------------------------------------

def by_verifier_consistency(smaller, smaller_root, size, root, proof) -> bool:
    if smaller == size:
        return proof == [] and smaller_root == root
    try:
        return logs.roots_by_consistency_proof(smaller, smaller_root, size, proof) == (smaller_root, root)
    except Malformed:
        return False


def by_scales_consistency(smaller, smaller_root, size, root, proof) -> bool:
    try:
        ConsistencyProof(smaller, size, proof).check(smaller_root, root)
        return True
    except ConsistencyProofInvalid:
        return False


def broken_proof(proof: list, chance) -> list:
    proof, i = list(proof), chance.randrange(len(proof) + 1)
    kind = chance.randrange(4)
    if kind == 0 or not proof:
        proof.insert(i, chance.randbytes(32))
    elif kind == 1:
        proof.pop(i % len(proof))
    elif kind == 2:
        j, i = chance.randrange(len(proof)), i % len(proof)
        proof[i], proof[j] = proof[j], proof[i]
    else:
        i %= len(proof)
        proof[i] = bytes([proof[i][0] ^ 1]) + proof[i][1:]
    return proof


def trees(swift, go, chance, count: int) -> int:
    checked = 0
    for number in range(count):
        size = chance.choice([1, 2, 3, 4, 7, 8, 9, chance.randrange(1, 300)])
        leaves = [logs.leaf_hash(bytes([i & 255, i >> 8])) for i in range(size)]
        index, smaller = chance.randrange(size), chance.randrange(1, size + 1)
        asked = {"hashes": [h.hex() for h in leaves], "size": size, "index": index, "smaller": smaller}
        made = swift("prove", **asked)
        same("a root", {"swift": made["root"], "verify": logs.root_of(leaves).hex()})
        if go:
            said = go("prove", **asked)
            for what in ("root", "inclusion", "consistency"):
                same(what, {"swift": str(made[what] or []), "go": str(said[what] or [])})
        root, smaller_root = bytes.fromhex(made["root"]), logs.root_of(leaves[:smaller])
        inclusion, consistency = ([bytes.fromhex(h) for h in made[what]] for what in ("inclusion", "consistency"))
        checked += check_inclusion(swift, go, leaves[index], index, size, root, inclusion, True)
        checked += check_consistency(swift, go, smaller, smaller_root, size, root, consistency, True)
        for _ in range(4):
            checked += check_inclusion(swift, go, leaves[index], chance.choice([index, index ^ 1, size]),
                                       chance.choice([size, size, size + 1]), root, broken_proof(inclusion, chance))
            checked += check_consistency(swift, go, chance.choice([smaller, smaller, smaller + 1]), smaller_root,
                                         chance.choice([size, size, size + 1]), root, broken_proof(consistency, chance))
    return checked


def check_inclusion(swift, go, leaf, index, size, root, proof, good=None) -> int:
    asked = {"hashes": [leaf.hex()], "index": index, "size": size, "root": root.hex(), "proof": [h.hex() for h in proof]}
    answers = {"swift": swift("inclusion", **asked)["found"] == "ok"}
    if go:
        answers["go"] = go("inclusion", **asked)["found"] == "ok"
    same(f"an inclusion {asked}", answers | ({} if good is None else {"it": good}))
    return 1


def check_consistency(swift, go, smaller, smaller_root, size, root, proof, good=None) -> int:
    asked = {"hashes": [smaller_root.hex()], "smaller": smaller, "size": size, "root": root.hex(),
             "proof": [h.hex() for h in proof]}
    answers = {"swift": swift("consistency", **asked)["found"] == "ok",
               "verify": smaller <= size and by_verifier_consistency(smaller, smaller_root, size, root, proof),
               "scales": by_scales_consistency(smaller, smaller_root, size, root, proof)}
    if go:
        answers["go"] = go("consistency", **asked)["found"] == "ok"
    same(f"a consistency {asked}", answers | ({} if good is None else {"it": good}))
    return 1


def main(given) -> int:
    swift = asking.Asked(given.answers)
    go = asking.Asked(given.go) if given.go else None
    chance = random.Random(given.seed)
    try:
        signed = notes(swift, go, chance, given.count)
        proven = trees(swift, go, chance, given.count)
    except Differ as difference:
        print(difference)
        return 1
    who = "tlog-scales" + (" and golang.org/x/mod" if go else "")
    print(f"{signed} notes and {proven} proofs, judged alike by {who}, the program and Protocol/verify")
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("answers")
    parser.add_argument("--go")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    sys.exit(main(parser.parse_args()))
