"""Computes the examples of Protocol/Examples.md once more and compares them with what stands there.

    examples.py [--write]

A block of the page that follows a comment `<!-- example: name -->` is what the function of that name gives.
"""

import json
import re
import sys

import vectors_of_sync
import writer
from writer import START, SURVIVOR, Case, entries, keys, logs, seed
from encoding import b32, decode, domain_hash, encode

PAGE = writer.PROTOCOL / "Examples.md"
CASE = Case().tell()
EVIDENCE = 4


def lines(*rows) -> str:
    """`name  hex`, the hex in lines of 32 bytes."""
    width = max(len(name) for name, _ in rows)
    out = []
    for name, value in rows:
        text = value.hex() if isinstance(value, bytes) else str(value)
        pieces = [text[i:i + 64] for i in range(0, len(text), 64)] if isinstance(value, bytes) else [text]
        out += [f"{name if i == 0 else '':{width}}  {piece}" for i, piece in enumerate(pieces or [""])]
    return "\n".join(line.rstrip() for line in out)


def basics() -> str:
    secret = seed(2)[:16]
    twelve = writer.kit_words(secret)
    assert keys.seed_of_words(twelve) == secret
    framed = b"\x10cairn/v1/case-id" + (32).to_bytes(8, "big") + CASE.root.public
    assert writer.sha256(framed) == CASE.id
    return lines(("root's secret key (seed)", seed(1)), ("root's public key", CASE.root.public),
                 ("hashed for H[case-id]", framed), ("case id", CASE.id), ("fingerprint", b32(CASE.id)),
                 ("kdf(seed, \"entrkey_\", 1)", keys.derive(seed(1), "entrkey_", 1)),
                 ("kit's 16 bytes", secret), ("kit's words", " ".join(twelve[:6])), ("", " ".join(twelve[6:])),
                 ("kit's public key", CASE.kit), ("padme(1000)", keys.padme(1000)))


def card() -> str:
    device = CASE.survivor
    return lines(("body", device.card_body), ("signed", b"\x0dcairn/v1/card" + device.card_body),
                 ("card", device.card), ("log id", device.id))


def statement() -> str:
    body, signature = decode(CASE.root.statement({0: 3, 1: CASE.id, 2: CASE.survivor.id, 3: 4}), 4096)
    return lines(("body of a lift", body), ("statement", encode([body, signature])))


def entry() -> str:
    device = CASE.advocate
    key, parts, ciphertext = device.sealed[0]
    rows = [("entry key k", key)]
    hashes = []
    for i, (label, data) in enumerate(parts):
        salt = keys.derive(key, "partsalt", i)
        hashes.append(entries.part_hash(i, label, salt, data))
        rows += [(f"part {i}, {label}", data), ("  salt", salt), ("  hash", hashes[-1])]
    leaf = device.log.leaves[0]
    rows += [("commit", logs.root_of(hashes)), ("ciphertext hash", leaf.ciphertext_hash), ("leaf data", leaf.data),
             ("leaf hash", logs.leaf_hash(leaf.data)), ("entry id", leaf.entry_id(device.id)),
             ("ciphertext, its length", len(ciphertext)), ("  its first 32 bytes", ciphertext[:32])]
    return lines(*rows)


def checkpoint() -> str:
    return CASE.advocate.checkpoint(receipts=[(CASE.survivor, START + 1000)]).decode().rstrip("\n")


def prefix_proof() -> str:
    device = CASE.survivor
    hashes = [logs.leaf_hash(leaf.data) for leaf in device.log.leaves]
    first, last = logs.root_of(hashes[:4]), logs.node(hashes[4], hashes[5])
    assert logs.roots_by_prefix_proof(4, 6, [first, last]) == (device.log.root_at(4), device.log.root_at(6))
    return lines(("root at 4", device.log.root_at(4)), ("root at 6", device.log.root_at(6)),
                 ("prefix proof, 1st hash", first), ("prefix proof, 2nd hash", last),
                 ("RFC 6962 proof, only", last))


