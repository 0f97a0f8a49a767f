"""The town's values as a person writes them, and back (rule): `08:30-17:15`, `7:45`, `125`.

Everything that is wrong is told at once.  An empty field switches a thing off where that is allowed.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

import msgspec

from hub.attendance.rules.kinds import PAY_CLASSES, PayClass
from hub.attendance.rules.profile import Profile
from hub.staff.terms import Hours

Kind = Literal["hours", "time", "duration", "number", "seconds", "switch", "choice", "days", "rate"]
Section = Literal["day", "taps", "pay", "rates", "calendar", "limits"]
SECTIONS: tuple[Section, ...] = ("day", "taps", "pay", "rates", "calendar", "limits")

_TIME = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)")
_DURATION = re.compile(r"(\d{1,5}):([0-5]\d)")
_NUMBER = re.compile(r"\d{1,6}")
_MONTH_DAY = re.compile(r"(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")
_DAYS_OF_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class Field(NamedTuple):
    """One value: its name in `Profile` (of a rate: its class), how it is written, whether it may be empty."""

    name: str
    section: Section
    kind: Kind
    off: bool = False
    choices: tuple[str, ...] = ()
    most: int = 1_000_000


class Wrong(NamedTuple):
    """A field with something in it that cannot be: what was found, and what was expected (`pf_expect_…`)."""

    field: str
    found: str
    expected: str


FIELDS: tuple[Field, ...] = (
    Field("day", "day", "hours"),
    Field("lunch", "day", "hours", off=True),
    Field("evening_break", "day", "hours", off=True),
    Field("day_off_lunch", "day", "switch"),
    Field("night", "day", "hours"),
    Field("day_line", "day", "time"),
    Field("clock_out_from", "taps", "time"),
    Field("debounce_ms", "taps", "seconds", most=600),
    Field("repeat_s", "taps", "number", most=3600),
    Field("clock_alert_s", "taps", "number", off=True, most=86_400),
    Field("gap_alert_min", "taps", "number", off=True, most=1440),
    Field("rest_target_min", "taps", "duration", off=True, most=1440),
    Field("unexplained_blocks", "taps", "switch"),
    Field("unit_formula", "pay", "choice", choices=("prefectural", "national")),
    Field("full_day_min", "pay", "duration", most=1440),
    Field("week_min", "pay", "duration", most=10_080),
    Field("sixty_hours_min", "pay", "duration", off=True, most=44_640),
    Field("count_weekly_holidays_to_60h", "pay", "switch"),
    Field("monthly_rounding", "pay", "choice", choices=("half_hour", "none")),
    *(Field(name, "rates", "rate", most=1000) for name in PAY_CLASSES),
    Field("closed_days", "calendar", "days"),
    Field("swap_weeks_before", "calendar", "number", most=52),
    Field("swap_weeks_after", "calendar", "number", most=52),
    Field("ordinary_month_min", "limits", "duration"),
    Field("ordinary_year_min", "limits", "duration"),
    Field("directed_month_min", "limits", "duration"),
    Field("directed_mean_min", "limits", "duration"),
    Field("directed_year_min", "limits", "duration"),
    Field("directed_months_over", "limits", "number", most=12),
)


def texts(profile: Profile) -> dict[str, str]:
    """Every value as it is written."""
    return {field.name: _written(field, _value(profile, field)) for field in FIELDS}


def changes(before: Profile, after: Profile) -> list[tuple[Field, str, str]]:
    """Which values differ: the field, before, after."""
    was, is_ = texts(before), texts(after)
    return [(field, was[field.name], is_[field.name]) for field in FIELDS if was[field.name] != is_[field.name]]


def parse(given: Mapping[str, str]) -> tuple[Profile | None, list[Wrong]]:
    """The profile that a form says, or everything that is wrong with it. A switch that is not there is off."""
    wrong: list[Wrong] = []
    values: dict[str, Any] = {}
    rates: dict[PayClass, int] = {}
    for field in FIELDS:
        text = unicodedata.normalize("NFKC", given.get(field.name, "")).strip().replace("〜", "-").replace("~", "-")
        try:
            value = _read(field, text)
        except ValueError as error:
            wrong.append(Wrong(field.name, text[:40], str(error)))
            continue
        if field.kind == "rate":
            rates[field.name] = value  # type: ignore[index]
        else:
            values[field.name] = value
    if not wrong:
        wrong = _together(values)
    return (None, wrong) if wrong else (msgspec.convert({**values, "rates": rates}, Profile), [])


def _value(profile: Profile, field: Field) -> Any:
    return profile.rates.get(field.name, 0) if field.kind == "rate" else getattr(profile, field.name)  # type: ignore[call-overload]


def _written(field: Field, value: Any) -> str:
    write = _WRITE.get(field.kind, str)
    return "" if value is None else write(value)


def _hours_text(value: Hours) -> str:
    return f"{_clock(value.begin)}-{_clock(value.end % 1440 or 1440)}"


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


_WRITE: dict[Kind, Callable[[Any], str]] = {
    "hours": _hours_text,
    "time": _clock,
    "duration": lambda minutes: f"{minutes // 60}:{minutes % 60:02d}",
    "seconds": lambda ms: str(ms // 1000),
    "switch": lambda on: "yes" if on else "",
    "days": " ".join,
}


def _read(field: Field, text: str) -> Any:
    """A value from its text. Raises ValueError with the name of what was expected."""
    return None if not text and field.off else _READ[field.kind](field, text)


def _choice(field: Field, text: str) -> str:
    if text not in field.choices:
        raise ValueError("choice")
    return text


def _number(field: Field, text: str) -> int:
    return _within(field, int(text) if _NUMBER.fullmatch(text) else None, "number")


def _duration(field: Field, text: str) -> int:
    found = _DURATION.fullmatch(text)
    return _within(field, int(found[1]) * 60 + int(found[2]) if found else None, "duration")


def _within(field: Field, number: int | None, expected: str) -> int:
    if number is None or number > field.most:
        raise ValueError(expected)
    return number


def _minute(text: str) -> int:
    found = _TIME.fullmatch(text)
    minute = int(found[1]) * 60 + int(found[2]) if found else 1441
    if minute > 1440:
        raise ValueError("time")
    return minute


def _hours(text: str) -> dict[str, int]:
    begin, between, end = text.partition("-")
    if not between:
        raise ValueError("hours")
    try:
        first, last = _minute(begin.strip()), _minute(end.strip())
    except ValueError as error:
        raise ValueError("hours") from error
    if first in (last, 1440):
        raise ValueError("hours")
    return {"begin": first, "end": last if last > first else last + 1440}


def _days(text: str) -> tuple[str, ...]:
    found = [part for part in re.split(r"[\s,、]+", text) if part]
    for part in found:
        match = _MONTH_DAY.fullmatch(part)
        if match is None or int(match[2]) > _DAYS_OF_MONTH[int(match[1]) - 1]:
            raise ValueError("days")
    return tuple(dict.fromkeys(found))


_READ: dict[Kind, Callable[[Field, str], Any]] = {
    "hours": lambda _, text: _hours(text),
    "time": lambda _, text: _minute(text),
    "duration": _duration,
    "number": _number,
    "rate": _number,
    "seconds": lambda field, text: _number(field, text) * 1000,
    "switch": lambda _, text: text == "yes",
    "choice": _choice,
    "days": lambda _, text: _days(text),
}


def _together(values: Mapping[str, Any]) -> list[Wrong]:
    """What is wrong between values that are right each for itself."""
    day, lunch, evening = values["day"], values["lunch"], values["evening_break"]
    wrong = []
    if day["end"] > 1440:
        wrong.append(Wrong("day", _span_text(day), "day_within"))
    if lunch is not None and not day["begin"] <= lunch["begin"] < lunch["end"] <= day["end"]:
        wrong.append(Wrong("lunch", _span_text(lunch), "lunch_within"))
    if evening is not None and evening["begin"] < day["end"]:
        wrong.append(Wrong("evening_break", _span_text(evening), "evening_after"))
    if values["day_line"] > day["begin"]:
        wrong.append(Wrong("day_line", _clock(values["day_line"]), "line_before"))
    return wrong


def _span_text(hours: Mapping[str, int]) -> str:
    return _hours_text(Hours(hours["begin"], hours["end"]))
