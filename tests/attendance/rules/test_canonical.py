"""The frozen bytes of a month: a golden vector, the way back, another form."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings

from hub.attendance.rules.canonical import canonical, digest, read
from hub.attendance.rules.given import Given
from hub.attendance.rules.month import month
from tests.attendance.rules.parts import given as given_month
from tests.attendance.rules.parts import order, worked_out
from tests.attendance.rules.test_properties import months

GOLDEN = Path(__file__).parent / "canonical.json"
# Over the bytes of the golden file. A change of either needs a new form and a new engine.
DIGEST = "bbcacbb06c3073574805fda9ca281ec3c901b19ac46d48e70d3deb3e8d22cfe1"


def golden() -> bytes:
    taps = ["11-18 08:21:40", "11-18 22:47", "11-20 08:25"]
    result = worked_out(taps, [order("11-18 17:15", "22:47", "request:7")], carried={"W125": 3400})
    days = tuple(one for one in result.days if one.day.day in (18, 20, 21))
    return canonical(msgspec.structs.replace(result, days=days))


def test_the_bytes_are_frozen() -> None:
    assert golden() == GOLDEN.read_bytes()
    assert digest(read(GOLDEN.read_bytes())) == DIGEST


@settings(deadline=None)
@given(months())
def test_a_month_comes_back_from_its_bytes(some: Given) -> None:
    result = month(some)
    assert read(canonical(result)) == result


def test_another_form_is_not_read() -> None:
    written = canonical(month(given_month()))
    with pytest.raises(msgspec.ValidationError, match="form"):
        read(written.replace(b"machinaka-month-1", b"machinaka-month-9"))
    with pytest.raises(msgspec.MsgspecError):
        read(b"{}")
