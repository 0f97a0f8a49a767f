"""A table of residents or lines against what is known: what becomes of each row, and what is wrong with it (rule).

1. A resident is found by number, a line by phone number; whoever is not found is new.
2. A column that is not there changes nothing; an empty cell of one that is there empties the field.
3. A line's row may name a resident and a day: the line is handed over then, unless it is theirs already.
4. All rows or none, and everything that is wrong is told at once (`hub/staff/plan.py`).
"""

from collections.abc import Iterable, Mapping

import msgspec

from hub.cells import Cells
from hub.staff.form import Wrong, WrongValue
from hub.staff.plan import Fate, Plan, Rows, finished, robbed
from hub.waiver.register import Line, Use, cannot_use
from hub.waiver.register_form import LINE, RESIDENT, a_day, a_month, plain, read, yen

LINE_COLUMNS = (*LINE, "line_tariff", "line_tariff_from", "line_list_price", "use_resident", "use_from")
RESIDENT_COLUMNS = RESIDENT


class KnownLine(msgspec.Struct, frozen=True):
    """A line as it is: its fields, the tariff that it has last, who had it, and the number of whose it is now."""

    line: Line
    values: dict[str, str]
    tariff: str
    uses: tuple[Use, ...]
    resident: str


def plan_residents(
    rows: Iterable[Cells], places: Mapping[str, int], unknown: list[str], known: Mapping[str, Mapping[str, str]]
) -> Plan:
    """What these rows come to; `known` are the fields of everybody by number."""
    gathered, seen = Rows(places), dict[str, int]()
    fates: list[Fate] = []
    zeros: list[int] = []
    for cells in rows:
        values = _values(gathered, cells, RESIDENT)
        if values is None:
            continue
        number = values["resident_number"]
        if _twice(gathered, cells, "resident_number", number, seen):
            continue
        if number not in known and robbed(number, known):
            zeros.append(cells.number)
        fates.append(_fate(cells, number, values, known.get(number)))
    return finished(gathered, fates, unknown, zeros=zeros)


def plan_lines(
    rows: Iterable[Cells],
    places: Mapping[str, int],
    unknown: list[str],
    known: Mapping[str, KnownLine],
    tariffs: Iterable[str],
    residents: Iterable[str],
    closed: str,
) -> Plan:
    """What these rows come to; `closed` is the last month that is closed."""
    intake = _Lines(Rows(places), known, set(tariffs), set(residents), closed)
    fates = [fate for cells in rows if (fate := intake.row(cells)) is not None]
    return finished(intake.rows, fates, unknown)


def _values(rows: Rows, cells: Cells, fields: tuple[str, ...]) -> dict[str, str] | None:
    """The fields of a row as they are kept; None when one is wrong."""
    before = len(rows.problems)
    values, wrong = read(rows.values(cells), fields)
    for one in wrong:
        rows.wrong(cells, one)
    return values if len(rows.problems) == before else None


def _twice(rows: Rows, cells: Cells, field: str, value: str, seen: dict[str, int]) -> bool:
    if value in seen:
        rows.wrong(cells, Wrong(field, value, "once", seen[value]))
        return True
    seen[value] = cells.number
    return False


def _fate(cells: Cells, label: str, values: Mapping[str, str], old: Mapping[str, str] | None) -> Fate:
    after = {field: value for field, value in values.items() if old is None or value != old.get(field, "")}
    before = {} if old is None else {field: old.get(field, "") for field in after}
    kind = "new" if old is None else "changed" if after else "same"
    return Fate(cells.number, label, kind, before, after, dict(after))  # type: ignore[arg-type]


class _Lines:
    def __init__(
        self, rows: Rows, known: Mapping[str, KnownLine], tariffs: set[str], residents: set[str], closed: str
    ) -> None:
        self.rows = rows
        self._known, self._tariffs, self._residents, self._closed = known, tariffs, residents, closed
        self._seen: dict[str, int] = {}

    def row(self, cells: Cells) -> Fate | None:
        values = _values(self.rows, cells, LINE)
        if values is None:
            return None
        phone = values["line_phone"]
        if _twice(self.rows, cells, "line_phone", phone, self._seen):
            return None
        known = self._known.get(phone)
        if known is None and (missing := [one for one in ("line_carrier", "line_from") if one not in values]):
            self.rows.wrong(cells, Wrong(missing[0], "", "something"))
            return None
        fate = _fate(cells, phone, values, known.values if known else None)
        if known is not None and known.uses and {"line_from", "line_to"} & set(fate.after):
            self.rows.wrong(cells, Wrong("line_from", phone, "no_line_change"))
            return None
        more = self._more(cells, values, known)
        if more is None:
            return None
        before = dict(fate.before)
        if known is not None and "line_tariff" in more:
            before["line_tariff"] = known.tariff
        kind = "changed" if fate.kind == "same" and more else fate.kind
        return msgspec.structs.replace(fate, kind=kind, before=before, after=fate.after | more, do=fate.do | more)

    def _more(self, cells: Cells, values: Mapping[str, str], known: KnownLine | None) -> dict[str, str] | None:
        """Tariff and hand-over of a row; None when something is wrong with them."""
        told = self.rows.values(cells)
        try:
            return self._tariff(told, values, known) | self._use(told, values, known)
        except WrongValue as error:
            self.rows.wrong(cells, error.wrong)
            return None

    def _tariff(self, told: Mapping[str, str], values: Mapping[str, str], known: KnownLine | None) -> dict[str, str]:
        code = plain(told.get("line_tariff", ""))
        if not code or (known is not None and code == known.tariff):
            return {}
        if code not in self._tariffs:
            raise WrongValue(Wrong("line_tariff", code[:60], "known_tariff"))
        month = a_month("line_tariff_from", told.get("line_tariff_from", ""), needed=known is not None)
        month = month or values["line_from"][:7]
        if self._closed and month <= self._closed and known is not None:
            raise WrongValue(Wrong("line_tariff_from", month, "open_month"))
        price = yen("line_list_price", told.get("line_list_price", ""))
        return {"line_tariff": code, "line_tariff_from": month} | (
            {} if price is None else {"line_list_price": str(price)}
        )

    def _use(self, told: Mapping[str, str], values: Mapping[str, str], known: KnownLine | None) -> dict[str, str]:
        number = plain(told.get("use_resident", ""))
        if not number or (known is not None and number == known.resident):
            return {}
        if number not in self._residents:
            raise WrongValue(Wrong("use_resident", number[:60], "known_resident"))
        first = a_day("use_from", told.get("use_from", ""), needed=True)
        line = known.line if known else _line(values)
        if why := cannot_use(line, known.uses if known else (), first, ""):
            raise WrongValue(Wrong("use_from", first, why))
        return {"use_resident": number, "use_from": first}


def _line(values: Mapping[str, str]) -> Line:
    return Line(0, values["line_phone"], "", "", "", values["line_from"], values.get("line_to", ""), "")
