"""A carrier's file as a bill (rule): all of it, or one sentence that names the line; nothing is guessed.

1. Records are read by the layout (`bill_layout.py`); what a layout describes and a file has not (its head, its trailer)
   is a file that was cut off.
2. Charges of a line add up to what the line says, lines to what the bill says, in number and in yen.
3. Tax is rounded once an invoice and rate and spread over the lines by largest remainder, of two alike to the lower
   phone number (`rules/invoice.py`); where each line tells its own, it is that of its charges but for the rounding.
4. The month must be the one that was asked for; a line stands in it once.
5. A charge that is about no line (a fee of the bill itself) is a row without a phone number.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

import msgspec

from hub.waiver.bill import Item, Kind
from hub.waiver.bill_layout import Field, Layout, Place, Record
from hub.waiver.rules.exact import spread
from hub.waiver.rules.invoice import invoice
from hub.waiver.rules.months import first_day, last_day, later
from hub.waiver.rules.tariff import Charge

ROWS = 40_000
_MOST_YEN = 10**10
_MOST_BYTES = 2**60
_SIGN = re.compile("[-−▲△]")
_FIGURES = re.compile(r"[0-9]{1,12}")
_AMOUNT = re.compile(r"[0-9]{1,15}(\.[0-9]{1,9})?")
_UNITS = {
    "B": 1, "kB": 1000, "MB": 1000**2, "GB": 1000**3, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3, "packet": 128,
}  # fmt: skip
_MONTHS = {
    "yyyymm": re.compile(r"(\d{4})(\d{2})"),
    "yyyy-mm": re.compile(r"(\d{4})-(\d{2})"),
    "yyyy/mm": re.compile(r"(\d{4})/(\d{1,2})"),
    "yymm": re.compile(r"(\d{2})(\d{2})"),
    "yyyy年m月": re.compile(r"(\d{4})年(\d{1,2})月"),
}
_DAYS = {
    "yyyymmdd": re.compile(r"(\d{4})(\d{2})(\d{2})"),
    "yyyy-mm-dd": re.compile(r"(\d{4})-(\d{2})-(\d{2})"),
    "yyyy/mm/dd": re.compile(r"(\d{4})/(\d{1,2})/(\d{1,2})"),
}


class BadBill(ValueError):
    """Why a file is no bill: a word (`bill_wrong_…`) with its values; `row` is the line of the file, 0: all of it."""

    def __init__(self, why: str, row: int = 0, **values: object) -> None:
        super().__init__(why, row, values)
        self.why, self.row = why, row
        self.values = {name: value if isinstance(value, int) else str(value)[:60] for name, value in values.items()}


class Row(msgspec.Struct, frozen=True):
    """A line of the bill as it came: `n` is where it stands in the file; `used_bytes` None where none is told."""

    n: int
    phone: str
    iccid: str
    items: tuple[Item, ...]
    charges: tuple[Charge, ...]
    used_bytes: int | None

    @property
    def ex_tax_yen(self) -> int:
        """Without tax."""
        return sum(one.ex_tax_yen for one in self.items)

    @property
    def tax_yen(self) -> int:
        """Its share of the tax."""
        return sum(one.tax_yen for one in self.items)


class Paper(msgspec.Struct, frozen=True, kw_only=True):
    """A whole bill as it came, checked in itself; rows in the order of the file."""

    carrier: str
    month: str
    number: str
    first_day: str
    last_day: str
    due_day: str
    rows: tuple[Row, ...]

    @property
    def ex_tax_yen(self) -> int:
        """Without tax."""
        return sum(one.ex_tax_yen for one in self.rows)

    @property
    def tax_yen(self) -> int:
        """The tax."""
        return sum(one.tax_yen for one in self.rows)

    @property
    def total_yen(self) -> int:
        """What is to be paid."""
        return self.ex_tax_yen + self.tax_yen


def read(content: bytes, layout: Layout, month: str, carrier: str, total_yen: int | None = None) -> Paper:
    """The bill of a month (YYYY-MM) of use in a file; `total_yen` is what the paper says, if somebody typed it.

    Raises BadBill.
    """
    if not content.strip():
        raise BadBill("empty")
    gathered = _Gathering(layout, month, carrier)
    for n, record, values in _records(content, layout):
        gathered.take(n, record, values)
    paper = gathered.paper()
    if total_yen is not None and total_yen != paper.total_yen:
        raise BadBill("typed_total", found=paper.total_yen, expected=total_yen)
    return paper


def example(layout: Layout) -> bytes:
    """The layout's own example as a file; records of fixed length are filled up with spaces."""
    lines = layout.example.splitlines()
    if layout.format == "delimited":
        return "".join(f"{line}\r\n" for line in lines).encode(layout.encoding)
    end = b"\r\n" if layout.line_ends else b""
    return b"".join(line.encode(layout.codec).ljust(layout.record_bytes) + end for line in lines)


