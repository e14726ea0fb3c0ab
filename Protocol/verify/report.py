"""The report of a bundle, rendered again (Report.md): a Mustache template over the data made here.

Every value is escaped here, once, so that the template puts it in as it is.
"""

import datetime
from pathlib import Path

import chevron

import logs
from content import ABOUT, SECONDS
from encoding import DAY, b32
from entries import AMEND, EVIDENCE, PLAIN_NOTE, REQUEST, RETRACT, TAKEDOWN
from statements import ADVOCATE, SURVIVOR

TEMPLATE = (Path(__file__).parent.parent / "report.mustache").read_text(encoding="utf-8")

KINDS = {EVIDENCE: "Evidence", AMEND: "Addition", RETRACT: "Retraction", PLAIN_NOTE: "Note", TAKEDOWN: "Takedown record",
         REQUEST: "Request"}
STEPS = {1: "Reported", 2: "Answered", 3: "Removed", 4: "Back again", 5: "Refused"}
REMARKS = {
    "disputed": "Disputed: its author was removed from the case as of an earlier entry, and somebody else had seen this one;"
                " or its author signed two histories of its log.",
    "unknown-kind": "Parts of this entry were made by a newer version or cannot be read. They are not shown here.",
    "unknown-parts": "Parts of this entry were made by a newer version or cannot be read. They are not shown here.",
    "clock-before-receipt": "The device’s clock shows an earlier time than a receipt that was there before the entry."
                            " The clock was wrong.",
    "clock-after-receipt": "The device’s clock shows a later time than a receipt for the entry. One of the two clocks"
                           " was wrong.",
    "claimed-after-receipt": "The time stated for the event is later than a receipt for the entry.",
    "embedded-receipt-invalid": "A receipt inside this entry could not be verified and is not used.",
}
MINOR = "Shows, or may show, somebody under 18. No picture is kept or passed on."
PARTIAL = "Some parts of this entry are not shown. That they were not altered is checked all the same."


# Text -----------------------------------------------------------------------------------------------

MARKUP = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;", "\t": "\t"}
DECEPTIVE = ((0x00, 0x1F), (0x7F, 0x9F), (0xAD, 0xAD), (0x034F, 0x034F), (0x061C, 0x061C), (0x115F, 0x1160),
             (0x17B4, 0x17B5), (0x180B, 0x180F), (0x200B, 0x200B), (0x200E, 0x200F), (0x2028, 0x202E),
             (0x2060, 0x206F), (0x2800, 0x2800), (0x3164, 0x3164), (0xFE00, 0xFE0E), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0),
             (0xFFF0, 0xFFFC), (0x1BCA0, 0x1BCA3), (0x1D159, 0x1D159), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF))


