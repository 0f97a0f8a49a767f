"""A month of several tariffs and invoices, grounds that follow one another, differences; what cannot be assessed."""

from datetime import date

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.waiver.rules.assess import assess, changes
from hub.waiver.rules.given import Grant, Line, OtherCharge
from hub.waiver.rules.profile import BadProfile, LineFee, Share, Tariff, WaiverRule
from hub.waiver.rules.result import Assessment, LineResult

MARCH = date(2026, 3, 20)
OURS = Tariff(
    base_yen=1480,
    included_bytes=3_000_000_000,
    block_bytes=1_000_000_000,
    block_yen=500,
    line_fees=(LineFee(name="universal", yen=2), LineFee(name="relay", yen=1)),
)
INSIDE = Tariff(base_yen=1540, tax_included=True)
FULL, HALF = (
    WaiverRule(clause="条例5条1項1号", ground="生活保護"),
    WaiverRule(share=Share(1, 2), clause="条例5条1項2号"),
)
RULES = {"full": FULL, "half": HALF}


def month(*lines: Line, rules: dict[str, WaiverRule] | None = None) -> Assessment:
    return assess("2026-11", {"": OURS, "inside": INSIDE}, rules or RULES, lines)


def line(*grants: Grant, **more: object) -> Line:
    return msgspec.structs.replace(Line(id="L1", grants=grants), **more)


def grant(rule: str = "full", **more: object) -> Grant:
    return msgspec.structs.replace(Grant(rule=rule, applied=MARCH, decided=MARCH), **more)


def only(found: Assessment) -> LineResult:
    assert len(found.lines) == 1
    return found.lines[0]


def told(*lines: Line, rules: dict[str, WaiverRule] | None = None) -> str:
    with pytest.raises(BadProfile) as error:
        month(*lines, rules=rules)
    return str(error.value)


@given(
    days=st.lists(st.integers(1, 29), max_size=3, unique=True).map(sorted),
    base_yen=st.integers(0, 6000),
    prorata=st.sampled_from(["total_then_floor", "daily_floor", "none"]),
)
def test_those_who_had_a_line_after_each_other_pay_what_one_would(days: list[int], base_yen: int, prorata: str) -> None:
    tariff = msgspec.structs.replace(OURS, base_yen=base_yen, prorata=prorata)
    ends = [0, *days, 30]
    lines = [
        line(
            id=f"L{n}",
            first=date(2026, 11, ends[n] + 1),
            last=date(2026, 11, ends[n + 1]),
            together_days=30,
            days_before=ends[n],
            bears_fees=n == len(days),
        )
        for n in range(len(days) + 1)
    ]
    found = assess("2026-11", {"": tariff}, RULES, lines)
    alone = assess("2026-11", {"": tariff}, RULES, [line()])
    assert (found.ex_tax, found.tax, found.total) == (alone.ex_tax, alone.tax, alone.total)
    assert all(one.base_ex_tax >= 0 for one in found.lines)


def test_a_line_that_was_handed_on_the_twelfth() -> None:
    first = line(id="L1/1", last=date(2026, 11, 11), together_days=30, bears_fees=False)
    second = line(id="L1", first=date(2026, 11, 12), together_days=30, days_before=11)
    found = {one.id: (one.base_ex_tax, one.fees_ex_tax) for one in month(first, second).lines}
    assert found == {"L1/1": (542, 0), "L1": (938, 3)}


def test_two_tariffs_on_two_invoices_and_on_one() -> None:
    lines = [line(id=f"L{at}", tariff="inside" if at % 2 else "", invoice=f"I{at % 2}") for at in range(6)]
    apart = month(*lines)
    assert [(one.id, one.ex_tax, one.tax) for one in apart.invoices] == [("I0", 4449, 444), ("I1", 4200, 420)]
    together = month(*(msgspec.structs.replace(one, invoice="") for one in lines))
    # 444.9 and 420: rounded once.
    assert [(one.ex_tax, one.tax, one.tax_by_rate) for one in together.invoices] == [(8649, 864, {10: 864})]
    assert [one.total for one in together.lines] == [1631, 1540, 1631, 1540, 1631, 1540]


