"""How figures are written and read again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.payroll.amount import TIME_UNITS, NotATime, TimeUnit, hundredths, read, written

MINUTES = st.integers(-200_000, 200_000)


@given(MINUTES, st.sampled_from(TIME_UNITS))
def test_what_is_written_reads_back_to_the_minute(minutes: int, unit: TimeUnit) -> None:
    """In every unit, below nought too."""
    assert read(written(minutes, unit), unit) == minutes


@given(MINUTES)
def test_hundredths_are_the_nearest(minutes: int) -> None:
    """Half a hundredth at most, half up away from nought."""
    assert 2 * abs(hundredths(minutes) * 60 - minutes * 100) <= 60
    assert hundredths(-minutes) == -hundredths(minutes)


@pytest.mark.parametrize(
    ("minutes", "unit", "text"),
    [
        (3630, "min", "3630"),
        (3630, "h.hh", "60.50"),
        (3630, "h:mm", "60:30"),
        (3630, "HHMM", "6030"),
        (7, "h.hh", "0.12"),
        (3, "h.hh", "0.05"),
        (1, "h.hh", "0.02"),
        (10, "h.hh", "0.17"),
        (-30, "h:mm", "-0:30"),
        (-30, "h.hh", "-0.50"),
        (-5, "HHMM", "-0005"),
        (0, "h:mm", "0:00"),
        (6030, "HHMM", "10030"),
    ],
)
def test_golden(minutes: int, unit: TimeUnit, text: str) -> None:
    """As payrolls have them."""
    assert written(minutes, unit) == text


@pytest.mark.parametrize(
    ("text", "unit"), [("1:60", "h:mm"), ("", "min"), ("1.234", "h.hh"), ("5", "HHMM"), ("x", "h:mm"), ("1.5", "min")]
)
def test_what_is_no_time(text: str, unit: TimeUnit) -> None:
    """Nothing is guessed."""
    with pytest.raises(NotATime):
        read(text, unit)
