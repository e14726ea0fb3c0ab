"""Vectors of archives, and of bundles in them."""

import vectors_of_control
import vectors_of_cuts
import vectors_of_forks
import vectors_of_receipts
import writer
from writer import START, Case, encode, entries, logs, seed, u64


def archives(out):
    files = [("a.txt", b"one"), ("b/c.txt", b"two")]
    good = writer.packed(files)

    def add(name, what, data, expect="archive-damaged"):
        out.add("archive", name, what, expect, input=data)

    add("good", "Two members.", good, "ok")
    add("bad-comment", "A comment at the end.", good[:-2] + b"\1\0x", "not-a-bundle")
    add("bad-trailing", "A byte after the end.", good + b"\0", "not-a-bundle")
    add("bad-prefix", "Bytes before the first member.", b"PK" + good)
    add("bad-format", "Not an archive at all.", b"\0" * 30, "not-a-bundle")
    add("bad-prefix-pk", "A member that no directory names, before the first.",
        writer.packed([("x", b"")])[:31] + good)
    add("bad-checksum", "A content that has another CRC-32.", good.replace(b"one", b"onE"))
    add("bad-local-name", "A local header with another name than the directory.", good.replace(b"a.txt", b"A.txt", 1))
    add("bad-time", "A header with a time.", good.replace(b"\0\0\x21\0", b"\1\0\x21\0"))
    add("bad-case", "Two names that differ in case.", writer.packed([("a", b""), ("A", b"")]))
    add("bad-twice", "A name twice.", writer.packed([("a", b"1"), ("a", b"2")]))
    add("bad-folder", "A name that is a folder of another.", writer.packed([("a", b""), ("a/b", b"")]))
    add("bad-parent", "A name that leads out.", writer.packed([("../a", b"")]))
    add("bad-absolute", "An absolute name.", writer.packed([("/a", b"")]))
    add("bad-dot", "A component that is a dot.", writer.packed([("a/./b", b"")]))
    add("bad-character", "A name with a space.", writer.packed([("a b", b"")]))


def show(data: bytes):
    return data.decode() if data.isascii() else {"hex": data.hex()}


def difference(files: dict, new: dict) -> dict:
    """What a vector says of a bundle: the files that differ from those of the base, None for one that is not there."""
    return {path: show(new[path]) if path in new else None for path in files | new if files.get(path) != new.get(path)}


def bundles(out, case: Case):
    files = dict(case.bundle())
    given = {"fingerprint": writer.b32(case.id), "witness": [case.advocate.witness_key()]}
    out.add("bundle", "base", "A bundle, as files in the order of the archive. The other vectors change some of them; null "
            "takes one out, and the lists and the signature are part of the change.", "intact", **given,
            state=writer.state_hash(list(files.items())), files={path: show(data) for path, data in files.items()})

    def add(name, what, expect, changed, relist=True, sign=True, **trust):
        new = {p: changed.get(p, d) for p, d in (files | changed).items() if changed.get(p, d) is not None}
        new = writer.relisted(new) if relist else new
        new = writer.sealed(new, case.survivor) if sign else new
        out.add("bundle", name, what, expect, **(given | trust), files=difference(files, new))

    add("no-trust", "Nothing is known from outside.", "consistent", {}, fingerprint=None, witness=[])
    add("other-case", "The fingerprint of another case was given.", "case-differs", {}, fingerprint=writer.b32(seed(9)))
    add("exhibit-altered", "A picture is another one, and nobody noted it in the lists.", "file-differs",
        {"data/exhibits/1-0.png": b"another picture, the same"}, relist=False, sign=False)
    add("exhibit-relisted", "A picture is another one, in the lists too.", "exhibit-differs",
        {"data/exhibits/1-0.png": b"not really a Picture"})
    add("not-signed-again", "The lists were made again, and the signature was not.", "signature-invalid",
        {"data/exhibits/1-0.png": b"not really a Picture"}, sign=False)
    add("report-rewritten", "The report says something else, signed by the exporter.", "report-differs",
        {"data/report.html": files["data/report.html"].replace(b"threat", b"compliment")})
    add("file-added", "A file that no part of the proof names.", "file-unexpected", {"data/exhibits/9-0.png": b"x"})
    add("file-unlisted", "A file that stands in no list.", "file-unlisted", {"data/x": b"x"}, relist=False)
    add("file-missing", "A file that is listed is not there.", "file-missing", {"data/exhibits/1-0.png": None}, relist=False)
    erasing = Case().tell()
    gone = erasing.survivor.entry_id(5)
    erasing.survivor.append(1, entries.ERASE, [("control", {0: [gone, gone]})], START + 600)
    twice = dict(erasing.bundle())
    out.add("bundle", "erased-twice", "An order to erase that names an entry twice: once in the state.", "intact", **given,
            state=writer.state_hash(list(twice.items())), files=difference(files, twice))
    vectors_of_receipts.in_bundle(out, files, difference, **given)
    vectors_of_forks.in_bundle(out, files, difference, **given)
    vectors_of_cuts.in_bundle(out, files, difference, **given)
    vectors_of_control.in_bundle(out, files, difference, **given)
    add("readme-altered", "The README is another one.", "file-differs", {"proof/README.txt": b"Another text.\n"})
    _logs(add, case, files)
    _table(add, case, files)


