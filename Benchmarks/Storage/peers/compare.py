"""Runs the parts of Scripts/bench in interleaved rounds, and prints medians and ratios as a table."""

import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROUNDS = int(os.environ.get("ROUNDS", "5"))
FILES, FILE_BYTES = 408, 1 << 30
SMALL = 100_000
ENGINES = ["plain", "sealed", "sqlcipher-plain", "sqlcipher", "mc-plain", "mc"]
PROGRAMS = ["cp", "cairn", "borg", "restic", "age", "age-each"]


def answer(*command):
    """What a command prints, as JSON, run in a folder of its own that is removed."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        command = [part.replace("FOLDER", folder) for part in command]
        printed = subprocess.run(command, check=True, capture_output=True, text=True,
                                 env=os.environ | {"TMPDIR": folder})
    os.sync()
    return json.loads(printed.stdout)


def interleaved(commands):
    """Medians of what each command prints, over rounds in which each has its turn."""
    seen = {name: [] for name in commands}
    for number in range(ROUNDS):
        for name, command in commands.items():
            print(f"  round {number + 1} of {ROUNDS}: {name}          ", end="\r", file=sys.stderr, flush=True)
            seen[name].append(answer(*command))
    return {name: {key: statistics.median(figures[key] for figures in all_of_them) for key in all_of_them[0]}
            for name, all_of_them in seen.items()}


def table(title, head, rows):
    print(f"\n### {title}\n")
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    sys.stdout.flush()


def sql():
    script = os.path.join(HERE, "sql.py")
    medians = interleaved({engine: [sys.executable, script, engine, "FOLDER"] for engine in ENGINES})
    kinds = ["rows", "commits", "blobs", "read"]
    rows = []
    for name, engine, own in [("the sealed VFS", "sealed", "plain"), ("SQLCipher", "sqlcipher", "sqlcipher-plain"),
                              ("SQLite3MultipleCiphers, chacha20", "mc", "mc-plain")]:
        rows.append([name] + [f"{medians[engine][kind] / medians[own][kind]:.2f} × ({medians[engine][kind]:.2f} s)"
                              for kind in kinds])
    rows.append(["the same SQLite unsealed", *(f"{medians['plain'][kind]:.2f} s" for kind in kinds)])
    table("SQL: ratio to the same library without a key", ["", "rows", "one-row commits", "1 MiB blob rows", "reading rows"], rows)


def evidence(folder):
    """408 files of 0.2 to 5 MB, one GiB in all, that nothing compresses."""
    generator = random.Random(1)
    sizes = [generator.uniform(0.2, 5.0) for _ in range(FILES)]
    for number, size in enumerate(sizes):
        with open(os.path.join(folder, f"{number:03}.bin"), "wb") as file:
            file.write(os.urandom(int(size * FILE_BYTES / sum(sizes))))
    os.sync()


def small_texts(folder):
    for number in range(SMALL):
        with open(os.path.join(folder, f"{number:06}.txt"), "w") as file:
            file.write(f"called again from another number and said nothing {number}\n")
    os.sync()


def files():
    with tempfile.TemporaryDirectory(prefix="bench-input-") as source:
        evidence(source)
        script = os.path.join(HERE, "files.py")
        medians = interleaved({name: [sys.executable, script, name, source, "FOLDER"] for name in PROGRAMS})
    net = {name: figures["seconds"] - figures["open"] for name, figures in medians.items()}
    names = {"cp": "`cp` and `sync`", "cairn": "`cairn add`", "borg": "borg, no compression", "restic": "restic",
             "age": "age, one stream of tar", "age-each": "age, a file each"}
    table("1 GiB in 408 files, durable, key derivation taken off", ["", "seconds", "ratio to `cp` and `sync`"],
          [[names[name], f"{net[name]:.2f}", f"{net[name] / net['cp']:.2f} ×"] for name in PROGRAMS])


def own(*arguments):
    return [os.environ["STORAGE_BENCHMARK"], *arguments]


def entries():
    with tempfile.TemporaryDirectory(prefix="bench-input-") as source:
        small_texts(source)
        script = os.path.join(HERE, "files.py")
        commands = {"indexed": own("entries", str(SMALL)), "unindexed": own("unindexed", str(SMALL))}
        commands |= {name: [sys.executable, script, name, source, "FOLDER"] for name in ["borg", "restic"]}
        medians = interleaved(commands)
    rows = []
    for name, title in [("unindexed", "entries, signed and durable, no full-text index"),
                        ("indexed", "entries, signed and durable, with full-text index"),
                        ("borg", "borg, as files"), ("restic", "restic, as files")]:
        seconds = medians[name]["seconds"] - medians[name].get("open", 0)
        rows.append([title, f"{seconds:.2f}", f"{SMALL / seconds:,.0f}"])
    table("100,000 small entries in one batch", ["", "seconds", "a second"], rows)


def unlock():
    medians = interleaved({"unlock": own("unlock", "10000")})["unlock"]
    table("Unlocking a vault of 10,000 entries", ["", "milliseconds"],
          [["Argon2id alone (`--kdf light`)", f"{medians['keyMilliseconds']:.1f}"],
           ["all the rest", f"{medians['openMilliseconds']:.1f}"]])


def memory():
    figures = answer(*own("memory", "5"))
    table("One file of 5 GiB", ["", ""],
          [["peak memory after key derivation", f"{figures['peakMebibytes']:.0f} MiB"],
           ["speed", f"{figures['gibibytesPerSecond']:.2f} GiB/s"]])


def check():
    commands = {"two": own("check", "2"), "one": ["taskset", "-c", "0", *own("check", "2")]}
    medians = interleaved(commands)
    table("Deep check", ["", "GiB/s"], [["two cores", f"{medians['two']['gibibytesPerSecond']:.2f}"],
                                        ["one core", f"{medians['one']['gibibytesPerSecond']:.2f}"]])


PARTS = {"sql": sql, "files": files, "entries": entries, "unlock": unlock, "memory": memory, "check": check}


def main():
    chosen = sys.argv[1:] or list(PARTS)
    unknown = [part for part in chosen if part not in PARTS]
    if unknown:
        sys.exit(f"There is no part {unknown[0]}; there are: {' '.join(PARTS)}")
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "")
    print(f"{platform.system()} {platform.machine()}, {model}, {os.cpu_count()} cores, medians of {ROUNDS}")
    for part in chosen:
        PARTS[part]()


main()
