"""Every case of the case file, through the same functions as the command and through the oracle."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hub.waiver.rules import evaluate
from tests.waiver.rules.oracle import reckon

FOLDER = Path(__file__).parent / "cases"
# What the oracle does not tell.
_APART = ("blocks", "overage_ex_tax", "expected_ex_tax", "difference_ex_tax", "match")


def cases(name: str = "waiver") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((FOLDER / f"{name}.json").read_text(), parse_float=Decimal)
    return found


def holds(expected: object, found: object) -> bool:
    """Objects: only the keys that are named; all else whole and in order."""
    if isinstance(expected, dict):
        return isinstance(found, dict) and all(key in found and holds(one, found[key]) for key, one in expected.items())
    return expected == found


BOTH = [*cases(), *cases("implied")]


@pytest.mark.parametrize("case", BOTH, ids=lambda case: case["id"])
def test_a_case(case: dict[str, Any]) -> None:
    answer = evaluate.waiver(case["given"])
    assert holds(case["expect"], answer), {key: answer.get(key) for key in case["expect"]}


@pytest.mark.parametrize("case", BOTH, ids=lambda case: case["id"])
def test_the_oracle_says_the_same(case: dict[str, Any]) -> None:
    expected = case["expect"] | {
        "lines": {
            name: {key: value for key, value in line.items() if key not in _APART}
            for name, line in case["expect"].get("lines", {}).items()
        }
    }
    assert holds(expected, reckon(case["given"]))
