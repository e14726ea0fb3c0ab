"""Vectors of the two copies of a vault's locks, where they are not two of the same (VaultFiles.md, "keys, keys.bak")."""

from vectors_of_vaults import MASTER, PASSPHRASE, finished, header, locked, u64
from writer import seed

NEW, KIT = b"battery staple", seed(2)[:16]
EVEN, ODD = "vault.db", "vault-2.db"


def locks() -> dict:
    """Files by name, and the master key that is in each. They bear the numbers of their headers."""
    old, new = locked(header()), locked(header(change=8), passphrase=NEW)
    next_one = locked(header(generation=4, change=5), passphrase=NEW, master=seed(33))
    forged = finished(old[:56] + u64(99) + old[64:4064])
    return {"3-7": old, "3-8": new, "4-5": next_one, "3-99-forged": forged, "3-8-cut": new[:-1],
            "newer": locked(header(version=2))}


def all_of(out, _):
    """A case each: name, what it is, what comes of it, the files, by what it is opened. `by` is a passphrase or, None, the kit."""
    everything = locks()
    masters = {name: (seed(33) if name == "4-5" else MASTER).hex() for name in everything}

    def add(name, what, expect, keys, second, by, prepared=None, databases=(ODD,), opened=None, left=None, told=None, **more):
        """`left`: what both copies are then, where that is one file; else they stay."""
        files = {"keys": keys, "keys.bak": second, "keys.bak.new": prepared}
        after = {"keys": left or keys, "keys.bak": left or second}
        given = {"kit": KIT} if by is None else {"passphrase": by.decode()}
        out.add("keys-pair", name, what, expect, **given, files=files, databases=list(databases), opened=opened, left=after,
                told=told, **more)

    def good(name, what, keys, second, by, opened, told="whole", **more):
        add(name, what, "ok", keys, second, by, opened=opened, told=told, **more)

    good("base", "Two of the same. All files of these vectors stand here.", "3-7", "3-7", PASSPHRASE, "3-7",
         locks={name: data.hex() for name, data in everything.items()}, masters=masters)
    good("good-missing-first", "`keys` is missing: it is made again.", None, "3-7", PASSPHRASE, "3-7", "made-again", left="3-7")
    good("good-damaged-second", "`keys.bak` is cut: it is made again.", "3-8", "3-8-cut", NEW, "3-8", "made-again", left="3-8")
    good("good-damaged-kit", "`keys` is cut, and the kit opens the other one.", "3-8-cut", "3-8", None, "3-8", "made-again", left="3-8")
    good("good-newer-second", "`keys.bak` is newer, and opens.", "3-7", "3-8", NEW, "3-8", "differed", left="3-8")
    good("good-newer-generation", "`keys` is of a higher generation, the other one of a higher number. The former is the newer one.",
         "4-5", "3-7", NEW, "4-5", "differed", left="4-5", databases=(EVEN, ODD))
    good("good-stopped-old", "As a writer leaves them that was stopped between the two: the old passphrase opens the older one.",
         "3-8", "3-7", PASSPHRASE, "3-7", left="3-7", prepared="3-8")
    good("good-stopped-new", "The same, and the new passphrase opens the newer one.", "3-8", "3-7", NEW, "3-8", left="3-8",
         prepared="3-8")
    good("good-stopped-kit", "The same, and the kit opens the newer one.", "3-8", "3-7", None, "3-8", left="3-8", prepared="3-8")
    good("good-stopped-generation", "The same with a new master key, whose database is not there: that copy is passed over.",
         "4-5", "3-7", None, "3-7", left="3-7", prepared="4-5")
    good("good-kit-differed", "Two copies of different times and of one database: the kit leaves both, whose numbers it does not prove.",
         "3-7", "3-99-forged", None, "3-99-forged", "differed")
    good("good-kit-databases", "Two copies of different databases: also the kit makes them equal.", "4-5", "3-7", None, "4-5",
         "differed", left="4-5", databases=(EVEN, ODD))

    bad = lambda name, what, expect, keys, second, by, **more: add(f"bad-{name}", what, expect, keys, second, by, **more)
    bad("older-second", "Only the older one opens, and no writer was stopped.", "superseded", "3-8", "3-7", PASSPHRASE)
    bad("older-first", "Only the older one opens, and that is `keys`.", "superseded", "3-7", "3-8", PASSPHRASE)
    bad("older-first-prepared", "The same, with a file as a stopped writer leaves it: it replaces `keys` first.", "superseded",
        "3-7", "3-8", PASSPHRASE, prepared="3-7")
    bad("prepared-other", "The older one is `keys.bak`, and what was prepared for it is not what `keys` is.", "superseded",
        "3-8", "3-7", PASSPHRASE, prepared="3-7")
    bad("older-generation", "Only the one of the lower generation opens, whose number is the higher one.", "superseded",
        "4-5", "3-7", PASSPHRASE, databases=(EVEN, ODD))
    bad("forged", "Whose number was made higher; the passphrase opens the other one.", "superseded", "3-7", "3-99-forged", PASSPHRASE)
    bad("database-missing", "The newer one opens, its database is not there, and the other one's is; no writer was stopped.",
        "superseded", "4-5", "3-7", None)
    bad("outdated", "Both name a database that is not there, and the other one is.", "outdated", "4-5", "4-5", NEW)
    bad("both-damaged", "One is cut, the other one missing.", "damaged", "3-8-cut", None, NEW)
    bad("newer-first", "`keys` is of a later version: a reader looks no further.", "newer-version", "newer", "3-7", PASSPHRASE)
    bad("newer-second", "`keys.bak` is of a later version.", "newer-version", "3-7", "newer", PASSPHRASE)
    bad("passphrase", "Neither opens.", "wrong-passphrase", "3-8", "3-7", b"correct horses", prepared="3-8")
