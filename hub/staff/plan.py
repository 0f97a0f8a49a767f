"""What a file comes to, row by row, before anything is done (rule).

1. Each row has a fate: new, changed, the same, or wrong.
2. All rows or none: one that is wrong holds up the rest, and everything that is wrong is told at once.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

import msgspec

from hub.cells import Cells, letters
from hub.staff.form import Wrong

FateKind = Literal["new", "changed", "same"]
WRONGS_SHOWN = 500


class Problem(NamedTuple):
    """Something that is wrong: row and column as a spreadsheet names them."""

    row: int
    column: str
    wrong: Wrong


class Fate(msgspec.Struct, frozen=True):
    """What becomes of a row: fields before and after (word keys), and `do`, what is to be done, for whoever does it."""

    row: int
    label: str
    kind: FateKind
    before: dict[str, str] = {}
    after: dict[str, str] = {}
    do: dict[str, str] = {}


class Plan(msgspec.Struct, frozen=True):
    """What an import comes to; nothing is done while there are problems.

    `unknown` are headings that mean nothing here; `departments` are those that are made for it; `zeros` are rows whose
    number a spreadsheet may have robbed of its zeros.
    """

    fates: list[Fate]
    problems: list[Problem]
    unknown: list[str] = []
    departments: list[str] = []
    zeros: list[int] = []

    def count(self, kind: FateKind) -> int:
        """How many rows come to that."""
        return sum(fate.kind == kind for fate in self.fates)

    @property
    def changes(self) -> list[Fate]:
        """Those that come to something."""
        return [fate for fate in self.fates if fate.kind != "same"]

    @property
    def digest(self) -> str:
        """Tells whether a later plan is the same: what was looked at is what is done."""
        return hashlib.sha256(msgspec.json.encode((self.changes, self.departments))).hexdigest()


def headings(
    texts: Sequence[str], columns: Iterable[str], words: Mapping[str, tuple[str, str]]
) -> tuple[dict[str, int], list[str]]:
    """Which column holds which field, by its heading in either language, and the headings that mean nothing here."""
    known = {plain(name): field for field in columns for name in (field, *words[field])}
    places: dict[str, int] = {}
    unknown = []
    for place, text in enumerate(texts):
        field = known.get(plain(text))
        if field and field not in places:
            places[field] = place
        elif text.strip():
            unknown.append(text.strip()[:40])
    return places, unknown


def plain(heading: str) -> str:
    """A heading without what people write differently."""
    return re.sub(r"[\s_]", "", unicodedata.normalize("NFKC", heading)).lower()


class Rows:
    """Goes through the rows of a file and gathers what is wrong with them."""

    def __init__(self, places: Mapping[str, int]) -> None:
        self.places = places
        self.problems: list[Problem] = []

    def values(self, cells: Cells) -> dict[str, str]:
        """The texts of a row by field; a formula is wrong."""
        found = {}
        for field, place in self.places.items():
            value = cells.texts[place].strip() if place < len(cells.texts) else ""
            if place in cells.formulas:
                self.wrong(cells, Wrong(field, value[:60], "no_formula"))
            else:
                found[field] = value
        return found

    def wrong(self, cells: Cells, wrong: Wrong) -> None:
        """Something of this row is wrong."""
        place = self.places.get(wrong.field)
        self.problems.append(Problem(cells.number, "" if place is None else letters(place), wrong))


def robbed(number: str, known: Iterable[str]) -> str:
    """The known number that this one is without its leading zeros; empty for none."""
    return next((one for one in known if one != number and one.startswith("0") and one.lstrip("0") == number), "")


def finished(
    rows: Rows, fates: list[Fate], unknown: list[str], departments: Sequence[str] = (), zeros: Sequence[int] = ()
) -> Plan:
    """The plan; of one with problems nothing but these."""
    if rows.problems:
        return Plan([], rows.problems[:WRONGS_SHOWN], unknown)
    return Plan(fates, [], unknown, list(departments), list(zeros))
