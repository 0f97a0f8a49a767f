"""A table of things against what is known of them: what would change, and what is wrong with it (rule).

1. A row is about the device it names; else about the thing of its asset number; else of its serial number; else it is
   a new thing.
2. A column that is not there changes nothing; an empty cell of one that is there empties the field.
3. An open loan is prolonged by a later day; it is ended on the page of the thing alone, where somebody looks at it.
4. All rows or none: one that is wrong holds up the rest, and everything that is wrong is told at once.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from hub.cells import Cells, letters
from hub.inventory.fields import EDITABLE, LOAN, Wrong, WrongValue, clean
from hub.inventory.thing import Item

# What a file may say, in the order of our own: the device's name leads to it and is never changed.
COLUMNS = ("device", *EDITABLE, *LOAN)
_WRONGS_SHOWN = 500


class Problem(NamedTuple):
    """Something that is wrong: row and column as a spreadsheet names them."""

    row: int
    column: str
    wrong: Wrong


class Change(msgspec.Struct, frozen=True):
    """What a row comes to: fields before and after, a loan that begins or is prolonged. `item_id` 0: a new thing."""

    row: int
    label: str
    item_id: int
    device_id: int | None
    before: dict[str, str]
    after: dict[str, str]
    lends: bool = False
    prolongs: bool = False

    @property
    def fields(self) -> list[str]:
        """The fields that change, in order."""
        return [field for field in COLUMNS if field in self.after]


class Plan(msgspec.Struct, frozen=True):
    """What an import comes to; nothing is done while there are problems."""

    rows: int
    changes: list[Change]
    problems: list[Problem]
    unknown: list[str]

    @property
    def new(self) -> int:
        """How many things are new."""
        return sum(not change.item_id and change.device_id is None for change in self.changes)

    @property
    def digest(self) -> str:
        """Tells whether a later plan is the same: what was looked at is what is done."""
        return hashlib.sha256(msgspec.json.encode(self.changes)).hexdigest()


class Known:
    """Things by what a row may name them."""

    def __init__(self, items: Iterable[Item]) -> None:
        self.devices: dict[str, Item] = {}
        self.assets: dict[str, Item] = {}
        self.serials: dict[str, Item] = {}
        for item in items:
            if item.device:
                self.devices[item.device] = item
            if item.values["asset"]:
                self.assets[item.values["asset"]] = item
            if item.values["serial"]:
                self.serials.setdefault(item.values["serial"].upper(), item)


def headings(texts: Sequence[str], words: Mapping[str, tuple[str, str]]) -> tuple[dict[str, int], list[str]]:
    """Which column holds which field, by its heading in either language, and the headings that mean nothing here."""
    known = {_plain(name): field for field in COLUMNS for name in (field, *words[field])}
    places: dict[str, int] = {}
    unknown = []
    for place, text in enumerate(texts):
        field = known.get(_plain(text))
        if field and field not in places:
            places[field] = place
        elif text.strip():
            unknown.append(text.strip()[:40])
    return places, unknown


def _plain(heading: str) -> str:
    return re.sub(r"[\s_]", "", unicodedata.normalize("NFKC", heading)).lower()


def plan(
    rows: Iterable[Cells],
    places: Mapping[str, int],
    unknown: list[str],
    items: Iterable[Item],
    *,
    today: str,
    names_kept: bool,
) -> Plan:
    """What these rows come to."""
    intake = _Intake(places, Known(items), today, names_kept=names_kept)
    changes, n = [], 0
    for cells in rows:
        if any(text.strip() for text in cells.texts):
            n += 1
            change = intake.row(cells)
            if change is not None:
                changes.append(change)
    return Plan(n, [] if intake.problems else changes, intake.problems[:_WRONGS_SHOWN], unknown)


class _Intake:
    """Goes through the rows of one file, and remembers what earlier ones took."""

    def __init__(self, places: Mapping[str, int], known: Known, today: str, *, names_kept: bool) -> None:
        self._places, self._known, self._today, self._names_kept = places, known, today, names_kept
        self._seen: dict[object, int] = {}
        self._given: dict[tuple[str, str], int] = {}
        self.problems: list[Problem] = []

    def row(self, cells: Cells) -> Change | None:
        """What a row changes; None for nothing, or when something is wrong."""
        before = len(self.problems)
        values = self._values(cells)
        item = self._target(cells, values) if len(self.problems) == before else None
        if item is None:
            return None
        known = {**item.values, **_loan_values(item)}
        after = {field: value for field, value in values.items() if field != "device" and value != known[field]}
        self._check(cells, item, after)
        lends = self._check_loan(cells, item, values, after)
        if len(self.problems) > before or not (after or self._joins(item, values)):
            return None
        return Change(
            cells.number,
            item.label or values.get("asset") or values.get("serial", ""),
            item.id,
            self._device_of(item, values),
            {field: known[field] for field in after},
            after,
            lends,
            not lends and "loan_until" in after,
        )

    def _wrong(self, cells: Cells, wrong: Wrong) -> None:
        place = self._places.get(wrong.field)
        self.problems.append(Problem(cells.number, "" if place is None else letters(place), wrong))

    def _values(self, cells: Cells) -> dict[str, str]:
        values = {}
        for field, place in self._places.items():
            text = cells.texts[place] if place < len(cells.texts) else ""
            if place in cells.formulas:
                self._wrong(cells, Wrong(field, text[:60], "no_formula"))
                continue
            try:
                values[field] = text.strip() if field == "device" else clean(field, text)
            except WrongValue as error:
                self._wrong(cells, error.wrong)
        if values.get("loan_name") and not self._names_kept:
            self._wrong(cells, Wrong("loan_name", "…", "no_names"))
        return values

    def _target(self, cells: Cells, values: dict[str, str]) -> Item | None:
        """The thing that a row is about; a new one when it names none that is known."""
        device, asset, serial = (values.get(field, "") for field in ("device", "asset", "serial"))
        if device and device not in self._known.devices:
            self._wrong(cells, Wrong("device", device[:60], "known_device"))
            return None
        if not (device or asset or serial):
            self._wrong(cells, Wrong("asset", "", "some_name"))
            return None
        by_number = self._known.assets.get(asset) or self._known.serials.get(serial.upper())
        item = self._known.devices.get(device) or by_number or _NEW
        if device and by_number and self._may_join(item, by_number):
            item = by_number
        key: object = item.device or item.id or (asset, serial.upper())
        if key in self._seen:
            self._wrong(cells, Wrong("device" if device else "asset", item.label or asset, "once", self._seen[key]))
            return None
        self._seen[key] = cells.number
        return item

    @staticmethod
    def _may_join(device: Item, thing: Item) -> bool:
        """Whether a thing that was entered without its device becomes that device's."""
        return not device.id and not thing.device and thing.id > 0

    @staticmethod
    def _joins(item: Item, values: dict[str, str]) -> bool:
        return bool(values.get("device")) and not item.device

    def _device_of(self, item: Item, values: dict[str, str]) -> int | None:
        return self._known.devices[values["device"]].device_id if self._joins(item, values) else item.device_id

    def _check(self, cells: Cells, item: Item, after: dict[str, str]) -> None:
        """What no field can tell by itself: numbers that another has, a kind that the device denies."""
        if item.device and item.values["kind"] and "kind" in after:
            self._wrong(cells, Wrong("kind", after["kind"], "same_kind"))
        for field, others in (("asset", self._known.assets), ("serial", self._known.serials)):
            value = after.get(field, "")
            key = value.upper() if field == "serial" else value
            other = others.get(key)
            if value and other is not None and other is not item:
                self._wrong(cells, Wrong(field, value, "not_taken"))
            elif value and (field, key) in self._given:
                self._wrong(cells, Wrong(field, value, "once", self._given[field, key]))
            self._given[field, key] = cells.number

    def _check_loan(self, cells: Cells, item: Item, values: dict[str, str], after: dict[str, str]) -> bool:
        """Whether the row lends the thing."""
        loan = item.loan
        if loan is None:
            if not any(values.get(field) for field in LOAN):
                return False
            values.setdefault("loan_since", "")
            if not values["loan_since"]:
                values["loan_since"] = after["loan_since"] = self._today
            for field in ("loan_number", "loan_until"):
                if not values.get(field):
                    self._wrong(cells, Wrong(field, "", "needed"))
            self._check_until(cells, values["loan_since"], values.get("loan_until", ""))
            return True
        for field in ("loan_number", "loan_since", "loan_name"):
            if field in after:
                self._wrong(cells, Wrong(field, after[field], "as_lent"))
        if "loan_until" in after:
            self._check_until(cells, loan.since, after["loan_until"])
        return False

    def _check_until(self, cells: Cells, since: str, until: str) -> None:
        if until and until < since:
            self._wrong(cells, Wrong("loan_until", until, "after_since"))


_NEW = Item(0, None, "", dict.fromkeys(EDITABLE, ""))


def _loan_values(item: Item) -> dict[str, str]:
    loan = item.loan
    if loan is None:
        return dict.fromkeys(LOAN, "")
    return {
        "loan_number": loan.number,
        "loan_name": loan.name,
        "loan_since": loan.since,
        "loan_until": loan.until,
    }


def row_of(item: Item) -> dict[str, str]:
    """A thing as a row of our own file."""
    return {"device": item.device, **item.values, **_loan_values(item)}
