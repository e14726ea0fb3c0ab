"""Makes Protocol/Vectors from writer.py: one file a case, one defect each.

    make_vectors.py FOLDER

A vector that is there is never changed: what differs from it ends the run. (CONTRIBUTING.md, "Changing a format".)
"""

import io
import json
import sys
from pathlib import Path

import two_keys
import vectors_of_cuts
import vectors_of_forks
import vectors_of_members
import vectors_of_sync
import vectors_of_vaults
import writer
from writer import START, Case, Device, domain_hash, encode, entries, keys, logs, seed, u64

L = (2**252 + 27742317777372353535851937790883648493)


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


# CBOR -----------------------------------------------------------------------------------------------

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


# Signatures, notes, checkpoints, receipts -------------------------------------------------------------

def notes(out: Vectors, case: Case):
    device, advocate = case.survivor, case.advocate
    key, good = device.signing.public, device.checkpoint(4)
    name = logs.origin(device.id)

    def add(title, what, expect, note):
        out.add("checkpoint", title, what, expect, case=case.id, key=key, input=note)

    add("good", "A checkpoint, signed by its log.", "ok", good)
    add("good-receipts", "The same with a receipt, of which this says nothing.", "ok",
        device.checkpoint(4, [(advocate, START + 1000)]))
    text, _, lines = good.decode().partition("\n\n")
    one, two, three = text.split("\n")
    signature = device.signing.sign

    def resigned(body: str) -> bytes:
        body = body.encode()
        return writer.note(body, [(name, 1, key, signature(body))])

    changes = {
        "origin": ("Another log's origin.", resigned(f"{logs.origin(advocate.id)}\n{two}\n{three}\n")),
        "zero": ("A size with a leading zero.", resigned(f"{one}\n0{two}\n{three}\n")),
        "crlf": ("A line that ends with CR LF.", resigned(f"{one}\r\n{two}\n{three}\n")),
        "four-lines": ("A fourth line.", resigned(f"{text}\nextension\n")),
        "empty-root": ("Size 0 with a root that is not the empty tree's.", resigned(f"{one}\n0\n{three}\n")),
        "base64": ("A root whose unused bits are not zero.", resigned(f"{one}\n{two}\n{three[:-2]}{chr(ord(three[-2]) + 1)}=\n")),
        "unsigned": ("No signature of its log.", writer.note(
            text.encode() + b"\n", [advocate.cosigned(text.encode() + b"\n", START)])),
        "signature": ("A signature over another text.", writer.note(text.encode() + b"\n", [
            (name, 1, key, signature(b"another"))])),
        "no-blank": ("No empty line before the signature.", good.replace(b"\n\n", b"\n")),
        "cut": ("No newline at the end.", good[:-1]),
    }
    sig = signature(text.encode() + b"\n")
    s = int.from_bytes(sig[32:], "little") + L
    changes["large-s"] = ("S is not below the group order.", writer.note(text.encode() + b"\n", [
        (name, 1, key, sig[:32] + s.to_bytes(32, "little"))]))
    for title, (what, note) in changes.items():
        add(f"bad-{title}", what, "malformed", note)
    small = bytes([1]) + bytes(31)
    own = logs.log_id(case.id, small)
    body = f"{logs.origin(own)}\n0\n{writer.b64(logs.EMPTY_ROOT)}\n".encode()
    out.add("checkpoint", "bad-small-key", "A key of small order, under which R = A and S = 0 would pass elsewhere.",
            "malformed", case=case.id, key=small,
            input=writer.note(body, [(logs.origin(own), 1, small, small + bytes(32))]))
    stranger = lambda count: ("stranger", 2, b"key", bytes(count))
    own = (name, 1, key, sig)
    whole = writer.note(text.encode() + b"\n", [own, stranger(12_000)])
    rest = 16 * 1024 - len(whole)
    for title, what, extra in (("good-longest", "A note of 16 KiB, by a stranger's long signature.", 0),
                               ("bad-long", "A note that is longer than 16 KiB.", 3)):
        lines = [own, stranger(12_000 + rest * 3 // 4 // 3 * 3 + extra)]
        add(title, what, "malformed" if extra else "ok", writer.note(text.encode() + b"\n", lines))
    add("good-64-signatures", "As many signatures as there may be.", "ok",
        writer.note(text.encode() + b"\n", [own] + [stranger(5)] * 63))
    add("bad-65-signatures", "A signature too many.", "malformed",
        writer.note(text.encode() + b"\n", [own] + [stranger(5)] * 64))
    add("bad-second", "A second signature under the same name and id, which does not verify.", "malformed",
        writer.note(text.encode() + b"\n", [own, (name, 1, key, sig[::-1])]))
    receipt = device.checkpoint(4, [(advocate, START + 1000)], is_signed=False)
    out.add("receipt", "good", "A receipt by an advocate's key.", "ok", witness=advocate.witness_key(), time=START + 1000,
            input=receipt)
    line = advocate.cosigned(device.checkpoint_text(4), START + 1000)
    later = line[:3] + (u64(START + 1001) + line[3][8:],)
    out.add("receipt", "bad-time", "The time is another one than was signed.", "malformed", time=START + 1001,
            witness=advocate.witness_key(), input=writer.note(device.checkpoint_text(4), [later]))
    out.add("receipt", "bad-head", "The head is another one than was signed.", "malformed", time=START + 1000,
            witness=advocate.witness_key(), input=writer.note(device.checkpoint_text(3), [line]))


# Objects of a case ----------------------------------------------------------------------------------

def objects(out: Vectors, case: Case):
    device = case.survivor
    body, by_signing, by_receipt = device.card_body, *(d.sign_in("card", device.card_body)
                                                     for d in (device.signing, device.receipt))
    card = lambda body, a=None, b=None: encode([
        body, a or device.signing.sign_in("card", body), b or device.receipt.sign_in("card", body)])
    fields = {0: 1, 1: device.signing.public, 2: device.receipt.public, 3: device.box, 4: 1}
    out.add("card", "good", "A survivor's card.", "ok", input=device.card)
    bad = {"swapped": ("The two signatures are exchanged.", card(body, by_receipt, by_signing)),
           "role": ("A role that does not exist.", card(encode(fields | {4: 3}))),
           "equal-keys": ("Signing and receipt key are one.", card(encode(fields | {2: device.signing.public}), None,
                                                                  device.signing.sign_in("card", encode(fields | {2: device.signing.public})))),
           "weak-box": ("A box key of small order.", card(encode(fields | {3: bytes(32)}))),
           "weak-key": ("A receipt key of small order.", card(encode(fields | {2: bytes([1]) + bytes(31)}), None,
                                                              bytes([1]) + bytes(63))),
           "extra-key": ("A key that is not listed.", card(encode(fields | {5: 0})))}
    for name, (what, data) in bad.items():
        out.add("card", f"bad-{name}", what, "malformed", input=data)
    out.add("card", "newer", "A later version.", "newer-version", input=card(encode({0: 2, 1: b"whatever"})))
    out.add("card", "bad-newer-key", "A version under 0 in what is no record, whatever the version.", "malformed",
            input=card(encode({0: 2, "a": 1})))
    out.add("card", "bad-newer-many", "A record of 65 keys, whatever the version.", "malformed",
            input=card(encode({0: 2} | {key: 0 for key in range(1, 65)})))

    out.add("statement", "good-founding", "A founding statement.", "ok", case=case.id, root=case.root.public,
            input=case.founding)
    lift = {0: 3, 1: case.id, 2: device.id, 3: 4}
    out.add("statement", "good-lift", "Lifts cuts of a log.", "ok", case=case.id, root=case.root.public,
            input=case.statement(lift))
    bad = {"signature": ("Signed by a device and not by the root.", encode(
               [encode(lift), device.signing.sign_in("root-statement", encode(lift))])),
           "other-domain": ("Signed under another domain.", encode([encode(lift), case.root.sign_in("card", encode(lift))])),
           "other-case": ("Of another case.", case.statement(lift | {1: seed(9)})),
           "lacking": ("A key is lacking.", case.statement({0: 3, 1: case.id, 2: device.id})),
           "stays-and-goes": ("Who stays is among those who are cut.", case.statement(
               {0: 4, 1: case.id, 2: device.id, 3: [device.id], 4: [0]}))}
    for name, (what, data) in bad.items():
        out.add("statement", f"bad-{name}", what, "malformed", case=case.id, root=case.root.public, input=data)
    out.add("statement", "good-unknown", "A type that no reader of this version knows: it stops an evaluation, and is "
            "well-formed.", "ok", case=case.id, root=case.root.public, input=case.statement({0: 9, 1: case.id, 7: [1]}))
    _entries(out, case)


def _entries(out: Vectors, case: Case):
    def add(name, what, expect, device, sequence, key=None, ciphertext=None, leaf=None):
        k, _, sealed = device.sealed[sequence]
        out.add("entry", name, what, expect, case=case.id, log=device.id, key=key or k,
                leaf=(leaf or device.log.leaves[sequence]).data, input=ciphertext or sealed)

    device = case.survivor
    add("good-evidence", "Evidence with a file, as it is sealed.", "ok", device, 4)
    add("good-epoch", "The first entry of a case: an epoch for everyone.", "ok", device, 0)
    add("good-note", "A takedown record by an advocate.", "ok", case.advocate, 0)
    add("bad-key", "The key of another entry.", "locked", device, 4, key=seed(99))
    flipped = bytearray(device.sealed[4][2])
    flipped[100] ^= 1
    add("bad-ciphertext", "A bit of the ciphertext is another one.", "other-ciphertext", device, 4, ciphertext=bytes(flipped))
    leaf = device.log.leaves[4]
    add("bad-commitment", "The leaf commits to something else than the ciphertext holds.", "commitment-mismatch",
        device, 4, leaf=logs.Leaf(4, leaf.cls, seed(98), leaf.ciphertext_hash))
    add("bad-place", "The leaf stands at another place than part 0 says.", "violation", device, 4,
        leaf=logs.Leaf(5, leaf.cls, leaf.commit, leaf.ciphertext_hash))
    add("bad-class", "Evidence under the class of notes.", "violation", device, 4,
        leaf=logs.Leaf(4, 3, leaf.commit, leaf.ciphertext_hash))
    _two_keys(out, case)


def _two_keys(out: Vectors, case: Case):
    """One ciphertext and two keys that open it, of which the leaf commits to one."""
    device, sequence, keys_ = case.advocate, 1, (seed(70), seed(71))
    head = {0: case.id, 1: device.id, 2: sequence, 3: entries.PLAIN_NOTE, 4: 4}
    free = bytes(80)
    parts = [("header", encode(head)), ("context", encode({0: START, 1: [], 2: []})), ("words", encode("Mine.")),
             ("free", encode(free))]
    content = encode([list(part) for part in parts])
    plain = len(content).to_bytes(4, "big") + content
    plain += bytes(max(256, keys.padme(len(plain))) - len(plain))
    at = plain.index(parts[3][1])
    start = plain.index(free)
    start += -start % 16
    sealed = two_keys.collide(*(keys.derive(k, "entrkey_", 1) for k in keys_), plain, (start, start + 16))
    opened = keys.open_sealed(keys.derive(keys_[0], "entrkey_", 1), bytes(24), b"cairn/v1/entry", sealed)
    parts[3] = ("free", opened[at:at + len(parts[3][1])])
    hashes = [entries.part_hash(i, label, keys.derive(keys_[0], "partsalt", i), data)
              for i, (label, data) in enumerate(parts)]
    leaf = logs.Leaf(sequence, 3, logs.root_of(hashes), domain_hash("ciphertext", sealed))
    for name, what, expect, key in (
            ("good-two-keys", "A ciphertext that opens under two keys, with the key that its leaf commits to.", "ok", keys_[0]),
            ("bad-two-keys", "The same with the other key: it opens, to something else.", "commitment-mismatch", keys_[1])):
        out.add("entry", name, what, expect, case=case.id, log=device.id, key=key, leaf=leaf.data, input=sealed)


# Archives and bundles -------------------------------------------------------------------------------

def archives(out: Vectors):
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


def bundles(out: Vectors, case: Case):
    files = dict(case.bundle())
    show = lambda data: data.decode() if data.isascii() else {"hex": data.hex()}
    given = {"fingerprint": writer.b32(case.id), "witness": [case.advocate.witness_key()]}
    out.add("bundle", "base", "A bundle, as files in the order of the archive. The other vectors change some of them; null "
            "takes one out, and the lists and the signature are part of the change.", "intact", **given,
            state=state_hash(files), files={path: show(data) for path, data in files.items()})

    def add(name, what, expect, changed, relist=True, sign=True, **trust):
        new = {p: changed.get(p, d) for p, d in (files | changed).items() if changed.get(p, d) is not None}
        new = writer.relisted(new) if relist else new
        new = case.signed(new) if sign else new
        difference = {p: show(new[p]) if p in new else None for p in {**files, **new} if new.get(p) != files.get(p)}
        out.add("bundle", name, what, expect, **(given | trust), files=difference)

    index = case.devices().index(case.survivor)
    cbor, leaves = f"proof/logs/{index}.cbor", f"proof/logs/{index}.leaves"
    shown = case.survivor.disclosed(hidden=(5,))
    without = lambda sequence: encode([item for item in shown if item[0] != sequence])

    def with_part(sequence: int, part: int, item):
        return encode([[s, [item if (s, i) == (sequence, part) else p for i, p in enumerate(parts)]] for s, parts in shown])

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
    add("control-left-out", "The entry that admits the advocate is left out.", "control-missing", {cbor: without(2)})
    erasing = Case().tell()
    gone = erasing.survivor.entry_id(5)
    erasing.survivor.append(1, writer.entries.ERASE, [("control", {0: [gone, gone]})], START + 600)
    twice = dict(erasing.bundle())
    out.add("bundle", "erased-twice", "An order to erase that names an entry twice: once in the state.", "intact", **given,
            state=state_hash(twice), files={p: show(d) for p, d in twice.items() if files.get(p) != d})
    out.add("bundle", "receipts-of-one-second", "Receipts of one second: the first is the one over the smaller head, "
            "whoever gave it, and of one head that with the lesser name.", "intact", **given,
            **of_one_second(files, show))
    vectors_of_forks.in_bundle(out, case, show, state_hash, **given)
    vectors_of_cuts.in_bundle(out, files, show, state_hash, **given)
    salt = writer.keys.derive(case.survivor.sealed[2][0], "partsalt", 2)
    hashed = writer.entries.part_hash(2, "control", salt, case.survivor.sealed[2][1][2][1])
    add("control-withheld", "A part of the entry that admits the advocate is withheld.", "control-missing",
        {cbor: with_part(2, 2, hashed)})
    words = shown[4][1][4]
    add("words-altered", "Words are others than those that the leaf commits to.", "entry-invalid",
        {cbor: with_part(4, 4, [words[0], words[1], encode("He wrote nothing.")])})
    add("leaf-left-out", "The last leaf is left out.", "leaves-differ", {leaves: files[leaves][:-74]})
    add("leaf-added", "There is a leaf beyond the signed size.", "leaves-differ", {leaves: files[leaves] + files[leaves][-74:]})
    add("entry-hidden", "The evidence is hidden, and its picture is still there.", "exhibit-unnamed", {cbor: without(4)})
    head = f"proof/logs/{index}.note"
    add("receipt-forged", "A receipt with a signature over another time.", "receipt-invalid", {
        head: writer.note(case.survivor.checkpoint_text(), [
            (logs.origin(case.survivor.id), 1, case.survivor.signing.public,
             case.survivor.signing.sign(case.survivor.checkpoint_text())),
            case.advocate.cosigned(case.survivor.checkpoint_text(), START)[:3]
            + (u64(START - 5) + case.advocate.cosigned(case.survivor.checkpoint_text(), START)[3][8:],)])})
    add("head-unsigned", "The newest head is not signed by its log.", "checkpoint-invalid", {
        head: case.survivor.checkpoint(receipts=[(case.advocate, START + 1000)], is_signed=False)})
    fields = case.case_file([[index, 4, 0, "data/exhibits/1-0.png"]])
    add("member-left-out", "The advocate's log is left out of the list of logs.", "members-differ", {
        "proof/case.cbor": encode(fields | {6: [i for i in fields[6] if i[0] == case.survivor.id], 7: [
            [0, 4, 0, "data/exhibits/1-0.png"]]}),
        **{f"proof/logs/{i}.{e}": None for i in (0, 1) for e in ("note", "leaves", "cbor")},
        **{f"proof/logs/0.{e}": files[f"proof/logs/{index}.{e}"] for e in ("note", "leaves", "cbor")}})
    add("exporter-unknown", "The exporter is no member.", "exporter-unknown", {"proof/case.cbor": encode(fields | {3: seed(9)})})
    add("statement-forged", "The founding statement is signed by somebody else.", "statement-invalid", {
        "proof/case.cbor": encode(fields | {2: [case.founding[:-1] + bytes([case.founding[-1] ^ 1])]})})
    add("not-canonical", "The table of the case in a longer encoding.", "proof-malformed", {
        "proof/case.cbor": b"\xb8\x0b" + files["proof/case.cbor"][1:]})
    add("newer", "A later version, with another README.", "newer-version", {
        "proof/case.cbor": encode(fields | {0: 2}), "proof/README.txt": b"Another text.\n"})
    add("version-true", "`true` in the place of version 1, which some languages take for equal.", "proof-malformed", {
        "proof/case.cbor": encode(fields | {0: True})})
    add("readme-altered", "The README is another one.", "file-differs", {"proof/README.txt": b"Another text.\n"})


def of_one_second(files: dict, show) -> dict:
    case = Case().tell()
    other = Device(21, case.id, entries.ADVOCATE)
    case.survivor.append(1, entries.ADMIT, [("control", {0: other.card, 1: entries.ADVOCATE})], START + 600)
    case.others.append(other)
    first, last = sorted([case.advocate, other], key=lambda d: logs.origin(d.id))
    case.receipts = [(case.survivor, 6, first, START + 1000), (case.survivor, 5, last, START + 1000),
                     (case.advocate, 1, other, START + 1000)]
    new = dict(case.bundle())
    return {"state": state_hash(new), "files": {p: show(new[p]) if p in new else None for p in {**files, **new}
                                                if files.get(p) != new.get(p)}}


def state_hash(files: dict) -> bytes:
    import state
    checked = writer.bundle.Bundle(writer.archive.Archive(io.BytesIO(writer.packed(list(files.items())))),
                                   writer.bundle.Trust())
    checked.check(writer.bundle.Verdict())
    return state.state_hash(checked.state)


# Folders --------------------------------------------------------------------------------------------

frame = vectors_of_sync.frame


def folders(out: Vectors, case: Case):
    import cbor2
    survivor, advocate = case.survivor, case.advocate
    tag = writer.domain_hash("mailbox", case.id)
    hello = lambda device: frame(1, {0: 1, 1: tag, 2: device.id})
    end = frame(0x7F, None)
    name = lambda device: f"{writer.b32(tag)[:16]}-{writer.b32(device.id)}"
    run = lambda device, first, last: f"{name(device)}/r-{writer.b32(device.id)}-{first:010}-{last:010}"

    def ranged(device, first, last, note=None, proof=(), hidden=()):
        epochs, rows = [], []
        for sequence in range(first, last):
            slots = []
            for epoch, slot in case.slots.get((device.id, sequence), []) if sequence not in hidden else []:
                epochs += [epoch] if epoch not in epochs else []
                slots.append([epochs.index(epoch), slot])
            leaf = device.log.leaves[sequence]
            body = leaf.ciphertext_hash if sequence in hidden else device.sealed[sequence][2]
            rows.append([leaf.cls, leaf.commit, body, slots])
        return frame(4, {0: device.id, 1: first, 2: epochs, 3: rows, 4: note or device.checkpoint(), 5: list(proof)})

    wraps = [[epoch, None, writer.seal_box(case.kit, key, 10 + i)]
             for i, (epoch, key) in enumerate(case.epochs.values())]
    heads = [[d.signing.public, d.checkpoint()] for d in (survivor, advocate)]
    good = {
        f"{name(survivor)}/head": hello(survivor) + frame(2, [cbor2.loads(case.founding)]) + frame(3, heads[:1])
        + frame(7, wraps) + end,
        run(survivor, 0, 6): hello(survivor) + ranged(survivor, 0, 6, hidden=(5,)) + end,
        f"{name(advocate)}/head": hello(advocate) + frame(3, heads[1:]) + end,
        run(advocate, 0, 1): hello(advocate) + ranged(advocate, 0, 1) + end,
    }
    state = {"kit": seed(2)[:16].hex(), "sizes": [6, 1]}

    def add(title, what, expect, changed, **more):
        files = {p: changed.get(p, d) for p, d in (good | changed).items() if changed.get(p, d) is not None}
        out.add("folder", title, what, expect, **(state | more), files={p: d.hex() for p, d in files.items()})

    add("good", "A mailbox of two devices. The survivor's private entry is there as a leaf only.", "ok", {},
        state=out_state(good, state["kit"]))
    first = run(survivor, 0, 6)
    swap = ranged(survivor, 0, 6, hidden=(5,))
    rows = cbor2.loads(swap[5:])
    swapped = dict(rows, **{}) | {3: [rows[3][1], rows[3][0]] + rows[3][2:]}
    dropped = rows | {3: rows[3][:-1]}
    add("entries-swapped", "Two entries of a range are exchanged.", "file-damaged",
        {first: hello(survivor) + frame(4, swapped) + end}, sizes=[0, 1])
    add("entry-dropped", "The last entry of a range is left out.", "file-damaged",
        {first: hello(survivor) + frame(4, dropped) + end}, sizes=[0, 1])
    add("no-end", "A range without its last frame. What came before counts.", "file-damaged",
        {first: hello(survivor) + swap}, sizes=[6, 1])
    add("after-end", "Something follows the last frame.", "file-damaged", {first: hello(survivor) + swap + end + b"\0"},
        sizes=[6, 1])
    add("other-hello", "A file that greets as another device.", "file-damaged",
        {first: hello(advocate) + swap + end}, sizes=[0, 1])
    add("unknown-frame", "A frame that is not known ends the reading of a file.", "file-damaged",
        {first: hello(survivor) + frame(0x33, None) + swap + end}, sizes=[0, 1])
    add("other-name", "A range under a name that does not cover it.", "file-damaged",
        {first: None, run(survivor, 0, 5): hello(survivor) + swap + end}, sizes=[0, 1])
    add("gap", "A range that begins beyond what is there.", "gap",
        {first: None, run(survivor, 3, 6): hello(survivor) + ranged(survivor, 3, 6, hidden=(5,)) + end}, sizes=[0, 1])
    split = logs.Tree()
    hashes = [logs.leaf_hash(leaf.data) for leaf in survivor.log.leaves]
    proof = [logs.node(hashes[2], hashes[3]), logs.root_of(hashes[4:6])]
    del split
    add("two-ranges", "A range that ends before its checkpoint, with a proof, and one that continues it.", "ok",
        {first: None, run(survivor, 0, 2): hello(survivor) + ranged(survivor, 0, 2, proof=proof) + end,
         run(survivor, 2, 6): hello(survivor) + ranged(survivor, 2, 6, hidden=(5,)) + end})
    add("bad-proof", "A proof that does not lead to the checkpoint: the fault of the mailbox, and no fork.", "file-damaged",
        {first: None, run(survivor, 0, 2): hello(survivor) + ranged(survivor, 0, 2, proof=proof[::-1]) + end}, sizes=[0, 1])
    _forks(add, case, name, hello, end, good)

    def founder_head(device, other) -> bytes:
        return (hello(device) + frame(2, [cbor2.loads(case.founding)])
                + frame(3, [[device.signing.public, other.checkpoint()]]) + frame(7, wraps) + end)

    def state_of(changed: dict) -> str:
        new = {p: d for p, d in (good | changed).items() if d is not None}
        return out_state(new, state["kit"])

    vectors_of_forks.in_folder(add, case, {
        "hello": hello, "ranged": ranged, "frame": frame, "end": end, "name": name, "run": run, "head": founder_head,
    }, state_of)


def out_state(files: dict, kit: str) -> str:
    import verify_vectors
    return verify_vectors.read_folder({"files": {p: d.hex() for p, d in files.items()}, "kit": kit}).state_hash.hex()


def _forks(add, case: Case, name, hello, end, good):
    """The device signs another history of the same size."""
    survivor, other = case.survivor, Case()
    other.survivor.append(2, 16, [("words", "Another history.")])
    other.survivor.append(2, 16, [("words", "Another history still.")])
    fork = [survivor.checkpoint(6), other.survivor.checkpoint(6)]
    fork.sort(key=lambda note: logs.read_checkpoint(logs.read_note(note).text).root)
    path = f"{name(case.advocate)}/head"
    heads = [[case.advocate.signing.public, case.advocate.checkpoint()]]
    add("fork", "Two heads of one size and different roots, signed by one log.", "fork",
        {path: hello(case.advocate) + frame(3, heads) + frame(8, [[*fork, []]]) + end})
    add("fork-unordered", "The same, not in the order of their roots: no proof.", "file-damaged",
        {path: hello(case.advocate) + frame(3, heads) + frame(8, [[*fork[::-1], []]]) + end})


if __name__ == "__main__":
    vectors = Vectors(Path(sys.argv[1]))
    told = Case().tell()
    cbor(vectors)
    notes(vectors, told)
    objects(vectors, told)
    archives(vectors)
    bundles(vectors, told)
    folders(vectors, told)
    for more in (vectors_of_vaults, vectors_of_members, vectors_of_sync, vectors_of_forks):
        more.all_of(vectors, told)
    print(len(vectors.made), "vectors")
