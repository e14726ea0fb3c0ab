"""Runs every vector of Protocol/Vectors through Protocol/verify. Ends with 1 if one comes out otherwise.

    verify_vectors.py [FOLDER]
"""

import io
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import states
import vectors_of_wals
import writer
from writer import archive, bundle, entries, keys, logs

import folder as mailbox  # noqa: E402
import frames  # noqa: E402
import state  # noqa: E402
import statements  # noqa: E402
from content import read_content
from encoding import Malformed, Newer, Refused, decode, domain_hash
from forks import read_fork_proof


def main(root: Path) -> int:
    wrong = 0
    paths = sorted(path for path in root.glob("*/*.json") if path.parent.name not in NOT_READ)
    for path in paths:
        vector = json.loads(path.read_text())
        try:
            found = RUNNERS[path.parent.name](vector, path)
        except Newer:
            found = "newer-version"
        except Malformed:
            found = "malformed"
        except Refused as refusal:
            found = refusal.code
        if found != vector["expect"]:
            wrong += 1
            print(f"{path.relative_to(root)}: {found}, and should be {vector['expect']}")
    print(f"{len(paths)} vectors, {wrong} otherwise")
    return 1 if wrong or not paths else 0


def run_cbor(vector, path):
    decode(bytes.fromhex(vector["input"]), 1 << 20)
    return "ok"


def run_checkpoint(vector, path):
    key = bytes.fromhex(vector["key"])
    logs.read_head(bytes.fromhex(vector["input"]), logs.log_id(bytes.fromhex(vector["case"]), key), key)
    return "ok"


def run_receipt(vector, path):
    note = logs.read_note(bytes.fromhex(vector["input"]))
    logs.read_checkpoint(note.text)
    found = logs.WitnessKey.parse(vector["witness"]).receipts_in(note)
    return "ok" if found == [(vector["time"], True)] else "malformed"


def run_card(vector, path):
    statements.read_card(bytes.fromhex(vector["input"]))
    return "ok"


def run_statement(vector, path):
    case = bytes.fromhex(vector["case"])
    try:
        read = statements.read_statement(bytes.fromhex(vector["input"]), case)
    except Newer:
        raise
    except Refused as refusal:
        raise Malformed(refusal.why) from refusal
    root = bytes.fromhex(vector["root"])
    is_signed = logs.is_signed("root-statement", root, read.body, read.signature)
    return "ok" if is_signed and read.root_key in (None, root) else "malformed"


def run_entry(vector, path):
    case, log, key = (bytes.fromhex(vector[name]) for name in ("case", "log", "key"))
    leaf = logs.read_leaf(bytes.fromhex(vector["leaf"]))
    ciphertext = bytes.fromhex(vector["input"])
    if domain_hash("ciphertext", ciphertext) != leaf.ciphertext_hash:
        return "other-ciphertext"
    if keys.open_sealed(keys.derive(key, "entrkey_", 1), bytes(24), b"cairn/v1/entry", ciphertext) is None:
        return "locked"
    return "ok" if keys.open_entry(case, log, leaf, key, ciphertext) else "commitment-mismatch"


def run_archive(vector, path):
    opened = archive.Archive(io.BytesIO(bytes.fromhex(vector["input"])))
    for name in opened.members:
        opened.digest(name)
    return "ok"


def run_bundle(vector, path):
    base = json.loads((path.parent / "base.json").read_text())["files"]
    files = [(name, content(data)) for name, data in (base | vector["files"]).items() if data is not None]
    verdict = bundle.verify(io.BytesIO(writer.packed(files)), bundle.Trust.parse(vector["fingerprint"], vector["witness"]))
    if "state" in vector and verdict.bundle and state.state_hash(verdict.bundle.state).hex() != vector["state"]:
        return "another state"
    if "findings" in vector and [f.code for f in verdict.findings] != vector["findings"]:
        return " ".join(f.code for f in verdict.findings)
    broken = [f.code for f in verdict.findings if f.code not in bundle.REMARKS]
    return broken[0] if broken else verdict.outcome