def _logs(add, case: Case, files: dict):
    """Entries, leaves and heads of the survivor's log."""
    index = case.devices().index(case.survivor)
    cbor, leaves = f"proof/logs/{index}.cbor", f"proof/logs/{index}.leaves"
    shown = case.survivor.disclosed(hidden=(5,))
    without = lambda sequence: encode([item for item in shown if item[0] != sequence])

    def with_part(sequence: int, part: int, item):
        return encode([[s, [item if (s, i) == (sequence, part) else p for i, p in enumerate(parts)]] for s, parts in shown])

    add("control-left-out", "The entry that admits the advocate is left out.", "control-missing", {cbor: without(2)})
    salt = writer.keys.derive(case.survivor.sealed[2][0], "partsalt", 2)
    hashed = entries.part_hash(2, "control", salt, case.survivor.sealed[2][1][2][1])
    add("control-withheld", "A part of the entry that admits the advocate is withheld.", "control-missing",
        {cbor: with_part(2, 2, hashed)})
    words = shown[4][1][4]
    add("words-altered", "Words are others than those that the leaf commits to.", "entry-invalid",
        {cbor: with_part(4, 4, [words[0], words[1], encode("He wrote nothing.")])})
    add("leaf-left-out", "The last leaf is left out.", "leaves-differ", {leaves: files[leaves][:-74]})
    add("leaf-added", "There is a leaf beyond the signed size.", "leaves-differ", {leaves: files[leaves] + files[leaves][-74:]})
    add("entry-hidden", "The evidence is hidden, and its picture is still there.", "exhibit-unnamed", {cbor: without(4)})
    head = f"proof/logs/{index}.note"
    text = case.survivor.checkpoint_text()
    *by, signature = case.advocate.cosigned(text, START)
    add("receipt-forged", "A receipt with a signature over another time.", "receipt-invalid", {
        head: writer.note(text, [case.survivor.signature(text), (*by, u64(START - 5) + signature[8:])])})
    add("head-unsigned", "The newest head is not signed by its log.", "checkpoint-invalid", {
        head: case.survivor.checkpoint(receipts=[(case.advocate, START + 1000)], is_signed=False)})


def _table(add, case: Case, files: dict):
    """What the table of the case says."""
    index = case.devices().index(case.survivor)
    fields = case.case_file([[index, 4, 0, "data/exhibits/1-0.png"]])
    add("member-left-out", "The advocate's log is left out of the list of logs.", "members-differ", {
        "proof/case.cbor": encode(fields | {6: [i for i in fields[6] if i[0] == case.survivor.id], 7: [
            [0, 4, 0, "data/exhibits/1-0.png"]]}),
        **{f"proof/logs/{i}.{e}": None for i in (0, 1) for e in ("note", "leaves", "cbor")},
        **{f"proof/logs/0.{e}": files[f"proof/logs/{index}.{e}"] for e in ("note", "leaves", "cbor")}})
    add("exporter-unknown", "The exporter is no member.", "exporter-unknown", {"proof/case.cbor": encode(fields | {3: seed(9)})})
    add("statement-forged", "The founding statement is signed by somebody else.", "statement-invalid", {
        "proof/case.cbor": encode(fields | {2: [case.founding[:-1] + bytes([case.founding[-1] ^ 1])]})})
    newer = encode([encode({0: 2, 1: case.id, 2: writer.newer_card()}), bytes(64)])
    add("statement-forged-newer", "A statement with a card of a later version, which the root did not sign.", "statement-invalid", {
        "proof/case.cbor": encode(fields | {2: [case.founding, newer]})})
    add("not-canonical", "The table of the case in a longer encoding.", "proof-malformed", {
        "proof/case.cbor": b"\xb8\x0b" + files["proof/case.cbor"][1:]})
    add("newer", "A later version, with another README.", "newer-version", {
        "proof/case.cbor": encode(fields | {0: 2}), "proof/README.txt": b"Another text.\n"})
    add("version-true", "`true` in the place of version 1, which some languages take for equal.", "proof-malformed", {
        "proof/case.cbor": encode(fields | {0: True})})


def all_of(out, case: Case):
    archives(out)
    bundles(out, case)
