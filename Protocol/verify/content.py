"""What content and notes say: the parts that a person fills, and claimed times (CaseLog.md, "Entry")."""

import calendar

from encoding import MAX_PARTS, Malformed, array, bounded, decode, octets, record, text, tuple_of, uint


# Claimed times --------------------------------------------------------------------------------------

EXACT, DATE, ABOUT, RANGE = range(4)
# Those of the years from 1 to 9999, at whatever minutes east of UTC.
SECONDS = range(-62_135_510_400, 253_402_214_400)


def read_seen(value) -> dict:
    form = uint(value.get(0) if type(value) is dict else None)
    if form > RANGE:
        raise Malformed("a form of time that is not known")
    fields = record(value, (0, 1, 2) if form == RANGE else (0, 1))
    moments = [read_moment(fields[key]) for key in sorted(fields) if key > 0]
    for moment in moments:
        if form == EXACT and moment[0] != 0 or form in (DATE, ABOUT) and moment[0] != 1:
            raise Malformed("a moment of another kind")
    if form == RANGE and first_second(moments[1]) < first_second(moments[0]):
        raise Malformed("a range that ends before it begins")
    return {"form": form, "moments": moments}


def read_moment(value) -> list:
    kind = uint((array(value, 4) or [None])[0])
    if kind == 0:
        _, seconds, minutes = tuple_of(value, 3)
        if type(seconds) is not int or seconds not in SECONDS:
            raise Malformed("a second outside of the years that have a name")
        if type(minutes) is not int or not -1439 <= minutes <= 1439:
            raise Malformed("minutes east of UTC that do not exist")
    elif kind == 1 and 2 <= len(value) <= 4:
        numbers = [uint(part) for part in value[1:]]
        year, month, day = (numbers + [1, 1])[:3]
        if not 1 <= year <= 9999 or not 1 <= month <= 12 or not 1 <= day <= calendar.monthrange(year, month)[1]:
            raise Malformed("a day that does not exist")
    else:
        raise Malformed("a moment that is none")
    return value


def first_second(moment: list) -> int:
    """The first second that a moment can mean, in UTC."""
    if moment[0] == 0:
        return moment[1]
    year, month, day = (moment[1:] + [1, 1])[:3]
    # calendar.timegm refuses nothing, but counts only from year 1 on as we do.
    return calendar.timegm((year, month, day, 0, 0, 0))


# Content and notes ----------------------------------------------------------------------------------

KIB = 1024


def read_content(parts: list, is_whole: bool) -> tuple:
    """Values by label, of which files, names and blobs are several; and the labels that are not known."""
    content, named, unknown = {"file": [], "name": {}, "blob": {}}, [], set()
    for label, data in parts:
        if label not in READERS:
            if label in unknown:
                raise Malformed("a label twice")
            unknown.add(label)
            continue
        value = READERS[label](decode(data, 1 << 20))
        if label == "file":
            content["file"].append(value)
        elif label in ("name", "blob"):
            named.append((label, value))
        else:
            if label in content:
                raise Malformed("a label twice")
            content[label] = value
    if [file["number"] for file in content["file"]] != list(range(len(content["file"]))):
        raise Malformed("files whose numbers are not in order")
    described = {file["number"]: file for file in content["file"]}
    for label, value in named:
        if not is_whole and label == "name" and value["number"] not in described:
            continue
        if value["number"] in content[label]:
            raise Malformed("two names, or two keys, of one file")
        content[label][value["number"]] = value
    if not set(content["name"]) | set(content["blob"]) <= set(described):
        raise Malformed("a name or key without its file")
    if content["blob"] and content.get("minor") or any(described[n]["without"] for n in content["blob"]):
        raise Malformed("a picture that must not be kept")
    return content, unknown


def _read_tags(value):
    return [text(tag, KIB) for tag in array(value, 64)]


def _read_file(value):
    fields = record(value, (0, 1, 2, 3, 4))
    if type(fields[4]) is not bool:
        raise Malformed("not a truth")
    return {"number": uint(fields[0], MAX_PARTS), "size": uint(fields[1], (1 << 40) + 1),
            "sha256": octets(fields[2], 32), "type": text(fields[3], 127), "without": fields[4]}


def _read_name(value):
    fields = record(value, (0, 1))
    name = text(fields[1], KIB) if type(fields[1]) is str else bounded(fields[1], KIB)
    return {"number": uint(fields[0], MAX_PARTS), "name": name}


def _read_blob(value):
    fields = record(value, (0, 1, 2))
    return {"number": uint(fields[0], MAX_PARTS), "root": octets(fields[1], 32), "key": octets(fields[2], 32)}


def _read_takedown(value):
    fields = record(value, (0,), (1, 2))
    step = uint(fields[0])
    if not 1 <= step <= 5:
        raise Malformed("a step that is not known")
    return {"step": step, "where": None if fields[1] is None else text(fields[1], KIB),
            "reference": None if fields[2] is None else text(fields[2], KIB)}


def _read_request(value):
    state = uint(record(value, (0,))[0])
    if not 1 <= state <= 3:
        raise Malformed("a state that is not known")
    return state


def _read_minor(value):
    if value is not True:
        raise Malformed("not true")
    return True


READERS = {
    "url": lambda value: text(value, 8 * KIB),
    "seen": read_seen,
    "words": lambda value: text(value, 512 * KIB),
    "title": lambda value: text(value, KIB),
    "place": lambda value: text(value, KIB),
    "account": lambda value: text(value, KIB),
    "tags": _read_tags,
    "file": _read_file,
    "name": _read_name,
    "blob": _read_blob,
    "about": lambda value: [octets(e, 32) for e in array(value, 4096)],
    "takedown": _read_takedown,
    "request": _read_request,
    "minor": _read_minor,
}