def content(data) -> bytes:
    return data.encode() if isinstance(data, str) else bytes.fromhex(data["hex"])


class Taken:
    def __init__(self, checked: mailbox.Folder):
        self.checked = checked
        self.sizes = [checked.logs[log].size for log in sorted(checked.logs, key=lambda log: -checked.logs[log].size)]
        self.state_hash = state.state_hash(checked.state)


def read_folder(vector) -> Taken:
    with tempfile.TemporaryDirectory() as scratch:
        for name, data in vector["files"].items():
            path = Path(scratch) / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(bytes.fromhex(data))
        checked = mailbox.Folder(scratch, None, keys.kit_keys(bytes.fromhex(vector["kit"])))
        checked.verify()
    return Taken(checked)


def run_folder(vector, path):
    taken = read_folder(vector)
    sizes = sorted(log.size for log in taken.checked.logs.values())
    if sizes != sorted(vector["sizes"] + vector.get("strangers", [])):
        return f"sizes {sizes}"
    if vector.get("state") not in (None, taken.state_hash.hex()):
        return "another state"
    readable = sum(len(log.entries) for log in taken.checked.logs.values())
    if (vector.get("readable", readable), vector.get("attachments", len(taken.checked.blobs))) != (readable, len(taken.checked.blobs)):
        return f"{readable} entries, {len(taken.checked.blobs)} attachments"
    codes = [f.code for f in taken.checked.findings if f.code != "incomplete"]
    if not codes and taken.checked.union.forks:
        return "fork"
    return codes[0] if codes else "ok"


def run_content(vector, path):
    parts = [(label, bytes.fromhex(data)) for label, data in vector["parts"]]
    try:
        read_content(parts, not vector["partial"])
    except Malformed:
        return "unreadable"
    return "ok"


def run_batch(vector, path):
    items = [bytes.fromhex(log) + writer.u64(sequence) + bytes.fromhex(slot) for log, sequence, slot in vector["slots"]]
    return "ok" if domain_hash("slot-batch", *items).hex() == vector["hash"] else "another hash"


def run_padme(vector, path):
    return "ok" if all(keys.padme(length) == padded for length, padded in vector["lengths"]) else "another length"


def run_state(vector, path):
    found = states.read(vector)
    if state.agreed(found) != decode(bytes.fromhex(vector["c"]), 1 << 20):
        return "another case"
    if states.view(vector, found) != vector["view"]:
        return "another view"
    return "ok" if state.state_hash(found).hex() == vector["state"] else "another hash"


def run_wal(vector, path):
    """Which this verifier does not read either: what is held is that SQLite reads the same."""
    version = vectors_of_wals.version_read(vector)
    return vector["expect"] if version == vector["version"] else f"version {version}"


def run_kit(vector, path):
    return _is_kit(keys.words_of(vector["words"].encode()), vector)


def run_paper(vector, path):
    return _is_kit(keys.words_of_paper(vector["text"].encode()), vector)


def _is_kit(words: list, vector) -> str:
    public, _ = keys.kit_keys(keys.seed_of_words(words))
    return "ok" if public.hex() == vector["key"] else "another key"


def run_slot(vector, path):
    case, log, epoch, key = (bytes.fromhex(vector[name]) for name in ("case", "log", "epoch", "epoch-key"))
    audience = entries.read_audience(decode(bytes.fromhex(vector["audience"]), 64))
    opened = keys.open_slot(case, log, logs.read_leaf(bytes.fromhex(vector["leaf"])), audience, epoch, key,
                            bytes.fromhex(vector["input"]))
    return "locked" if opened is None else "ok" if opened.hex() == vector["key"] else "another key"


def run_wrap(vector, path):
    """As a frame has it, where a wrap of another form is passed over."""
    wraps = frames.READERS[frames.WRAPS]([decode(bytes.fromhex(vector["input"]), 256)])
    if not wraps:
        raise Malformed("no wrap")
    opened = keys.open_box(*writer.bindings.crypto_box_seed_keypair(bytes.fromhex(vector["box"])), wraps[0][2])
    if opened is None:
        return "locked"
    audience = entries.read_audience(decode(bytes.fromhex(vector["audience"]), 64))
    said = keys.epoch_commitment(bytes.fromhex(vector["case"]), audience, opened).hex()
    return "ok" if said == vector["commitment"] else "commitment-mismatch"