# ---- records


class _Cells:
    """The texts of one record by place."""

    def __init__(self, n: int, layout: Layout, columns: Mapping[str, int], texts: Sequence[str], raw: bytes) -> None:
        self._n, self._layout, self._columns, self._texts, self._raw = n, layout, columns, texts, raw

    def text(self, place: Place) -> str:
        """What stands there, without the spaces around it. Raises BadBill."""
        if place.at:
            part = self._raw[place.at - 1 : place.at - 1 + place.length]
            try:
                return part.decode(self._layout.codec).strip(" \u3000\0")
            except UnicodeDecodeError as error:
                raise BadBill(
                    "encoding", self._n, byte=place.at + error.start, encoding=self._layout.encoding
                ) from error
        at = self._columns[place.heading] if place.heading else place.column - 1
        if at >= len(self._texts):
            raise BadBill("columns", self._n, found=len(self._texts), expected=at + 1)
        return self._texts[at].strip(" \u3000")


def _records(content: bytes, layout: Layout) -> Iterator[tuple[int, Record, list[tuple[Field, str]]]]:
    """Each record that means something: where it stands, its kind, its fields with their texts."""
    known = {one.type: one for one in layout.records}
    found = _fixed(content, layout) if layout.format == "fixed" else _delimited(content, layout)
    for seen, (n, cells) in enumerate(found, 1):
        if seen > ROWS:
            raise BadBill("too_many", n, most=ROWS)
        record = layout.records[0]
        if layout.type is not None:
            told = cells.text(layout.type)
            if told not in known:
                raise BadBill("type", n, found=told, known=", ".join(known))
            record = known[told]
        if record.kind != "ignored":
            yield n, record, [(field, cells.text(field.place)) for field in record.fields]


def _fixed(content: bytes, layout: Layout) -> Iterator[tuple[int, _Cells]]:
    # Old systems end a file with a sign of its own.
    content = content.rstrip(b"\x1a")
    size = layout.record_bytes
    if layout.line_ends:
        raws = content.split(b"\n")
        if raws and not raws[-1]:
            raws.pop()
        raws = [raw.removesuffix(b"\r") for raw in raws]
    else:
        raws = [content[at : at + size] for at in range(0, len(content), size)]
    for n, raw in enumerate(raws, 1):
        if len(raw) != size:
            raise BadBill("record_bytes", n, found=len(raw), expected=size)
        yield n, _Cells(n, layout, {}, (), raw)


def _delimited(content: bytes, layout: Layout) -> Iterator[tuple[int, _Cells]]:
    reader = csv.reader(io.StringIO(_decoded(content, layout), newline=""), delimiter=layout.delimiter, strict=True)
    columns: dict[str, int] = {}
    try:
        for texts in reader:
            n = reader.line_num
            if n <= layout.heading_rows:
                for at, text in enumerate(texts):
                    columns.setdefault(text.strip(), at)
                if n == layout.heading_rows:
                    _check_headings(layout, columns, n)
            elif any(text.strip() for text in texts):
                yield n, _Cells(n, layout, columns, texts, b"")
    except csv.Error as error:
        raise BadBill("broken", reader.line_num, found=error) from error
    if layout.heading_rows and not columns:
        raise BadBill("empty")


def _decoded(content: bytes, layout: Layout) -> str:
    content = content.rstrip(b"\x1a")
    try:
        text = content.decode("utf-8-sig" if layout.codec == "utf-8" else layout.codec)
    except UnicodeDecodeError as error:
        row = content.count(b"\n", 0, error.start) + 1
        byte = error.start - content.rfind(b"\n", 0, error.start)
        raise BadBill("encoding", row, byte=byte, encoding=layout.encoding) from error
    if "\0" in text:
        raise BadBill("encoding", text.count("\n", 0, text.index("\0")) + 1, byte=1, encoding=layout.encoding)
    return text


