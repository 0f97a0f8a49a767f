"""What people write of staff, read and written again."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.staff import form
from hub.staff.terms import Hours, Terms

DAY = date(2026, 4, 1)
_HOURS = st.builds(lambda begin, length: Hours(begin, begin + length), st.integers(0, 1439), st.integers(1, 1439))


@pytest.mark.parametrize(
    ("written", "hours"),
    [
        ("8:30-17:15", Hours(510, 1035)),
        ("08:30 ～ 17:15", Hours(510, 1035)),
        ("８：３０−１７：１５", Hours(510, 1035)),
        ("0830-1715", Hours(510, 1035)),
        ("9-16", Hours(540, 960)),
        ("22:00-7:00", Hours(1320, 1860)),
        ("22:00-31:00", Hours(1320, 1860)),
        ("休", None),
        ("週休日", None),
        ("OFF", None),
        ("", None),
    ],
)
def test_hours(written: str, hours: Hours | None) -> None:
    assert form.hours("shift_hours", written) == hours


@pytest.mark.parametrize(
    "written", ["8:30", "8:60-17:15", "8:30-17:75", "24:00-30:00", "8:30-48:01", "早番", "8:30-32:30"]
)
def test_no_hours(written: str) -> None:
    with pytest.raises(form.WrongValue) as caught:
        form.hours("shift_hours", written)
    assert caught.value.wrong == form.Wrong("shift_hours", written, "hours")


@given(_HOURS)
def test_hours_are_read_as_they_are_written(hours: Hours) -> None:
    assert form.hours("shift_hours", form.hours_text(hours)) == hours


_TERMS = st.builds(
    Terms,
    since=st.just(DAY),
    department=st.sampled_from(["", "010"]),
    kind=st.sampled_from(["full_time", "part_time"]),
    week=st.none() | st.tuples(*(st.none() | _HOURS,) * 7) | st.builds(lambda one: (*(one,) * 5, None, None), _HOURS),
    monthly_base_yen=st.none() | st.integers(0, 9_999_999),
    unit_yen=st.none() | st.integers(0, 99_999),
    hourly_yen=st.none() | st.integers(0, 99_999),
    office=st.sampled_from(["ordinary", "other_directed"]),
    tracked=st.booleans(),
) | st.builds(Terms, since=st.just(DAY), shifts=st.just(True))  # fmt: skip


@given(_TERMS, _TERMS)
def test_terms_are_read_as_they_are_written(terms: Terms, before: Terms) -> None:
    assert form.read_terms(form.values_of(terms), before) == (terms, [])


@given(_TERMS, _TERMS)
def test_a_field_that_is_not_there_stays(terms: Terms, before: Terms) -> None:
    found, wrong = form.read_terms({"staff_base": form.values_of(terms)["staff_base"]}, before)
    assert not wrong
    assert form.values_of(found) == {**form.values_of(before), "staff_base": form.values_of(terms)["staff_base"]}


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("staff_kind", "バイト", "staff_kind"),
        ("staff_office", "特別", "staff_office"),
        ("staff_tracked", "たぶん", "yes_no"),
        ("staff_base", "25万", "yen"),
        ("staff_base", "-1", "yen"),
        ("staff_base", "10000001", "yen"),
        ("staff_hourly", "1,200.5", "yen"),
        ("staff_hours", "朝から", "hours"),
        ("staff_mon", "朝から", "hours"),
    ],
)
def test_what_is_wrong_says_where_and_what_was_expected(field: str, value: str, expected: str) -> None:
    before = Terms(since=DAY)
    terms, wrong = form.read_terms({field: value}, before)
    assert [(one.field, one.found, one.expected) for one in wrong] == [(field, value, expected)]
    assert terms == before


def test_hours_are_said_in_one_way_only() -> None:
    _, wrong = form.read_terms({"staff_hours": "8:30-17:15", "staff_mon": "9-16"}, Terms(since=DAY))
    assert [one.expected for one in wrong] == ["one_pattern"]


@pytest.mark.parametrize("written", ["250,000", "２５０，０００円", "¥250000", " 250000 "])
def test_yen_as_people_write_them(written: str) -> None:
    assert form.yen("staff_base", written) == 250_000


def test_texts() -> None:
    assert form.text("staff_number", " ００１２ ") == "0012"
    assert form.text("staff_name", "髙橋 𠮷") == "髙橋 𠮷"
    for field, value, expected in (
        ("staff_number", "", "something"),
        ("staff_number", "1" * 21, "shorter"),
        ("staff_name", "a\x00b", "no_controls"),
    ):
        with pytest.raises(form.WrongValue) as caught:
            form.text(field, value)
        assert caught.value.wrong.expected == expected
