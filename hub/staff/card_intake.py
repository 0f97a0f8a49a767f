"""A table of cards against what is known: who gets which, and what is wrong with it (rule).

1. A card is named by the first figures of its token (eight or more) or by its label; one of the two must lead to one
   card that was tapped here or belongs to somebody.  Serial numbers of cards are in no file.
2. A row without a staff number only says the label; one without both changes nothing.
3. A card is its holder's from the moment of its first tap on, unless the row says a day; a card that had a holder
   before changes hands now.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import NamedTuple

from hub.cells import Cells
from hub.shown import day_start_ms
from hub.staff.form import Wrong, WrongValue, a_day, text
from hub.staff.plan import Fate, Plan, Rows, finished, robbed

COLUMNS = ("card_digits", "card_label", "staff_number", "card_from")
_FEWEST = 8


class Known(NamedTuple):
    """A card: its token, whose it is (a staff number, or empty), its label.

    Behind `from_ms` (of UTC) it can be given to somebody; 0 for one that nobody ever had.
    """

    token: str
    number: str
    label: str
    from_ms: int


def plan(
    rows: Iterable[Cells],
    places: Mapping[str, int],
    unknown: list[str],
    known: Iterable[Known],
    numbers: Iterable[str],
) -> Plan:
    """What these rows come to."""
    intake = _Intake(Rows(places), list(known), set(numbers))
    fates = [fate for cells in rows if (fate := intake.row(cells)) is not None]
    return finished(intake.rows, fates, unknown)


class _Intake:
    def __init__(self, rows: Rows, known: list[Known], numbers: set[str]) -> None:
        self.rows = rows
        self._known, self._numbers = known, numbers
        self._seen: dict[str, int] = {}

    def row(self, cells: Cells) -> Fate | None:
        before = len(self.rows.problems)
        values = self.rows.values(cells)
        label, number, day = self._texts(cells, values)
        card = self._card(cells, values.get("card_digits", "").lower(), label)
        if card is None or len(self.rows.problems) > before:
            return None
        if card.token in self._seen:
            self.rows.wrong(cells, Wrong("card_digits", card.token[:8], "once", self._seen[card.token]))
            return None
        self._seen[card.token] = cells.number
        old, new, do = {}, {}, {"token": card.token}
        if label and label != card.label:
            old["card_label"], new["card_label"], do["label"] = card.label, label, label
        if number and number != card.number:
            old["staff_number"], new["staff_number"], do["number"] = card.number, number, number
            if day is not None:
                new["card_from"] = do["from"] = day.isoformat()
                if day_start_ms(day) <= card.from_ms:
                    self.rows.wrong(cells, Wrong("card_from", day.isoformat(), "after_holder"))
                    return None
        elif not card.number and label and not number:
            # A label is written on a card that somebody has.
            self.rows.wrong(cells, Wrong("staff_number", "", "staff_number"))
            return None
        kind = "same" if not new else "changed" if card.number else "new"
        return Fate(cells.number, label or card.label or card.token[:8], kind, old, new, do)  # type: ignore[arg-type]

    def _texts(self, cells: Cells, values: dict[str, str]) -> tuple[str, str, date | None]:
        label, number, day = "", "", None
        try:
            label = text("card_label", values.get("card_label", ""), needed=False)
            number = text("staff_number", values.get("staff_number", ""), needed=False)
            day = a_day("card_from", values["card_from"]) if values.get("card_from") else None
        except WrongValue as error:
            self.rows.wrong(cells, error.wrong)
        if number and number not in self._numbers:
            found = robbed(number, self._numbers)
            expected = Wrong("staff_number", number, "zeros", found) if found else None
            self.rows.wrong(cells, expected or Wrong("staff_number", number, "staff_number"))
        return label, number, day

    def _card(self, cells: Cells, digits: str, label: str) -> Known | None:
        if not digits:
            found = [one for one in self._known if label and one.label == label]
            if len(found) == 1:
                return found[0]
            self.rows.wrong(cells, Wrong("card_digits", label, "card_digits"))
            return None
        found = [one for one in self._known if len(digits) >= _FEWEST and one.token.startswith(digits)]
        if len(found) != 1:
            self.rows.wrong(cells, Wrong("card_digits", digits[:60], "longer_digits" if found else "card_digits"))
            return None
        return found[0]
