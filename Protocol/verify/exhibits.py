"""Exhibits: the entries that a bundle shows, their files, and between which receipts they were made (Bundle.md, "Exhibits";
"Verifying", steps 4, 5 and 7).
"""

from dataclasses import dataclass, field

import entries
import logs
from archive import Archive
from content import first_second
from encoding import DAY, Refused
from proof import Proof
from receipts import Receipt, Receipts
from state import State

EXTENSIONS = {
    "image/jpeg": ".jpg", "image/png": ".png", "image/gif": ".gif", "image/webp": ".webp",
    "image/heic": ".heic", "image/avif": ".avif", "image/tiff": ".tif", "image/bmp": ".bmp",
    "application/pdf": ".pdf", "application/zip": ".zip", "text/plain": ".txt", "message/rfc822": ".eml",
    "video/mp4": ".mp4", "video/quicktime": ".mov", "video/webm": ".webm", "audio/mpeg": ".mp3",
    "audio/mp4": ".m4a", "audio/ogg": ".ogg", "audio/wav": ".wav",
}


@dataclass
class Exhibit:
    number: int
    log_index: int
    entry: entries.Entry
    standing: str
    files: dict = field(default_factory=dict)   # file number: path
    after: Receipt = None                       # the newest that it embeds
    before: Receipt = None                      # the first that covers it
    trusted: Receipt = None                     # the first that covers it, by a key that was given

    @property
    def where(self) -> dict:
        """Its place, as a finding has it."""
        return {"log": self.entry.log, "sequence": self.entry.leaf.sequence}

    def path(self, number: int, media_type: str) -> str:
        """Of one of its files."""
        return f"data/exhibits/{self.number}-{number}{EXTENSIONS.get(media_type, '')}"

    def remarks(self) -> list:
        """What of it is not known, and which claims of time receipts contradict by more than a day."""
        entry, after, before = self.entry, self.after, self.before
        clock = entry.context["clock"] if entry.context else None
        seen = entry.content and entry.content.get("seen")
        told = {
            "unknown-kind": entry.kind not in entries.KINDS,
            "unknown-parts": entry.has_unknown_parts,
            "clock-before-receipt": entry.context and after and after.time > clock + DAY,
            "clock-after-receipt": entry.context and before and clock > before.time + DAY,
            "claimed-after-receipt": seen and before and first_second(seen["moments"][0]) > before.time + DAY,
        }
        return [code for code, is_so in told.items() if is_so]


class Exhibits(list):
    """In the order of their numbers; and how many entries are not shown.

    - Parameter findings: takes what is told of entries that do not count as they stand.
    """

    def __init__(self, proof: Proof, state: State, receipts: Receipts, findings: list):
        self.withheld, self.erased = 0, 0
        shown = []
        for index, log in enumerate(proof.logs):
            for leaf in log.leaves:
                standing, entry = state.standing(log.id, leaf, receipts.witnesses_of), log.entries.get(leaf.sequence)
                if standing == "violation" or standing != "counted" and entry and leaf.cls != logs.CONTROL:
                    findings.append(Refused(standing, log=log.id, sequence=leaf.sequence))
                if entry is None and leaf.cls != logs.CONTROL:
                    self.erased += standing == "erased"
                    self.withheld += standing != "erased"
                elif leaf.cls != logs.CONTROL and standing in ("counted", "disputed"):
                    shown.append((leaf.cls, index, leaf.sequence, entry, standing))
        shown.sort(key=lambda place: place[:3])
        super().__init__(Exhibit(number, index, entry, standing)
                         for number, (_, index, _, entry, standing) in enumerate(shown, 1))

    def take_files(self, proof: Proof, zipped: Archive, payload: dict, findings: list):
        """What is not found at its entry ends it; of the others each is told."""
        by_place = {(exhibit.log_index, exhibit.entry.leaf.sequence): exhibit for exhibit in self}
        for index, sequence, number, path in proof.files:
            exhibit = by_place.get((index, sequence))
            content = exhibit.entry.content if exhibit else None
            described = next((f for f in content["file"] if f["number"] == number), None) if content else None
            if described is None or number in exhibit.files or path != exhibit.path(number, described["type"]):
                raise Refused("exhibit-unnamed", path=path)
            exhibit.files[number] = path
            if path not in payload or zipped.members[path].size != described["size"] \
                    or payload[path] != described["sha256"].hex():
                findings.append(Refused("exhibit-differs", path=path, **exhibit.where))
            if described["without"] or content.get("minor"):
                findings.append(Refused("exhibit-forbidden", path=path, **exhibit.where))

    def tell_times(self, receipts: Receipts, findings: list):
        for exhibit in self:
            exhibit.trusted, exhibit.before = receipts.trusted(exhibit.entry), receipts.before(exhibit.entry)
            exhibit.after, broken = receipts.after(exhibit.entry)
            for code in ["embedded-receipt-invalid"] * broken + exhibit.remarks():
                findings.append(Refused(code, **exhibit.where))
