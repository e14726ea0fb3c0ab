"""What replicated documents take for the same entries: peers.py loro|pycrdt ENTRIES

They do less: nothing is encrypted, signed or proven, and whoever has the document can rewrite it. Each entry is a map with a class
and 272 random bytes, appended to one list. One JSON object: seconds to make an update of all and to take it in, and its bytes.
"""

import json
import os
import sys
import time


def loro(entries: list) -> dict:
    import loro
    mine, theirs = loro.LoroDoc(), loro.LoroDoc()
    log = mine.get_list("log")
    for entry in entries:
        log.push(entry)
    mine.commit()
    start = time.perf_counter()
    update = mine.export(loro.ExportMode.Updates(loro.VersionVector()))
    made = time.perf_counter()
    theirs.import_(update)
    taken = time.perf_counter()
    assert len(theirs.get_list("log")) == len(entries)
    return {"makeSeconds": made - start, "takeSeconds": taken - made, "bytes": len(update)}


def pycrdt(entries: list) -> dict:
    import pycrdt
    mine, theirs = pycrdt.Doc(), pycrdt.Doc()
    mine.get("log", type=pycrdt.Array).extend(entries)
    start = time.perf_counter()
    update = mine.get_update()
    made = time.perf_counter()
    theirs.apply_update(update)
    taken = time.perf_counter()
    assert len(theirs.get("log", type=pycrdt.Array)) == len(entries)
    return {"makeSeconds": made - start, "takeSeconds": taken - made, "bytes": len(update)}


if __name__ == "__main__":
    count = int(sys.argv[2])
    figures = {"loro": loro, "pycrdt": pycrdt}[sys.argv[1]](
        [{"class": 2, "body": os.urandom(272)} for _ in range(count)])
    figures["bytesOver"] = figures["bytes"] / count - 272
    print(json.dumps(figures))
