"""Runs files of SQLite's own tests, each by itself, over one VFS after another, and keeps what they said.

    run_suite.py --program TESTFIXTURE --tests FOLDER --out FOLDER --over plain,twin,sealed [FILE ...]

Without files it takes those of "veryquick". Each file's output is kept as OUT/VFS/FILE.log, and what it
already kept is not run again. Suite.c says what the VFSs are.
"""

import argparse
import concurrent.futures
import os
import shutil
import subprocess
import tempfile

LIST = """
set dir [lindex $argv 0]
set argv0 $dir/list.test
set argv {}
rename puts real_puts
proc puts {args} {}
proc exit {args} {}
source $dir/permutations.test
array set spec $testspec(veryquick)
foreach f [lsort $spec(-files)] { real_puts $f }
"""


def veryquick(program, tests):
    with tempfile.TemporaryDirectory() as folder:
        script = os.path.join(folder, "list.tcl")
        with open(script, "w") as file:
            file.write(LIST)
        said = subprocess.run(
            [program, script, tests], cwd=folder, capture_output=True, text=True, check=True)
    names = [line for line in said.stdout.split("\n") if line.endswith(".test")]
    return [os.path.normpath(os.path.join(tests, name)) for name in names]


def run(program, tests, out, vfs, path, limit):
    name = os.path.relpath(path, os.path.dirname(os.path.normpath(tests))).replace("/", ".")
    log = os.path.join(out, vfs, name + ".log")
    if os.path.exists(log):
        return
    folder = tempfile.mkdtemp(prefix="suite-")
    with open(log + ".new", "wb") as file:
        child = subprocess.Popen(
            [program, path], cwd=folder, stdin=subprocess.DEVNULL, stdout=file,
            stderr=subprocess.STDOUT, env={**os.environ, "CAIRN_SUITE": vfs}, start_new_session=True)
        try:
            status = child.wait(timeout=limit)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, 9)
            child.wait()
            status = "timeout"
        file.write(f"\n@@ status {status}\n".encode())
    os.rename(log + ".new", log)
    shutil.rmtree(folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--tests", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--over", default="plain,twin,sealed")
    parser.add_argument("--limit", type=int, default=300, help="seconds a file may take")
    parser.add_argument("--at-once", type=int, default=1)
    parser.add_argument("files", nargs="*")
    asked = parser.parse_args()
    program, tests = os.path.abspath(asked.program), os.path.abspath(asked.tests)
    files = [os.path.normpath(os.path.join(tests, name)) for name in asked.files]
    over = asked.over.split(",")
    for vfs in over:
        os.makedirs(os.path.join(asked.out, vfs), exist_ok=True)
    with concurrent.futures.ThreadPoolExecutor(asked.at_once) as pool:
        jobs = [
            pool.submit(run, program, tests, asked.out, vfs, path, asked.limit)
            for path in files or veryquick(program, tests) for vfs in over]
        for job in jobs:
            job.result()


if __name__ == "__main__":
    main()
