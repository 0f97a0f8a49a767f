"""Every case of the case files, through the same functions as the command."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hub.attendance.rules import evaluate

FOLDER = Path(__file__).parent / "cases"


def cases(kind: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((FOLDER / f"{kind}.json").read_text(), parse_float=Decimal)
    return found


def holds(expected: object, found: object) -> bool:
    """Objects: only the keys that are named; all else whole and in order."""
    if isinstance(expected, dict):
        return isinstance(found, dict) and all(key in found and holds(one, found[key]) for key, one in expected.items())
    return expected == found


@pytest.mark.parametrize("case", cases("attendance"), ids=lambda case: case["id"])
def test_a_case_of_attendance(case: dict[str, Any]) -> None:
    answer = evaluate.attendance(case["given"])
    assert holds(case["expect"], answer), {key: answer.get(key) for key in case["expect"]}
    if "minutes" in case["expect"]:
        assert answer["minutes"] == case["expect"]["minutes"]


@pytest.mark.parametrize("case", cases("limits"), ids=lambda case: case["id"])
def test_a_case_of_limits(case: dict[str, Any]) -> None:
    assert holds(case["expect"], evaluate.limits(case["given"]))
