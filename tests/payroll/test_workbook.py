"""The xlsx, read back: real times, texts that stay texts, sums, adjustments, the same bytes again."""

import io
import time
from datetime import timedelta
from typing import Any

from openpyxl import load_workbook

from hub.payroll import layout, store
from hub.payroll.cell import Letters
from hub.payroll.export import export
from hub.payroll.line import Table
from tests.payroll.parts import back, column, entry, month, person, small

NOTHING = Letters()


def book(table: Table, text: str = "") -> Any:
    """The file of a table, opened."""
    form = layout.read(text or store.shipped()["excel"].text, "excel")
    return load_workbook(io.BytesIO(export(form, table, NOTHING).content))


def cells(sheet: Any) -> dict[str, Any]:
    """The first row below the headings, by heading."""
    head, first = list(sheet.iter_rows(min_row=1, max_row=2))
    return {one.value: other for one, other in zip(head, first, strict=True)}


TABLE = month(person("000123", "=HYPERLINK(1)", [entry("W125", 3630)], [back()]), person("007", "@x"))


def test_times_are_times_and_numbers_keep_their_noughts() -> None:
    """60:30 is sixty and a half hours; no text is a formula."""
    row = cells(book(TABLE)["2026-10"])
    assert row["W125"].value == timedelta(hours=60, minutes=30)
    assert row["W125"].number_format == "[h]:mm"
    assert (row["職員番号"].value, row["職員番号"].data_type) == ("000123", "s")
    assert row["支給額(円)"].value == 61 * 2016
    assert row["調整(円)"].value == -2016
    for sheet in book(TABLE).worksheets:
        assert {one.data_type for line in sheet.iter_rows() for one in line} <= {"s", "n", "d"}
    assert row["氏名"].value == "'=HYPERLINK(1)"


def test_a_sheet_of_sums_and_one_of_adjustments() -> None:
    """Each class over all; below nought, minutes as a figure, for no spreadsheet shows such a time."""
    sums, adjusted = book(TABLE)["合計"], book(TABLE)["調整"]
    rows = {row[0]: row for row in sums.iter_rows(values_only=True) if row[0]}
    assert rows["W125"][1:4] == (timedelta(hours=60, minutes=30), 61, 61 * 2016)
    assert rows["W125"][4:] == (-30, -1, -2016)
    assert rows["計"][3] + rows["計"][6] == 61 * 2016 - 2016
    assert rows["ハッシュ"][1] == "ab" * 32
    assert [row[:3] for row in adjusted.iter_rows(min_row=2, values_only=True)] == [("000123", "2026-09", "W125")]


def test_the_same_month_gives_the_same_bytes() -> None:
    """Whenever it is made."""
    form = layout.read(store.shipped()["excel"].text, "excel")
    first = export(form, TABLE, NOTHING)
    time.sleep(2.1)  # a zip counts in two seconds
    assert export(form, TABLE, NOTHING) == first


def test_other_units() -> None:
    """Minutes and hundredths are figures, HHMM is a text."""
    units = "".join(column(unit, "minutes", unit=unit) for unit in ("min", "h.hh", "HHMM"))
    found = small(
        column("number", "staff_number") + units + column("z", "minutes", classes=["N25"], zero="empty"),
        'format = "xlsx"\nfile_name = "x.xlsx"',
    )
    row = cells(load_workbook(io.BytesIO(export(found, TABLE, NOTHING).content)).worksheets[0])
    assert (row["min"].value, row["h.hh"].value, row["HHMM"].value) == (3630, 60.5, "6030")
    assert row["h.hh"].number_format == "0.00"
    assert row["z"].value in ("", None)
