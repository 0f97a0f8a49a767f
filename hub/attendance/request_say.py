"""A request, its days and what is wrong with it, as people read them (rule)."""

from datetime import date, datetime

from hub.attendance.request import (
    Body,
    CorrectionBody,
    LeaveBody,
    OrderBody,
    Request,
    State,
    SubstituteBody,
    SwapBody,
    at_minute,
)
from hub.attendance.request_check import Month, Problem, Value
from hub.staff.terms import Hours
from hub.words import Language, word

MARK_OF_STATE: dict[State, str] = {
    "waiting": "warning",
    "approved": "ok",
    "refused": "fault",
    "revoked": "fault",
    "withdrawn": "offline",
}
_WEEKDAYS = ("月火水木金土日", ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"))


def on(language: Language, day: date) -> str:
    """A day with its weekday."""
    if language == "ja":
        return f"{day.year}年{day.month}月{day.day}日({_WEEKDAYS[0][day.weekday()]})"
    return f"{_WEEKDAYS[1][day.weekday()]} {day.isoformat()}"


def in_month(language: Language, month: str) -> str:
    """A month (YYYY-MM) as people write it."""
    return f"{int(month[:4])}年{int(month[5:])}月" if language == "ja" else month


def clock(when: datetime) -> str:
    """A time of day."""
    return f"{when.hour}:{when:%M}"


def at(language: Language, when: datetime, day: date) -> str:
    """A time as seen from a day: the next day's says so."""
    if when.date() == day:
        return clock(when)
    if (when.date() - day).days == 1:
        return word(language, "request_next_day_at", time=clock(when))
    return f"{on(language, when.date())} {clock(when)}"


def between(language: Language, begin: datetime, end: datetime) -> str:
    """A stretch of time."""
    return f"{clock(begin)}–{at(language, end, begin.date())}"


def what(language: Language, body: Body) -> str:
    """What is asked for, in a few words: the kind, for leave which."""
    if isinstance(body, LeaveBody):
        return word(language, f"request_leave_{body.leave}")
    return word(language, f"request_kind_{body.__struct_config__.tag}")


def when(language: Language, body: Body) -> str:
    """Its days and times."""
    match body:
        case OrderBody(begin=begin, end=end):
            return f"{on(language, begin.date())} {between(language, begin, end)}"
        case LeaveBody():
            return _leave_when(language, body)
        case CorrectionBody():
            return f"{on(language, body.day)} {_correction_times(language, body)}"
        case SwapBody() | SubstituteBody():
            return _exchange(language, body)
        case _:
            return on(language, body.day)


def sentence(language: Language, problem: Problem) -> str:
    """What is wrong and what was expected."""
    values = {name: _value(language, value) for name, value in problem.values.items()}
    return word(language, f"request_wrong_{problem.key}", **values)


def one_line(language: Language, request: Request) -> str:
    """A request in one line, with its number and state."""
    state = word(language, f"request_state_{request.state}")
    said = f"{what(language, request.body)} {when(language, request.body)}"
    return word(language, "request_one", said=said, number=request.id, state=state)


def _leave_when(language: Language, body: LeaveBody) -> str:
    text = on(language, body.first)
    if body.last != body.first:
        return f"{text}–{on(language, body.last)}"
    part = "" if body.part in ("day", "hours") else f" {word(language, f'request_part_{body.part}')}"
    return f"{text}{part}{_hours(language, body.first, body.hours)}"


def _correction_times(language: Language, body: CorrectionBody) -> str:
    ends = (("clock_in", body.in_at), ("clock_out", body.out_at))
    return " ".join(f"{word(language, name)} {at(language, when, body.day)}" for name, when in ends if when)


def _exchange(language: Language, body: SwapBody | SubstituteBody) -> str:
    worked, off = on(language, body.worked), on(language, body.off)
    if isinstance(body, SwapBody):
        worked += _hours(language, body.worked, body.worked_hours)
        off += _hours(language, body.off, body.off_hours)
    return word(language, "request_exchange", worked=worked, off=off)


def _hours(language: Language, day: date, hours: Hours | None) -> str:
    if hours is None:
        return ""
    return f" {between(language, at_minute(day, hours.begin), at_minute(day, hours.end))}"


def _value(language: Language, value: Value) -> str:
    match value:
        case Request():
            return one_line(language, value)
        case Month():
            return in_month(language, value)
        case datetime():
            return f"{on(language, value.date())} {clock(value)}"
        case date():
            return on(language, value)
        case _:
            return str(value)
