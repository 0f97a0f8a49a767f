"""Cases by chance: the rules and the oracle come to the same yen."""

from typing import Any

from hypothesis import given, settings

from hub.waiver.rules import evaluate
from tests.waiver.rules.drawn import cases
from tests.waiver.rules.oracle import reckon

_TOLD = ("base_ex_tax", "ex_tax", "total", "waived", "resident")


@settings(max_examples=150, deadline=None)
@given(cases())
def test_the_same_yen(case: dict[str, Any]) -> None:
    answer = evaluate.waiver(case)
    expected = reckon(case)
    assert answer["invoice"] == expected["invoice"]
    assert {name: {key: one[key] for key in _TOLD} for name, one in answer["lines"].items()} == expected["lines"]


@settings(max_examples=25, deadline=None)
@given(cases(most_lines=30))
def test_the_same_yen_on_a_long_invoice(case: dict[str, Any]) -> None:
    assert evaluate.waiver(case)["invoice"] == reckon(case)["invoice"]
