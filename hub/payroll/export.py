"""A month as a file for the payroll: its name, its bytes and their digest."""

import hashlib
from typing import NamedTuple

from hub.payroll import workbook, writing
from hub.payroll.cell import Letters, rows
from hub.payroll.form import Layout, file_name
from hub.payroll.line import Table
from hub.sheet import XLSX


class Export(NamedTuple):
    """A file that can leave the house. `rows` are its rows of people, classes or days."""

    name: str
    content: bytes
    sha256: str
    rows: int
    media_type: str


def export(layout: Layout, table: Table, letters: Letters) -> Export:
    """The file of a month; the same month, layout and letters give the same bytes. Raises CannotWrite."""
    content = (workbook if layout.format == "xlsx" else writing).file(layout, table, letters)
    return Export(
        name=file_name(layout.file_name, table.month, table.version),
        content=content,
        sha256=hashlib.sha256(content).hexdigest(),
        rows=len(list(rows(layout, table))),
        media_type=XLSX if layout.format == "xlsx" else "text/csv" if layout.format == "delimited" else "text/plain",
    )
