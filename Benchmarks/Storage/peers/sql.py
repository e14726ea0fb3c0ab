"""One engine, one workload each: `sql.py ENGINE FOLDER` prints seconds as JSON.

Everything runs inside SQLite (rows come from a recursive query), so that what Python costs is the same few
microseconds for all. WAL, synchronous=FULL, pages of 4096 bytes; keys are raw, so no derivation is in the figures.
"""

import json
import os
import sys
import time

ROWS, COMMITS, BLOBS = 200_000, 300, 192
KEY = "2dd29ca851e7b56e4697b0e1f08507293d761a05ce4d1b628663f411a8086d99"


def plain(path):
    import sqlite3
    return sqlite3.connect(path, isolation_level=None).execute


def sealed(path):
    import sqlite3
    loader = sqlite3.connect(":memory:")
    loader.enable_load_extension(True)
    loader.load_extension(os.environ["SEALED_EXTENSION"])
    return sqlite3.connect(f"file:{path}?vfs=cairn-sealed", uri=True, isolation_level=None).execute


def sqlcipher(path, keyed=True):
    from sqlcipher3 import dbapi2
    run = dbapi2.connect(path, isolation_level=None).execute
    if keyed:
        run(f"PRAGMA key = \"x'{KEY}'\"")
    return run


def mc(path, keyed=True):
    import apsw
    run = apsw.Connection(path).execute
    if keyed:
        run("PRAGMA cipher = 'chacha20'")
        run(f"PRAGMA hexkey = '{KEY}'")
    return run


ENGINES = {
    "plain": plain,
    "sealed": sealed,
    "sqlcipher-plain": lambda path: sqlcipher(path, keyed=False),
    "sqlcipher": sqlcipher,
    "mc-plain": lambda path: mc(path, keyed=False),
    "mc": mc,
}


def timed(body):
    start = time.perf_counter()
    body()
    return time.perf_counter() - start


def rows(run):
    """Rows of about 150 bytes with an index, in one transaction, up to the main file."""
    run("BEGIN")
    run("INSERT INTO item(name, bytes) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
        f"WHERE i < {ROWS}) SELECT printf('%032d', i), randomblob(100) FROM n")
    run("COMMIT")
    run("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def commits(run):
    """One row a commit, each on the medium before the next."""
    for number in range(COMMITS):
        run("INSERT INTO item(name, bytes) VALUES (?, randomblob(100))", (f"commit {number}",))


def blobs(run):
    """Rows of 1 MiB, sixteen a transaction, up to the main file."""
    for number in range(BLOBS):
        if number % 16 == 0:
            run("BEGIN")
        run("INSERT INTO large(bytes) VALUES (?)", (os.urandom(1 << 12) * 256,))
        if number % 16 == 15:
            run("COMMIT")
    run("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def read(run):
    """All rows again, in the order of the index: every page is opened."""
    run("SELECT sum(length(bytes)) FROM item INDEXED BY by_name WHERE name >= ''").fetchall()


def main():
    engine, folder = sys.argv[1:]
    path = os.path.join(folder, f"{engine}.db")
    run = ENGINES[engine](path)
    if engine != "sealed":
        run("PRAGMA journal_mode = WAL").fetchall()
    run("PRAGMA synchronous = FULL")
    run("CREATE TABLE item(id INTEGER PRIMARY KEY, name TEXT, bytes BLOB)")
    run("CREATE INDEX by_name ON item(name)")
    run("CREATE TABLE large(id INTEGER PRIMARY KEY, bytes BLOB)")
    figures = {name: timed(lambda: body(run)) for name, body in
               [("rows", rows), ("commits", commits), ("blobs", blobs), ("read", read)]}
    assert str(run("PRAGMA page_size").fetchall()[0][0]) == "4096"
    assert run("PRAGMA journal_mode").fetchall()[0][0] == "wal"
    print(json.dumps(figures))


main()
