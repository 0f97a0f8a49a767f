"""What a carrier's bill looks like as a file: records and their fields, strictly read from JSON (rule).

1. A file is `delimited` (CSV) or `fixed` (records of so many bytes). Of several kinds of record `type` says where each
   tells its own; without it every row is of the one kind that is described.
2. `head` and `trailer` tell of the bill, `line` of a line, `charge` of one charge of a line (of the line before it, or
   of the one whose phone number it tells), `ignored` nothing.
3. Amounts are without tax (`tax`: invoice, rounded once; line, each line tells its own) or with it inside (inside).
4. A charge is known by the carrier's own name for it (`charges`): `base`, `fee`, `overage`, `other`; `tax` is the
   bill's tax, `skip` a subtotal.  An unknown name is `other` under that name.
5. The file's month may be that of the bill, so many months after the month of use (`month_after_use`).

Columns and places count from 1, lengths are bytes.
"""

import json
from collections.abc import Mapping
from typing import Literal, cast, get_args

import msgspec

from hub.case_fields import BadCase, Fields
from hub.waiver.bill import KINDS
from hub.waiver.rules.profile import Rounding
from hub.writable import ENCODINGS, Encoding

Format = Literal["delimited", "fixed"]
Tax = Literal["invoice", "line", "inside"]
RecordKind = Literal["head", "line", "charge", "trailer", "ignored"]
FieldName = Literal[
    "phone",
    "iccid",
    "month",
    "number",
    "carrier",
    "first_day",
    "last_day",
    "due_day",
    "used_bytes",
    "charge",
    "charge_name",
    "charge_yen",
    "charge_tax_percent",
    "ex_tax_yen",
    "tax_yen",
    "total_yen",
    "lines",
]
ChargeKind = Literal["base", "fee", "overage", "other", "all", "tax", "skip"]

LENGTH = 20_000
_FIELDS_OF: dict[RecordKind, tuple[FieldName, ...]] = {
    "head": (
        "month", "number", "carrier", "first_day", "last_day", "due_day", "lines", "ex_tax_yen", "tax_yen", "total_yen",
    ),
    "trailer": ("month", "number", "due_day", "lines", "ex_tax_yen", "tax_yen", "total_yen"),
    "line": (
        "phone", "iccid", "month", "number", "first_day", "last_day", "due_day", "used_bytes", "charge", "ex_tax_yen",
        "tax_yen", "total_yen",
    ),
    "charge": (
        "phone", "iccid", "month", "number", "first_day", "last_day", "due_day", "used_bytes", "charge_name",
        "charge_yen", "charge_tax_percent", "tax_yen",
    ),
    "ignored": (),
}  # fmt: skip
# How much of what a figure is; the first without it. A packet is 128 bytes, as mobile carriers count them.
_UNITS: dict[str, tuple[str, ...]] = {
    "used_bytes": ("B", "kB", "MB", "GB", "KiB", "MiB", "GiB", "packet"),
    "month": ("yyyymm", "yyyy-mm", "yyyy/mm", "yymm", "yyyy年m月"),
    "first_day": ("yyyymmdd", "yyyy-mm-dd", "yyyy/mm/dd"),
    "last_day": ("yyyymmdd", "yyyy-mm-dd", "yyyy/mm/dd"),
    "due_day": ("yyyymmdd", "yyyy-mm-dd", "yyyy/mm/dd"),
}
_BETWEEN = {"comma": ",", "tab": "\t", "semicolon": ";"}
_MOST_BYTES = 4096
_MOST_COLUMNS = 200
_CODEC = {"utf-8-sig": "utf-8"}


class Place(msgspec.Struct, frozen=True):
    """Where a figure stands: a column by heading or number, or bytes of a record."""

    heading: str = ""
    column: int = 0
    at: int = 0
    length: int = 0


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """A figure of a record. `name`, `kind` and `tax_percent` are those of a `charge` that has a column of its own."""

    field: FieldName
    place: Place
    unit: str = ""
    name: str = ""
    kind: ChargeKind = "other"
    tax_percent: int | None = None


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """A charge by the carrier's name for it: ours, its kind, and the rate where it has one of its own."""

    name: str
    kind: ChargeKind
    tax_percent: int | None = None