def _check_headings(layout: Layout, columns: Mapping[str, int], n: int) -> None:
    places = [field.place for record in layout.records for field in record.fields]
    for place in (*places, *([layout.type] if layout.type else ())):
        if place.heading and place.heading not in columns:
            raise BadBill("heading", n, expected=place.heading)


# ---- what they say


class _Sum(NamedTuple):
    """A sum that a head or a trailer tells, and where."""

    n: int
    yen: int


class _Open:
    """A line while its charges come."""

    def __init__(self, n: int, phone: str, iccid: str) -> None:
        self.n, self.phone, self.iccid = n, phone, iccid
        self.charges: list[Charge] = []
        self.used_bytes: int | None = None
        self.sums: dict[str, _Sum] = {}


class _Gathering:
    """Gathers the records of one file."""

    def __init__(self, layout: Layout, month: str, carrier: str) -> None:
        self._layout, self._month, self._carrier = layout, month, carrier
        self._lines: dict[str, _Open] = {}
        self._last: _Open | None = None
        self._told: dict[str, tuple[int, str]] = {}
        self._sums: dict[str, _Sum] = {}
        self._tax: _Sum | None = None
        self._seen: dict[str, int] = {}

    def take(self, n: int, record: Record, fields: list[tuple[Field, str]]) -> None:
        """Takes a record in. Raises BadBill."""
        if record.kind in ("head", "trailer"):
            if record.kind in self._seen:
                raise BadBill(f"two_{record.kind}s", n, first=self._seen[record.kind])
            for field, text in fields:
                if field.field in ("ex_tax_yen", "tax_yen", "total_yen", "lines"):
                    self._sum(field.field, _Sum(n, _yen(n, field, text)))
        self._seen.setdefault(record.kind, n)
        for field, text in fields:
            self._tell(n, field, text)
        if record.kind == "line":
            self._take_line(n, fields)
        elif record.kind == "charge":
            self._take_charge(n, fields)

    def _sum(self, name: str, told: _Sum) -> None:
        before = self._sums.setdefault(name, told)
        if before.yen != told.yen:
            raise BadBill("two_sums", told.n, found=told.yen, expected=before.yen, first=before.n)

    def _tell(self, n: int, field: Field, text: str) -> None:
        """What is told of the bill as a whole, in whichever record: it must be the same everywhere."""
        name = field.field
        if name not in ("month", "number", "carrier", "first_day", "last_day", "due_day") or not text:
            return
        value = text
        if name == "month":
            value = later(_month(n, field, text), -self._layout.month_after_use)
            if value != self._month:
                raise BadBill("month", n, found=value, expected=self._month)
        elif name.endswith("_day"):
            value = _day(n, field, text)
        first, before = self._told.setdefault(name, (n, value))
        if before != value:
            raise BadBill("two_values", n, found=value, expected=before, first=first)

    def _take_line(self, n: int, fields: list[tuple[Field, str]]) -> None:
        line = self._line(n, fields, new=True)
        self._last = line
        for field, text in fields:
            if field.field == "charge":
                self._charge(n, line, field.name, _yen(n, field, text or "0"), field)
            elif field.field in ("ex_tax_yen", "tax_yen", "total_yen"):
                line.sums[field.field] = _Sum(n, _yen(n, field, text))
            elif field.field == "used_bytes" and text:
                line.used_bytes = _bytes(n, field, text)

    def _take_charge(self, n: int, fields: list[tuple[Field, str]]) -> None:
        by_name = {field.field: (field, text) for field, text in fields}
        name, amount = by_name["charge_name"][1], by_name["charge_yen"]
        named = self._layout.named(name)
        yen = _yen(n, *amount)
        if named.kind == "skip":
            return
        if named.kind == "tax":
            self._tax = _Sum(n, yen + (self._tax.yen if self._tax else 0))
            return
        owns = "phone" in by_name or "iccid" in by_name
        line = self._line(n, fields, new=False) if owns else self._last
        if line is None:
            raise BadBill("charge_alone", n, found=name)
        percent = named.tax_percent
        if "charge_tax_percent" in by_name:
            percent = _percent(n, *by_name["charge_tax_percent"])
        self._add(line, named.name, named.kind, yen, percent)
        if "tax_yen" in by_name:
            told = line.sums.get("tax_yen", _Sum(n, 0))
            line.sums["tax_yen"] = _Sum(n, told.yen + _yen(n, *by_name["tax_yen"]))
        if by_name.get("used_bytes", (None, ""))[1]:
            line.used_bytes = _bytes(n, *by_name["used_bytes"])

    def _line(self, n: int, fields: list[tuple[Field, str]], *, new: bool) -> _Open:
        texts = {field.field: text for field, text in fields}
        phone, iccid = _figures(texts.get("phone", "")), re.sub(r"[\s-]", "", texts.get("iccid", "")).upper()
        key = phone or iccid
        if new and not key:
            raise BadBill("phone", n)
        there = self._lines.get(key)
        if there is not None and new:
            raise BadBill("twice", n, found=key, first=there.n)
        return self._lines.setdefault(key, there or _Open(n, phone, iccid))

    def _charge(self, n: int, line: _Open, name: str, yen: int, field: Field) -> None:
        if field.kind == "tax":
            self._tax = _Sum(n, yen + (self._tax.yen if self._tax else 0))
        elif yen:
            self._add(line, name, field.kind, yen, field.tax_percent)

    def _add(self, line: _Open, name: str, kind: str, yen: int, percent: int | None) -> None:
        rate = self._layout.tax_percent if percent is None else percent
        line.charges.append(Charge(name, kind, yen, rate, self._layout.tax == "inside"))

    # ---- the whole

    def paper(self) -> Paper:
        """The bill. Raises BadBill."""
        for record in self._layout.records:
            if record.kind in ("head", "trailer") and record.kind not in self._seen:
                raise BadBill(f"no_{record.kind}")
        if not self._lines:
            raise BadBill("no_lines")
        for line in self._lines.values():
            self._check_line(line)
        rows = self._rows()
        found = Paper(
            carrier=self._named_carrier(),
            month=self._month,
            number=self._told.get("number", (0, ""))[1][:40],
            first_day=self._told.get("first_day", (0, first_day(self._month).isoformat()))[1],
            last_day=self._told.get("last_day", (0, last_day(self._month).isoformat()))[1],
            due_day=self._told.get("due_day", (0, ""))[1],
            rows=tuple(rows),
        )
        self._check_period(found)
        self._check_sums(found)
        return found

    def _named_carrier(self) -> str:
        """Who the bill is from: as it was chosen, for the register knows carriers by that name."""
        return self._carrier or self._told.get("carrier", (0, ""))[1] or self._layout.carrier

    def _check_line(self, line: _Open) -> None:
        """What a line says of itself; an amount without charges is one charge of which nothing more is known."""
        inside = self._layout.tax == "inside"
        told = line.sums.get("total_yen" if inside else "ex_tax_yen")
        if told is None and not inside and not line.charges and {"total_yen", "tax_yen"} <= line.sums.keys():
            told = _Sum(line.n, line.sums["total_yen"].yen - line.sums["tax_yen"].yen)
        if told is not None and not line.charges:
            self._add(line, "all", "all", told.yen, None)
        charged = sum(one.yen for one in line.charges)
        if told is not None and told.yen != charged:
            raise BadBill("line_sum", line.n, phone=line.phone or line.iccid, found=charged, expected=told.yen)
        if self._layout.tax == "line" and "total_yen" in line.sums:
            total = charged + line.sums["tax_yen"].yen
            if total != line.sums["total_yen"].yen:
                said = line.sums["total_yen"].yen
                raise BadBill("line_sum", line.n, phone=line.phone or line.iccid, found=total, expected=said)

    def _rows(self) -> Iterable[Row]:
        """Rows with their tax, in the order of the file."""
        lines = sorted(self._lines.values(), key=lambda line: (line.phone or line.iccid, line.n))
        if self._layout.tax == "line":
            items = [_own_tax(line) for line in lines]
        else:
            taxed = invoice([line.charges for line in lines], self._layout.tax_rounding)
            items = [
                tuple(
                    Item(part.name, _kind(charge.kind), part.tax_percent, part.ex_tax, part.tax)
                    for part, charge in zip(one.parts, line.charges, strict=True)
                )
                for one, line in zip(taxed, lines, strict=True)
            ]
        found = [
            Row(line.n, line.phone, line.iccid, its, tuple(line.charges), line.used_bytes)
            for line, its in zip(lines, items, strict=True)
        ]
        return sorted(found, key=lambda row: row.n)

    def _check_period(self, found: Paper) -> None:
        if not found.first_day <= found.last_day:
            raise BadBill("period", self._told["last_day"][0], found=found.last_day, expected=found.first_day)
        # A period may be cut in the middle of a month, but some of it is in the month it is billed for.
        month = found.month
        if not (found.first_day <= last_day(month).isoformat() and found.last_day >= first_day(month).isoformat()):
            row = self._told.get("first_day", self._told.get("last_day", (0, "")))[0]
            raise BadBill("month", row, found=f"{found.first_day} – {found.last_day}", expected=month)

    def _check_sums(self, found: Paper) -> None:
        counted = sum(1 for one in self._lines.values() if one.phone or one.iccid)
        for name, why, value in (
            ("lines", "lines", counted),
            ("ex_tax_yen", "ex_tax", found.ex_tax_yen),
            ("tax_yen", "tax", found.tax_yen),
            ("total_yen", "total", found.total_yen),
        ):
            told = self._sums.get(name)
            if told is not None and told.yen != value:
                raise BadBill(why, told.n, found=told.yen, expected=value)
        if self._tax is not None and self._tax.yen != found.tax_yen:
            raise BadBill("tax", self._tax.n, found=self._tax.yen, expected=found.tax_yen)


