"""Vectors of what members hand to each other: wraps, slots, successions, invitations, and their armor."""

import writer
from writer import SURVIVOR, Case, Device, armored, encode, keys, seed
from encoding import domain_hash


def wraps(out, case: Case):
    audience = (1, case.advocate.id)
    epoch, key = case.epochs[audience]
    given = {"case": case.id, "audience": encode(list(audience)), "box": seed(20, 3), "epoch": epoch,
             "commitment": keys.epoch_commitment(case.id, audience, key)}
    box = writer.seal_box(case.advocate.box, key, 70)

    def add(name, what, expect, data, **more):
        out.add("wrap", name, what, expect, **(given | more), input=data)

    add("good", "An epoch key for the advocate.", "ok", encode([epoch, case.advocate.id, box]), key=key)
    add("good-kit", "The same for the kit.", "ok", encode([epoch, None, writer.seal_box(case.kit, key, 71)]), key=key,
        box=domain_hash("kit", b"box", seed(2)[:16]))
    add("wrong-box", "For somebody else.", "locked", encode([epoch, case.advocate.id, writer.seal_box(case.survivor.box, key, 72)]))
    add("wrong-key", "Another key than the epoch entry commits to.", "commitment-mismatch",
        encode([epoch, case.advocate.id, writer.seal_box(case.advocate.box, seed(9), 73)]))
    add("bad-two", "The box is missing.", "malformed", encode([epoch, case.advocate.id]))
    add("bad-short", "A box of 79 bytes.", "malformed", encode([epoch, case.advocate.id, box[:79]]))


def slots(out, case: Case):
    device, audience = case.survivor, (1, case.advocate.id)
    epoch, key = case.epochs[audience]
    leaf, good = device.log.leaves[4], device.slot(4, audience, epoch, key)

    def add(name, what, expect, data, **more):
        out.add("slot", name, what, expect, **({"case": case.id, "log": device.id, "leaf": leaf.data, "epoch": epoch,
                "audience": encode(list(audience)), "epoch-key": key} | more), input=data)

    add("good", "The key of an entry for the audience of an advocate.", "ok", good, key=device.sealed[4][0])
    add("bad-leaf", "The slot of another entry.", "locked", device.slot(5, audience, epoch, key))
    add("bad-audience", "Sealed for another audience under the same key.", "locked", device.slot(4, (0, None), epoch, key))
    add("bad-epoch", "Sealed for another epoch under the same key.", "locked", device.slot(4, audience, seed(9), key))
    add("bad-key", "Another epoch key.", "locked", good, **{"epoch-key": seed(9)})
    add("bad-log", "The same sequence of another log.", "locked", good, log=case.advocate.id)


def successions(out, case: Case):
    old, new = case.survivor, Device(30, case.id, SURVIVOR)
    body = {0: 1, 1: case.id, 2: old.signing.public, 3: new.card}

    def signed(fields: dict, by_old=None, by_new=None) -> bytes:
        data = encode(fields)
        return encode([data, (by_old or old.signing).sign_in("succession", data),
                       (by_new or new.signing).sign_in("succession", data)])

    def add(name, what, expect, data):
        out.add("succession", name, what, expect, case=case.id, input=data)

    add("good", "New keys for the survivor's device.", "ok", signed(body))
    add("newer", "A later version.", "newer-version", signed({0: 2, 1: b"whatever"}))
    bad = {"case": ("Of another case.", signed(body | {1: seed(9)})),
           "old": ("Not signed by the old key.", signed(body, by_old=case.advocate.signing)),
           "new": ("Not signed by the new key, so that it could claim somebody else's card.",
                   signed(body, by_new=case.advocate.signing)),
           "same": ("The same key again.", signed(body | {3: old.card}, by_new=old.signing)),
           "card": ("A card that is none.", signed(body | {3: b"card"})),
           "domain": ("Signed under another domain.", encode([encode(body), *(
               key.sign_in("card", encode(body)) for key in (old.signing, new.signing))])),
           "extra": ("A key that is not listed.", signed(body | {4: 0}))}
    for name, (what, data) in bad.items():
        add(f"bad-{name}", what, "malformed", data)


def invitations(out, case: Case):
    advocate, audience = case.advocate, (1, case.advocate.id)
    wrap = lambda number, epoch, key: encode([epoch, advocate.id, writer.seal_box(advocate.box, key, number)])
    fields = {0: 1, 1: case.root.public, 2: case.founding, 3: case.survivor.id,
              4: [wrap(80, *case.epochs[keys.EVERYONE]), wrap(81, *case.epochs[audience])]}
    identifier = domain_hash("invitation", advocate.card_body)

    def add(name, what, expect, value, to=advocate.box, card=identifier):
        out.add("invitation", name, what, expect, card=advocate.card, box=seed(20, 3), case=case.id,
                input=card + writer.seal_box(to, encode(value), 82))

    add("good", "For the advocate, with two wraps.", "ok", fields)
    add("newer", "A later version.", "newer-version", {0: 2, 1: b"whatever"})
    add("other-card", "For another card.", "other-card", fields, card=seed(9))
    add("bad-box", "Its box is sealed to somebody else.", "locked", fields, to=case.survivor.box)
    stranger = writer.SigningKey(seed(9))
    bad = {"root": ("Another root than signed the founding statement.", fields | {1: stranger.public}),
           "statement": ("The statement is no founding one.", fields | {2: case.root.statement(
               {0: 3, 1: case.id, 2: case.survivor.id, 3: 4})}),
           "wrap": ("A wrap that is none.", fields | {4: [b"wrap"]}),
           "array": ("A wrap as an item and not as a byte string.", fields | {4: [[seed(9), None, bytes(80)]]}),
           "lacking": ("No inviter.", {k: v for k, v in fields.items() if k != 3})}
    for name, (what, value) in bad.items():
        add(f"bad-{name}", what, "malformed", value)


def armor(out, case: Case):
    good = armored("CAIRN CARD", case.advocate.card)

    def add(name, what, expect, text):
        out.add("armor", name, what, expect, card=case.advocate.card, text=text)

    add("good", "A card as text.", "ok", good)
    add("good-mailed", "What mail programs make of it.", "ok",
        "\r\n \t" + good.replace("\n", " \r\n\r\n\t").replace("A", "A ", 2))
    bad = {"label": ("Another label.", armored("CAIRN INVITATION", case.advocate.card)),
           "text": ("Words before the first line.", "Here is my card:\n" + good),
           "end": ("No last line.", good[:good.index("-----END")]),
           "digit": ("A character that is no digit of base64.", good.replace("\n", "\n*", 1)),
           "dashes": ("A begin line with four dashes.", good[1:]),
           "long": ("A card longer than its limit.", armored("CAIRN CARD", bytes(4097)))}
    for name, (what, text) in bad.items():
        add(f"bad-{name}", what, "malformed", text)


def all_of(out, case: Case):
    wraps(out, case)
    slots(out, case)
    successions(out, case)
    invitations(out, case)
    armor(out, case)
