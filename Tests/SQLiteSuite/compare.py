"""Compares what SQLite's tests said over the sealed VFS with what they said over its twin (see Twin.c).

    compare.py RUNS [--list REASONS] [--cases]

A case that fails over both with the same result is SQLite's behaviour under the rules that both keep.
One whose result differs comes from the sealing, and needs a reason: REASONS has lines of `FILE: why`.
Ends with 1 if a file has a difference and no reason.
"""

import argparse
import collections
import os
import re
import sys

BEGIN = re.compile(r"^([^ !].*?)\.\.\.( Ok| Omitted.*)?$")
END = re.compile(r"^(\d+) errors out of (\d+) tests")


def read(path):
    """The cases of a log as {(name, nth): None or what it got instead}, and how the file ended."""
    cases, name, said = {}, None, []
    seen = collections.Counter()
    ended = "aborted"
    with open(path, errors="replace") as file:
        # Tcl's errors name the program by its path.
        lines = re.sub(r"/\S*/testfixture", "testfixture", file.read()).split("\n")

    def close(ok):
        if name is None:
            return
        seen[name] += 1
        cases[(name, seen[name])] = None if ok else "\n".join(said)

    for line in lines:
        begin = BEGIN.match(line)
        if begin:
            if name is not None:
                close(False)
            name, said = begin.group(1), []
            if begin.group(2):
                close(True)
                name = None
        elif END.match(line):
            ended = "finished"
            close(False)
            name = None
        elif line.startswith("@@ status "):
            status = line.split()[2]
            if status not in ("0", "1"):
                ended = "status " + status
        elif name is not None and not line.startswith("Time:"):
            if " got:" in line or line.startswith("Error") or said:
                said.append(re.sub(r"^! .* got: +", "got ", line))
    close(False)
    return cases, ended


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("runs")
    parser.add_argument("--list")
    parser.add_argument("--cases", action="store_true", help="every case that differs, with results")
    asked = parser.parse_args()
    reasons = {}
    if asked.list:
        with open(asked.list) as file:
            reasons = dict(
                m.groups() for m in (re.match(r"^\| `?([\w./-]+\.test)`? \|(.*)$", l) for l in file) if m)
    total = collections.Counter()
    files, unexplained = [], []
    for name in sorted(os.listdir(os.path.join(asked.runs, "sealed"))):
        if not name.endswith(".log"):
            continue
        paths = {v: os.path.join(asked.runs, v, name) for v in ("plain", "twin", "sealed")}
        twin, twin_end = read(paths["twin"])
        sealed, sealed_end = read(paths["sealed"])
        if os.path.exists(paths["plain"]):
            plain, _ = read(paths["plain"])
            total["plain"] += len(plain)
            total["plain failed"] += sum(v is not None for v in plain.values())
        failed = [k for k, v in sealed.items() if v is not None]
        differ = [k for k in sealed.keys() | twin.keys()
                  if sealed.get(k, "not reached") != twin.get(k, "not reached")]
        worse = [k for k in differ if sealed.get(k, "not reached") is not None]
        total["files"] += 1
        total["sealed"] += len(sealed)
        total["sealed failed"] += len(failed)
        total["twin"] += len(twin)
        total["twin failed"] += sum(v is not None for v in twin.values())
        total["differ"] += len(differ)
        short = name.removesuffix(".log").removeprefix("test.")
        if differ or sealed_end != twin_end:
            files.append((short, len(differ), len(worse), len(sealed), sealed_end, twin_end))
            if short not in reasons:
                unexplained.append(short)
        if asked.cases:
            for key in sorted(differ):
                print(f"{short}: {key[0]}")
                print(f"    twin   {str(twin.get(key, 'not reached'))[:300]!r}")
                print(f"    sealed {str(sealed.get(key, 'not reached'))[:300]!r}")
    for short, differ, worse, all_cases, sealed_end, twin_end in files:
        print(f"{short}: {differ} of {all_cases} differ ({worse} fail)"
              + ("" if sealed_end == twin_end == "finished" else f", {sealed_end}; twin {twin_end}"))
    for key, value in total.items():
        print(f"{key}: {value}")
    if asked.list and unexplained:
        sys.exit("without a reason: " + " ".join(unexplained))


if __name__ == "__main__":
    main()
