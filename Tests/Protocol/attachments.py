"""Holds Protocol/verify to what it does with attachments: those in a folder are opened and compared with what their entries say,
and none, in a folder or in a bundle, is ever held in memory as a whole.

    attachments.py
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import vectors_of_shares
import writer
from vectors_of_folders import Mailbox
from vectors_of_shares import CONTENT, blob
from writer import Case, seed

# Of its own memory a process knows the most best: what its parent had is not in that.
VERIFY, MEASURED = writer.PROTOCOL / "verify", """
import re, sys
sys.path.insert(0, sys.argv[1])
import verify
code = verify.main(sys.argv[2:])
print(re.search(r"VmHWM:\\s+([0-9]+)", open("/proc/self/status").read())[1])
sys.exit(code)
"""
LARGE, MOST_MORE = 32 << 20, 12 << 20
NOT_PADDED = CONTENT + b"\1"


def main() -> int:
    wrong = [failure for check in (contents, memory) for failure in check()]
    for failure in wrong:
        print(f"FAILED: {failure}")
    return 1 if wrong else 0


def run(*arguments) -> tuple:
    """What it says, its exit code, and the most memory that it took, in bytes."""
    done = subprocess.run([sys.executable, "-c", MEASURED, VERIFY, *arguments, "--json"], stdout=subprocess.PIPE, text=True, check=False)
    said, used = done.stdout.rstrip("\n").rsplit("\n", 1)
    return json.loads(said), done.returncode, int(used) << 10


def put(folder: Path, content: bytes = CONTENT, **said) -> Path:
    """A mailbox with one attachment, of which an entry says what is true, or else what is given."""
    root, file = blob(content)
    case, _, _ = vectors_of_shares.told(**({"root": root, "size": len(content), "hashed": writer.sha256(content)} | said))
    mailbox = Mailbox(case)
    name = vectors_of_shares.written(mailbox, root)
    for path, data in mailbox.changed({name: file}).items():
        (folder / "mailbox" / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / "mailbox" / path).write_bytes(data)
    (folder / "kit").write_text(" ".join(writer.kit_words(seed(2)[:16])))
    return folder / "mailbox"


# What is in them ------------------------------------------------------------------------------------

def contents():
    """The folder is in order each time: what differs is what an entry says."""
    cases = {"as its entry says": ({}, []), "another hash": ({"hashed": seed(9)}, ["attachment-differs"]),
             "another size": ({"size": len(CONTENT) - 1}, ["attachment-differs"]),
             "a size of other padding": ({"size": 5000}, ["attachment-differs"]),
             "another key": ({"key": seed(9)}, ["attachment-differs"]),
             # What it says is true of the beginning of what is there.
             "more behind its content": ({"content": NOT_PADDED, "size": len(CONTENT), "hashed": writer.sha256(CONTENT)},
                                         ["attachment-differs"])}
    for what, (changed, expected) in cases.items():
        with tempfile.TemporaryDirectory() as scratch:
            path = put(Path(scratch), **changed)
            said, code, _ = run("folder", str(path), "--kit", f"{scratch}/kit")
            found = [f["code"] for f in said["findings"] if f["code"] != "incomplete"]
            counts = said["attachments"], said["attachments-named"], said["attachments-opened"]
            # Of the two that are named one is not there.
            if (found, code == 20, counts) != (expected, bool(expected), (1, 2, int(not expected))):
                yield f"{what}: {said}"
            without, code, _ = run("folder", str(path))
            if code == 20 or without["attachments"] != 1 or "attachments-opened" in without:
                yield f"{what}, without the kit: {without}"


# Memory ---------------------------------------------------------------------------------------------

def memory():
    """A large one costs hardly more than a small one."""
    for where, look in ("folder", in_folder), ("bundle", in_bundle):
        small, large = look(bytes(1000)), look(bytes(LARGE))
        print(f"{where}: {small >> 20} MiB, with an attachment of {LARGE >> 20} MiB {large >> 20} MiB")
        if large > small + MOST_MORE:
            yield f"{where}: an attachment is held in memory"


def in_folder(content: bytes) -> int:
    with tempfile.TemporaryDirectory() as scratch:
        path = put(Path(scratch), content)
        said, _, used = run("folder", str(path), "--kit", f"{scratch}/kit")
        assert said["attachments-opened"] == 1, said
        return used


def in_bundle(content: bytes) -> int:
    with tempfile.TemporaryDirectory() as scratch:
        (Path(scratch) / "bundle").write_bytes(writer.packed(Case().tell(content).bundle()))
        said, code, used = run("bundle", f"{scratch}/bundle")
        assert code in (0, 21), said
        return used


if __name__ == "__main__":
    sys.exit(main())
