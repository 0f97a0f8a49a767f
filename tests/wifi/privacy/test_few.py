"""Nobody works out a hidden count from what is shown: tried by whoever knows the rules and tries every table."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.wifi import few

COUNTS = st.lists(st.integers(0, 12), min_size=1, max_size=5)


def test_small_counts_are_hidden_and_zero_is_not() -> None:
    assert [few.shown(n, 5) for n in (0, 1, 4, 5, 12345)] == ["0", None, None, "5", "12,345"]
    assert few.shown(1, 1) == "1"


@given(COUNTS, st.integers(1, 6))
@settings(max_examples=300, deadline=None)
def test_a_total_leaves_every_hidden_cell_open(counts: list[int], fewest: int) -> None:
    """All that fits what is shown: each hidden cell takes each value that a hidden one can have."""
    told = few.total(counts, fewest)
    hidden = [n for n in counts if few.is_few(n, fewest)]
    shown = sum(n for n in counts if not few.is_few(n, fewest))
    assert told.n == (sum(counts) if told.exact else shown)
    if not hidden:
        assert told.exact
        return
    span = range(1, fewest)
    fits = [one for one in itertools.product(span, repeat=len(hidden)) if not told.exact or sum(one) == told.n - shown]
    for cell in zip(*fits, strict=True):
        assert set(cell) == set(span)


def test_the_difference_to_one_hidden_cell_is_never_told() -> None:
    assert few.total([10, 3], 5) == few.Total(10, exact=False)
    assert few.total([10, 1, 1], 5) == few.Total(10, exact=False)
    assert few.total([10, 4, 4], 5) == few.Total(10, exact=False)
    assert few.total([10, 2, 3], 5) == few.Total(15, exact=True)


@given(st.lists(st.lists(st.integers(0, 9), min_size=2, max_size=2), min_size=2, max_size=2))
@settings(max_examples=200, deadline=None)
def test_rows_and_columns_cannot_be_solved(counts: list[list[int]]) -> None:
    told = few.table(counts, 4)
    places = [(y, x) for y in range(2) for x in range(2) if told.cells[y][x] is None]
    fits = []
    for values in itertools.product(range(1, 4), repeat=len(places)):
        tried = [list(row) for row in counts]
        for (y, x), value in zip(places, values, strict=True):
            tried[y][x] = value
        again = few.table(tried, 4)
        if (again.cells, again.rows, again.columns) == (told.cells, told.rows, told.columns) and (
            not told.total.exact or sum(map(sum, tried)) == told.total.n
        ):
            fits.append(values)
    for cell in zip(*fits, strict=True):
        assert set(cell) == {1, 2, 3}
