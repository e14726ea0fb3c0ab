"""Changes a folder in which copies meet: bytes, frames, values in them, whole files."""

import shutil
from pathlib import Path

import cbor2

import mutate
import writer


def split(data: bytes) -> list:
    """Frames as (type, payload)."""
    found = []
    while data:
        length = int.from_bytes(data[1:5], "big")
        found.append((data[0], data[5:5 + length]))
        data = data[5 + length:]
    return found


def join(found: list) -> bytes:
    return b"".join(writer.frame(kind, payload) for kind, payload in found)


def change_bytes(path: Path, chance) -> str:
    data = path.read_bytes()
    change = chance.choice([mutate.flip, mutate.flip, mutate.cut, mutate.append])
    data, what = change(data, chance)
    path.write_bytes(data)
    return what


def change_frame(path: Path, chance) -> str:
    """A frame left out, doubled, exchanged, or a value within it changed."""
    found = split(path.read_bytes())
    i, j = chance.randrange(len(found)), chance.randrange(len(found))
    what = chance.choice(["out", "doubled", "exchanged", "value", "value", "value", "type"])
    if what == "out":
        found.pop(i)
    elif what == "doubled":
        found.insert(i, found[i])
    elif what == "exchanged":
        found[i], found[j] = found[j], found[i]
    elif what == "type":
        found[i] = (chance.choice([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 14, 15, 0x7F]), found[i][1])
    else:
        tree = [cbor2.loads(found[i][1])]
        what = mutate.change_value(tree, chance)
        found[i] = (found[i][0], cbor2.dumps(tree[0] if tree else None, canonical=True))
    if path.name == "head" and chance.random() < 0.7:
        what += ", summed up again" if sum_up(found) else ""
    path.write_bytes(join(found))
    return f"frame {i}: {what}"


def sum_up(found: list) -> bool:
    """As whoever wrote other frames would: the first summary is that of the frames after it and before the end."""
    place = next((i for i, (kind, _) in enumerate(found) if kind == 14), None)
    if place is None:
        return False
    rest = [join([one]) for one in found[place + 1:] if one[0] != 0x7F]
    found[place] = (14, cbor2.dumps(writer.domain_hash("head", *rest)))
    return True


def change_files(path: Path, chance) -> str:
    """A file removed, exchanged with another, copied to another name, or replaced by a link."""
    others = [p for p in path.parent.parent.glob("*/*") if p != path]
    other = chance.choice(others)
    what = chance.choice(["removed", "exchanged", "copied over", "link", "renamed"])
    if what == "removed":
        path.unlink()
    elif what == "exchanged":
        mine, theirs = path.read_bytes(), other.read_bytes()
        path.write_bytes(theirs)
        other.write_bytes(mine)
    elif what == "copied over":
        shutil.copyfile(other, path)
    elif what == "link":
        path.rename(path.parent / "elsewhere")
        path.symlink_to("elsewhere")
    else:
        name = path.name
        path.rename(path.parent / (name[:-1] + ("0" if name[-1] != "0" else "1")))
    return f"{what} ({other.name[:6]})"


def change(folder: Path, chance) -> str:
    """Changes one file of it and says what."""
    path = chance.choice(sorted(folder.glob("*/*")))
    is_stream = not path.name.startswith("b-")
    chosen = chance.choice([change_bytes, change_files, change_frame, change_frame] if is_stream
                           else [change_bytes, change_files])
    return f"{path.parent.name[17:21]}/{path.name[:6]} {chosen(path, chance)}"
