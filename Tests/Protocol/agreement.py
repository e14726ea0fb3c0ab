"""Compares what two implementations make of the same bundles and folders: the program's, through Tests/Answers, and Protocol/verify.

    agreement.py ANSWERS REAL-CASES [--valid N] [--mutated N] [--folders N] [--seed S] [--figures FOLDER] [--minutes M]

`--valid`: cases made by chance; of a bundle of each, all that is told and the state hash have to be the same. `--mutated`: changed
bundles, those of REAL-CASES (real_cases.py made them) and such of chance; the verdicts have to be the same, and which of several
defects was found first is counted. `--folders`: changed folders; what a vault takes from each has to be what this side finds in it.

It goes in parts of 500. With `--figures` each leaves a file there, and a part that has one is not run again: so the same seed goes
on where it was stopped. Ends with 1 where something differs, and names the seed of it; `--keep FOLDER` keeps what it was.
"""

import argparse
import collections
import io
import json
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

import asking
import mutate
import mutate_folder
import writer
from random_cases import ManyEpochs, ManyMembers, RandomCase
from writer import bundle, keys, logs

import folder as mailbox
import state
import verify
from encoding import Refused, b32, from_b32

PART = 500
SCRATCH = "/dev/shm" if Path("/dev/shm").is_dir() else None
# Bundles of so many cases of chance, among those that are changed.
POOL = 40
# What whoever asks knows from elsewhere: no case, no keys.
NOTHING = (None, [])


class Comparison:
    """What a part found."""

    def __init__(self):
        self.figures, self.different = collections.Counter(), []

    def differ(self, seed: int, what: str, ours, theirs):
        self.different.append(seed)
        print(f"FAILED: seed {seed}: {what}\n    ours   {ours}\n    theirs {theirs}", flush=True)


class Campaigns:
    def __init__(self, given):
        self.given, self.swift = given, asking.Asked(given.answers)
        told = json.loads((given.cases / "known.json").read_text())
        self.words = verify.words_in(str(given.cases / told["kit"]))
        self.case_id = from_b32(told["fingerprint"], 32)
        known = (self.case_id, [told["witness"]])
        self.real = [(path.name, path.read_bytes(), known) for path in sorted(given.cases.glob("*.zip"))]
        self.folder = tempfile.TemporaryDirectory(dir=SCRATCH)
        self.path = Path(self.folder.name) / "bundle"

    def _judged(self, data: bytes, known: tuple) -> tuple:
        """(ours, theirs), both at work at a time.

        - Parameter known: case id, if it is known, and receipt keys.
        """
        case_id, witnesses = known
        self.path.write_bytes(data)
        self.swift.send("bundle", path=str(self.path), witnesses=witnesses,
                        **({"fingerprint": b32(case_id)} if case_id else {}))
        verdict = bundle.verify(io.BytesIO(data), bundle.Trust(
            case_id, tuple(logs.WitnessKey.parse(key) for key in witnesses)))
        mine = verify.said_of_bundle(verdict)
        if verdict.bundle is not None:
            mine["state"] = state.state_hash(verdict.bundle.state).hex()
        answer = self.swift.answer()
        theirs = json.loads(answer["verdict"])
        if "state" in answer:
            theirs["state"] = answer["state"]
        for said in (mine, theirs):
            said["findings"].sort(key=json.dumps)
        return mine, theirs

    def _keep(self, seed: int, data: bytes):
        if self.given.keep:
            (self.given.keep / f"{seed}.zip").write_bytes(data)

    def valid(self, seeds: range, found: Comparison):
        for seed in seeds:
            # Once in each run, what chance would not make in a lifetime.
            kind = {self.given.seed: ManyEpochs, self.given.seed + 1: ManyMembers}.get(seed, RandomCase)
            data = writer.packed(kind(random.Random(seed)).bundle())
            mine, theirs = self._judged(data, NOTHING)
            found.figures[mine["verdict"]] += 1
            found.figures.update(f"with {code}" for code in {f["code"] for f in mine["findings"]})
            if mine != theirs:
                parts = [key for key in mine.keys() | theirs.keys() if mine.get(key) != theirs.get(key)]
                found.differ(seed, "a case of chance", *({key: said.get(key) for key in parts} for said in (mine, theirs)))
                self._keep(seed, data)

    def mutated(self, seeds: range, found: Comparison):
        bases = self.real + [(f"chance {seed}", writer.packed(RandomCase(random.Random(seed)).bundle()), NOTHING)
                             for seed in range(POOL)]
        for name, data, known in self.real:
            for known in (known, NOTHING):
                mine, theirs = self._judged(data, known)
                if mine != theirs:
                    found.differ(seeds.start, f"{name}, unchanged", mine, theirs)
        for seed in seeds:
            data, known, what = mutate.make(random.Random(seed), bases)
            mine, theirs = self._judged(data, known)
            codes = [" ".join(sorted({f["code"] for f in said["findings"]})) for said in (mine, theirs)]
            found.figures[mine["verdict"]] += 1
            if mine["verdict"] != theirs["verdict"]:
                found.differ(seed, what, (mine["verdict"], codes[0]), (theirs["verdict"], codes[1]))
                self._keep(seed, data)
            elif codes[0] != codes[1]:
                found.figures["another of several defects was found first"] += 1
                found.figures[f"    {what.split(',')[0]}: {codes[0]} / {codes[1]}"] += 1
            elif mine != theirs and mine["verdict"] in ("intact", "consistent"):
                found.differ(seed, f"{what}: what is told", mine, theirs)
                self._keep(seed, data)

    def folders(self, seeds: range, found: Comparison):
        kit = keys.kit_keys(keys.seed_of_words(self.words))
        for seed in seeds:
            chance = random.Random(seed)
            with tempfile.TemporaryDirectory(dir=SCRATCH) as scratch:
                copy = Path(scratch) / "mailbox"
                shutil.copytree(self.given.cases / chance.choice(["mailbox", "own", "later"]), copy)
                what = mutate_folder.change(copy, chance)
                mine = taken_by_us(copy, self.case_id, kit)
                # Only now: the vault that it goes into writes into the folder.
                theirs = taken(self.swift("folder", path=str(copy), scratch=scratch, words=" ".join(self.words)))
            # The program does not read what it has no use for, so it may miss damage, and never see more of it.
            if theirs.get("damaged") is False:
                mine.pop("damaged", None), theirs.pop("damaged")
            refused = "refused" in mine and "refused" in theirs
            found.figures["refused" if refused else "damaged" if mine.get("damaged") else "whole, or less"] += 1
            if mine != theirs and not refused:
                found.differ(seed, what, mine, theirs)


