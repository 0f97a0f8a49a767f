"""`machinaka-hub evaluate attendance|limits FILE`: a month of one person, and the upper limits of overtime."""

from typing import Any

from hub.evaluate import Kind


def _attendance(value: object) -> dict[str, Any]:
    from hub.attendance.rules import evaluate

    return evaluate.attendance(value)


def _limits(value: object) -> dict[str, Any]:
    from hub.attendance.rules import evaluate

    return evaluate.limits(value)


KINDS = (
    Kind("attendance", "a person's month: days, minutes by class, yen", _attendance),
    Kind("limits", "the upper limits of overtime", _limits),
)
