"""The rules and the oracle come to the same figures, whatever a month is like."""

from typing import Any

from hypothesis import given, settings

from hub.attendance.rules.given import Given
from hub.attendance.rules.month import month
from hub.attendance.rules.result import MonthResult
from tests.attendance.oracle.chance import givens
from tests.attendance.oracle.oracle import Reckoned, reckon


def of_rules(found: MonthResult) -> dict[str, Any]:
    """The figures of the rules."""
    return {
        "weekday_holidays": found.weekday_holidays,
        "counts_min": found.counts_to_60h_min,
        "overtime_min": found.overtime_min,
        "minutes": found.minutes,
        "hours": found.hours,
        "yen": found.yen,
        "closable": found.closable,
        "units": [(one.unit_yen, one.yen_per_hour, one.minutes, one.hours, one.yen) for one in found.units],
        "days": {
            str(one.day): {
                "kind": one.kind,
                "status": one.status,
                "in": one.in_ms,
                "out": one.out_ms,
                "presence": one.presence_min,
                "regular": one.regular_min,
                "before": one.unordered_before_min,
                "after": one.unordered_after_min,
                "rest": one.rest_before_min,
                "suppressed": one.suppressed,
                "reversed": "REVERSED" in one.notes,
                "flags": sorted(one.flags),
                "minutes": one.minutes,
            }
            for one in found.days
        },
    }


def of_oracle(found: Reckoned) -> dict[str, Any]:
    """The figures of the oracle."""
    return {
        "weekday_holidays": found.weekday_holidays,
        "counts_min": found.counts_min,
        "overtime_min": found.overtime_min,
        "minutes": found.minutes,
        "hours": found.hours,
        "yen": found.yen,
        "closable": not any(one.status in ("incomplete", "unexplained") for one in found.days.values()),
        "units": [(one.unit_yen, one.yen_per_hour, one.minutes, one.hours, one.yen) for one in found.units],
        "days": {
            str(day): {
                "kind": one.kind,
                "status": one.status,
                "in": one.in_ms,
                "out": one.out_ms,
                "presence": one.presence_min,
                "regular": one.regular_min,
                "before": one.before_min,
                "after": one.after_min,
                "rest": one.rest_min,
                "suppressed": one.suppressed,
                "reversed": one.reversed,
                "flags": sorted(one.flags),
                "minutes": one.minutes,
            }
            for day, one in found.days.items()
        },
    }


def different(one: Any, other: Any, at: str = "") -> list[str]:
    """Where two answers differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = sorted({*one, *other})
        return [text for key in keys for text in different(one.get(key), other.get(key), f"{at}/{key}")]
    return [] if one == other else [f"{at}: rules {one}, oracle {other}"]


@settings(max_examples=150, deadline=None)
@given(givens())
def test_the_rules_and_the_oracle_agree(given: Given) -> None:
    assert not different(of_rules(month(given)), of_oracle(reckon(given)))
