"""Vectors of what one person keeps: kit, keys file, anchor, pages, blobs, attempts, and the encrypted file of a bundle."""

import age_writer
import writer
from writer import Case, encode, keys, seed, u64
from encoding import domain_hash

from nacl import bindings

VAULT, SALT, MASTER, PASSPHRASE = seed(31)[:16], seed(30)[:16], seed(32), b"correct horse"


def u32(number: int) -> bytes:
    return number.to_bytes(4, "big")


# The kit --------------------------------------------------------------------------------------------

def kit(out):
    secret = seed(2)[:16]
    check = int.from_bytes(domain_hash("kit", secret)[:4], "big") >> 5
    number = int.from_bytes(secret, "big") << 27 | check
    public, _ = keys.kit_keys(secret)
    said = writer.b32(domain_hash("kit", b"check", public)[:5])
    twelve = writer.words_of(number)
    good = " ".join(twelve)
    out.add("kit", "good", "Twelve words, and what follows from them.", "ok", words=good, seed=secret, key=public,
            check=f"{said[:4]}-{said[4:]}")
    out.add("kit", "good-typed", "In capitals, and with other white space.", "ok", words="\n" + good.upper().replace(" ", "\t\n "),
            seed=secret, key=public, check=f"{said[:4]}-{said[4:]}")
    bad = {"exchanged": ("Two words are exchanged.", " ".join([twelve[1], twelve[0], *twelve[2:]])),
           "eleven": ("A word is missing.", " ".join(twelve[:11])),
           "thirteen": ("A word too many.", " ".join([*twelve, "zoom"])),
           "unknown": ("A word that is not in the list.", " ".join([*twelve[:11], "evidence"])),
           "check": ("Another check.", " ".join(writer.words_of(number ^ 1))),
           "kelvin": ("A k that is no letter of ASCII, and one only in small letters.", good.replace("k", "\u212a", 1)),
           "space": ("A space that is none of ASCII.", good.replace(" ", "\u00a0", 1)),
           "large": ("A number of 2^155, which stands for a seed of more than 16 bytes.", " ".join(writer.words_of(1 << 155)))}
    for name, (what, words) in bad.items():
        out.add("kit", f"bad-{name}", what, "malformed", words=words)
    papers(out, twelve, public)


def papers(out, twelve: list, public: bytes):
    """Files with the words of a kit."""
    numbered = "\n".join(f"{number:2}  {word}" for number, word in enumerate(twelve, 1)) + "\n"
    said = writer.b32(domain_hash("kit", b"check", public)[:5])
    listed = "\n".join(f"<li>{word}</li>" for word in twelve)
    page = f"<!DOCTYPE html>\n<html lang=\"en\">\n<head><title>Twelve words</title></head>\n<body>\n<h1>Twelve words</h1>\n" \
           f"<ol>\n{listed}\n</ol>\n<p>Check: <code>{said[:4]}-{said[4:]}</code></p>\n</body>\n</html>\n"
    full = 32_768
    good = {"": ("A text as a writer makes it.", f"# Twelve words.\n{numbered}#\n# Check: {said[:4]}-{said[4:]}\n"),
            "square": ("What a camera reads from the square.", " ".join(twelve)),
            "typed": ("Capitals, numbers with full stops, other ends of lines, a line for people that does not begin with its sign.",
                      "\t # zoom\r\n" + "\r\n".join(f"{number}.{word.upper()}" for number, word in enumerate(twelve, 1))),
            "mark": ("A text with a byte order mark in front, as some editors write it.", "\ufeff" + numbered),
            "page": ("A page.", page),
            "page-mark": ("A page with one.", "\ufeff" + page),
            "page-attributes": ("A page whose list and items have attributes.",
                                page.replace("<ol>", '<ol class="zoom">').replace("<li>", '<li lang="en">')),
            "page-cut": ("A page that ends within its list.", page[:page.index("</ol>")]),
            "page-two": ("A page with two lists.", page.replace(f"{twelve[6]}</li>", f"{twelve[6]}</li></ol><p>zoom</p><ol>")),
            "longest": ("As long as a file may be.", numbered + "#" * (full - len(numbered)))}
    for name, (what, text) in good.items():
        out.add("paper", f"good-{name}".rstrip("-"), what, "ok", text=text, key=public)
    bad = {"sign-behind": ("A sign for people behind a word is none.", numbered.replace("\n", " #\n", 1)),
           "lacking": ("A word that stands in a line for people only.", numbered.replace("12  ", "# 12  ")),
           "mark-within": ("A byte order mark further on.", "\n\ufeff" + numbered),
           "letter": ("Numbers are digits and full stops.", numbered.replace("12  ", "12) ")),
           "page-outside": ("A page whose words are in no list.", page.replace("<ol>", "<p>").replace("</ol>", "</p>")),
           "page-capitals": ("A page whose list is in capitals.", page.replace("<ol>", "<OL>").replace("</ol>", "</OL>")),
           "page-numbers": ("A page with numbers beside the words.", page.replace("<li>", "<li>1. ")),
           "text-before-page": ("A page that does not begin with its first tag.", "\n" + page),
           "exchanged": ("Two words are exchanged.", numbered.replace(twelve[0], "?").replace(twelve[1], twelve[0]).replace("?", twelve[1])),
           "long": ("A byte longer than a file may be.", numbered + "#" * (full - len(numbered) + 1))}
    for name, (what, text) in bad.items():
        out.add("paper", f"bad-{name}", what, "malformed", text=text, key=public)


