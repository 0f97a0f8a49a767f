"""`machinaka-hub evaluate waiver FILE`: a month of lines: what they cost, what is waived, what residents pay."""

from typing import Any

from hub.evaluate import Kind


def _waiver(value: object) -> dict[str, Any]:
    from hub.waiver.rules import evaluate

    return evaluate.waiver(value)


KINDS = (Kind("waiver", "a month of lines: charges, tax, what is waived on which ground", _waiver),)
