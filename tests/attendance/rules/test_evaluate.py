"""The command and what it reads: forms of a case beyond the files, bad input in one sentence."""

import json
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.attendance.rules import evaluate
from hub.attendance.rules.case import read_case, read_profile
from hub.attendance.rules.reading import BadCase, hours
from hub.staff.terms import Hours
from tests.attendance.rules.test_cases import FOLDER, cases, holds

CASE: dict[str, Any] = {
    "month": "2026-11",
    "staff": {"kind": "full_time", "monthly_base_yen": 250_000},
    "punches": [{"at": "2026-11-18T08:30:00+09:00"}, {"at": "2026-11-18T18:30:00+09:00"}],
    "orders": [{"from": "2026-11-18T17:30:00+09:00", "to": "2026-11-18T18:30:00+09:00"}],
}


def day(case: dict[str, Any], which: str = "2026-11-18") -> dict[str, Any]:
    found: dict[str, Any] = evaluate.attendance(case)["days"][which]
    return found


def told(case: object) -> str:
    with pytest.raises(BadCase) as error:
        evaluate.attendance(case)
    return str(error.value)


def run(kind: str, file: str, text: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "hub", "evaluate", kind, file]
    return subprocess.run(command, input=text, capture_output=True, check=False, timeout=60)


def test_the_command_answers_a_file_and_standard_input(tmp_path: Path) -> None:
    case = next(one for one in cases("attendance") if one["id"] == "A02")
    written = json.dumps(case["given"]).encode()
    (tmp_path / "case.json").write_bytes(b"\xef\xbb\xbf" + written)
    from_file, from_input = run("attendance", str(tmp_path / "case.json")), run("attendance", "-", written)
    assert (from_file.returncode, from_file.stderr) == (0, b"")
    assert from_file.stdout == from_input.stdout
    answer = json.loads(from_file.stdout)
    assert holds(case["expect"], answer)
    assert [*answer] == sorted(answer)
    whole = run("limits", "-", json.dumps(cases("limits")[0]).encode())
    assert holds(cases("limits")[0]["expect"], json.loads(whole.stdout))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"", "expected JSON in UTF-8"),
        (b"\xff\xfe", "expected JSON in UTF-8"),
        (b"[" * 100_000, "expected JSON in UTF-8"),
        (b'{"month": NaN}', "expected JSON in UTF-8"),
        (b"9" * 5000, "expected JSON in UTF-8"),
        (b'{"month": 1e99999999999999999999}', "expected JSON in UTF-8"),
        (b"[]", "given: expected an object, found a list"),
        (b'{"month": "2026-1"}', "month: expected a month from 2000-01 to 2099-12, found '2026-1'"),
    ],
)
def test_the_command_says_what_is_wrong_in_one_sentence(text: bytes, sentence: str) -> None:
    found = run("attendance", "-", text)
    assert (found.returncode, found.stdout) == (2, b"")
    assert sentence in found.stderr.decode()
    assert found.stderr.decode().count("\n") == 1


def test_a_file_that_is_not_there() -> None:
    found = run("attendance", str(FOLDER / "none.json"))
    assert found.returncode == 2
    assert found.stderr.decode().startswith(f"machinaka-hub: {FOLDER / 'none.json'}: No such file")


def test_any_offset_any_order_doubled_and_fractions_of_a_second() -> None:
    punches = [
        {"at": "2026-11-18T09:30:00.250Z", "terminal": "T1"},
        {"at": "2026-11-17T18:30:00-05:00"},
        {"at": "2026-11-18T09:30:00.250Z", "terminal": "T1"},
    ]
    found = day(CASE | {"punches": punches})
    assert (found["in"], found["out"]) == ("2026-11-18T08:30:00+09:00", "2026-11-18T18:30:00.250+09:00")
    assert found["suppressed"] == 0
    assert found["minutes"] == {"W125": 60}


def test_the_clock_of_a_terminal() -> None:
    out = {"at": "2026-11-18T18:35:00+09:00"}
    ahead = day(CASE | {"punches": [CASE["punches"][0], out | {"clock_offset_s": 300}]})
    assert (ahead["out"], ahead["flags"]) == ("2026-11-18T18:30:00+09:00", ["CLOCK_SKEW"])
    behind = day(CASE | {"punches": [CASE["punches"][0], out | {"clock_offset_s": Decimal("-59.5")}]})
    assert (behind["out"], behind["flags"]) == ("2026-11-18T18:35:59.500+09:00", [])
    for unknown in ({"clock_offset_s": None}, {"clock": "unset"}):
        assert day(CASE | {"punches": [CASE["punches"][0], out | unknown]})["flags"] == ["UNTRUSTED_CLOCK"]


