"""Vectors of the parts of content and notes, readable ones and others, and of the hash of a share's slots."""

from writer import Case, seed

from encoding import domain_hash, encode, u64  # noqa: E402


def parts_of(*parts) -> list:
    return [[label, encode(value).hex()] for label, value in parts]


def file(number: int, without: bool = False) -> dict:
    return {0: number, 1: 5, 2: seed(9), 3: "image/png", 4: without}


GOOD = {
    "all": ("One of each part that an entry may have.", [
        ("url", "https://social.example/p"), ("seen", {0: 1, 1: [1, 2026, 5]}), ("words", ""), ("title", "t" * 1024),
        ("place", "p"), ("account", "a"), ("tags", ["t"] * 64), ("file", file(0)), ("name", {0: 0, 1: b"\xff.png"}),
        ("blob", {0: 0, 1: seed(1), 2: seed(2)}), ("about", [seed(3), seed(3)]), ("takedown", {0: 5, 1: "w", 2: "r"}),
        ("request", {0: 3})]),
    "none": ("No further part.", []),
    "minor": ("Somebody under 18, a file without content, and a name before its file.", [
        ("minor", True), ("name", {0: 0, 1: "n"}), ("file", file(0, True))]),
    "unknown": ("A label that is not known.", [("later", {0: 2})]),
    "header": ("`header` and `control` as further parts: not known there.", [("header", 0), ("control", 0)]),
}
BAD = {
    "url": ("A URL of 8,193 bytes.", [("url", "u" * 8193)]),
    "title": ("A title of 1,025 bytes.", [("title", "t" * 1025)]),
    "words": ("Words that are a byte string.", [("words", b"w")]),
    "tags": ("65 tags.", [("tags", ["t"] * 65)]),
    "twice": ("A label twice.", [("title", "t"), ("title", "t")]),
    "unknown-twice": ("A label twice that is not known.", [("later", 0), ("later", 1)]),
    "file-numbers": ("Files 0 and 2.", [("file", file(0)), ("file", file(2))]),
    "file-order": ("Files 1 and 0.", [("file", file(1)), ("file", file(0))]),
    "file-truth": ("A file with 0 in the place of `false`.", [("file", file(0) | {4: 0})]),
    "file-lacking": ("A file that does not say whether it has content.", [("file", {k: v for k, v in file(0).items() if k < 4})]),
    "file-size": ("A file of 2^40 + 1 bytes.", [("file", file(0) | {1: (1 << 40) + 1})]),
    "file-type": ("A media type of 128 bytes.", [("file", file(0) | {3: "t" * 128})]),
    "name": ("A name without its file.", [("name", {0: 0, 1: "n"})]),
    "name-twice": ("Two names of one file.", [("file", file(0)), ("name", {0: 0, 1: "n"}), ("name", {0: 0, 1: "m"})]),
    "blob-without": ("A blob of a file without content.", [("file", file(0, True)), ("blob", {0: 0, 1: seed(1), 2: seed(2)})]),
    "minor-blob": ("A blob beside somebody under 18.", [
        ("file", file(0)), ("blob", {0: 0, 1: seed(1), 2: seed(2)}), ("minor", True)]),
    "minor-false": ("`minor` that says `false`.", [("minor", False)]),
    "takedown": ("A step that is not known.", [("takedown", {0: 6})]),
    "request": ("A state that is not known.", [("request", {0: 4})]),
    "about": ("An entry id of 31 bytes.", [("about", [seed(3)[:31]])]),
}
SEEN = {
    "exact": ({0: 0, 1: [0, -62_135_510_400, 1439]}, "ok"), "exact-last": ({0: 0, 1: [0, 253_402_214_399, -1439]}, "ok"),
    "year": ({0: 1, 1: [1, 9999]}, "ok"), "leap-day": ({0: 1, 1: [1, 2000, 2, 29]}, "ok"),
    "about": ({0: 2, 1: [1, 1999, 12]}, "ok"), "range": ({0: 3, 1: [1, 2026, 5, 1], 2: [0, 1_777_593_600, 0]}, "ok"),
    "range-before": ({0: 3, 1: [1, 2026, 5, 1], 2: [0, 1_777_593_599, 0]}, "unreadable"),
    "range-lacking": ({0: 3, 1: [1, 2026]}, "unreadable"), "exact-date": ({0: 0, 1: [1, 2026]}, "unreadable"),
    "date-second": ({0: 1, 1: [0, 0, 0]}, "unreadable"), "second": ({0: 0, 1: [0, 253_402_214_400, 0]}, "unreadable"),
    "minutes": ({0: 0, 1: [0, 0, 1440]}, "unreadable"), "year-zero": ({0: 1, 1: [1, 0]}, "unreadable"),
    "no-leap-day": ({0: 1, 1: [1, 1900, 2, 29]}, "unreadable"), "form": ({0: 4, 1: [1, 2026]}, "unreadable"),
    "key": ({0: 1, 1: [1, 2026], 2: [1, 2026]}, "unreadable"),
}
PARTIAL = {
    "good-partial-name": ("A name whose file is withheld.", [("file", file(0)), ("name", {0: 1, 1: "n"})], "ok"),
    "good-partial-names": ("Two names whose file is withheld: they are not looked at.", [
        ("name", {0: 1, 1: "n"}), ("name", {0: 1, 1: "m"})], "ok"),
    "bad-partial-file": ("File 1, of which file 0 is withheld.", [("file", file(1))], "unreadable"),
    "bad-partial-blob": ("A blob whose file is withheld.", [("blob", {0: 0, 1: seed(1), 2: seed(2)})], "unreadable"),
}


def all_of(out, case: Case):
    for name, (what, parts) in GOOD.items():
        out.add("content", f"good-{name}", what, "ok", partial=False, parts=parts_of(*parts))
    for name, (what, parts) in BAD.items():
        out.add("content", f"bad-{name}", what, "unreadable", partial=False, parts=parts_of(*parts))
    for name, (value, expect) in SEEN.items():
        out.add("content", f"{'good' if expect == 'ok' else 'bad'}-seen-{name}", "A claimed time.", expect, partial=False,
                parts=parts_of(("seen", value)))
    for name, (what, parts, expect) in PARTIAL.items():
        out.add("content", name, what, expect, partial=True, parts=parts_of(*parts))
    slots = [(case.survivor.id, sequence, slot) for (_, sequence), held in sorted(case.slots.items()) for _, slot in held[:1]]
    data = [log + u64(sequence) + slot for log, sequence, slot in slots]
    for name, chosen in (("none", 0), ("one", 1), ("several", 4)):
        out.add("batch", f"good-{name}", "The hash of the slots of a share.", "ok", hash=domain_hash("slot-batch", *data[:chosen]),
                slots=[[log.hex(), sequence, slot.hex()] for log, sequence, slot in slots[:chosen]])
