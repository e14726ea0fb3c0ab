"""Which rule of the sealed VFS it is that a test does not expect: a table of files, for README.md.

    rules.py RUNS RULE_RUNS

RUNS has what run_suite.py kept over the twin, which has all the rules; RULE_RUNS over each rule alone. A
case counts for the first rule under which it fails alone, "plain" being none at all, and for "together"
if there is none.
"""

import collections
import os
import sys

from compare import read

# The first that explains a case counts: the later ones stop what the earlier ones are about as well, a
# rollback journal for instance, or an attached database that has other pages.
RULES = ["plain", "attach", "exclusive", "wal", "page", "reserve", "mapping", "journal"]


def main():
    runs, alone = sys.argv[1], sys.argv[2]
    total = collections.Counter()
    for name in sorted(os.listdir(os.path.join(runs, "twin"))):
        twin, end = read(os.path.join(runs, "twin", name))
        failed = [key for key, got in twin.items() if got is not None]
        if not failed and end == "finished":
            continue
        over = {}
        for rule in RULES:
            path = os.path.join(alone, rule, name)
            over[rule] = read(path) if os.path.exists(path) else ({}, "not run")
        count = collections.Counter()
        for key in failed:
            fails = [r for r in RULES if over[r][0].get(key) is not None]
            # A case that is not there was not reached, because the file ended before it.
            missing = [r for r in RULES if key not in over[r][0] and over[r][1] != "finished"]
            count[(fails + missing + ["together"])[0]] += 1
        if not failed:
            count[([r for r in RULES if over[r][1] != "finished"] + ["together"])[0]] += 1
        total["files"] += 1
        total["cases"] += len(failed)
        total.update(count)
        why = ", ".join(f"{rule} {n}" for rule, n in count.most_common())
        how = "" if end == "finished" else f" ({end})"
        short = name.removesuffix(".log").removeprefix("test.")
        print(f"| `{short}` | {len(failed)}{how} | {why} |")
    print(dict(total), file=sys.stderr)


if __name__ == "__main__":
    main()
