"""A bill beside the tariff: each verdict, the difference to the yen, and nothing that depends on an order."""

from datetime import date

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.waiver import bill_intake
from hub.waiver.bill import Line
from hub.waiver.bill_intake import Paper
from hub.waiver.bill_match import Contract, match
from hub.waiver.rules import given as rules_given
from hub.waiver.rules.profile import Tariff
from hub.waiver.rules.tariff import charges
from tests.waiver.bill.parts import CARRIER, GB, MONTH, TARIFF, Row, csv_line, layout, phone

TARIFFS = {"std": TARIFF}


def contract(n: int, first: date | None = None, **more: object) -> Contract:
    line = rules_given.Line(id=phone(n), tariff="std", invoice=CARRIER, first=first)
    plain = Contract(line_id=n, phone=phone(n), iccid=f"89811{n:015d}", carrier=CARRIER, given=line)
    return msgspec.structs.replace(plain, **more)


def paper(*rows: Row) -> Paper:
    return bill_intake.read(csv_line(rows), layout("csv-line"), MONTH, CARRIER)


def judged(found: list[Line]) -> list[tuple[str, int]]:
    return [(one.verdict, one.difference_yen) for one in found]


def test_as_the_tariff_says() -> None:
    found = match(
        paper(Row(phone(1)), Row(phone(2), overage=1000, used=4_350_000_000)), [contract(1), contract(2)], TARIFFS
    )
    assert judged(found) == [("OK", 0), ("OK", 0)]
    assert [one.line_id for one in found] == [1, 2]
    assert found[1].expected.charges[-1] == ("overage", "overage", 1000)


def test_more_and_less_than_the_tariff_says() -> None:
    found = match(paper(Row(phone(1), base=1580), Row(phone(2), base=1380)), [contract(1), contract(2)], TARIFFS)
    assert judged(found) == [("OVERBILLED", 110), ("UNDERBILLED", -110)]
    assert all(one.expected_yen == one.total_yen - one.difference_yen for one in found)


def test_overage_without_the_data_for_it() -> None:
    [found] = match(paper(Row(phone(1), overage=500, used=3 * GB)), [contract(1)], TARIFFS)
    assert (found.verdict, found.difference_yen) == ("OVERBILLED", 550)


def test_our_own_count_stands_in_where_the_bill_tells_none() -> None:
    body = layout("csv-line")
    without = msgspec.structs.replace(
        body,
        records=tuple(
            msgspec.structs.replace(one, fields=tuple(field for field in one.fields if field.field != "used_bytes"))
            for one in body.records
        ),
    )
    read = bill_intake.read(csv_line([Row(phone(1), overage=500)]), without, MONTH, CARRIER)
    assert judged(match(read, [contract(1, used_bytes=3_200_000_000)], TARIFFS)) == [("OK", 0)]
    assert judged(match(read, [contract(1)], TARIFFS)) == [("OVERBILLED", 550)]


def test_lines_that_nobody_knows_and_lines_that_are_not_there() -> None:
    rows = [Row(phone(1)), Row(phone(9)), Row(phone(3)), Row(phone(4)), Row(phone(5))]
    known = [
        contract(1),
        contract(2),
        contract(3, given=None, why="ended"),
        contract(4, carrier="別の会社"),
        contract(5, given=None, why="no_tariff"),
    ]
    found = match(paper(*rows), known, TARIFFS)
    assert [(one.phone, one.verdict, one.expected.why) for one in found] == [
        (phone(1), "OK", ""),
        (phone(9), "UNKNOWN_LINE", "unknown"),
        (phone(3), "UNKNOWN_LINE", "ended"),
        (phone(4), "UNKNOWN_LINE", "other_carrier"),
        (phone(5), "UNKNOWN_LINE", "no_tariff"),
        (phone(2), "MISSING_LINE", ""),
    ]
    assert found[3].expected.about == "別の会社"
    assert all(one.difference_yen == one.total_yen for one in found[1:5])
    missing = found[-1]
    assert (missing.total_yen, missing.expected_yen, missing.difference_yen, missing.n) == (0, 1631, -1631, 7)


