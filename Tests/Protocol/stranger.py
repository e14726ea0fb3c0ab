"""The independent verifier as a stranger runs it, on a machine on which nothing should be changed: it leaves nothing behind, not
beside itself, not beside the bundle, not in the place for temporary files. And what is on a share may change meanwhile.
"""

import io
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import writer
from writer import archive
from encoding import Refused


def main() -> int:
    wrong = left_behind() + changed_meanwhile() + copied_by_hand()
    print("nothing left behind, nothing believed that changed" if wrong == 0 else f"{wrong} otherwise")
    return 1 if wrong else 0


def changed_meanwhile() -> int:
    """Every file is read twice, with another content of the same CRC-32 the second time."""
    data, wrong = writer.packed(writer.Case().tell().bundle()), 0
    for member in archive.Archive(io.BytesIO(data)).members.values():
        disk = io.BytesIO(data)
        zipped = archive.Archive(disk)
        zipped.digest(member.path)
        disk.seek(member.offset)
        piece = disk.read(5)
        disk.seek(member.offset)
        disk.write(bytes(a ^ b for a, b in zip(piece, WITHOUT_TRACE)))
        for again in (lambda: zipped.digest(member.path), lambda: zipped.content(member.path, 1 << 24)):
            try:
                again()
                print(member.path, "is another one, and nobody noticed")
                wrong += 1
            except Refused as refusal:
                wrong += refusal.code != "file-differs"
    return wrong


# The polynomial of CRC-32 itself, lowest bit first: whatever is changed by it keeps its checksum.
WITHOUT_TRACE = bytes.fromhex("410671db01")


def copied_by_hand() -> int:
    """The fingerprint, as it stands on the page and in other hands."""
    case, wrong = writer.Case(), 0
    plain = writer.b32(case.id)
    groups = [plain[place:place + 4] for place in range(0, len(plain), 4)]
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "bundle.zip"
        path.write_bytes(writer.packed(case.tell().bundle()))
        for text, code in ((plain, 21), (" ".join(groups), 21), ("-".join(groups).upper(), 21), (plain[:-1], 64)):
            done = subprocess.run([sys.executable, writer.PROTOCOL / "verify.py", "bundle", path, "--fingerprint", text],
                                  capture_output=True, text=True)
            if done.returncode != code or "fingerprint-not-given" in done.stdout:
                print(text, done.returncode, done.stdout, done.stderr)
                wrong += 1
    return wrong


def left_behind() -> int:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        shutil.copytree(writer.PROTOCOL, folder / "Protocol", ignore=shutil.ignore_patterns("Vectors", "__pycache__"))
        (folder / "tmp").mkdir()
        (folder / "bundle.zip").write_bytes(writer.packed(writer.Case().tell().bundle()))
        before = files(folder)
        surroundings = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        surroundings |= {"TMPDIR": str(folder / "tmp"), "HOME": scratch}
        wrong = 0
        for program in ("Protocol/verify.py", "Protocol/verify/verify.py"):
            done = subprocess.run([sys.executable, program, "bundle", "bundle.zip"], cwd=folder, env=surroundings,
                                  capture_output=True, text=True)
            left = sorted(files(folder) - before)
            if done.returncode != 21 or not done.stdout.startswith("CONSISTENT") or left:
                print(program, done.returncode, done.stdout, done.stderr, "left behind:", left)
                wrong += 1
        return wrong


def files(folder: Path) -> set:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


if __name__ == "__main__":
    sys.exit(main())
