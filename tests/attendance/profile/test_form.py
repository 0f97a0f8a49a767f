"""The town's values as people write them."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.attendance import profile_form as form
from hub.attendance.rules.kinds import PAY_CLASSES
from hub.attendance.rules.profile import DEFAULT, Profile
from hub.staff.terms import Hours

DAYS = st.integers(0, 1439)


@st.composite
def profiles(draw: st.DrawFn) -> Profile:
    begin = draw(st.integers(180, 800))
    end = draw(st.integers(begin + 60, 1440))
    lunch = draw(st.none() | st.just(Hours(begin + 10, begin + 40)))
    evening = draw(st.none() | st.just(Hours(end, end + 15)) if end <= 1400 else st.none())
    small = st.integers(0, 12)
    return Profile(
        day=Hours(begin, end),
        lunch=lunch,
        evening_break=evening,
        day_off_lunch=draw(st.booleans()),
        night=Hours(draw(st.integers(1200, 1439)), draw(st.integers(1441, 1800))),
        day_line=draw(st.integers(0, begin)),
        debounce_ms=draw(small) * 1000,
        gap_alert_min=draw(st.none() | small),
        rest_target_min=draw(st.none() | st.integers(0, 1440)),
        sixty_hours_min=draw(st.none() | st.integers(0, 9000)),
        rates={name: draw(st.integers(0, 1000)) for name in PAY_CLASSES},
        closed_days=tuple(draw(st.lists(st.sampled_from(("12-29", "02-29", "01-03")), unique=True))),
        monthly_rounding=draw(st.sampled_from(("half_hour", "none"))),
        week_min=draw(st.integers(0, 10_080)),
    )


@given(profiles())
def test_what_is_written_reads_back_the_same(profile: Profile) -> None:
    assert form.parse(form.texts(profile)) == (profile, [])


def test_every_value_of_a_profile_can_be_written() -> None:
    named = {field.name for field in form.FIELDS if field.kind != "rate"} | {"rates"}
    assert named == set(Profile.__struct_fields__)
    # A browser's form carries at most fifty fields.
    assert len(form.FIELDS) <= 46


def test_japanese_digits_and_signs_are_read() -> None:
    profile, wrong = form.parse({**form.texts(DEFAULT), "day": "０８：３０～１７：１５", "lunch": "12:00〜13:00"})
    assert (profile, wrong) == (DEFAULT, [])


@pytest.mark.parametrize(
    ("field", "text", "expected"),
    [
        ("day", "", "hours"),
        ("day", "8:30", "hours"),
        ("day", "22:00-05:00", "day_within"),
        ("day", "08:30-08:30", "hours"),
        ("day", "24:00-08:30", "hours"),
        ("lunch", "07:00-08:00", "lunch_within"),
        ("evening_break", "17:00-17:15", "evening_after"),
        ("day_line", "09:00", "line_before"),
        ("day_line", "25:00", "time"),
        ("day_line", "24:01", "time"),
        ("repeat_s", "-1", "number"),
        ("repeat_s", "3601", "number"),
        ("repeat_s", "1.5", "number"),
        ("week_min", "38.75", "duration"),
        ("week_min", "169:00", "duration"),
        ("unit_formula", "local", "choice"),
        ("closed_days", "12-32", "days"),
        ("closed_days", "02-30", "days"),
        ("W125", "", "number"),
        ("W125", "1001", "number"),
    ],
)
def test_what_is_wrong_is_named(field: str, text: str, expected: str) -> None:
    profile, wrong = form.parse({**form.texts(DEFAULT), field: text})
    assert profile is None
    assert (wrong[0].field, wrong[0].expected) == (field, expected)
    assert len(wrong) == 1 or field == "day"


def test_everything_that_is_wrong_is_told_at_once() -> None:
    _, wrong = form.parse({**form.texts(DEFAULT), "repeat_s": "x", "W125": "y", "day": "z"})
    assert [one.field for one in wrong] == ["day", "repeat_s", "W125"]


@given(st.dictionaries(st.sampled_from([field.name for field in form.FIELDS]), st.text(max_size=20)))
def test_any_text_is_answered(given_: dict[str, str]) -> None:
    profile, wrong = form.parse({**form.texts(DEFAULT), **given_})
    assert (profile is None) == bool(wrong)


def test_changes_are_told_as_people_write_them() -> None:
    after = msgspec.structs.replace(DEFAULT, evening_break=None, rates={**DEFAULT.rates, "W125": 130})
    assert [(field.name, was, is_) for field, was, is_ in form.changes(DEFAULT, after)] == [
        ("evening_break", "17:15-17:30", ""),
        ("W125", "125", "130"),
    ]
    assert form.changes(DEFAULT, DEFAULT) == []
