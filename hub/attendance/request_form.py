"""A form's fields as a request (rule): what was typed, read once, in one place for whoever enters.

Times of day are HH:MM in Japan; an end is on the next day only where a mark says so, so that a slip of the finger is
no night.  Half a day is the regular hours before lunch or after it.
"""

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import TypeVar, get_args

from hub.attendance.request import (
    KINDS,
    Body,
    CorrectionBody,
    GapBody,
    Kind,
    LeaveBody,
    LeaveKind,
    OrderBody,
    Part,
    SubstituteBody,
    SwapBody,
    at_minute,
)
from hub.attendance.request_check import Known, Problem, hours_of
from hub.attendance.rules.japan import DAY_MIN
from hub.staff.terms import Hours

T = TypeVar("T")
Fields = Mapping[str, str]
REASON_LENGTH = 400
_HALF_SWAP_MIN = 240
_TIME = re.compile(r"([01]?\d|2[0-3])[:：]([0-5]\d)")


class Wrong(Exception):
    """A field that cannot be read."""

    def __init__(self, key: str, field: str, value: str = "") -> None:
        super().__init__(key)
        self.problem = Problem(key, field, {"value": value})


def kind(text: str) -> Kind:
    """The kind of a name. Raises Wrong."""
    found: Kind | None = next((one for one in KINDS if one == text), None)
    if found is None:
        raise Wrong("kind", "kind", text[:40])
    return found


def body(what: Kind, fields: Fields, known: Known) -> Body:
    """The request that the fields of a form make. Raises Wrong for one that cannot be read."""
    match what:
        case "order":
            return order(day(fields, "day"), fields)
        case "leave":
            return _leave(fields, known)
        case "correction":
            return _correction(fields)
        case "swap":
            return _swap(fields)
        case "substitute":
            return SubstituteBody(day(fields, "worked"), day(fields, "off"))
        case "gap":
            return GapBody(day(fields, "day"))


def reason(fields: Fields) -> str:
    """Why, as typed, without ends; at most 400 signs."""
    text = fields.get("reason", "").strip()
    if len(text) > REASON_LENGTH:
        raise Wrong("reason_long", "reason", str(REASON_LENGTH))
    return text


def day(fields: Fields, name: str) -> date:
    """A day of a field. Raises Wrong."""
    text = fields.get(name, "").strip()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Wrong("day" if text else "day_missing", name, text[:40]) from None


def order(on: date, fields: Fields) -> OrderBody:
    """Overtime that begins on a day."""
    begin, end = _minute(fields, "begin"), _minute(fields, "end")
    return OrderBody(at_minute(on, begin), at_minute(on, end + DAY_MIN * _marked(fields, "next_day")))


def _leave(fields: Fields, known: Known) -> LeaveBody:
    first = day(fields, "day")
    last = day(fields, "until") if fields.get("until", "").strip() else first
    leave = _one(fields, "leave", get_args(LeaveKind))
    part: Part = _one(fields, "part", get_args(Part)) if fields.get("part") else "day"
    if part == "day":
        return LeaveBody(first, last, leave)
    hours = Hours(_minute(fields, "begin"), _minute(fields, "end")) if part == "hours" else _half(part, first, known)
    return LeaveBody(first, last, leave, part, hours)


def _half(part: Part, on: date, known: Known) -> Hours:
    """Half of the regular hours; lunch divides them, else their middle."""
    hours = hours_of(known, on)
    if hours is None:
        raise Wrong("leave_no_hours", "day", on.isoformat())
    lunch = known.given.profile.lunch
    inside = lunch is not None and hours.begin < lunch.begin < lunch.end < hours.end
    middle = (hours.begin + hours.end) // 2
    until, since = (lunch.begin, lunch.end) if lunch is not None and inside else (middle, middle)
    return Hours(hours.begin, until) if part == "morning" else Hours(since, hours.end)


def _correction(fields: Fields) -> CorrectionBody:
    on = day(fields, "day")
    came = _at(fields, "in", on, 0)
    went = _at(fields, "out", on, DAY_MIN * _marked(fields, "next_day"))
    return CorrectionBody(on, came, went)


def _swap(fields: Fields) -> SwapBody:
    worked, off = day(fields, "worked"), day(fields, "off")
    if not _marked(fields, "half"):
        return SwapBody(worked, off)
    return SwapBody(worked, off, _four_hours(fields, "worked_begin"), _four_hours(fields, "off_begin"))


def _four_hours(fields: Fields, name: str) -> Hours:
    begin = _minute(fields, name)
    return Hours(begin, begin + _HALF_SWAP_MIN)


def _at(fields: Fields, name: str, on: date, later_min: int) -> datetime | None:
    return at_minute(on, _minute(fields, name) + later_min) if fields.get(name, "").strip() else None


def _minute(fields: Fields, name: str) -> int:
    text = fields.get(name, "").strip()
    found = _TIME.fullmatch(text)
    if found is None:
        raise Wrong("time" if text else "time_missing", name, text[:40])
    return int(found[1]) * 60 + int(found[2])


def _marked(fields: Fields, name: str) -> bool:
    return fields.get(name) == "yes"


def _one(fields: Fields, name: str, known: tuple[T, ...]) -> T:
    text = fields.get(name, "")
    for one in known:
        if one == text:
            return one
    raise Wrong("choice", name, text[:40])
