"""Counts so small that they might tell of one person are not shown, and cannot be worked out from what is shown (rule).

1. A count from 1 to `fewest - 1` is hidden; 0 and whatever is larger are shown.
2. A hidden count is known to lie from 1 to `fewest - 1`.  A total over shown and hidden ones is told as it is only
   when it leaves every one of them the whole of that span; else it is the sum of what is shown: at least so many.
3. Over the same hidden counts one exact total is told and no second one: of a table the grand total, or none.  Two that
   cross (rows and columns) could be solved for what they hide.
4. What belongs to a hidden count (its bytes, its minutes) is hidden with it.
"""

from collections.abc import Sequence

import msgspec

FEWEST = 5


class Total(msgspec.Struct, frozen=True):
    """A total that may be shown; not `exact`, it is the sum of what is shown, and the true one is larger."""

    n: int
    exact: bool


class Table(msgspec.Struct, frozen=True):
    """A table as it may be shown: cells (None is hidden), the totals of its rows and columns, and of all."""

    cells: tuple[tuple[int | None, ...], ...]
    rows: tuple[Total, ...]
    columns: tuple[Total, ...]
    total: Total


def is_few(n: int, fewest: int = FEWEST) -> bool:
    """Whether a count must not be shown."""
    return 0 < n < fewest


def shown(n: int, fewest: int = FEWEST) -> str | None:
    """A count as text with commas; None when it must not be shown."""
    return None if is_few(n, fewest) else f"{n:,}"


def total(counts: Sequence[int], fewest: int = FEWEST) -> Total:
    """The total of one row that may be shown beside its cells."""
    hidden = [n for n in counts if is_few(n, fewest)]
    told, left = sum(counts), sum(hidden)
    if not hidden or _leaves_all_open(len(hidden), left, fewest):
        return Total(told, exact=True)
    return Total(told - left, exact=False)


def _leaves_all_open(cells: int, their_sum: int, fewest: int) -> bool:
    """Whether each of so many cells with this sum could still be anything from 1 to `fewest - 1`."""
    most = fewest - 1
    return 1 + (cells - 1) * most >= their_sum >= most + (cells - 1)


def table(counts: Sequence[Sequence[int]], fewest: int = FEWEST) -> Table:
    """A table with its totals, of which only the grand total may reach over hidden cells."""
    cells = tuple(tuple(None if is_few(n, fewest) else n for n in row) for row in counts)
    rows = tuple(_sum_of_shown(row) for row in cells)
    columns = tuple(_sum_of_shown(column) for column in zip(*cells, strict=True))
    return Table(cells, rows, columns, total([n for row in counts for n in row], fewest))


def _sum_of_shown(cells: Sequence[int | None]) -> Total:
    return Total(sum(n for n in cells if n is not None), exact=None not in cells)
