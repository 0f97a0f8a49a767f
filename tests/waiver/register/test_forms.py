"""Forms read what people write, tell what cannot be, and give back what they were given."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.staff.form import Wrong, WrongValue
from hub.waiver import register_form, rules_sample
from hub.waiver.register import Line, Use, cannot_use, next_number
from hub.waiver.rules.profile import LineFee, Share, Tariff, WaiverRule
from hub.waiver.rules_form import RuleFields, data_text, read_tariff_form, rule_values, tariff_values, version_against

MONTHS = st.sampled_from(("", "2025-07", "2026-01", "2026-12"))
SIZES = st.integers(0, 2**60) | st.sampled_from((3 * 10**9, 3 * 2**30, 10**6))
FEES = st.builds(
    lambda name, yen, months: LineFee(name=name, yen=yen, first=min(months), last=max(months) if all(months) else ""),
    st.sampled_from(("ユニバーサル", "リレー")),
    st.integers(0, 1000),
    st.tuples(MONTHS, MONTHS),
)
TARIFFS = st.builds(
    Tariff,
    base_yen=st.integers(0, 1_000_000),
    tax_included=st.booleans(),
    tax_percent=st.integers(0, 100),
    tax_rounding=st.sampled_from(("floor", "ceil", "half_up")),
    included_bytes=SIZES,
    block_bytes=st.none(),
    line_fees=st.lists(FEES, max_size=5).map(tuple),
    prorata=st.sampled_from(("total_then_floor", "daily_floor", "none")),
    title=st.sampled_from(("3GB", "家族 10GB")),
)
RULES = st.builds(
    WaiverRule,
    share=st.sampled_from((Share(1, 1), Share(1, 2), Share(2, 3))),
    of=st.sampled_from(("fee", "list_price")),
    covers=st.sampled_from(("base", "base_alone", "all")),
    excludes=st.sampled_from(((), ("overage",), ("overage", "roaming"))),
    cap_month_yen=st.none() | st.integers(0, 9999),
    cap_fiscal_year_yen=st.none() | st.integers(0, 9999),
    floor_yen=st.integers(0, 500),
    start=st.sampled_from(("application_month", "month_after_decision", "acceptance_month", "by_day")),
    end=st.sampled_from(("end_of_month", "by_day")),
    max_months=st.none() | st.integers(1, 600),
    renewal=st.sampled_from(("none", "fiscal_year")),
    rounding=st.sampled_from(("floor", "ceil", "half_up")),
    recheck_month=st.none() | st.integers(1, 12),
    clause=st.just("要綱第4条"),
    ground=st.sampled_from(("", "welfare")),
)


@given(TARIFFS, st.booleans())
def test_a_tariff_comes_back_from_its_form(tariff: Tariff, blocks: bool) -> None:
    if blocks:
        tariff = Tariff(base_yen=1, included_bytes=5, block_bytes=10**9, block_yen=500, title="x")
    code, first, last, found, wrong = read_tariff_form(tariff_values("a-1", "2026-04", "2027-03", tariff))
    assert not wrong
    assert (code, first, last, found) == ("a-1", "2026-04", "2027-03", tariff)


@given(RULES)
def test_a_rule_comes_back_from_its_form(rule: WaiverRule) -> None:
    read = RuleFields(rule_values("half", ("2026-04", ""), "75歳以上", "要綱第4条", rule))
    assert not read.wrong
    assert (read.code, read.from_month, read.to_month, read.name, read.rule) == (
        "half",
        "2026-04",
        "",
        "75歳以上",
        rule,
    )


@pytest.mark.parametrize("amount", ["resident_flat", "waived_flat"])
def test_a_flat_amount_comes_back_too(amount: str) -> None:
    rule = WaiverRule(amount=amount, flat_yen=1000, clause="c")  # type: ignore[arg-type]
    assert RuleFields(rule_values("flat", ("2026-04", ""), "x", "c", rule)).rule == rule


@given(SIZES)
def test_an_amount_of_data_comes_back(amount: int) -> None:
    form = tariff_values("a", "2026-04", "", Tariff(base_yen=1, included_bytes=amount, title="x"))
    assert form["tariff_included"] == data_text(amount)
    tariff = read_tariff_form(form)[3]
    assert tariff is not None
    assert tariff.included_bytes == amount


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("tariff_code", "日本", "code"),
        ("tariff_base", "千円", "yen"),
        ("tariff_base", "", "yen"),
        ("tariff_from", "2026-13", "month"),
        ("tariff_to", "2026-03", "after_first"),
        ("tariff_included", "3 GiGa", "data"),
        ("tariff_included", "0.0000001 GB", "data"),
        ("tariff_included", "1152921504606846977", "data"),
        ("tariff_block", "1 GB", "data"),
        ("tariff_tax_percent", "101", "percent"),
        ("tariff_prorata", "weekly", "choice"),
        ("fee_yen_1", "x", "yen"),
    ],
)
def test_what_a_tariff_cannot_be_is_told(field: str, value: str, expected: str) -> None:
    tariff = Tariff(base_yen=1, line_fees=(LineFee(name="fee", yen=1),), title="x")
    form = tariff_values("a", "2026-04", "", tariff) | {field: value}
    _, _, _, found, wrong = read_tariff_form(form)
    assert found is None
    assert expected in [one.expected for one in wrong]


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("rule_clause", "", "something"),
        ("rule_share", "3/2", "share"),
        ("rule_share", "", "share"),
        ("rule_max_months", "0", "whole"),
        ("rule_recheck", "13", "whole"),
        ("rule_start", "sometime", "choice"),
        ("rule_ground", "Ａ b", "code"),
    ],
)
def test_what_a_rule_cannot_be_is_told(field: str, value: str, expected: str) -> None:
    form = rule_values("half", ("2026-04", ""), "x", "c", WaiverRule(share=Share(1, 2), clause="c")) | {field: value}
    read = RuleFields(form)
    assert read.rule is None
    assert expected in [one.expected for one in read.wrong]


def test_the_sample_is_what_its_forms_say() -> None:
    for code, tariff in rules_sample.TARIFFS.items():
        assert read_tariff_form(tariff_values(code, "2026-04", "", tariff))[3] == tariff
    for code, (name, clause, rule) in rules_sample.RULES.items():
        found = RuleFields(rule_values(code, ("2026-04", ""), name, clause, rule)).rule
        assert found is not None
        assert found == type(rule)(**{f: getattr(rule, f) for f in rule.__struct_fields__} | {"clause": clause})


def test_a_version_that_a_closed_month_went_by_only_ends() -> None:
    old = ("2026-04", "", "as it is")
    assert version_against("tariff", ("2026-04", "", "other"), old, "") is None
    assert version_against("tariff", ("2026-11", "", "other"), None, "2026-10") is None
    refused = Wrong("tariff_from", "2026-04", "open_month")
    assert version_against("tariff", ("2026-04", "", "other"), old, "2026-10") == refused
    assert version_against("tariff", ("2026-09", "", "other"), None, "2026-10") == Wrong(
        "tariff_from", "2026-09", "open_month"
    )
    assert version_against("tariff", ("2026-04", "2026-10", "as it is"), old, "2026-10") is None
    assert version_against("tariff", ("2026-04", "2026-09", "as it is"), old, "2026-10") == refused
    assert (
        version_against("tariff", ("2026-04", "", "as it is"), ("2026-04", "2026-09", "as it is"), "2026-10") == refused
    )


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("090-1234-5678", "09012345678"), ("０９０　1234ー5678", "09012345678"), ("02012345678901", "02012345678901")],
)
def test_a_phone_number_is_its_figures(typed: str, kept: str) -> None:
    assert register_form.phone("line_phone", typed) == kept
    assert register_form.phone("line_phone", register_form.shown_phone(kept)) == kept


@pytest.mark.parametrize("typed", ["", "1234567890", "090-123", "090-1234-567x", "0" * 15])
def test_what_is_no_phone_number_is_told(typed: str) -> None:
    with pytest.raises(WrongValue) as told:
        register_form.phone("line_phone", typed)
    assert told.value.wrong.expected == "phone"


@pytest.mark.parametrize(
    ("number", "following"),
    [("", ""), ("第9号", "第10号"), ("総-007", "総-008"), ("2026-12の3", "2026-12の4"), ("abc", "")],
)
def test_numbers_count_on(number: str, following: str) -> None:
    assert next_number(number) == following


LINE = Line(1, "09011112222", "", "A", "", "2026-04-01", "2027-03-31", "")


@pytest.mark.parametrize(
    ("first", "last", "why"),
    [
        ("2026-04-01", "", "one_at_a_time"),
        ("2026-05-01", "2026-05-31", "one_at_a_time"),
        ("2026-06-11", "", ""),
        ("2026-04-01", "2026-04-30", ""),
        ("2026-03-31", "", "within_contract"),
        ("2027-04-01", "", "within_contract"),
        ("2026-08-02", "2026-08-01", "after_first"),
    ],
)
def test_a_line_is_one_residents_at_a_time_within_its_contract(first: str, last: str, why: str) -> None:
    uses = [Use(1, 1, 5, None, None, "2026-05-01", "2026-06-10", 0, 0)]
    assert cannot_use(LINE, uses, first, last) == why


@given(st.lists(st.tuples(st.integers(1, 28), st.integers(1, 28)), max_size=6))
def test_no_two_uses_share_a_day_however_they_are_entered(spans: list[tuple[int, int]]) -> None:
    taken: list[Use] = []
    for begin, end in spans:
        first, last = f"2026-05-{begin:02}", f"2026-05-{end:02}"
        if not cannot_use(LINE, taken, first, last):
            taken.append(Use(len(taken), 1, 5, None, None, first, last, 0, 0))
    days = [day for one in taken for day in range(int(one.from_day[8:]), int(one.to_day[8:]) + 1)]
    assert len(days) == len(set(days))