@pytest.mark.parametrize("name", ["direction", "key"])
def test_a_key_that_was_pressed(name: str) -> None:
    found = day(CASE | {"punches": [{"at": "2026-11-18T15:10:00+09:00", name: "in"}]})
    assert found["flags"] == ["MISSING_OUT"]


@pytest.mark.parametrize(
    "value",
    [
        "09:00-16:00",
        "9:00 - 16:00",
        ["09:00", "16:00"],
        {"from": "09:00", "to": "16:00"},
        {"begin": "09:00", "end": "16:00"},
    ],
)
def test_hours_in_every_form(value: object) -> None:
    assert hours(value, "day") == Hours(540, 960)


def test_part_time_staff_with_hours_or_a_number_of_minutes() -> None:
    for its_day in ("08:30-15:30", 360):
        staff = {"kind": "part_time", "hourly_yen": 1200, "day": its_day}
        orders = [{"from": "2026-11-18T15:30:00+09:00", "to": "2026-11-18T18:30:00+09:00"}]
        answer = evaluate.attendance(CASE | {"staff": staff, "orders": orders})
        assert answer["minutes"] == {"W125": 60, "PT100": 105}
        assert answer["unit_yen"] == 1200
        assert day(CASE | {"staff": staff, "orders": orders})["regular_min"] == 360
    assert evaluate.attendance(CASE | {"staff": {"kind": "part_time", "hourly_yen": 1200, "day": 0}})["minutes"] == {
        "H135": 60
    }


def test_a_correction_counts_when_another_person_approved_it() -> None:
    punches = [CASE["punches"][0]]
    one = {"day": "2026-11-18", "out": "2026-11-18T18:30:00+09:00", "reason": "forgot", "requested_by": "staff"}
    for approved, status in (("chief", "corrected"), (None, "incomplete"), ("staff", "incomplete"), ("", "incomplete")):
        case = CASE | {"punches": punches, "corrections": [one | {"approved_by": approved}]}
        assert day(case)["status"] == status
        assert evaluate.attendance(case)["closable"] == (status == "corrected")


def test_a_day_with_an_order_or_a_request_alone_is_listed_as_incomplete() -> None:
    asked = {"day": "2026-11-19", "in": "08:30", "out": "17:15", "requested_by": "a", "approved_by": None}
    answer = evaluate.attendance(CASE | {"punches": [], "corrections": [asked]})
    assert [*answer["days"]] == ["2026-11-18", "2026-11-19"]
    for found in answer["days"].values():
        assert (found["status"], found["flags"]) == ("incomplete", ["MISSING_IN", "MISSING_OUT"])
    assert not answer["closable"]


def test_the_difference_to_what_was_closed() -> None:
    answer = evaluate.attendance(CASE | {"closed": {"hours": {"W125": 3, "W150": 1}, "yen": 8468}})
    assert answer["adjustment_yen"] == 2016 - 8468
    assert answer["adjustment_hours"] == {"W125": -2, "W150": -1}
    assert "adjustment_yen" not in evaluate.attendance(CASE)


def test_swaps_substitutes_and_the_towns_holidays() -> None:
    swap = {"worked": "2026-11-21", "off": "2026-11-25"}
    punches = [{"at": f"2026-11-21T{clock}:00+09:00"} for clock in ("08:30", "17:15")]
    full = [{"at": f"2026-11-{n}T{clock}:00+09:00"} for n in range(16, 21) for clock in ("08:30", "17:15")]
    assert evaluate.attendance(CASE | {"punches": punches + full, "orders": [], "swaps": [swap]})["minutes"] == {
        "SHIFT25": 465
    }
    festival = CASE | {"holidays": ["2026-11-18"]}
    assert evaluate.attendance(festival)["minutes"] == {"H135": 60}
    assert evaluate.attendance(festival)["weekday_holidays"] == 21
    assert evaluate.attendance(CASE | {"holidays": {"2026-11-23": "workday"}})["weekday_holidays"] == 19
    substitute = festival | {"substitute_days": [{"worked": "2026-11-18", "off": "2026-11-20"}]}
    assert evaluate.attendance(substitute)["minutes"] == {"W125": 60}


@pytest.mark.parametrize("off", ["2026-10-24", "2027-01-16"])
def test_the_ends_of_a_swaps_window_are_in_it(off: str) -> None:
    assert read_case(CASE | {"swaps": [{"worked": "2026-11-21", "off": off}]}).given.swaps[0].off.isoformat() == off


def test_hours_that_are_assigned() -> None:
    staff = {"kind": "full_time", "unit_yen": 1500, "shifts": True}
    assigned = [{"day": "2026-11-18", "hours": ["10:00", "18:30"]}, {"day": "2026-11-19", "hours": None}]
    answer = evaluate.attendance(CASE | {"staff": staff, "assigned": assigned, "orders": []})
    assert answer["days"]["2026-11-18"]["regular_min"] == 450
    week = [None, None, "08:30-17:15", None, None, None, None]
    assert day(CASE | {"staff": {"unit_yen": 1, "week": week}})["regular_min"] == 465