def six_words(out, case: Case):
    """The words that two people compare by voice."""
    listed = (writer.PROTOCOL / "words.txt").read_text().split()
    for name, domain, said in (("card", "card-words", case.advocate.card_body), ("case", "case-words", case.root.public)):
        salt = writer.sha256(b"cairn/v1/" + domain.encode())[:16]
        derived = bindings.crypto_pwhash_alg(18, said, salt, 3, 65_536 * 1024, bindings.crypto_pwhash_ALG_ARGON2ID13)
        number = int.from_bytes(derived, "big")
        six = [listed[number // 7776 ** (5 - i) % 7776] for i in range(6)]
        out.add("words", f"good-{name}", f"The six words of a {name}.", "ok", words=" ".join(six),
                input=case.advocate.card if name == "card" else said)


def padme(out):
    edges = [0, 1, 2, 3, 8, 9, 255, 256, 257, 260, 264, 265, 65_535, 65_536, 65_537, 1 << 20, (1 << 20) + 1, (1 << 40) + 9]
    out.add("padme", "edges", "Lengths, and what they are padded to.", "ok", lengths=[[n, keys.padme(n)] for n in edges])


# Keys file ------------------------------------------------------------------------------------------

def header(magic=b"cairnkey", version=1, memory=65_536, passes=1, generation=3, change=7) -> bytes:
    return magic + u32(version) + u32(memory) + u32(passes) + VAULT + SALT + u32(generation) + u64(change)


def locked(head: bytes, lock: int = 0, kit_lock: int = 1, passphrase: bytes = PASSPHRASE, master: bytes = MASTER) -> bytes:
    """A keys file whose passphrase and kit open the given two of its eight locks; what is random is fixed here."""
    key = bindings.crypto_pwhash_alg(32, passphrase, SALT, 1, 65_536 * 1024, bindings.crypto_pwhash_ALG_ARGON2ID13)
    public, _ = keys.kit_keys(seed(2)[:16])
    body = b""
    for i in range(8):
        nonce, c = seed(34, i)[:24], seed(35, i) + seed(36, i)[:16]
        if i == lock:
            c = writer.seal(key, nonce, b"cairn/v1/keys-file" + head, master)
        stranger = bindings.crypto_box_seed_keypair(seed(37, i))[0]
        s = writer.seal_box(public if i == kit_lock else stranger, master if i == kit_lock else seed(38, i), 60 + i)
        body += nonce + c + s + b"".join(seed(39, i, j) for j in range(11))[:348]
    return finished(head + body)


def finished(body: bytes) -> bytes:
    return body + domain_hash("keys-file", body)


def keys_file(out):
    secret, good = seed(2)[:16], locked(header())

    def add(name, what, expect, data, **more):
        out.add("keys-file", name, what, expect, **({"passphrase": PASSPHRASE.decode(), "kit": secret} | more),
                master=MASTER, input=data)

    add("good", "Passphrase in the first lock, kit in the second.", "ok", good)
    add("good-one-lock", "Passphrase and kit in the last lock.", "ok", locked(header(), 7, 7))
    accents = "Gr\u00fc\u00dfe, caf\u00e9, \u1e0d\u0307"
    add("good-accents", "A passphrase that is not ASCII, in NFC.", "ok", locked(header(), passphrase=accents.encode()), passphrase=accents)
    add("wrong-passphrase", "Another passphrase, of the same file.", "wrong-passphrase", good, passphrase="correct horses")
    add("wrong-kit", "Another kit.", "wrong-kit", good, kit=seed(9)[:16])
    add("header-exchanged", "The generation is another one than the lock was sealed under; the hash at the end holds.",
        "wrong-passphrase", finished(good[:55] + b"\4" + good[56:4064]))
    bad = {"magic": ("Not a keys file.", locked(header(magic=b"cairnKey"))),
           "short": ("A byte is missing.", good[:-1]), "long": ("A byte too many.", good + b"\0"),
           "hash": ("A bit of a lock is another one.", good[:70] + bytes([good[70] ^ 1]) + good[71:]),
           "little-memory": ("Less memory than a reader takes.", locked(header(memory=65_535))),
           "much-memory": ("More memory than a reader takes.", locked(header(memory=2_097_153))),
           "no-passes": ("No passes.", locked(header(passes=0))),
           "many-passes": ("More passes than a reader takes.", locked(header(passes=21)))}
    for name, (what, data) in bad.items():
        add(f"bad-{name}", what, "damaged", data)
    add("newer", "A later version.", "newer-version", locked(header(version=2)))


# Anchor, attempts ----------------------------------------------------------------------------------

def anchor(out, case: Case):
    key, nonce = keys.derive(MASTER, "anchor__", 1), seed(40)[:24]
    place = domain_hash("anchor", b"a machine", u64(4711))
    heads = sorted([d.head() for d in (case.survivor, case.advocate)])
    fields = {0: 1, 1: VAULT, 2: place, 3: [[case.id, *head] for head in heads]}

    def add(name, what, expect, value, under=b"cairn/v1/anchor", **more):
        out.add("anchor", name, what, expect, **({"key": key} | more), vault=VAULT, machine=b"a machine".hex(), inode=4711,
                logs=[[part.hex() if type(part) is bytes else part for part in item] for item in fields[3]],
                input=nonce + writer.seal(key, nonce, under, encode(value)))

    add("good", "Two own logs.", "ok", fields)
    add("bad-key", "Another vault's key.", "damaged", fields, key=seed(9))
    add("bad-domain", "Sealed for another use.", "damaged", fields, under=b"cairn/v1/entry")
    add("bad-lacking", "No place.", "damaged", {k: v for k, v in fields.items() if k != 2})
    add("bad-extra", "A key that is not listed.", "damaged", fields | {4: 0})
    add("newer", "A later version, of which nothing else is known.", "newer-version", {0: 2, 1: b"whatever"})


def attempts(out):
    good = b"cairntry" + u32(1) + u32(4) + u32(2) + u32(0) + u64(1_780_000_000) + u64(1_779_000_000)

    def add(name, what, data, *said):
        out.add("attempts", name, what, "ok", input=data, said=list(said))

    add("good", "Four failures in a row, of which two were not told.", good, 4, 2, 1_780_000_000, 1_779_000_000)
    add("bad-magic", "Not such a file: it counts as none.", b"cairnTry" + good[8:], 0, 0, 0, 0)
    add("newer", "Another version counts as none.", good[:11] + b"\2" + good[12:], 0, 0, 0, 0)
    add("bad-short", "A byte is missing: it counts as none.", good[:-1], 0, 0, 0, 0)


# Pages ----------------------------------------------------------------------------------------------

def pages(out):
    key = keys.derive(MASTER, "pagesdb_", 1)

    def unit(kind: int, number: int, plain: bytes) -> bytes:
        nonce = seed(41, kind)[:24]
        sealed = writer.seal(key, nonce, VAULT + bytes([kind]) + u32(number), plain)
        return sealed[:-16] + nonce + sealed[-16:]

    text = (b"a page of a database " * 200)[:4056]
    given = {"key": key, "vault": VAULT}
    out.add("page", "good", "Page 2 of a database.", "ok", **given, number=2, plain=text, input=unit(1, 2, text))
    out.add("page", "bad-number", "Page 3 in the place of page 2.", "locked", **given, number=2, input=unit(1, 3, text))
    out.add("page", "bad-kind", "A page of the log in the place of a page of the database.", "locked", **given, number=2,
            input=unit(4, 2, text))
    out.add("page", "bad-vault", "A page of another vault.", "locked", key=key, vault=seed(9)[:16], number=2,
            input=unit(1, 2, text))
    flipped = bytearray(unit(1, 2, text))
    flipped[4095] ^= 1
    out.add("page", "bad-tag", "A bit of the tag is another one.", "locked", **given, number=2, input=bytes(flipped))


# Blobs ----------------------------------------------------------------------------------------------

def blobs(out):
    key = seed(6)
    span_key = keys.derive(key, "blobspan", 1)

    def sealed(plain: bytes, flags=None, order=None) -> list:
        pieces = [plain[i:i + keys.SPAN] for i in range(0, len(plain), keys.SPAN)]
        spans = [writer.seal(span_key, bytes(15) + u64(i) + bytes([flags[i] if flags else i == len(pieces) - 1]), b"", piece)
                 for i, piece in enumerate(pieces)]
        return [spans[i] for i in order] if order else spans

    def padded(content: bytes, fill: bytes = b"\0", length: int = None) -> bytes:
        zeros = keys.padme(len(content) + 8) - len(content) - 8
        return content + (fill * zeros)[:zeros] + u64(len(content) if length is None else length)

    def add(name, what, expect, spans, content, **more):
        root = writer.logs.root_of([keys.span_hash(span) for span in spans])
        out.add("blob", name, what, expect, **({"key": key, "root": root} | more), spans=len(spans),
                size=len(content), sha256=writer.sha256(content), input=b"".join(spans))

    # 1000 bytes are padded to 1024; what is two spans long costs a vector 128 KiB, so there are few of it.
    small, large = b"cairn " * 160, bytes(range(256)) * 257
    small = small[:959]
    add("good", "One span, which is the last.", "ok", sealed(padded(small)), small)
    add("good-empty", "An attachment without content.", "ok", sealed(padded(b"")), b"")
    add("good-two", "Two spans.", "ok", sealed(padded(large)), large)
    add("bad-root", "The blob of another name.", "other-root", sealed(padded(small)), small, root=seed(9))
    add("bad-key", "Another key.", "damaged", sealed(padded(small)), small, key=seed(9))
    add("bad-flag", "A last span that is not marked as one.", "damaged", sealed(padded(small), flags=[0]), small)
    whole = (large * 2)[:2 * keys.SPAN - 8]
    add("bad-order", "Two whole spans that are exchanged.", "damaged", sealed(padded(whole), order=[1, 0]), whole)
    add("bad-padding", "Padding that is not zero.", "damaged", sealed(padded(small, fill=b"\1")), small)
    add("bad-length", "A length that does not belong to the padding.", "damaged", sealed(padded(small, length=3)), small)


# age ------------------------------------------------------------------------------------------------

def ages(out):
    secret, file_key, nonce, plain = seed(50), seed(51)[:16], seed(52)[:16], b"PK and so on" * 5
    mine = age_writer.to_key(secret, file_key, seed(53))
    given = {"identity": age_writer.identity(secret), "plain": plain}
    good = age_writer.file([mine], file_key, nonce, plain)

    def add(name, what, expect, data, **more):
        out.add("age", name, what, expect, **(given | more), input=data)

    add("good", "To one key.", "ok", good)
    add("good-two", "To two keys, of which the second is ours, and a stanza that nobody knows.", "ok", age_writer.file(
        [age_writer.to_key(seed(54), file_key, seed(55)), age_writer.stanza(["grease", "x"], b"\0" * 48), mine],
        file_key, nonce, plain))
    add("good-armored", "The same in armor.", "ok", writer.armored("AGE ENCRYPTED FILE", good).encode())
    add("wrong-identity", "To another key.", "wrong-identity", age_writer.file(
        [age_writer.to_key(seed(54), file_key, seed(55))], file_key, nonce, plain))
    add("bad-mac", "A header that was changed: a stanza more.", "encryption-damaged",
        good.replace(b"---", b"-> grease\n\n---", 1))
    add("bad-payload", "A bit of the payload.", "encryption-damaged", good[:-1] + bytes([good[-1] ^ 1]))
    add("bad-cut", "No payload.", "encryption-damaged", good[:good.index(b"\n", good.index(b"---")) + 17])
    add("bad-version", "Another version of age.", "not-a-bundle", good.replace(b"org/v1", b"org/v2", 1))
    by_words = {"identity": None, "passphrase": "correct horse"}
    stanza = age_writer.to_passphrase(b"correct horse", file_key, seed(56)[:16], 10)
    add("good-passphrase", "With a passphrase.", "ok", age_writer.file([stanza], file_key, nonce, plain), **by_words)
    add("wrong-passphrase", "With another one.", "wrong-passphrase", age_writer.file([stanza], file_key, nonce, plain),
        **(by_words | {"passphrase": "correct horses"}))
    costly = age_writer.to_passphrase(b"correct horse", file_key, seed(56)[:16], 10, stated="23")
    add("bad-work-factor", "A work factor beyond the limit.", "not-a-bundle",
        age_writer.file([costly], file_key, nonce, plain), **by_words)
    add("bad-passphrase-and-key", "A stanza for a passphrase beside another one.", "not-a-bundle",
        age_writer.file([stanza, mine], file_key, nonce, plain), **by_words)


def all_of(out, case: Case):
    kit(out)
    six_words(out, case)
    padme(out)
    keys_file(out)
    anchor(out, case)
    attempts(out)
    pages(out)
    blobs(out)
    ages(out)
