"""The sealed VFS in another SQLite: the one in the Python package "apsw", which is usually the newest.

    other_sqlite.py EXTENSION [SEQUENCES]

EXTENSION is what Tests/SealedExtension/FixedKey.c says how to build. The same random statements go to a
plain and a sealed database of the same shape; ends with 1 if an answer, an error or a page differs.
"""

import os
import random
import shutil
import sys
import tempfile

import apsw

FLAGS = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE


class Side:
    def __init__(self, sealed):
        self.sealed = sealed
        self.folder = tempfile.mkdtemp(prefix="cairn-")
        self.number = 0
        self.open()

    def path(self):
        return os.path.join(self.folder, f"{self.number}.db")

    def open(self):
        is_new = not os.path.exists(self.path())
        vfs = "cairn-sealed" if self.sealed else "unix-excl"
        self.db = apsw.Connection(self.path(), flags=FLAGS, vfs=vfs)
        if not self.sealed:
            # What the sealed VFS does to its connections: then the pages are the same.
            self.db.limit(apsw.SQLITE_LIMIT_ATTACHED, 0)
            self.db.execute("PRAGMA temp_store = MEMORY")
            if is_new:
                self.db.execute("PRAGMA page_size = 4096; PRAGMA journal_mode = MEMORY").fetchall()
            self.db.reserve_bytes("main", 40)
            if is_new:
                self.db.execute("PRAGMA journal_mode = WAL").fetchall()
        self.db.execute("PRAGMA synchronous = OFF")

    def reopen(self):
        self.db.close()
        self.open()

    def crash(self):
        old = self.path()
        self.number += 1
        for suffix in ("", "-wal"):
            if os.path.exists(old + suffix):
                shutil.copy(old + suffix, self.path() + suffix)
        self.reopen()

    def run(self, sql):
        try:
            return self.db.execute(sql).fetchall()
        except apsw.Error as error:
            return type(error).__name__, str(error)

    def image(self):
        try:
            return self.db.serialize("main")
        except apsw.Error as error:
            return str(error)

    def close(self):
        self.db.close()
        shutil.rmtree(self.folder)


def statement(draw):
    table = f"t{draw.randrange(3)}"
    key = draw.randrange(60)
    value = draw.choice(
        [f"zeroblob({draw.randrange(20000)})", f"printf('%0{draw.randrange(1, 15000)}d', {key})",
         f"'{' '.join(draw.choices(['ash', 'elm', 'fir', 'oak'], k=draw.randrange(30)))}'", str(key)])
    return draw.choice([
        f"CREATE TABLE {table}(a INTEGER PRIMARY KEY, b, c)",
        f"CREATE TABLE {table}(a, b, c, PRIMARY KEY(a, b)) WITHOUT ROWID",
        f"CREATE INDEX i{draw.randrange(4)} ON {table}(b, c)", f"DROP INDEX i{draw.randrange(4)}",
        f"INSERT OR REPLACE INTO {table} VALUES({key}, {value}, {value})",
        f"INSERT OR IGNORE INTO {table} VALUES({key}, {value}, 7)",
        f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {key}) "
        f"INSERT OR IGNORE INTO {table} SELECT i + {key}, 'ash ' || i, {value} FROM n",
        f"UPDATE {table} SET c = {value} WHERE a % 5 = {key % 5}",
        f"DELETE FROM {table} WHERE a > {key}", f"SELECT * FROM {table} WHERE a < {key}",
        f"SELECT a, c FROM {table} WHERE length(c) > 4000",
        f"SELECT substr(c, 9000, 20) FROM {table}", f"SELECT count(*), max(b) FROM {table}",
        f"INSERT INTO words VALUES({value})", "SELECT rowid, rank FROM words('ash OR oak')",
        "DELETE FROM words WHERE rowid % 3 = 0", "INSERT INTO words(words) VALUES('optimize')",
        "BEGIN", "COMMIT", "COMMIT", "ROLLBACK", "SAVEPOINT s", "ROLLBACK TO s", "RELEASE s",
        "PRAGMA wal_checkpoint(TRUNCATE)", "PRAGMA wal_checkpoint(PASSIVE)",
        "PRAGMA integrity_check", "PRAGMA freelist_count", "PRAGMA incremental_vacuum(9)",
        f"PRAGMA cache_size = {draw.randrange(5, 80)}"])


def compare(seed, count):
    draw = random.Random(seed)
    sides = [Side(sealed=False), Side(sealed=True)]
    begin = ["CREATE TABLE t0(a INTEGER PRIMARY KEY, b, c)", "CREATE VIRTUAL TABLE words USING fts5(w)"]
    if seed % 3 == 0:
        begin.insert(0, "VACUUM")
        for side in sides:
            side.db.execute("PRAGMA auto_vacuum = INCREMENTAL")
            side.db.limit(apsw.SQLITE_LIMIT_ATTACHED, 1)
    for step in range(80):
        sql = begin.pop(0) if begin else statement(draw)
        if draw.randrange(12) == 0 and not begin:
            sql = draw.choice(["reopen", "crash", "image"])
            answers = [getattr(side, sql)() for side in sides]
        else:
            answers = [side.run(sql) for side in sides]
        count["statements"] += 1
        count["errors"] += isinstance(answers[0], tuple)
        if answers[0] != answers[1]:
            count["differ"] += 1
            print(f"seed {seed}, step {step}: {sql[:200]}\n  {str(answers[0])[:300]}\n  {str(answers[1])[:300]}")
    if sides[0].run("ROLLBACK") != sides[1].run("ROLLBACK") or sides[0].image() != sides[1].image():
        count["differ"] += 1
        print(f"seed {seed}: the end differs")
    for side in sides:
        side.close()


def main():
    db = apsw.Connection(":memory:")
    db.enable_load_extension(True)
    db.load_extension(sys.argv[1], "sqlite3_extension_init")
    count = {"statements": 0, "errors": 0, "differ": 0}
    for seed in range(int(sys.argv[2]) if len(sys.argv) > 2 else 100):
        compare(seed, count)
    print(f"SQLite {apsw.sqlite_lib_version()}:", ", ".join(f"{v} {k}" for k, v in count.items()))
    sys.exit(count["differ"] > 0)


if __name__ == "__main__":
    main()
