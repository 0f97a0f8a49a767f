"""A month as it may be shown: nothing hidden can be worked out from what is shown."""

from hypothesis import given
from hypothesis import strategies as st

from hub.shown import day_of
from hub.wifi import month as months
from hub.wifi.month import Hour, days_of, level, month_of, neighbour
from hub.wifi.usage_store import span_ms

FIRST_MS, _ = span_ms("2026-11")
HOUR_MS = 3_600_000

hours = st.lists(
    st.builds(
        Hour,
        st.just("device:1"),
        st.sampled_from(("hall", "library", "")),
        st.integers(0, 71).map(lambda n: FIRST_MS + n * HOUR_MS),
        st.integers(0, 12),
        st.integers(0, 12),
        st.integers(0, 9_999),
        st.integers(0, 12),
        st.none() | st.integers(0, 1000),
    ),
    max_size=25,
    unique_by=lambda one: (one.place, one.hour_ms),
)
devices = st.dictionaries(
    st.tuples(st.sampled_from(("hall", "library", "")), st.sampled_from(days_of("2026-11")[:3])), st.integers(0, 9)
)


@given(hours, devices, st.integers(1, 8))
def test_what_is_shown_as_it_is_hides_nothing(
    some: list[Hour], devices: dict[tuple[str, str], int], fewest: int
) -> None:
    cells = {(place, day): cell for place, day, cell in months.cells_of(some, devices, fewest)}
    month = month_of("2026-11", some, devices, fewest)
    for day in month.days:
        of_day = [cell for (_, when), cell in cells.items() if when == day.day]
        if day.cell is None:
            assert of_day
            assert all(cell is None for cell in of_day)
        else:
            assert day.cell.at_least is any(cell is None for cell in of_day)
            assert day.cell.sessions == sum(cell.sessions for cell in of_day if cell)
    assert month.total.at_least is any(cell is None for cell in cells.values())
    assert month.total.bytes == sum(cell.bytes for cell in cells.values() if cell)
    for place, total in month.places:
        of_place = [cell for (where, _), cell in cells.items() if where == place]
        assert total.at_least is any(cell is None for cell in of_place)
        assert total.sessions == sum(cell.sessions for cell in of_place if cell)


@given(hours, devices)
def test_no_shown_day_has_few_devices(some: list[Hour], devices: dict[tuple[str, str], int]) -> None:
    for place, day, cell in months.cells_of(some, devices):
        if cell is not None:
            assert not 0 < devices.get((place, day), 0) < 5
            assert (place, day) in devices or not 0 < cell.sessions < 5


def test_the_steps_of_an_hour() -> None:
    assert [level(n) for n in (0, 1, 4, 5, 9, 10, 19, 20, 39, 40, 5000)] == [0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]


def test_months_and_their_neighbours() -> None:
    assert (neighbour("2026-01", -1), neighbour("2026-12", 1), neighbour("2026-11", 1)) == (
        "2025-12",
        "2027-01",
        "2026-12",
    )
    assert (len(days_of("2028-02")), len(days_of("2026-11"))) == (29, 30)
    assert day_of(FIRST_MS) == "2026-11-01"
    assert span_ms("2026-11")[1] - FIRST_MS == 30 * 24 * HOUR_MS
