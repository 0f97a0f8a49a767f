"""A table of staff against those who are known: what would change, and what is wrong with it (rule).

1. A row is about the staff number that stands in it; one that is not known is somebody new, and has a first day.
2. A column that is not there changes nothing; an empty cell of one that is there empties the field.
3. Other terms count from the day in the terms' own column on; for somebody new without one, from the first day on.
   Terms of a day that has some already are a correction of these.
4. A department is named by its code or its name; one that is not known is made, with the code that the file gave it.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date
from typing import NamedTuple

import msgspec

from hub.cells import Cells
from hub.staff.form import PAY, TERMS, Wrong, WrongValue, a_day, read_terms, text, values_of
from hub.staff.plan import Fate, Plan, Rows, finished, robbed
from hub.staff.terms import Terms

COLUMNS = ("staff_number", "staff_name", "staff_since", "staff_left", "staff_terms_since", *TERMS)


class Known(NamedTuple):
    """Somebody who is known, as far as a file can say it."""

    name: str
    since: date
    left: date | None
    terms: tuple[Terms, ...]

    def terms_on(self, day: date) -> Terms | None:
        """The terms that count on a day."""
        return next((terms for terms in reversed(self.terms) if terms.since <= day), None)


class Allowed(NamedTuple):
    """What the file may hold: names, and pay."""

    names: bool
    pay: bool


def plan(
    rows: Iterable[Cells],
    places: Mapping[str, int],
    unknown: list[str],
    known: Mapping[str, Known],
    departments: Mapping[str, str],
    allowed: Allowed,
) -> Plan:
    """What these rows come to; `departments` are codes by code and by name."""
    intake = _Intake(Rows(places), known, departments, allowed)
    fates = [fate for cells in rows if (fate := intake.row(cells)) is not None]
    return finished(intake.rows, fates, unknown, intake.made, _zeros(places, fates, known))


def _zeros(places: Mapping[str, int], fates: list[Fate], known: Mapping[str, Known]) -> list[int]:
    """Rows of new numbers that are shorter than the others of their file, or of the town."""
    new = [fate for fate in fates if fate.kind == "new" and fate.label.isdigit()]
    longest = max((len(one) for one in (*known, *(fate.label for fate in new)) if one.isdigit()), default=0)
    return [fate.row for fate in new if len(fate.label) < longest]


class _Intake:
    """Goes through the rows of one file, and remembers what earlier ones took."""

    def __init__(
        self, rows: Rows, known: Mapping[str, Known], departments: Mapping[str, str], allowed: Allowed
    ) -> None:
        self.rows, self.made = rows, list[str]()
        self._known, self._departments, self._allowed = known, dict(departments), allowed
        self._seen: dict[str, int] = {}

    def row(self, cells: Cells) -> Fate | None:
        """What becomes of a row; None when something is wrong with it."""
        before = len(self.rows.problems)
        values = self.rows.values(cells)
        self._check_allowed(cells, values)
        number = self._number(cells, values)
        if number is None:
            return None
        dates = self._dates(cells, values)
        known = self._known.get(number)
        if known is None and dates.get("staff_since") is None and len(self.rows.problems) == before:
            found = robbed(number, self._known)
            expected = Wrong("staff_number", number, "zeros", found) if found else Wrong("staff_since", "", "first_day")
            self.rows.wrong(cells, expected)
        elif known is None and (found := robbed(number, self._known)):
            self.rows.wrong(cells, Wrong("staff_number", number, "zeros", found))
        if len(self.rows.problems) > before:
            return None
        fate = self._fate(cells, number, known, values, dates)
        return fate if len(self.rows.problems) == before else None

    def _number(self, cells: Cells, values: dict[str, str]) -> str | None:
        try:
            number = text("staff_number", values.get("staff_number", ""))
        except WrongValue as error:
            self.rows.wrong(cells, error.wrong)
            return None
        if number in self._seen:
            self.rows.wrong(cells, Wrong("staff_number", number, "once", self._seen[number]))
            return None
        self._seen[number] = cells.number
        return number

    def _check_allowed(self, cells: Cells, values: dict[str, str]) -> None:
        if values.get("staff_name"):
            if not self._allowed.names:
                self.rows.wrong(cells, Wrong("staff_name", "…", "no_staff_names"))
            try:
                values["staff_name"] = text("staff_name", values["staff_name"])
            except WrongValue as error:
                self.rows.wrong(cells, error.wrong)
        for field in PAY:
            if field in values and not self._allowed.pay:
                if values[field]:
                    self.rows.wrong(cells, Wrong(field, "…", "no_pay"))
                del values[field]

    def _dates(self, cells: Cells, values: dict[str, str]) -> dict[str, date | None]:
        found: dict[str, date | None] = {}
        for field in ("staff_since", "staff_left", "staff_terms_since"):
            if values.get(field):
                try:
                    found[field] = a_day(field, values[field])
                except WrongValue as error:
                    self.rows.wrong(cells, error.wrong)
            elif field in values:
                found[field] = None
        return found

    def _fate(
        self, cells: Cells, number: str, known: Known | None, values: dict[str, str], dates: dict[str, date | None]
    ) -> Fate:
        if known is None:
            since = dates["staff_since"]
            assert since is not None  # noqa: S101 (asked for above)
            known, is_new = Known("", since, None, ()), True
        else:
            is_new = False
        before, after = _of_person(known, values, dates, is_new=is_new)
        self._check_dates(cells, known, dates)
        terms = self._terms(cells, known, values, dates, is_new=is_new)
        do = dict(after)
        if terms is not None:
            base = known.terms_on(terms.since) or Terms(since=terms.since)
            old, new = values_of(base), values_of(terms)
            changed = [field for field in TERMS if (is_new and new[field]) or old[field] != new[field]]
            before |= {field: "" if is_new else old[field] for field in changed}
            after |= {field: new[field] for field in changed}
            after["staff_terms_since"] = terms.since.isoformat()
            do["terms"] = msgspec.json.encode(terms).decode()
        if is_new:
            after["staff_since"] = do["staff_since"] = known.since.isoformat()
        kind = "new" if is_new else "changed" if after else "same"
        return Fate(cells.number, number, kind, before, after, do)  # type: ignore[arg-type]

    def _check_dates(self, cells: Cells, known: Known, dates: dict[str, date | None]) -> None:
        since = dates.get("staff_since")
        if since is not None and since != known.since:
            self.rows.wrong(cells, Wrong("staff_since", since.isoformat(), "since_stays", known.since.isoformat()))
        for field in ("staff_left", "staff_terms_since"):
            day = dates.get(field)
            if day is not None and day < known.since:
                self.rows.wrong(cells, Wrong(field, day.isoformat(), "not_before", known.since.isoformat()))

    def _terms(
        self, cells: Cells, known: Known, values: dict[str, str], dates: dict[str, date | None], *, is_new: bool
    ) -> Terms | None:
        """Terms that the row brings; None when it brings none."""
        day = dates.get("staff_terms_since") or (known.since if is_new else None)
        base = known.terms_on(day or date.max) or Terms(since=day or known.since)
        terms, wrong = read_terms(self._with_code(values), base)
        for one in wrong:
            self.rows.wrong(cells, one)
        if not is_new and terms == base:
            return None
        if day is None:
            self.rows.wrong(cells, Wrong("staff_terms_since", "", "terms_day"))
            return None
        return msgspec.structs.replace(terms, since=day)

    def _with_code(self, values: dict[str, str]) -> dict[str, str]:
        named = unicodedata.normalize("NFKC", values.get("staff_department", "")).strip()[:20]
        if not named:
            return values
        if named not in self._departments:
            self._departments[named] = named
            self.made.append(named)
        return {**values, "staff_department": self._departments[named]}


def _of_person(
    known: Known, values: dict[str, str], dates: dict[str, date | None], *, is_new: bool
) -> tuple[dict[str, str], dict[str, str]]:
    """What changes besides the terms, before and after."""
    before, after = {}, {}
    if "staff_name" in values and values["staff_name"] != known.name:
        before["staff_name"], after["staff_name"] = known.name, values["staff_name"]
    left = dates.get("staff_left")
    if "staff_left" in dates and left != known.left and (left is not None or not is_new):
        before["staff_left"] = known.left.isoformat() if known.left else ""
        after["staff_left"] = left.isoformat() if left else ""
    return before, after


def row_of(number: str, known: Known) -> dict[str, str]:
    """Somebody as a row of our own file, with the latest terms; taken in again unchanged it changes nothing."""
    terms = known.terms[-1] if known.terms else Terms(since=known.since)
    return {
        "staff_number": number,
        "staff_name": known.name,
        "staff_since": known.since.isoformat(),
        "staff_left": known.left.isoformat() if known.left else "",
        "staff_terms_since": terms.since.isoformat(),
        **values_of(terms),
    }
