"""The oracle agrees with every case, before anything is compared with it."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.attendance.oracle.case import answer_of, given_of
from tests.attendance.oracle.oracle import reckon

CASES = json.loads((Path(__file__).parents[1] / "rules" / "cases" / "attendance.json").read_text())


def holds(expected: object, found: object) -> bool:
    """Whether every key that is expected is there with the same value."""
    if isinstance(expected, dict):
        return isinstance(found, dict) and all(holds(value, found.get(key)) for key, value in expected.items())
    return expected == found


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_the_oracle_agrees_with_a_case(case: dict[str, Any]) -> None:
    found = answer_of(reckon(given_of(case["given"])))
    assert holds(case["expect"], found), {key: found.get(key) for key in case["expect"]}
    if "minutes" in case["expect"]:
        assert found["minutes"] == case["expect"]["minutes"]
