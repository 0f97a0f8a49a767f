"""The form of a payroll file: its columns, what each can hold, what stands above and below the rows (rule)."""

from collections.abc import Collection
from typing import Literal, NamedTuple

import msgspec

from hub.attendance.rules.kinds import PayClass
from hub.payroll.amount import TIME_UNITS
from hub.writable import Encoding

Format = Literal["delimited", "fixed", "xlsx"]
Rows = Literal["person", "class", "day"]
Quoting = Literal["minimal", "all", "none"]
Quantity = Literal["text", "month", "day", "clock", "minutes", "hours", "count", "yen"]

_TIMES: tuple[str, ...] = TIME_UNITS
UNITS: dict[Quantity, tuple[str, ...]] = {
    "text": ("text",),
    "month": ("yyyymm", "yyyy-mm", "yyyy/mm/01"),
    "day": ("yyyy-mm-dd", "yyyymmdd", "yyyy/mm/dd"),
    "clock": ("h:mm", "HHMM", "min"),
    "minutes": _TIMES,
    "hours": ("count", *_TIMES),
    "count": ("count",),
    "yen": ("yen",),
}
# What the shortest value of a unit takes.
LEAST = {
    "h.hh": 4,
    "h:mm": 4,
    "HHMM": 4,
    "yyyymm": 6,
    "yyyy-mm": 7,
    "yyyy/mm/01": 10,
    "yyyymmdd": 8,
    "yyyy-mm-dd": 10,
    "yyyy/mm/dd": 10,
}
FIGURES: Collection[str] = ("clock", "minutes", "hours", "count", "yen")


_PERSON: tuple[Rows, ...] = ("person",)
_CLASS: tuple[Rows, ...] = ("class",)
_DAY: tuple[Rows, ...] = ("day",)


class FieldKind(NamedTuple):
    """What a column can hold: its quantity, in files of which rows, and in which of them classes are named."""

    quantity: Quantity
    rows: Collection[Rows] = ("person", "class", "day")
    classed: Collection[Rows] = ()


# In the order of docs/payroll-layouts.md; the text of a column that nobody gave a heading.
FIELDS: dict[str, FieldKind] = {
    "month": FieldKind("month"),
    "staff_number": FieldKind("text"),
    "name": FieldKind("text"),
    "department_code": FieldKind("text"),
    "department": FieldKind("text"),
    "kind": FieldKind("text"),
    "close_version": FieldKind("count"),
    "close_hash": FieldKind("text"),
    "empty": FieldKind("text"),
    "work_days": FieldKind("count", _PERSON),
    "absent_days": FieldKind("count", _PERSON),
    "leave_days": FieldKind("count", _PERSON),
    "late_min": FieldKind("minutes", ("person", "day")),
    "leave_min": FieldKind("minutes", ("person", "day")),
    "regular_min": FieldKind("minutes", ("person", "day")),
    "overtime_min": FieldKind("minutes", _PERSON),
    "minutes": FieldKind("minutes", classed=("person", "day")),
    "hours": FieldKind("hours", ("person", "class"), _PERSON),
    "yen": FieldKind("yen", ("person", "class"), _PERSON),
    "unit_yen": FieldKind("yen", ("person", "class")),
    "yen_per_hour": FieldKind("yen", _CLASS),
    "adjust_months": FieldKind("text", _PERSON),
    "adjust_minutes": FieldKind("minutes", _PERSON, _PERSON),
    "adjust_hours": FieldKind("hours", _PERSON, _PERSON),
    "adjust_yen": FieldKind("yen", _PERSON, _PERSON),
    "total_yen": FieldKind("yen", _PERSON),
    "class": FieldKind("text", _CLASS),
    "target_month": FieldKind("month", _CLASS),
    "day": FieldKind("day", _DAY),
    "day_kind": FieldKind("text", _DAY),
    "status": FieldKind("text", _DAY),
    "clock_in": FieldKind("clock", _DAY),
    "clock_out": FieldKind("clock", _DAY),
    "presence_min": FieldKind("minutes", _DAY),
}


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A column. `field` is empty for a constant; `width` 0 takes what there is; `empty_zero` leaves a nought out."""

    heading: str
    field: str
    constant: str = ""
    classes: tuple[PayClass, ...] = ()
    unit: str = "text"
    width: int = 0
    align: Literal["left", "right"] = "left"
    fill: Literal[" ", "0"] = " "
    empty_zero: bool = False

    @property
    def figure(self) -> bool:
        """Whether it holds a number, which can be added up."""
        return bool(self.field) and FIELDS[self.field].quantity in FIGURES and self.field != "close_version"


class Trailer(msgspec.Struct, frozen=True, kw_only=True):
    """What stands below the rows: texts before the sums, the count of rows, the digest; empty: none of it."""

    sums: str = ""
    rows: str = ""
    sha256: str = ""


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """A payroll file's form."""

    name: str
    title: str
    target: str
    format: Format
    rows: Rows
    columns: tuple[Column, ...]
    file_name: str
    encoding: Encoding = "utf-8-sig"
    newline: str = "\r\n"
    quoting: Quoting = "minimal"
    delimiter: str = ","
    header: bool = True
    codes: dict[str, str] = {}
    trailer: Trailer = Trailer()

    @property
    def codec(self) -> str:
        """The encoding without the mark at the beginning of a file."""
        return "utf-8" if self.encoding == "utf-8-sig" else self.encoding

    def size(self, text: str) -> int:
        """How many bytes a text takes."""
        return len(text.encode(self.codec, "replace"))

    @property
    def adjusts(self) -> bool:
        """Whether what earlier months came to more or less gets into the file."""
        told = ("adjust_minutes", "adjust_hours", "adjust_yen", "total_yen")
        return self.format == "xlsx" or self.rows == "class" or any(one.field in told for one in self.columns)


def file_name(pattern: str, month: str, version: int) -> str:
    """The name of a month's file: `{yyyymm}` and `{version}` stand for what they say."""
    return pattern.replace("{yyyymm}", month.replace("-", "")).replace("{version}", str(version))
