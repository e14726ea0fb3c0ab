"""Makes Protocol/Vectors from writer.py: one file a case, one defect each.

    make_vectors.py FOLDER

A vector that is there is never changed: what differs from it ends the run. (CONTRIBUTING.md, "Changing a format".)
"""

import json
import sys
from pathlib import Path

import vectors_of_bundles
import vectors_of_folders
import vectors_of_forks
import vectors_of_locks
import vectors_of_members
import vectors_of_notes
import vectors_of_objects
import vectors_of_parts
import vectors_of_states
import vectors_of_sync
import vectors_of_vaults
import vectors_of_wals
from writer import Case


class Vectors:
    def __init__(self, folder: Path):
        self.folder = folder
        self.made = []

    def add(self, kind: str, name: str, what: str, expect: str, **values):
        """`expect` is "ok" or the kind of failure."""
        data = {"what": what, "expect": expect} | {
            key: value.hex() if isinstance(value, bytes) else value for key, value in values.items()}
        text = json.dumps(data, indent=1, ensure_ascii=True) + "\n"
        path = self.folder / kind / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.read_text() != text:
            raise SystemExit(f"{path} is another one already: give a new vector a new name")
        path.write_text(text)
        self.made.append(path)


def cbor(out: Vectors):
    good = {"integer": "00", "largest": "1bffffffffffffffff", "negative": "3bffffffffffffffff", "bytes": "420102",
            "text": "62c3bc", "array": "83010203", "map": "a2000101f6", "truths": "82f4f5", "eight-deep": "81" * 8 + "00",
            "empty": "80"}
    for name, data in good.items():
        out.add("cbor", f"good-{name}", "One item in its one encoding.", "ok", input=data)
    bad = {"long-integer": ("1801", "An integer with a longer head than it needs."),
           "long-length": ("580101", "A length in two bytes that fits in one."),
           "indefinite-array": ("9f00ff", "An array of indefinite length."),
           "indefinite-bytes": ("5f4101ff", "A byte string of indefinite length."),
           "float": ("f93c00", "A float."), "tag": ("c100", "A tag."), "undefined": ("f7", "undefined."),
           "simple": ("f0", "A simple value that is not false, true or null."),
           "unordered": ("a201000000", "Map keys that do not ascend."), "twice": ("a200010001", "A map key twice."),
           "trailing": ("0000", "A byte after the item."), "nine-deep": ("81" * 9 + "00", "Nine levels of arrays."),
           "cut": ("820", "") , "invalid-text": ("61ff", "A text that is not UTF-8."),
           "surrogate": ("63eda080", "A text with half a surrogate pair."),
           "huge-array": ("9b00000001000000008080", "An array longer than the bytes that are there."),
           "huge-bytes": ("5b7fffffffffffffff00", "A byte string longer than the bytes that are there."),
           "bignum": ("c249010000000000000000", "An integer of more than 64 bits.")}
    bad["cut"] = ("8200", "An array that ends before its second item.")
    for name, (data, what) in bad.items():
        out.add("cbor", f"bad-{name}", what, "malformed", input=data)


if __name__ == "__main__":
    vectors = Vectors(Path(sys.argv[1]))
    told = Case().tell()
    cbor(vectors)
    for part in (vectors_of_notes, vectors_of_objects, vectors_of_bundles, vectors_of_folders, vectors_of_vaults,
                 vectors_of_members, vectors_of_sync, vectors_of_forks, vectors_of_states,
                 vectors_of_parts, vectors_of_wals, vectors_of_locks):
        part.all_of(vectors, told)
    print(len(vectors.made), "vectors")
