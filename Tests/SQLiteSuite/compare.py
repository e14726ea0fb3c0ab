"""Compares what SQLite's tests said over the sealed VFS with what they said over its twin (see Twin.c).

    compare.py RUNS [--list REASONS] [--cases]

A case that fails over both with the same result is SQLite's behaviour under the rules that both keep; one
whose result differs comes from the sealing. Either needs a reason: REASONS has two tables, of results that
differ and of those that are the same, each with a file, the most cases that its reason is for, and the reason;
"about" is said of a number that chance decides.
Ends with 1 if a file has more of either than it has a reason for.
"""

import argparse
import collections
import math
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


ROW = re.compile(r"^\| `([\w./-]+\.test)` \| (about )?(\d+)\b")


def read_reasons(path):
    """Of each table: {file: the most cases}."""
    tables = {"differ": {}, "same": {}}
    table = None
    with open(path) as file:
        for line in file:
            if line.startswith("## Results that differ"):
                table = tables["differ"]
            elif line.startswith("## Results that are the same"):
                table = tables["same"]
            row = ROW.match(line)
            if row:
                table[row[1]] = math.inf if row[2] else int(row[3])
    return tables


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("runs")
    parser.add_argument("--list")
    parser.add_argument("--cases", action="store_true", help="every case that differs, with results")
    asked = parser.parse_args()
    reasons = read_reasons(asked.list) if asked.list else {}
    total = collections.Counter()
    files, unexplained = [], []

    def explain(table, short, count, ended_early):
        """Without a case that differs, a file may still end at another place than it should."""
        most = reasons.get(table, {}).get(short, -1)
        if (count or ended_early) and count > most:
            unexplained.append(f"{short} ({table}: {count}, and reasons for {max(most, 0)})")

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
        same = [k for k in failed if twin.get(k) == sealed[k]]
        total["same"] += len(same)
        short = name.removesuffix(".log").removeprefix("test.")
        if differ or sealed_end != twin_end:
            files.append((short, len(differ), len(worse), len(sealed), sealed_end, twin_end))
        explain("differ", short, len(differ), sealed_end != twin_end)
        explain("same", short, len(same), twin_end != "finished")
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
        sys.exit("more than there is a reason for: " + "; ".join(unexplained))
    if asked.list:
        print("Each has a reason in", asked.list)


if __name__ == "__main__":
    main()