def slot() -> str:
    device, audience = CASE.survivor, (1, CASE.advocate.id)
    epoch, key = CASE.epochs[audience]
    leaf = device.log.leaves[EVIDENCE]
    nonce = domain_hash("slot-nonce", CASE.id, device.id, writer.u64(EVIDENCE), leaf.commit, encode(list(audience)), epoch)
    sealed = device.slot(EVIDENCE, audience, epoch, key)
    assert keys.open_slot(CASE.id, device.id, leaf, audience, epoch, key, sealed) == device.sealed[EVIDENCE][0]
    return lines(("audience", encode(list(audience))), ("epoch key", key), ("epoch id", epoch),
                 ("commitment", keys.epoch_commitment(CASE.id, audience, key)), ("slot key", keys.derive(key, "slotkey_", 1)),
                 ("nonce", nonce[:24]), ("k", device.sealed[EVIDENCE][0]), ("slot", sealed))


def frames() -> str:
    tag = domain_hash("mailbox", CASE.id)
    hello = writer.hello(CASE.id, CASE.advocate.id)
    heads = writer.frame(3, [[CASE.advocate.signing.public, CASE.advocate.checkpoint()]])
    hashed = b"\x0dcairn/v1/head" + writer.u64(len(heads)) + heads
    summary = writer.frame(14, encode(domain_hash("head", heads)))
    assert summary[7:] == writer.sha256(hashed)
    return lines(("hello", hello), ("summary", summary), ("  hashed", hashed[:32]), ("heads", heads),
                 ("end", writer.END),
                 ("subfolder", f"{b32(tag)[:16]}-"), ("", b32(CASE.advocate.id)))


def blob() -> str:
    key, content = seed(6), b"not really a picture"
    length = keys.padme(len(content) + 8)
    plain = content + bytes(length - len(content) - 8) + writer.u64(len(content))
    span_key = keys.derive(key, "blobspan", 1)
    sealed = writer.seal(span_key, bytes(15) + writer.u64(0) + b"\1", b"", plain)
    assert keys.content_hash(key, [sealed], len(sealed), len(content)) == writer.sha256(content)
    return lines(("blob key", key), ("plaintext", plain), ("span key", span_key), ("sealed span", sealed),
                 ("blob root", keys.span_hash(sealed)))


def locks() -> str:
    """A keys file's head and one lock, by the least cost that a reader takes."""
    from nacl import bindings
    passphrase, salt, vault, master = b"correct horse", seed(30)[:16], seed(31)[:16], seed(32)
    head = b"cairnkey" + b"".join(n.to_bytes(4, "big") for n in (1, 65_536, 1)) + vault + salt + bytes(4) + bytes(8)
    key = bindings.crypto_pwhash_alg(32, passphrase, salt, 1, 65_536 * 1024, bindings.crypto_pwhash_ALG_ARGON2ID13)
    nonce = seed(33)[:24]
    sealed = writer.seal(key, nonce, b"cairn/v1/keys-file" + head, master)
    return lines(("passphrase", passphrase.decode()), ("bytes 0 to 63", head), ("passphrase key", key),
                 ("nonce of a lock", nonce), ("master key", master), ("c of the lock", sealed),
                 ("database key", keys.derive(master, "pagesdb_", 1)))


def wrap() -> str:
    audience = (1, CASE.advocate.id)
    epoch, key = CASE.epochs[audience]
    box = writer.seal_box(CASE.advocate.box, key, 70)
    return lines(("epoch key", key), ("advocate's box key", CASE.advocate.box), ("sealed box", box),
                 ("wrap", encode([epoch, CASE.advocate.id, box])))


def share() -> str:
    audience = (1, CASE.advocate.id)
    epoch, key = CASE.epochs[audience]
    part = CASE.survivor.id + writer.u64(EVIDENCE) + CASE.survivor.slot(EVIDENCE, audience, epoch, key)
    batch = domain_hash("slot-batch", part)
    return lines(("one part", part), ("H[slot-batch]", batch),
                 ("part `control`", encode({0: epoch, 1: [[CASE.survivor.id, EVIDENCE, 1]], 2: batch})))


def succession() -> str:
    new = writer.Device(30, CASE.id, SURVIVOR)
    body = encode({0: 1, 1: CASE.id, 2: CASE.survivor.signing.public, 3: new.card})
    return lines(("body", body), ("signed, its first bytes", b"\x13cairn/v1/succession" + body[:12]),
                 ("by the old key", CASE.survivor.signing.sign_in("succession", body)),
                 ("by the new key", new.signing.sign_in("succession", body)), ("new log id", new.id))


