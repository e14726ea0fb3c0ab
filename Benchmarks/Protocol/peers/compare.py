"""Runs the parts of `Scripts/bench protocol` in interleaved rounds, and prints medians as tables."""

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROUNDS = int(os.environ.get("ROUNDS", "5"))
LARGE = int(os.environ.get("LARGE", "1000000"))
# pycrdt takes minutes to make a list of 100,000 maps.
PEER_ENTRIES = 10_000
OWN = os.environ["PROTOCOL_BENCHMARK"]


def answer(command: list) -> dict:
    """On one core, as the goals say, but for a vault, which may use both."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        printed = subprocess.run(command, check=True, capture_output=True, text=True,
                                 env=os.environ | {"TMPDIR": folder})
    return json.loads(printed.stdout)


def medians(commands: dict, rounds: int = ROUNDS) -> dict:
    seen = {name: [] for name in commands}
    for number in range(rounds):
        for name, command in commands.items():
            print(f"  round {number + 1} of {rounds}: {name}          ", end="\r", file=sys.stderr, flush=True)
            seen[name].append(answer(command))
    return {name: {key: statistics.median(figures[key] for figures in all_of_them) for key in all_of_them[0]}
            for name, all_of_them in seen.items()}


def table(title: str, head: list, rows: list):
    print(f"\n### {title}\n\n| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    sys.stdout.flush()


def one_core(*command) -> list:
    return ["taskset", "-c", "0", *map(str, command)]


def main():
    peer = [sys.executable, os.path.join(HERE, "peers.py")]
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "")
    print(f"{platform.system()} {platform.machine()}, {model}, {os.cpu_count()} cores, medians of {ROUNDS}")
    found = medians({
        "tree": one_core(OWN, "verify", 100_000), "signatures": one_core(OWN, "signatures", 20_000),
        "loro": one_core(*peer, "loro", PEER_ENTRIES), "pycrdt": one_core(*peer, "pycrdt", PEER_ENTRIES)})
    table("Taking in entries of 272 bytes, on one core", ["", "entries a second", "bytes over the ciphertext"], [
        ["this log: a tree, signed heads, one slot each", f"{found['tree']['perSecond']:,.0f}",
         f"{found['tree']['bytesOver']:.0f}"],
        ["a log that signs each entry: the signatures alone", f"{found['signatures']['perSecond']:,.0f}", "64 more"],
        *([f"{name}, which does less: nothing is encrypted, signed or proven",
           f"{PEER_ENTRIES / found[name]['takeSeconds']:,.0f}", f"{found[name]['bytesOver']:.0f}"] for name in ("loro", "pycrdt"))])

    large = medians({f"{size:,}": one_core(OWN, "verify", size) for size in (LARGE // 100, LARGE // 10, LARGE)}, 1)
    table("The same log, longer", ["entries", "a second"],
          [[size, f"{figures['perSecond']:,.0f}"] for size, figures in large.items()])

    sizes = (1_000, 10_000)
    synced = medians({f"{size:,}": [OWN, "sync", str(size)] for size in sizes}, min(ROUNDS, 3))
    table("Two vaults and a folder, entries without words, everything durable",
          ["entries", "written, s", "first sync of a new device, s", "bytes an entry over its ciphertext",
           "idle exchange: bytes read", "ms"],
          [[size, f"{f['writeSeconds']:.2f}", f"{f['readSeconds']:.2f}", f"{f['bytesOver']:.0f}", f"{f['idleBytes']:.0f}",
            f"{1000 * f['idleSeconds']:.1f}"] for size, f in synced.items()])


main()