def _own_tax(line: _Open) -> tuple[Item, ...]:
    """The charges of a line that tells its own tax."""
    told = line.sums.get("tax_yen")
    exact = [one.yen * one.tax_percent for one in line.charges]
    if told is None:
        raise BadBill("line_tax", line.n, phone=line.phone or line.iccid, found="—", expected=sum(exact) // 100)
    if not sum(exact) // 100 <= told.yen <= -(-sum(exact) // 100):
        raise BadBill("line_tax", line.n, phone=line.phone or line.iccid, found=told.yen, expected=sum(exact) // 100)
    return tuple(
        Item(one.name, _kind(one.kind), one.tax_percent, one.yen, tax)
        for one, tax in zip(line.charges, spread(told.yen, exact, 100), strict=True)
    )


def _kind(kind: str) -> Kind:
    found: Kind = kind  # type: ignore[assignment]
    return found


# ---- figures


def _figures(text: str) -> str:
    """A phone number as its figures; another name of a line as it is."""
    plain = unicodedata.normalize("NFKC", text)
    figures = re.sub(r"[\s()\-ー]", "", plain)
    # A spreadsheet that kept the file took the first nought of a mobile number away.
    if re.fullmatch(r"[789]0[0-9]{8}", figures):
        return f"0{figures}"
    return figures if figures.isdigit() else plain.strip()


def _plain(text: str) -> str:
    return re.sub(r"[\s,円¥\\]", "", unicodedata.normalize("NFKC", text))


def _yen(n: int, field: Field, text: str) -> int:
    """Whole yen; ▲ and △ are a minus, as on Japanese papers."""
    plain = _plain(text)
    figures = _SIGN.sub("", plain, count=1) if _SIGN.match(plain) else plain
    if not _FIGURES.fullmatch(figures) or int(figures) > _MOST_YEN:
        raise BadBill("number", n, field=field.field, found=text)
    return -int(figures) if figures != plain else int(figures)


def _percent(n: int, field: Field, text: str) -> int:
    plain = _plain(text).removesuffix("%")
    if not re.fullmatch(r"[0-9]{1,2}", plain):
        raise BadBill("number", n, field=field.field, found=text)
    return int(plain)


def _bytes(n: int, field: Field, text: str) -> int:
    plain = _plain(text)
    if not _AMOUNT.fullmatch(plain):
        raise BadBill("number", n, field=field.field, found=text)
    found = int(Decimal(plain) * _UNITS[field.unit])
    if found > _MOST_BYTES:
        raise BadBill("number", n, field=field.field, found=text)
    return found


def _month(n: int, field: Field, text: str) -> str:
    found = _MONTHS[field.unit].fullmatch(unicodedata.normalize("NFKC", text).strip())
    year, month = (int(part) for part in found.groups()) if found else (0, 0)
    year += 2000 if field.unit == "yymm" else 0
    if not (2000 <= year <= 2099 and 1 <= month <= 12):
        raise BadBill("month_form", n, found=text, expected=field.unit)
    return f"{year:04d}-{month:02d}"


def _day(n: int, field: Field, text: str) -> str:
    found = _DAYS[field.unit].fullmatch(unicodedata.normalize("NFKC", text).strip())
    try:
        day = date(*(int(part) for part in found.groups())) if found else None
    except ValueError:
        day = None
    if day is None or not 2000 <= day.year <= 2099:
        raise BadBill("day_form", n, found=text, expected=field.unit)
    return day.isoformat()
