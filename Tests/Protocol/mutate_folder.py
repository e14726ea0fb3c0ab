"""Changes a real mailbox and compares what the program and Protocol/verify take from it.

    mutate_folder.py CAIRN REAL-CASES [--count N] [--seed S]

The program tells what it makes of a folder only through a vault. So each case recovers one from a copy of the folder with
the kit, and compares: the entries of each member's log that were believed, those that opened, the attachments, and
whether the folder was called damaged. Some seconds a case. Ends with 1 where something differs.
"""

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "Protocol" / "verify"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import cbor2  # noqa: E402

import folder as mailbox  # noqa: E402
import keys  # noqa: E402
import logs  # noqa: E402
import mutate  # noqa: E402
import verify  # noqa: E402
from encoding import Refused, b32  # noqa: E402


def split(data: bytes) -> list:
    """Frames as (type, payload)."""
    found = []
    while data:
        length = int.from_bytes(data[1:5], "big")
        found.append((data[0], data[5:5 + length]))
        data = data[5 + length:]
    return found


def join(found: list) -> bytes:
    return b"".join(bytes([kind]) + len(payload).to_bytes(4, "big") + payload for kind, payload in found)


def change_bytes(path: Path, chance) -> str:
    data = path.read_bytes()
    change = chance.choice([mutate.flip, mutate.flip, mutate.cut, mutate.append])
    data, what = change(data, chance)
    path.write_bytes(data)
    return what


def change_frame(path: Path, chance) -> str:
    """A frame left out, doubled, exchanged, or a value within it changed."""
    found = split(path.read_bytes())
    i, j = chance.randrange(len(found)), chance.randrange(len(found))
    what = chance.choice(["out", "doubled", "exchanged", "value", "value", "value", "type"])
    if what == "out":
        found.pop(i)
    elif what == "doubled":
        found.insert(i, found[i])
    elif what == "exchanged":
        found[i], found[j] = found[j], found[i]
    elif what == "type":
        found[i] = (chance.choice([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 14, 0x7F]), found[i][1])
    else:
        tree = [cbor2.loads(found[i][1])]
        what = mutate.change_value(tree, chance)
        found[i] = (found[i][0], cbor2.dumps(tree[0] if tree else None, canonical=True))
    path.write_bytes(join(found))
    return f"frame {i}: {what}"


def change_files(path: Path, chance) -> str:
    """A file removed, exchanged with another, copied to another name, or replaced by a link."""
    others = [p for p in path.parent.parent.glob("*/*") if p != path]
    other = chance.choice(others)
    what = chance.choice(["removed", "exchanged", "copied over", "link", "renamed"])
    if what == "removed":
        path.unlink()
    elif what == "exchanged":
        mine, theirs = path.read_bytes(), other.read_bytes()
        path.write_bytes(theirs)
        other.write_bytes(mine)
    elif what == "copied over":
        shutil.copyfile(other, path)
    elif what == "link":
        path.rename(path.parent / "elsewhere")
        path.symlink_to("elsewhere")
    else:
        name = path.name
        path.rename(path.parent / (name[:-1] + ("0" if name[-1] != "0" else "1")))
    return f"{what} ({other.name[:6]})"


def ours(path: Path, case_id: bytes, kit: tuple) -> dict:
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
        "damaged": any(f.code in ("file-damaged", "fork") for f in checked.findings),
    }


def theirs(program: str, path: Path, kit: Path, scratch: Path) -> dict:
    (scratch / "pass").write_text("navigator species prison charbroil fit automated\n")

    def run(*arguments) -> tuple:
        done = subprocess.run([program, *arguments, "--vault", "vault", "--passphrase-file", "pass", "--json"],
                              cwd=scratch, capture_output=True, text=True)
        return done.returncode, json.loads(done.stdout) if done.stdout.strip() else {}, done.stderr

    code, said, errors = run("recover", "--kit", str(kit), "--mailbox", str(path), "--kdf", "light", "--no-input")
    if code not in (0, 20, 21):
        return {"refused": f"{code}: {errors.strip()[-160:]}"}
    _, members, _ = run("members")
    if "members" not in members or "entries" not in said:
        return {"refused": f"{code}: {errors.strip()[-160:]}"}
    return {
        "logs": {m["id"]: m["entriesWritten"] for m in members["members"] if not m["own"]},
        "opened": said["entries"], "files": said["files"], "damaged": "agree with what was" in errors
        or "damaged" in errors or "cut off" in errors, "said": errors.strip()[-300:],
    }


def run(given) -> int:
    known = json.loads((given.cases / "known.json").read_text())
    kit_file = given.cases / known["kit"]
    kit = keys.kit_keys(keys.seed_of_words(verify.words_in(str(kit_file))))
    case_id = verify.from_b32(known["fingerprint"], 32)
    different = 0
    for seed in range(given.seed, given.seed + given.count):
        chance = random.Random(seed)
        with tempfile.TemporaryDirectory() as scratch:
            copy = Path(scratch) / "mailbox"
            shutil.copytree(given.cases / chance.choice(["mailbox", "own", "later"]), copy)
            path = chance.choice(sorted(copy.glob("*/*")))
            is_stream = not path.name.startswith("b-")
            change = chance.choice([change_bytes, change_files, change_frame, change_frame] if is_stream
                                   else [change_bytes, change_files])
            what = "nothing" if seed == 0 else f"{path.parent.name[17:21]}/{path.name[:6]} {change(path, chance)}"
            mine = ours(copy, case_id, kit)
            swift = theirs(given.program, copy, kit_file, Path(scratch))
            said = swift.pop("said", "")
            # The program does not read what it has no use for, so it may miss damage, and never see more of it.
            if swift.get("damaged") is False:
                mine.pop("damaged", None), swift.pop("damaged")
            if mine != swift and not ("refused" in mine and "refused" in swift):
                different += 1
                print(f"seed {seed}: {what}\n    ours   {mine}\n    theirs {swift}\n    {said[:200]!r}", flush=True)
    print(f"{given.count} folders, {different} taken differently")
    return 1 if different else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("cases", type=Path)
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    sys.exit(run(parser.parse_args()))
