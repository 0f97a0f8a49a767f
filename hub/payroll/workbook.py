"""A payroll file as xlsx: the rows, the sums of each class, what earlier months came to (rule).

1. Times are numbers with the format [h]:mm, so that 60:30 shows as 60:30; below nought, which no spreadsheet shows as a
   time, they are minutes.  Staff numbers are texts and keep their noughts.
2. No text is a formula.
3. The same month gives the same bytes: the file bears the time of the close, not that of the writing.
"""

import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hub.attendance.rules.kinds import PAY_CLASSES
from hub.payroll.amount import TIME_UNITS, hundredths
from hub.payroll.cell import Letters, Value, shown
from hub.payroll.form import Column, Layout
from hub.payroll.line import Table
from hub.payroll.writing import CannotWrite, body
from hub.sheet import guarded

_EPOCH = (1980, 1, 1, 0, 0, 0)
_MODIFIED = re.compile(rb"(<dcterms:modified[^>]*>)[^<]*(</dcterms:modified>)")
_TIME, _MINUTES, _WHOLE, _HUNDREDTHS, _TEXT = "[h]:mm", '0"分"', "#,##0", "0.00", "@"
_DAY_MINUTES = 1440
_SUMS = ("区分", "時間", "時間数", "金額(円)", "調整の時間", "調整の時間数", "調整の金額(円)")
_ADJUSTMENTS = ("職員番号", "対象年月", "区分", "時間", "時間数", "金額(円)")


def file(layout: Layout, table: Table, letters: Letters) -> bytes:
    """The whole file. Raises CannotWrite."""
    from openpyxl import Workbook

    found = body(layout, table, letters)
    if found.problems:
        raise CannotWrite(found.problems)
    closed = datetime.fromtimestamp(table.closed_ms // 1000, UTC).replace(tzinfo=None)
    book = Workbook(write_only=True)
    book.properties.creator, book.properties.created = "machinaka", closed
    rows = _Sheet(book, table.month)
    if layout.header:
        rows.add([_text(column.heading) for column in layout.columns])
    for values in found.values:
        rows.add([_cell(column, one) for column, one in zip(layout.columns, values, strict=True)])
    _sums(_Sheet(book, "合計"), table)
    _adjustments(_Sheet(book, "調整"), table)
    made = io.BytesIO()
    book.save(made)
    return _settled(made.getvalue(), closed)


class _Sheet:
    """A sheet whose first row stands still."""

    def __init__(self, book: Any, title: str) -> None:
        self._sheet = book.create_sheet(title)
        self._sheet.freeze_panes = "A2"

    def add(self, cells: Iterable[tuple[Any, str]]) -> None:
        """A row of values and their formats."""
        from openpyxl.cell import WriteOnlyCell

        row = []
        for value, number_format in cells:
            made = WriteOnlyCell(self._sheet, value)
            made.number_format = number_format
            if isinstance(value, str):
                made.data_type = "s"
            row.append(made)
        self._sheet.append(row)


def _text(text: str) -> tuple[object, str]:
    return guarded(text), _TEXT


def _time(minutes: int) -> tuple[object, str]:
    return (Decimal(minutes) / _DAY_MINUTES, _TIME) if minutes >= 0 else (minutes, _MINUTES)


def _whole(count: int) -> tuple[object, str]:
    return count, _WHOLE


def _cell(column: Column, found: Value) -> tuple[object, str]:
    if found.amount is None:
        return _text(found.text)
    if column.empty_zero and not found.amount:
        return _text("")
    if not found.time or column.unit not in TIME_UNITS or column.unit == "min":
        return _whole(found.amount)
    if column.unit == "h:mm":
        return _time(found.amount)
    if column.unit == "h.hh":
        return Decimal(hundredths(found.amount)) / 100, _HUNDREDTHS
    return _text(shown(column, found))


def _sums(sheet: _Sheet, table: Table) -> None:
    """Each class over all people, and what belongs to the close."""
    sheet.add([_text(one) for one in _SUMS])
    entries = [one for line in table.lines for one in line.entries]
    adjusted = [one for line in table.lines for one in line.adjusted]
    for pay in PAY_CLASSES:
        own, other = [one for one in entries if one.pay == pay], [one for one in adjusted if one.pay == pay]
        if own or other:
            sheet.add([_text(pay), *_figures(own), *_figures(other)])
    sheet.add([_text("計"), *_figures(entries), *_figures(adjusted)])
    sheet.add([])
    for name, text in (("対象年月", table.month), ("締めの版", str(table.version)), ("ハッシュ", table.hash)):
        sheet.add([_text(name), _text(text)])
    sheet.add([_text("人数"), _whole(len(table.lines))])


def _figures(found: Sequence[Any]) -> list[tuple[object, str]]:
    """Minutes, hours and yen of entries or adjustments."""
    hours = [one.hours for one in found]
    whole = _text("") if None in hours else _whole(sum(hours))
    return [_time(sum(one.minutes for one in found)), whole, _whole(sum(one.yen for one in found))]


def _adjustments(sheet: _Sheet, table: Table) -> None:
    sheet.add([_text(one) for one in _ADJUSTMENTS])
    for line in table.lines:
        for one in line.adjusted:
            figures = (_time(one.minutes), _whole(one.hours), _whole(one.yen))
            sheet.add([_text(line.number), _text(one.target_month), _text(one.pay), *figures])


def _settled(content: bytes, closed: datetime) -> bytes:
    """The same file without the moment of its writing."""
    made = io.BytesIO()
    stamp = f"{closed:%Y-%m-%dT%H:%M:%SZ}".encode()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            text = old.read(part)
            if part.filename == "docProps/core.xml":
                text = _MODIFIED.sub(rb"\g<1>" + stamp + rb"\g<2>", text)
            entry = zipfile.ZipInfo(part.filename, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(entry, text)
    return made.getvalue()