def test_a_yen_that_is_left_goes_to_the_largest_remainder_and_then_to_the_lower_id() -> None:
    found = month(*(line(id=f"L{at:02d}") for at in range(12)))
    # 1,779.6 exactly: three yen are left over after 148 each.
    assert [one.tax for one in found.lines] == [149, 149, 149, *[148] * 9]


def test_what_is_waived_says_where_it_goes_to_and_why() -> None:
    one = only(month(line(grant(ref="減免-12"))))
    ground = one.grounds[0]
    assert (ground.rule, ground.account, ground.clause, ground.ref) == ("full", "生活保護", "条例5条1項1号", "減免-12")
    assert (ground.days, ground.day_count, ground.waived) == ((("2026-11-01", "2026-11-30"),), 30, 1631)
    assert only(month(line(grant("half")))).grounds[0].account == "half"


def test_one_ground_follows_another_within_the_month() -> None:
    rules = {"old": WaiverRule(share=Share(1, 2), end="by_day"), "new": WaiverRule(start="by_day")}
    turns = grant("old", ended=date(2026, 11, 12)), grant("new", applied=date(2026, 11, 13))
    one = only(month(line(*turns), rules=rules))
    # 815.5 * 12/30 + 1631 * 18/30 = 326.2 + 978.6 = 1304.8; the resident's 326.2 is floored.
    assert (one.waived, one.resident) == (1305, 326)
    assert {ground.rule: (ground.day_count, ground.waived) for ground in one.grounds} == {
        "old": (12, 326),
        "new": (18, 979),
    }


def test_a_ground_in_the_middle_of_another_one() -> None:
    rules = {"half": HALF, "full": WaiverRule(start="by_day", end="by_day")}
    middle = grant("full", applied=date(2026, 11, 11), ended=date(2026, 11, 20))
    one = only(month(line(grant("half"), middle), rules=rules))
    days = {ground.rule: ground.days for ground in one.grounds}
    assert days["half"] == (("2026-11-01", "2026-11-10"), ("2026-11-21", "2026-11-30"))
    assert days["full"] == (("2026-11-11", "2026-11-20"),)
    # 1631/3 + 815.5 * 2/3 = 543.67 + 543.67 = 1087.33
    assert one.waived == 1088


def test_a_capped_full_waiver_gives_way_to_an_uncapped_half() -> None:
    rules = {"full": WaiverRule(cap_month_yen=500), "half": HALF}
    one = only(month(line(grant("full"), grant("half")), rules=rules))
    assert [(ground.rule, ground.waived) for ground in one.grounds] == [("half", 816)]
    assert [step.rule for step in one.steps if step.rule == "outranked"] == ["outranked"]


def test_a_cap_that_a_part_of_the_month_does_not_reach() -> None:
    day = date(2026, 11, 16)
    rules = {
        "full": WaiverRule(cap_month_yen=600, start="by_day"),
        "flat": WaiverRule(amount="waived_flat", flat_yen=700, start="by_day"),
    }
    both = grant("full", applied=day), grant("flat", applied=day)
    assert only(month(line(*both), rules=rules)).waived == 600


@pytest.mark.parametrize(
    ("limit", "waived"),
    [({"cap_fiscal_year_yen": 1000}, 1000), ({"floor_yen": 500}, 1131), ({"cap_month_yen": 600}, 1200)],
)
def test_a_limit_looks_at_what_the_ground_before_waived(limit: dict[str, int], waived: int) -> None:
    """Of a fiscal year there is one cap and of a month one floor, but each rule has a month's cap of its own."""
    rules = {"a": WaiverRule(end="by_day", **limit), "b": WaiverRule(start="by_day", **limit)}  # type: ignore[arg-type]
    turns = grant("a", ended=date(2026, 11, 15)), grant("b", applied=date(2026, 11, 16))
    assert only(month(line(*turns), rules=rules)).waived == waived


@pytest.mark.parametrize(("rounding", "resident"), [("floor", 815), ("ceil", 816), ("half_up", 816)])
def test_the_residents_share_is_rounded_as_the_rule_says(rounding: str, resident: int) -> None:
    rule = msgspec.structs.replace(HALF, rounding=rounding)
    assert only(month(line(grant("half")), rules={"half": rule})).resident == resident


