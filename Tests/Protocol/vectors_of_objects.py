"""Vectors of what a case consists of: cards, statements of the root, and entries."""

import two_keys
from writer import START, Case, domain_hash, encode, logs, seed


def objects(out, case: Case):
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
    out.add("card", "bad-newer-signature", "A signature of 63 bytes, whatever the version.", "malformed",
            input=encode([encode({0: 2, 1: b"whatever"}), bytes(64), bytes(63)]))

    out.add("statement", "good-founding", "A founding statement.", "ok", case=case.id, root=case.root.public,
            input=case.founding)
    lift = {0: 3, 1: case.id, 2: device.id, 3: 4}
    out.add("statement", "good-lift", "Lifts cuts of a log.", "ok", case=case.id, root=case.root.public,
            input=case.root.statement(lift))
    bad = {"signature": ("Signed by a device and not by the root.", encode(
               [encode(lift), device.signing.sign_in("root-statement", encode(lift))])),
           "other-domain": ("Signed under another domain.", encode([encode(lift), case.root.sign_in("card", encode(lift))])),
           "other-case": ("Of another case.", case.root.statement(lift | {1: seed(9)})),
           "lacking": ("A key is lacking.", case.root.statement({0: 3, 1: case.id, 2: device.id})),
           "stays-and-goes": ("Who stays is among those who are cut.", case.root.statement(
               {0: 4, 1: case.id, 2: device.id, 3: [device.id], 4: [0]}))}
    for name, (what, data) in bad.items():
        out.add("statement", f"bad-{name}", what, "malformed", case=case.id, root=case.root.public, input=data)
    out.add("statement", "good-unknown", "A type that no reader of this version knows: it stops an evaluation, and is "
            "well-formed.", "ok", case=case.id, root=case.root.public, input=case.root.statement({0: 9, 1: case.id, 7: [1]}))
    _entries(out, case)


def _entries(out, case: Case):
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


def _two_keys(out, case: Case):
    """One ciphertext and two keys that open it, of which the leaf commits to one."""
    device, sequence, keys_ = case.advocate, 1, (seed(70), seed(71))
    sealed, commit = two_keys.note(case.id, device.id, sequence, keys_, START)
    leaf = logs.Leaf(sequence, 3, commit, domain_hash("ciphertext", sealed))
    for name, what, expect, key in (
            ("good-two-keys", "A ciphertext that opens under two keys, with the key that its leaf commits to.", "ok", keys_[0]),
            ("bad-two-keys", "The same with the other key: it opens, to something else.", "commitment-mismatch", keys_[1])):
        out.add("entry", name, what, expect, case=case.id, log=device.id, key=key, leaf=leaf.data, input=sealed)


def all_of(out, case: Case):
    objects(out, case)