def run_succession(vector, path):
    statements.read_succession(bytes.fromhex(vector["input"]), bytes.fromhex(vector["case"]))
    return "ok"


def run_frame(vector, path):
    """All kinds at once: which of them a file may hold is another matter."""
    stream = frames.Stream(bytes.fromhex(vector["input"]), set(frames.READERS) - {frames.HELLO})
    if stream.problem:
        raise stream.problem
    return "ok"


def run_proof(vector, path):
    smaller, size, proof = vector["smaller"], vector["size"], [bytes.fromhex(h) for h in vector["proof"]]
    root, smaller_root = bytes.fromhex(vector["root"]), bytes.fromhex(vector["smaller_root"])
    try:
        if path.name.startswith("prefix"):
            found = logs.roots_by_prefix_proof(smaller, size, proof)
        elif smaller == size:
            found = (root, root) if proof == [] else None
        else:
            found = logs.roots_by_consistency_proof(smaller, smaller_root, size, proof)
    except Malformed:
        return "unproven"
    return "ok" if found == (smaller_root, root) else "unproven"


def run_fork(vector, path):
    key = bytes.fromhex(vector["key"])
    log = logs.log_id(bytes.fromhex(vector["case"]), key)
    try:
        (proof,) = frames.READERS[frames.FORKS]([decode(bytes.fromhex(vector["input"]), 8192)])
        found, size, is_exact = read_fork_proof(proof, {log: key})
    except Refused:
        return "unproven"
    return "ok" if (found, size, is_exact) == (log, vector["size"], "part" in path.stem) else "another fork"


def run_blob(vector, path):
    data, count = bytes.fromhex(vector["input"]), vector["spans"]
    spans = [data[i * keys.SEALED_SPAN:(i + 1) * keys.SEALED_SPAN] for i in range(count)]
    if logs.root_of([keys.span_hash(span) for span in spans]).hex() != vector["root"]:
        return "other-root"
    found = keys.content_hash(bytes.fromhex(vector["key"]), spans, len(data), vector["size"])
    if found is None:
        return "damaged"
    return "ok" if found.hex() == vector["sha256"] else "another content"


def run_age(vector, path):
    """The ordinary program, which takes no passphrase from a file."""
    if vector["identity"] is None:
        return vector["expect"]
    with tempfile.TemporaryDirectory() as scratch:
        identity, sealed = Path(scratch) / "key", Path(scratch) / "sealed"
        identity.write_text(vector["identity"] + "\n")
        sealed.write_bytes(bytes.fromhex(vector["input"]))
        done = subprocess.run(["age", "--decrypt", "--identity", identity, sealed], capture_output=True)
    if done.returncode == 0:
        return "ok" if done.stdout.hex() == vector["plain"] else "another text"
    # Which words it has for it is its own affair, but for the one that is no fault of the file.
    refused = "no identity matched" in done.stderr.decode()
    return "wrong-identity" if refused else vector["expect"] if vector["expect"] not in ("ok", "wrong-identity") else "refused"


# Formats of one person's vault, and of an invitation, are none that this verifier reads: the Swift tests run their vectors.
NOT_READ = {"anchor", "armor", "attempts", "invitation", "keys-file", "keys-pair", "page", "words"}
RUNNERS = {"cbor": run_cbor, "checkpoint": run_checkpoint, "receipt": run_receipt, "card": run_card,
           "statement": run_statement, "entry": run_entry, "archive": run_archive, "bundle": run_bundle,
           "folder": run_folder, "kit": run_kit, "paper": run_paper, "slot": run_slot, "wrap": run_wrap, "succession": run_succession,
           "frame": run_frame, "proof": run_proof, "fork": run_fork, "state": run_state, "content": run_content,
           "batch": run_batch, "padme": run_padme, "blob": run_blob, "wal": run_wal, "age": run_age}

if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else writer.PROTOCOL / "Vectors"))
