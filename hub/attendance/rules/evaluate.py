"""One case in, one answer out (rule): the same functions that a month is worked out with, for anyone to check a rule.

Only days with punches, orders or corrections are in `days`; one that has nothing but an order, or a correction that
nobody approved, is incomplete with both ends missing.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from hub.attendance.rules.case import Case, read_case, read_profile
from hub.attendance.rules.japan import MS_A_MINUTE
from hub.attendance.rules.kinds import PAY_CLASSES, PayClass
from hub.attendance.rules.limits import violations
from hub.attendance.rules.month import month as month_of
from hub.attendance.rules.reading import BadCase, Fields, month, whole
from hub.attendance.rules.result import DayResult, MonthResult, Piece
from hub.staff.terms import Office

_TOUCHED = ("complete", "incomplete", "corrected")
_MOST_MINUTES = 1_000_000
_MOST_MONTHS = 1200


def attendance(value: object) -> dict[str, Any]:
    """The answer to a case of attendance. Raises BadCase."""
    case = read_case(value)
    result = month_of(case.given)
    days = {str(one.day): _day(one) for one in result.days if one.status in _TOUCHED or one.day in case.asked}
    unit = result.units[0]
    return {
        "month": result.month,
        "weekday_holidays": result.weekday_holidays,
        "unit_yen": unit.unit_yen,
        "yen_per_hour": unit.yen_per_hour,
        "minutes": result.minutes,
        "hours": result.hours,
        "counts_to_60h_min": result.counts_to_60h_min,
        "overtime_min": result.overtime_min,
        "yen": result.yen,
        "closable": all(one["status"] != "incomplete" for one in days.values()),
        "days": days,
        **_adjustment(case, result),
    }


def limits(value: object) -> dict[str, Any]:
    """The answer to a case of the upper limits. Raises BadCase."""
    fields = Fields(value, "given", frozenset({"office", "overtime_min", "profile"}))
    office: Office = "ordinary"
    if fields.choice("office", "ordinary", "other_directed") == "other_directed":
        office = "other_directed"
    inner = Fields(fields.get("overtime_min"), "overtime_min")
    if len(inner.values) > _MOST_MONTHS:
        raise BadCase("overtime_min", f"at most {_MOST_MONTHS} months")
    minutes = {
        month(name, "overtime_min"): whole(one, inner.place(name), _MOST_MINUTES) for name, one in inner.values.items()
    }
    found = violations(office, minutes, read_profile(fields.get("profile")))
    return {
        "violations": [{"month": one.month, "limit": one.limit} for one in found.violations],
        "months_over_45h": found.months_over_45h,
        "total_min": found.total_min,
        "years": {
            str(year): {"total_min": one.total_min, "months_over_45h": one.months_over_45h}
            for year, one in found.years.items()
        },
    }


def _adjustment(case: Case, result: MonthResult) -> dict[str, Any]:
    """The difference to the version that was closed: booked in the open month, the closed one stays as it is."""
    if case.closed is None:
        return {}
    changed: dict[PayClass, int] = {
        pay: result.hours.get(pay, 0) - case.closed.hours.get(pay, 0)
        for pay in PAY_CLASSES
        if result.hours.get(pay, 0) != case.closed.hours.get(pay, 0)
    }
    return {"adjustment_yen": result.yen - case.closed.yen, "adjustment_hours": changed}


def _day(one: DayResult) -> dict[str, Any]:
    touched = one.status in _TOUCHED
    return {
        "kind": one.kind,
        "status": one.status if touched else "incomplete",
        "in": _time(one.in_ms),
        "out": _time(one.out_ms),
        "presence_min": one.presence_min,
        "regular_min": one.regular_min,
        "worked_min": one.worked_min,
        "unordered_before_min": one.unordered_before_min,
        "unordered_after_min": one.unordered_after_min,
        "rest_before_min": one.rest_before_min,
        "suppressed": one.suppressed,
        "flags": list(one.flags) if touched else ["MISSING_IN", "MISSING_OUT"],
        "notes": list(one.notes),
        "minutes": one.minutes,
        "pieces": [_piece(piece) for piece in one.pieces],
    }


def _piece(piece: Piece) -> dict[str, Any]:
    # A span's minutes are Japan's already.
    begin, end = ((minute - 9 * 60) * MS_A_MINUTE for minute in piece.span)
    return {
        "from": _time(begin),
        "to": _time(end),
        "present": piece.present,
        "ordered": piece.ordered,
        "duty": piece.duty,
        "class": piece.pay,
        "rule": piece.rule,
    }


def _time(at_ms: int | None) -> str | None:
    if at_ms is None:
        return None
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms, hours=9)
    digits = "milliseconds" if at_ms % 1000 else "seconds"
    return at.replace(tzinfo=None).isoformat(timespec=digits) + "+09:00"
