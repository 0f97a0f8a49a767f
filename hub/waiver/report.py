"""The reports of waivers as tables: of a month or of a fiscal year, the same for page, xlsx and PDF.

1. A month's table of grounds is what its entries waived, corrections of earlier months among them: it fits the hash
   of the closed month.  A year's is of its months of use, as booked by 31 May after it.
2. A table of lines is by month of use, with all that is entered about it so far.
3. Checks and loans are as they are when they are looked at.
"""

from typing import Literal, NamedTuple, get_args

import msgspec

from hub.db import Connection
from hub.waiver import application_view, ledger_store, month_store, register_store, report_store, year
from hub.waiver.ledger_store import Closing
from hub.waiver.month import AREA
from hub.waiver.rules.fiscal import fiscal_year_of
from hub.waiver.rules.months import first_day, last_day

Kind = Literal["grounds", "lines", "year", "reversals", "differences", "checks", "loans"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Cell = str | int | None


class Column(NamedTuple):
    """A column: its word (`wreport_col_…`), and what stands in it; `word` is one of ours, with what it begins with."""

    key: str
    kind: Literal["text", "yen", "count", "month", "day", "word"] = "text"
    prefix: str = ""


class Span(msgspec.Struct, frozen=True):
    """What is reported on: a month, or a fiscal year (then `month` is empty)."""

    month: str
    year: int

    @property
    def first(self) -> str:
        """The first month."""
        return self.month or f"{self.year:04}-04"

    @property
    def last(self) -> str:
        """The last month."""
        return self.month or f"{self.year + 1:04}-03"

    @property
    def text(self) -> str:
        """As it stands in an address."""
        return self.month or str(self.year)


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A table, and which closed months it rests on. `sums` are of the columns of yen, None without a row of sums."""

    kind: Kind
    span: Span
    columns: tuple[Column, ...]
    rows: list[tuple[Cell, ...]]
    sums: tuple[Cell, ...] | None
    closings: tuple[Closing, ...]


def report(conn: Connection, kind: Kind, span: Span) -> Report:
    """A report as it is now."""
    columns, rows = _MAKES[kind](conn, span)
    closings = tuple(
        one for one in reversed(ledger_store.closings(conn, AREA)) if span.first <= one.month <= _through(span)
    )
    return Report(
        kind=kind,
        span=span,
        columns=columns,
        rows=rows,
        sums=_sums(columns, rows),
        closings=closings,
    )


def _through(span: Span) -> str:
    return span.month or year.last_month(span.year)


def _sums(columns: tuple[Column, ...], rows: list[tuple[Cell, ...]]) -> tuple[Cell, ...] | None:
    if not rows or not any(one.kind == "yen" for one in columns):
        return None
    return tuple(
        sum(row[at] or 0 for row in rows if not isinstance(row[at], str)) if one.kind == "yen" else None  # type: ignore[misc]
        for at, one in enumerate(columns)
    )


_Made = tuple[tuple[Column, ...], list[tuple[Cell, ...]]]


def _grounds(conn: Connection, span: Span) -> _Made:
    found = (
        report_store.grounds_of_month(conn, span.month) if span.month else report_store.grounds_of_year(conn, span.year)
    )
    late = Column("late", "yen") if span.month else Column("late_year", "yen")
    columns = (Column("ground"), Column("lines", "count"), Column("decisions", "count"), Column("waived", "yen"), late)
    names = application_view.rule_names(conn)
    return columns, [(names.get(one.ground, one.ground), *one[1:]) for one in found]


def _lines(conn: Connection, span: Span) -> _Made:
    found = report_store.line_months(conn, span.first, span.last)
    columns = (
        Column("line"),
        Column("resident"),
        Column("of_month", "month"),
        Column("fee", "yen"),
        Column("waived", "yen"),
        Column("ground"),
        Column("decision"),
        Column("share", "yen"),
        Column("paid", "yen"),
        Column("open", "yen"),
    )
    names = application_view.rule_names(conn)
    rows: list[tuple[Cell, ...]] = []
    for one in found:
        grounds = ", ".join(names.get(ground, ground) for ground in one.grounds)
        about = (one.phone, one.resident, one.of_month, one.fee, one.waived, grounds, ", ".join(one.decisions))
        rows.append((*about, one.fee - one.waived, one.paid, one.open))
    return columns, rows


def _year(conn: Connection, span: Span) -> _Made:
    found = year.fold(span.year, month_store.year_sums(conn, span.year))
    columns = (
        Column("of_month", "month"),
        Column("assessed", "yen"),
        Column("waived", "yen"),
        Column("received", "yen"),
        Column("unpaid", "yen"),
    )
    return columns, [tuple(one) for one in found.months]


def _reversals(conn: Connection, span: Span) -> _Made:
    columns = (
        Column("entry", "count"),
        Column("reversed", "count"),
        Column("what", "word", "ledger_kind_"),
        Column("booked", "month"),
        Column("of_month", "month"),
        Column("line"),
        Column("resident"),
        Column("yen", "yen"),
        Column("entered_by"),
        Column("approved_by"),
    )
    return columns, [tuple(one) for one in report_store.reversals(conn, span.first, span.last)]


def _differences(conn: Connection, span: Span) -> _Made:
    columns = (
        Column("carrier"),
        Column("of_month", "month"),
        Column("line"),
        Column("verdict", "word", "bill_verdict_"),
        Column("billed", "yen"),
        Column("expected", "yen"),
        Column("difference", "yen"),
        Column("decided", "word", "bill_decided_"),
        Column("entered_by"),
        Column("note"),
    )
    return columns, [tuple(one) for one in report_store.differences(conn, span.first, span.last)]


def _checks(conn: Connection, span: Span) -> _Made:
    """The July of the fiscal year."""
    numbers = register_store.resident_numbers(conn)
    names = application_view.rule_names(conn)
    columns = (Column("application"), Column("decision"), Column("resident"), Column("ground"), Column("until", "day"))
    rows: list[tuple[Cell, ...]] = []
    for one in application_view.open_checks(conn, span.year):
        waiver, days = one.held.waiver, one.held.days
        last = days.last.isoformat() if days and days.last.year < 9999 else ""
        decision = waiver.root.decision.number if waiver.root.decision else ""
        number = numbers.get(waiver.root.resident_id, "")
        rows.append((waiver.root.number, decision, number, names.get(waiver.rule, waiver.rule), last))
    return columns, rows


def _loans(conn: Connection, span: Span) -> _Made:
    columns = (
        Column("resident"),
        Column("line"),
        Column("asset"),
        Column("serial"),
        Column("model"),
        Column("loan"),
        Column("since", "day"),
        Column("until", "day"),
    )
    first, last = first_day(span.first).isoformat(), last_day(span.last).isoformat()
    return columns, [tuple(one) for one in report_store.lent(conn, first, last)]


_MAKES = {
    "grounds": _grounds,
    "lines": _lines,
    "year": _year,
    "reversals": _reversals,
    "differences": _differences,
    "checks": _checks,
    "loans": _loans,
}


def span_of(text: str) -> Span | None:
    """A month (2026-11) or a fiscal year (2026) as it stands in an address; None for what is neither."""
    if len(text) == 4 and text.isascii() and text.isdecimal() and 2000 <= int(text) <= 2200:
        return Span("", int(text))
    if len(text) == 7 and text[4] == "-" and text[:4].isdecimal() and text[5:] in _NUMBERS and text.isascii():
        return Span(text, fiscal_year_of(text))
    return None


_NUMBERS = frozenset(f"{number:02}" for number in range(1, 13))