def test_a_flat_share_above_the_fee_waives_nothing_and_takes_nothing_from_the_next_ground() -> None:
    rules = {
        "flat": WaiverRule(amount="resident_flat", flat_yen=9000, end="by_day"),
        "full": WaiverRule(start="by_day"),
    }
    turns = grant("flat", ended=date(2026, 11, 15)), grant("full", applied=date(2026, 11, 16))
    one = only(month(line(*turns), rules=rules))
    assert (one.waived, one.resident) == (816, 815)
    assert {ground.rule: ground.waived for ground in one.grounds} == {"flat": 0, "full": 816}


def test_what_is_left_out_is_named_alone_or_by_its_kind() -> None:
    content = OtherCharge(name="content", yen=300)
    for excludes, waived in (
        ((), 1961),
        (("content",), 1631),
        (("other",), 1631),
        (("fee",), 1958),
        (("relay",), 1960),
    ):
        rules = {"full": WaiverRule(covers="all", excludes=excludes)}
        assert only(month(line(grant(), other_charges=(content,)), rules=rules)).waived == waived
    assert only(month(line(grant()), rules={"full": WaiverRule(covers="base_alone")})).waived == 1628


def test_lines_are_told_in_order_of_their_id_whatever_invoice_they_stand_on() -> None:
    found = month(line(id="C", invoice="1"), line(id="A", invoice="2"), line(id="B", invoice="1"))
    assert [one.id for one in found.lines] == ["A", "B", "C"]
    assert [one.id for one in found.invoices] == ["1", "2"]


def test_many_grounds_at_once() -> None:
    rules = {f"r{at}": WaiverRule(share=Share(at, 9), end="by_day") for at in range(1, 8)}
    ends = [grant(f"r{at}", ended=date(2026, 11, 30 - 4 * at + 4)) for at in range(1, 8)]
    one = only(month(line(*ends), rules=rules))
    assert [ground.rule for ground in one.grounds] == ["r7", "r6", "r5", "r4", "r3", "r2", "r1"]
    # 6 days of 7/9, then four each of 6/9 ... 1/9: 126/9 of 30 days of 1631.
    assert one.resident == 1631 - 1631 * 14 // 30 - 1


def test_without_a_day_of_use_there_are_only_other_charges_and_no_waiver() -> None:
    late = OtherCharge(name="roaming", yen=100, tax_percent=0)
    one = only(month(line(grant(), last=date(2026, 10, 31), used_bytes=10**10, other_charges=(late,))))
    assert (one.days, one.total, one.waived, one.blocks) == (0, 100, 0, 0)
    assert [step.rule for step in one.steps] == ["no_day_of_use", "other_charge", "other_days", "resident"]


def test_what_came_later_is_a_difference() -> None:
    before = month(line(id="A", used_bytes=2_900_000_000), line(id="B"), line(id="C"))
    after = month(line(id="A", used_bytes=3_300_000_000), line(grant(), id="B"), line(id="D"))
    assert changes(before, after) == (
        ("A", 550, 0, 550),
        ("B", 0, 1631, -1631),
        ("C", -1631, 0, -1631),
        ("D", 1631, 0, 1631),
    )
    assert changes(after, after) == ()


def test_what_cannot_be_assessed_is_told_in_one_sentence() -> None:
    assert told(line(tariff="x")) == "line L1: tariff: expected one of , inside, found 'x'"
    assert told(line(grant("none"))) == "line L1: rule: expected one of full, half, found 'none'"
    assert told(line(), line()) == "line L1: expected once in a month, found twice"
    other = {"": OURS, "up": msgspec.structs.replace(OURS, tax_rounding="ceil")}
    with pytest.raises(BadProfile, match="invoice '': expected one way of rounding tax, found ceil, floor"):
        assess("2026-11", other, {}, [line(), line(id="L2", tariff="up")])
    accepting = {"full": WaiverRule(start="acceptance_month")}
    assert told(line(grant()), rules=accepting).endswith("expected the day accepted")


def test_a_month_without_lines() -> None:
    assert month() == Assessment(month="2026-11", lines=(), invoices=(), ex_tax=0, tax=0, total=0, waived=0, resident=0)