def test_a_card_finds_its_line_and_a_line_stands_once() -> None:
    sim = f"89811{1:015d}"
    found = match(paper(Row("", iccid=sim + "F")), [contract(1)], TARIFFS)
    assert [(one.line_id, one.verdict) for one in found] == [(1, "OK")]
    found = match(paper(Row(phone(1)), Row(phone(77), iccid=sim)), [contract(1)], TARIFFS)
    assert [(one.line_id, one.verdict, one.expected.why) for one in found] == [
        (1, "OK", ""),
        (None, "UNKNOWN_LINE", "twice"),
    ]


def test_a_part_of_a_month_is_expected_by_its_days() -> None:
    """Case C04a: from 12 November on 937 yen."""
    found = match(paper(Row(phone(1), base=937)), [contract(1, first=date(2026, 11, 12))], TARIFFS)
    assert judged(found) == [("OK", 0)]


def test_roaming_is_the_carriers_to_know() -> None:
    [found] = match(paper(Row(phone(1), roaming=2980)), [contract(1)], TARIFFS)
    assert (found.verdict, found.total_yen) == ("OK", 4611)


def test_a_rate_that_changed_for_most_is_no_slip_of_one() -> None:
    rows = [Row(phone(n), base=1580) for n in (1, 2, 3)]
    rows += [Row(phone(4), base=1000), Row(phone(5), base=1580 * 19 // 30)]
    known = [*(contract(n) for n in range(1, 5)), contract(5, first=date(2026, 11, 12))]
    found = match(paper(*rows), known, TARIFFS)
    assert [one.verdict for one in found] == ["RATE_CHANGED"] * 3 + ["UNDERBILLED", "RATE_CHANGED"]
    # One alone may be a slip.
    assert [one.verdict for one in match(paper(rows[0]), [contract(1)], TARIFFS)] == ["OVERBILLED"]


def test_a_fee_that_changed_is_a_rate_that_changed() -> None:
    """Case C13: the universal-service fee goes by the month of use."""
    found = match(paper(*(Row(phone(n), universal=3) for n in (1, 2))), [contract(1), contract(2)], TARIFFS)
    assert [one.verdict for one in found] == ["RATE_CHANGED", "RATE_CHANGED"]
    # 1.1 yen each: together 2, not twice 1 and not 3.
    assert sum(one.difference_yen for one in found) == 2


def test_tax_inside_beside_tax_added_is_the_same_but_for_the_rounding() -> None:
    inside = Tariff(base_yen=1631, tax_included=True, included_bytes=3 * GB, block_bytes=GB, block_yen=550)
    found = match(paper(Row(phone(1)), Row(phone(2), base=1490)), [contract(1), contract(2)], {"std": inside})
    assert judged(found) == [("OK", 0), ("OVERBILLED", 11)]


lines = st.lists(
    st.tuples(st.integers(-300, 300) | st.just(0), st.integers(0, 8 * GB), st.booleans()), min_size=1, max_size=10
)


@settings(max_examples=100, deadline=None)
@given(lines, st.randoms(use_true_random=False))
def test_differences_add_up_to_the_bills_and_no_order_matters(
    drawn: list[tuple[int, int, bool]], chance: object
) -> None:
    rows, known = [], []
    for n, (off, used, is_known) in enumerate(drawn, 1):
        line = rules_given.Line(id=phone(n), tariff="std", used_bytes=used)
        amounts = {one.name: one.yen for one in charges(MONTH, TARIFF, line).charges}
        rows.append(Row(phone(n), base=amounts["base"] + off, overage=amounts["overage"], used=used))
        if is_known:
            known.append(contract(n))
    found = match(paper(*rows), known, TARIFFS)
    for one, (off, _, is_known) in zip(found, drawn, strict=True):
        if not is_known:
            assert one.verdict == "UNKNOWN_LINE"
        elif off == 0:
            assert (one.verdict, one.difference_yen) == ("OK", 0)
        else:
            assert one.verdict in ("RATE_CHANGED", "OVERBILLED" if off > 0 else "UNDERBILLED")
            assert abs(one.difference_yen * 10 - off * 11) <= 10
    told = [off for off, _, is_known in drawn if is_known]
    counted = sum(one.difference_yen for one in found if one.verdict != "UNKNOWN_LINE")
    assert abs(counted * 10 - sum(told) * 11) <= 5
    chance.shuffle(known)  # type: ignore[attr-defined]
    assert match(paper(*rows), known, TARIFFS) == found
