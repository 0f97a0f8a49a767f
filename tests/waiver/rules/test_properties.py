"""What holds for every month of lines: nothing is lost between sums, nothing depends on an order, all is explained."""

import random
from itertools import pairwise
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.waiver.rules import evaluate
from hub.waiver.rules.assess import assess
from hub.waiver.rules.exact import rounded, spread
from hub.waiver.rules.explain import SAYS, sentence
from hub.waiver.rules.profile import Rounding
from hub.waiver.rules.reading import Case, read_case
from hub.waiver.rules.result import Assessment, LineResult
from tests.attendance.rules.test_exact import walk
from tests.waiver.rules.drawn import cases


def worked_out(case: Case) -> Assessment:
    return assess(case.month, case.tariffs, case.rules, case.lines)


@settings(max_examples=200, deadline=None)
@given(cases())
def test_sums_add_up(raw: dict[str, Any]) -> None:
    found = worked_out(read_case(raw))
    for one in found.lines:
        assert one.waived + one.resident == one.total == one.ex_tax + one.tax
        assert 0 <= one.waived <= one.total
        assert sum(ground.waived for ground in one.grounds) == one.waived
        assert all(ground.waived >= 0 for ground in one.grounds)
        assert one.ex_tax == one.base_ex_tax + one.fees_ex_tax + one.overage_ex_tax + one.other_ex_tax
    for name in ("ex_tax", "tax", "total", "waived", "resident"):
        assert getattr(found, name) == sum(getattr(one, name) for one in found.lines)
    for name in ("ex_tax", "tax", "total"):
        assert getattr(found, name) == sum(getattr(one, name) for one in found.invoices)
    assert all(sum(one.tax_by_rate.values()) == one.tax for one in found.invoices)


@settings(max_examples=100, deadline=None)
@given(cases(), st.randoms(use_true_random=False))
def test_the_order_of_what_comes_in_changes_nothing(raw: dict[str, Any], chance: random.Random) -> None:
    before = msgspec.json.encode(worked_out(read_case(raw)))
    lines = [one | {"waivers": chance.sample(one["waivers"], len(one["waivers"]))} for one in raw["lines"]]
    chance.shuffle(lines)
    rules = dict(reversed(raw["rules"].items()))
    assert msgspec.json.encode(worked_out(read_case(raw | {"lines": lines, "rules": rules}))) == before


@settings(max_examples=100, deadline=None)
@given(cases())
def test_no_day_has_two_grounds_and_each_day_is_one_of_use(raw: dict[str, Any]) -> None:
    for one in worked_out(read_case(raw)).lines:
        assert sum(ground.day_count for ground in one.grounds) <= one.days
        stretches = sorted(stretch for ground in one.grounds for stretch in ground.days)
        assert all(first <= last and f"{raw['month']}-01" <= first for first, last in stretches)
        assert all(before[1] < after[0] for before, after in pairwise(stretches))


@settings(max_examples=100, deadline=None)
@given(cases(most_lines=2))
def test_one_more_ground_never_costs_the_resident_anything(raw: dict[str, Any]) -> None:
    whole = {one.id: one for one in worked_out(read_case(raw)).lines}
    for line in raw["lines"]:
        for grant in line["waivers"]:
            alone = worked_out(
                read_case(raw | {"lines": [one | {"waivers": [grant]} if one is line else one for one in raw["lines"]]})
            )
            assert next(one for one in alone.lines if one.id == line["id"]).waived <= whole[line["id"]].waived


def told(one: LineResult, *rules: str) -> int:
    return sum(step.yen for step in one.steps if step.rule in rules)


@settings(max_examples=200, deadline=None)
@given(cases())
def test_every_figure_is_the_sum_of_its_steps(raw: dict[str, Any]) -> None:
    for one in worked_out(read_case(raw)).lines:
        stated = [step for step in one.steps if step.rule.startswith("base_") or step.rule in _STATED]
        taxes = {part.tax_percent: 0 for part in one.parts if part.tax_percent}
        for part in one.parts:
            taxes[part.tax_percent] = taxes.get(part.tax_percent, 0) + part.tax
        assert told(one, "tax_share") == one.tax
        assert [step.numbers["percent"] for step in one.steps if step.rule == "tax_share"] == sorted(
            (percent for percent in taxes if percent), reverse=True
        )
        assert len(stated) == len(one.parts)
        assert all(step.yen in (part.ex_tax, part.total) for step, part in zip(stated, one.parts, strict=True))
        assert sum(step.yen for step in one.steps if step.rule.startswith("waived_")) == one.waived
        assert told(one, "resident") == one.resident
        for step in one.steps:
            assert "{" not in sentence(step, "ja") + sentence(step, "en")


_STATED = ("line_fee", "no_limit", "within_allowance", "slowed_down", "started_blocks", "other_charge")


@settings(max_examples=50, deadline=None)
@given(cases())
def test_a_result_has_no_float(raw: dict[str, Any]) -> None:
    walk(worked_out(read_case(raw)))
    walk(evaluate.waiver(raw))


@given(
    st.lists(st.integers(0, 10**6), max_size=12), st.integers(1, 10**4), st.sampled_from(["floor", "ceil", "half_up"])
)
def test_spreading_keeps_the_sum_and_stays_within_a_yen(exact: list[int], below: int, how: Rounding) -> None:
    total = rounded(sum(exact), below, how)
    shares = spread(total, exact, below)
    assert sum(shares) == total
    assert all(one // below <= share <= -(-one // below) for one, share in zip(exact, shares, strict=True))
    # Whoever got a yen more had at least as large a remainder as whoever did not, and came first of two alike.
    up = [at for at, share in enumerate(shares) if share > exact[at] // below]
    down = [at for at in range(len(shares)) if at not in up]
    keys = [(-(one % below), at) for at, one in enumerate(exact)]
    assert not up or not down or max(keys[at] for at in up) < min(keys[at] for at in down)


def test_every_sentence_is_there_in_both_languages() -> None:
    for says in SAYS.values():
        assert says.ja
        assert says.en