class Record(msgspec.Struct, frozen=True):
    """One kind of record, and what tells it from others (`type`; empty: every row)."""

    kind: RecordKind
    type: str
    fields: tuple[Field, ...]


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """A bill's form. `record_bytes` is without the line's end."""

    title: str
    carrier: str
    format: Format
    encoding: Encoding
    records: tuple[Record, ...]
    type: Place | None = None
    delimiter: str = ","
    heading_rows: int = 0
    record_bytes: int = 0
    line_ends: bool = True
    tax: Tax = "invoice"
    tax_percent: int = 10
    tax_rounding: Rounding = "floor"
    month_after_use: int = 0
    charges: Mapping[str, Named] = {}
    example: str = ""

    @property
    def codec(self) -> str:
        """The encoding without the mark at the beginning of a file."""
        return _CODEC.get(self.encoding, self.encoding)

    def named(self, name: str) -> Named:
        """A charge by the carrier's name for it."""
        return self.charges.get(name) or Named(name=name, kind="other")


class BadLayout(ValueError):
    """A layout that cannot be read; one sentence with the place."""


_TOP = frozenset(
    {
        "title", "carrier", "format", "encoding", "delimiter", "heading_rows", "record_bytes", "line_ends", "type",
        "records", "tax", "tax_percent", "tax_rounding", "month_after_use", "charges",
        "example", "note",
    }
)  # fmt: skip
_FIELD = frozenset({"field", "column", "at", "bytes", "unit", "name", "kind", "tax_percent", "note"})


def read(text: str, where: str = "layout") -> Layout:
    """The layout in a JSON text. Raises BadLayout."""
    if len(text) > LENGTH:
        raise BadLayout(f"{where}: expected at most {LENGTH} characters, found {len(text)}")
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadLayout(f"{where}: expected JSON, found {error}") from error
    try:
        return _layout(Fields(raw, where, _TOP))
    except BadCase as error:
        raise BadLayout(str(error)) from error


def _layout(top: Fields) -> Layout:
    kind = cast("Format", top.choice("format", "delimited", "fixed"))
    for name in ("record_bytes", "line_ends") if kind == "delimited" else ("delimiter", "heading_rows"):
        if top.has(name):
            raise BadCase(top.place(name), f"nothing, for the format is {kind}", top.get(name))
    headings = top.whole("heading_rows", 20) or 0
    size = top.whole("record_bytes", _MOST_BYTES) or 0
    if kind == "fixed" and not size:
        raise BadCase(top.place("record_bytes"), f"how many bytes a record has, 1 to {_MOST_BYTES}")
    ends = top.get("line_ends")
    if ends is not None and not isinstance(ends, bool):
        raise BadCase(top.place("line_ends"), "true or false", ends)
    found = Layout(
        title=top.text("title")[:100],
        carrier=top.text("carrier")[:60],
        format=kind,
        encoding=cast("Encoding", top.choice("encoding", *sorted(ENCODINGS))),
        records=_records(top, kind, headings, size),
        type=_place(Fields(top.get("type"), top.place("type"), _FIELD), kind, headings, size)
        if top.has("type")
        else None,
        delimiter=_BETWEEN[top.choice("delimiter", *_BETWEEN)],
        heading_rows=headings,
        record_bytes=size,
        line_ends=ends is not False,
        tax=cast("Tax", top.choice("tax", *get_args(Tax))),
        tax_percent=_percent(top, 10),
        tax_rounding=cast("Rounding", top.choice("tax_rounding", *get_args(Rounding))),
        month_after_use=top.whole("month_after_use", 3) or 0,
        charges=_charges(top),
        example=top.text("example"),
    )
    _fits(top, found)
    return found


def _percent(fields: Fields, default: int) -> int:
    found = fields.whole("tax_percent", 100)
    return default if found is None else found


def _charges(top: Fields) -> dict[str, Named]:
    if not top.has("charges"):
        return {}
    found = Fields(top.get("charges"), top.place("charges"))
    return {
        name: _named(Fields(value, found.place(name), frozenset({"name", "kind", "tax_percent"})), name)
        for name, value in found.values.items()
    }


def _named(fields: Fields, carriers: str) -> Named:
    kind = cast("ChargeKind", fields.choice("kind", *get_args(ChargeKind)))
    return Named(name=fields.text("name") or carriers, kind=kind, tax_percent=fields.whole("tax_percent", 100))