def test_a_profile_and_what_null_switches_off() -> None:
    found = read_profile(
        {
            "day": ["08:30", "17:15"],
            "lunch": None,
            "evening_break": {"from": "17:15", "to": "17:45"},
            "day_line": "05:00",
            "debounce_s": None,
            "repeat_s": 30,
            "gap_alert_min": None,
            "rest_target_h": Decimal("11.5"),
            "clock_alert_s": None,
            "count_weekly_holidays_to_60h": None,
            "monthly_rounding": None,
            "unit_formula": "national",
            "rates": {"HOL135": 35},
            "closed_days": ["12-31"],
            "sixty_hours_min": None,
        }
    )
    assert found.lunch is None
    assert found.evening_break == Hours(1035, 1065)
    assert (found.day_line, found.debounce_ms, found.repeat_s) == (300, 0, 30)
    assert (found.gap_alert_min, found.rest_target_min, found.clock_alert_s) == (None, 690, None)
    assert not found.count_weekly_holidays_to_60h
    assert (found.monthly_rounding, found.unit_formula, found.sixty_hours_min) == ("none", "national", None)
    assert (found.rates["HOL135"], found.rates["W125"], found.closed_days) == (35, 125, ("12-31",))
    assert read_profile({"rest_target_h": 10, "debounce_s": 3}).debounce_ms == 3000
    assert read_profile({"debounce_s": Decimal("2.5")}).debounce_ms == 2500


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"staff": None}, "staff: expected an object, found null"),
        ({"staff": {"kind": "full_time"}}, "staff: expected monthly_base_yen, unit_yen or hourly_yen"),
        ({"staff": {"kind": "temp", "unit_yen": 1}}, "staff.kind: expected full_time or part_time, found 'temp'"),
        ({"staff": {"unit_yen": True}}, "staff.unit_yen: expected a whole number from 0 to 1000000000, found true"),
        (
            {"staff": {"unit_yen": Decimal("1.5")}},
            "staff.unit_yen: expected a whole number from 0 to 1000000000, found 1.5",
        ),
        ({"staf": 1}, "given: expected only"),
        ({"staff": {"unit_yen": 1, "week": []}}, "staff.week: expected seven days from Monday on"),
        ({"staff": {"unit_yen": 1, "shifts": 1}}, "staff.shifts: expected true or false, found 1"),
        ({"profile": {"day_line": "25:00"}}, "profile.day_line: expected a clock time up to 24:00"),
        ({"profile": {"day_line": "50:00"}}, "profile.day_line: expected a clock time such as 17:15, found '50:00'"),
        ({"profile": {"lunch": ["12:00"]}}, "profile.lunch: expected hours such as"),
        ({"profile": {"lunch": {"at": "12:00"}}}, "profile.lunch: expected hours such as"),
        ({"profile": {"night": "25:00-30:00"}}, "profile.night: expected hours that begin on their day"),
        ({"punches": [CASE["punches"][0] | {"terminal": 7}]}, "punches[0].terminal: expected a text, found 7"),
        ({"profile": {"lunchbreak": 1}}, "profile: expected only"),
        ({"profile": {"day": None}}, "profile.day: expected a value; it cannot be switched off"),
        ({"profile": {"lunch": "12-13"}}, "profile.lunch: expected a clock time such as 17:15, found '12'"),
        ({"profile": {"lunch": 7}}, 'profile.lunch: expected hours such as "08:30-17:15", found 7'),
        ({"profile": {"monthly_rounding": "day"}}, "profile.monthly_rounding: expected half_hour or none, found 'day'"),
        ({"profile": {"closed_days": ["13-01"]}}, "profile.closed_days: expected days of the year"),
        ({"punches": {}}, "punches: expected a list, found an object"),
        ({"punches": [{"at": "2026-11-18T08:30:00"}]}, "punches[0].at: expected a time with its offset"),
        ({"punches": [{"at": "2026-11-31T08:30:00+09:00"}]}, "punches[0].at: expected a time with its offset"),
        (
            {"punches": [{}]},
            "punches[0].at: expected a time with its offset such as 2026-11-18T08:30:00+09:00, found null",
        ),
        ({"punches": [CASE["punches"][0] | {"clock_offset_s": "5"}]}, "punches[0].clock_offset_s: expected seconds"),
        (
            {"punches": [CASE["punches"][0] | {"direction": "up"}]},
            "punches[0].direction: expected clock_in or clock_out",
        ),
        (
            {"orders": [{"from": "2026-11-18T18:00:00+09:00", "to": "2026-11-18T18:00:30+09:00"}]},
            "orders[0].to: expected",
        ),
        (
            {"swaps": [{"worked": "2026-11-21", "off": "2027-01-17"}]},
            "swaps[0].off: expected another day from 2026-10-24 to 2027-01-16",
        ),
        ({"swaps": [{"worked": "2026-11-21", "off": "2026-11-21"}]}, "swaps[0].off: expected another day"),
        ({"corrections": [{"day": "2026-11-18"}]}, "corrections[0]: expected in, out or both"),
        (
            {"corrections": [{"day": "2026-11-18", "in": "2026-12-18T08:30:00+09:00"}]},
            "corrections[0].in: expected a time within",
        ),
        ({"carried_minutes": {"W99": 1}}, "carried_minutes: expected only"),
        ({"carried_minutes": {"W125": -1}}, "carried_minutes.W125: expected a whole number"),
        ({"holidays": ["2026-02-30"]}, "holidays[0]: expected a day such as 2026-11-18, found '2026-02-30'"),
        ({"holidays": {"2026-02-03": "half"}}, "holidays.2026-02-03: expected holiday or workday"),
    ],
)
def test_bad_input_is_told_with_its_place(changed: dict[str, Any], sentence: str) -> None:
    assert told(CASE | changed).startswith(sentence)


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12)
    | st.sampled_from(
        ["2026-11-18T08:30:00+09:00", "2026-11-18", "08:30-17:15", "2026-11", "0001-01-01T00:00:00+23:59"]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
IN_PUNCH = ("at", "clock_offset_s", "terminal", "direction", "clock")
IN_PROFILE = (
    "day",
    "lunch",
    "evening_break",
    "day_line",
    "rest_target_h",
    "debounce_s",
    "rates",
    "closed_days",
    "night",
)
bad_cases = st.fixed_dictionaries(
    {},
    optional={
        "month": st.just("2026-11") | anything,
        "staff": anything
        | st.fixed_dictionaries({"unit_yen": st.just(1600) | anything}, optional={"day": anything, "week": anything}),
        "punches": anything | st.lists(st.dictionaries(st.sampled_from(IN_PUNCH), anything, max_size=4), max_size=2),
        "orders": anything | st.lists(st.dictionaries(st.sampled_from(["from", "to"]), anything), max_size=2),
        "swaps": anything | st.lists(st.dictionaries(st.sampled_from(["worked", "off"]), anything), max_size=2),
        "substitute_days": anything,
        "corrections": anything
        | st.lists(st.dictionaries(st.sampled_from(["day", "in", "out"]), anything), max_size=2),
        "carried_minutes": anything | st.dictionaries(st.sampled_from(["W125", "N25"]), anything),
        "closed": anything | st.fixed_dictionaries({"hours": anything, "yen": anything}),
        "holidays": anything,
        "profile": anything | st.dictionaries(st.sampled_from(IN_PROFILE), anything, max_size=3),
    },
)


def answered(work_out: Callable[[object], dict[str, Any]], value: object) -> str:
    """The answer's text, or the sentence."""
    try:
        return json.dumps(work_out(value))
    except BadCase as error:
        return str(error)


@settings(max_examples=300, deadline=None)
@given(bad_cases | anything)
def test_whatever_is_given_there_is_an_answer_or_a_sentence(value: object) -> None:
    text = answered(evaluate.attendance, value)
    assert text.startswith("{") or "expected" in text
    assert "\n" not in text
    assert text.encode()


@settings(max_examples=150, deadline=None)
@given(anything | st.fixed_dictionaries({"office": anything, "overtime_min": anything}))
def test_whatever_is_given_as_limits_too(value: object) -> None:
    text = answered(evaluate.limits, value)
    assert text.startswith("{") or "expected" in text
    assert text.encode()


def test_limits_are_told_with_their_place() -> None:
    for value, sentence in (
        ({"office": "some", "overtime_min": {}}, "office: expected ordinary or other_directed, found 'some'"),
        ({"office": "ordinary"}, "overtime_min: expected an object"),
        ({"overtime_min": {"2026": 1}}, "overtime_min: expected a month from 2000-01 to 2099-12, found '2026'"),
        ({"overtime_min": {"2026-04": -1}}, "overtime_min.2026-04: expected a whole number"),
        (
            {"overtime_min": {f"20{n // 12:02d}-{n % 12 + 1:02d}": 0 for n in range(1200)} | {"x": 1}},
            "overtime_min: expected at most",
        ),
    ):
        with pytest.raises(BadCase, match="expected") as error:
            evaluate.limits(value)
        assert str(error.value).startswith(sentence)
    assert read_case(CASE).closed is None
