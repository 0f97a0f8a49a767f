"""Each rule that decides a minute has its clause, and each clause its words."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings

from hub.attendance import rules
from hub.attendance.rules.clause import CLAUSES, PIECES
from hub.attendance.rules.given import Given
from hub.attendance.rules.month import month
from tests.attendance.rules.test_properties import months

SOURCE = "".join((Path(rules.__file__).parent / f"{name}.py").read_text() for name in ("piece", "week", "sixty"))


@settings(deadline=None)
@given(months())
def test_every_piece_has_a_clause(given_month: Given) -> None:
    assert {piece.rule for day in month(given_month).days for piece in day.pieces} <= set(PIECES)


@pytest.mark.parametrize("key", sorted(CLAUSES))
def test_a_clause_is_complete(key: str) -> None:
    clause = CLAUSES[key]
    assert clause.says("ja").endswith("。")
    assert clause.says("en").endswith(".")
    assert clause.law("ja") == clause.law_ja
    assert clause.law("en").isascii()
    assert clause.says("en").isascii() or "×" in clause.says("en")
    assert re.search(r"[ぁ-んァ-ヶ一-龥]", clause.law_ja + clause.says_ja)


@pytest.mark.parametrize("key", sorted(PIECES))
def test_no_clause_is_there_for_nothing(key: str) -> None:
    stem = key.removesuffix("_day").removesuffix("_night")
    assert f'"{key}"' in SOURCE or f'"{stem}"' in SOURCE