def _records(top: Fields, kind: Format, headings: int, size: int) -> tuple[Record, ...]:
    found = [
        _record(one, kind, headings, size)
        for one in top.objects("records", frozenset({"record", "type", "fields", "note"}))
    ]
    if not any(one.kind in ("line", "charge") for one in found):
        raise BadCase(top.place("records"), "a record `line` or `charge`, for a bill is about lines")
    return tuple(found)


def _record(fields: Fields, kind: Format, headings: int, size: int) -> Record:
    which = cast("RecordKind", fields.choice("record", "line", "charge", "head", "trailer", "ignored"))
    found = tuple(_field(one, which, kind, headings, size) for one in fields.objects("fields", _FIELD))
    names = [one.field for one in found if one.field != "charge"]
    for name in names:
        if names.count(name) > 1:
            raise BadCase(fields.place("fields"), f"{name} once", f"{names.count(name)} times")
    return Record(which, fields.text("type"), found)


def _field(fields: Fields, record: RecordKind, kind: Format, headings: int, size: int) -> Field:
    known = _FIELDS_OF[record]
    if not known:
        raise BadCase(fields.where, "no fields in a record that is ignored")
    if not fields.has("field"):
        raise BadCase(fields.place("field"), f"one of {', '.join(known)}")
    name = cast("FieldName", fields.choice("field", *known))
    units = _UNITS.get(name, ("",))
    if fields.has("unit") and units == ("",):
        raise BadCase(fields.place("unit"), f"nothing, for {name} has no unit", fields.get("unit"))
    charge = name == "charge"
    for only in ("name", "kind", "tax_percent"):
        if fields.has(only) and not charge:
            raise BadCase(fields.place(only), "nothing, for it belongs to a charge", fields.get(only))
    if charge and not fields.text("name"):
        raise BadCase(fields.place("name"), "the charge's name, such as base")
    return Field(
        field=name,
        place=_place(fields, kind, headings, size),
        unit=fields.choice("unit", *units) if units != ("",) else "",
        name=fields.text("name"),
        kind=cast("ChargeKind", fields.choice("kind", *KINDS, "tax")) if charge else "other",
        tax_percent=fields.whole("tax_percent", 100),
    )


def _place(fields: Fields, kind: Format, headings: int, size: int) -> Place:
    if kind == "fixed":
        at, length = fields.whole("at", size) or 0, fields.whole("bytes", size) or 0
        if not at or not length or at + length - 1 > size:
            raise BadCase(fields.place("at"), f"a place and bytes within 1 to {size}", f"{at} + {length}")
        return Place(at=at, length=length)
    column = fields.get("column")
    if isinstance(column, str) and column:
        if not headings:
            raise BadCase(fields.place("column"), "a number, for the file has no headings (heading_rows)", column)
        return Place(heading=column)
    number = fields.whole("column", _MOST_COLUMNS)
    if not number:
        raise BadCase(fields.place("column"), f"a heading or a number from 1 to {_MOST_COLUMNS}", column)
    return Place(column=number)


def _fits(top: Fields, found: Layout) -> None:
    """What no field can tell by itself."""
    types = [one.type for one in found.records]
    if found.type is None and len(types) > 1:
        raise BadCase(top.place("type"), "where a record tells its kind, for there are several")
    if found.type is not None and ("" in types or len(set(types)) < len(types)):
        raise BadCase(top.place("records"), "a type of its own for each record")
    has = {one.field for record in found.records if record.kind in ("line", "charge") for one in record.fields}
    if "phone" not in has and "iccid" not in has:
        raise BadCase(top.place("records"), "a field phone or iccid, for a line is known by it")
    if not has & {"charge", "charge_yen", "ex_tax_yen", "total_yen"}:
        raise BadCase(top.place("records"), "a field charge, charge_yen, ex_tax_yen or total_yen")
    if ("charge_yen" in has) != ("charge_name" in has):
        raise BadCase(top.place("records"), "charge_name and charge_yen together")
    against = {"invoice": {"tax_yen", "total_yen"}, "inside": {"tax_yen", "ex_tax_yen"}, "line": set[str]()}[found.tax]
    if has & against:
        raise BadCase(top.place("tax"), f"no {' and '.join(sorted(has & against))} of a line with tax {found.tax}")
    if found.tax == "line" and "tax_yen" not in has:
        raise BadCase(top.place("records"), "a field tax_yen of a line, for each tells its own tax")
