"""Access: tables as files, CSV and xlsx, read with bounds and written so that no cell is a formula.

1. A file has at most 5 MB, 20,000 rows and 60 columns; what an xlsx unpacks to is bounded before it is unpacked.
2. CSV is read as UTF-8 or, as a Japanese Excel writes it, as code page 932; with commas, semicolons or tabs.
3. A formula in an xlsx is told as one and never worked out.
4. A text that a spreadsheet would take for a formula is written with an apostrophe before it, which is taken away when
   the file comes back; one that begins with apostrophes and such a sign gets one more.
"""

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from hub.cells import Cells

BYTES = 5_000_000
ROWS = 20_000
_COLUMNS = 60
_CELL_LENGTH = 2000
_UNPACKED_BYTES = 40_000_000
_PARTS = 400
_GUARDED = re.compile("'*[=+\\-@\t\r\n＝＋－＠]")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class Sheet(NamedTuple):
    """A table: its name, its headings, and the rows below them."""

    title: str
    headings: tuple[str, ...]
    rows: list[Cells]
    others: tuple[str, ...] = ()


class CannotRead(Exception):
    """A file that is no table of ours; `why` is a word (`import_…`), with a figure or text for it."""

    def __init__(self, why: str, found: object = "") -> None:
        super().__init__(why, found)
        self.why, self.found = why, found


def read(name: str, content: bytes) -> Sheet:
    """The table in a file. Raises CannotRead."""
    if len(content) > BYTES:
        raise CannotRead("too_large", BYTES // 1_000_000)
    if not content.strip():
        raise CannotRead("empty")
    if content[:4] == b"PK\x03\x04":
        return _read_xlsx(content)
    if content[:4] == b"\xd0\xcf\x11\xe0":
        raise CannotRead("old_excel")
    return _sheet(name, _csv_rows(content))


def _sheet(title: str, rows: Iterable[Cells], others: tuple[str, ...] = ()) -> Sheet:
    found = iter(rows)
    head = next(found, None)
    if head is None or not any(text.strip() for text in head.texts):
        raise CannotRead("no_headings")
    kept = []
    for cells in found:
        if any(text.strip() for text in cells.texts):
            if cells.number > ROWS + 1:
                raise CannotRead("too_many_rows", ROWS)
            kept.append(cells)
    return Sheet(title, tuple(head.texts), kept, others)


# ---- CSV


def _csv_rows(content: bytes) -> Iterator[Cells]:
    text = _decoded(content)
    first = text.partition("\n")[0]
    between = max(",;\t", key=first.count)
    # A cell longer than ours is refused by the field that it is of, not by a bound of the library.
    csv.field_size_limit(BYTES)
    try:
        for number, row in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=between), 1):
            yield Cells(number, [_unguarded(cell)[:_CELL_LENGTH] for cell in row[:_COLUMNS]])
    except csv.Error as error:
        raise CannotRead("broken", str(error)) from error


def _decoded(content: bytes) -> str:
    marked = content[:2] in (b"\xff\xfe", b"\xfe\xff")
    for encoding in ("utf-16",) if marked else ("utf-8-sig", "cp932"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError as error:
            wrong = error.start
            continue
        if "\0" in text:
            raise CannotRead("not_text", text.index("\0"))
        return text
    raise CannotRead("not_text", wrong)


# ---- xlsx


def _read_xlsx(content: bytes) -> Sheet:
    from openpyxl import load_workbook

    _check_zip(content)
    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
        sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
        return _sheet(sheets[0].title, _xlsx_rows(sheets[0]), tuple(sheet.title for sheet in sheets[1:]))
    except CannotRead:
        raise
    except Exception as error:  # a reader of strangers' files: whatever it stumbles over is one answer
        raise CannotRead("broken", type(error).__name__) from error


def _xlsx_rows(sheet: Any) -> Iterator[Cells]:
    for number, row in enumerate(sheet.iter_rows(min_row=1, min_col=1, max_col=_COLUMNS), 1):
        yield _xlsx_cells(number, row)


def _check_zip(content: bytes) -> None:
    """What it unpacks to, by its own list; the library reads no more of a part than is listed."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            parts = packed.infolist()
            if len(parts) > _PARTS or sum(part.file_size for part in parts) > _UNPACKED_BYTES:
                raise CannotRead("bomb", _UNPACKED_BYTES // 1_000_000)
            if "xl/workbook.xml" not in packed.namelist():
                raise CannotRead("no_workbook")
            if any(part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for part in parts):
                raise CannotRead("broken", "compression")
            for part in parts:
                # An XML document that declares entities of its own can grow without end.
                if part.filename.endswith((".xml", ".rels")) and _declares(packed.open(part).read(400)):
                    raise CannotRead("bomb", _UNPACKED_BYTES // 1_000_000)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError, zlib.error) as error:
        raise CannotRead("broken", type(error).__name__) from error


def _declares(head: bytes) -> bool:
    return b"<!DOCTYPE" in head or b"<!ENTITY" in head


def _xlsx_cells(number: int, row: Sequence[Any]) -> Cells:
    texts, formulas = [], set()
    for place, cell in enumerate(row):
        if cell.data_type == "f":
            formulas.add(place)
        texts.append(_unguarded(_text(cell.value))[:_CELL_LENGTH])
    while texts and not texts[-1]:
        texts.pop()
    return Cells(number, texts, frozenset(formulas))


def _text(value: object) -> str:
    """A cell as a person reads it."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return str(value)


# ---- writing


def csv_file(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """CSV in UTF-8 with a mark, which every spreadsheet of today opens as it is."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(headings)
    writer.writerows([guarded(cell) for cell in row] for row in rows)
    return b"\xef\xbb\xbf" + text.getvalue().encode()


Table = tuple[str, Sequence[str], Iterable[Sequence[str]]]


def xlsx_file(title: str, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """The same as xlsx: every cell a text, the headings standing still."""
    return xlsx_book([(title, headings, rows)])


def xlsx_book(tables: Iterable[Table]) -> bytes:
    """Tables as an xlsx, a sheet each: title, headings, rows."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    for title, headings, rows in tables:
        sheet = book.create_sheet(title)
        sheet.freeze_panes = "A2"
        for row in (headings, *rows):
            cells = []
            for text in row:
                made = WriteOnlyCell(sheet, guarded(text))
                made.data_type = "s"
                made.number_format = "@"
                cells.append(made)
            sheet.append(cells)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def guarded(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if _GUARDED.match(text) else text


def _unguarded(text: str) -> str:
    return text[1:] if text[:1] == "'" and _GUARDED.match(text[1:]) else text
