"""Vectors of what is signed as text: checkpoints and receipts."""

import edges
import writer
from writer import START, Case, Device, logs, seed, u64


def _edges(out, case: Case):
    """Signatures that one verifier takes and another does not."""
    for kind, what in (
            ("small-r", "R is the neutral element; the equation holds."),
            ("r-not-reduced", "The same, with the number of R not reduced."),
            ("mixed-r", "R has a part of order 8: the equation holds only when multiplied by the cofactor."),
            ("mixed-key", "The key has a part of order 8; the equation holds."),
            ("mixed-key-cofactor-only", "The same, where it holds only when multiplied by the cofactor.")):
        # The text names the log, and so the key, over which the signature is made.
        key = edges.edges(seed(72), b"")[kind][0]
        own = logs.origin(logs.log_id(case.id, key))
        body = f"{own}\n0\n{writer.b64(logs.EMPTY_ROOT)}\n".encode()
        signature = edges.edges(seed(72), body)[kind][1]
        out.add("checkpoint", f"bad-{kind}", what, "malformed", case=case.id, key=key,
                input=writer.note(body, [(own, 1, key, signature)]))


def notes(out, case: Case):
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

    resigned = lambda body: device.signed(body.encode())
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
    s = int.from_bytes(sig[32:], "little") + logs.GROUP_ORDER
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
    _edges(out, case)
    _many_signatures(add, device)


def _many_signatures(add, device: Device):
    text = device.checkpoint_text(4)
    own, stranger = device.signature(text), lambda count: ("stranger", 2, b"key", bytes(count))
    whole = writer.note(text, [own, stranger(12_000)])
    rest = 16 * 1024 - len(whole)
    for title, what, extra in (("good-longest", "A note of 16 KiB, by a stranger's long signature.", 0),
                               ("bad-long", "A note that is longer than 16 KiB.", 3)):
        lines = [own, stranger(12_000 + rest * 3 // 4 // 3 * 3 + extra)]
        add(title, what, "malformed" if extra else "ok", writer.note(text, lines))
    add("good-64-signatures", "As many signatures as there may be.", "ok", writer.note(text, [own] + [stranger(5)] * 63))
    add("bad-65-signatures", "A signature too many.", "malformed", writer.note(text, [own] + [stranger(5)] * 64))
    add("bad-second", "A second signature under the same name and id, which does not verify.", "malformed",
        writer.note(text, [own, (*own[:3], own[3][::-1])]))


def receipts(out, case: Case):
    device, advocate = case.survivor, case.advocate
    receipt = device.checkpoint(4, [(advocate, START + 1000)], is_signed=False)
    out.add("receipt", "good", "A receipt by an advocate's key.", "ok", witness=advocate.witness_key(), time=START + 1000,
            input=receipt)
    line = advocate.cosigned(device.checkpoint_text(4), START + 1000)
    later = line[:3] + (u64(START + 1001) + line[3][8:],)
    out.add("receipt", "bad-time", "The time is another one than was signed.", "malformed", time=START + 1001,
            witness=advocate.witness_key(), input=writer.note(device.checkpoint_text(4), [later]))
    out.add("receipt", "bad-head", "The head is another one than was signed.", "malformed", time=START + 1000,
            witness=advocate.witness_key(), input=writer.note(device.checkpoint_text(3), [line]))


def all_of(out, case: Case):
    notes(out, case)
    receipts(out, case)
