"""Tariffs and rules as plain JSON: each form, each slip in one sentence, and back to one form."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.waiver.rules.profile import (
    BadProfile,
    LineFee,
    Share,
    Tariff,
    WaiverRule,
    read_rule,
    read_tariff,
    rule_body,
    tariff_body,
)
from tests.waiver.rules.drawn import rules, tariffs


def told(read: Any, raw: object) -> str:
    with pytest.raises(BadProfile) as error:
        read(raw)
    return str(error.value)


@given(tariffs())
def test_a_tariff_is_written_back_as_it_was_read(raw: dict[str, Any]) -> None:
    tariff = read_tariff(raw)
    body = tariff_body(tariff)
    assert read_tariff(body) == tariff
    assert tariff_body(read_tariff(body)) == body


@given(
    rules(),
    st.fixed_dictionaries(
        {},
        optional={
            "max_months": st.integers(1, 99),
            "clause": st.text(max_size=5),
            "recheck_month": st.integers(1, 12),
            "renewal": st.sampled_from(["none", "fiscal_year"]),
            "rounding": st.sampled_from(["floor", "ceil", "half_up"]),
        },
    ),
)
def test_a_rule_is_written_back_as_it_was_read(raw: dict[str, Any], more: dict[str, Any]) -> None:
    rule = read_rule(raw | more)
    assert read_rule(rule_body(rule)) == rule


def test_what_is_not_said_is_the_usual() -> None:
    unlimited = read_tariff({"base_yen": 1, "included_bytes": None, "block_bytes": 5})
    assert (unlimited.included_bytes, unlimited.block_bytes) == (None, 5)
    assert read_tariff({"base_yen": 1500}) == Tariff(base_yen=1500)
    fees = [{"name": "u", "yen": 2, "from": "2026-01"}]
    assert read_tariff({"base_yen": 1, "line_fees": fees}).line_fees == (LineFee(name="u", yen=2, first="2026-01"),)
    assert read_rule({"amount": "full"}) == WaiverRule()


@pytest.mark.parametrize(
    ("amount", "share"),
    [
        ("full", (1, 1)),
        ("1/2", (1, 2)),
        (" 2/4 ", (1, 2)),
        ("0", (0, 1)),
        ("1", (1, 1)),
        (1, (1, 1)),
        (0, (0, 1)),
        (Decimal("0.25"), (1, 4)),
        ("5/5", (1, 1)),
    ],
)
def test_shares(amount: object, share: tuple[int, int]) -> None:
    assert read_rule({"amount": amount}).share == Share(*share)


@pytest.mark.parametrize(
    "amount",
    [
        "half",
        "3/2",
        "1/0",
        "-1/2",
        "1/",
        "/2",
        "",
        "2",
        Decimal("1.5"),
        -1,
        True,
        [],
        "1" * 30 + "/2",
        "½",
        Decimal("0.3333333333333"),
    ],
)
def test_what_is_no_share(amount: object) -> None:
    assert told(read_rule, {"amount": amount}).startswith(
        "rule.amount: expected full or a fraction from 0 to 1 such as 1/2"
    )


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (None, "tariff: expected an object, found null"),
        ({}, "tariff.base_yen: expected a whole number from 0 to 1000000000, found null"),
        ({"base_yen": 1, "base": 2}, "tariff: expected only"),
        ({"base_yen": 1, "tax_included": "no"}, "tariff.tax_included: expected true or false, found 'no'"),
        ({"base_yen": 1, "tax_percent": 101}, "tariff.tax_percent: expected a whole number from 0 to 100, found 101"),
        ({"base_yen": 1, "tax_rounding": "up"}, "tariff.tax_rounding: expected floor or ceil or half_up, found 'up'"),
        ({"base_yen": 1, "prorata": "daily"}, "tariff.prorata: expected total_then_floor or daily_floor or none"),
        ({"base_yen": 1, "block_bytes": 5}, "tariff.included_bytes: expected how many bytes are inside"),
        ({"base_yen": 1, "line_fees": [{"yen": 1, "from": "2026-13"}]}, "tariff.line_fees[0].from: expected a month"),
        ({"base_yen": 1, "line_fees": [{"name": "x"}]}, "tariff.line_fees[0].yen: expected a whole number"),
        ({"base_yen": 1, "line_fees": [{"yen": 1, "since": "2026-01"}]}, "tariff.line_fees[0]: expected only"),
        (
            {"base_yen": 1, "line_fees": [{"yen": 1, "from": "2026-02", "to": "2026-01"}]},
            "tariff.line_fees[0].to: expected 2026-02 or later, found '2026-01'",
        ),
    ],
)
def test_a_tariff_that_cannot_be_read(raw: object, sentence: str) -> None:
    assert told(read_tariff, raw).startswith(sentence)


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        ({}, "rule: expected one of amount, resident_flat_yen and waived_flat_yen, found null"),
        ({"amount": "full", "resident_flat_yen": 1}, "rule: expected one of amount"),
        ({"amount": "full", "cap": 1}, "rule: expected only"),
        ({"amount": "full", "start": "someday"}, "rule.start: expected application_month or"),
        ({"amount": "full", "end": "never"}, "rule.end: expected end_of_month or"),
        ({"amount": "full", "covers": "fee"}, "rule.covers: expected base or base_alone or all, found 'fee'"),
        ({"amount": "full", "max_months": 0}, "rule.max_months: expected a whole number from 1 to 1200, found 0"),
        ({"amount": "full", "excludes": "overage"}, "rule.excludes: expected a list, found 'overage'"),
        ({"amount": "full", "excludes": [""]}, "rule.excludes[0]: expected a charge's name such as overage, found ''"),
        ({"resident_flat_yen": -1}, "rule.resident_flat_yen: expected a whole number"),
        ({"amount": "full", "clause": 5}, "rule.clause: expected a text, found 5"),
    ],
)
def test_a_rule_that_cannot_be_read(raw: object, sentence: str) -> None:
    assert told(read_rule, raw).startswith(sentence)


@pytest.mark.parametrize(
    ("word", "start"),
    [
        ("month_of_application", "application_month"),
        ("next_month_after_application", "month_after_application"),
        ("next_month_after_decision", "month_after_decision"),
    ],
)
def test_words_for_the_same_beginning(word: str, start: str) -> None:
    assert read_rule({"amount": "full", "start": word}).start == start
    assert read_rule({"amount": "full", "end": "end_of_month_of_cause"}).end == "end_of_month"