def escape(text: str, keeps_lines: bool = False) -> str:
    if keeps_lines:
        text = text.replace("\r\n", "\n")
    return "".join("\n" if c == "\n" and keeps_lines else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    if character in MARKUP:
        return MARKUP[character]
    if any(first <= ord(character) <= last for first, last in DECEPTIVE):
        digits = 4 if ord(character) <= 0xFFFF else 6
        return f'<span class="mark">U+{ord(character):0{digits}X}</span>'
    return character


def number(value: int) -> str:
    return f"{value:,}"


def count(value: int, one: str, many: str) -> str:
    return f"{number(value)} {one if value == 1 else many}"


def link(exhibit_number: int) -> str:
    return f'<a href="#exhibit-{exhibit_number}">Exhibit {exhibit_number}</a>'


# Times ----------------------------------------------------------------------------------------------

def time(seconds: int, minutes: int = 0) -> str:
    if seconds not in SECONDS:
        return f"{seconds} seconds after 1970"
    days, second = divmod(seconds + minutes * 60, DAY)
    year, month, day = civil(days)
    sign = "-" if minutes < 0 else "+"
    zone = f"{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}" if minutes else "UTC"
    return f"{year:04}-{month:02}-{day:02} {second // 3600:02}:{second // 60 % 60:02}:{second % 60:02} {zone}"


def civil(days: int) -> tuple:
    """Year, month and day of a number of days after 1970-01-01."""
    date = datetime.date(1970, 1, 1) + datetime.timedelta(days=days)
    return date.year, date.month, date.day


def moment(value: list) -> str:
    if value[0] == 0:
        return time(value[1], value[2])
    return "-".join([f"{value[1]:04}"] + [f"{part:02}" for part in value[2:]])


def seen(claimed: dict) -> str:
    said = " to ".join(moment(value) for value in claimed["moments"])
    return "about " + said if claimed["form"] == ABOUT else said


# What entries do to each other (CaseLog.md, "Entry") --------------------------------------------------

class Relations:
    """Over the exhibits whose content can be read, by (log id, sequence)."""

    def __init__(self, bundle):
        self.numbers = {e.entry.id: e.number for e in bundle.exhibits}
        self.all = sorted((e for e in bundle.exhibits if e.entry.content is not None), key=self.place)
        self.roles = {m.log: m.role for m in bundle.state.members.values()}
        self._about = {}
        for exhibit in self.all:
            for entry_id in dict.fromkeys(exhibit.entry.content.get("about", [])):
                self._about.setdefault(entry_id, []).append(exhibit)
        self.retractions = self._retractions()

    @staticmethod
    def place(exhibit) -> tuple:
        return exhibit.entry.log, exhibit.entry.leaf.sequence

    @staticmethod
    def when(exhibit) -> tuple:
        clock = exhibit.entry.context["clock"] if exhibit.entry.context else 0
        return clock, *Relations.place(exhibit)

    def about(self, entry_id: bytes) -> list:
        return self._about.get(entry_id, [])

    def stands(self, exhibit) -> bool:
        return exhibit.standing != "disputed" and exhibit.entry.id not in self.retractions

    def _retractions(self) -> dict:
        """The exhibit by which an entry is taken back: the first of those that count.

        An entry names others by their hash, so none is about a later one: what takes an entry back is settled before it.
        """
        targets = {}
        for exhibit in self.all:
            if exhibit.entry.kind == RETRACT and exhibit.standing != "disputed":
                for entry_id in exhibit.entry.content.get("about", []):
                    targets.setdefault(entry_id, []).append(exhibit)
        known = {e.entry.id: e for e in self.all}
        result, settled = {}, set()
        for entry_id in targets:
            self._settle(entry_id, targets, known, result, settled)
        return result

    def _settle(self, entry_id: bytes, targets: dict, known: dict, result: dict, settled: set):
        waiting = [entry_id]
        while waiting:
            current = waiting[-1]
            by = targets.get(current, []) if current in known and self.roles[known[current].entry.log] == SURVIVOR else []
            unsettled = [r.entry.id for r in by if r.entry.id not in settled]
            if unsettled:
                waiting += unsettled
                continue
            waiting.pop()
            counting = [r for r in by if r.entry.id not in result]
            if current not in settled and counting:
                result[current] = counting[0]
            settled.add(current)

    def references(self, ids: list) -> str:
        return ", ".join(link(self.numbers[i]) if i in self.numbers
                         else f"an entry that is not shown (<code>{b32(i)}</code>)" for i in ids)

    def takedowns(self) -> list:
        """(about, where, records by time) of each place where something was asked."""
        places = {}
        for exhibit in self.all:
            content = exhibit.entry.content
            if exhibit.entry.kind != TAKEDOWN or "takedown" not in content or not self.stands(exhibit):
                continue
            for entry_id in content.get("about") or [None]:
                records = places.setdefault((entry_id, content["takedown"]["where"]), [])
                if exhibit not in records:
                    records.append(exhibit)
        return [(*place, sorted(records, key=self.when)) for place, records in places.items()]

    def answer(self, exhibit):
        answers = [e for e in self.about(exhibit.entry.id) if e.entry.kind == REQUEST
                   and e.entry.content.get("request", 1) != 1 and self.stands(e)]
        return max(answers, key=self.when, default=None)


# The page -------------------------------------------------------------------------------------------

def render(bundle, notes: list) -> bytes:
    return chevron.render(TEMPLATE, Page(bundle, notes).data()).encode()


class Page:
    def __init__(self, bundle, notes: list):
        self.bundle = bundle
        self.notes = {}      # (log id, sequence): codes
        for note in notes:
            self.notes.setdefault((note.log, note.sequence), []).append(note.code)
        self.relations = Relations(bundle)
        self.shown = {}      # log id: sequences of its exhibits
        for exhibit in bundle.exhibits:
            self.shown.setdefault(exhibit.entry.log, []).append(exhibit.entry.leaf.sequence)
        self.names = {}
        for role, noun in ((SURVIVOR, "Survivor’s device"), (ADVOCATE, "Advocate")):
            members = bundle.state.by_id(role)
            for index, member in enumerate(members, 1):
                self.names[member.log] = noun if len(members) == 1 else f"{noun} {index}"

    def name(self, log: bytes) -> str:
        return self.names.get(log, "Unknown key")

    def data(self) -> dict:
        bundle = self.bundle
        proof = bundle.proof
        summaries = [self._log(log) for log in proof.logs]
        hidden = sum(log["hidden"] for log in summaries)
        fingerprint = b32(proof.case_id)
        violations = len(bundle.state.violations)
        takedowns = [self._takedown(*t) for t in self.relations.takedowns()]
        return {
            "shown": count(len(bundle.exhibits), "entry", "entries"),
            "not_shown": count(hidden, "further entry, which is", "further entries, which are") if hidden else "",
            "fingerprint": [fingerprint[i:i + 4] for i in range(0, 52, 4)],
            "exporter": self.name(proof.exporter), "exported": time(proof.exported_at), "whole": proof.scope == 0,
            "logs": summaries,
            "violations": count(violations, "entry was", "entries were") if violations else "",
            "has_exhibits": bundle.exhibits != [], "exhibits": [self._exhibit(e) for e in bundle.exhibits],
            "has_takedowns": takedowns != [], "takedowns": takedowns,
            "members": [self._member(m) for m in bundle.state.by_id()],
            "program": escape(proof.program),
        }

    def _log(self, log: logs.Log) -> dict:
        others = [leaf.sequence for leaf in log.leaves if leaf.cls != logs.CONTROL]
        shown = sorted(self.shown.get(log.id, []))
        between = [s for s in others if shown and shown[0] <= s <= shown[-1]]
        follow = "–" if not shown else "yes" if between == shown else "no, others lie between them"
        return {"name": self.name(log.id), "entries": number(len(others)), "shown": number(len(shown)),
                "hidden": len(others) - len(shown), "not_shown": number(len(others) - len(shown)), "follow": follow,
                "control": number(log.size - len(others))}

    def _member(self, member) -> dict:
        return {"name": self.name(member.log), "role": "survivor" if member.role == SURVIVOR else "advocate",
                "log": b32(member.log), "signing_key": member.card.signing_key.hex(),
                "receipt_key": logs.WitnessKey.of_member(member.log, member.card.receipt_key).text,
                "receipts": number(self.bundle.receipts.given_by(member.log)),
                "removed": self.bundle.state.cuts.of(member.log) is not None}

    def _takedown(self, about, where, records: list) -> dict:
        last = records[-1]
        references = [r.entry.content["takedown"]["reference"] for r in records]
        reference = next((r for r in reversed(references) if r is not None), None)
        return {"about": self.relations.references([about]) if about else "",
                "has_where": where is not None, "where": escape(where or ""),
                "step": STEPS[last.entry.content["takedown"]["step"]],
                "last": self.relations.references([last.entry.id]), "recorded": time(self.relations.when(last)[0]),
                "has_reference": reference is not None, "reference": escape(reference or "")}

    # Exhibits

    def _exhibit(self, exhibit) -> dict:
        entry, content = exhibit.entry, exhibit.entry.content or {}
        retraction = self.relations.retractions.get(entry.id)
        shown, withheld = len(entry.parts), entry.part_count - len(entry.parts)
        kept = sum(not file["without"] for file in content.get("file", []))
        later = [self._later(e) for e in self.relations.about(entry.id)]
        data = {
            "number": exhibit.number, "kind": KINDS.get(entry.kind, "Entry of a newer kind"),
            "author": self.name(entry.log), "file_count": number(len(content.get("file", []))),
            "seen": seen(content["seen"]) if "seen" in content else "",
            "retracted": self.relations.references([retraction.entry.id]) if retraction else "",
            "disputed": exhibit.standing == "disputed",
            "entered": time(entry.context["clock"]) if entry.context else "",
            "after": self._receipt(exhibit.after), "before": self._receipt(exhibit.before),
            "about": self.relations.references(content.get("about", [])),
            "has_tags": content.get("tags", []) != [], "tags": [{"tag": escape(tag)} for tag in content.get("tags", [])],
            "takedown": self._step(content.get("takedown")),
            "has_words": "words" in content, "words": escape(content.get("words", ""), keeps_lines=True),
            "has_files": content.get("file", []) != [], "files": self._files(exhibit, content),
            "has_later": later != [], "later": later, "remarks": self._remarks(exhibit, content, withheld > kept),
            "sequence": number(entry.leaf.sequence), "parts_shown": number(shown),
            "parts": count(entry.part_count, "part", "parts"), "only_keys": 0 < withheld <= kept, "id": b32(entry.id),
        }
        for label in ("title", "url", "place", "account"):
            data |= {f"has_{label}": label in content, label: escape(content.get(label, ""))}
        return data | self._request(exhibit)

    def _receipt(self, receipt):
        if receipt is None:
            return None
        return {"time": time(receipt.time), "by": self.name(self.bundle.receipts.giver(receipt))}

    @staticmethod
    def _step(takedown):
        if takedown is None:
            return None
        where, reference = takedown["where"], takedown["reference"]
        return {"step": STEPS[takedown["step"]], "has_where": where is not None, "where": escape(where or ""),
                "has_reference": reference is not None, "reference": escape(reference or "")}

    def _request(self, exhibit) -> dict:
        said = {"answer": "", "request": ""}
        if exhibit.entry.kind != REQUEST or exhibit.entry.content is None:
            return said
        state = exhibit.entry.content.get("request", 1)
        if state != 1:
            return said | {"answer": "Done" if state == 2 else "Declined"}
        if not self.relations.stands(exhibit):
            return said
        answer = self.relations.answer(exhibit)
        if answer is None:
            return said | {"request": "Not answered in this bundle"}
        how = "Done, see " if answer.entry.content["request"] == 2 else "Declined, see "
        return said | {"request": how + self.relations.references([answer.entry.id])}

    def _files(self, exhibit, content: dict) -> list:
        files = []
        for file in content.get("file", []):
            path, name = exhibit.files.get(file["number"]), content["name"].get(file["number"])
            said = name["name"] if name else ""
            missing = "" if path else "only its hash is kept" if file["without"] else "not in this bundle"
            files.append({
                "label": f"{exhibit.number}-{file['number']}", "path": path[len("data/"):] if path else "",
                "has_name": name is not None,
                "name": escape(said if isinstance(said, str) else said.decode(errors="replace")),
                "missing": missing, "sha256": file["sha256"].hex(), "type": escape(file["type"]),
                "size": number(file["size"])})
        return files

    def _later(self, exhibit) -> dict:
        takedown = exhibit.entry.content.get("takedown")
        return {"link": self.relations.references([exhibit.entry.id]),
                "kind": KINDS.get(exhibit.entry.kind, "Entry of a newer kind"), "author": self.name(exhibit.entry.log),
                "step": STEPS[takedown["step"]] if takedown else "",
                "retracted": exhibit.entry.id in self.relations.retractions,
                "disputed": exhibit.standing == "disputed"}

    def _remarks(self, exhibit, content: dict, is_partial: bool) -> list:
        own = self.notes.get((exhibit.entry.log, exhibit.entry.leaf.sequence), [])
        return ([MINOR] if content.get("minor") else []) + ([PARTIAL] if is_partial else []) \
            + [REMARKS[code] for code in own if code in REMARKS]