def invitation() -> str:
    epoch, key = CASE.epochs[keys.EVERYONE]
    wrapped = encode([epoch, CASE.advocate.id, writer.seal_box(CASE.advocate.box, key, 80)])
    record = encode({0: 1, 1: CASE.root.public, 2: CASE.founding, 3: CASE.survivor.id, 4: [wrapped]})
    bound = domain_hash("invitation", CASE.advocate.card_body) + writer.seal_box(CASE.advocate.box, record, 82)
    return lines(("H[invitation] of body", bound[:32]), ("in the box, length", len(record)), ("  its first bytes", record[:40]),
                 ("  its last bytes", record[-40:]), ("invitation, length", len(bound)), ("  its first bytes", bound[:72]))


def fork() -> str:
    smaller, larger = vectors_of_sync.forked(CASE)
    texts = [logs.read_note(note).text.decode().split("\n") for note in (smaller, larger)]
    proof = encode([smaller, larger, []])
    return lines(("size of both", texts[0][1]), ("one root", texts[0][2]), ("the other root", texts[1][2]),
                 ("proof, its length", len(proof)), ("  its first bytes", proof[:24]), ("  its last bytes", proof[-8:]))


def state_hash() -> str:
    survivor, advocate = CASE.survivor, CASE.advocate
    members = sorted([[survivor.id, 1], [advocate.id, 2]])
    heads = sorted([[d.id, d.log.size, d.log.tree.root] for d in (survivor, advocate)])
    told = encode([CASE.id, members, heads, sorted(epoch for epoch, _ in CASE.epochs.values()), [], [], []])
    assert domain_hash("state", told) == writer.state_hash(CASE.bundle())
    return lines(("c", told), ("H[state] of c", domain_hash("state", told)))


def ranges() -> str:
    leaf = CASE.survivor.log.leaves[5]
    value = {0: CASE.survivor.id, 1: 5, 2: [], 3: [[leaf.cls, leaf.commit, leaf.ciphertext_hash, []]],
             4: CASE.survivor.checkpoint(), 5: []}
    return lines(("range", writer.frame(4, value)), ("file", f"r-{b32(CASE.survivor.id)}-"), ("", "0000000005-0000000006"))


def blob_file() -> str:
    data = (writer.PROTOCOL / "Vectors" / "blob" / "good-empty.json").read_text()
    span = bytes.fromhex(json.loads(data)["input"])
    root = keys.span_hash(span)
    return lines(("sealed span", span), ("file", writer.u64(len(span)) + root + span), ("its name", f"b-{b32(root)}"))


def anchor() -> str:
    from nacl import bindings
    data = (writer.PROTOCOL / "Vectors" / "anchor" / "good.json").read_text()
    vector = json.loads(data)
    key, file = bytes.fromhex(vector["key"]), bytes.fromhex(vector["input"])
    record = bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(file[24:], b"cairn/v1/anchor", file[:24], key)
    return lines(("anchor key", key), ("machine id", b"a machine"), ("inode", 4711),
                 ("place", domain_hash("anchor", b"a machine", writer.u64(4711))), ("record", record), ("nonce", file[:24]),
                 ("file, its last bytes", file[-32:]))


def page() -> str:
    vector = json.loads((writer.PROTOCOL / "Vectors" / "page" / "good.json").read_text())
    sealed, vault = bytes.fromhex(vector["input"]), bytes.fromhex(vector["vault"])
    return lines(("database key", bytes.fromhex(vector["key"])), ("associated data", vault + b"\1" + (2).to_bytes(4, "big")),
                 ("plaintext begins with", bytes.fromhex(vector["plain"])[:24]), ("page begins with", sealed[:24]),
                 ("nonce, at 4056", sealed[4056:4080]), ("tag, at 4080", sealed[4080:]))


def manifest() -> str:
    files = dict(CASE.bundle())
    text = files[writer.archive.PAYLOAD].decode() + "\n" + files[writer.archive.SIGNATURE].decode()
    return text.rstrip("\n")


def archive() -> str:
    return lines(("archive", writer.packed([("a.txt", b"one")])))


def computed(page: str) -> str:
    def block(match) -> str:
        return f"<!-- example: {match[1]} -->\n```\n{globals()[match[1].replace('-', '_')]()}\n```"
    return re.sub(r"<!-- example: ([a-z-]+) -->\n```\n.*?```", block, page, flags=re.S)


if __name__ == "__main__":
    before = PAGE.read_text()
    after = computed(before)
    if "--write" in sys.argv:
        PAGE.write_text(after)
    elif before != after:
        sys.exit("Protocol/Examples.md does not say what comes out")
    print(len(re.findall("<!-- example: ", before)), "examples")