def taken_by_us(path: Path, case_id: bytes, kit: tuple) -> dict:
    checked = mailbox.Folder(str(path), case_id, kit)
    try:
        checked.verify()
    except Refused as refusal:
        return {"refused": refusal.code}
    members = {m.log for m in checked.state.members.values()}
    known = [log for log in checked.logs.values() if log.id in members]
    blobs = {blob["root"] for log in known for entry in log.entries.values() if entry.content
             for blob in entry.content["blob"].values()}
    return {
        "logs": {b32(log.id): sum(leaf.cls != logs.CONTROL for leaf in log.leaves) for log in known},
        "opened": sum(entry.leaf.cls != logs.CONTROL for log in known for entry in log.entries.values()),
        "files": len(blobs & set(checked.blobs)),
        "damaged": checked.is_damaged,
    }


def taken(answer: dict) -> dict:
    if answer["found"] != "ok":
        return {"refused": answer["found"]}
    damage = {"damaged", "mailboxFault", "fork", "forgedStatement"} & set(answer["problems"])
    return {key: answer[key] for key in ("logs", "opened", "files")} | {"damaged": bool(damage)}


# Parts ----------------------------------------------------------------------------------------------

def parts(given) -> list:
    """(campaign, first seed, count)"""
    found = []
    for campaign in ("valid", "mutated", "folders"):
        count = getattr(given, campaign)
        found += [(campaign, given.seed + at, min(PART, count - at)) for at in range(0, count, PART)]
    # In turn, so that a run that is stopped has some of each.
    return sorted(found, key=lambda part: (part[1], part[0]))


def run(given) -> int:
    campaigns, began, results = Campaigns(given), time.monotonic(), collections.defaultdict(list)
    for campaign, seed, count in parts(given):
        file = given.figures / f"{campaign}-{seed}-{count}.json" if given.figures else None
        if file and file.exists():
            results[campaign].append(json.loads(file.read_text()))
            continue
        if time.monotonic() - began > given.minutes * 60:
            continue
        found, started = Comparison(), time.monotonic()
        getattr(campaigns, campaign)(range(seed, seed + count), found)
        result = {"count": count, "different": found.different, "figures": found.figures,
                  "seconds": round(time.monotonic() - started)}
        results[campaign].append(result)
        if file:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(result) + "\n")
            print(f"{campaign} from {seed}: {count} in {result['seconds']} s", file=sys.stderr, flush=True)
    return told(given, results)


def told(given, results: dict) -> int:
    different = 0
    for campaign in ("valid", "mutated", "folders"):
        done = results[campaign]
        if not done:
            continue
        wrong = [seed for result in done for seed in result["different"]]
        different += len(wrong)
        count, seconds = sum(result["count"] for result in done), sum(result["seconds"] for result in done)
        rate = f", {3600 * count // seconds} an hour" if seconds else ""
        print(f"{campaign}: {count} of {getattr(given, campaign)} from seed {given.seed}, {len(wrong)} taken differently{rate}")
        for line, number in sum((collections.Counter(result["figures"]) for result in done), collections.Counter()).most_common(given.show):
            print(f"  {number:7}  {line}")
        if wrong:
            print(f"  differ: {' '.join(map(str, wrong))}")
    return 1 if different else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("answers")
    parser.add_argument("cases", type=Path)
    parser.add_argument("--valid", type=int, default=0)
    parser.add_argument("--mutated", type=int, default=0)
    parser.add_argument("--folders", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--figures", type=Path)
    parser.add_argument("--minutes", type=float, default=1e9)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--show", type=int, default=40)
    sys.exit(run(parser.parse_args()))
