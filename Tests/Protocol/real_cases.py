"""Makes real bundles and a real mailbox with the real program, for the tests that compare verifiers.

    real_cases.py PROGRAMS FOLDER

PROGRAMS is the folder of the built programs, FOLDER a new one. Afterwards it holds

    plain.zip            one person, whole case
    chosen.zip           chosen entries of a shared case
    whole.zip            a shared case with everything in it that a case can have
    advocate.zip         what the advocate exports of that case
    later.zip            the case with a further device and new keys, after the advocate was removed
    mailbox/             the folder through which they met
    own/                 the folder of the survivor's own devices
    known.json           what people were told otherwise: fingerprints, receipt keys, the survivor's kit
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path


class Person:
    """A vault and whoever owns it."""

    def __init__(self, programs: Path, folder: Path, name: str, init: bool = True):
        self.programs, self.folder, self.name = programs, folder, name
        (folder / f"{name}.pass").write_text(f"the passphrase of {name}\n")
        if init:
            self("init", "--kit", f"{name}.kit", "--kdf", "light")

    def __call__(self, *arguments, codes=(0,)) -> dict:
        command = [self.programs / "cairn", *arguments, "--vault", self.name,
                   "--passphrase-file", f"{self.name}.pass", "--no-input", "--json"]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True)
        if done.returncode not in codes:
            raise SystemExit(f"{arguments}: {done.returncode}\n{done.stdout}{done.stderr}")
        return json.loads(done.stdout) if done.stdout.strip() else {}

    def add(self, *arguments) -> str:
        return self("add", *arguments)["saved"][0]["id"]

    def case(self, name: str) -> dict:
        return next(c for c in self("case", "list")["cases"] if c["name"] == name)


def share(giver: Person, case: str, taker: Person, name: str):
    words = taker("card", "--output", f"{taker.name}.card")["words"]
    said = giver("share", case, "--with", f"{taker.name}.card", "--output", f"{taker.name}.invitation",
                 "--words", words, "--yes")
    taker("join", f"{taker.name}.invitation", "--words", said["words"], "--case", name)


class Export:
    """Bundles are sealed to a key of this folder, and opened with the ordinary program."""

    def __init__(self, folder: Path):
        self.folder = folder
        subprocess.run(["age-keygen", "-o", folder / "reader.key"], check=True, capture_output=True)
        self.to = subprocess.run(["age-keygen", "-y", folder / "reader.key"], check=True,
                                 capture_output=True, text=True).stdout.strip()

    def __call__(self, person: Person, case: str, name: str, *arguments):
        person("export", case, "--to", self.to, "--output", f"{name}.age", *arguments, codes=(0, 21))
        subprocess.run(["age", "--decrypt", "--identity", "reader.key", "--output", f"{name}.zip",
                        f"{name}.age"], cwd=self.folder, check=True)


def make(programs: Path, folder: Path):
    folder.mkdir(parents=True)
    os.environ["TZ"] = "UTC"
    (folder / "shot.png").write_bytes(b"\x89PNG\r\n\x1a\n" + os.urandom(3000))
    (folder / "large.mp4").write_bytes(b"\0\0\0\x18ftypmp42" + os.urandom(200_000))
    (folder / "chat.txt").write_text("he: <b>where</b> are you\n" * 40)
    (folder / "n\u00e4me \u202etxt.bin").write_bytes(b"no type at all")
    export = Export(folder)
    anna = Person(programs, folder, "anna")
    first = anna.add("shot.png", "--url", "https://example.org/p/4711", "--seen-at", "2024-05-31T21:40+02:00")
    anna.add("--text", "He wrote the day after I left.", "--seen-at", "about 2024-06", "--tag", "phone")
    anna.add("chat.txt", "n\u00e4me \u202etxt.bin", "--title", "A chat", "--place", "example", "--account", "@him")
    export(anna, "default", "plain")

    berta = Person(programs, folder, "berta")
    share(anna, "default", berta, "client-17")
    (folder / "mailbox").mkdir()
    anna("sync", "default", "--mailbox", "mailbox")
    berta("sync", "client-17", "--mailbox", "mailbox")
    anna("sync", "default")
    video = anna.add("large.mp4", "--seen-at", "2024-05-01 to 2024-05-03")
    anna.add("--text", "Only for me.", "--private")
    anna.add("shot.png", "--hash-only", "--again")
    anna.add("chat.txt", "--minor", "--title", "somebody young", "--again")
    mistaken = anna.add("--text", "A mistake.")
    gone = anna.add("--text", "This goes away.")
    anna("amend", first, "--text", "I remember more now.")
    anna("tag", first, "threat", "night")
    anna("retract", mistaken)
    anna("sync", "default")
    berta("sync", "client-17")
    anna("erase", gone, "--yes")
    berta("note", first, "--text", "Reported, reference 8812.")
    berta("takedown", first, "--step", "reported")
    berta("request", first, "--text", "Is there more of this?")
    berta("sync", "client-17")
    anna("sync", "default")
    subprocess.run([programs / "PatchedAdvocate", "berta", "berta.pass", "client-17"], cwd=folder,
                   check=True, capture_output=True)
    berta("sync", "client-17", codes=(0, 20, 21))
    anna("sync", "default", codes=(0, 20, 21))
    export(anna, "default", "chosen", "--entries", f"{first},{video}")
    (folder / "own").mkdir()
    anna("sync", "default", "--mailbox", "own", "--own-devices", codes=(0, 20, 21))
    export(anna, "default", "whole", "--include-private")
    export(berta, "client-17", "advocate")
    shutil.copytree(folder / "mailbox", folder / "later")
    go_on(anna, berta)
    export(anna, "default", "later", "--include-private")
    known = {
        "fingerprint": anna.case("default")["caseID"],
        "witness": berta.case("client-17")["receiptKey"],
        "kit": f"{anna.name}.kit",
    }
    (folder / "known.json").write_text(json.dumps(known, indent=2) + "\n")


def go_on(anna: Person, berta: Person):
    """A further device and new keys, and the advocate is removed."""
    phone = Person(anna.programs, anna.folder, "phone", init=False)
    phone("recover", "--kit", "anna.kit", "--mailbox", "own", "--own-devices", "--kdf", "light", codes=(0, 20, 21))
    phone.add("--text", "Written on the phone.")
    phone("sync", "default", "--mailbox", "own", "--own-devices", codes=(0, 20, 21))
    anna("sync", "default", "--mailbox", "later", codes=(0, 20, 21))
    anna("renew", "--somebody-has-a-copy", codes=(0, 20, 21))
    anna("remove", berta.case("client-17")["receiptKey"].split("/")[1], "--case", "default", "--yes", codes=(0, 20, 21))
    anna.add("--text", "After she left.")
    anna("sync", "default", codes=(0, 20, 21))


if __name__ == "__main__":
    make(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())
