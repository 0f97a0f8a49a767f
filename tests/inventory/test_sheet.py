"""Tables as files: bounds, encodings, formulas, and that what was written is read again."""

import csv
import io
import zipfile
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from hub import sheet
from hub.sheet import CannotRead

# What a cell of ours can be: no control characters but a line feed, nothing around it.
TEXT = st.text(
    st.one_of(st.sampled_from("=+-@'\n,;\"\t＝ 役場A1"), st.characters(exclude_categories=["Cc", "Cs", "Cn", "Co"])),
    max_size=12,
).map(str.strip)
ROWS = st.lists(st.lists(TEXT, min_size=3, max_size=3), max_size=8)
HEAD = ("備品番号", "場所", "メモ")


def texts(content: bytes) -> list[list[str]]:
    """The rows of a file, each as long as its headings."""
    return [[*cells.texts, "", "", ""][:3] for cells in sheet.read("x", content).rows]


def filled(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """Those in which anything stands."""
    return [list(row) for row in rows if any(cell.strip() for cell in row)]


@given(ROWS)
def test_csv_comes_back_as_it_went(rows: list[list[str]]) -> None:
    content = sheet.csv_file(HEAD, rows)
    assert texts(content) == filled(rows)
    assert sheet.read("x", content).headings == HEAD


@settings(max_examples=40)
@given(ROWS)
def test_xlsx_comes_back_as_it_went(rows: list[list[str]]) -> None:
    assert texts(sheet.xlsx_file("x", HEAD, rows)) == filled(rows)


@given(ROWS)
def test_no_cell_of_a_file_is_a_formula(rows: list[list[str]]) -> None:
    written = csv.reader(io.StringIO(sheet.csv_file(HEAD, rows).decode("utf-8-sig"), newline=""))
    assert not [cell for row in written for cell in row if cell[:1] and cell[0] in "=+-@\t\r\n＝＋－＠"]


def test_an_xlsx_holds_texts_only() -> None:
    book = load_workbook(io.BytesIO(sheet.xlsx_file("x", HEAD, [["=1+1", "'=x", "-5"]])))
    cells = [cell for row in book.active.iter_rows(min_row=2) for cell in row]  # type: ignore[union-attr]
    assert [(cell.value, cell.data_type) for cell in cells] == [("'=1+1", "s"), ("''=x", "s"), ("'-5", "s")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "utf-16"])
@pytest.mark.parametrize("between", [",", "\t", ";"])
def test_csv_is_read_as_spreadsheets_of_this_country_write_it(encoding: str, between: str) -> None:
    text = between.join(HEAD) + "\r\n" + between.join(["A-1", "髙橋会館①", '"二行\nの,メモ"']) + "\r\n"
    assert texts(text.encode(encoding)) == [["A-1", "髙橋会館①", "二行\nの,メモ"]]


def test_a_formula_is_told_and_not_worked_out() -> None:
    book = Workbook()
    page = book.active
    assert page is not None
    page.append(HEAD)
    page.append(["A-1", '=HYPERLINK("http://example.com")', 12])
    file = io.BytesIO()
    book.save(file)
    (cells,) = sheet.read("x", file.getvalue()).rows
    assert cells.formulas == {1}
    assert cells.texts[2] == "12"


def packed(parts: dict[str, bytes]) -> bytes:
    """A zip file."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in parts.items():
            made.writestr(name, content)
    return file.getvalue()


WORKBOOK = sheet.xlsx_file("x", HEAD, [["A-1", "", ""]])


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b",,\nA,B\n", "no_headings"),
        (b"x" * (sheet.BYTES + 1), "too_large"),
        (b"\xd0\xcf\x11\xe0 an old book", "old_excel"),
        (b"\x81\xff\xfe" * 3, "not_text"),
        (b"a,b\n1,\0\n", "not_text"),
        (WORKBOOK[: len(WORKBOOK) // 2], "broken"),
        (b"PK\x03\x04" + b"\0" * 99, "broken"),
        (packed({"a.txt": b"x"}), "no_workbook"),
        (packed({"xl/workbook.xml": b"x", "xl/big.xml": b"0" * 61_000_000}), "bomb"),
        (packed({"xl/workbook.xml": b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>'}), "bomb"),
        (packed({"xl/workbook.xml": b"x"} | {f"xl/{n}": b"" for n in range(500)}), "bomb"),
        (packed({"xl/workbook.xml": b"<x/>"}), "broken"),
    ],
)
def test_what_is_no_table_is_refused_with_a_reason(content: bytes, why: str) -> None:
    with pytest.raises(CannotRead) as refused:
        sheet.read("x", content)
    assert refused.value.why == why


def test_rows_are_counted_where_something_stands() -> None:
    lines = "\n".join(f"A-{n},," for n in range(sheet.ROWS))
    assert len(sheet.read("x", f"備品番号,場所,メモ\n{lines}\n,,\n\n".encode()).rows) == sheet.ROWS
    with pytest.raises(CannotRead) as refused:
        sheet.read("x", f"備品番号,場所,メモ\n{lines}\nA,,\n".encode())
    assert refused.value.why == "too_many_rows"


@given(st.binary(max_size=400))
def test_any_bytes_are_a_table_or_refused(content: bytes) -> None:
    for given_bytes in (content, b"PK\x03\x04" + content):
        try:
            sheet.read("x", given_bytes)
        except CannotRead:
            continue


@settings(max_examples=60)
@given(st.integers(0, len(WORKBOOK) - 1), st.integers(0, 255))
def test_a_workbook_with_any_byte_changed_is_a_table_or_refused(place: int, byte: int) -> None:
    changed = bytearray(WORKBOOK)
    changed[place] = byte
    try:
        sheet.read("x", bytes(changed))
    except CannotRead:
        return
