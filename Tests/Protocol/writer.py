"""Writes a small case as Protocol/ says, from fixed keys: what examples and vectors are made from.

It is the writing half of Protocol/verify and used by tests only. Two runs make the same bytes.
"""

import hashlib
import io
import sys
import zlib
from pathlib import Path

PROTOCOL = Path(__file__).resolve().parents[2] / "Protocol"
sys.path.insert(0, str(PROTOCOL / "verify"))

from nacl import bindings  # noqa: E402

import archive  # noqa: E402
import bundle  # noqa: E402
import entries  # noqa: E402
import frames  # noqa: E402
import keys  # noqa: E402
import logs  # noqa: E402
import proof  # noqa: E402
import report  # noqa: E402
import state  # noqa: E402
from encoding import b32, b64, domain_hash, encode, sha256, signed_message, u64  # noqa: E402
from statements import ADVOCATE, SURVIVOR  # noqa: E402

START = 1_780_000_000  # 2026-05-28 20:26:40 UTC


def seed(*numbers: int) -> bytes:
    """A secret that everybody knows."""
    return sha256(b"cairn example", *(number.to_bytes(max(1, -(-number.bit_length() // 8)), "big") for number in numbers))


class SigningKey:
    def __init__(self, secret: bytes):
        self.public, self._secret = bindings.crypto_sign_seed_keypair(secret)

    def sign(self, message: bytes) -> bytes:
        return bindings.crypto_sign(message, self._secret)[:64]

    def sign_in(self, domain: str, message: bytes) -> bytes:
        return self.sign(signed_message(domain, message))


class Root(SigningKey):
    """A case's."""

    @property
    def case_id(self) -> bytes:
        return domain_hash("case-id", self.public)

    def statement(self, body: dict) -> bytes:
        body = encode(body)
        return encode([body, self.sign_in("root-statement", body)])


def seal(key: bytes, nonce: bytes, associated: bytes, plain: bytes) -> bytes:
    return bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(plain, associated, nonce, key)


def plaintext(parts: list) -> bytes:
    """What the parts of an entry are sealed as, with padding."""
    content = encode([list(part) for part in parts])
    plain = len(content).to_bytes(4, "big") + content
    return plain + bytes(max(256, keys.padme(len(plain))) - len(plain))


def seal_box(public: bytes, plain: bytes, number: int) -> bytes:
    """A sealed box whose one-time key is fixed. Never do this outside of an example."""
    one_time, secret = bindings.crypto_box_seed_keypair(seed(200, number))
    nonce = hashlib.blake2b(one_time + public, digest_size=24).digest()
    return one_time + bindings.crypto_box(plain, nonce, public, secret)


def note(text: bytes, lines: list) -> bytes:
    """Lines are (name, algorithm, key, signature bytes)."""
    out = text + b"\n"
    for name, algorithm, key, signature in lines:
        out += f"\u2014 {name} {b64(logs.key_id(name, algorithm, key) + signature)}\n".encode()
    return out


def by_root(notes: list) -> list:
    """Heads of one log in the order that a fork proof has."""
    return sorted(notes, key=lambda data: logs.read_checkpoint(logs.read_note(data).text).root)


class Device:
    """A member's keys and log."""

    def __init__(self, number: int, case_id: bytes, role: int):
        self.case_id, self.number, self.role = case_id, number, role
        self.signing, self.receipt = SigningKey(seed(number, 1)), SigningKey(seed(number, 2))
        self.box, self.box_secret = bindings.crypto_box_seed_keypair(seed(number, 3))
        self.card_body = encode({0: 1, 1: self.signing.public, 2: self.receipt.public, 3: self.box, 4: role})
        self.card = encode([self.card_body, self.signing.sign_in("card", self.card_body),
                            self.receipt.sign_in("card", self.card_body)])
        self.log = logs.Log(logs.log_id(case_id, self.signing.public), self.signing.public)
        self.sealed = []      # (k, parts, ciphertext)

    @property
    def id(self) -> bytes:
        return self.log.id

    def append(self, cls: int, kind: int, parts: list, clock: int = START, heads=(), receipts=()) -> bytes:
        """Parts are (label, value); header and context come before them. Returns the entry's id."""
        sequence = self.log.size
        key = seed(self.number, 100, *sequence.to_bytes(max(1, -(-sequence.bit_length() // 8))))
        head = {0: self.case_id, 1: self.id, 2: sequence, 3: kind, 4: len(parts) + 2}
        context = {0: clock, 1: [list(h) for h in sorted(heads)], 2: list(receipts)}
        return self.append_parts(cls, key, [("header", encode(head)), ("context", encode(context))]
                                 + [(label, encode(value)) for label, value in parts])

    def append_parts(self, cls: int, key: bytes, parts: list) -> bytes:
        ciphertext = seal(keys.derive(key, "entrkey_", 1), bytes(24), b"cairn/v1/entry", plaintext(parts))
        commit = logs.root_of(keys.part_hashes(key, parts))
        leaf = logs.Leaf(self.log.size, cls, commit, domain_hash("ciphertext", ciphertext))
        self.log.append(leaf)
        self.sealed.append((key, parts, ciphertext))
        return leaf.entry_id(self.id)

    def entry_id(self, sequence: int) -> bytes:
        return self.log.leaves[sequence].entry_id(self.id)

    def head(self, size: int = None) -> tuple:
        size = self.log.size if size is None else size
        return self.id, size, self.log.root_at(size)

    def checkpoint_text(self, size: int = None, root: bytes = None) -> bytes:
        """Of its own history, or over whatever root."""
        _, size, root = self.head(size) if root is None else (self.id, size, root)
        return f"{logs.origin(self.id)}\n{size}\n{b64(root)}\n".encode()

    def checkpoint(self, size: int = None, receipts=(), is_signed: bool = True) -> bytes:
        """With receipts, each (device, time)."""
        text = self.checkpoint_text(size)
        lines = [self.signature(text)] if is_signed else []
        return note(text, lines + [giver.cosigned(text, time) for giver, time in receipts])

    def signature(self, text: bytes) -> tuple:
        """The line by which its log signs a text."""
        return logs.origin(self.id), 1, self.signing.public, self.signing.sign(text)

    def signed(self, text: bytes) -> bytes:
        return note(text, [self.signature(text)])

    def cosigned(self, text: bytes, time: int) -> tuple:
        signature = self.receipt.sign(b"cosignature/v1\ntime %d\n" % time + text)
        return logs.origin(self.id) + "/receipt", 4, self.receipt.public, u64(time) + signature

    def witness_key(self) -> str:
        return logs.WitnessKey.of_member(self.id, self.receipt.public).text

    def succeeded_by(self, new) -> bytes:
        body = encode({0: 1, 1: self.case_id, 2: self.signing.public, 3: new.card})
        return encode([body, *(device.signing.sign_in("succession", body) for device in (self, new))])

    def slot(self, sequence: int, audience: tuple, epoch: bytes, epoch_key: bytes) -> bytes:
        leaf = self.log.leaves[sequence]
        nonce = domain_hash("slot-nonce", self.case_id, self.id, u64(sequence), leaf.commit,
                            encode(list(audience)), epoch)[:24]
        return seal(keys.derive(epoch_key, "slotkey_", 1), nonce, b"cairn/v1/slot", self.sealed[sequence][0])

    def disclosed(self, hidden=(), withheld=()) -> list:
        """Entries as a bundle has them: without `hidden` ones, and with the parts of `withheld` labels as hashes."""
        items = []
        for sequence, (key, parts, _) in enumerate(self.sealed):
            if sequence in hidden:
                continue
            shown = []
            for i, (label, data) in enumerate(parts):
                salt = keys.derive(key, "partsalt", i)
                is_hidden = label == "blob" or label in withheld
                shown.append(entries.part_hash(i, label, salt, data) if is_hidden else [label, salt, data])
            items.append([sequence, shown])
        return items


def newer_card() -> bytes:
    """Of a later version, of which nothing else is known."""
    return encode([encode({0: 2, 1: b"whatever"}), bytes(64), bytes(64)])


class Case:
    """A survivor's device and an advocate, two epochs, an entry with a file, a private one, and a note."""

    def __init__(self):
        self.root = Root(seed(1))
        self.id = self.root.case_id
        self.kit, self.kit_secret = keys.kit_keys(seed(2)[:16])
        self.survivor = Device(10, self.id, SURVIVOR)
        self.advocate = Device(20, self.id, ADVOCATE)
        self.founding = self.root.statement(
            {0: 1, 1: self.id, 2: self.root.public, 3: self.survivor.card, 4: seal_box(self.kit, seed(1), 1)})
        self.statements = [self.founding]
        self.epochs = {}      # audience: (id, key)
        self.slots = {}       # (log id, sequence): [(epoch id, slot)]
        self.files = {}       # SHA-256: content
        self.others = []      # further members
        self.forks = []       # proofs, encoded
        self.receipts = []    # of a bundle, beside those over the newest heads: (of, size, by, time)
        self._begin()

    def epoch(self, audience: tuple, members: list, clock: int = START) -> bytes:
        key = seed(3, len(self.epochs))
        fields = {0: list(audience), 1: keys.epoch_commitment(self.id, audience, key), 2: sorted(members), 3: []}
        epoch = self.survivor.append(1, entries.EPOCH, [("control", fields)], clock)
        self.epochs[audience] = epoch, key
        self.give(self.survivor, self.survivor.log.size - 1, keys.EVERYONE)
        return epoch

    def give(self, device: Device, sequence: int, audience: tuple):
        epoch, key = self.epochs[audience]
        self.slots.setdefault((device.id, sequence), []).append(
            (epoch, device.slot(sequence, audience, epoch, key)))

    def _begin(self):
        survivor, advocate = self.survivor, self.advocate
        self.epoch(keys.EVERYONE, [survivor.id])
        self.epoch((0, None), [survivor.id])
        survivor.append(1, entries.ADMIT, [("control", {0: advocate.card, 1: ADVOCATE})], START + 60)
        self.give(survivor, 2, keys.EVERYONE)
        self.epoch((1, advocate.id), [survivor.id, advocate.id], START + 60)

    def tell(self, picture: bytes = b"not really a picture"):
        """What a small case says."""
        survivor, advocate = self.survivor, self.advocate
        self.files[sha256(picture)] = picture
        first = survivor.append(2, entries.EVIDENCE, [
            ("url", "https://social.example/p/8817"), ("seen", {0: 0, 1: [0, START - 3600, 120]}),
            ("words", "He wrote the day after I left."), ("tags", ["threat"]),
            ("file", {0: 0, 1: len(picture), 2: sha256(picture), 3: "image/png", 4: False}),
            ("name", {0: 0, 1: "shot.png"}), ("blob", {0: 0, 1: seed(5), 2: seed(6)})], START + 300)
        self.give(survivor, 4, (1, advocate.id))
        survivor.append(2, entries.EVIDENCE, [("words", "Only for me.")], START + 400)
        self.give(survivor, 5, (0, None))
        advocate.append(3, entries.TAKEDOWN, [("about", [first]), ("takedown", {0: 1, 1: "social.example"})],
                        START + 500, heads=[survivor.head()])
        self.give(advocate, 0, (1, advocate.id))
        return self

    # A bundle, as a list of (path, content)

    def case_file(self, exhibits: list, scope: int = 0) -> dict:
        devices = self.devices()
        return {0: 1, 1: self.id, 2: list(self.statements), 3: self.survivor.id, 4: START + 10_000, 5: scope,
                6: [[d.id, d.signing.public, d.log.size] for d in devices], 7: exhibits, 8: "example", 9: [], 10: self.forks}

    def devices(self) -> list:
        return sorted([self.survivor, self.advocate, *self.others], key=lambda d: d.id)

    def bundle(self, hidden=(5,)) -> list:
        devices = self.devices()
        index = devices.index(self.survivor)
        files = {"data/exhibits/1-0.png": content for content in self.files.values()}
        files["proof/case.cbor"] = encode(self.case_file([[index, 4, 0, path] for path in files]))
        for i, device in enumerate(devices):
            if device.log.size == 0:
                continue
            other = self.advocate if device is self.survivor else self.survivor
            files[f"proof/logs/{i}.note"] = device.checkpoint(receipts=[(other, START + 1000)])
            files[f"proof/logs/{i}.leaves"] = b"".join(leaf.data for leaf in device.log.leaves)
            files[f"proof/logs/{i}.cbor"] = encode(device.disclosed(hidden if device is self.survivor else ()))
        for i, (device, size, giver, time) in enumerate(self.receipts):
            files[f"proof/receipts/{i}.note"] = device.checkpoint(size, [(giver, time)], is_signed=False)
        return finished(files, self.survivor)


def finished(files: dict, exporter: Device) -> list:
    """A bundle with everything that follows from the rest: fixed files, report, lists, signature."""
    files = files | {"bagit.txt": archive.BAGIT, "proof/README.txt": archive.README, archive.REPORT: b""}
    files[archive.REPORT] = rendered(list(relisted(files).items()))
    return list(sealed(relisted(files), exporter).items())


def sealed(files: dict, exporter: Device) -> dict:
    """The same with the exporter's signature over the lists."""
    text = f"cairn-bundle/v1\n{b32(exporter.case_id)}\n{b64(sha256(files[archive.TAGS]))}\n".encode()
    return files | {archive.SIGNATURE: exporter.signed(text)}


def relisted(files: dict) -> dict:
    """The same with lists that hold."""
    files = {path: files[path] for path in files if path not in (archive.PAYLOAD, archive.TAGS, "bag-info.txt")}
    payload = sorted(p for p in files if p.startswith("data/"))
    files["bag-info.txt"] = f"Payload-Oxum: {sum(len(files[p]) for p in payload)}.{len(payload)}\n".encode()
    files[archive.PAYLOAD] = _lines(files, payload)
    files[archive.TAGS] = _lines(files, sorted(
        p for p in files if p not in payload and p not in (archive.TAGS, archive.SIGNATURE)))
    return files


def _lines(files: dict, paths: list) -> bytes:
    return "".join(f"{hashlib.sha256(files[p]).hexdigest()}  {p}\n" for p in paths).encode()


def rendered(files: list) -> bytes:
    """The report of a bundle that is whole but for its report and signature."""
    zipped, findings = archive.Archive(io.BytesIO(packed(files))), []
    payload = archive.check_bag(zipped)
    made = bundle.Bundle(proof.Proof(zipped), bundle.Trust())
    made.show(zipped, payload, findings)
    return report.render(made, findings)


def state_hash(files: list) -> bytes:
    """Of a bundle that is whole."""
    return state.state_hash(bundle.verify(io.BytesIO(packed(files)), bundle.Trust()).bundle.state)


def packed(files: list) -> bytes:
    """A ZIP archive of the one form."""
    body, directory = b"", b""
    for path, content in files:
        name, crc = path.encode(), zlib.crc32(content)
        directory += archive._directory_header(name, crc, len(content), len(body))
        body += archive._local_header(name, crc, len(content)) + content
    return body + directory + archive.Archive._tail(len(files), len(directory), len(body))


def sealed_spans(key: bytes, content: bytes) -> list:
    """Of an attachment."""
    plain = content + bytes(keys.padme(len(content) + 8) - len(content) - 8) + u64(len(content))
    pieces = [plain[i:i + keys.SPAN] for i in range(0, len(plain), keys.SPAN)]
    return [seal(keys.derive(key, "blobspan", 1), bytes(15) + u64(i) + bytes([i == len(pieces) - 1]), b"", piece)
            for i, piece in enumerate(pieces)]


def blob_file(spans: list) -> bytes:
    """As it lies in a mailbox."""
    return u64(sum(map(len, spans))) + b"".join(map(keys.span_hash, spans)) + b"".join(spans)


# As people have it ----------------------------------------------------------------------------------

def armored(label: str, data: bytes) -> str:
    """Base64 between two lines that say what it is."""
    text = b64(data)
    return "\n".join([f"-----BEGIN {label}-----", *(text[i:i + 64] for i in range(0, len(text), 64)),
                      f"-----END {label}-----", ""])


def kit_words(secret: bytes) -> list:
    return words_of(int.from_bytes(secret, "big") << 27 | int.from_bytes(domain_hash("kit", secret)[:4], "big") >> 5)


def words_of(number: int) -> list:
    """The twelve words of a kit, whatever the number means."""
    listed, twelve = keys.WORDS.read_text().split(), []
    for _ in range(12):
        number, digit = divmod(number, len(listed))
        twelve.insert(0, listed[digit])
    return twelve


# Frames ---------------------------------------------------------------------------------------------

def frame(kind: int, value) -> bytes:
    payload = value if type(value) is bytes else encode(value)
    return bytes([kind]) + len(payload).to_bytes(4, "big") + payload


def hello(case_id: bytes, sender: bytes) -> bytes:
    return frame(frames.HELLO, {0: 1, 1: domain_hash("mailbox", case_id), 2: sender})


END = frame(frames.END, None)
