"""A report as CSV or xlsx: figures stay figures, so that an auditor can add them up; a text is never a formula."""

import csv
import io
from collections.abc import Iterable, Sequence

from hub.sheet import guarded

Cell = str | int


def csv_file(headings: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """CSV in UTF-8 with a mark."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(headings)
    writer.writerows([cell if isinstance(cell, int) else guarded(cell) for cell in row] for row in rows)
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def xlsx_file(title: str, headings: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """The same as xlsx, the headings standing still."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    sheet = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    for row in (headings, *rows):
        cells = []
        for cell in row:
            made = WriteOnlyCell(sheet, cell if isinstance(cell, int) else guarded(cell))
            if isinstance(cell, int):
                made.number_format = "#,##0"
            else:
                made.data_type, made.number_format = "s", "@"
            cells.append(made)
        sheet.append(cells)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()
