"""A month as entries, and what became known later, against the cases of the report."""

from datetime import date
from random import Random

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.waiver import later, ledger
from hub.waiver.later import Correction, Standing
from hub.waiver.ledger import FEE, RECEIVABLE, WAIVED, Entry
from hub.waiver.month import Holder, Wanted, wanted
from hub.waiver.rules.assess import assess
from hub.waiver.rules.given import Grant, Line
from hub.waiver.rules.profile import LineFee, Share, Tariff, WaiverRule
from hub.waiver.rules.result import Assessment

TARIFF = Tariff(
    base_yen=1480,
    included_bytes=3_000_000_000,
    block_bytes=1_000_000_000,
    block_yen=500,
    line_fees=(LineFee(name="universal", yen=2), LineFee(name="relay", yen=1)),
)
RULES = {"full": WaiverRule(), "half": WaiverRule(share=Share(1, 2))}
HOLDERS = {f"L{n}": Holder(line_id=n, phone=f"L{n}", resident_id=n) for n in range(1, 9)}


def grant(rule: str, **more: date) -> Grant:
    """A waiver that was decided in March."""
    return msgspec.structs.replace(
        Grant(rule=rule, applied=date(2026, 3, 10), decided=date(2026, 3, 20), ref=f"{rule}-1"), **more
    )


def month_of(month: str, *lines: Line) -> Assessment:
    """The month of these lines."""
    return assess(month, {"t": TARIFF}, RULES, lines)


def line(number: int, *grants: Grant, used_bytes: int = 0) -> Line:
    """A line of the month."""
    return Line(id=f"L{number}", tariff="t", grants=grants, used_bytes=used_bytes)


def posted(entries: list[Entry], first: int = 1) -> list[Standing]:
    """Entries as they stand once they are written."""
    return [
        Standing(
            seq, "assess" if one.kind == "assess" else "waive", one.legs[0].of_month, one.key.split(":")[2], one.legs
        )
        for seq, one in enumerate(entries, first)
    ]


def entries_of(found: list[Correction]) -> list[Entry]:
    """What would be written."""
    return [one.entry for one in found if one.entry]


def sums(entries: list[Entry]) -> dict[str, int]:
    """Each account's balance."""
    found: dict[str, int] = {}
    for leg in (leg for one in entries for leg in one.legs):
        found[leg.account] = found.get(leg.account, 0) + leg.yen
    return found


def test_c17_a_month_of_three_lines() -> None:
    month = month_of("2026-11", line(1, grant("full")), line(2, grant("half")), line(3))
    entries = entries_of(later.corrections(wanted(month, HOLDERS), [], {}, "2026-11"))
    assert sums(entries) == {RECEIVABLE: 2446, FEE: -4893, WAIVED: 2447}
    assert [one.key for one in entries] == [
        "assess:2026-11:L1",
        "waive:2026-11:L1",
        "assess:2026-11:L2",
        "waive:2026-11:L2",
        "assess:2026-11:L3",
    ]
    for one in entries:
        ledger.check(one)
    waived = entries[3].legs[0]
    assert (waived.ground, waived.decision, waived.fiscal_year, waived.of_month) == ("half", "half-1", 2026, "2026-11")


def test_c07_a_waiver_that_is_revoked_far_back_is_reversed_in_the_open_month() -> None:
    found: list[Correction] = []
    for number, name in enumerate(("2026-08", "2026-09", "2026-10")):
        before = later.corrections(wanted(month_of(name, line(1, grant("full"))), HOLDERS), [], {}, name)
        stands = posted(entries_of(before), 10 * number + 1)
        revoked = month_of(name, line(1, grant("full", revoked_from=date(2026, 8, 1))))
        times = {(one.of_month, one.kind, one.phone): 1 for one in stands}
        found += later.corrections(wanted(revoked, HOLDERS), stands, times, "2026-11")
    # The assessments stand; each waiver is taken back, and nothing is entered in its place.
    assert [(one.kind, one.of_month, one.entry) for one in found] == [
        ("waive", "2026-08", None),
        ("waive", "2026-09", None),
        ("waive", "2026-10", None),
    ]
    assert sum(one.receivable_yen for one in found) == 4893
    assert sum(one.waived_yen for one in found) == -4893


def test_c16_a_late_record_of_usage_is_booked_in_december() -> None:
    before = month_of("2026-11", line(1, grant("full"), used_bytes=2_900_000_000))
    stands = posted(entries_of(later.corrections(wanted(before, HOLDERS), [], {}, "2026-11")))
    times = {(one.of_month, one.kind, one.phone): 1 for one in stands}
    after = wanted(month_of("2026-11", line(1, grant("full"), used_bytes=3_300_000_000)), HOLDERS)
    (found,) = later.corrections(after, stands, times, "2026-12", "later")
    assert found.entry
    assert found.receivable_yen == 550
    assert (found.kind, found.entry.month, found.entry.effective_day) == ("assess", "2026-12", "2026-11-30")
    assert found.entry.corrects == found.reversed.seq if found.reversed else False
    assert found.entry.key == "assess:2026-11:L1:2"
    # Entered once, there is nothing more to say.
    now = [one for one in stands if one.kind == "waive"] + posted([found.entry], 9)
    assert later.corrections(after, now, {("2026-11", "assess", "L1"): 2}, "2026-12") == []


def test_a_line_of_nobody_is_the_towns_own() -> None:
    nobody = {"L1": Holder(line_id=1, phone="L1")}
    assert wanted(month_of("2026-11", line(1, grant("full"))), nobody) == []


_LINES = st.lists(
    st.tuples(
        st.integers(1, 8), st.sampled_from(("", "full", "half")), st.sampled_from((0, 3_000_000_001, 4_350_000_000))
    ),
    unique_by=lambda one: one[0],
    max_size=6,
)


@settings(deadline=None, max_examples=100)
@given(_LINES, st.lists(_LINES, min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_corrections_bring_what_stands_to_what_is_right(
    first: list[tuple[int, str, int]], then: list[list[tuple[int, str, int]]], dice: Random
) -> None:
    stands: dict[tuple[str, str], Standing] = {}
    times: dict[later.Place, int] = {}
    keys: set[str] = set()
    seq = 0
    for facts in (first, *then):
        lines = [line(n, *([grant(rule)] if rule else []), used_bytes=used) for n, rule, used in facts]
        dice.shuffle(lines)
        right: list[Wanted] = wanted(month_of("2026-11", *lines), HOLDERS)
        for one in later.corrections(right, stands.values(), times, "2026-12"):
            if one.reversed:
                assert stands.pop((one.kind, one.phone)) == one.reversed
            if one.entry:
                ledger.check(one.entry)
                assert one.entry.key not in keys
                keys.add(one.entry.key)
                seq += 1
                stands[one.kind, one.phone] = posted([one.entry], seq)[0]
                place = ("2026-11", one.kind, one.phone)
                times[place] = times.get(place, 0) + 1
        assert {(one.kind, one.phone): one.legs for one in right} == {key: one.legs for key, one in stands.items()}
        assert later.corrections(right, stands.values(), times, "2026-12") == []
