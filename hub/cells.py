"""One row of a table that came as a file, and how a spreadsheet names its columns (rule)."""

from collections.abc import Sequence
from typing import NamedTuple


class Cells(NamedTuple):
    """One row of a file: its number as a spreadsheet counts, its texts, and where formulas stand."""

    number: int
    texts: Sequence[str]
    formulas: frozenset[int] = frozenset()


def letters(place: int) -> str:
    """A column's name in a spreadsheet: A, …, Z, AA, …"""
    name = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        name = chr(ord("A") + rest) + name
    return name
