"""One program keeps a folder of files, once: `files.py PROGRAM INPUT FOLDER` prints seconds as JSON.

`seconds` is what keeping them took, durable on the disk at its end; `open` what the same program needs for a
question that reads nothing of them, which is mostly the derivation of its key. The difference is compared.
"""

import json
import os
import subprocess
import sys
import time

PASSPHRASE = "a passphrase of the benchmark"


def run(*command, **more):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more)


def cairn(source, folder):
    passphrase = os.path.join(folder, "passphrase")
    with open(passphrase, "w") as file:
        file.write(PASSPHRASE)
    vault = os.path.join(folder, "vault")
    common = (os.environ["CAIRN"], "--vault", vault, "--passphrase-file", passphrase)
    run(*common, "init", "--no-input", "--kit", os.path.join(folder, "kit"))
    yield lambda: run(*common, "case", "list", "--json")
    yield lambda: run(*common, "add", "--no-input", "--json", source)


def restic(source, folder):
    common = ("restic", "--repo", os.path.join(folder, "restic"), "--no-cache", "--quiet")
    with_key = {"env": os.environ | {"RESTIC_PASSWORD": PASSPHRASE, "HOME": folder}}
    run(*common, "init", **with_key)
    yield lambda: run(*common, "snapshots", **with_key)
    yield lambda: (run(*common, "backup", source, **with_key), os.sync())


def borg(source, folder):
    repository = os.path.join(folder, "borg")
    with_key = {"env": os.environ | {"BORG_PASSPHRASE": PASSPHRASE, "HOME": folder,
                                     "BORG_BASE_DIR": folder}}
    run("borg", "init", "--encryption", "repokey-blake2", repository, **with_key)
    yield lambda: run("borg", "list", repository, **with_key)
    yield lambda: (run("borg", "create", "--compression", "none", f"{repository}::one", source, **with_key),
                   os.sync())


def age(source, folder):
    identity = os.path.join(folder, "identity")
    run("age-keygen", "-o", identity)
    yield lambda: None
    archive = os.path.join(folder, "age")
    key = subprocess.run(["age-keygen", "-y", identity], check=True, capture_output=True, text=True).stdout.strip()
    yield lambda: (run("sh", "-c", 'tar -cf - "$1" | age -r "$2" >"$3"', "sh", source, key, archive), os.sync())


def age_each(source, folder):
    identity = os.path.join(folder, "identity")
    run("age-keygen", "-o", identity)
    yield lambda: None
    key = subprocess.run(["age-keygen", "-y", identity], check=True, capture_output=True, text=True).stdout.strip()

    def each():
        for name in sorted(os.listdir(source)):
            run("age", "-r", key, "-o", os.path.join(folder, name + ".age"), os.path.join(source, name))
        os.sync()
    yield each


def cp(source, folder):
    yield lambda: None
    yield lambda: (run("cp", "-r", source, os.path.join(folder, "copy")), os.sync())


PROGRAMS = {"cairn": cairn, "restic": restic, "borg": borg, "age": age, "age-each": age_each, "cp": cp}


def timed(body):
    start = time.perf_counter()
    body()
    return time.perf_counter() - start


def main():
    program, source, folder = sys.argv[1:]
    steps = PROGRAMS[program](source, folder)
    opening = timed(next(steps))
    os.sync()
    print(json.dumps({"open": opening, "seconds": timed(next(steps))}))


main()
